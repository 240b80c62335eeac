"""Elements of tables by their indices, against places computed by hand from ../shared/facts/c12.md's layouts (X-1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psem_client import Answer, PsemClient
from served_port import ServedPort

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.outcome import carry_out
from rig.communication.c1219.tables import TABLES
from tests.rig.communication.table_bench import MeterTables
from tests.rig.reading.read_meters import lived, program

PROGRAM = "[demand]\nquantities = ['kW delivered', 'kVA']\n[security]\nlevel_2 = '222222'\n"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> MeterTables:
    folder = tmp_path_factory.mktemp("index") / "store"
    flow = ("flow", (900, 0, 10**12, 10**11, 10**12, 10**12))
    kept, _ = lived(program("block"), [*[flow] * 12, ("self-read", ()), flow, ("reset", ()), flow], folder)
    return MeterTables(kept, folder)


def elements(tables: MeterTables, number: int, *indices: int, count: int = 1, level: int = 4) -> Any:
    return carry_out(tables.device.read_elements(number, indices, count, level=level), tables._ask)


@pytest.mark.parametrize(
    ("number", "indices", "count", "begin", "end"),
    [
        (1, (0,), 1, 0, 4), (1, (1,), 1, 4, 12), (1, (1,), 3, 4, 14), (1, (6,), 1, 16, 32), (1, (2,), 0, 12, 32),
        (1, (5,), 99, 15, 32), (0, (0,), 3, 0, 3), (0, (3,), 1, 3, 7), (0, (6,), 2, 9, 11), (5, (0,), 1, 0, 20),
        (2, (0,), 1, 0, 6), (2, (2,), 1, 12, 13), (2, (5,), 1, 20, 21), (3, (1,), 1, 1, 3), (6, (4,), 1, 80, 100),
        (6, (18,), 1, 200, 230), (31, (1,), 1, 1, 3),
    ],
)  # fmt: skip
def test_fields_are_where_they_are(
    stored: MeterTables, number: int, indices: tuple[int, ...], count: int, begin: int, end: int
) -> None:
    whole = stored.data(number)
    assert elements(stored, number, *indices, count=count) == whole[begin:end]


def test_elements_within_arrays_and_records(stored: MeterTables) -> None:
    units = stored.data(12)
    sources = len(units) // 4
    for n in range(sources):
        assert elements(stored, 12, 0, n) == units[4 * n : 4 * n + 4]
    assert elements(stored, 12, 0, 1, count=0) == units[4:]
    assert elements(stored, 12, 0, sources) is ResponseCode.INAPPROPRIATE
    sets = stored.data(0)
    standard, maker = sets[13], sets[14]
    assert elements(stored, 0, 16) == sets[19 : 19 + standard]
    assert elements(stored, 0, 17) == sets[19 + standard : 19 + standard + maker]
    permissions = stored.data(44)
    assert elements(stored, 44, 0, 3) == permissions[12:16]
    assert elements(stored, 44, 0, 3, 1) == permissions[14:15]
    assert elements(stored, 44, 0, 3, 1, count=2) == permissions[14:16]
    assert elements(stored, 44, 0, 3, 0, 0) is ResponseCode.INAPPROPRIATE, "within a bit field"


def test_a_register_of_st23(stored: MeterTables) -> None:
    """Demand resets in a byte, then summations of 21 characters."""
    registers = stored.data(23)
    assert elements(stored, 23, 0) == registers[:1]
    assert elements(stored, 23, 1, 0, 0) == registers[1:22]
    assert elements(stored, 23, 1, 0, 2) == registers[43:64]


@pytest.mark.parametrize("number", [42, 45, 9, 43, 4096, 6144, 65535])
def test_what_is_not_there_is_not_there_by_index_either(stored: MeterTables, number: int) -> None:
    assert elements(stored, number, 0) is stored.read(number)


def test_below_its_level_nothing_is_given(stored: MeterTables) -> None:
    assert elements(stored, 71, 0, level=0) is ResponseCode.INSUFFICIENT_SECURITY
    assert elements(stored, 64, 0, level=0) is ResponseCode.INSUFFICIENT_SECURITY
    assert elements(stored, 64, 0) is ResponseCode.NOT_POSSIBLE
    assert elements(stored, 7, 0) is ResponseCode.INSUFFICIENT_SECURITY


@given(
    number=st.one_of(st.sampled_from(list(TABLES)), st.integers(0, 65535)),
    indices=st.lists(st.one_of(st.integers(0, 5), st.integers(0, 65535)), min_size=1, max_size=9),
    count=st.one_of(st.integers(0, 5), st.integers(0, 65535)),
)
def test_any_indices_are_answered(stored: MeterTables, number: int, indices: list[int], count: int) -> None:
    found = elements(stored, number, *indices, count=count)
    assert isinstance(found, bytes | ResponseCode)
    if isinstance(found, bytes):
        assert found in stored.data(number)


@pytest.fixture(scope="module")
def client() -> Iterator[PsemClient]:
    served = ServedPort(PROGRAM)
    served.client.identify()
    served.client.negotiate(512, 20)
    served.client.log_on()
    yield served.client
    served.close()


def by_index(client: PsemClient, table: int, *indices: int, count: int = 1) -> bytes:
    numbers = (table, *indices, count)
    return client._data(client.ask(bytes((0x30 + len(indices),)) + b"".join(n.to_bytes(2, "big") for n in numbers)))


def test_over_a_line(client: PsemClient) -> None:
    assert by_index(client, 1, 1) == client.read(1)[4:12]
    assert by_index(client, 12, 0, 2, count=2) == client.read(12)[8:16]
    for table, code in ((42, 3), (4, 5), (1, 5)):
        with pytest.raises(Answer, match=f"{code:#04x}"):
            by_index(client, table, 77)
    with pytest.raises(Answer, match="0x05"):
        by_index(client, 1, *[0] * 9)


def test_writes_by_index_are_not_possible(client: PsemClient) -> None:
    with pytest.raises(Answer, match="0x04"):
        client.ask(b"\x41\x00\x05\x00\x00" + (20).to_bytes(2, "big") + b"9" * 20 + bytes((-sum(b"9" * 20) & 0xFF,)))
