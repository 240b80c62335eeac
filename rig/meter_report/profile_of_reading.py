"""The load profile of a reading: our own meter's, or as far as it is standard another maker's (ST61 to ST67).

Another's intervals are those of ST63's valid blocks, and end one after the other at the end of their block. A count is
multiplied by ST62's scalar and divided by its divisor, and where ST16 says so multiplied by ST15's constant; then it is
in the unit of its source. Energies are given in kWh, kvarh and kVAh whatever the power of ten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from rig.communication.c1219.layout import Values
from rig.communication.c1219.table import MANUFACTURER
from rig.meter_report.daylight import marks_by_bit, marks_by_zone, zone_of_program
from rig.meter_report.exact_values import decimal_of
from rig.meter_report.meter_data import LoadProfile, ProfileChannel, ProfileLine
from rig.reader.decoded import Decoded
from rig.reader.list_places import oldest_first
from rig.reader.others_profile import COUNTS, FIRST_SET, SETS
from rig.reader.sources import SourceEntries, kilo_name, named

PROGRAM = MANUFACTURER + 1
"""Our own table of the program in force."""

_NO_COUNT = 0xFFFF
_SKIPPED = 4
_SAVING = 1
"""Of the common status: daylight saving is on."""

_STATUS_WORDS = ((2, "outage"), (4, "clock set"), (8, "clock set"))
_CHANNEL_WORDS = ((2, "short"), (3, "long"), (_SKIPPED, "damaged"))

Found = Callable[[int], Values | None]
"""Gives a table's values, None where there are none; says why for one that is there and not decoded."""


def profile_of(tables: Decoded, found: Found, names: Sequence[str], notes: list[str]) -> LoadProfile | None:
    """Give the load profile; None where there is none. What of it cannot be used is a sentence in `notes`."""
    return _own(found, names, notes) if tables.ours else _others(tables, found, names, notes)


# --- our own ---------------------------------------------------------------------------------------------------


def _own(found: Found, names: Sequence[str], notes: list[str]) -> LoadProfile | None:
    actual, control, data = found(61), found(62), found(64)
    if actual is None or control is None or data is None:
        return None
    if not actual["MAX_INT_TIME_SET1"]:
        notes.append("the load profile has intervals of no minutes")
        return None
    channels: list[ProfileChannel] = []
    pulses: list[Fraction] = []
    constants = (found(15) or {}).get("CONSTANTS", [])
    for k, selected in enumerate(control["LP_SEL_SET1"]):
        source = selected["LP_SOURCE_SELECT"]
        name = named(names, source).removeprefix("recorder ")
        unit, thousand = _unit_of(name)
        pulse = Fraction(control["SCALARS_SET1"][k], control["DIVISORS_SET1"][k] or 1)
        if source < len(constants):
            pulse *= Fraction(constants[source]["MULTIPLIER"])
        pulses.append(pulse / 1000 if thousand else pulse)
        channels.append(_channel(channels, name, unit, pulses[-1]))
    lines = []
    for block in data["LP_DATA_SET1"]:
        if block["BLK_END_TIME"] is None:
            notes.append("an interval without a time is left out")
            continue
        values = tuple(
            None if count == _NO_COUNT else decimal_of(pulse * count)
            for pulse, count in zip(pulses, block["INT_DATA"], strict=True)
        )
        lines.append(ProfileLine(block["BLK_END_TIME"], _flags(block["EXTENDED_INT_STATUS"], own=True), values))
    minutes = actual["MAX_INT_TIME_SET1"]
    program = found(PROGRAM)
    zone = None if program is None else zone_of_program(bytes(program["TABLES"]))
    marks = () if zone is None else marks_by_zone(lines, minutes, zone)
    return LoadProfile(minutes, tuple(channels), tuple(lines), marks)


def _unit_of(name: str) -> tuple[str, bool]:
    """Return a channel's unit by its name, and whether that is a thousand of what its pulses are in."""
    if name.startswith("k"):
        return name.split()[0], True
    if name.startswith(("V2h", "I2h")):
        return ("V²h" if name.startswith("V") else "A²h"), False
    return "pulses", False


# --- others ----------------------------------------------------------------------------------------------------


def _others(tables: Decoded, found: Found, names: Sequence[str], notes: list[str]) -> LoadProfile | None:
    made: LoadProfile | None = None
    for n in SETS:
        if FIRST_SET - 1 + n not in tables.numbers:
            continue
        if made is not None:
            notes.append(f"the load profile's set {n} is in the reading, and not in this report")
            continue
        actual, control, data = found(61), found(62), found(FIRST_SET - 1 + n)
        if actual is None or control is None or data is None:
            continue
        if not actual[f"MAX_INT_TIME_SET{n}"] or not actual[f"NBR_CHNS_SET{n}"]:
            notes.append(f"the load profile's set {n} has no channel, or intervals of no minutes")
            continue
        code = control[f"INT_FMT_CDE{n}"]
        if code not in COUNTS:
            notes.append(f"the load profile's set {n} has counts in format {code}, which there is not in C12.19")
            continue
        state = (found(63) or {}).get(f"LP_SET{n}_STATUS")
        made = _set(n, actual, control, data[f"LP_DATA_SET{n}"], state, SourceEntries(tables), names, notes)
    return made


