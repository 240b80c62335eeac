"""Output of a result: its files, and what is printed of it, for all commands that judge something."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rig.cli.json_output import print_json
from rig.plain_text import print_line


def print_result(result: Any, lines: Iterable[str], *, json: bool) -> None:
    """Print a result: as JSON, or in lines for people."""
    if json:
        print_json(result)
        return
    for line in lines:
        print_line(line)


def output_result(
    result: Any,
    lines: Iterable[str],
    *,
    json: bool,
    report: Path | None = None,
    junit: Path | None = None,
    cases: bytes = b"",
) -> None:
    """Write a result's report, and its test `cases` to the file `junit`, where they are asked for; then print it."""
    from rig.files.whole import write_files
    from rig.report.files import page_of, rendered

    contents = {} if junit is None else {junit: cases}
    if report is not None:
        contents[report] = rendered(page_of(result), report)
    write_files(contents)
    print_result(result, lines, json=json)
