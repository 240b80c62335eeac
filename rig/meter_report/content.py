"""Content of a meter's report, block by block."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from rig.meter_report.charts import charts_of, rate_chart
from rig.meter_report.load_curves import begin_of, gaps_of, months_of, repeats_of, summary_of
from rig.meter_report.meter_data import RATES, EnergyRow, LoadProfile, MeterData, RegisterSet, SetKind
from rig.meter_report.words import Words
from rig.report.page import Block, Heading, Page, Paragraph, Table, Tone

MOST_EVENTS = 500
"""In a report, the newest; a CSV has all."""

MOST_CLOSED = 100
"""Of each kind of closed registers, likewise."""

MOST_NOTES = 40

RATE_CHANGE = "rate change"
"""Events that come several times a day, and would be most of the page."""

_QUADRANT = re.compile(r" Q[1-4]$")

MOST_PATH = 54
"""Characters of a path at the foot of a sheet."""

MAIN = ("kWh delivered", "kWh received", "kvarh lagging")
"""Quantities that tables of closed registers have, where the meter has them."""

_CLOSED = {SetKind.SEASON: "Previous seasons", SetKind.RESET: "Demand resets", SetKind.SELF_READ: "Self-reads"}


def meter_page(meter: MeterData, words: Words, channels: Sequence[int]) -> Page:
    """Give the report; `channels` of the load profile are drawn."""
    say = words.say
    serial = next((text for name, text in meter.plate if name == "serial"), "")
    title = f"{say('Meter report')} {serial}".rstrip()
    blocks: list[Block] = [
        Heading(title, 1),
        Paragraph(say(f"Read from {meter.kind.value} {{}}.", meter.path)),
        Paragraph(
            say(
                "Registers are the meter's own: where it has transformers, multiply by their ratios. Times: {}."
                if meter.sets
                else "Times are those of {}.",
                say(meter.zone),
            ),
            Tone.NOTE,
        ),
        *(Paragraph(say(note), Tone.NOTE) for note in meter.notes[:MOST_NOTES]),
    ]
    if meter.plate:
        blocks += [Heading(say("Meter")), Table([(say(k), v) for k, v in meter.plate], shares=(1, 2.6))]
    blocks += _registers(meter, words)
    blocks += _profile(meter.profile, words, channels, new_sheet=bool(meter.sets or meter.plate))
    blocks += _events(meter, words)
    rows = [(say(name), say(text) if text in ("yes", "no", "none", "not known") else text)
            for name, text in meter.provenance]  # fmt: skip
    blocks += [Heading(say("Where this comes from")), Table(rows, shares=(1, 2.6))]
    digest = hashlib.sha256(repr(meter).encode("utf-8", "backslashreplace")).hexdigest()[:16]
    return Page(
        title,
        words.mark(meter.mark),
        f"{title}. {say(f'{meter.kind.value} {{}}', _end_of(meter.path))}. {digest}",
        meter.made_utc,
        blocks,
        words.language.value,
        say("sheet {} of {}"),
    )


def _end_of(path: str) -> str:
    """Return a path as it fits the foot of a sheet."""
    return path if len(path) <= MOST_PATH else f"…{path[1 - MOST_PATH :]}"


def _registers(meter: MeterData, words: Words) -> Iterator[Block]:
    say = words.say
    present = next((each for each in meter.sets if each.kind is SetKind.PRESENT), None)
    if present is None:
        if meter.profile is None:
            yield Paragraph(say("There are no registers."), Tone.NOTE)
        return
    yield Heading(say("Billing"))
    where = [say("{}: {}", say("Present registers"), words.time(present.at))]
    if present.season is not None:
        where.append(f"{say('season')} {present.season + 1}")
    if present.resets is not None:
        where.append(f"{say('resets')} {present.resets}")
    yield Paragraph(", ".join(where))
    yield _energy_table(present.energy, words, rates=False)
    yield from _demand_tables(present, meter, words)
    if any(any(row.rates) for row in present.energy):
        yield Heading(say("Time of use"))
        rated = [row for row in present.energy if row.rates and not _is_quadrant(row, present.energy)]
        yield _energy_table(rated, words, rates=True)
        for row in rated:
            if row.quantity == "kWh delivered":
                yield from rate_chart(row, RATES, words)
        by_rate = [row for row in present.demand if row.rate is not None and (row.at or row.maximum)]
        if by_rate:
            head = (say("quantity"), say("rate"), say("maximum"), say("at"), say("cumulative"))
            rows = [
                (
                    words.quantity(row.quantity),
                    row.rate or "",
                    words.number(row.maximum),
                    words.time(row.at),
                    words.number(row.cumulative),
                )
                for row in by_rate
            ]
            yield Table(rows, head, 2, (2, 0.8, 2, 2, 2))
    for kind, heading in _CLOSED.items():
        closed = [each for each in meter.sets if each.kind is kind]
        if closed:
            yield Heading(say(heading))
            if len(closed) > MOST_CLOSED:
                yield Paragraph(say("the newest {} of {}: a CSV has all", MOST_CLOSED, len(closed)), Tone.NOTE)
            yield _closed_table(closed, words)
            if kind is not SetKind.SELF_READ:
                yield Paragraph(say("{}: {}", say(heading), words.time(closed[-1].at)), Tone.NOTE)
                yield _energy_table(
                    [row for row in closed[-1].energy if not _is_quadrant(row, closed[-1].energy)], words, rates=True
                )


def _is_quadrant(row: EnergyRow, among: Sequence[EnergyRow]) -> bool:
    """Return whether a register is one quadrant's part of another that is there."""
    return bool(_QUADRANT.search(row.quantity)) and any(each.quantity == MAIN[0] for each in among)


