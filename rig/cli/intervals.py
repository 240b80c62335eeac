"""`rig replay --intervals`: a load's record through a meter's billing, and what it came to."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rig.cli.json_output import print_json
from rig.files.numbers import exact
from rig.files.strict_toml import ConfigError, shown
from rig.meter.billing.billing import MeterEvent
from rig.meter.billing.demand import DemandSettings
from rig.meter.models import ModelCapability
from rig.program import schema
from rig.program.billing import LEAST_INTERVAL_MIN
from rig.program.build import Program, build, load_program
from rig.replay.intervals.file import read_intervals
from rig.replay.intervals.replay import Replay
from rig.replay.intervals.store import ReplayStore, empty_folder
from rig.terminal.intervals_view import report as view

PLAIN = schema.ProgramFile(demand=schema.DemandTable(quantities=("kW delivered", "kW received", "kVA td")))
"""Without a program: RXRS4e, UTC, block demand of 15 min, one rate, no recorder."""

MOST_MINUTES = 31 * 24 * 60


def replay_intervals(
    path: Path,
    *,
    program: Path | None,
    interval_minutes: str | None,
    stamps: Literal["begin", "end"],
    demand: str | None,
    json: bool,
    store: Path | None,
) -> None:
    """Replay a load's record and print what it came to: registers for people, or JSON. Notes go to standard error.

    `demand` overrides the program's, as in "sliding:5x6". `store` is a new folder in which the meter is kept. Raises
    ConfigError and StoreError, and after Ctrl-C, typer.Exit.
    """
    meter = build(PLAIN) if program is None else load_program(program)
    if store is not None:
        if demand is not None:
            raise ConfigError("--store keeps a meter as its program has it: give it without --demand")
        empty_folder(store)
    notes: list[str] = []
    if demand is not None:
        meter = _with_demand(meter, demand, notes)
    minutes = None if interval_minutes is None else _minutes(interval_minutes)
    messages = Console(stderr=True)
    columns = (
        TextColumn(path.name, markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages, disable=not messages.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=1.0)
        try:
            load = read_intervals(path, meter.billing.calendar, stamps_end=stamps == "end", minutes=minutes)
            replay = Replay(load, meter, stamps_end=stamps == "end")
            with _kept(store, meter, replay) as keep:
                report = replay.run(lambda done: progress.update(task, completed=done), keep)
        except KeyboardInterrupt:
            progress.stop()
            part = f", and {store} has but a part" if store is not None and store.exists() else ""
            print(f"rig: interrupted before the load's end: no result{part}", file=sys.stderr)
            raise typer.Exit(1) from None
    report = msgspec.structs.replace(report, notes=[*notes, *report.notes])
    for note in report.notes:
        messages.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)
    if json:
        print_json(report)
    else:
        Console().print(view(report))


@contextmanager
def _kept(store: Path | None, meter: Program, replay: Replay) -> Iterator[Callable[[list[MeterEvent]], None]]:
    """Where to give what happens."""
    if store is None:
        yield lambda events: None
        return
    kept = ReplayStore(store, meter, replay.billing)
    try:
        yield kept.keep
        kept.save()
    finally:
        kept.close()


def _with_demand(meter: Program, text: str, notes: list[str]) -> Program:
    """The same meter with other demand, of the same quantities."""
    meter.metering.require(ModelCapability.DEMAND, "--demand")
    settings = meter.billing
    assert settings.demand is not None, "a model with demand has its settings"
    try:
        wanted = DemandSettings.parse(text, settings.demand.quantities)
    except ValueError as error:
        raise ConfigError(f"--demand: {error}") from None
    if wanted.interval_s < LEAST_INTERVAL_MIN * 60:
        notes.append(f"--demand {text} is of less than {LEAST_INTERVAL_MIN} min: not for billing (S-E-06, 5.15.3)")
    return replace(meter, billing=replace(settings, demand=wanted))


def _minutes(text: str) -> Fraction:
    value = exact(text)
    if value is None or not Fraction(1, 60) <= value <= MOST_MINUTES:
        raise ConfigError(
            f"--interval-minutes is {shown(text)}, it must be a number from 1/60 to {MOST_MINUTES}, such as 15"
        )
    return value
