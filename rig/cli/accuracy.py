"""`rig accuracy`: a meter at the test points of a standard (docs/accuracy.md)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.options import METER, REPORT, ConfigOption, FidelityOption, ForceOption, JsonOption, configuration
from rig.cli.result_output import print_result
from rig.failures import interrupted

if TYPE_CHECKING:
    from calibration.point_tables import PointTable
    from rig.accuracy.lot_result import LotResult


def accuracy(
    standard: Annotated[
        str | None, typer.Option("--standard", help="Table of test points, such as iec62053-22.", show_default=False)
    ] = None,
    accuracy_class: Annotated[
        str | None, typer.Option("--class", help="Accuracy class, such as 0.2S.", show_default=False)
    ] = None,
    points: Annotated[
        list[str] | None,
        typer.Option(
            "--points", help="Points whose name matches, such as '*0.5L*'; or a table of your own, a .toml; repeatable."
        ),
    ] = None,
    meter: Annotated[Path | None, METER] = None,
    report: Annotated[list[Path] | None, REPORT] = None,
    fidelity: FidelityOption = None,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, max=1000, help="Processes; else one a core.")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="Measure on a Dask cluster, such as tcp://10.0.0.2:8786.", show_default=False),
    ] = None,
    lot: Annotated[
        str | None,
        typer.Option("--lot", help="Yield of a lot instead, SEED:N: N meters, found, calibrated.", show_default=False),
    ] = None,
    kept: Annotated[
        Path | None, typer.Option("--kept", help="Folder of what was measured before; else in the user's cache.")
    ] = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Test a simulated meter's accuracy at the points of a standard, against the true energy of what is applied.

    Exit status 0: passed. 1: a point failed. 2: it could not run. What is measured is kept: a test that was broken
    off, or is run again, goes on from there.
    """
    from msgspec.structs import replace

    from rig.accuracy.campaign import judged_points
    from rig.accuracy.errors import AccuracyError
    from rig.accuracy.kept import Kept
    from rig.accuracy.lot import tested_lot
    from rig.accuracy.result import AccuracyResult, all_passed, summary, twin
    from rig.accuracy.under_test import meter_texts, meter_under_test, provenance_of_test
    from rig.accuracy.workers import check_address, cores
    from rig.files.whole import check_free, write_files
    from rig.hardware.selection import program_of
    from rig.program.build import load_program
    from rig.report.files import check_kind, page_of, rendered
    from rig.terminal.accuracy_view import accuracy_lines, lot_lines
    from rig.terminal.console import message_console, note
    from rig.terminal.progress import progress_bar

    files = report or []
    check_free(files, force)
    for path in files:
        if path.suffix.lower() != ".json":
            check_kind("--report", path)
    settings = configuration(config)
    if settings.hardware.kind != "sim":
        raise AccuracyError(
            'hardware.kind is "pi": rig accuracy tests the simulated meter; rig verify counts a real one'
        )
    if fidelity is not None:
        settings = replace(settings, simulation=replace(settings.simulation, fidelity=fidelity.value))
    table = _table(standard, accuracy_class, points or [])
    program = program_of(settings) if meter is None else load_program(meter)
    if scheduler is not None:
        if lot is not None:
            raise AccuracyError("--lot is measured on this computer: leave out --scheduler")
        check_address(scheduler)
    results = Kept(kept)
    console, processes = message_console(), jobs or cores()
    result: AccuracyResult | LotResult
    try:
        with progress_bar(console, f"{table.key} {table.classes[0]}" if lot is None else f"lot {lot}") as show:
            if lot is not None:
                result = tested_lot(table, program, settings, lot, results, processes, show)
            else:
                meter_tested = meter_under_test(program, settings)
                found = judged_points(table, meter_tested, results, processes, scheduler, show)
                result = AccuracyResult(
                    table.key, table.title, table.classes[0], all_passed(found), found,
                    meter_texts(program, meter_tested), provenance_of_test(program, settings, meter_tested),
                )  # fmt: skip
    except KeyboardInterrupt:
        raise typer.Exit(
            interrupted("before all points were measured; what was is kept, the same command goes on")
        ) from None
    if results.trouble:
        note(console, f"results are not kept for the next time: {results.trouble}")
    write_files(
        {path: twin(result) if path.suffix.lower() == ".json" else rendered(page_of(result), path) for path in files}
    )
    if isinstance(result, AccuracyResult):
        print_result(summary(result), accuracy_lines(result), json=json)
    else:
        print_result(result, lot_lines(result), json=json)
    raise typer.Exit(0 if result.passed else 1)


def _table(standard: str | None, accuracy_class: str | None, points: list[str]) -> PointTable:
    """Give the points asked for. Raises CalibrationError and AccuracyError."""
    from dataclasses import replace
    from fnmatch import fnmatchcase

    from calibration.point_tables import point_table, read_points, standards
    from rig.accuracy.errors import AccuracyError

    own = [each for each in points if each.endswith(".toml")]
    patterns = [each for each in points if not each.endswith(".toml")]
    if len(own) > 1:
        raise AccuracyError(f"--points has two tables, {own[0]} and {own[1]}: test one after the other")
    if own and standard is not None:
        raise AccuracyError(f"--points {own[0]} is a table of its own: leave out --standard")
    if not own and standard is None:
        raise AccuracyError(f"--standard is missing: give one of {', '.join(standards())}, or --points with a table")
    table = read_points(Path(own[0])) if own else point_table(str(standard))
    if accuracy_class is None:
        if len(table.classes) > 1:
            raise AccuracyError(f"--class is missing: {table.key} has points of {', '.join(table.classes)}")
        accuracy_class = table.classes[0]
    table = table.of_class(accuracy_class)
    if not patterns:
        return table
    chosen = tuple(p for p in table.points if any(fnmatchcase(p.name, pattern) for pattern in patterns))
    if not chosen:
        raise AccuracyError(
            f"--points {patterns[0]} matches none of the {len(table.points)} points of {table.key} class "
            f"{accuracy_class}, such as {table.points[0].name!r}"
        )
    names = {point.name for point in chosen}
    averages = tuple(each for each in table.averages if all(name in names for name, _ in each.weights))
    return replace(table, points=chosen, averages=averages)
