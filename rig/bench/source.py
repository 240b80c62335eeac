"""The source: the voltages and currents that the meter is given, in the bench's words.

They come from drivers/sim/live_load.py on a simulated rig; on hardware from the FPGA's phantom load if its build has
one, else from a source that a person sets, whom the rig asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import acos, degrees, isfinite, sqrt
from typing import Protocol

from calibration.constants import FULL_SCALE_CODES, Calibration
from drivers import phantom
from drivers.phantom import PhantomLoad, PhantomWave
from drivers.sim.waves import Wave
from drivers.spi_link import SpiLink
from gateware.registers import Channel
from rig.bench.applied import Applied, applied_by_phase, applied_load, check_applied, each, equation_of
from rig.bench.errors import NobodyActed, NotFitted, WrongArgument
from rig.bench.person import Prompt, Prompter
from rig.bench.rig import Rig
from rig.load.metered import rms
from rig.meter.measuring.elements import PHASES, ElementEquation

NEAR = 0.05
"""A person's source is as asked for within this share, as the meter measures it."""

PATIENCE_S = 300
"""For a person at a source."""


class SourceDriver(Protocol):
    """Feeds the meter: simulation, phantom load, or a person at a source."""

    def __call__(self, applied: Applied) -> None:
        """Play this from now on."""
        ...


class SourceInstrument:
    """The source at the meter's terminals, on the service that the meter is programmed for, else its form's usual one.
    It begins with the least voltage of that, and no current. A phase that the form does not measure gets nothing."""

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

        Of three values those are left out that the form does not measure, which failures and prompts then tell. Raises
        WrongArgument for values that no source has, and for those that the meter's front end cannot follow.
        """
        if not 0 <= pf <= 1:
            raise WrongArgument(f"a power factor is 0 to 1, not {pf}; lead=True and reverse=True say in which sense")
        if not (isfinite(hz) and hz > 0):
            raise WrongArgument(f"a line frequency is more than 0 Hz, not {hz}")
        lag_deg = (-1 if lead else 1) * degrees(acos(pf)) + (180 if reverse else 0)
        self._apply(applied_by_phase(self._equation, volts, amps, lag_deg=lag_deg, hz=hz))

    def apply_load(self, words: str) -> None:
        """Give the meter a load in the words of docs/load.md, such as "5/4/3 A, pf 0.8 lag, h3 A 20 %".

        Raises WrongArgument for what is not understood, and for what the form or its front end cannot have.
        """
        self._apply(applied_load(words, self._rig.program))

    def off(self) -> None:
        """No current; the voltages stay."""
        self._apply(replace(self.applied, amps=(0.0, 0.0, 0.0), lag_deg=0.0, amps_harmonics={}, left_out=()))

    def _apply(self, applied: Applied) -> None:
        check_applied(applied, self._rig.program.metering.current_class)
        self._driver(applied)
        self.applied = applied
        self._rig.note_action(self._rig.now_ns, f"the source gives {applied.text}")

    def watts(self) -> float:
        """Active power that the form registers, positive when delivered."""
        return self.applied.watts

    def vars(self) -> float:
        """Reactive power of the fundamental, positive when the current lags delivered power."""
        return self.applied.vars

    @property
    def _equation(self) -> ElementEquation:
        return equation_of(self._rig.program)


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
        try:
            return PhantomLoad(
                applied.hz,
                {
                    Channel(channel): self._wave(channel, wave, applied.hz)
                    for channel, wave in enumerate(applied.state.channels)
                },
            )
        except ValueError as error:
            raise NotFitted(f"{error}; a source with more has to be set by a person") from None

    def _wave(self, channel: int, wave: Wave, hz: float) -> PhantomWave:
        """As the meter will see it: with this channel's gain, and with what its bits are delayed by made up for. The
        fundamental of a wave of angle 0 is a sine, so harmonics are turned as much of their time."""
        constants = self._calibration.channels[channel]
        delayed_deg = 360 * hz * float(constants.delay_ticks / self._link.identity.tick_hz)
        peak = sqrt(2) * wave.rms / (float(constants.gain) * FULL_SCALE_CODES)
        tones = {1: (peak, wave.angle_deg + delayed_deg)}
        for order, (share, angle_deg) in wave.harmonics.items():
            turned_deg = order * (wave.angle_deg + delayed_deg - 90) + angle_deg + 90
            tones[order] = (peak * share, turned_deg)
        return PhantomWave(harmonics=tones)


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
        wanted = [rms(wave) for wave in applied.state.channels]
        measured = [phase in applied.equation.volt_phases for phase in PHASES]
        measured += [phase in applied.equation.phases for phase in PHASES]
        pairs = zip(found, wanted, measured, strict=True)
        return all(abs(f - w) <= NEAR * max(w, 1.0) for f, w, there in pairs if there)

    @property
    def _measured(self) -> str:
        instant = self._rig.service.meter.instant
        if instant is None:
            return "nothing yet"
        volts, amps = (each(values) for values in (instant.phases.v_rms, instant.phases.i_rms))
        return f"{volts} V, {amps} A"