def _energy_table(rows: Sequence[EnergyRow], words: Words, *, rates: bool) -> Table:
    say = words.say
    if not rates:
        return Table(
            [(words.quantity(row.quantity), words.number(row.total)) for row in rows],
            (say("quantity"), say("total")),
            1,
            (2, 1),
        )
    count = max((len(row.rates) for row in rows), default=0)
    named = [RATES[k] if k < len(RATES) else str(k + 1) for k in range(count)]
    return Table(
        [
            (words.quantity(row.quantity), words.number(row.total), *(words.number(value) for value in row.rates))
            for row in rows
        ],
        (say("quantity"), say("total"), *(say("rate {}", name) for name in named)),
        1,
        (1.5, *([1.0] * (count + 1))),
        dense=True,
    )


def _demand_tables(present: RegisterSet, meter: MeterData, words: Words) -> Iterator[Block]:
    say = words.say
    totals = [row for row in present.demand if row.rate is None]
    if not totals:
        return
    yield Heading(say("Demand"))
    head = ("quantity", "present", "previous", "maximum", "at", "cumulative", "continuous cumulative")
    yield Table(
        [
            (
                words.quantity(row.quantity),
                words.number(row.present),
                words.number(row.previous),
                words.number(row.maximum),
                words.time(row.at),
                words.number(row.cumulative),
                words.number(row.continuous),
            )
            for row in totals
        ],
        [say(each) for each in head],
        1,
        (1.3, 1.1, 1.1, 1.1, 1.2, 1.1, 1.2),
        dense=True,
    )
    if meter.peaks:
        yield Heading(say("{}: {}", say("Highest demands"), words.quantity(totals[0].quantity)))
        yield Table(
            [(words.time(peak.at), words.number(peak.value)) for peak in meter.peaks],
            (say("at"), say("maximum")),
            1,
            (1, 1),
        )


def _closed_table(closed: Sequence[RegisterSet], words: Words) -> Table:
    """Give the newest closed registers, a row each: main quantities, what the first has grown by, the first demand."""
    say = words.say
    names = [row.quantity for row in closed[-1].energy]
    shown = [name for name in MAIN if name in names] or names[:3]
    demands = [row.quantity for row in closed[-1].demand if row.rate is None][:1]
    rows = []
    before = closed[-MOST_CLOSED - 1] if len(closed) > MOST_CLOSED else None
    for each in closed[-MOST_CLOSED:]:
        values = {row.quantity: row.total for row in each.energy}
        cells = [words.time(each.at), *(words.number(values.get(name)) for name in shown)]
        earlier = None if before is None else next((r.total for r in before.energy if r.quantity == shown[0]), None)
        now = values.get(shown[0]) if shown else None
        cells.append("–" if earlier is None or now is None else words.number(now - earlier))
        for name in demands:
            found = next((row for row in each.demand if row.rate is None and row.quantity == name), None)
            cells += ["–", "–"] if found is None else [words.number(found.maximum), words.time(found.at)]
        rows.append(cells)
        before = each
    head = [
        say("at"),
        *(words.quantity(name) for name in shown),
        say("since the one before"),
        *(cell for name in demands for cell in (say("max. {}", words.quantity(name)), say("at"))),
    ]
    return Table(rows, head, 1, (1.25, *([1.0] * (len(shown) + 1)), *([1.0, 1.2] * len(demands))), dense=True)


