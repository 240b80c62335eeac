"""Messages to a simulated board in its own process, and its answer about itself (rig/hardware/board_process.py)."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from calibration.constants import Calibration, ChannelConstants
from rig.hardware.config import Config, HardwareConfig
from rig.load.connected import MeteringPoint

MOST_ORDER = 1 << 16
"""Bytes of an Order, which fit in a pipe."""

Channels = list[tuple[str, int, str]]
"""By channel the gain, as an exact number, the delay in ticks, and the offset in codes, as one."""


class Order(msgspec.Struct, frozen=True):
    """Be the board of this configuration, its load connected to that meter."""

    config: Config
    point: MeteringPoint


class About(msgspec.Struct, frozen=True):
    """Answer of a board about itself: wiring and fidelity, and the constants of its sensors, known by construction, or
    nominal ones, which count as UNCALIBRATED."""

    wiring: HardwareConfig
    fidelity: str
    current_class: int
    channels: Channels
    identity: str
    date: str
    source: str
    calibrated: bool

    @property
    def calibration(self) -> Calibration:
        """The constants that undo its sensors, as far as they are known."""
        channels = tuple(ChannelConstants(Fraction(g), delay, Fraction(o)) for g, delay, o in self.channels)
        return Calibration(channels, self.identity, self.date, self.calibrated, self.source)
