"""A recorded waveform: its channels, its samples, its rate, and what is wrong with it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from drivers.errors import DriverError
from drivers.sim.source import Floats

MOST_VALUES = 32 << 20
"""Samples times channels of a recording, 256 MiB of them: beyond it is refused."""

LEAST_RATE_HZ = 200
"""Samples a second below which time stamps are taken to be in another unit: four a cycle of 50 Hz."""

_STAMP_JITTER = 0.1  # of a sample period: more is not sampling at a constant rate
_SHOWN = 40  # characters of a file's text in a sentence


class RecordingError(DriverError):
    """A recording cannot be used; str() is one sentence: which file, what, and what would be right."""


@dataclass(frozen=True)
class RecordedChannel:
    """One channel of a recording. `unit` is V, A, or whatever else the file says ('' when it says nothing).

    `side` tells whether values are primary (P) or secondary (S); `primary` and `secondary` are the ratio of the
    transformer as the file has it; `component` is the circuit it belongs to. `fault` says why its samples cannot be
    used: where the first value is that is no finite number, or which unit is not understood. `unit_known` is false
    where the unit is neither known nor '': a person may take its numbers as volts or amperes, and is told so.
    `doubt` says what is told of it where it is used.
    """

    name: str
    unit: str
    phase: str = ""
    side: str = "P"
    primary: float = 1.0
    secondary: float = 1.0
    fault: str | None = None
    component: str = ""
    unit_known: bool = True
    doubt: str | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """Sampled waveforms: `values` float64 of shape (samples, channels) in V and A at a constant `rate_hz`.

    Sample k stands for the time from k/rate to (k+1)/rate. `notes` tell what was decided in reading the file,
    `encoding` in which its names were read; `word` is what the file's kind calls a channel.
    """

    path: Path
    channels: tuple[RecordedChannel, ...]
    values: Floats
    rate_hz: Fraction
    notes: tuple[str, ...] = ()
    encoding: str = "utf-8"
    word: str = "column"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels, in the order of the columns."""
        return tuple(channel.name for channel in self.channels)

    @property
    def seconds(self) -> Fraction:
        """Duration in seconds: every sample counts 1/rate."""
        return len(self.values) / self.rate_hz

    def column(self, index: int) -> Floats:
        """The samples of one channel; RecordingError if one of them is not a finite number."""
        channel = self.channels[index]
        if channel.fault is not None:
            raise RecordingError(f"{self.path}: {self.word} {channel.name} {channel.fault}")
        return self.values[:, index]

    def ratio(self, index: int) -> float | None:
        """The transformer ratio that the file gives for a channel of primary values; None if it gives none."""
        channel = self.channels[index]
        if channel.side != "P" or channel.secondary <= 0 or channel.primary <= 0:
            return None
        return None if channel.primary == channel.secondary else channel.primary / channel.secondary


def fault_of(values: Floats, where: Callable[[int], str]) -> str | None:
    """Return what RecordedChannel.fault says of these samples; `where` names a row in the file's own terms."""
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad) == 0:
        return None
    if len(bad) == len(values):
        return "is empty: no value in it is a finite number"
    return f"is not a finite number at {where(int(bad[0]))}"


def check_size(path: Path, samples: int, channels: int) -> None:
    """Refuse a recording of more than MOST_VALUES before room is made for it."""
    if samples * channels > MOST_VALUES:
        raise RecordingError(
            f"{path}: {samples} samples of {channels} channels are {samples * channels / 1e6:.3g} million values, "
            f"at most {MOST_VALUES / 1e6:.3g} million can be read: cut it into parts, or leave channels out"
        )


def uniform_rate(times_s: Floats, path: Path) -> Fraction:
    """The simplest rate in Hz that time stamps allow, within what their rounding leaves open.

    RecordingError unless they are uniform.
    """
    count = len(times_s)
    span = float(times_s[-1] - times_s[0]) if count > 1 else 0.0
    if not (span > 0 and np.isfinite(span)):
        raise RecordingError(f"{path}: no sampling rate, its time stamps do not increase; give it with --rate")
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


def read_bytes(path: Path, most: int) -> bytes:
    """A file's content, at most `most` bytes; RecordingError when it is none, no plain file, or more."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise RecordingError(f"{path}: cannot be read (it is no file)")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        raise RecordingError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is none"
        raise RecordingError(f"{path}: cannot be read ({reason})") from None
    if len(data) > most:
        raise RecordingError(f"{path}: too large, at most {most >> 20} MiB can be read: cut it into parts")
    return data


def shown(text: str) -> str:
    """A file's text in a sentence: in quotes, on one line, cut, and with nothing that steers a terminal."""
    plain = printable(text)
    return f"'{plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + '…'}'"


def printable(text: str) -> str:
    """A file's text without what steers a terminal or shows nothing."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
