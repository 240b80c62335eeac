"""Sums of counts whose value no decimal has: a pulse of 4/3 Wh, where three of them are 4 Wh and no less."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from rig.meter_report.from_profile_file import meter_of_profile_file
from rig.meter_report.load_curves import months_of, summary_of
from rig.meter_report.meter_data import LoadProfile, MeterData, ProfileChannel, ProfileLine, SourceKind
from rig.meter_report.records import Part, csv_of

COUNTS = [100, 200, 301] * 167 + [1] * 415
"""Of 1/750 kWh: 100 782 of them, 134.376 kWh."""


def profile(counts: list[int], pulse: Fraction | None = Fraction(1, 750)) -> LoadProfile:
    """Values as a profile's file has them, rounded at twelve decimals by a witness of its own: text of integers."""
    values = [(count * 10**12 * 2 + 750) // (2 * 750) for count in counts]
    lines = [
        ProfileLine(
            datetime(2026, 3, 1) + timedelta(minutes=15 * (k + 1)),
            (),
            (Decimal(f"{value // 10**12}.{value % 10**12:012d}"),),
        )
        for k, value in enumerate(values)
    ]
    return LoadProfile(15, (ProfileChannel("kWh received", "kWh", pulse),), tuple(lines))


def test_a_sum_is_of_the_counts() -> None:
    assert sum(COUNTS) == 100782
    assert summary_of(profile(COUNTS), 0).total == Decimal("134.376")
    assert [month.totals for month in months_of(profile(COUNTS))] == [(Decimal("134.376"),)]
    assert summary_of(profile([1, 1]), 0).total == Decimal("0.002666666667"), "rounded once"


def test_a_pulse_that_is_not_known_or_not_the_values_own_changes_nothing() -> None:
    added = summary_of(profile(COUNTS, None), 0).total
    assert Decimal("0") < abs(added - Decimal("134.376")) < Decimal("1e-9")
    for pulse in (Fraction(1, 7), Fraction(1, 3 * 10**12), Fraction(0)):
        assert summary_of(profile(COUNTS, pulse), 0).total == added


@pytest.mark.parametrize("counts", [COUNTS, [3] * 5])
def test_a_csv_keeps_what_a_pulse_is(counts: list[int]) -> None:
    first = profile(counts)
    made = MeterData(SourceKind.STORE, "s", "", "2026-11-30T00:00:00+00:00", "UTC", (), profile=first)
    data = csv_of(made, Part.PROFILE)
    assert b"# kWh received in kWh, 1/750 a pulse\n" in data
    again = meter_of_profile_file(data, Path("a.csv")).profile
    assert again is not None
    assert again.channels == first.channels
    assert summary_of(again, 0).total * 750 == sum(counts)
    plain = replace(made, profile=replace(first, channels=(ProfileChannel("kWh received", "kWh"),)))
    assert b"# kWh received in kWh\n" in csv_of(plain, Part.PROFILE)
