"""What can be asked of a meter at an instant (Q-5, T-2, T-3, D-5, P-5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.meter.billing.inputs import InputId
from rig.meter.billing.tariff import Rate


class Action(Enum):
    """What can be asked of a meter at an instant."""

    RESET_BY_SWITCH = "demand reset at the switch"
    RESET = "demand reset by communication"
    SELF_READ = "self-read"
    TEST_BEGIN = "test mode"
    TEST_END = "end of test mode"
    FORCE_RATE = "forced rate"
    RELEASE_RATE = "end of the forced rate"
    INPUT_PULSES = "pulses at an input"


@dataclass(frozen=True, slots=True)
class Command:
    """An action at an instant (UTC ns). `value`: the rate to force, or the place of the input; `pulses`: how many
    came. Raises ValueError for a rate, an input or pulses that there are not.
    """

    utc_ns: int
    action: Action
    value: int = 0
    pulses: int = 1

    def __post_init__(self) -> None:
        if self.action is Action.FORCE_RATE and not 0 <= self.value < len(Rate):
            raise ValueError(f"rate {self.value} cannot be forced: give 0 (A) to {len(Rate) - 1} ({max(Rate).name})")
        if self.action is Action.INPUT_PULSES:
            if not 0 <= self.value < len(InputId):
                raise ValueError(f"there is no input {self.value}: give 0 to {len(InputId) - 1}")
            if self.pulses < 0:
                raise ValueError(f"{self.pulses} pulses came at input {self.value}: give 0 or more")
