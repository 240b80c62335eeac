"""Waveform capture: all six channels sample by sample, around a trigger or just now, read over the link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from drivers.errors import DriverError
from drivers.spi_link import Identity
from gateware.frames import MAX_COUNT, Op
from gateware.registers import (
    CHANNELS,
    NO_CHANNEL,
    SAMPLE_BITS,
    TICK_BITS,
    Capability,
    CaptureCommand,
    CaptureFlag,
    CaptureState,
    Channel,
    EventKind,
)

_PAGE_LOG2 = 8  # a CAPTURE request's address byte
_CODE = (1 << SAMPLE_BITS) - 1


class CaptureError(DriverError):
    """A waveform that cannot be captured so; the message says why and what would be right."""


class CaptureLink(Protocol):
    """Part of drivers.spi_link.SpiLink that the capture needs."""

    @property
    def identity(self) -> Identity: ...

    def read(self, name: str, count: int = 1) -> list[int]: ...

    def write(self, name: str, value: int) -> None: ...

    def command(self, name: str, value: int) -> None: ...

    def ticks(self) -> int: ...

    def capture_words(self, page: int, address: int, count: int) -> list[int]: ...


@dataclass(frozen=True)
class Level:
    """Triggers when a channel comes to `code` or above from below it; `falling`, when it goes below."""

    channel: Channel
    code: int
    falling: bool = False


@dataclass(frozen=True)
class EventBegins:
    """Triggers when an event of one of these kinds begins."""

    kinds: tuple[EventKind, ...]


Trigger = Level | EventBegins


@dataclass(frozen=True)
class Waveform:
    """Consecutive sample sets in sample codes, oldest first: `codes[n]` are v1 v2 v3 i1 i2 i3.

    `ticks[n]` is the set's tick count modulo 2**48, `trigger` the index of the trigger's set (None: there was none),
    `windows` the indices of sets that begin a window. A set stands for the pins `chain.delay_ticks` before its tick.
    """

    codes: tuple[tuple[int, ...], ...]
    ticks: tuple[int, ...]
    trigger: int | None
    windows: tuple[int, ...]
    tick_hz: Fraction
    ticks_per_sample: int

    @property
    def sample_hz(self) -> Fraction:
        return self.tick_hz / self.ticks_per_sample


class WaveformCapture:
    """The capture of one board. `pass_time(seconds)` lets time pass: sleep on hardware, or the simulation's clock."""

    def __init__(self, link: CaptureLink, pass_time: Callable[[float], None]) -> None:
        if Capability.CAPTURE not in link.identity.capabilities:
            raise CaptureError("this FPGA build has no waveform capture: load a bitstream that has one")
        self._link = link
        self._pass_time = pass_time
        self._sample_s = float(link.identity.ticks_per_sample / link.identity.tick_hz)
        _, self._log2, _ = self._state()

    @property
    def most_samples(self) -> int:
        """The most sample sets one waveform can have."""
        return (1 << self._log2) - 1

    def now(self, samples: int) -> Waveform:
        """Wait for this many sample sets, and read them."""
        self._check(samples)
        self._run(samples)
        self._link.command("CAPTURE", CaptureCommand.STOP)
        return self._read(samples)

    def arm(self, trigger: Trigger, before: int, after: int) -> None:
        """Let `before` sample sets pass, then wait for the trigger; `after` sets more, 1 at least, follow its own."""
        if before < 0 or after < 1:
            raise CaptureError(f"{before} samples before the trigger and {after} after it: at least 0 and 1 must be")
        self._check(before + 1 + after)
        self._link.write("CAPTURE_TRIGGER", _register(trigger))
        self._link.write("CAPTURE_AFTER", after)
        self._span = before + 1 + after
        self._run(before)
        self._link.command("CAPTURE", CaptureCommand.ARM)

    def wait(self, seconds: float, poll_s: float = 0.02) -> Waveform | None:
        """The waveform once it is there; None, and the capture stopped, if the trigger does not come in `seconds`."""
        end = self._link.ticks() + round(seconds * self._link.identity.tick_hz)
        while True:
            state, _, _ = self._state()
            if state is CaptureState.DONE:
                return self._read(self._span)
            late = (self._link.ticks() - end) % (1 << TICK_BITS) < 1 << TICK_BITS - 1
            if late and state is CaptureState.ARMED:
                self._link.command("CAPTURE", CaptureCommand.STOP)
                return None
            self._pass_time(poll_s)

    def _check(self, samples: int) -> None:
        if not 1 <= samples <= self.most_samples:
            raise CaptureError(
                f"{samples} samples do not fit the capture's memory: 1 to {self.most_samples} can be, "
                f"{self.most_samples * self._sample_s:.3g} s"
            )

    def _state(self) -> tuple[CaptureState, int, int]:
        """State, log2 of the ring's sets, place of the next set."""
        (word,) = self._link.read("CAPTURE_STATE")
        return CaptureState(word & 7), word >> 4 & 0xF, word >> 16

    def _run(self, samples: int) -> None:
        """Start the ring; returns when it holds so many new sets, and one more for the one that was on its way."""
        self._link.command("CAPTURE", CaptureCommand.RUN)
        needed = (samples + 2) * self._link.identity.ticks_per_sample
        start = self._link.ticks()
        while (missing := needed - (self._link.ticks() - start) % (1 << TICK_BITS)) > 0:
            self._pass_time(float(missing / self._link.identity.tick_hz))

    def _read(self, samples: int) -> Waveform:
        """The newest sets of the ring, which stands."""
        _, _, place = self._state()
        depth = 1 << self._log2
        first = (place - samples) % depth
        words = self._words(2 * first, 2 * samples + 1)
        newest, step = words[-1], self._link.identity.ticks_per_sample
        flags = [CaptureFlag(w >> 60) for w in words[0:-1:2]]
        return Waveform(
            codes=tuple(_codes(words[k], words[k + 1]) for k in range(0, 2 * samples, 2)),
            ticks=tuple((newest - step * (samples - 1 - k)) % (1 << TICK_BITS) for k in range(samples)),
            trigger=next((k for k, f in enumerate(flags) if CaptureFlag.TRIGGER in f), None),
            windows=tuple(k for k, f in enumerate(flags) if CaptureFlag.WINDOW in f),
            tick_hz=self._link.identity.tick_hz,
            ticks_per_sample=step,
        )

    def _words(self, start: int, count: int) -> list[int]:
        """Words from `start` on, round the ring."""
        size = 2 << self._log2
        words: list[int] = []
        while len(words) < count:
            at = (start + len(words)) % size
            page, address = divmod(at, 1 << _PAGE_LOG2)
            most = min(MAX_COUNT[Op.CAPTURE], count - len(words), size - at, (1 << _PAGE_LOG2) - address)
            words += self._link.capture_words(page, address, most)
        return words


def _register(trigger: Trigger) -> int:
    if isinstance(trigger, Level):
        if not -(_CODE >> 1) - 1 <= trigger.code <= _CODE >> 1:
            raise CaptureError(f"a level of {trigger.code} codes is beyond full scale, ±{_CODE >> 1} can be")
        return trigger.code & _CODE | trigger.channel << SAMPLE_BITS | trigger.falling << 23
    return NO_CHANNEL << SAMPLE_BITS | sum(1 << 24 + kind for kind in set(trigger.kinds))


def _codes(voltages: int, currents: int) -> tuple[int, ...]:
    sign = 1 << SAMPLE_BITS - 1
    return tuple(
        ((word >> SAMPLE_BITS * k & _CODE) ^ sign) - sign for word in (voltages, currents) for k in range(CHANNELS // 2)
    )
