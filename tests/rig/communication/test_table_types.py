"""Types of fields: what is encoded comes back, and what a type cannot hold is refused (X-1)."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.communication.c1219.layout import Array, Bit, BitField, Field, Layout, Ref, Scope, decode_table, itself
from rig.communication.c1219.types import (
    DATE,
    LTIME,
    STIME,
    TIME,
    U8,
    U16,
    Binary,
    Numbers,
    Real,
    TableError,
    Text,
    Whole,
)

REAL = Real("NI_FORMAT1")
times = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31))


@given(nano=st.integers(-(10**22), 10**23))
def test_a_number_keeps_its_digits_and_only_loses_what_has_no_room(nano: int) -> None:
    exact = Fraction(nano, 10**12)
    data = REAL.encode(exact)
    assert len(data) == 21
    assert set(data) <= set(b"-.0123456789")
    found = REAL.decode(data)
    if -(10**7) < exact < 10**8:
        assert found == Decimal(nano).scaleb(-12)
    assert (
        abs(Fraction(found))
        <= abs(exact)
        < abs(Fraction(found)) + Fraction(1, 10 ** (20 - len(str(abs(nano) // 10**12)) - (nano < 0)))
    )


@given(value=st.fractions(min_value=0, max_value=10**7))
def test_a_fraction_is_cut_off_not_rounded(value: Fraction) -> None:
    assert Fraction(REAL.decode(REAL.encode(value))) == Fraction(int(value * 10**12), 10**12)


@given(at=times)
def test_times_to_the_second_and_to_the_minute(at: datetime) -> None:
    assert LTIME.decode(LTIME.encode(at)) == at.replace(microsecond=0)
    assert STIME.decode(STIME.encode(at)) == at.replace(second=0, microsecond=0)
    assert DATE.decode(DATE.encode(at.date())) == at.date()
    assert TIME.decode(TIME.encode(at.time())) == at.time().replace(microsecond=0)


@given(numbers=st.frozensets(st.integers(0, 63)))
def test_sets(numbers: frozenset[int]) -> None:
    data = Numbers(8).encode(numbers)
    assert Numbers(8).decode(data) == numbers
    assert all(bool(data[n // 8] >> n % 8 & 1) == (n in numbers) for n in range(64))


@pytest.mark.parametrize(
    ("leaf", "value"),
    [
        (U8, 256), (U8, -1), (Whole(2, signed=True), 40_000), (Text(3), "four"), (Binary(2), b"abc"),
        (Numbers(1), {8}), (LTIME, datetime(1999, 1, 1)), (DATE, date(2100, 1, 1)), (REAL, 10**20),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(leaf: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        leaf.encode(value)


@pytest.mark.parametrize(
    ("leaf", "data"),
    [
        (LTIME, b"\x1a\x0d\x01\0\0\0"), (LTIME, b"\x1a\x01\x20\0\0\0"), (STIME, b"\x1a\x01\x01\x18\0"),
        (LTIME, b"\x64\x01\x01\0\0\0"), (TIME, b"\x18\0\0"), (DATE, b"\xff\xff"), (DATE, b"\xe4\x08"),
    ],
)  # fmt: skip
def test_bytes_that_are_none_are_refused(leaf: Any, data: bytes) -> None:
    with pytest.raises(TableError):
        leaf.decode(data)


def test_none_is_zeros() -> None:
    for leaf in (LTIME, STIME, DATE):
        assert leaf.encode(None) == bytes(leaf.size)
        assert leaf.decode(bytes(leaf.size)) is None
    assert TIME.decode(bytes(3)) == time()


LIST = Layout(
    (
        Field("FLAGS", BitField(1, (Bit("LONG", 7, 7, lambda v: v["long"]), Bit("KIND", 0, 2, lambda v: v["kind"])))),
        Field("COUNT", U8, lambda v: len(v["entries"])),
        Field("ENTRIES", Array(Ref(None, "COUNT"), U16), lambda v: v["entries"]),
        Field("MORE", U8, lambda v: 7, when=Ref(None, "FLAGS.LONG")),
        Field("ROWS", Array(Ref(9, "ROWS"), Array(2, U8)), lambda v: v["rows"]),
    )
)


@given(
    entries=st.lists(st.integers(0, 65535), max_size=9),
    long=st.booleans(),
    kind=st.integers(0, 7),
    rows=st.lists(st.lists(st.integers(0, 255), min_size=2, max_size=2), max_size=3),
)
def test_a_layout_with_counts_and_conditions(entries: list[int], long: bool, kind: int, rows: list[list[int]]) -> None:
    scope = Scope({9: {"ROWS": len(rows)}})
    of = {"entries": entries, "long": long, "kind": kind, "rows": rows}
    data = LIST.encode(LIST.gather(of, scope), scope)
    expected = bytes((long << 7 | kind, len(entries))) + b"".join(n.to_bytes(2, "little") for n in entries)
    expected += b"\x07" * long + bytes(n for row in rows for n in row)
    assert data == expected
    found = decode_table(LIST, data, scope)
    assert (found["ENTRIES"], found["ROWS"], "MORE" in found) == (entries, rows, long)


def test_a_value_that_does_not_fit_names_its_field() -> None:
    of = {"entries": [1 << 16], "long": False, "kind": 0, "rows": []}
    scope = Scope({9: {"ROWS": 0}})
    with pytest.raises(TableError, match="ENTRIES cannot be encoded"):
        LIST.encode(LIST.gather(of, scope), scope)
    with pytest.raises(TableError, match="KIND"):
        LIST.encode(LIST.gather({**of, "entries": [], "kind": 8}, scope), scope)
    with pytest.raises(TableError, match="read table 9 first"):
        decode_table(LIST, bytes(2), Scope({}))
    assert itself(of) is of
