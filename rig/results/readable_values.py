"""Values of the parts that can be read one by one, exact, with units in the names of their keys (X-4, docs/json.md)."""

from __future__ import annotations

from typing import Any

from rig.meter.access.readable import Readable
from rig.meter.billing.quantity import Quantity
from rig.meter.reading.meter_reading import MeterReading
from rig.results.exact import Whole
from rig.results.exact_encoding import exact_reading, whole

_KWH = {
    Readable.KWH_DELIVERED: Quantity.KWH_DELIVERED,
    Readable.KWH_RECEIVED: Quantity.KWH_RECEIVED,
    Readable.KWH_NET: Quantity.KWH_NET,
}
_OTHER = {
    "lagging_nvarh": Quantity.KVARH_LAGGING,
    "leading_nvarh": Quantity.KVARH_LEADING,
    "rms_nvah": Quantity.KVAH_RMS,
    "td_nvah": Quantity.KVAH_TD,
}

_METER = (
    "utc_ns", "rate", "rate_forced", "season", "resets", "last_reset_utc_ns", "interval_ends_utc_ns",
    "next_self_read_utc_ns", "input_pulses", "test_mode", "outputs",
)  # fmt: skip

VALUED = frozenset(Readable) - {Readable.LOG, Readable.KWH_PULSES, Readable.OTHER_PULSES}
"""Parts that are values of a reading; the others are read in pages, or counted."""


def values_of(reading: MeterReading, readable: Readable) -> dict[str, Any]:
    """Give the values of a part of VALUED. Raises ValueError for another."""
    if readable in _KWH:
        return {"nwh": whole(_KWH[readable].of(reading.registers.energy))}
    exact = exact_reading(reading)
    match readable:
        case Readable.OTHER_ENERGY:
            amounts: dict[str, Whole] = {key: whole(each.of(reading.registers.energy)) for key, each in _OTHER.items()}
            return dict(amounts)
        case Readable.ENERGY_BY_RATE:
            return {"energy_rates": exact.registers.energy_rates}
        case Readable.DEMAND:
            return {"averaging": exact.averaging, "demand": exact.registers.demand, "peaks": exact.registers.peaks}
        case Readable.CLOSED_PERIODS:
            return {"closed_season": exact.closed_season}
        case Readable.LOAD_PROFILE:
            return {"recorder": exact.recorder}
        case Readable.METER:
            return {key: getattr(exact, key) for key in _METER}
        case Readable.SERVICE:
            return {"service": exact.service, "diagnostics": exact.diagnostics, "faults": exact.faults}
    raise ValueError(f"{readable.label} is no value of a reading")
