"""Recordings in COMTRADE files (IEEE C37.111 of 1991, 1999 and 2013): a .cfg with its .dat, or both in a .cff."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from drivers.sim.comtrade_cfg import AnalogChannel, Configuration, read_configuration
from drivers.sim.comtrade_dat import Samples, far_out, missing, read_samples, rows_held, text_fault
from drivers.sim.recording import (
    LEAST_RATE_HZ,
    RecordedChannel,
    Recording,
    RecordingError,
    check_size,
    fault_of,
    read_bytes,
    uniform_rate,
)
from drivers.sim.source import Floats
from drivers.sim.text_encoding import decode, encoding_of
from drivers.sim.units import unit_of

MOST_CFG_BYTES = 16 << 20
MOST_DAT_BYTES = 256 << 20
MOST_STAMPED_HZ = 200_000
"""Samples a second above which time stamps are taken to be in another unit: recorders that fast write their rate."""
MOST_TEXT_BYTES = 128 << 20

_MOST_UNEVEN = 0.1
"""Of the steps between the numbers of samples: a block that begins anew or a gap is one, misplaced bytes are many."""

_MOST_OFF = 0.05
"""Of a step between time stamps: stamps in whole µs, at the rates of recorders, round by less."""

_SECTION = re.compile(
    rb"^(?:\xef\xbb\xbf)?[ \t]*---[ \t]*file type:[ \t]*([a-z]+)(?:[ \t]+([a-z0-9]+))?"
    rb"(?:[ \t]*:?[ \t]*(\d{1,12}))?[ \t]*---[ \t]*\r?\n?",
    re.IGNORECASE | re.MULTILINE,
)


class _Block(NamedTuple):
    """Rows of one sampling rate; a rate of 0 means that time stamps tell."""

    rate_hz: Fraction
    first: int
    end: int


class _Parts(NamedTuple):
    """The two parts of a recording: the configuration's bytes, the data's path (for sentences) and bytes."""

    cfg: bytes
    dat_path: Path
    dat: bytes
    dat_type: str = ""


def read_comtrade(path: Path, rate_hz: Fraction | None = None, block: int | None = None) -> Recording:
    """Read a COMTRADE .cfg and the .dat beside it, or a .cff, in any data type (ASCII, BINARY, BINARY32, FLOAT32).

    Time comes from the sample numbers and the .cfg's rate (or `rate_hz`, which overrides it), because the
    .dat's stamps wrap in real files; they count only when the .cfg has no rate. Of a file with several rates `block`
    is read, counted from 1, or the first one at the highest rate. Channels are as sampled: skew is not corrected.
    RecordingError for anything that cannot be read; a missing sample is a fault of its channel only.
    """
    parts = _single_file(path) if path.suffix.lower() == ".cff" else _pair(path)
    text, encoding = decode(parts.cfg)
    cfg = read_configuration(path, text)
    notes = list(cfg.notes)
    if parts.dat_type and parts.dat_type != cfg.data_type:
        raise RecordingError(
            f"{path}: its data are {parts.dat_type} by the line above them, {cfg.data_type} by the configuration"
        )
    if cfg.data_type == "ASCII":
        parts = parts._replace(dat=_eight_bit(parts.dat))
        if len(parts.dat) > MOST_TEXT_BYTES:
            raise RecordingError(
                f"{parts.dat_path}: too large, at most {MOST_TEXT_BYTES >> 20} MiB of ASCII can be read: "
                f"cut it into parts"
            )
        check_size(parts.dat_path, parts.dat.count(b"\n"), len(cfg.analog))
    held = rows_held(parts.dat_path, cfg, parts.dat)
    promised = cfg.rates[-1][1] if cfg.rates else held
    if held < promised:
        raise RecordingError(
            f"{parts.dat_path}: truncated, {path.name} promises {promised} samples and the file holds {held}"
        )
    chosen = _chosen(path, _blocks(cfg, held), block, notes)
    if len(_blocks(cfg, held)) == 1 and held > promised:
        notes.append(f"all {held} samples of {parts.dat_path.name} are used, {path.name} counts {promised}")
        chosen = chosen._replace(end=held)
    if chosen.first >= chosen.end:
        raise RecordingError(f"{parts.dat_path}: empty, it holds no samples")
    stamped = rate_hz is None and (cfg.stamped or not chosen.rate_hz)
    if stamped and not cfg.stamped:
        raise RecordingError(f"{path}: no sampling rate; give it with --rate")
    if rate_hz is None and not stamped and chosen.rate_hz < LEAST_RATE_HZ:
        raise RecordingError(
            f"{path}: its rate is {float(chosen.rate_hz):g} samples a second, too few for a line frequency: is that in "
            f"kHz, or for a cycle? Give the rate with --rate"
        )
    check_size(parts.dat_path, chosen.end, len(cfg.analog))
    samples = read_samples(parts.dat_path, cfg, parts.dat, chosen.end)
    rows = slice(chosen.first, chosen.end)
    notes += _numbering_notes(parts.dat_path, samples.numbers[rows])
    skew_us = max(abs(channel.skew_us) for channel in cfg.analog)
    if skew_us:
        notes.append(f"channels are as sampled, their skew of up to {skew_us:g} µs is not corrected")
    channels = tuple(_channel(channel, cfg, samples, k, chosen.first) for k, channel in enumerate(cfg.analog))
    if stamped:
        rate_hz = _stamped_rate(path, cfg, samples.stamps[rows])
    elif rate_hz is None:
        notes += _stamp_notes(cfg, samples.stamps[rows], chosen.rate_hz)
    values = samples.raw[rows]  # scaled in place: memory has room for one of them
    return Recording(path, channels, values, rate_hz or chosen.rate_hz, tuple(notes), encoding, "channel")


def _channel(channel: AnalogChannel, cfg: Configuration, samples: Samples, column: int, first: int) -> RecordedChannel:
    """One channel, its unit and what is wrong with it; its raw samples from `first` on become values, in V or A."""
    raw = samples.raw[first:, column]
    unit = unit_of(channel.unit)
    base, scale = (unit.base, float(unit.scale)) if unit else (channel.unit, 1.0)
    gap = missing(raw, channel, cfg.data_type, cfg.revision)
    doubt = far_out(raw, channel, gap, first)
    with np.errstate(all="ignore"):
        raw[:] = (raw * channel.a + channel.b) * scale
    raw[gap.rows] = np.nan
    fault = channel.fault or text_fault(samples, column, first)
    count = int(gap.rows.sum())
    if fault is None and count == len(raw):
        fault = "is empty: every sample of it is missing"
    elif fault is None and count:
        more = f" and {count - 1} more" if count > 1 else ""
        fault = (
            f"has no value at sample {first + int(np.argmax(gap.rows)) + 1}{more}: {gap.code} stands for a missing one"
        )
    elif fault is None:
        fault = fault_of(raw, lambda row: f"sample {first + row + 1}")
    return RecordedChannel(
        channel.name,
        base,
        channel.phase,
        channel.side,
        channel.primary,
        channel.secondary,
        fault,
        channel.component,
        unit is not None or not channel.unit,
        doubt,
    )


# --- blocks -------------------------------------------------------------------------------------------------------


def _blocks(cfg: Configuration, held: int) -> list[_Block]:
    """Stretches of one rate, from the .cfg's pairs (rate, last sample), of which real files repeat some."""
    blocks: list[_Block] = []
    start = 0
    for rate, last in cfg.rates or ((Fraction(0), held),):
        if blocks and blocks[-1].rate_hz == rate:
            blocks[-1] = blocks[-1]._replace(end=last)
        else:
            blocks.append(_Block(rate, start, last))
        start = last
    return blocks


