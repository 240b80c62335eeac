"""Annunciators of the display, and when each is lit (D-1, D-3, P-4).

    VA VB VC      a coil of the form senses the phase on its service, and it has ABSENT_V, 60 V, or more
    → ←           energy is delivered or received, over the last second
    LAG LEAD      so the power factor of that is, where it is no unity and the meter measures vars
    A B C D       the rate in force, forced ones too; not in test mode, and not without rates
    ALT, TEST     which sequence is shown
    EOI           for EOI_NS after each end of a demand interval
    ERR           a diagnostic is on, or records of the last seconds had faults

Below the starting current, in every phase, nothing flows: → ← LAG LEAD are out.
"""

from __future__ import annotations

from collections.abc import Iterator

from rig.meter.billing.tariff import ONE_RATE, Rate
from rig.meter.display.lcd import Annunciator
from rig.meter.display.statuses import DisplayedNameplate
from rig.meter.installation.service_detection import ABSENT_V
from rig.meter.measuring.elements import PHASES
from rig.meter.reading.instantaneous import Instantaneous
from rig.meter.reading.meter_reading import MeterReading

EOI_NS = 5 * 10**9

UNITY_VAR = 0.01
"""Vars of less than this share of the watts are none: the power factor shows 1.000."""

_PHASES = (Annunciator.PHASE_A, Annunciator.PHASE_B, Annunciator.PHASE_C)
_RATES = {
    Rate.A: Annunciator.RATE_A,
    Rate.B: Annunciator.RATE_B,
    Rate.C: Annunciator.RATE_C,
    Rate.D: Annunciator.RATE_D,
}


def lit(
    reading: MeterReading,
    instant: Instantaneous | None,
    plate: DisplayedNameplate,
    *,
    alternate: bool,
    test: bool,
    since_end_ns: int | None,
) -> frozenset[Annunciator]:
    """Return the lit annunciators. `instant` is None before the first second. `alternate`, `test`: the sequence shown;
    `since_end_ns`: time since the last end of a demand interval, None before the first."""
    found: set[Annunciator] = set()
    if instant is not None:
        found |= {*_voltages(instant), *_flow(instant, plate.reactive)}
    if plate.calendar.tariff is not ONE_RATE and reading.test is None:
        found.add(_RATES[reading.rate])
    conditions = {
        Annunciator.ALT: alternate,
        Annunciator.TEST: test,
        Annunciator.EOI: since_end_ns is not None and 0 <= since_end_ns < EOI_NS,
        Annunciator.ERROR: bool(reading.installation.active or reading.faults),
    }
    return frozenset(found | {annunciator for annunciator, holds in conditions.items() if holds})


def _voltages(instant: Instantaneous) -> Iterator[Annunciator]:
    for annunciator, phase, volts in zip(_PHASES, PHASES, instant.phases.v_rms, strict=True):
        if volts >= ABSENT_V and phase in instant.sensed_phases:
            yield annunciator


def _flow(instant: Instantaneous, reactive: bool) -> Iterator[Annunciator]:
    amperes = dict(zip(PHASES, instant.phases.i_rms, strict=True))
    elements = instant.elements
    watts = sum(elements.p_w)
    if all(amperes[p] < instant.starting_a for p in instant.metered_phases):
        return
    if watts:
        yield Annunciator.DELIVERED if watts > 0 else Annunciator.RECEIVED
    if reactive and elements.q_var is not None and abs(var := sum(elements.q_var)) > UNITY_VAR * abs(watts):
        yield Annunciator.LAGGING if (var > 0) == (watts >= 0) else Annunciator.LEADING
