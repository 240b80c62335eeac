"""State that billing must remember through a power failure (S-3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.meter.billing.commands import Command
from rig.meter.billing.inputs import InputId
from rig.meter.billing.recorder import RecorderState
from rig.meter.billing.registers import RegistersState
from rig.meter.billing.snapshot import Snapshot
from rig.meter.billing.source import Source


@dataclass
class TestState:
    """Registers of test mode, when it began, when it will end by itself and when its demand interval does, if any."""

    __test__ = False  # no test class, whatever its name

    began_ns: int
    ends_ns: int
    interval_ends_ns: int | None
    registers: RegistersState


@dataclass
class AskedSeason:
    """A season that was asked for: in force until `until_ns`, when the calendar's next one starts, or until the
    calendar's is no longer `calendar_season`. `pending`: the one before is still to be closed, once test mode is over.
    """

    season: int
    calendar_season: int
    until_ns: int
    source: Source
    pending: bool = True


@dataclass
class BillingState:
    """Everything that must outlive a power failure, besides the settings.

    `season`, `calendar_rate`, `dst` and `utc_offset_s` are the calendar's as last seen; seasons and self-reads have
    been seen to up to `followed_ns`, which is later than `now_ns` where the clock was set back a little. `waiting` are
    commands for later, in order of time. `closed_season` is what the last change of season closed. `self_read_source`
    is who asked for a self-read that is due.
    """

    now_ns: int
    season: int
    calendar_rate: int
    dst: bool
    utc_offset_s: int
    followed_ns: int
    self_read_ns: int | None = None
    registers: RegistersState | None = None
    inputs: list[int] = field(default_factory=lambda: [0] * len(InputId))
    recorder: RecorderState | None = None
    test: TestState | None = None
    forced_rate: int | None = None
    resets: int = 0
    last_reset_ns: int | None = None
    last_switch_reset_ns: int | None = None
    waiting: list[Command] = field(default_factory=list)
    closed_season: Snapshot | None = None
    asked_season: AskedSeason | None = None
    self_read_source: Source | None = None
