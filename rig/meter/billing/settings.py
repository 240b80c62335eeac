"""Settings of a meter's billing: plain data, made from the program file (rig/program)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from rig.meter.billing.calendar import Calendar
from rig.meter.billing.demand import DemandSettings
from rig.meter.billing.recorder import RecorderSettings

LOCKOUT_S = 60
"""After a demand reset at the switch, further ones there are refused for so long (Q-5)."""


class SelfReadKind(Enum):
    """Occasion on which a meter reads itself (T-3)."""

    NEVER = "never"
    DAILY = "daily"
    MONTHLY = "monthly"
    HOURS = "hours"


@dataclass(frozen=True)
class SelfReads:
    """Self-reads: the local times at which registers are copied to the self-read list.

    DAILY: at midnight. MONTHLY: at the midnight that begins day `day` (1 to 28) of the month. HOURS: each `hours` hours
    (1, 2, 3, 4, 6, 8, 12 or 24) of the local standard clock, counted from midnight. `resets_demand`: each self-read is
    a demand reset too.
    """

    kind: SelfReadKind = SelfReadKind.NEVER
    day: int = 1
    hours: int = 24
    resets_demand: bool = False


@dataclass(frozen=True)
class TestModeSettings:
    """Test mode (D-5): leaves by itself after `minutes`, 1 to 255; its own demand, or none."""

    __test__ = False  # no test class, whatever its name

    minutes: int = 30
    demand: DemandSettings | None = None


@dataclass(frozen=True)
class BillingSettings:
    """All of it. `demand` and `recorder` are None for models without them (M-1)."""

    calendar: Calendar
    demand: DemandSettings | None = None
    recorder: RecorderSettings | None = None
    test_mode: TestModeSettings = field(default_factory=TestModeSettings)
    self_reads: SelfReads = field(default_factory=SelfReads)
    lockout_s: int = LOCKOUT_S
    season_change_resets_demand: bool = True
