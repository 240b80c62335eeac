"""Settings of a meter's program that are saved with its state, so that the state can be read without the program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rig.meter.billing.demand import DemandSettings
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.settings import BillingSettings
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import PulseOutput


@dataclass(frozen=True)
class SavedOutput:
    """Output that pulses count, as saved: its quantity, and its constant in Wh as text such as "9/5"."""

    quantity: Quantity
    constant_wh: str


@dataclass(frozen=True)
class SavedSettings:
    """Settings that give a state's numbers their meaning: demand in billing and in test mode, pulse outputs by name."""

    demand: DemandSettings | None
    test_demand: DemandSettings | None
    outputs: dict[OutputId, SavedOutput]


def saved_settings(billing: BillingSettings, outputs: Iterable[PulseOutput]) -> SavedSettings:
    """Those of a meter as it is programmed."""
    return SavedSettings(
        billing.demand,
        billing.test_mode.demand,
        {output.id: SavedOutput(output.quantity, str(output.constant_wh)) for output in outputs},
    )
