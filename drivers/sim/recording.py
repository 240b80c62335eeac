"""A recorded waveform: its channels, its samples, its rate, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from drivers.errors import DriverError
from drivers.sim.source import Floats

_STAMP_JITTER = 0.1  # of a sample period: more is not sampling at a constant rate


class RecordingError(DriverError):
    """A recording cannot be used; str() is one sentence: which file, what, and what would be right."""


@dataclass(frozen=True)
class RecordedChannel:
    """One channel of a recording. `unit` is V, A, or whatever else the file says ('' when it says nothing).

    `side` tells whether values are primary (P) or secondary (S); `primary` and `secondary` are the ratio of
    the transformer as the file has it. `fault` says where the first value is that is no finite number.
    """

    name: str
    unit: str
    phase: str = ""
    side: str = "P"
    primary: float = 1.0
    secondary: float = 1.0
    fault: str | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """Sampled waveforms: `values` float64 of shape (samples, channels) in V and A at a constant `rate_hz`.

    Sample k stands for the time from k/rate to (k+1)/rate. `notes` tell what was decided in reading the file.
    """

    path: Path
    channels: tuple[RecordedChannel, ...]
    values: Floats
    rate_hz: Fraction
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels, in the order of the columns."""
        return tuple(channel.name for channel in self.channels)

    @property
    def seconds(self) -> Fraction:
        """How long it lasts: every sample counts 1/rate."""
        return len(self.values) / self.rate_hz

    def column(self, index: int) -> Floats:
        """The samples of one channel; RecordingError if one of them is not a finite number."""
        channel = self.channels[index]
        if channel.fault is not None:
            raise RecordingError(f"{self.path}: column {channel.name} {channel.fault}")
        return self.values[:, index]

    def ratio(self, index: int) -> float | None:
        """The transformer ratio that the file gives for a channel of primary values; None if it gives none."""
        channel = self.channels[index]
        if channel.side != "P" or channel.secondary <= 0 or channel.primary == channel.secondary:
            return None
        return channel.primary / channel.secondary


def fault_of(values: Floats, where: Callable[[int], str]) -> str | None:
    """What RecordedChannel.fault says of these samples; `where` names a row in the file's own terms."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad) == 0:
        return None
    if len(bad) == len(values):
        return "is empty: no value in it is a finite number"
    return f"is not a finite number at {where(int(bad[0]))}"


def uniform_rate(times_s: Floats, path: Path) -> Fraction:
    """The simplest rate in Hz that time stamps allow, within what their rounding leaves open.

    RecordingError unless they are uniform.
    """
    count = len(times_s)
    span = float(times_s[-1] - times_s[0]) if count > 1 else 0.0
    if not span > 0:
        raise RecordingError(
            f"{path}: no sampling rate, its time stamps do not increase; give it with --rate"
        )
    period = span / (count - 1)
    off = np.abs(times_s - (times_s[0] + np.arange(count) * period))
    if off.max() > _STAMP_JITTER * period:
        raise RecordingError(
            f"{path}: no constant sampling rate, its time stamps are uneven (most at sample "
            f"{int(off.argmax()) + 1}); give it with --rate"
        )
    rate = 1 / period
    open_hz = rate * (2 * float(off.max()) / span + 1e-12)
    for denominator in range(1, 1001):
        simple = Fraction(round(rate * denominator), denominator)
        if abs(simple - Fraction(rate)) <= open_hz:
            return simple
    return Fraction(rate)


def read_bytes(path: Path) -> bytes:
    """A file's content; RecordingError when there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise RecordingError(f"{path}: no such file") from None
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror})") from None


def decode(data: bytes) -> str:
    """Text in the encodings real recorders write; latin-1 takes any byte, so this never fails."""
    for encoding in ("utf-8-sig", "gb18030", "cp1251"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")
