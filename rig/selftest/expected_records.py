"""Records that the phantom load must give, as data: no simulation is needed to know them (C-4, C-5; review E-1).

From the second sample boundary after the load was switched on its waves are known, sample by sample
(gateware/phantom.py). `phantom_records.json` has records of whole cycles of one switching on, from the bit-exact model.
Another differs from them by what is not known of what was before: remainders of the sampling filter, which never leave
it, and the state of the load's modulators. Both are noise below a code in a sample. So a sum of n products x·y can be
off by

    CODES · √n · (x's r.m.s. + y's r.m.s.)

which is less than a millionth of a product of full waves; in 160 records of other switchings on, at any tick and after
any bits, half of it was not reached (tests/rig/selftest/test_expected_records.py). A build's own arithmetic has no such
room: a wrong coefficient, a lost bit, a channel for another is far beyond it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import sqrt
from pathlib import Path

import msgspec

from gateware.record_words import (
    HEADER_WORDS,
    OSCILLATOR_AMPLITUDE,
    PRODUCTS,
    WORD_DELAYED,
    WORD_MEANS,
    WORD_PHASORS,
    Record,
    RecordFlag,
    words_present,
)
from gateware.registers import CHANNELS, PHANTOM_HOLD_TICKS, VOLTAGES, Capability

FILE = Path(__file__).with_name("phantom_records.json")

CODES = 1.0
"""What a sample may be off, as noise."""

EDGE_CODES = 8
"""A single sample: both remainders, and the modulators."""


class ExpectedRecord(msgspec.Struct, frozen=True):
    """Record of whole cycles that ends `at_sample`, counted from the one in which the load was switched on."""

    at_sample: int
    samples: int
    before: int
    after: int
    sums: list[int]


class ExpectedRecords(msgspec.Struct, frozen=True):
    """Registers of the load and of the phasors' oscillator, and the records."""

    waves: list[int]
    step: int
    oscillator_step: int
    records: list[ExpectedRecord]


class Finding(msgspec.Struct, frozen=True):
    """Comparison of records with those known: how many were `equal`, the largest part of what they may differ by, and
    the first sentence of one that was not."""

    equal: int
    part: float
    difference: str | None


@cache
def expected_records() -> ExpectedRecords:
    """Read what ships with the rig."""
    return msgspec.json.decode(FILE.read_bytes(), type=ExpectedRecords)


def sums_present(capabilities: Capability) -> list[int]:
    """Give the places in a record's sums that a build has."""
    words = [word for span in words_present(capabilities) for word in span]
    return [word - HEADER_WORDS for word in words if word >= HEADER_WORDS]


def allowed(record: ExpectedRecord) -> list[float]:
    """Give what each sum of a record may be off by."""
    root = CODES * sqrt(record.samples)
    rms = [sqrt(record.sums[place] / record.samples) for place, (a, b) in enumerate(PRODUCTS) if a is b]
    found = [root * (rms[a] + rms[b]) for a, b in PRODUCTS]
    found += [root * (rms[c] + rms[k]) for c in range(CHANNELS) for k in range(VOLTAGES)]
    found += [root * OSCILLATOR_AMPLITUDE / sqrt(2)] * (2 * CHANNELS)
    return [*found, *[root] * CHANNELS]


def compare(
    seen: Sequence[Record], earliest_tick: int, latest_tick: int, places: Sequence[int], known: ExpectedRecords
) -> Finding:
    """Compare records with those of a load that was switched on between two ticks, by the sample in between that
    explains most of them. `places` are those of the sums that the build has."""
    whole = [record for record in seen if _comparable(record)]
    at = {each.at_sample: each for each in known.records}
    best: tuple[tuple[int, int], Finding] = ((-1, 0), Finding(0, 0.0, "no record of whole cycles came"))
    for sample in range(earliest_tick // PHANTOM_HOLD_TICKS, latest_tick // PHANTOM_HOLD_TICKS + 1):
        pairs = [(record, at.get(record.tick_end // PHANTOM_HOLD_TICKS - sample)) for record in whole]
        found = [_compared(record, each, places) for record, each in pairs if each is not None]
        sentences = [sentence for _, sentence in found if sentence is not None]
        finding = Finding(
            len(found) - len(sentences),
            max((part for part, _ in found), default=0.0),
            sentences[0] if sentences else None if found else "no record ended at a crossing where the load has one",
        )
        rank = finding.equal, len(found)
        if rank > best[0]:
            best = rank, finding
    return best[1]


def _comparable(record: Record) -> bool:
    return record.whole_cycles and record.windows == 1 and RecordFlag.PHANTOM in record.flags


def _compared(record: Record, known: ExpectedRecord, places: Sequence[int]) -> tuple[float, str | None]:
    """Give the largest part that a sum is off of what it may be, and how the record is another; None: it is not."""
    where = f"the record that ends at sample {known.at_sample}"
    if record.dead or record.overload:
        return 0.0, f"{where} has dead or clipped channels (dead {record.dead:06b}, clipped {record.overload:06b})"
    if record.samples != known.samples:
        return 0.0, f"{where} has {record.samples} samples, it must have {known.samples}"
    limits = allowed(known)
    figures = [
        ("the sample before its crossing", record.before, known.before, float(EDGE_CODES)),
        ("the sample after its crossing", record.after, known.after, float(EDGE_CODES)),
        *((_named(place), record.sums[place], known.sums[place], limits[place]) for place in places),
    ]
    for name, found, right, limit in figures:
        if abs(found - right) > limit:
            return 0.0, f"in {where} {name} is {found}, it must be {right} to ±{limit:.0f}"
    return max(abs(found - right) / limit for _, found, right, limit in figures), None


def _named(place: int) -> str:
    """Name a sum for a person."""
    word = place + HEADER_WORDS
    names = ("v1", "v2", "v3", "i1", "i2", "i3")
    if word < WORD_DELAYED:
        a, b = PRODUCTS[place]
        return f"the sum of {names[a]}·{names[b]}"
    if word < WORD_PHASORS:
        c, k = divmod(word - WORD_DELAYED, VOLTAGES)
        return f"the sum of {names[c]}·{names[k]} delayed"
    if word < WORD_MEANS:
        c, half = divmod(word - WORD_PHASORS, 2)
        return f"the {('cosine', 'sine')[half]} sum of {names[c]}"
    return f"the sum of {names[word - WORD_MEANS]}"
