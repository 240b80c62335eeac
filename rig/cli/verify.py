"""`rig verify`: an output of a running meter against its energy, by a counter (docs/verification.md)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rig.cli.options import (
    ConfigOption,
    ForceOption,
    JsonOption,
    LengthOption,
    LoadOption,
    ReportOption,
    SocketOption,
    loaded_configuration,
    option_number,
)
from rig.cli.result_output import output_result
from rig.cli.verified_meter import verified_meter
from rig.failures import interrupted
from rig.plain_text import print_error

if TYPE_CHECKING:
    from rig.hardware.config import Config
    from rig.verify.point import Point
    from rig.verify.result import Verification
    from rig.verify.run import Progress


def verify(
    output: Annotated[str, typer.Option("--output", help="led, kyz1, kyz2, kyz3 or kyz4.")] = "kyz1",
    pulses: Annotated[int | None, typer.Option("--pulses", help="Count so many; else as many as it takes.")] = None,
    seconds: LengthOption = None,
    energy: Annotated[str | None, typer.Option("--energy", help="Count for so many Wh.", show_default=False)] = None,
    uncertainty: Annotated[
        float | None,
        typer.Option("--uncertainty", help="Count until the error is known to so many percent, k = 2."),
    ] = None,
    limit: Annotated[float, typer.Option("--limit", help="Percent: the largest error that passes.")] = 0.03,
    constant: Annotated[
        str | None,
        typer.Option("--constant", help="Wh a pulse, as on the label; else what the meter is programmed for."),
    ] = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, max=1000, help="Count so many times, and average.")] = 1,
    counter: Annotated[
        str,
        typer.Option(
            "--counter",
            help="fpga: looped back; gpio:Y,Z: pins of K–Y and K–Z; visa:RESOURCE, such as a 53220A; "
            "frequency:RESOURCE, such as a 53131A.",
        ),
    ] = "fpga",
    reference: Annotated[
        str,
        typer.Option(
            "--reference",
            help="meter: what it registers; source: a simulated steady load's true power; standard: and gpio:PIN, "
            "visa:, energy: or power: and a resource.",
        ),
    ] = "meter",
    standard_constant: Annotated[
        str | None, typer.Option("--standard-constant", help="Wh a pulse of the standard.")
    ] = None,
    standard_query: Annotated[
        str | None, typer.Option("--standard-query", help="What a standard on a bus is asked.")
    ] = None,
    standard_uncertainty: Annotated[
        float,
        typer.Option("--standard-uncertainty", metavar="%", help="Percent, k = 2, by the standard's certificate."),
    ] = 0.0,
    load: LoadOption = None,
    counter_query: Annotated[
        str | None, typer.Option("--counter-query", help="What a counter on a bus is asked for its count.")
    ] = None,
    counter_uncertainty: Annotated[
        float,
        typer.Option("--counter-uncertainty", metavar="%", help="Percent, k = 2, of a frequency counter's time base."),
    ] = 0.0,
    witness: Annotated[
        bool, typer.Option("--witness", help="Compare pulses, registers, recorder and display on one load.")
    ] = False,
    report: ReportOption = None,
    environment: Annotated[
        list[str] | None,
        typer.Option(
            "--environment", help='What a report states of the surroundings, such as "temperature=22.8 °C"; repeatable.'
        ),
    ] = None,
    result: Annotated[
        Path | None, typer.Option("--from", help="Report what rig verify --json once printed; nothing is counted.")
    ] = None,
    series: Annotated[
        Path | None, typer.Option("--series", help="Verify each point of a series, a TOML file.", show_default=False)
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", help="Go on with a series: points are kept there as they are measured.")
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write a JUnit report.")] = None,
    force: ForceOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
    json: JsonOption = False,
) -> None:
    """Verify an output: its pulses, counted, against the energy that the meter registers, with uncertainty.

    Exit status 0: passed. 1: failed. 2: no verdict, because it could not run or the count broke off.

    Where no meter runs the simulated rig's own is started, as fast as it can, and ended.
    """
    from rig.cli.verify_witness import witnessed
    from rig.files.whole import check_free
    from rig.report.files import check_kind
    from rig.report.reading import read_result
    from rig.report.result_kinds import kind_named
    from rig.terminal.verify_view import verification_lines
    from rig.verify.errors import VerifyError
    from rig.verify.junit import junit as junit_report
    from rig.verify.plan import LIMIT_PERCENT
    from rig.verify.point import Point
    from rig.verify.result import Verification
    from rig.verify.setup import read_environment

    written = {"--report": report, "--junit": junit}
    check_free([path for path in written.values() if path is not None], force)
    for flag, path in written.items():
        for other, its in (("--series", series), ("--resume", resume), ("--from", result), ("--config", config)):
            if path is not None and its is not None and path.resolve() == its.resolve():
                raise VerifyError(f"{flag} would be written over {other}, {path}: choose another name")
    if report is not None:
        check_kind("--report", report)
    surroundings = read_environment(environment or [])
    own = {
        "--pulses": pulses, "--seconds": seconds, "--energy": energy, "--uncertainty": uncertainty, "--load": load,
        "--constant": constant, "--from": result,
    }  # fmt: skip
    of_one = {
        "--counter-query": counter_query, "--counter-uncertainty": counter_uncertainty or None,
        "--limit": None if limit == LIMIT_PERCENT else limit,
        "--standard-constant": standard_constant, "--standard-query": standard_query,
        "--standard-uncertainty": standard_uncertainty or None, "--repeat": None if repeat == 1 else repeat,
        "--reference": None if reference == "meter" else reference, "--counter": None if counter == "fpga" else counter,
    }  # fmt: skip
    if witness:
        alone = {**own, **of_one, "--series": series, "--resume": resume}
        for flag in ("--seconds", "--energy", "--load"):
            del alone[flag]
        if given := [flag for flag, value in alone.items() if value is not None]:
            raise VerifyError(f"{given[0]} is for one output: leave it out, --witness hears all that there are")
        raise typer.Exit(
            witnessed(
                seconds,
                energy,
                load,
                config,
                socket,
                report=report,
                junit=junit,
                surroundings=surroundings,
                json=json,
            )
        )
    if series is not None:
        if given := [flag for flag, value in {**own, **of_one}.items() if value is not None]:
            raise VerifyError(f"{given[0]} is for one verification: leave it out, points of a series have their own")
        raise typer.Exit(_series(series, resume, junit, report, surroundings, config, socket, json))
    if resume is not None:
        raise VerifyError("--resume is for a --series: leave it out")
    if result is not None:
        counted = {**own, **of_one, "--environment": environment or None}
        if given := [flag for flag, value in counted.items() if value is not None and flag != "--from"]:
            raise VerifyError(f"{given[0]} is for a count, and --from counts nothing: leave one of them out")
    point = Point(
        name=output,
        output=output,
        load=load,
        counter=counter,
        counter_query=counter_query,
        counter_uncertainty_percent=counter_uncertainty,
        reference=reference,
        pulses=pulses,
        seconds=None if seconds is None else float(option_number("--seconds", seconds, positive=True)),
        energy_wh=None if energy is None else str(option_number("--energy", energy, positive=True)),
        uncertainty_percent=uncertainty,
        limit_percent=limit,
        constant_wh=None if constant is None else str(option_number("--constant", constant, positive=True)),
        standard_constant_wh=None
        if standard_constant is None
        else str(option_number("--standard-constant", standard_constant, positive=True)),
        standard_query=standard_query,
        standard_uncertainty_percent=standard_uncertainty,
        repeat=repeat,
    )
    point.check()
    if result is not None:
        read = read_result(result)
        if not isinstance(read, Verification):
            raise VerifyError(f"{result} is {kind_named(read)}, no verification: rig report render makes its report")
        found = read
    else:
        found = measured(point, loaded_configuration(config, load), config, socket, surroundings)
    output_result(found, verification_lines(found), json=json, report=report, junit=junit, cases=junit_report([found]))
    raise typer.Exit(0 if found.passed else 1)


def _series(
    file: Path,
    resume: Path | None,
    junit: Path | None,
    report: Path | None,
    surroundings: dict[str, str],
    config: Path | None,
    socket: Path | None,
    json: bool,
) -> int:
    """Measure the points of a series that are not measured yet; the exit status."""
    import time

    from rig.cli.verify_series import SeriesRun
    from rig.terminal.verify_view import series_lines
    from rig.verify.junit import junit as junit_report

    run = SeriesRun(file, measured, config=config, socket=socket, resume=resume, surroundings=surroundings)
    found, began, fresh, points = [], time.monotonic(), 0, run.series.points
    for k, point in enumerate(points):
        result = run.before(point)
        if result is None:
            each_s = (time.monotonic() - began) / fresh if fresh else None
            left = "" if each_s is None else f", about {each_s * (len(points) - k):.0f} s left"
            print_error(f"point {k + 1} of {len(points)}: {point.name}{left}")
            result = run.measure(point)
            fresh += 1
        else:
            print_error(f"point {k + 1} of {len(points)}: {point.name}, measured before")
        found.append(result)
    tests = []
    for k, test in enumerate(run.series.tests, 1):
        before = run.test_before(test)
        when = ", made before" if before is not None else f", {test.length_s:.0f} s of the meter's time"
        print_error(f"test {k} of {len(run.series.tests)}: {test.name}{when}")
        tests.append(before or run.make(test))
    whole = run.whole(found, tests)
    cases = junit_report([each.verification for each in found], [each.name for each in found], tests)
    output_result(whole, series_lines(whole), json=json, report=report, junit=junit, cases=cases)
    return 0 if whole.passed else 1


def measured(
    point: Point, chosen: Config, config: Path | None, socket: Path | None, surroundings: dict[str, str]
) -> Verification:
    """Count, on the meter that runs or one of our own. Raises typer.Exit where Ctrl-C ended it."""
    from msgspec.structs import replace

    from rig.hardware.edge_sources import edge_sources
    from rig.hardware.selection import metering_point, program_of
    from rig.terminal.verify_view import count_shown, progress_text
    from rig.verify.counters import counter_named
    from rig.verify.measure import OutputVerification
    from rig.verify.setup import setup_of
    from rig.verify.source import known_source
    from rig.verify.standard import standard_named

    id, known = point.output_id, None
    if point.reference == "source":
        known = known_source(chosen.simulation.load, metering_point(program_of(chosen)))
    loaded = point.load is not None and chosen.hardware.kind != "pi"
    own = "a load" if loaded else "a known source" if known is not None else None
    latest: list[Progress] = []
    try:
        with ExitStack() as stack:
            beside = counter_named(point.counter, point.counter_query, lambda pins: edge_sources(chosen, pins))
            if beside is not None:
                stack.callback(beside.close)
            standard = None
            if point.standard:
                standard = standard_named(
                    point.reference,
                    constant_wh=point.standard_constant,
                    query=point.standard_query,
                    sources=lambda pins: edge_sources(chosen, pins),
                )
                stack.callback(standard.close)
            paced = beside is not None or standard is not None
            client, begin = stack.enter_context(verified_meter(config, chosen, socket, own=own, paced=paced))
            show = stack.enter_context(count_shown(id.label))

            def shown(progress: Progress) -> None:
                latest[:] = [progress]
                show(progress)

            measurement = OutputVerification(
                client,
                id,
                point.plan,
                counter=beside,
                constant_wh=point.constant,
                source=known,
                standard=standard,
                certified_percent=point.standard_uncertainty_percent,
                counter_percent=point.counter_uncertainty_percent,
                progress=shown,
                begin=begin,
            )
            found = measurement.measure()
            return replace(found, setup=setup_of(chosen, program_of(chosen), id, found.provenance, surroundings))
    except KeyboardInterrupt:
        so_far = progress_text(id.label, latest[0]) if latest else f"{id.label}: nothing counted"
        raise typer.Exit(interrupted(f"without a verdict ({so_far})")) from None
