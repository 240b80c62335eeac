"""The meter: pure, advanced only by records and events (C-3, Q-2, P-1, P-2).

A record is measured, its energy made into pulses by tick and into a portion of billing by UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gateware.registers import TICK_BITS, Record
from rig.meter.billing.billing import Billing, BillingState, Happening
from rig.meter.billing.events import Event, EventKind
from rig.meter.billing.portion import Portion
from rig.meter.clock import SECOND_NS, MeterClock
from rig.meter.installation import Installation, InstallationState
from rig.meter.measurement import Measurement, Window
from rig.meter.pulses import PulseOutput, PulseState
from rig.meter.quantities import Readings, Sums

RECENT_S = 10
"""For so long after a record the board's count tells the meter's time; then it may have begun anew."""

_TICKS = 1 << TICK_BITS


@dataclass(frozen=True)
class Pulse:
    """One pulse of the named output, at an instant in modulator ticks on the meter's timeline."""

    tick: int
    output: str


@dataclass(frozen=True)
class Advance:
    """What one record came to: its window, pulses in order of time, and what happened to what is billed."""

    window: Window
    pulses: tuple[Pulse, ...]
    happenings: tuple[Happening, ...]


@dataclass(frozen=True)
class Instant:
    """What the last second averaged to: by phase, by element of the form, and the line frequency (Q-6)."""

    phases: Readings
    elements: Readings
    hz: float | None


@dataclass
class MeterState:
    """Everything that must outlive a power failure."""

    billing: BillingState
    outputs: dict[str, PulseState]
    installation: InstallationState


class Meter:
    """One meter on a board of `tick_hz`: measurement, billing, pulse outputs, and what it finds of its installation.

    The first record begins at billing's time. `outputs` need distinct names. `instant` is None until the first second.
    """

    def __init__(
        self,
        measurement: Measurement,
        billing: Billing,
        installation: Installation,
        tick_hz: Fraction,
        outputs: Sequence[PulseOutput] = (),
    ) -> None:
        self.measurement = measurement
        self.billing = billing
        self.installation = installation
        measurement.use(installation.equation)  # of the service found before power failed
        self.instant: Instant | None = None
        self._recent = Sums()
        self._tick_hz = tick_hz
        self._clock: MeterClock | None = None
        self._last: Window | None = None
        self.outputs = {output.name: output for output in outputs}
        if len(self.outputs) != len(outputs):
            raise ValueError(f"outputs need distinct names, got {', '.join(o.name for o in outputs)}")

    @property
    def state(self) -> MeterState:
        """What to store: live objects, so encode them before the meter goes on."""
        outputs = {name: output.state for name, output in self.outputs.items()}
        return MeterState(self.billing.state, outputs, self.installation.state)

    def advance(self, record: Record) -> Advance:
        """Take in the next record."""
        before, window = self._last, self.measurement.advance(record)
        self._last = window
        self._recent += window.sums
        said: list[Happening] = [*self._troubles(window, before)]
        energies = window.energies
        if energies is None:
            return Advance(window, (), tuple(said))
        said += self._look(window)
        ticks = window.tick_end - window.flowed_from
        pulses = [
            Pulse(tick, output.name)
            for output in self.outputs.values()
            for tick in output.advance(energies.of(output.quantity), window.flowed_from, ticks)
        ]
        pulses.sort(key=lambda pulse: pulse.tick)
        if self._clock is None:
            self._clock = MeterClock(self._tick_hz, window.flowed_from, self.billing.now_ns)
        start_ns = self._clock.advance(window.flowed_from)
        end_ns = self._clock.advance(window.tick_end)
        said += self.billing.advance(Portion(start_ns, end_ns, *energies))
        return Advance(window, tuple(pulses), tuple(said))

    def _troubles(self, window: Window, before: Window | None) -> list[Event]:
        """The faults of a window, told once while they stay the same."""
        if not window.faults or (before is not None and before.faults == window.faults):
            return []
        names = ", ".join(fault.name.lower() for fault in window.faults)
        return [Event(self.billing.now_ns, EventKind.MEASUREMENT_ERROR, (("faults", names),))]

    def _look(self, window: Window) -> list[Event]:
        """At the installation, if it is time: by the phases, whatever the form.

        Not before there are vars: a window that waits for them has no phasors either, and would be no service.
        """
        at_ns = window.tick_end * SECOND_NS * self._tick_hz.denominator // self._tick_hz.numerator
        if not self._recent.samples or not self.installation.due(at_ns):
            return []
        recent, self._recent = self._recent, Sums()
        measurement = self.measurement
        self.instant = Instant(measurement.phases(recent), measurement.readings(recent), measurement.recent_hz)
        said = self.installation.advance(self.instant.phases, at_ns, self.billing.now_ns)
        self.measurement.use(self.installation.equation)
        return said

    def tick_of(self, board_tick: int) -> int | None:
        """The board's count now, as it is or unwrapped, on the meter's timeline: that of windows and pulses.

        None while there is no record of the last RECENT_S, or none since the board began to count anew.
        """
        if self._last is None:
            return None
        since = (board_tick - self._last.record.tick_end) % _TICKS
        return self._last.tick_end + since if since <= RECENT_S * self._tick_hz else None

    def compare_clock(self, board_tick: int, utc_ns: int) -> tuple[Happening, ...]:
        """Keep the meter's clock by another, which shows `utc_ns` when the board's count is `board_tick`: slewed, or
        where it is off by more than a second, set. Nothing is done where the count tells nothing (`tick_of`)."""
        tick = self.tick_of(board_tick)
        if self._clock is None or tick is None:
            return ()
        set_to = self._clock.compare(tick, utc_ns)
        if set_to is None:
            return ()
        self._clock.set(set_to)
        return tuple(self.billing.set_clock(set_to))
