"""The reading of a meter that a save holds, made without the meter or its program."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from rig.meter.billing.recorder import RecorderSettings
from rig.meter.billing.registers import Registers, RegistersState
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.pulses import PulseOutput
from rig.meter.reading.build import installation_reading, reading_of_state
from rig.meter.reading.meter_reading import MeterReading
from rig.store.saved_meter import SavedMeter
from rig.store.saved_settings import SavedSettings


def saved_reading(saved: SavedMeter, recorder: RecorderSettings | None = None) -> MeterReading:
    """All that a meter had registered when it was saved. Nothing runs in it: no interval ends, and no service is known.

    `recorder`: the settings of its load profile, which the history has. A save of an older version has no settings:
    of it there are neither demand nor outputs. Raises ValueError for settings that are not its state's.
    """
    settings = saved.settings or SavedSettings(None, None, {})
    state = saved.meter.billing
    if settings.demand is None and state.closed_season is not None:
        state = replace(state, closed_season=replace(state.closed_season, demand=(), peaks=()))
    return reading_of_state(
        state,
        registers=Registers(settings.demand, len(Rate), _copy(state.registers)),
        test=None if state.test is None else Registers(settings.test_demand, 0, _copy(state.test.registers)),
        recorder=recorder,
        outputs=[
            PulseOutput(name, output.quantity, Fraction(output.constant_wh), saved.meter.outputs.get(name))
            for name, output in settings.outputs.items()
        ],
        installation=installation_reading(saved.meter.installation.diagnostics),
    )


def _copy(registers: RegistersState | None) -> RegistersState | None:
    """For Registers to write into what demand they have."""
    return None if registers is None else replace(registers)