def _chosen(path: Path, blocks: list[_Block], number: int | None, notes: list[str]) -> _Block:
    if number is not None and not 1 <= number <= len(blocks):
        raise RecordingError(f"{path}: no block {number}, it has {len(blocks)}: choose another with --block")
    if number is None:
        chosen = max(blocks, key=lambda b: b.rate_hz)  # the first of the highest rate
        how = "the first block at"
    else:
        chosen = blocks[number - 1]
        how = f"block {number} at"
    if len(blocks) > 1:
        there = [(k, b) for k, b in enumerate(blocks, 1) if b is not chosen and b.end > b.first]
        others = ", ".join(f"{k} has {float(b.rate_hz):g} Hz" for k, b in there[:8])
        notes.append(
            f"of several sampling rates {how} {float(chosen.rate_hz):g} Hz is used, samples {chosen.first + 1} to "
            f"{chosen.end}; --block chooses another ({others})"
        )
    return chosen


def _numbering_notes(dat_path: Path, numbers: Floats) -> list[str]:
    """Say where samples are not numbered one by one; RecordingError where so many are not that bytes must be amiss.

    Some recorders number none, or by steps; those say nothing.
    """
    steps = np.diff(numbers)
    if len(steps) == 0 or (np.all(steps == steps[0]) and (steps[0] or numbers[0] <= 1)):
        return []
    uneven = np.flatnonzero(steps != 1)
    if len(uneven) > _MOST_UNEVEN * len(steps):
        raise RecordingError(
            f"{dat_path}: after sample {int(uneven[0]) + 1} its samples are not numbered one by one: "
            f"bytes are missing or too many, or the .cfg is of another file"
        )
    if len(uneven) == 0:
        return []
    return [
        f"samples are not numbered one by one (first after sample {int(uneven[0]) + 1}): each counts as the next, "
        f"as if none were left out"
    ]


