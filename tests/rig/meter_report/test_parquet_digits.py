"""Figures of other makers' meters in Parquet: as many digits as a column needs, or one sentence."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal

import pytest

from rig.meter_report.errors import MeterReportError
from rig.meter_report.meter_data import EnergyRow, MeterData, RegisterSet, SetKind, SourceKind
from rig.meter_report.records import Part, parquet_of


def registers(*values: str) -> MeterData:
    energy = tuple(EnergyRow(f"kWh {k}", Decimal(value), ()) for k, value in enumerate(values))
    found = RegisterSet(SetKind.PRESENT, datetime(2026, 3, 1), 0, 0, energy, ())
    return MeterData(SourceKind.READING, "a.json", "", "2026-11-30T00:00:00+00:00", "UTC", (), sets=(found,))


@pytest.mark.parametrize(
    "values",
    [
        ("1.5", "-2"),
        ("0.1234567890123456", "123456789012345678901234567890.5"),
        ("1E-20", "1E+30", "0"),
        ("-" + "9" * 60 + "." + "9" * 16,),
    ],
)
def test_no_digit_is_lost(values: tuple[str, ...]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is the extra [parquet]")
    table = parquet.read_table(io.BytesIO(parquet_of(registers(*values), Part.REGISTERS)))
    assert table.column("value").to_pylist() == [Decimal(value) for value in values]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (("1", "NaN"), "column value has NaN, which is no decimal of Parquet: write a .csv"),
        (("-Infinity",), "column value has -Infinity, which is no decimal of Parquet: write a .csv"),
        (
            ("1E+50", "1E-40"),
            "column value has 51 digits before the point and 40 after it, and decimals of Parquet have 76: "
            "write a .csv",
        ),
    ],
)
def test_what_parquet_has_no_decimal_for_is_said(values: tuple[str, ...], sentence: str) -> None:
    pytest.importorskip("pyarrow.parquet", reason="pyarrow is the extra [parquet]")
    with pytest.raises(MeterReportError) as refused:
        parquet_of(registers(*values), Part.REGISTERS)
    assert str(refused.value) == sentence
