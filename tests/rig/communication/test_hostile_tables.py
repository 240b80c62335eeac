"""Tables asked for and written by whoever wants to break them, and bytes that are no tables (X-1, S-1)."""

from __future__ import annotations

import random
import struct
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.device import TableDevice
from rig.communication.c1219.layout import Scope, decode_table
from rig.communication.c1219.outcome import Outcome, carry_out
from rig.communication.c1219.tables import TABLES, decode, limits_of
from rig.communication.c1219.telephone import CallWindow, ModemFacts
from rig.communication.c1219.types import Cursor, TableError
from rig.daemon.protocol import ReadState
from rig.files.strict_toml import convert
from rig.program import schema
from rig.program.build import build
from tests.rig.communication.served_tables import ServedTables
from tests.rig.communication.table_bench import MeterTables
from tests.rig.reading.read_meters import lived, program

KEYS = ("A1B2C3", "B2C3D4", "C3D4E5", "D4E5F6")
SECRETS = [key.encode() for key in KEYS] + [key.lower().encode() for key in KEYS] + [bytes.fromhex(key) for key in KEYS]
SEALED = (
    '[clock]\nzone = "America/Toronto"\n[demand]\n[recorder]\n'
    'channels = [{ metric = "kWh delivered", pulse = "1.2" }]\n[security]\nseal = true\n'
    + "".join(f'level_{n} = "{key}"\n' for n, key in enumerate(KEYS, 1))
)


NONE_OF_ITS = (ResponseCode.ERROR, ResponseCode.NOT_POSSIBLE, ResponseCode.BUSY)
NOT_OF_A_METER = (7, 8, 2048)
"""Tables of a session."""

MODEM = ModemFacts(
    numbers=("5551234", "42"), statuses=(7, 0), setup=("AT&F", "ATE0V1Q0"), lockout_calls=3, lockout_minutes=30,
    answer_windows=(CallWindow(0, 1440),), originate_windows=(CallWindow(60, 30), CallWindow(1439, 1)), calls_a_day=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> MeterTables:
    folder = tmp_path_factory.mktemp("hostile") / "store"
    flow = ("flow", (900, 0, 10**12, 10**11, 10**12, 10**12))
    kept, _ = lived(
        program("block"), [*[flow] * 30, ("self-read", ()), ("reset", ()), *[flow] * 9, ("test", ()), flow], folder
    )
    tables = MeterTables(kept, folder)
    tables.device = TableDevice("0.9.1", lambda: MODEM)
    return tables


@cache
def whole(tables: MeterTables, number: int) -> bytes:
    return tables.data(number)


@cache
def limits(tables: MeterTables, number: int) -> Scope:
    """The scope of a table: its limiting tables, decoded."""
    found: dict[int, Any] = {}
    for limit in limits_of(number):
        found[limit] = decode(limit, whole(tables, limit), found)
    return Scope(found)


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.number not in (7, 8, 2048)], ids=lambda t: t.title)
def test_every_table_comes_back_whole_and_no_part_of_it_is_one(stored: MeterTables, table: Any) -> None:
    data = stored.data(table.number)
    scope = limits(stored, table.number)
    values = decode_table(table.layout, data, scope)
    assert table.layout.encode(values, scope) == data
    if table.number == 2049:  # it ends in text of any length
        return
    for cut in {0, 1, len(data) // 2, len(data) - 1} - {len(data)}:
        with pytest.raises(TableError):
            decode_table(table.layout, data[:cut], scope)
    with pytest.raises(TableError, match="more than its fields"):
        decode_table(table.layout, data + b"\0", scope)


@pytest.mark.parametrize("number", [0, 3, 4, 23, 26, 28, 54, 64, 74, 75, 76, 2051, 2052, 2053, 2054])
@given(noise=st.binary(max_size=400), at=st.integers(0, 10**6))
@settings(max_examples=25)
def test_noise_is_decoded_or_refused(stored: MeterTables, number: int, noise: bytes, at: int) -> None:
    data = bytearray(whole(stored, number))
    at %= len(data)
    data[at : at + len(noise)] = noise
    with suppress(TableError):
        TABLES[number].layout.decode(Cursor(bytes(data)), limits(stored, number))


@given(number=st.integers(0, 65535), offset=st.integers(0, 1 << 24), count=st.none() | st.integers(0, 65535))
@settings(max_examples=300)
def test_any_read_is_answered(stored: MeterTables, number: int, offset: int, count: int | None) -> None:
    found = stored.read(number, offset, count)
    if isinstance(found, bytes):
        assert count is None or len(found) <= count
    else:
        assert found in (ResponseCode.INAPPROPRIATE, ResponseCode.INSUFFICIENT_SECURITY, ResponseCode.NOT_READY)


@pytest.fixture(scope="module")
def sealed() -> Iterator[ServedTables]:
    served = ServedTables(SEALED)
    served.run(1)
    yield served
    served.close()


numbers = st.one_of(st.integers(0, 65535), st.sampled_from([7, 2048, 5, 42, 45, 4096, 6144]))
procedures = st.builds(
    lambda number, maker, selector, parameters: (
        struct.pack("<HB", number | maker << 11 | selector << 12, 1) + parameters
    ),
    st.one_of(st.integers(0, 32), st.integers(0, 2047)),
    st.booleans(),
    st.integers(0, 15),
    st.binary(max_size=70),
)


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("read"), numbers, st.integers(0, 100)),
            st.tuples(st.just("write"), numbers, st.binary(max_size=60)),
            st.tuples(st.just("procedure"), st.just(7), procedures),
        ),
        max_size=12,
    )
)
@settings(max_examples=60)
def test_without_a_key_no_session_changes_a_sealed_meter_or_learns_a_key(
    sealed: ServedTables, steps: list[Any]
) -> None:
    before = sealed.reading()
    program = sealed.service.program
    for kind, number, given_ in steps:
        if kind == "read":
            found = sealed.read(number, given_)
            assert not isinstance(found, bytes) or not any(secret in found for secret in SECRETS)
        else:
            sealed.write(number, given_)
    answer = sealed.read(8)
    assert not isinstance(answer, bytes) or not any(secret in answer for secret in SECRETS)
    sealed.device.end_session()
    after = sealed.reading()
    assert (after.resets, after.test, after.registers) == (before.resets, None, before.registers)
    assert sealed.service.program is program
    assert sealed.level == 0
    assert sealed.service.access.sealed


