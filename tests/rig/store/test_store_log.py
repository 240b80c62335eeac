"""Deltas, entries and the ring of the log: what is written is found, whatever else is in the slots (S-3)."""

from __future__ import annotations

import re
import zlib
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.store import entry as entry_module
from rig.store import log as log_module
from rig.store.delta import CHUNK, apply_delta, delta_of
from rig.store.entry import decode_entry, encode_entry, record_of
from rig.store.errors import StoreError
from rig.store.log import Log, look_into
from rig.store.record import FORMAT, DamagedRecord, JournalRecord, encode, run_of

MOST = 1 << 19


def record(sequence: int, payload: bytes = b"", store: int = 7) -> JournalRecord:
    return JournalRecord(
        store=store,
        sequence=sequence,
        utc_ns=sequence,
        payload=payload,
        next_item=1,
        items=[],
        dropped={},
        recording=None,
    )


# --- deltas ---------------------------------------------------------------------------------------------------


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_a_delta_gives_back_what_it_is_of(new: bytes, base: bytes) -> None:
    assert apply_delta(delta_of(new, base), base, MOST) == new


@settings(max_examples=30)
@given(st.integers(0, 1 << 32), st.integers(0, 5 * CHUNK), st.lists(st.integers(0, 1 << 17), max_size=5))
def test_long_states_with_changes_anywhere(seed: int, length: int, places: list[int]) -> None:
    rng = Random(seed)
    base = rng.randbytes(length)
    new = bytearray(base)
    for place in places:
        at = place % (len(new) + 1)
        new[at : at + rng.randrange(9)] = rng.randbytes(rng.randrange(9))
    delta = delta_of(bytes(new), base)
    assert apply_delta(delta, base, MOST) == new
    assert len(delta) < 200 + len(new) // 50, "noise that is the same is not written again"


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_what_is_no_delta_is_refused_and_gives_no_flood(data: bytes, base: bytes) -> None:
    try:
        made = apply_delta(data, base, 1000)
    except ValueError:
        return
    assert len(made) <= 1000


def test_a_delta_that_grows_without_end_is_refused() -> None:
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = press.compress(bytes(1 << 24)) + press.flush()
    assert len(bomb) < 1 << 15
    with pytest.raises(ValueError, match="is no delta: it is cut off, or too long"):
        apply_delta(bomb, b"", MOST)


# --- entries --------------------------------------------------------------------------------------------------


def entry_of(
    sequence: int, payload: bytes, base: JournalRecord, store: int = 7, version: int = FORMAT.version
) -> bytes:
    one = record(sequence, payload, store)
    return encode_entry(one, encode(one), base, encode(base), version)


def test_the_layout_is_the_documented_one() -> None:
    """Field by field, by the table of rig/store/entry.py."""
    rows = re.findall(r"^    \| (\d+) +\| (.*?) +\|$", entry_module.__doc__ or "", re.MULTILINE)
    data = entry_of(12, b"state", record(9))
    place, fields = 0, []
    for size, what in rows:
        fields.append((what, data[place : place + int(size)]))
        place += int(size)
    values = [value if k == 0 else int.from_bytes(value, "little") for k, (_, value) in enumerate(fields)]
    base_crc, body = zlib.crc32(encode(record(9))), data[place:]
    expected = [b"AE0764L\n", FORMAT.version, 0, len(body), base_crc, 7, 9, 12, zlib.crc32(data[:44] + body)]
    assert values == expected


