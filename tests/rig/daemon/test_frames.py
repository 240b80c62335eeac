"""Frames: round whatever the cuts, and nothing but a FrameError of bytes that are none."""

from __future__ import annotations

import struct

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.daemon.frames import MOST_BYTES, FrameError, FrameReader, frame
from rig.daemon.protocol import (
    FromClient,
    Hello,
    LogOn,
    MoveSwitch,
    OperateRelay,
    ReadState,
    Request,
    SetClock,
    Stop,
    Subscribe,
    Topic,
    WriteProgram,
)
from rig.meter.front.switches import Switch

ASKED = st.one_of(
    st.builds(LogOn, st.text(max_size=20)),
    st.builds(ReadState),
    st.builds(SetClock, st.none() | st.integers(-(1 << 63), (1 << 63) - 1)),
    st.builds(OperateRelay, st.text(max_size=8), st.booleans(), st.floats(allow_nan=False)),
    st.builds(WriteProgram, st.text(max_size=3000)),
    st.builds(MoveSwitch, st.sampled_from(Switch), st.booleans()),
    st.builds(Stop),
)
MESSAGES = st.one_of(
    st.builds(Hello, st.integers(0, 1 << 31), st.text(max_size=20), st.text(max_size=20)),
    st.builds(Subscribe, st.lists(st.sampled_from(Topic), max_size=5), st.booleans()),
    st.builds(Request, st.integers(0, 1 << 62), ASKED),
)


def taken(reader: FrameReader) -> list[object]:
    found = []
    while (message := reader.take()) is not None:
        found.append(message)
    return found


@given(st.lists(MESSAGES, max_size=6), st.lists(st.integers(1, 400), min_size=1, max_size=40))
def test_messages_come_back_whatever_the_cuts(messages, cuts) -> None:
    stream = b"".join(map(frame, messages))
    reader: FrameReader = FrameReader(FromClient)
    found, at = [], 0
    for cut in [*cuts, len(stream)]:
        reader.feed(stream[at : at + cut])
        at += cut
        found += taken(reader)
    reader.feed(stream[at:])
    assert found + taken(reader) == messages
    assert reader.waiting == 0


def test_a_frame_by_hand() -> None:
    """Length, then MessagePack: {"type": "hello", "version": 1, "source": "panel"} written out (msgpack spec)."""
    body = b"\x83\xa4type\xa5hello\xa7version\x01\xa6source\xa5panel"
    reader: FrameReader = FrameReader(FromClient)
    reader.feed(struct.pack(">I", len(body)) + body)
    assert reader.take() == Hello(1, "panel")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\0\0", "length"),
        (struct.pack(">I", MOST_BYTES + 1), "length"),
        (b"GET / HTTP/1.1\r\n", "length"),
        (b"\xff" * 4, "length"),
        (struct.pack(">I", 1) + b"\xc1", "message"),  # never used in MessagePack
        (struct.pack(">I", 1) + b"\x80", "message"),  # a map without a type
        (struct.pack(">I", 2) + b"\xa4t", "message"),
        (struct.pack(">I", 5) + b"\xdd\xff\xff\xff\xff", "message"),  # an array of four milliards
        (struct.pack(">I", 2000) + b"\x91" * 2000, "message"),  # arrays in arrays
        (
            struct.pack(">I", 40) + b"\x83\xa4type\xa5hello\xa7version\xa1x\xa6source\xa5panel".ljust(40, b"\x01"),
            "message",
        ),
        (struct.pack(">I", 14) + b"\x81\xa4type\xa7request", "message"),
    ],
)
def test_what_is_no_frame_is_an_error_of_its_kind(data: bytes, kind: str) -> None:
    reader: FrameReader = FrameReader(FromClient)
    reader.feed(data)
    with pytest.raises(FrameError) as caught:
        taken(reader)
    assert caught.value.kind == kind
    with pytest.raises(FrameError):
        reader.take()


@settings(max_examples=1000)
@given(
    st.lists(MESSAGES, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 255)), max_size=4),
)
def test_damaged_frames_give_messages_or_an_error(messages, damage) -> None:
    stream = bytearray(b"".join(map(frame, messages)))
    for place, bits in damage:
        stream[place % len(stream)] ^= bits
    reader: FrameReader = FrameReader(FromClient)
    reader.feed(bytes(stream))
    try:
        taken(reader)
    except FrameError:
        assert reader.waiting > 0


def test_what_is_too_long_is_not_sent() -> None:
    frame(WriteProgram("x" * (MOST_BYTES - 100)))
    with pytest.raises(FrameError, match="cannot be sent"):
        frame(WriteProgram("x" * MOST_BYTES))


def test_fields_that_are_not_known_are_passed_over() -> None:
    """A newer client may say more (docs/interface.md)."""
    body = msgspec.msgpack.encode({"type": "hello", "version": 1, "source": "panel", "colour": "green"})
    reader: FrameReader = FrameReader(FromClient)
    reader.feed(len(body).to_bytes(4, "big") + body)
    assert reader.take() == Hello(1, "panel")