def test_no_table_of_a_sealed_meter_has_a_key() -> None:
    kept, _ = lived(build(convert(tomllib.loads(SEALED), schema.ProgramFile)), [])
    tables = MeterTables(kept)
    for number in TABLES:
        found = tables.read(number)
        assert not isinstance(found, bytes) or not any(secret in found for secret in SECRETS), number


def test_an_answer_that_is_no_meters_is_no_traceback() -> None:
    for answer in (None, {}, {"utc_ns": "x"}, 7, [], {"digest": "x", "file": {}, "sealed": 0}):
        for number in TABLES:
            device = TableDevice("1")
            found = carry_out(device.read(number, level=4), lambda asked, answer=answer: Outcome(answer))  # type: ignore[misc]
            assert found in NONE_OF_ITS if number not in NOT_OF_A_METER else isinstance(found, ResponseCode), number
            written = carry_out(
                device.write(7, struct.pack("<HB", 10, 1) + b"\x03" + bytes(7), level=4),
                lambda asked, answer=answer: Outcome(answer),  # type: ignore[misc]
            )
            assert written is None


def mutated(value: Any, chance: random.Random) -> Any:
    """One thing within, or nothing, made something else."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        if chance.random() < 0.15:
            return {name: each for name, each in value.items() if name != key}
        return {**value, key: mutated(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        if chance.random() < 0.15:
            return value[:at] + value[at + 1 :]
        return [*value[:at], mutated(value[at], chance), *value[at + 1 :]]
    others = [
        None,
        True,
        -1,
        0,
        1,
        255,
        1 << 31,
        (1 << 63) - 1,
        -(1 << 63),
        1.5,
        "",
        "x",
        "9" * 40,
        "-1",
        "1/0",
        "é",
        [],
        {},
    ]
    if isinstance(value, bytes):
        others += [value[:-1], value + b"\0", bytes(chance.randrange(256) for _ in value)]
    if isinstance(value, str):
        others += [value[:-1], value + "0", value[::-1], value.replace("1", "7")]
    if isinstance(value, int):
        others += [value + 1, -value, value * 10**9]
    return chance.choice(others)


@given(seed=st.integers(0, 1 << 32), number=st.sampled_from([n for n in TABLES if n not in (7, 8, 2048)]))
@settings(max_examples=200)
def test_an_answer_with_something_else_in_it_is_no_traceback(stored: MeterTables, seed: int, number: int) -> None:
    """Of every request that a table makes, one thing in the answer is another: bytes or a code come of it."""
    chance = random.Random(seed)

    def ask(asked: Any) -> Outcome:
        outcome = stored._ask(asked)
        return (
            Outcome(mutated(outcome.result, chance)) if outcome.refused is None and chance.random() < 0.7 else outcome
        )

    device = TableDevice("0.9.1", lambda: MODEM)
    for _ in range(2):
        found = carry_out(device.read(number, level=4), ask)
        assert isinstance(found, bytes | ResponseCode)


def test_a_program_written_between_two_requests_is_busy() -> None:
    one, _ = lived(program("block"), [])
    other, _ = lived(program("no demand"), [])
    mixed, plain = MeterTables(one), MeterTables(other)
    found = carry_out(
        mixed.device.read(23, level=0), lambda asked: (mixed if isinstance(asked, ReadState) else plain)._ask(asked)
    )
    assert found is ResponseCode.BUSY


@pytest.mark.parametrize("year", [1999, 2100])
def test_a_clock_in_no_year_of_two_digits_is_no_traceback(year: int) -> None:
    kept, _ = lived(program("block"), [], begin_ns=int(datetime(year, 6, 1).timestamp()) * 10**9)
    tables = MeterTables(kept)
    assert tables.data(52)[:6] == bytes(6)
    for number in (23, 28, 51, 54, 55, 56):
        assert isinstance(tables.read(number), bytes)


def test_what_was_read_by_another_program_is_not_its(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    kept, _ = lived(program("block"), [("idle", (60,)), ("self-read", ()), ("idle", (60,))], folder)
    assert MeterTables(kept, folder).data(26)[1] == 1
    kept.writes(program("sliding"))
    kept.meters(2)
    assert MeterTables(kept, folder).data(26)[1] == 0
