"""The samples of a COMTRADE recording in its four data types, and which of them are missing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.sim.comtrade_cfg import AnalogChannel, Configuration
from drivers.sim.recording import RecordingError, check_size, shown
from drivers.sim.source import Floats

MISSING_STAMP = 0xFFFFFFFF
_CODES = {"BINARY": "<i2", "BINARY32": "<i4", "FLOAT32": "<f4"}
_ASCII_MISSING = {1991: 999999.0, 1999: 99999.0}
_FLOAT32_MISSING = float(np.finfo(np.float32).min)
_MOST_LINE = 4 << 20
_CHUNK_CELLS = 400_000
_FAR = 0.5
"""Of the range: many files round it, or have that of the converter's other setting."""
_FEW, _FEWEST = 0.01, 3
"""Of the samples: where more are outside, the range is wrong."""
_NEARLY_ALL = 0.99
_JUDGED, _JUDGED_LEAST = 100_000, 50
_LEAST_NORMAL = float(np.finfo(np.float32).tiny)
_LARGE = 0.1
"""Of a channel's peak: samples beyond it on both sides make a lone code between them a gap, no crossing of zero."""


class Samples(NamedTuple):
    """Samples of the data: `raw` float64 of shape (rows, analog channels), NaN where nothing stands; `stamps` in the
    file's own unit, NaN where missing; the sample `numbers`; and for single cells the text that is no number."""

    raw: Floats
    stamps: Floats
    numbers: Floats
    texts: dict[tuple[int, int], str]


class Gap(NamedTuple):
    """The missing samples of one channel: which rows, and the code in words."""

    rows: NDArray[np.bool_]
    code: str


def rows_held(path: Path, cfg: Configuration, data: bytes) -> int:
    """Count the samples that the data hold, whatever the configuration counts."""
    if cfg.data_type == "ASCII":
        return sum(1 for line in _lines(path, data) if line)
    return len(data) // _row(cfg).itemsize


def read_samples(path: Path, cfg: Configuration, data: bytes, rows: int) -> Samples:
    """Read the first `rows` samples, at most those there are; RecordingError for data that are not as configured."""
    check_size(path, rows, len(cfg.analog))
    return _ascii(path, cfg, data, rows) if cfg.data_type == "ASCII" else _binary(path, cfg, data, rows)


def missing(raw: Floats, channel: AnalogChannel, data_type: str, revision: int) -> Gap:
    """Find the missing samples of a channel, by the revision's code and by its number, however that is written.

    1991 writes 999999, in BINARY FFFF; 1999 writes 99999, in BINARY 8000; 2013 leaves the field empty, in BINARY32
    80000000, in FLOAT32 the least number there is. An empty field is missing in all, and another revision's code is
    where it is the only thing outside the channel's own range.
    """
    empty = np.isnan(raw)
    found, code = empty, "an empty field or nan"
    own: float | None
    if data_type == "ASCII":
        own, others = _ASCII_MISSING.get(revision), tuple(_ASCII_MISSING.values())
    elif data_type == "BINARY":
        own, others = (None if revision == 1991 else -32768.0), (-32768.0, -1.0, 65535.0)
        if revision == 1991 and (lone := _between_large(raw, -1.0)).any():
            found, code = found | lone, "FFFF"
    else:
        own, others = (-2147483648.0 if data_type == "BINARY32" else _FLOAT32_MISSING), ()
    if own is not None and (coded := raw == own).any():
        found, code = found | coded, f"{own:.9g}"
    if channel.low is not None and channel.high is not None and channel.low < channel.high:
        outside = ((raw < channel.low) | (raw > channel.high)) & ~found
        foreign = outside & np.isin(raw, others)
        if foreign.any() and np.array_equal(foreign, outside):
            found, code = found | foreign, f"{raw[np.argmax(foreign)]:.9g}, outside the channel's own range,"
    return Gap(found, code)


