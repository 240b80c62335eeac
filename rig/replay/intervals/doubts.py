"""Demands of a load's record that its meter cannot have, in notes with a number (review A-11)."""

from __future__ import annotations

from fractions import Fraction

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.time_units import HOUR_NS
from rig.program.build import Program
from rig.replay.intervals.record import LoadRecord, local_text


def implausible_demand(load: LoadRecord, program: Program, calendar: Calendar) -> list[str]:
    """Notes on intervals whose mean power is above MAX of the meter's nameplate, on the primary side."""
    most_kw = program.nameplate.max_kw * program.nameplate.ratios.multiplier
    notes = []
    for place, column in enumerate(load.columns):
        found = [
            (Fraction(one.energies[place] * HOUR_NS, load.scale * (one.end_ns - one.start_ns)), one)
            for one in load.intervals
            if one.energies[place]
        ]
        above = [(kw, one) for kw, one in found if kw > most_kw]
        if not above:
            continue
        top, when = max(above, key=lambda each: each[0])
        end = local_text(calendar, when.end_ns, "minutes")
        unit = column.partition("_")[0].removesuffix("h").replace("kw", "kW")
        note = (
            f"{column}: {len(above)} of {len(load.intervals)} intervals are above MAX of this meter, "
            f"{float(most_kw):.4g} {unit}; the highest is {float(top):.6g} {unit}, to {end}"
        )
        if 2 * len(above) > len(found):
            note += f": is the column in {unit.removeprefix('k')}h, or the meter behind transformers?"
        notes.append(note)
    return notes
