"""`rig bill`: a load's record through a meter's billing, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.options import METER, JsonOption
from rig.failures import interrupted
from rig.files.strict_toml import ConfigError

if TYPE_CHECKING:
    from rig.meter.billing.billing import MeterEvent
    from rig.program import schema
    from rig.program.build import Program
    from rig.replay.intervals.replay import Replay

MOST_MINUTES = 31 * 24 * 60


class Stamps(StrEnum):
    begin = "begin"
    end = "end"


class Decimal(StrEnum):
    point = "."
    comma = ","


def bill(
    load: Annotated[
        Path,
        typer.Argument(
            help="A load's record: a CSV with columns time, kwh_delivered, … or a Green Button feed.",
            show_default=False,
        ),
    ],
    program: Annotated[
        Path | None, typer.Option("--program", help="The meter's program; else a plain RXRS4e: block demand of 15 min.")
    ] = None,
    interval_minutes: Annotated[
        str | None, typer.Option("--interval-minutes", help="Length of the intervals, where they are not regular.")
    ] = None,
    stamps: Annotated[
        Stamps | None,
        typer.Option("--stamps", help="What the record's times are: the intervals' begin or end.", show_default="end"),
    ] = None,
    demand: Annotated[
        str | None,
        typer.Option("--demand", help="block:30, sliding:5x6 or thermal:15, whatever the program says."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", help='Where names do not show it: time=Date+Time,kwh_delivered="Usage (kWh)"'),
    ] = None,
    time_format: Annotated[
        str | None, typer.Option("--time-format", help="How times are written, such as '%d/%m/%Y %H:%M'.")
    ] = None,
    decimal: Annotated[Decimal | None, typer.Option("--decimal", help="The decimal sign of numbers.")] = None,
    which: Annotated[str | None, METER] = None,
    registers: Annotated[
        bool, typer.Option("--registers", help="The numbers are readings of registers: their differences count.")
    ] = False,
    store: Annotated[Path | None, typer.Option("--store", help="Keep the meter in this new folder.")] = None,
    json: JsonOption = False,
) -> None:
    """Take a load's record through the meter's billing: registers, demand, rates and load profile of months.

    A recording of waveforms is for rig replay.
    """
    import msgspec

    from rig.program.build import build, load_program
    from rig.replay.intervals.columns import parse_columns
    from rig.replay.intervals.encoding import IntervalFileError
    from rig.replay.intervals.file import read_intervals
    from rig.replay.intervals.kind import is_recording
    from rig.replay.intervals.replay import Replay
    from rig.replay.intervals.store import empty_folder
    from rig.replay.intervals.writing import Writing
    from rig.terminal.console import message_console, note, output_console
    from rig.terminal.intervals_view import report as view
    from rig.terminal.progress import progress_bar

    meter = build(_plain()) if program is None else load_program(program)
    if store is not None:
        if demand is not None:
            raise ConfigError("--store keeps a meter as its program has it: give it without --demand")
        empty_folder(store)
    notes: list[str] = []
    if demand is not None:
        meter = _with_demand(meter, demand, notes)
    minutes = None if interval_minutes is None else _minutes(interval_minutes)
    writing = Writing(parse_columns(columns), time_format, decimal, which, registers)
    messages = message_console()
    try:
        with progress_bar(messages, load.name) as show:
            ends = None if stamps is None else stamps is Stamps.end
            try:
                record = read_intervals(load, meter.billing.calendar, stamps_end=ends, minutes=minutes, writing=writing)
            except IntervalFileError:
                if is_recording(load):
                    raise ConfigError(
                        f"{load} is a recording of waveforms, which is for rig replay: give a load record, of energies "
                        "by interval, or run rig replay with it"
                    ) from None
                raise
            replay = Replay(record, meter, stamps_end=stamps is not Stamps.begin)
            with _kept(store, meter, replay) as keep:
                report = replay.run(show, keep)
    except KeyboardInterrupt:
        part = f", and {store} has but a part" if store is not None and store.exists() else ""
        raise typer.Exit(interrupted(f"before the load's end: no result{part}")) from None
    report = msgspec.structs.replace(report, notes=[*notes, *report.notes])
    for sentence in report.notes:
        note(messages, sentence)
    if json:
        print_json(report)
    else:
        output_console().print(view(report))


def _plain() -> schema.ProgramFile:
    """Without a program: RXRS4e, UTC, block demand of 15 min, one rate, no recorder."""
    from rig.program import schema

    return schema.ProgramFile(demand=schema.DemandTable(quantities=("kW delivered", "kW received", "kVA td")))


@contextmanager
def _kept(store: Path | None, meter: Program, replay: Replay) -> Iterator[Callable[[list[MeterEvent]], None]]:
    """Give the function that takes events: into a store, if one is named."""
    from rig.replay.intervals.store import ReplayStore

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
    from rig.meter.billing.demand import DemandSettings
    from rig.meter.models import ModelCapability
    from rig.program.billing import LEAST_INTERVAL_MIN

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
    from rig.files.numbers import number

    rule = f"a number from 1/60 to {MOST_MINUTES}, such as 15"
    return number("--interval-minutes", text, rule, Fraction(1, 60), MOST_MINUTES)
