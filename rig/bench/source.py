"""The source: the voltages and currents that the meter is given, in the bench's words.

They come from drivers/sim/live_load.py on a simulated rig; on hardware from the FPGA's phantom load if its build has
one, else from a source that a person sets, whom the rig asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import acos, cos, degrees, isfinite, radians, sqrt
from typing import Protocol

from calibration.constants import FULL_SCALE_CODES, Calibration
from drivers import phantom
from drivers.phantom import PhantomLoad, PhantomWave
from drivers.spi_link import SpiLink
from gateware.registers import Channel
from rig.bench.errors import NobodyActed, WrongArgument
from rig.bench.person import Prompt, Prompter
from rig.bench.rig import Rig

PHASES = 3

ANGLES_DEG = (0.0, -120.0, 120.0)
"""Of a four-wire wye, A B C."""

NEAR = 0.05
"""A person's source is as asked for within this share, as the meter measures it."""

PATIENCE_S = 300
"""For a person at a source."""


@dataclass(frozen=True)
class Applied:
    """Volts and amperes by phase, A B C; currents lag their voltages by `lag_deg`; beyond 90° power is received."""

    volts: tuple[float, float, float] = (120.0, 120.0, 120.0)
    amps: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lag_deg: float = 0.0
    hz: float = 60.0

    @property
    def text(self) -> str:
        """For failures and prompts."""
        if not any(self.volts):
            return "no voltage, no current"
        angle = f", lagging by {self.lag_deg:.1f}°" if any(self.amps) and self.lag_deg else ""
        return f"{_each(self.volts)} V, {_each(self.amps)} A{angle}, {self.hz:g} Hz"


class SourceDriver(Protocol):
    """Feeds the meter: simulation, phantom load, or a person at a source."""

    def __call__(self, applied: Applied) -> None:
        """Play this from now on."""
        ...


class SourceInstrument:
    """The source at the meter's terminals, a four-wire wye. It begins with 120 V and no current."""

    def __init__(self, rig: Rig, driver: SourceDriver, applied: Applied) -> None:
        self._rig, self._driver = rig, driver
        self.applied = applied

    def apply(
        self,
        volts: float | Sequence[float] = 120.0,
        amps: float | Sequence[float] = 0.0,
        pf: float = 1.0,
        *,
        lead: bool = False,
        reverse: bool = False,
        hz: float = 60.0,
    ) -> None:
        """Give the meter this, one value for all phases or three. `pf` lags, or leads; `reverse`: power is received.

        Raises WrongArgument for values that no source has.
        """
        if not 0 <= pf <= 1:
            raise WrongArgument(f"a power factor is 0 to 1, not {pf}; lead=True and reverse=True say in which sense")
        if not (isfinite(hz) and hz > 0):
            raise WrongArgument(f"a line frequency is more than 0 Hz, not {hz}")
        lag_deg = (-1 if lead else 1) * degrees(acos(pf)) + (180 if reverse else 0)
        self._apply(Applied(_three(volts), _three(amps), lag_deg, hz))

    def off(self) -> None:
        """No current; the voltages stay."""
        self._apply(Applied(self.applied.volts, hz=self.applied.hz))

    def _apply(self, applied: Applied) -> None:
        self._driver(applied)
        self.applied = applied
        self._rig.note_action(self._rig.now_ns, f"the source gives {applied.text}")

    def watts(self) -> float:
        """Active power, positive when delivered."""
        return self._power(0.0)

    def vars(self) -> float:
        """Reactive power, positive when the current lags delivered power."""
        return self._power(90.0)

    def _power(self, turned_deg: float) -> float:
        applied = self.applied
        factor = cos(radians(applied.lag_deg - turned_deg))
        return sum(v * i for v, i in zip(applied.volts, applied.amps, strict=True)) * factor


class PhantomSource:
    """The oscillators in the FPGA, playing until `close`. The switch to them is part of the configuration that records
    are measured with, so the service starts after this."""

    def __init__(self, link: SpiLink, calibration: Calibration, applied: Applied) -> None:
        self._link, self._calibration = link, calibration
        phantom.apply(link, self._load(applied))

    def __call__(self, applied: Applied) -> None:
        phantom.change(self._link, self._load(applied))

    def close(self) -> None:
        """The pins are measured again."""
        phantom.remove(self._link)

    def _load(self, applied: Applied) -> PhantomLoad:
        waves = {}
        hz = applied.hz
        for k in range(PHASES):
            waves[Channel(Channel.V1 + k)] = self._wave(Channel.V1 + k, applied.volts[k], ANGLES_DEG[k], hz)
            waves[Channel(Channel.I1 + k)] = self._wave(
                Channel.I1 + k, applied.amps[k], ANGLES_DEG[k] - applied.lag_deg, hz
            )
        return PhantomLoad(hz, waves)

    def _wave(self, channel: int, rms: float, angle_deg: float, hz: float) -> PhantomWave:
        """As the meter will see it: with this channel's gain, and with what its bits are delayed by made up for."""
        constants = self._calibration.channels[channel]
        delayed_deg = 360 * hz * float(constants.delay_ticks / self._link.identity.tick_hz)
        peak = sqrt(2) * rms / (float(constants.gain) * FULL_SCALE_CODES)
        return PhantomWave(harmonics={1: (peak, angle_deg + delayed_deg)})


class PersonAtSource:
    """A person sets a source as asked; the rig sees by its own measurement when that is done."""

    def __init__(self, rig: Rig, prompter: Prompter, patience_s: float = PATIENCE_S) -> None:
        self._rig, self._prompter, self._patience_s = rig, prompter, patience_s

    def __call__(self, applied: Applied) -> None:
        self._prompter(Prompt("source", None, f"set the source to {applied.text} now"))
        if self._rig.clock.wait_for(lambda: self._near(applied) or None, self._patience_s) is None:
            raise NobodyActed(
                self._rig.explained(
                    f"asked to set the source to {applied.text}, nobody did within {self._patience_s:g} s",
                    f"the meter measures {self._measured}",
                )
            )

    def _near(self, applied: Applied) -> bool:
        """By the average of the last second, so it has then been so for a second."""
        instant = self._rig.service.meter.instant
        if instant is None:
            return False
        found = (*instant.phases.v_rms, *instant.phases.i_rms)
        wanted = (*applied.volts, *applied.amps)
        return all(abs(f - w) <= NEAR * max(w, 1.0) for f, w in zip(found, wanted, strict=True))

    @property
    def _measured(self) -> str:
        instant = self._rig.service.meter.instant
        if instant is None:
            return "nothing yet"
        return f"{_each(instant.phases.v_rms)} V, {_each(instant.phases.i_rms)} A"


def _three(value: float | Sequence[float]) -> tuple[float, float, float]:
    values = (value,) * PHASES if isinstance(value, int | float) else tuple(value)
    if len(values) != PHASES or not all(isfinite(v) and v >= 0 for v in values):
        raise WrongArgument(f"give one value, or three of them, 0 or more: not {value!r}")
    return values[0], values[1], values[2]


def _each(values: Sequence[float]) -> str:
    shown = [f"{value:.4g}" for value in values]
    return shown[0] if len(set(shown)) == 1 else "/".join(shown)
