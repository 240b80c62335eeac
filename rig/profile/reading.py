"""A load profile in engineering units: its columns, values, words about it, and its files, CSV and Parquet (T-4).

Values are counts times pulse constant, exactly: kWh and so on of energies, V²h and A²h of squares, pulses of inputs.
`made` is where a profile comes from. Nothing is opened or written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from rig.errors import RigError
from rig.meter.billing.metric import RecorderChannel
from rig.meter.billing.profile import Mark, MarkKind, Profile, ProfileInterval
from rig.results.provenance import Provenance

_MOST_DIGITS = 12
"""After the point: a kWh has so many to its nWh. Pulse constants like 1/3 Wh need rounding there."""
_PARQUET_DIGITS = 38


class ProfileError(RigError):
    """Error of a request that a profile cannot meet: one sentence with what would be right."""


# --- words and figures ----------------------------------------------------------------------------------------


def column_names(profile: Profile) -> list[str]:
    """The channels by the names of their metrics; a metric that is recorded again says so."""
    names: list[str] = []
    metrics = [channel.metric for channel in profile.settings.channels]
    for place, metric in enumerate(metrics):
        again = metrics[:place].count(metric)
        names.append(f"{metric.value} #{again + 1}" if again else metric.value)
    return names


def value_of(channel: RecorderChannel, pulses: int) -> Decimal:
    """Return the value of so many pulses, in the metric's unit, with all digits that the channel's values can have."""
    pulse, digits = _scale(channel)
    return Decimal(round(pulse * pulses)).scaleb(-digits)


def cell(channel: RecorderChannel, pulses: int | None, damaged: str) -> str:
    """The same as text; something else for a count that is damaged."""
    return damaged if pulses is None else f"{value_of(channel, pulses):f}"


def channel_place(profile: Profile, text: str) -> int:
    """The place of a channel by its name or its number, counted from 1. Raises ProfileError."""
    names = column_names(profile)
    if text in names:
        return names.index(text)
    if text.isdecimal() and 1 <= int(text) <= len(names):
        return int(text) - 1
    known = ", ".join(f"{number} ({name})" for number, name in enumerate(names, 1))
    raise ProfileError(f"the profile has no channel {text}: give one of {known}")


def title(profile: Profile) -> str:
    """Name the number of channels and the interval."""
    channels = len(profile.settings.channels)
    return f"load profile, {channels} channel{'s' * (channels > 1)} every {profile.settings.interval_min} min"


def mark_text(mark: Mark, between: str = " ") -> str:
    """Give a mark in words, with something between date and time."""
    if mark.kind is MarkKind.START:
        return f"starts {mark.at.isoformat(between)}"
    return f"{mark.kind.value} {mark.at.isoformat(between)} to {mark.until.isoformat(between)}"


def skipped(profile: Profile) -> str:
    """Say how many words could not be dated."""
    return f"{profile.skipped} words before the first date belong to no known day"


# --- files ----------------------------------------------------------------------------------------------------


def csv_bytes(profile: Profile, made: Provenance) -> bytes:
    """Comments that say what it is, with marks and faults, then rows of end_local, flags and each channel's value.

    A count that is damaged leaves its cell empty.
    """
    channels = profile.settings.channels
    lines = [f"# {line}" for line in _about(profile, made)]
    lines.append(",".join(("end_local", "flags", *column_names(profile))))
    for interval in profile.intervals:
        cells = (cell(channel, count, "") for channel, count in zip(channels, interval.counts, strict=True))
        lines.append(",".join((interval.end.isoformat(), _flags(interval), *cells)))
    return ("\n".join(lines) + "\n").encode()


def parquet_bytes(profile: Profile, made: Provenance) -> bytes:
    """The same columns: a local timestamp, text, decimals; the comments are in the metadata under "about".

    Raises ProfileError without pyarrow.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ProfileError(
            'Parquet needs pyarrow: run `.venv/bin/pip install -e ".[parquet]"` in the project folder, or write a .csv'
        ) from None
    arrays = {
        "end_local": pyarrow.array([interval.end for interval in profile.intervals], pyarrow.timestamp("s")),
        "flags": pyarrow.array([_flags(interval) for interval in profile.intervals], pyarrow.string()),
    }
    for place, (name, channel) in enumerate(zip(column_names(profile), profile.settings.channels, strict=True)):
        counts = (interval.counts[place] for interval in profile.intervals)
        values = [None if count is None else value_of(channel, count) for count in counts]
        arrays[name] = pyarrow.array(values, pyarrow.decimal128(_PARQUET_DIGITS, _scale(channel)[1]))
    content = pyarrow.table(arrays).replace_schema_metadata({"about": "\n".join(_about(profile, made))})
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(content, sink)
    return bytes(sink.getvalue().to_pybytes())


def _about(profile: Profile, made: Provenance) -> Iterator[str]:
    """Describe a file's contents and origin, line by line."""
    yield f"{made.mark}, {title(profile)}" if made.mark else title(profile)
    yield made.line
    for name, channel in zip(column_names(profile), profile.settings.channels, strict=True):
        exact = isinstance(_scale(channel)[0], int)
        yield f"{name} in {channel.metric.unit}, {cell(channel, 1, '') if exact else channel.unit_value} a pulse"
    for mark in profile.marks:
        if mark.kind is not MarkKind.DAY:
            yield mark_text(mark, "T")
    if profile.skipped:
        yield skipped(profile)
    for fault in profile.faults:
        yield fault.text


def _flags(interval: ProfileInterval) -> str:
    return "+".join(interval.flags.words)


@lru_cache(maxsize=16)
def _scale(channel: RecorderChannel) -> tuple[int | Fraction, int]:
    """A pulse in units of the last digit, and how many digits follow the point."""
    digits = 0
    while digits < _MOST_DIGITS and (channel.unit_value * 10**digits).denominator != 1:
        digits += 1
    pulse = channel.unit_value * 10**digits
    return pulse.numerator if pulse.denominator == 1 else pulse, digits
