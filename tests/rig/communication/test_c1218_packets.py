"""Packets against vectors that clients and captures of others gave (facts: c12.md §1.5), and against damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psem_client import packet

from rig.communication.c1218.packets import Acknowledgement, Damaged, Heard, Packet, PacketReader, crc16

VECTORS = {
    "identify": "EE 00 00 00 00 01 20 13 10",
    "identify to address 2": "EE 02 00 00 00 01 20 45 18",
    "identify answer 1.0": "EE 00 00 00 00 05 00 00 01 00 00 C6 B5",
    "identify answer 2.0": "EE 00 00 00 00 05 00 00 02 00 00 A2 5A",
    "negotiate 1024/128/9600": "EE 00 20 00 00 05 61 04 00 80 06 C2 29",
    "its answer": "EE 00 20 00 00 05 00 04 00 80 06 35 83",
    "negotiate 512/2/9600": "EE 00 20 00 00 05 61 02 00 02 06 24 DD",
    "negotiate without baud": "EE 00 00 00 00 04 60 00 80 FF FB 8A",
    "timing setup": "EE 00 20 00 00 05 71 1E 01 04 03 50 64",
    "log on, blanks": "EE 00 00 00 00 0D 50 00 00 30 30 30 30 20 20 20 20 20 20 76 35",
    "log on, NULs": "EE 00 00 00 00 0D 50 00 00 00 00 00 00 00 00 00 00 00 00 56 13",
    "security": "EE 00 20 00 00 15 51" + " 00" * 20 + " 27 A2",
    "security, toggle 0": "EE 00 00 00 00 15 51" + " 00" * 20 + " 47 2D",
    "full read of ST1": "EE 00 00 00 00 03 30 00 01 55 0D",
    "full read of ST1, toggle 1": "EE 00 20 00 00 03 30 00 01 D6 6E",
    "write ST7": "EE 00 00 00 00 0A 40 00 07 00 04 09 00 05 01 F1 7E 67",
    "ok": "EE 00 00 00 00 01 00 11 31",
    "isc": "EE 00 00 00 00 01 03 8A 03",
    "isss": "EE 00 00 00 00 01 0A 4B 9E",
    "ok, toggle 1": "EE 00 20 00 00 01 00 80 51",
    "log off": "EE 00 00 00 00 01 52 86 40",
    "terminate": "EE 00 00 00 00 01 21 9A 01",
    "authenticate": "EE 00 00 00 00 0B 53 09 01 46 A7 CE 2D 64 7F 39 F5 77 02",
    "its answer of authenticate": "EE 00 00 00 00 0B 00 09 01 35 A1 DE BF 4C 76 7D 3B 2C 88",
}


def test_the_check_value_of_the_crc() -> None:
    """The catalogue's of CRC-16/X-25."""
    assert crc16(b"123456789") == 0x906E


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    data = bytes.fromhex(VECTORS[name])
    (heard,) = PacketReader().feed(data)
    assert isinstance(heard, Packet)
    assert heard.encoded() == data
    assert (heard.data, heard.identity, heard.toggle) == (data[6:-2], data[1], data[2] == 0x20)


def test_the_first_of_two() -> None:
    (heard,) = PacketReader().feed(packet(bytes(56), 0xC0, 1))
    assert isinstance(heard, Packet)
    assert (heard.multi, heard.first, heard.follow, len(heard.data)) == (True, True, 1, 56)


