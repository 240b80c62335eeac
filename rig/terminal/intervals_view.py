"""What a person sees of a replay of a load's record: registers, rates, months, seasons, demand resets, the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rig.replay.intervals.report import Registers, Report

MOST_READINGS = 12
"""So many of the latest demand resets and self-reads are shown; JSON has all."""

ACTIVE = ("kwh_delivered", "kwh_received")
REACTIVE = ("kvarh_lagging", "kvarh_leading")
_UNITS = {"kwh": "kWh", "kvarh": "kvarh", "kvah": "kVAh", "kw": "kW", "kvar": "kvar", "kva": "kVA"}


def report(r: Report) -> RenderableType:
    """All of it, in 80 columns."""
    head = Table.grid(padding=(0, 2))
    for name, value in _head(r):
        head.add_row(Text(name, style="bold"), value)
    rows: list[RenderableType] = [Text(f"SIMULATED ({r.fidelity})", style="bold yellow"), head]
    if len(r.rates) > 1:
        rows += [Text(), _registers("rate", list(r.rates.items()))]
    rows += [Text(), _registers("month", list(r.months.items()))]
    if len(r.rates) > 1:
        rows += [Text(), _by_rate("month", r.months, list(r.rates))]
    if len(r.season_periods) > 1:
        seasons = [(f"{p.begin[:10]} {p.season}", p.registers) for p in r.season_periods]
        rows += [Text(), _registers("season", seasons, ACTIVE)]
    resets = [(f"{x.time[:10]} {x.cause}", x.registers) for x in r.resets]
    reads = [(_short(x.time), x.registers) for x in r.self_reads]
    for name, readings in (("demand reset", resets), ("self-read", reads)):
        if readings:
            rows += [Text(), _registers(name, readings[-MOST_READINGS:], ACTIVE)]
            if before := len(readings[:-MOST_READINGS]):
                rows.append(Text(f"{before} before these", style="dim"))
    return Group(*rows)


def _head(r: Report) -> Iterable[tuple[str, str]]:
    yield "load", f"{_short(r.begin)} to {_short(r.end)}"
    yield "intervals", f"{r.intervals} of {r.interval_minutes:g} min"
    yield "meter", f"{r.model}, program {r.program}" + (f", times {r.multiplier:g}" if r.multiplier != 1 else "")
    for key, value in r.totals.items():
        if key.startswith("max_"):
            if not key.endswith("_time"):
                at = f" at {_short(r.totals[f'{key}_time'])}" if value is not None else ""
                yield _label(key), f"{_figure(value)}{at}"
        else:
            yield _label(key), _figure(value)
    if r.demand:
        yield "demand", f"{r.demand}, resets: {len(r.resets)}"
    if r.profile_words:
        yield "recorder", f"{r.profile_words} words"
    if r.rate_changes:
        yield "rate changes", f"{r.rate_changes}"
    if r.events:
        counts = Counter(line.event for line in r.events)
        yield "log", ", ".join(f"{event} ×{count}" for event, count in counts.items())


def _registers(
    name: str, rows: Sequence[tuple[str, Registers]], energies: Sequence[str] = (*ACTIVE, *REACTIVE)
) -> Table:
    """A row of registers for each, and of demand the first quantity."""
    _, keys = rows[0]
    shown = [key for key in energies if key in keys]
    top = next((key for key in keys if key.startswith("max_")), None)
    table = _table(name, [_label(key) for key in (*shown, *([top] if top else []))], ["at"] if top else [])
    for label, registers in rows:
        cells = [_figure(registers[key]) for key in shown]
        if top:
            cells += [_figure(registers[top]), _short(registers[f"{top}_time"])]
        table.add_row(label, *cells)
    return table


def _by_rate(name: str, periods: dict[str, Registers], rates: Sequence[str]) -> Table:
    """kWh delivered of each, by rate."""
    table = _table(name, [f"kWh {rate}" for rate in rates])
    for label, registers in periods.items():
        by_rate: dict[str, Registers] = registers["rates"]
        table.add_row(label, *(_figure(by_rate.get(rate, {}).get("kwh_delivered", 0.0)) for rate in rates))
    return table


def _table(first: str, figures: Sequence[str], texts: Sequence[str] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(first, no_wrap=True)
    for column in figures:
        table.add_column(column.replace(" ", "\n", 1), justify="right", no_wrap=True)
    for column in texts:
        table.add_column(column, no_wrap=True)
    return table


def _label(key: str) -> str:
    """kwh_delivered → kWh delivered; max_kva_td → max kVA td."""
    return " ".join(_UNITS.get(word, word) for word in key.split("_"))


def _figure(value: float | None) -> str:
    """Three decimals, and fewer of what has more than six digits before the point."""
    if value is None:
        return "–"
    return f"{value:.{min(3, max(0, 9 - len(str(int(abs(value))))))}f}"


def _short(time: str | None) -> str:
    """2011-07-01T00:30:00-04:00 → 2011-07-01 00:30"""
    return "–" if time is None else time[:16].replace("T", " ")
