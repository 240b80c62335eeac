"""`rig report`: reports of results that were measured before, made again and compared (docs/verification.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.options import ForceOption, JsonOption, ReportOption
from rig.plain_text import print_line

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Reports to sign: make again, compare.")

ResultArgument = Annotated[Path, typer.Argument(help="What rig verify --json printed.")]


@app.command("render", epilog="Example: rig report render result.json kyz1.pdf")
def render_command(
    result: ResultArgument,
    file: Annotated[Path, typer.Argument(help="The report: .html or .pdf.")],
    force: ForceOption = False,
) -> None:
    """Make the report of a result: of one verification, of a series, or of an accuracy test.

    The same JSON gives the same file, byte for byte.
    """
    from rig.files.whole import check_free, write_files
    from rig.report.files import check_kind, page_of, rendered
    from rig.report.reading import read_any_result

    check_free([file], force)
    check_kind("FILE", file)
    page = page_of(read_any_result(result))
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
    """Compare two results: do their errors differ by more than both uncertainties explain?

    Exit status 0: they agree. 1: they part. 2: they cannot be compared.
    """
    from rig.files.whole import check_free, write_files
    from rig.report.comparison import compare
    from rig.report.comparison_content import comparison_page
    from rig.report.files import check_kind, rendered
    from rig.report.reading import read_result
    from rig.terminal.verify_view import comparison_lines

    if report is not None:
        check_free([report], force)
        check_kind("--report", report)
    found = compare(read_result(a), read_result(b))
    if report is not None:
        write_files({report: rendered(comparison_page(found), report)})
    if json:
        print_json(found)
    else:
        for line in comparison_lines(found):
            print_line(line)
    raise typer.Exit(0 if found.agree else 1)
