"""What is written in a year, and a card's life: what a save tells of it, against plain numbers."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from meter_of_counts import SECOND_NS, payload

from rig.store.check import check
from rig.store.journal_reading import read_journal
from rig.store.record import Mark
from rig.store.store import Store
from rig.store.wear import bytes_per_year, card_years


def test_a_block_a_second_is_129_gb_a_year() -> None:
    """4096 bytes × 31 557 600 s."""
    marks = [Mark(0, 10**6), Mark(100 * SECOND_NS, 10**6 + 409600)]
    assert bytes_per_year(marks) == 129_259_929_600
    # 900 × 32 GB are 28.8 TB; at four times 129.26 GB a year they last 55.7 years.
    assert float(card_years(Fraction(129_259_929_600), 32 * 10**9)) == pytest.approx(55.70, abs=0.01)


@pytest.mark.parametrize(
    "marks",
    [
        [],
        [Mark(0, 5)],
        [Mark(0, 0), Mark(59 * SECOND_NS, 10**9)],
        [Mark(0, 10), Mark(100 * SECOND_NS, 9)],
        [Mark(100 * SECOND_NS, 0), Mark(0, 5)],
    ],
)
def test_of_too_little_nothing_is_concluded(marks: list[Mark]) -> None:
    assert bytes_per_year(marks) is None


def test_a_store_tells_what_it_writes(tmp_path: Path) -> None:
    """A small save each second, a block of 4096 bytes: 129.26 GB; the first of them is whole, two blocks."""
    store = Store.open(tmp_path)
    for second in range(400):
        store.save(payload(second), second * SECOND_NS)
    (wear,) = [finding.found for finding in check(tmp_path) if finding.part == "wear"]
    store.close()
    said = re.match(r"(\d+) GB a year at the present rate; a card of [\d.e+]+ GB.* lasts [\d.e+]+ years", wear)
    assert said is not None
    assert int(said[1]) in (129, 130)


def test_what_is_off_is_no_rate(tmp_path: Path) -> None:
    for day in range(3):
        store = Store.open(tmp_path)
        store.save(payload(day), day * 86_400 * SECOND_NS)
        store.close()
    record = read_journal(tmp_path).record
    assert record is not None
    assert len(record.marks) == 1
