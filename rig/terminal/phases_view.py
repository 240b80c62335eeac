"""The phases beside each other, in as many lines as the width asks for: no figure is ever cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from rig.results.summary import Phase

Row = tuple[str, Callable[[Phase], str]]
"""A label, and what stands beside it for a phase."""

_VOLTS: Row = ("V", lambda p: f"{p.v_rms:8.2f}")
_VOLTS_AT: Row = ("V", lambda p: f"{p.v_rms:8.2f} ∠{_angle(p.angle_deg, 5)}°")
_VOLTS_ALL: Row = ("V", lambda p: f"{p.v_rms:8.2f} ∠{_angle(p.angle_deg, 5)}° {_field(p.tdr_v_pct, 6, 2)}%")
_AMPERES: Row = ("A", lambda p: f"{p.i_rms:8.4f}")
_AMPERES_AT: Row = ("A", lambda p: f"{p.i_rms:8.4f} ∠{_angle(p.i_angle_deg, 5)}°")
_AMPERES_ALL: Row = ("A", lambda p: f"{p.i_rms:8.4f} ∠{_angle(p.i_angle_deg, 5)}° {_field(p.tdr_i_pct, 6, 2)}%")
_VOLTS_ANGLE: Row = ("∠", lambda p: f"{_angle(p.angle_deg, 8)}°")
_AMPERES_ANGLE: Row = ("∠", lambda p: f"{_angle(p.i_angle_deg, 8)}°")
_VOLTS_TDR: Row = ("TDR", lambda p: f"{_field(p.tdr_v_pct, 8, 2)}%")
_AMPERES_TDR: Row = ("TDR", lambda p: f"{_field(p.tdr_i_pct, 8, 2)}%")
_TDR: Row = ("TDR", lambda p: f"{_field(p.tdr_v_pct, 8, 2)}% {_field(p.tdr_i_pct, 6, 2)}%")
_WATTS: Row = ("W", lambda p: f"{p.p_w:z8.2f}")
_VARS: Row = ("var", lambda p: _field(p.q_var, 8, 2))
_VARS_ALL: Row = ("var", lambda p: f"{_field(p.q_var, 8, 2)} φ{_field(_lag_deg(p), 7, 2)}°")
_LAG: Row = ("φ", lambda p: f"{_field(_lag_deg(p), 8, 2)}°")
_VA: Row = ("VA", lambda p: f"{p.s_va:8.2f}")
_VA_ALL: Row = ("VA", lambda p: f"{p.s_va:8.2f} PF {_power_factor(p)}")
_PF: Row = ("PF", lambda p: f"  {_power_factor(p)}")
_PF_ALONE: Row = ("PF", lambda p: f"{_field(p.pf, 8, 4)}")
_PF_SENSE: Row = ("", lambda p: f"{_sense(p):>8}")

ARRANGEMENTS: tuple[tuple[Row, ...], ...] = (
    (_VOLTS_ALL, _AMPERES_ALL, _WATTS, _VARS_ALL, _VA_ALL),
    (_VOLTS_AT, _AMPERES_AT, _TDR, _WATTS, _VARS, _LAG, _VA, _PF),
    (_VOLTS, _VOLTS_ANGLE, _VOLTS_TDR, _AMPERES, _AMPERES_ANGLE, _AMPERES_TDR, _WATTS, _VARS, _LAG, _VA, _PF_ALONE,
     _PF_SENSE),
)  # fmt: skip
"""The same figures in fewer and fewer columns: the first that fits is taken, of the last the phases if need be below
each other, so that none is ever cut."""

LABELS = 4
"""Columns of the labels, with the blank behind them."""


@dataclass(frozen=True)
class Phases:
    """A column for each phase: volts and amperes with their angle lagging from Va, as meters show it, and distortion,
    in a line of its own that of the volts first; watts; vars by quarter cycle, and φ, the fundamental current's lag
    behind its voltage; volt-amperes and PF."""

    values: dict[str, Phase]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for rows in ARRANGEMENTS if self.values else ():
            if _needed(rows, self.values) <= options.max_width:
                yield _beside(rows, self.values)
                return
        for name, phase in self.values.items():
            yield _beside(ARRANGEMENTS[-1], {name: phase})


def _beside(rows: Sequence[Row], values: dict[str, Phase]) -> Table:
    table = Table(expand=True, box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True, min_width=LABELS - 1)
    for name in values:
        table.add_column(Text(f"{name.upper():>8}"), no_wrap=True, overflow="fold", ratio=1)
    for label, cell in rows:
        table.add_row(label, *(Text(cell(phase)) for phase in values.values()))
    return table


def _needed(rows: Sequence[Row], values: dict[str, Phase]) -> int:
    """Columns that all phases beside each other take, with a blank between them."""
    widest = max((len(cell(phase)) for _, cell in rows for phase in values.values()), default=0)
    return LABELS + len(values) * (widest + 1) - 1


def _lag_deg(p: Phase) -> float | None:
    if p.p1_w is None or p.q1_var is None or not (p.p1_w or p.q1_var):
        return None
    return math.degrees(math.atan2(p.q1_var, p.p1_w))


def _power_factor(p: Phase) -> str:
    return f"{or_dash(p.pf, '.4f')} {_sense(p)}".rstrip()


def _sense(p: Phase) -> str:
    """Of P/S: lag (quadrants 1 and 3) or lead (2 and 4), where the fundamental says so."""
    lag = _lag_deg(p)
    if p.pf is None or lag is None or f"{abs(p.pf):.4f}" == "1.0000":
        return ""
    return "lag" if lag % 180 < 90 else "lead"


def _field(value: float | None, width: int, decimals: int) -> str:
    return f"{or_dash(value, f'.{decimals}f'):>{width}}"


def _angle(value: float | None, width: int) -> str:
    """An angle from 0 to 359.9: what rounds to 360 is 0."""
    return _field(None if value is None else round(value, 1) % 360, width, 1)


def or_dash(value: float | None, form: str) -> str:
    """Format a figure, one that rounds to 0 without a sign; what is not known is a dash."""
    return "–" if value is None else format(value, f"z{form}")
