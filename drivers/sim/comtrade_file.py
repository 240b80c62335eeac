"""Recordings in COMTRADE files (IEEE C37.111 of 1991, 1999 and 2013), through the comtrade library.

Around the library: encodings, the true number of samples, rates, units, and one clear sentence a fault.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import comtrade
import numpy as np

from drivers.sim.recording import (
    RecordedChannel,
    Recording,
    RecordingError,
    decode,
    fault_of,
    read_bytes,
    uniform_rate,
)

_UNITS = {
    **{
        text: ("V", scale) for text, scale in (("V", 1.0), ("kV", 1e3), ("KV", 1e3), ("mV", 1e-3), ("v", 1.0))
    },
    **{
        text: ("A", scale) for text, scale in (("A", 1.0), ("kA", 1e3), ("KA", 1e3), ("mA", 1e-3), ("a", 1.0))
    },
}
_VALUE_BYTES = {"BINARY": 2, "BINARY32": 4, "FLOAT32": 4}


class _Block(NamedTuple):
    """Rows of one sampling rate; a rate of 0 means that time stamps tell."""

    rate_hz: Fraction
    first: int
    end: int


def read_comtrade(cfg_path: Path, rate_hz: Fraction | None = None) -> Recording:
    """Read a COMTRADE .cfg and the .dat beside it (ASCII, BINARY, BINARY32, FLOAT32).

    Time comes from the sample numbers and the .cfg's rate (or `rate_hz`, which overrides it), because the
    .dat's stamps wrap in real files; they count only when the .cfg has no rate. Of a file with several rates
    the first block at the highest one is read. Channels are as sampled: skew is not corrected.
    RecordingError for anything that cannot be read.
    """
    text = decode(read_bytes(cfg_path))
    cfg = comtrade.Cfg(ignore_warnings=True)
    _call_library(cfg_path, cfg.read, text)
    form = cfg.ft.strip().upper()
    if form not in (*_VALUE_BYTES, "ASCII"):
        raise RecordingError(
            f"{cfg_path}: unknown data type '{form}', it would have to be ASCII, BINARY, BINARY32 or FLOAT32"
        )
    dat_path = _dat_beside(cfg_path)
    dat = read_bytes(dat_path)
    promised, held = cfg.sample_rates[-1][1], _rows_held(cfg, form, dat)
    if held < promised:
        raise RecordingError(
            f"{dat_path}: truncated, {cfg_path.name} promises {promised} samples and the file holds {held}"
        )
    notes = []
    for rate, _ in cfg.sample_rates:
        if not (math.isfinite(rate) and rate >= 0):
            raise RecordingError(f"{cfg_path}: a rate of {rate:g} Hz cannot be, give the right one with --rate")
    blocks = _blocks(cfg.sample_rates)
    block = max(blocks, key=lambda b: b.rate_hz)  # the first of the highest rate
    if len(blocks) > 1:
        notes.append(
            f"of several sampling rates the first block at {float(block.rate_hz):g} Hz is used, "
            f"samples {block.first + 1} to {block.end}"
        )
    elif held > promised:
        notes.append(f"all {held} samples of {dat_path.name} are used, {cfg_path.name} counts {promised}")
        block = block._replace(end=held)
    if block.first >= block.end:
        raise RecordingError(f"{dat_path}: empty, it holds no samples")
    stamped = cfg.timestamp_critical and rate_hz is None
    if not (stamped or rate_hz or block.rate_hz):
        raise RecordingError(f"{cfg_path}: no sampling rate; give it with --rate")

    record = comtrade.Comtrade(ignore_warnings=True, use_numpy_arrays=True, use_double_precision=True)
    content = dat.decode("latin-1") if form == "ASCII" else dat
    _call_library(cfg_path, record.read, _with_one_block(text, cfg, block.end, stamped), content)
    rows = slice(block.first, block.end)
    skew_us = max((abs(channel.skew) for channel in cfg.analog_channels), default=0.0)
    if skew_us:
        notes.append(f"channels are as sampled, their skew of up to {skew_us:g} µs is not corrected")
    values = np.empty((block.end - block.first, cfg.analog_count))
    channels = []
    for k, channel in enumerate(cfg.analog_channels):
        unit, scale = _UNITS.get(channel.uu.strip(), (channel.uu.strip(), 1.0))
        values[:, k] = record.analog[k][rows] * scale
        channels.append(
            RecordedChannel(
                channel.name,
                unit,
                channel.ph,
                "S" if channel.pors.upper() == "S" else "P",
                channel.primary,
                channel.secondary,
                fault_of(values[:, k], lambda row: f"sample {block.first + row + 1}"),
            )
        )
    if stamped:
        rate_hz = uniform_rate(record.time[rows], cfg_path)
    return Recording(cfg_path, tuple(channels), values, rate_hz or block.rate_hz, tuple(notes))


def _call_library(cfg_path: Path, call: Callable[..., object], *arguments: object) -> None:
    """The library raises whatever its parsing runs into, and warns."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(*arguments)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise RecordingError(f"{cfg_path}: not well-formed COMTRADE ({reason})") from None


def _dat_beside(cfg_path: Path) -> Path:
    """The .dat in whatever case the file system has it."""
    wanted = cfg_path.with_suffix(".dat")
    names = sorted(path for path in cfg_path.parent.iterdir() if path.name.lower() == wanted.name.lower())
    return names[0] if names else wanted


def _rows_held(cfg: comtrade.Cfg, form: str, dat: bytes) -> int:
    if form == "ASCII":
        return sum(1 for line in dat.splitlines() if line.strip(b" \t\x1a"))
    return len(dat) // int(8 + _VALUE_BYTES[form] * cfg.analog_count + 2 * -(-cfg.status_count // 16))


def _blocks(sample_rates: Sequence[tuple[float, int]]) -> list[_Block]:
    """Stretches of one rate, from the .cfg's pairs (rate, last sample), of which real files repeat some."""
    blocks: list[_Block] = []
    start = 0
    for rate, last in sample_rates:
        if blocks and blocks[-1].rate_hz == Fraction(str(rate)):
            blocks[-1] = blocks[-1]._replace(end=last)
        else:
            blocks.append(_Block(Fraction(str(rate)), start, last))
        start = last
    return blocks


def _with_one_block(text: str, cfg: comtrade.Cfg, samples: int, stamped: bool) -> str:
    """The .cfg with one rate line in place of its own, so that the library reads just these samples.

    Its rate matters only as 0, which keeps the time stamps.
    """
    lines = text.splitlines()
    at = 3 + cfg.analog_count + cfg.status_count
    lines[at : at + 1 + cfg.nrates] = ["0", f"0,{samples}"] if stamped else ["1", f"1,{samples}"]
    return "\n".join(lines)