def _set(
    n: int,
    actual: Values,
    control: Values,
    blocks: list[Values],
    state: Values | None,
    sources: SourceEntries,
    names: Sequence[str],
    notes: list[str],
) -> LoadProfile:
    minutes = actual[f"MAX_INT_TIME_SET{n}"]
    channels: list[ProfileChannel] = []
    scales: list[tuple[Fraction, Fraction]] = []
    for k, selected in enumerate(control[f"LP_SEL_SET{n}"]):
        source = selected["LP_SOURCE_SELECT"]
        entry = sources.unit(source)
        name, power = (named(names, source), Fraction(1)) if entry is None else kilo_name(entry)
        channels.append(_channel(channels, name, name.split()[0] if entry is not None else "pulses"))
        scale, offset = Fraction(1), Fraction(0)
        if f"SCALARS_SET{n}" in control:
            scale = Fraction(control[f"SCALARS_SET{n}"][k], control[f"DIVISORS_SET{n}"][k] or 1)
        if (constant := sources.applied_constant(source)) is not None:
            scale *= Fraction(constant["MULTIPLIER"])
            offset = Fraction(constant["OFFSET"])
        scales.append((scale * power, offset * power))
    lines, saving = [], []
    for end, status, counts in _intervals(blocks, state, minutes, notes):
        skipped = _channel_nibbles(status)
        values = tuple(
            None
            if place < len(skipped) and skipped[place] == _SKIPPED
            else decimal_of(scale * Fraction(count) + offset)
            for place, ((scale, offset), count) in enumerate(zip(scales, counts, strict=True))
        )
        lines.append(ProfileLine(end, _flags(status, own=False), values))
        saving.append(bool(_nibbles(status)[:1] and _nibbles(status)[0] & _SAVING))
    if state is None:  # nothing says in which order they are
        lines.sort(key=lambda line: line.end)
        return LoadProfile(minutes, tuple(channels), tuple(lines))
    return LoadProfile(minutes, tuple(channels), tuple(lines), marks_by_bit(lines, minutes, saving))


def _intervals(
    blocks: list[Values], state: Values | None, minutes: int, notes: list[str]
) -> Iterator[tuple[datetime, bytes | None, list[Any]]]:
    """Give each valid interval, as far as ST63 says the oldest first: its end, its status, its counts."""
    newest_first = state is not None and bool(state["FLAGS"]["INTERVAL_ORDER"])
    undated = 0
    for place in _valid_blocks(len(blocks), state):
        block = blocks[place]
        intervals = block["LP_INT"]
        if state is not None and place == state["LAST_BLOCK_ELEMENT"]:
            intervals = intervals[: state["NBR_VALID_INT"]]
        if block["BLK_END_TIME"] is None:
            undated += len(intervals)
            continue
        in_order = reversed(intervals) if newest_first else intervals
        for before, interval in zip(reversed(range(len(intervals))), in_order, strict=True):
            try:
                end = block["BLK_END_TIME"] - timedelta(minutes=before * minutes)
            except OverflowError:
                undated += 1
                continue
            yield end, interval.get("EXTENDED_INT_STATUS"), interval.get("INT_DATA", [])
    if undated:
        notes.append(f"{undated} intervals without a time are left out")


def _valid_blocks(count: int, state: Values | None) -> list[int]:
    """Give the places of the blocks that are valid, by ST63; all where it does not say."""
    if state is None:
        return list(range(count))
    flags = state["FLAGS"]
    return oldest_first(
        count,
        state["NBR_VALID_BLOCKS"],
        state["LAST_BLOCK_ELEMENT"],
        descending=bool(flags["BLOCK_ORDER"]),
        circular=bool(flags["LIST_TYPE"]),
    )


# --- both ------------------------------------------------------------------------------------------------------


def _channel(before: Sequence[ProfileChannel], name: str, unit: str, pulse: Fraction | None = None) -> ProfileChannel:
    again = sum(each.name == name or each.name.startswith(f"{name} #") for each in before)
    return ProfileChannel(f"{name} #{again + 1}" if again else name, unit, pulse)


def _nibbles(status: object) -> list[int]:
    if not isinstance(status, bytes | bytearray):
        return []
    return [nibble for byte in status for nibble in (byte >> 4, byte & 15)]


def _channel_nibbles(status: object) -> list[int]:
    return _nibbles(status)[1:]


def _flags(status: object, *, own: bool) -> tuple[str, ...]:
    """Give an interval's flags by its common status (the first nibble), and those of any channel; 8 is our own."""
    nibbles = _nibbles(status)
    if not nibbles:
        return ()
    words = [word for bit, word in _STATUS_WORDS if nibbles[0] & bit]
    parts = {nibble & 7 if own else nibble for nibble in nibbles[1:]}
    words += [word for value, word in _CHANNEL_WORDS if value in parts]
    words += ["doubtful"] if own and any(nibble & 8 for nibble in nibbles[1:]) else []
    return tuple(dict.fromkeys(words))