def _profile(profile: LoadProfile | None, words: Words, channels: Sequence[int], *, new_sheet: bool) -> Iterator[Block]:
    say = words.say
    yield Heading(say("Load profile"), 1 if new_sheet and profile is not None and profile.lines else 2)
    if profile is None or not profile.lines:
        yield Paragraph(
            say("There is no load profile." if profile is None else "The load profile has no interval."), Tone.NOTE
        )
        return
    yield Paragraph(
        say(
            "intervals of {} min: {}, from {} to {}",
            profile.minutes,
            len(profile.lines),
            words.time(begin_of(profile.lines[0], profile.minutes)),
            words.time(profile.lines[-1].end),
        )
    )
    gaps = gaps_of(profile)
    if gaps:
        longest = max(gaps, key=lambda gap: gap[1] - gap[0])
        yield Paragraph(
            say(
                "gaps of an interval or more: {}, the longest from {} to {}",
                len(gaps),
                words.time(longest[0]),
                words.time(longest[1]),
            ),
            Tone.NOTE,
        )
    if repeats := repeats_of(profile):
        already = "intervals at a time that was there already, without a setting of the clock: {}, the first to {}"
        yield Paragraph(say(already, len(repeats), words.time(repeats[0])), Tone.NOTE)
    for note in _profile_notes(profile, words):
        yield Paragraph(note, Tone.NOTE)
    rows = []
    for place, channel in enumerate(profile.channels):
        found = summary_of(profile, place)
        rows.append(
            (
                words.quantity(channel.name),
                f"{words.number(found.total)} {words.unit(channel.unit)}",
                "–" if found.value is None else f"{words.number(found.value)} {words.unit(channel.unit)}",
                words.time(None if found.highest is None else found.highest.end),
                "–" if found.load_factor is None else words.figure(f"{found.load_factor:f}"),
                str(found.unreadable),
            )
        )
    head = ("channel", "total", "highest interval", "ended at", "load factor", "not readable")
    yield Table(rows, [say(each) for each in head], 1, (1.6, 1.8, 1.4, 1.6, 1, 1))
    months = months_of(profile)
    if len(months) > 1:
        yield Heading(say("Months"))
        yield Table(
            [
                (
                    words.month(month.begins),
                    *(words.number(month.totals[c]) if month.intervals else "–" for c in channels),
                    str(month.intervals),
                )
                for month in months
            ],
            (
                say("month"),
                *(
                    f"{words.quantity(profile.channels[c].name)}, {words.unit(profile.channels[c].unit)}"
                    for c in channels
                ),
                say("intervals"),
            ),
            1,
        )
    for drawn in channels:
        yield from charts_of(profile, drawn, words)


def _profile_notes(profile: LoadProfile, words: Words) -> Iterator[str]:
    """Give marks, words without a date, and faults, of each kind so many at most."""
    say = words.say
    for mark in profile.marks[:MOST_NOTES]:
        if mark.kind == "starts":
            yield say("starts {}", words.time(mark.at))
        else:
            yield say(f"{mark.kind} {{}} to {{}}", words.time(mark.at), words.time(mark.until))
    if len(profile.marks) > MOST_NOTES:
        yield say("and {} more", len(profile.marks) - MOST_NOTES)
    if profile.skipped:
        yield say("{} words before the first date belong to no known day", profile.skipped)
    yield from profile.notes[:MOST_NOTES]
    if len(profile.notes) > MOST_NOTES:
        yield say("and {} more", len(profile.notes) - MOST_NOTES)


def _events(meter: MeterData, words: Words) -> Iterator[Block]:
    if not meter.events:
        return
    say = words.say
    yield Heading(say("Events"), 1)
    events = [each for each in meter.events if each.name != RATE_CHANGE]
    shown = events[-MOST_EVENTS:]
    if len(shown) < len(events):
        yield Paragraph(say("the newest {} of {}", len(shown), len(events)), Tone.NOTE)
    if len(events) < len(meter.events):
        yield Paragraph(say("rate changes are left out: a CSV has them"), Tone.NOTE)
    yield Table(
        [(words.time(each.at), words.event(each.name), words.details(each.name, each.details)) for each in shown],
        (say("at"), say("event"), say("details")),
        shares=(1.75 if words.french else 1.3, 1.6, 3),
        dense=len(shown) > 40,
    )
