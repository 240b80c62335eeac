"""The map both sides share: codecs, CRC, frames and digest, against their definitions."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateware.frames import CRC_POLY, CRC_RESIDUE, FRAME_BYTES, ITEM_BYTES, MAX_COUNT, Op, crc32, reply_offset, request
from gateware.record_words import HEADER_WORDS, PRODUCTS, RECORD_WORDS, SAFE_SAMPLES, Record, RecordFlag, words_present
from gateware.registers import (
    BY_ADDRESS,
    BY_NAME,
    CHANNELS,
    MAGIC,
    REGISTERS,
    SAMPLE_BITS,
    Capability,
    Channel,
    configuration_digest,
)

EVERYTHING = Capability.PRODUCTS | Capability.DELAYED_PRODUCTS | Capability.PHASORS | Capability.MEANS


def unsigned(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << bits) - 1)


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


records = st.builds(
    Record,
    sequence=unsigned(32),
    windows=unsigned(24),
    flags=unsigned(6).map(RecordFlag),
    tick_start=unsigned(48),
    tick_end=unsigned(48),
    samples=unsigned(32),
    cycles=unsigned(32),
    before=signed(SAMPLE_BITS),
    after=signed(SAMPLE_BITS),
    config_digest=unsigned(32),
    overload=unsigned(CHANNELS),
    dead=unsigned(CHANNELS),
    oscillator_step=unsigned(32),
    sums=st.lists(signed(64), min_size=RECORD_WORDS - HEADER_WORDS, max_size=RECORD_WORDS - HEADER_WORDS).map(tuple),
)


# --- the table ------------------------------------------------------------------------------------------


def test_every_register_has_its_own_name_and_address():
    assert len(BY_NAME) == len(BY_ADDRESS) == len(REGISTERS)
    assert all(0 <= r.address < 256 for r in REGISTERS)


def test_registers_are_as_wide_as_what_they_hold():
    for r in REGISTERS:
        assert 0 < r.width <= 32
        assert 0 <= (r.reset or 0) < 1 << r.width, r.name
        assert not r.config or r.writable, r.name
        assert not r.writable or r.reset is not None, r.name
    assert MAGIC.to_bytes(4, "big") == b"AE76"


# --- digest ---------------------------------------------------------------------------------------------


@given(st.fixed_dictionaries({r.name: unsigned(r.width) for r in REGISTERS if r.config}))
def test_the_digest_tells_any_single_changed_bit(values):
    digest = configuration_digest(values)
    for register in REGISTERS:
        for bit in range(register.width):
            changed = values | {register.name: values.get(register.name, 0) ^ 1 << bit}
            assert (configuration_digest(changed) != digest) == register.config


def test_the_digest_takes_absent_registers_at_reset():
    assert configuration_digest({}) == configuration_digest({r.name: r.reset or 0 for r in REGISTERS})
    one = configuration_digest({r.name: 0 for r in REGISTERS} | {"WINDOW_MIN": 0x8001})
    assert one == 0x8001 << 0x12 & 0xFFFF_FFFF | 0x8001 >> (32 - 0x12)


# --- record ---------------------------------------------------------------------------------------------


@given(records)
def test_records_come_back_from_their_words(record):
    words = record.to_words()
    assert len(words) == RECORD_WORDS
    assert all(0 <= w < 1 << 64 for w in words)
    assert Record.from_words(words) == record
    assert Record.from_words(words).to_words() == words


@given(records)
def test_sums_are_found_by_channel(record):
    words = record.to_words()
    for i, (a, b) in enumerate(PRODUCTS):
        assert record.product(a, b) == record.product(b, a)
        assert record.product(a, b) % (1 << 64) == words[HEADER_WORDS + i]
    for c in Channel:
        assert record.mean_sum(c) % (1 << 64) == words[RECORD_WORDS - CHANNELS + c]


@given(records, unsigned(40))
def test_ticks_are_exact_across_the_counters_wrap(record, ticks):
    words = record.to_words()
    words[2] = (words[1] + ticks) % (1 << 48)
    assert Record.from_words(words).ticks == ticks


@pytest.mark.parametrize("flags", range(32))
def test_whole_cycles_need_a_crossing_at_both_ends(flags):
    words = [0] * RECORD_WORDS
    words[0] = flags
    assert Record.from_words(words).whole_cycles == (flags & 0b11 == 0b11)


@pytest.mark.parametrize("words", [0, RECORD_WORDS - 1, RECORD_WORDS + 1])
def test_a_record_has_64_words(words):
    with pytest.raises(ValueError, match=f"64 words, got {words}"):
        Record.from_words([0] * words)


def test_products_are_the_upper_triangle_row_by_row():
    assert list(PRODUCTS) == [(a, b) for a in Channel for b in Channel if a <= b]


def test_a_safe_record_cannot_overflow():
    largest = 1 << 2 * (SAMPLE_BITS - 1)
    assert (SAFE_SAMPLES - 1) * largest < 1 << 63


@given(unsigned(4).map(lambda bits: Capability(bits)))
def test_words_present_are_the_header_and_each_capabilitys(capabilities):
    counts = {
        Capability.PRODUCTS: 21,
        Capability.DELAYED_PRODUCTS: 18,
        Capability.PHASORS: 12,
        Capability.MEANS: 6,
    }
    expected = list(range(HEADER_WORDS))
    start = HEADER_WORDS
    for capability, count in counts.items():
        if capability in capabilities:
            expected += range(start, start + count)
        start += count
    assert start == RECORD_WORDS
    ranges = words_present(capabilities)
    assert [word for words in ranges for word in words] == expected
    assert all(a.stop < b.start for a, b in pairwise(ranges)), "neighbours are one range"


def test_everything_is_one_range():
    assert words_present(EVERYTHING) == [range(RECORD_WORDS)]


# --- frame ----------------------------------------------------------------------------------------------


def bitwise_register(data: bytes) -> int:
    """The CRC register after `data`, one bit after another, as the standard describes it."""
    crc = 0xFFFF_FFFF
    for byte in data:
        for i in reversed(range(8)):
            top = crc >> 31 ^ byte >> i & 1
            crc = (crc << 1 & 0xFFFF_FFFF) ^ (CRC_POLY if top else 0)
    return crc


def test_crc_check_value():
    """CRC-32/BZIP2 in the catalogue of parametrised CRC algorithms: check 0xFC891918."""
    assert crc32(b"123456789") == 0xFC89_1918


@given(st.binary(max_size=80))
def test_crc_is_its_bitwise_definition_and_leaves_the_residue(data):
    assert crc32(data) == bitwise_register(data) ^ 0xFFFF_FFFF
    assert bitwise_register(data + crc32(data).to_bytes(4, "big")) == CRC_RESIDUE


@pytest.mark.parametrize(("op", "count"), [(op, count) for op in Op for count in range(MAX_COUNT[op] + 1)])
def test_every_request_and_its_reply_fit_a_frame(op, count):
    frame = request(op, 0x1A5, 0x42, count, 0x01234567 if op is Op.WRITE else None)
    assert len(frame) <= FRAME_BYTES
    data = bytes.fromhex("01234567") if op is Op.WRITE else b""
    head = bytes((op << 4 | count, 0xA5, 0x42)) + data
    assert frame.startswith(head + bitwise_register(head).__xor__(0xFFFF_FFFF).to_bytes(4, "big"))
    assert reply_offset(op) == len(head) + 4 + 1
    assert len(frame) == reply_offset(op) + 2 + count * ITEM_BYTES[op] + 4
    assert not any(frame[len(head) + 4 :])


@pytest.mark.parametrize("op", list(Op))
def test_more_than_fits_a_frame_is_refused(op):
    with pytest.raises(ValueError, match=f"{op.name} takes at most {MAX_COUNT[op]} items"):
        request(op, 0, 0, MAX_COUNT[op] + 1, 0)
