"""The FPGA's pulse counters: the meter's LED and KYZ outputs counted against its own ticks (P-6)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from drivers.errors import DriverError
from gateware.registers import TICK_BITS, Capability, Counter, CounterState, CounterWord, GateWord

_RING = 1 << TICK_BITS
_WORDS = len(CounterWord)
_READ_ATTEMPTS = 8


class CounterError(DriverError):
    """The counters cannot do what was asked; the message says why."""


class CounterIdentity(Protocol):
    """Part of an Identity that the driver needs."""

    @property
    def capabilities(self) -> Capability: ...

    @property
    def tick_hz(self) -> Fraction: ...


class CounterLink(Protocol):
    """Part of an SpiLink that the driver needs. `write_block` and `command` do not read back."""

    @property
    def identity(self) -> CounterIdentity: ...

    def read(self, name: str, count: int = 1) -> list[int]: ...

    def write(self, name: str, value: int) -> None: ...

    def command(self, name: str, value: int) -> None: ...

    def read_block(self, name: str, index: int, count: int) -> list[int]: ...

    def write_block(self, name: str, index: int, value: int) -> None: ...

    def ticks(self) -> int: ...


@dataclass(frozen=True)
class Pulses:
    """Result of one counter. Ticks are the FPGA's, modulo 2**48; None without the pulses to tell from.

    Intervals are those between successive pulses; one of 2**32 − 1 ticks (21 minutes) is that long or longer.
    `illegal` counts both contacts of a KYZ output closed, and a contact closing again without the other between.
    """

    counter: Counter
    pulses: int
    illegal: int
    first_tick: int | None
    last_tick: int | None
    shortest_ticks: int | None
    longest_ticks: int | None
    tick_hz: Fraction

    @property
    def shortest_s(self) -> Fraction | None:
        return None if self.shortest_ticks is None else self.shortest_ticks / self.tick_hz

    @property
    def longest_s(self) -> Fraction | None:
        return None if self.longest_ticks is None else self.longest_ticks / self.tick_hz

    @property
    def rate_hz(self) -> Fraction | None:
        """Mean rate from the first pulse to the last."""
        if self.first_tick is None or self.last_tick is None or self.pulses < 2:
            return None
        return (self.pulses - 1) * self.tick_hz / ((self.last_tick - self.first_tick) % _RING)


@dataclass(frozen=True)
class Gate:
    """The gate. Pulses stamped after `open_tick` up to `close_tick` count; ticks yet to come while armed."""

    state: CounterState
    open_tick: int
    close_tick: int
    pulses_left: int

    @property
    def done(self) -> bool:
        """Closed, nothing armed and all edges worked on: what was counted stays."""
        moving = CounterState.OPEN | CounterState.OPENING | CounterState.CLOSING | CounterState.BUSY
        return not self.state & moving


class PulseCounters:
    """The counters behind one link. CounterError when the FPGA's build has none."""

    def __init__(self, link: CounterLink) -> None:
        if Capability.PULSE_COUNTERS not in link.identity.capabilities:
            raise CounterError("the FPGA's build has no pulse counters: load one with the capability PULSE_COUNTERS")
        self._link = link

    def set_filter(self, ticks: int) -> None:
        """Let a contact count once it is steady for `ticks`, 0 to 65535 (20 ms); its stamp stays that of the edge."""
        self._link.write("COUNTER_FILTER", ticks)

    def clear(self) -> None:
        """Close and disarm the gate; forget counts, stamps and overflow."""
        self._link.command("COUNTER_CLEAR", 1)

    def open(self) -> None:
        """Open the gate now; what was counted before stays."""
        self._arm(GateWord.OPEN_LO, self._link.ticks())

    def close(self) -> None:
        """Close the gate now, if it is open."""
        self._arm(GateWord.CLOSE_LO, self._link.ticks())

    def gate_for_pulses(self, counter: Counter, pulses: int) -> None:
        """Clear, open now, and close at pulse number `pulses` of `counter`."""
        if not 0 < pulses <= 0xFFFF_FFFF:
            raise ValueError(f"a gate takes 1 to {0xFFFF_FFFF} pulses, not {pulses}")
        self.clear()
        self._link.write("GATE_COUNTER", counter)
        self._link.write_block("GATE", GateWord.PULSES, pulses)
        self.open()

    def gate_for_ticks(self, start: int, stop: int) -> None:
        """Clear, then count the pulses stamped after `start` up to `stop`.

        With windows commanded to close at the same ticks, both ends of a sample set, energy and pulses cover
        exactly the same ticks. ValueError when `stop` does not follow `start`; CounterError when `start` has passed
        before it could be armed.
        """
        if not 0 < (stop - start) % _RING < _RING // 2:
            raise ValueError(f"the gate must close after it opens: tick {stop} does not follow tick {start}")
        self.clear()
        self._link.write_block("GATE", GateWord.PULSES, 0)
        self._arm(GateWord.OPEN_LO, start)
        self._arm(GateWord.CLOSE_LO, stop)
        taken = self.gate().open_tick
        if taken != start % _RING:
            self.clear()
            raise CounterError(
                f"the gate was to open at tick {start}, but that had passed at tick {taken}: give a later start"
            )

    def gate(self) -> Gate:
        """Read where the gate is. It reports that it has moved up to 300 ticks late, and the filter."""
        (state,) = self._link.read("COUNTER_STATE")
        open_low, open_high, close_low, close_high, left = self._link.read_block("GATE", 0, len(GateWord))
        return Gate(CounterState(state), open_high << 32 | open_low, close_high << 32 | close_low, left)

    @property
    def state(self) -> CounterState:
        """Gate and overflow."""
        (state,) = self._link.read("COUNTER_STATE")
        return CounterState(state)

    def count(self, counter: Counter) -> int:
        """Read what one counter has counted: one frame on the bus."""
        (count,) = self._link.read_block("COUNTERS", _WORDS * counter, 1)
        return count

    def read_one(self, counter: Counter) -> Pulses:
        """One counter, consistent in itself. CounterError for one that counts faster than can be read."""
        return self._read(counter)

    def read(self) -> tuple[Pulses, ...]:
        """All counters, each consistent in itself though pulses go on.

        CounterError after contacts changed faster than they could be stamped, or count faster than can be read.
        """
        if CounterState.OVERFLOW in self.state:
            raise CounterError(
                "contacts changed faster than the counters could take them: check the wiring for noise, "
                "set a shorter filter, and clear"
            )
        return tuple(self._read(counter) for counter in Counter)

    def _read(self, counter: Counter) -> Pulses:
        # The gateware updates COUNT first and is done with the rest before the next word leaves over SPI.
        index = _WORDS * counter
        for _ in range(_READ_ATTEMPTS):
            words = self._link.read_block("COUNTERS", index, _WORDS)
            if self._link.read_block("COUNTERS", index, 1) == words[:1]:
                break
        else:
            raise CounterError(f"{counter.name} counts faster than it can be read: close the gate first")
        count, first_low, first_high, last_low, last_high, shortest, longest, illegal = words
        return Pulses(
            counter,
            pulses=count,
            illegal=illegal,
            first_tick=first_high << 32 | first_low if count else None,
            last_tick=last_high << 32 | last_low if count else None,
            shortest_ticks=shortest if count > 1 else None,
            longest_ticks=longest if count > 1 else None,
            tick_hz=self._link.identity.tick_hz,
        )

    def _arm(self, low: GateWord, tick: int) -> None:
        self._link.write_block("GATE", low, tick & 0xFFFF_FFFF)
        self._link.write_block("GATE", low + 1, tick >> 32 & 0xFFFF)
