"""A captured waveform on the terminal: six traces in braille dots, their scales, the trigger, the time axis."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from rig.scope.capture import Scope, Trace

ROWS = 4
"""Lines of a trace; a line has four dots."""

LEFT, RIGHT, FRAME = 10, 24, 4
"""Columns of the scale before a trace, of its figures after it, and of the frame around all."""

LEAST_TRACE = 20
"""Columns of a trace; where there is no room for them beside its figures, these stand below it."""

UNIT = " ms"
"""Of the time axis, behind its last label."""

_COLOURS = ("yellow", "cyan", "magenta")
_BRAILLE = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The dot of a braille character at (row, column)."""


def scope_view(scope: Scope, width: int) -> RenderableType:
    """The whole picture, `width` columns wide: voltages on one scale, currents on another."""
    beside = width - LEFT - RIGHT - FRAME >= LEAST_TRACE
    columns = max(LEAST_TRACE, width - LEFT - (RIGHT if beside else 0) - FRAME)
    first = next(iter(scope.channels.values()))
    count = len(first.samples)
    at = scope.trigger_index * (columns - 1) // max(1, count - 1)
    tops = {unit: _round_up(max(t.peak for t in scope.channels.values() if t.unit == unit)) for unit in ("V", "A")}
    hz = "–" if scope.frequency_hz is None else f"{scope.frequency_hz:.3f}"
    title = f"rig scope   {hz} Hz   {count} samples at {scope.sample_hz:.0f} Hz"
    rows: list[RenderableType] = [] if beside else [Text(title, style="italic")]
    rows.append(_trigger(scope.trigger, at, width - FRAME))
    for number, (name, trace) in enumerate(scope.channels.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        rows += _trace(name.upper(), trace, tops[trace.unit], columns, at, colour, beside)
    rows += _time_axis(scope, count, columns)
    return Panel(
        Group(*rows), title=Text(title) if beside else None, subtitle=scope.provenance.mark or None,
        width=LEFT + columns + (RIGHT if beside else 0) + FRAME,
    )  # fmt: skip


def _trigger(trigger: str, at: int, width: int) -> Text:
    """The mark above the trigger's sample, and what it was, on the side that has room."""
    mark = " " * (LEFT + at) + "▼ "
    if len(mark) + len(trigger) > width and len(trigger) < LEFT + at:
        mark, trigger = f"{trigger} ▼".rjust(LEFT + at + 1), ""
    return Text(mark + trigger, style="bold")


def braille(samples: Sequence[float], top: float, columns: int, rows: int) -> list[str]:
    """Lines of dots: each dot column shows from least to most of its samples, joined to the column before."""
    width, height = 2 * columns, 4 * rows
    cells = [[0] * columns for _ in range(rows)]
    before: int | None = None
    for x in range(width):
        begin = x * len(samples) // width
        part = samples[begin : max(begin + 1, (x + 1) * len(samples) // width)]
        dots = [round((1 - value / top) / 2 * (height - 1)) for value in part]
        low, high = min(dots), max(dots)
        if before is not None:
            low, high = min(low, before + 1), max(high, before - 1)
        before = dots[-1]
        for y in range(max(0, low), min(height, high + 1)):
            cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return ["".join(chr(_BRAILLE + cell) for cell in line) for line in cells]


def _trace(name: str, trace: Trace, top: float, columns: int, at: int, colour: str, beside: bool) -> list[Text]:
    figures = [f"  {name} {_si(trace.rms, trace.unit)} rms", f"     {_si(trace.peak, trace.unit)} peak"]
    figures += [] if trace.frequency_hz is None else [f"     {trace.frequency_hz:.2f} Hz"]
    lines = []
    if not beside:
        lines, figures = [Text("  ".join(map(str.strip, figures)), style=f"bold {colour}")], []
    for row, dots in enumerate(braille(trace.samples, top, columns, ROWS)):
        scale = {0: _si(top, trace.unit), ROWS - 1: _si(-top, trace.unit)}.get(row, "")
        line = Text(f"{scale:>{LEFT - 2}} ┤" if scale else " " * (LEFT - 1) + "│", style="dim")
        line.append(dots[:at], style=colour)
        blank = dots[at] == chr(_BRAILLE)
        line.append("┊" if blank else dots[at], style="dim" if blank else colour)
        line.append(dots[at + 1 :], style=colour)
        if beside:
            line.append(f"{figures[row] if row < len(figures) else '':<{RIGHT}}", style=f"bold {colour}")
        lines.append(line)
    return lines


def _time_axis(scope: Scope, count: int, columns: int) -> list[Text]:
    """A line with ticks at round milliseconds, 0 at the trigger, and their labels below."""
    milliseconds = 1000 / scope.sample_hz
    begin, end = -scope.trigger_index * milliseconds, (count - 1 - scope.trigger_index) * milliseconds
    step = _round_up(max(end - begin, milliseconds) / max(2, columns // 9))
    line, labels = ["─"] * columns, [" "] * columns
    free = 0
    for k in range(math.ceil(begin / step), math.floor(end / step) + 1):
        x = round((k * step - begin) / max(end - begin, milliseconds) * (columns - 1))
        line[x] = "┬"
        label = f"{k * step:g}"
        if free <= x <= columns - len(label) - len(UNIT):
            labels[x : x + len(label)] = label
            free = x + len(label) + 1
    axis = " " * (LEFT - 1) + "└" + "".join(line)
    return [Text(axis, style="dim"), Text(" " * LEFT + "".join(labels).rstrip() + UNIT, style="dim")]


def _round_up(value: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten."""
    if value <= 0:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(value))
    return next(m * decade for m in (1, 2, 2.5, 5, 10) if m * decade >= value * (1 - 1e-9))


def _si(value: float, unit: str) -> str:
    """Four digits with the prefix of the size: 169.7 V, 20 mA, 69 kV."""
    for factor, prefix in ((1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m")):
        if abs(value) >= factor:
            return f"{value / factor:.4g} {prefix}{unit}"
    return f"{value * 1e6:.3g} µ{unit}" if value else f"0 {unit}"
