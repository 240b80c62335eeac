"""A captured waveform as a file: COMTRADE (IEEE C37.111-1999, binary) or CSV, whole or not at all."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from rig.scope.capture import Scope, ScopeError

_COLUMNS = {"v1": "va", "v2": "vb", "v3": "vc", "i1": "ia", "i2": "ib", "i3": "ic"}
_MOST = 32767  # of a 16-bit value; −32768 means that there is none


@dataclass(frozen=True)
class PrimaryRatios:
    """The transformers' ratios, for whoever reads a file: its values are primary ones."""

    vt: float = 1.0
    ct: float = 1.0


def comtrade_pair(cfg: Path) -> tuple[Path, Path]:
    """The two files of a COMTRADE recording; ScopeError unless the name ends in .cfg."""
    if cfg.suffix.lower() != ".cfg":
        raise ScopeError(f"{cfg}: a COMTRADE file's name ends in .cfg, and its samples go to the .dat beside it")
    return cfg, cfg.with_suffix(".DAT" if cfg.suffix.isupper() else ".dat")


def comtrade(scope: Scope, cfg: Path, when: datetime, ratios: PrimaryRatios) -> dict[Path, bytes]:
    """Both files. `when` is the trigger's time; each channel's scale lets its largest value use the 16 bits."""
    cfg, dat = comtrade_pair(cfg)
    traces = list(scope.channels.values())
    count = len(traces[0].samples)
    scales = [(trace.peak or 1.0) / _MOST for trace in traces]
    station = f"AE-0764 rig {scope.provenance.mark}".rstrip()
    lines = [f"{station},{scope.build},1999", f"{len(traces)},{len(traces)}A,0D"]
    for number, ((name, trace), scale) in enumerate(zip(scope.channels.items(), scales, strict=True), 1):
        ratio = ratios.vt if trace.unit == "V" else ratios.ct
        column = _COLUMNS[name].upper()
        lines.append(f"{number},{column},{column[1]},,{trace.unit},{scale:.12g},0,0,{-_MOST},{_MOST},{ratio:.12g},1,P")
    first = when - timedelta(seconds=scope.trigger_index / scope.sample_hz)
    hz = round(scope.frequency_hz) if scope.frequency_hz else 60
    lines += [f"{hz}", "1", f"{scope.sample_hz!r},{count}", _moment(first), _moment(when), "BINARY", "1"]
    row = struct.Struct(f"<ii{len(traces)}h")
    rows = [
        row.pack(
            k + 1,
            round(k / scope.sample_hz * 1e6),
            *(round(t.samples[k] / s) for t, s in zip(traces, scales, strict=True)),
        )
        for k in range(count)
    ]
    return {dat: b"".join(rows), cfg: ("\r\n".join(lines) + "\r\n").encode()}


def csv(scope: Scope, path: Path, when: datetime) -> dict[Path, bytes]:
    """Rows of time_s (0 at the trigger) and va vb vc ia ib ic, after comments that say where they come from."""
    made = scope.provenance
    mark = f"{made.mark} " if made.mark else ""
    lines = [
        f"# {made.line}",
        f"# {mark}trigger {scope.trigger} at {when.isoformat()}, tick {scope.trigger_tick}",
        ",".join(("time_s", *(_COLUMNS[name] for name in scope.channels))),
    ]
    for k, values in enumerate(zip(*(t.samples for t in scope.channels.values()), strict=True)):
        time_s = (k - scope.trigger_index) / scope.sample_hz
        lines.append(",".join((f"{time_s:.9f}", *(f"{v:.7g}" for v in values))))
    return {path: ("\n".join(lines) + "\n").encode()}


def _moment(when: datetime) -> str:
    return when.strftime("%d/%m/%Y,%H:%M:%S.%f")