def far_out(raw: Floats, channel: AnalogChannel, gap: Gap, first: int) -> str | None:
    """Say that a few samples are far outside the channel's own range, as a code for a missing one may be; else None.

    Without a range they are far beyond all others.
    """
    low, high = channel.low, channel.high
    few = max(_FEWEST, int(_FEW * len(raw)))
    if low is not None and high is not None and low < high:
        width = high - low
        what = f"outside the channel's own range of {low:.9g} to {high:.9g}"
    else:
        usual = float(np.sort(np.abs(raw[~gap.rows]))[: -few or None].max(initial=0.0))
        low, high, width = -usual, usual, 2 * usual
        what = "beyond all others"
    out = ((raw < low - _FAR * width) | (raw > high + _FAR * width)) & ~gap.rows
    count = int(out.sum())
    if not 0 < count <= few or not width:
        return None
    at = int(np.argmax(out))
    more = f" and {count - 1} more are" if count > 1 else " is"
    return (
        f"sample {first + at + 1}, {raw[at]:.9g},{more} far {what}: taken as it is; if it stands for a missing one, "
        f"leave the channel out"
    )


def _between_large(raw: Floats, code: float) -> NDArray[np.bool_]:
    """Runs of a code between samples that are large and of one sign: 1991's FFFF is −1 as well. At an end of the
    record, where the samples beside them go on so."""
    hits = np.zeros(len(raw), bool)
    coded = raw == code
    if not coded.any():
        return hits
    large = _LARGE * float(np.nanmax(np.abs(raw)))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], coded, [False])).astype(np.int8)))
    for first, end in zip(edges[0::2], edges[1::2], strict=True):
        if 0 < first and end < len(raw):
            before, after = raw[first - 1], raw[end]
            hits[first:end] = min(abs(before), abs(after)) > large and (before > 0) == (after > 0)
        elif first == 0 and end + 3 <= len(raw):
            hits[:end] = _goes_on(raw[end : end + 3], large)
        elif first >= 3:
            hits[first:] = _goes_on(raw[first - 3 : first][::-1], large)
    return hits


def _goes_on(nearest: Floats, large: float) -> bool:
    """Return whether the next of three samples, by the curve through them, would be large and of their sign."""
    near, middle, far = (float(value) for value in nearest)
    following = 3 * (near - middle) + far
    return abs(near) > large and following * np.sign(near) > 2 * large


# --- binary ---------------------------------------------------------------------------------------------------------


