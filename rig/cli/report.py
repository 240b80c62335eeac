"""`rig report`: reports of what was read from a meter (docs/reports.md), and of results that were measured before, made
again and compared (docs/verification.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rig.cli.group import CommandGroup
from rig.cli.options import CHANNEL, OUT, ForceOption, JsonOption, RecordingOption, ReportOption
from rig.cli.result_output import output_result
from rig.plain_text import print_line

OF_A_METER = "meter"
"""The command that a file's name alone stands for."""


class ReportGroup(CommandGroup):
    """`rig report`: a first word that is no command is a file read from a meter."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = [OF_A_METER, *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=ReportGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Reports of a meter: rig report FILE. Reports to sign: make again, compare.",
)

ResultArgument = Annotated[Path, typer.Argument(help="What rig verify --json printed, or another command.")]


@app.command(OF_A_METER, epilog="Example: rig report meter.json --out meter.pdf --language fr")
def meter_command(
    file: Annotated[
        Path,
        typer.Argument(help="What rig read or rig profile export wrote, or a store's folder.", show_default=False),
    ],
    out: Annotated[list[Path] | None, OUT] = None,
    language: Annotated[Literal["en", "fr"], typer.Option("--language", help="English or French.")] = "en",
    channel: Annotated[list[str] | None, CHANNEL] = None,
    part: Annotated[
        Literal["profile", "registers", "events"] | None,
        typer.Option(
            "--part",
            metavar="<part>",
            help="What a .csv or .parquet has: profile, registers or events; else the load profile, if there is one.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option("--zone", help="Of a store: the zone of its times, such as America/Toronto; else UTC."),
    ] = None,
    recording: RecordingOption = None,
    force: ForceOption = False,
) -> None:
    """Make the report of a meter: billing, demand, rates, load profile, events. rig report FILE is the same.

    It reads only what is given; no meter is needed. --out is given once for each of .html, .pdf, .csv, .parquet.
    """
    from rig.files.whole import check_free, write_files
    from rig.meter_report.files import check_names, report_files
    from rig.meter_report.records import Part
    from rig.meter_report.sources import read_meter
    from rig.meter_report.words import Language, Words

    paths = out or [Path(f"{file.absolute().name.removesuffix('.json').removesuffix('.csv') or 'meter'}.html")]
    check_names(paths)
    check_free(paths, force)
    meter = read_meter(file, zone, recording)
    words = Words(Language(language))
    contents = report_files(meter, paths, words, channel or [], None if part is None else Part(part))
    write_files(contents)
    for path in contents:
        print_line(f"{path}{f', {meter.mark}' if meter.mark else ''}")


@app.command("render", epilog="Example: rig report render result.json kyz1.pdf")
def render_command(
    result: ResultArgument,
    file: Annotated[Path, typer.Argument(help="The report: .html or .pdf.")],
    force: ForceOption = False,
) -> None:
    """Make the report of a result: a verification, series, witnesses, self-test, accuracy test or comparison.

    The same JSON gives the same file, byte for byte.
    """
    from rig.files.whole import check_free, write_files
    from rig.report.files import check_kind, page_of, rendered
    from rig.report.reading import read_result

    check_free([file], force)
    check_kind("FILE", file)
    page = page_of(read_result(result))
    write_files({file: rendered(page, file)})
    print_line(f"{file}: {page.foot}")


@app.command("compare", epilog="Example: rig report compare before.json after.json --report both.pdf")
def compare_command(
    a: ResultArgument,
    b: ResultArgument,
    report: ReportOption = None,
    force: ForceOption = False,
    json: JsonOption = False,
) -> None:
    """Compare two results of one kind: do they differ by more than both uncertainties explain?

    Exit status 0: they agree. 1: they part. 2: they cannot be compared.
    """
    from rig.files.whole import check_free
    from rig.report.comparison import compare
    from rig.report.files import check_kind
    from rig.report.reading import read_result
    from rig.terminal.verify_view import comparison_lines

    if report is not None:
        check_free([report], force)
        check_kind("--report", report)
    found = compare(read_result(a), read_result(b))
    output_result(found, comparison_lines(found), json=json, report=report)
    raise typer.Exit(0 if found.agree else 1)