def _stamp_notes(cfg: Configuration, stamps: Floats, rate_hz: Fraction) -> list[str]:
    """Say so where the time stamps have another rate than the .cfg: one of them is wrong."""
    if cfg.stamp_s is None or len(stamps) < 2:
        return []
    step_s = float(np.median(np.diff(stamps))) * cfg.stamp_s
    ratio = step_s * float(rate_hz)
    if not 0 < ratio < np.inf or abs(ratio - 1) <= _MOST_OFF or not _are_steady(stamps):
        return []
    return [
        f"the time stamps are of {1 / step_s:.6g} samples a second, the .cfg says {float(rate_hz):g}: the .cfg counts; "
        f"if it is wrong, give the rate with --rate"
    ]


def _are_steady(stamps: Floats) -> bool:
    """Return whether most steps from stamp to stamp are one length, as those of a clock are."""
    steps = np.diff(stamps)
    step = np.median(steps)
    return bool(np.mean(np.abs(steps - step) <= max(1.0, _MOST_OFF * abs(step))) > 0.9)


def _eight_bit(dat: bytes) -> bytes:
    """ASCII data that an editor saved with a mark, or in sixteen bits, as they were."""
    encoding = encoding_of(dat[:4096])
    return (
        dat.decode(encoding, "replace").encode("latin-1", "replace")
        if encoding.startswith(("utf-16", "utf-32", "utf-8-"))
        else dat
    )


def _stamped_rate(path: Path, cfg: Configuration, stamps: Floats) -> Fraction:
    if cfg.stamp_s is None:
        raise RecordingError(f"{path}: no sampling rate, and the time multiplier is no number; give it with --rate")
    if np.isnan(stamps).any():
        raise RecordingError(f"{path}: no sampling rate, and time stamps are missing; give it with --rate")
    rate = uniform_rate(stamps * cfg.stamp_s, path)
    if rate < LEAST_RATE_HZ:
        raise RecordingError(
            f"{path}: its time stamps and their multiplier give {float(rate):.3g} samples a second, too few for a line "
            f"frequency; give the rate with --rate"
        )
    if rate > MOST_STAMPED_HZ:
        raise RecordingError(
            f"{path}: its time stamps give {float(rate):.3g} samples a second: are they in µs instead of ns? "
            f"Give the rate with --rate"
        )
    return rate


# --- files --------------------------------------------------------------------------------------------------------


def _pair(cfg_path: Path) -> _Parts:
    cfg = read_bytes(cfg_path, MOST_CFG_BYTES)
    dat_path = _beside(cfg_path, ".dat")
    return _Parts(cfg, dat_path, read_bytes(dat_path, MOST_DAT_BYTES))


def _beside(cfg_path: Path, suffix: str) -> Path:
    """The .dat in whatever case the file system has it."""
    wanted = cfg_path.with_suffix(suffix)
    names = sorted(path for path in cfg_path.parent.iterdir() if path.name.lower() == wanted.name.lower())
    return names[0] if names else wanted


def _single_file(path: Path) -> _Parts:
    """The sections of a .cff; the data are the last, and of as many bytes as their line says."""
    content = read_bytes(path, MOST_DAT_BYTES)
    found: dict[bytes, tuple[bytes, bytes]] = {}
    at = 0
    while (head := _SECTION.search(content, at)) is not None:
        kind = head[1].upper()
        if kind == b"DAT":
            end = head.end() + int(head[3]) if head[3] else len(content)
            if end > len(content):
                raise RecordingError(
                    f"{path}: truncated, its data should have {int(head[3])} bytes and have {len(content) - head.end()}"
                )
            if not head[3] and (head[2] or b"").upper() == b"ASCII" and (after := _SECTION.search(content, head.end())):
                end = after.start()
        else:
            after = _SECTION.search(content, head.end())
            end = after.start() if after else len(content)
        found.setdefault(kind, (content[head.end() : end], (head[2] or b"").upper()))
        at = end
    for kind in (b"CFG", b"DAT"):
        if kind not in found:
            raise RecordingError(
                f"{path}: not well-formed COMTRADE, it has no line '--- file type: {kind.decode()} ---'"
            )
    return _Parts(found[b"CFG"][0], path, found[b"DAT"][0], found[b"DAT"][1].decode("ascii", "replace"))