@given(st.binary(max_size=300), st.data())
def test_an_entry_with_any_byte_changed_is_none(payload: bytes, data: st.DataObject) -> None:
    whole = entry_of(3, payload, record(2, b"base"))
    found = decode_entry(whole)
    assert found is not None
    assert record_of(found, encode(record(2, b"base")), MOST) == record(3, payload)
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    assert decode_entry(bytes(damaged)) is None
    assert decode_entry(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


def test_an_entry_does_not_go_on_from_another_base() -> None:
    found = decode_entry(entry_of(3, b"three", record(2, b"base")))
    assert found is not None
    for other in (encode(record(2, b"other")), encode(record(2, b"base"), run=1)):
        with pytest.raises(DamagedRecord, match="continues from a whole save that no longer exists"):
            record_of(found, other, MOST)


def test_the_run_is_in_the_head_and_its_checksum() -> None:
    whole = encode(record(1), run=513)
    assert run_of(whole) == 513
    assert run_of(encode(record(1))) == 0
    assert len({encode(record(1), run=run)[16:20] for run in range(50)}) == 50


# --- the ring -------------------------------------------------------------------------------------------------


class Ring:
    """Slots in memory."""

    name, padded = "the ring", True

    def __init__(self, count: int = 4, size: int = 4096) -> None:
        self.count, self.size = count, size
        self.content = [bytes(size)] * count
        self.written: list[int] = []
        self.fails = False

    def read(self) -> list[bytes]:
        return list(self.content)

    def write(self, slot: int, data: bytes) -> None:
        self.written.append(slot)
        if self.fails:
            self.content[slot] = b"\xff" * self.size
            raise StoreError("the ring fails")
        self.content[slot] = data.ljust(self.size, b"\0")

    def close(self) -> None: ...


BASE = record(5, b"base" * 50)


def put(log: Log, sequence: int, payload: bytes) -> bool:
    one = record(sequence, payload)
    return log.write(one, encode(one), BASE, encode(BASE))


def found_in(ring: Ring, *bases: JournalRecord) -> log_module.LogLook:
    return look_into(ring.name, ring.read(), [encode(base) for base in bases or (BASE,)], BASE, MOST)


def test_slots_are_written_in_turn_and_the_newest_is_found() -> None:
    ring = Ring()
    log = Log(ring, 0)
    for k in range(6, 30):
        assert put(log, k, b"%d" % k)
        look = found_in(ring)
        assert look.newest is not None
        assert (look.newest.sequence, look.slot, look.torn, look.notes) == (k, ring.written[-1], [], [])
        assert look.base == encode(BASE)
    assert ring.written == [(1 + k) % 4 for k in range(24)]


@given(st.lists(st.booleans(), max_size=40), st.integers(2, 5))
def test_however_often_writing_fails_the_newest_is_not_touched(fails: list[bool], count: int) -> None:
    ring = Ring(count)
    log, newest = Log(ring, 0), 5
    for k, failing in enumerate(fails, 6):
        ring.fails = failing
        try:
            put(log, k, b"%d" % k)
            newest = k
        except StoreError:
            pass
        look = found_in(ring)
        assert (look.newest.sequence if look.newest else 5) == newest


def test_what_does_not_fit_is_not_written() -> None:
    ring = Ring()
    log = Log(ring, 0)
    assert not put(log, 6, Random(1).randbytes(4096))
    assert ring.written == []


def test_what_each_slot_is_worth() -> None:
    """The table of rig/store/log.py, row by row."""
    rows = re.findall(r"^    \| (none|whole)(.*?)\|", log_module.__doc__ or "", re.MULTILINE)
    assert len(rows) == 6
    older = record(3, b"older base")
    good = entry_of(8, b"good", BASE)
    ring = Ring()
    ring.content[1] = good
    for data, notes, torn in (
        (bytes(4096), 0, []),
        (good[:-1] + bytes((good[-1] ^ 1,)), 0, [0]),
        (good[:300] + b"x" * 99, 0, [0]),
        (entry_of(4, b"superseded", older), 0, []),
        (entry_of(4, b"its base is not there", record(1)), 0, []),
        (entry_of(9, b"newer than all, its base is not there", record(1)), 1, []),
        (entry_of(9, b"another store's", BASE, store=8), 1, []),
    ):
        ring.content[0] = data
        look = found_in(ring, BASE, older)
        assert look.newest == record(8, b"good"), data[:60]
        assert (len(look.notes), look.torn) == (notes, torn), data[:60]
    ring.content[0] = entry_of(9, b"newer program's", BASE, version=FORMAT.version + 1)
    with pytest.raises(StoreError, match=r"the ring holds a save that is of format 3, .*: update the program"):
        found_in(ring)


def test_what_follows_an_entry_is_zeros_or_told() -> None:
    ring = Ring()
    ring.content[1] = entry_of(8, b"good", BASE) + b"\0" * 90 + b"\x01" + b"\0" * 9
    assert found_in(ring).torn == [1]
    assert found_in(ring).newest == record(8, b"good")
    assert look_into("", ring.read(), [encode(BASE)], BASE, MOST, padded=False).torn == []


def test_a_record_changed_behind_the_checksums_is_not_believed() -> None:
    """Whoever can mend a checksum: store and sequence in head and body must still agree."""
    one = record(9, b"nine")
    found = decode_entry(encode_entry(msgspec.structs.replace(one, sequence=8), encode(one), BASE, encode(BASE)))
    assert found is not None
    with pytest.raises(DamagedRecord, match="is not the save that it says it is"):
        record_of(found, encode(BASE), MOST)
