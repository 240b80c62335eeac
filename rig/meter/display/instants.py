"""Values of the last second on the display, at the meter (D-4, M-4, Q-6)."""

from __future__ import annotations

from rig.meter.display.fitting import UNKNOWN, measured
from rig.meter.display.items import InstantaneousQuantity, InstantItem
from rig.meter.measuring.elements import PHASES
from rig.meter.measuring.quantities import Readings
from rig.meter.reading.instantaneous import Instantaneous

UNITS = {
    InstantaneousQuantity.VOLTS: "V",
    InstantaneousQuantity.AMPERES: "A",
    InstantaneousQuantity.VOLTS_ANGLE: "deg",
    InstantaneousQuantity.AMPERES_ANGLE: "deg",
    InstantaneousQuantity.VOLTS_DISTORTION: "% THD",
    InstantaneousQuantity.AMPERES_DISTORTION: "% THD",
    InstantaneousQuantity.WATTS: "kW",
    InstantaneousQuantity.VARS: "kvar",
    InstantaneousQuantity.VOLT_AMPERES: "kVA",
    InstantaneousQuantity.POWER_FACTOR: "PF",
    InstantaneousQuantity.FREQUENCY: "Hz",
}

_NEUTRAL = "n"


def instantaneous(what: InstantItem, found: Instantaneous | None, *, apparent_rms: bool) -> str:
    """A value of the last second; UNKNOWN before the first (None), and for what it did not have.

    Angles are by how much the fundamental lags that of phase A's voltage, 0 to 360°. Apparent power is vectorial, or
    with `apparent_rms` arithmetic. The power factor has no sign: the annunciators show which way and which kind.
    """
    if found is None:
        return UNKNOWN
    match what.of:
        case InstantaneousQuantity.FREQUENCY:
            return measured(found.hz, 2)
        case InstantaneousQuantity.WATTS:
            return measured(sum(found.elements.p_w) / 1000, 3)
        case InstantaneousQuantity.VARS:
            vars = found.elements.q_var
            return measured(None if vars is None else sum(vars) / 1000, 3)
        case InstantaneousQuantity.VOLT_AMPERES:
            return measured(_kilo(_apparent(found.elements, apparent_rms)), 3)
        case InstantaneousQuantity.POWER_FACTOR:
            va = _apparent(found.elements, apparent_rms)
            return measured(min(abs(sum(found.elements.p_w)) / va, 1.0) if va else None, 3)
        case InstantaneousQuantity.AMPERES if what.phase == _NEUTRAL:
            return measured(found.phases.neutral_a, 3)
        case _:
            return _of_phase(what.of, PHASES.index(what.phase), found.phases)


def _of_phase(of: InstantaneousQuantity, k: int, readings: Readings) -> str:
    match of:
        case InstantaneousQuantity.VOLTS:
            return measured(readings.v_rms[k], 1)
        case InstantaneousQuantity.AMPERES:
            return measured(readings.i_rms[k], 3)
        case InstantaneousQuantity.VOLTS_ANGLE:
            return _angle(_nth(readings.lag_deg, k))
        case InstantaneousQuantity.AMPERES_ANGLE:
            return _angle(_nth(readings.lag_deg, 3 + k))
        case InstantaneousQuantity.VOLTS_DISTORTION:
            return _percent(_nth(readings.tdr, k))
        case _:
            return _percent(_nth(readings.tdr, 3 + k))


def _apparent(readings: Readings, rms: bool) -> float | None:
    return readings.rms_va if rms else readings.td_va


def _kilo(value: float | None) -> float | None:
    return None if value is None else value / 1000


def _nth(values: tuple[float | None, ...] | None, k: int) -> float | None:
    return None if values is None else values[k]


def _angle(degrees: float | None) -> str:
    """360° are 0°, also where rounding comes to them."""
    return measured(None if degrees is None else round(degrees, 1) % 360, 1)


def _percent(share: float | None) -> str:
    return measured(None if share is None else share * 100, 1)
