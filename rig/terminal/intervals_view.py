"""View of a replay of a load's record: registers, rates, months, seasons, demand resets, the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rig.replay.intervals.report import RegisterFigures, Report
from rig.terminal.continued import Continued, FigureColumn

MOST_READINGS = 12
"""So many of the latest demand resets and self-reads are shown; JSON has all."""

ACTIVE = ("kwh_delivered", "kwh_received")
REACTIVE = ("kvarh_lagging", "kvarh_leading")
_UNITS = {"kwh": "kWh", "kvarh": "kvarh", "kvah": "kVAh", "kw": "kW", "kvar": "kvar", "kva": "kVA"}


def report(r: Report) -> RenderableType:
    """All of it."""
    head = Table.grid(padding=(0, 2))
    for name, value in _head(r):
        head.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    rows: list[RenderableType] = [Text(r.provenance.mark, style="bold yellow"), head]
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
    name: str, rows: Sequence[tuple[str, RegisterFigures]], energies: Sequence[str] = (*ACTIVE, *REACTIVE)
) -> Continued:
    """A row of registers for each, and of demand the first quantity."""
    _, keys = rows[0]
    columns = [_figures(key, [registers[key] for _, registers in rows]) for key in energies if key in keys]
    top = next((key for key in keys if key.startswith("max_")), None)
    if top:
        columns.append(_figures(top, [registers[top] for _, registers in rows]))
        columns.append(FigureColumn("at", [_short(registers[f"{top}_time"]) for _, registers in rows], text=True))
    return Continued(FigureColumn(name, [label for label, _ in rows], text=True), columns)


def _by_rate(name: str, periods: dict[str, RegisterFigures], rates: Sequence[str]) -> Continued:
    """kWh delivered of each, by rate."""
    columns = [
        _figures(f"kWh {rate}", [p["rates"].get(rate, {}).get("kwh_delivered", 0.0) for p in periods.values()])
        for rate in rates
    ]
    return Continued(FigureColumn(name, list(periods), text=True), columns)


def _figures(key: str, values: Sequence[float | None]) -> FigureColumn:
    return FigureColumn(_label(key).replace(" ", "\n", 1), [_figure(value) for value in values])


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