def _row(cfg: Configuration, data_type: str | None = None) -> np.dtype[np.void]:
    words = -(-cfg.status_count // 16)
    code = _CODES[data_type or cfg.data_type]
    return np.dtype(
        [("number", "<u4"), ("stamp", "<u4"), ("analog", code, (len(cfg.analog),)), ("status", "<u2", (words,))]
    )


def _binary(path: Path, cfg: Configuration, data: bytes, rows: int) -> Samples:
    if _is_text(data):
        raise RecordingError(f"{path}: is text, the .cfg says {cfg.data_type}")
    row = _row(cfg)
    table = np.frombuffer(data, row, min(rows, len(data) // row.itemsize))
    numbers = table["number"]
    if not _consecutive(numbers[:1000]):
        if _consecutive(numbers[:1000].byteswap()):
            raise RecordingError(
                f"{path}: its numbers have their bytes in the other order, a COMTRADE file has the low one first: "
                "turn them round"
            )
        for other in _CODES:
            layout = _row(cfg, other)
            count = min(len(data) // layout.itemsize, 1000)
            if layout.itemsize != row.itemsize and _consecutive(np.frombuffer(data, layout, count)["number"]):
                raise RecordingError(f"{path}: its samples are laid out as {other}, the .cfg says {cfg.data_type}")
    if (other_type := _other_32(table["analog"], cfg.data_type)) is not None:
        raise RecordingError(f"{path}: its samples are laid out as {other_type}, the .cfg says {cfg.data_type}")
    with np.errstate(invalid="ignore"):  # a signalling NaN of FLOAT32
        raw = table["analog"].astype(np.float64)
    if cfg.data_type == "BINARY":
        for k, channel in enumerate(cfg.analog):
            if channel.low is not None and channel.low >= 0 and (channel.high or 0) > 32767:
                raw[:, k] = table["analog"][:, k].astype(np.uint16)  # of 1991, before numbers had signs
    stamps = table["stamp"].astype(np.float64)
    stamps[table["stamp"] == MISSING_STAMP] = np.nan
    return Samples(raw, stamps, numbers.astype(np.float64), {})


def _consecutive(numbers: NDArray[np.unsignedinteger]) -> bool:
    """Return whether most samples are numbered one by one, as all data types have them."""
    return len(numbers) > 1 and bool(np.mean(np.diff(numbers.astype(np.int64)) == 1) > 0.5)


def _other_32(analog: NDArray[Any], data_type: str) -> str | None:
    """Give the other type of 32 bits, where nearly all samples are sensible in it alone: whole numbers are next to
    nothing, or none, as FLOAT32; those of FLOAT32 are near a thousand million, and never small, as BINARY32."""
    if data_type not in ("BINARY32", "FLOAT32"):
        return None
    words = np.ascontiguousarray(analog)[: _JUDGED // max(1, analog.shape[1])].view("<i4")
    with np.errstate(invalid="ignore"):
        size = np.abs(words[words != 0].view("<f4").astype(np.float64))
    if len(size) < _JUDGED_LEAST:
        return None
    if data_type == "FLOAT32":
        return "BINARY32" if np.mean(np.isnan(size) | (size < _LEAST_NORMAL)) > _NEARLY_ALL else None
    return "FLOAT32" if np.mean((size > 1e-6) & (size < 1e9)) > _NEARLY_ALL else None


def _is_text(data: bytes) -> bool:
    head = data[:200]
    return head.count(b",") > 3 and all(byte in b"0123456789,.+-eE \t\r\n" for byte in head)


# --- text -----------------------------------------------------------------------------------------------------------


def _lines(path: Path, data: bytes) -> Iterator[bytes]:
    """The lines, blank ones as b''."""
    one_kind = data if b"\n" in data else data.replace(b"\r", b"\n")
    for line in io.BytesIO(one_kind):
        if len(line) > _MOST_LINE:
            raise RecordingError(f"{path}: a line of {len(line)} bytes: this is no ASCII data")
        yield line.strip(b" \t\r\n\x1a\0")


def _ascii(path: Path, cfg: Configuration, data: bytes, rows: int) -> Samples:
    analog, fields = len(cfg.analog), 2 + len(cfg.analog) + cfg.status_count
    raw = np.full((rows, analog), np.nan)
    head = np.full((rows, 2), np.nan)
    texts: dict[tuple[int, int], str] = {}
    numbered = ((number, line) for number, line in enumerate(_lines(path, data), 1) if line)
    at = 0
    while at < rows and (chunk := list(islice(numbered, min(rows - at, max(1, _CHUNK_CELLS // fields))))):
        end = at + len(chunk)
        table = _plain(chunk, 2 + analog, fields)
        if table is None:
            cells = [_fields(path, number, line, cfg) for number, line in chunk]
            table = np.concatenate([_numbers([r[:2] for r in cells], at, {}),
                                    _numbers([r[2 : 2 + analog] for r in cells], at, texts)], axis=1)  # fmt: skip
        head[at:end], raw[at:end] = table[:, :2], table[:, 2:]
        at = end
    return Samples(raw[:at], head[:at, 1], head[:at, 0], texts)


def _plain(chunk: list[tuple[int, bytes]], columns: int, fields: int) -> Floats | None:
    """The first columns of rows that are all numbers and whole; None for any others, which need a closer look."""
    if any(line.count(b",") != fields - 1 for _, line in chunk):
        return None
    lines = [line.decode("latin-1") for _, line in chunk]
    try:
        return np.loadtxt(lines, delimiter=",", usecols=range(columns), comments=None, ndmin=2)
    except ValueError:
        return None


def _fields(path: Path, number: int, line: bytes, cfg: Configuration) -> list[str]:
    analog, fields = len(cfg.analog), 2 + len(cfg.analog) + cfg.status_count
    row = line.decode("latin-1").split(",")
    while len(row) > fields and not row[-1].strip():
        row.pop()
    if len(row) != fields:
        raise RecordingError(
            f"{path}: line {number} has {len(row)} fields, the .cfg makes it {fields}: number, time, {analog} analog "
            f"and {cfg.status_count} status"
        )
    return row


def _numbers(cells: list[list[str]], at: int, texts: dict[tuple[int, int], str]) -> Floats:
    """The cells as numbers, NaN where there is none; `texts` gets what stands there instead."""
    values = np.full((len(cells), len(cells[0])), np.nan)
    for k, row in enumerate(cells):
        for column, cell in enumerate(row):
            text = cell.strip(" \t\"'")
            try:
                values[k, column] = float(text.replace("_", "x"))
            except ValueError:
                if text:
                    texts[at + k, column] = text
    return values


def text_fault(samples: Samples, column: int, first: int) -> str | None:
    """Say which cell of a column is no number, of the rows from `first` on."""
    rows = [row for row, at in samples.texts if at == column and row >= first]
    return f"is {shown(samples.texts[min(rows), column])} at sample {min(rows) + 1}, no number" if rows else None