@given(st.binary(max_size=300), st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_the_witness_and_the_reader_agree(data: bytes, control: int, follow: int, identity: int) -> None:
    sent = packet(data, control, follow, identity)
    (heard,) = PacketReader().feed(sent)
    assert isinstance(heard, Packet)
    assert (heard.data, heard.identity, heard.follow) == (data, identity, follow)
    assert heard.encoded()[3:-2] == sent[3:-2]
    assert heard.encoded()[2] == control & 0xE3, "reserved bits are not sent on"


@given(st.lists(st.binary(max_size=40), max_size=6), st.data())
def test_however_the_bytes_come(datas: list[bytes], data: st.DataObject) -> None:
    """Random splits, noise before each packet: what is heard is the same."""
    sent = b"".join(bytes((0xFF, 0x55, 0x00)) + packet(each) + b"\x06" for each in datas)
    reader, heard, rest = PacketReader(), [], sent
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        heard += reader.feed(rest[:size])
        rest = rest[size:]
    expected: list[Heard] = []
    for each in datas:
        expected += [Packet(each), Acknowledgement.ACK]
    assert heard == expected


@given(st.binary(min_size=1, max_size=60), st.data())
def test_every_wrong_bit_is_noticed(content: bytes, data: st.DataObject) -> None:
    sent = bytearray(packet(content))
    bit = data.draw(st.integers(0, 8 * len(sent) - 1))
    sent[bit // 8] ^= 1 << bit % 8
    reader = PacketReader()
    heard = list(reader.feed(bytes(sent)))
    given_up = reader.give_up()
    assert not any(isinstance(each, Packet) for each in heard)
    if bit >= 48 or (bit >= 16 and bit < 32):
        assert heard == [Damaged(0)]
    assert heard or given_up or bit < 8 or bit >= 32


def test_the_table_of_the_reader() -> None:
    reader = PacketReader(most=64)
    assert list(reader.feed(b"\x00\x55\xff\x06\x15")) == [Acknowledgement.ACK, Acknowledgement.NAK]
    assert not reader.receiving
    for noise in (b"\xee", b"\xee\x05"):
        assert list(reader.feed(noise)) == []
        assert reader.receiving
        assert reader.give_up() is None
    assert list(reader.feed(b"\xee\x05\x00")) == []
    assert reader.give_up() == Damaged(5)
    assert list(reader.feed(b"\xee\x05\x00\x00\x00\x03\x30")) == []
    assert reader.give_up() == Damaged(5)
    assert list(reader.feed(b"\xee\x05\x00\x00\x00\x39")) == [], "57 bytes do not go into 64"
    assert list(reader.feed(packet(b"\x20") * 9)) == [], "what comes after such a length may be its data"
    assert reader.give_up() == Damaged(5)
    assert list(reader.feed(packet(b"\x20"))) == [Packet(b"\x20")]


def split(reader: PacketReader, sent: bytes, data: st.DataObject) -> list[Heard]:
    heard: list[Heard] = []
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        heard += reader.feed(sent[:size])
        sent = sent[size:]
    return heard


@given(st.binary(min_size=1, max_size=60), st.data())
def test_after_a_pause_the_repetition_is_heard_whatever_became_of_the_first(
    content: bytes, data: st.DataObject
) -> None:
    """A bit changed, a byte lost or added, anywhere: a damaged length has the reader wait for thousands of bytes."""
    sent = packet(content)
    at = data.draw(st.integers(0, len(sent) - 1))
    damage = data.draw(st.sampled_from(("changed", "lost", "added", "cut off")))
    first = {
        "changed": sent[:at] + bytes((sent[at] ^ 1 << data.draw(st.integers(0, 7)),)) + sent[at + 1 :],
        "lost": sent[:at] + sent[at + 1 :],
        "added": sent[:at] + data.draw(st.binary(min_size=1, max_size=1)) + sent[at:],
        "cut off": sent[:at],
    }[damage]
    reader = PacketReader(most=data.draw(st.sampled_from((68, 1024))))
    heard = split(reader, first, data)
    reader.pause()
    heard += split(reader, sent, data)
    assert Packet(content) in heard
    assert not reader.receiving
    assert {each for each in heard if isinstance(each, Packet)} == {Packet(content)}


@given(st.lists(st.sampled_from((b"\xee", b"\x06", b"\x00", b"\x01", b"\xee\xee\x05")), max_size=20).map(b"".join))
def test_a_packet_that_pauses_before_each_byte_is_one(content: bytes) -> None:
    reader, heard = PacketReader(), []
    for value in packet(content):
        reader.pause()
        heard += reader.feed(bytes((value,)))
    assert heard == [Packet(content)]


def test_two_pauses_and_silence_within_the_repetition() -> None:
    reader = PacketReader()
    first = bytes.fromhex("EE 05 00 00 01 03 30")  # 259 bytes, of 3
    for _ in range(3):
        assert list(reader.feed(first)) == []
        reader.pause()
    assert list(reader.feed(packet(b"\x30\x00\x01"))) == [Packet(b"\x30\x00\x01")]
    list(reader.feed(first))
    reader.pause()
    list(reader.feed(first))
    assert reader.give_up() == Damaged(5)
    assert not reader.receiving
    assert list(reader.feed(packet(b"\x20"))) == [Packet(b"\x20")]
