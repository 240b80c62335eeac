"""Commands that a running meter executes at an instant, and who gives them (Q-5, T-2, T-3, D-5, P-5, S-1).

What becomes of each, in test mode too, is in rig/meter/billing/execution.py; who may ask, rig/meter/access decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.meter.billing.inputs import InputId
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import MOST_SEASONS, Rate


class Action(Enum):
    """Action that a meter performs on command, at an instant."""

    RESET_BY_SWITCH = "demand reset at the switch"
    RESET = "demand reset by communication"
    SELF_READ = "self-read"
    SEASON_CHANGE = "season change"
    TEST_BEGIN = "test mode"
    TEST_END = "end of test mode"
    FORCE_RATE = "forced rate"
    RELEASE_RATE = "end of the forced rate"
    INPUT_PULSES = "pulses at an input"
    CLEAR = "clear data"
    MASTER_RESET = "master reset"
    COLD_START = "cold start"


@dataclass(frozen=True, slots=True)
class Command:
    """An action at an instant (UTC ns), and who asks for it.

    `value` is the rate to force, the place of the input, or the season to change to, None being the one that follows;
    `pulses` is how many came. Raises ValueError for a rate, an input, a season or pulses that there are not.
    """

    utc_ns: int
    action: Action
    source: Source
    value: int | None = None
    pulses: int = 1

    def __post_init__(self) -> None:
        value = self.value
        match self.action:
            case Action.FORCE_RATE:
                if value is None or not 0 <= value < len(Rate):
                    rates = f"0 (A) to {len(Rate) - 1} ({max(Rate).name})"
                    raise ValueError(f"rate {value} cannot be forced: give {rates}")
            case Action.INPUT_PULSES:
                if value is None or not 0 <= value < len(InputId):
                    raise ValueError(f"there is no input {value}: give 0 to {len(InputId) - 1}")
                if self.pulses < 0:
                    raise ValueError(f"{self.pulses} pulses came at input {value}: give 0 or more")
            case Action.SEASON_CHANGE:
                if value is not None and not 0 <= value < MOST_SEASONS:
                    raise ValueError(f"there is no season {value}: give 0 to {MOST_SEASONS - 1}, or None for the next")
