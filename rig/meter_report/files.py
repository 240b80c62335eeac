"""A meter's report as the file that a name asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rig.meter_report.content import meter_page
from rig.meter_report.errors import MeterReportError
from rig.meter_report.meter_data import MeterData
from rig.meter_report.records import Part, channels_of, csv_of, parquet_of, part_of
from rig.meter_report.words import Words
from rig.report.files import require_pdf
from rig.report.html import html_of
from rig.report.pdf import pdf_of

KINDS = (".html", ".pdf", ".csv", ".parquet")


def check_names(paths: Sequence[Path]) -> None:
    """Refuse a name that ends otherwise than a report's, or is given twice. Raises MeterReportError, and ReportError
    where no PDF can be made."""
    for path in paths:
        if path.suffix.lower() not in KINDS:
            raise MeterReportError(f"--out is {path}, it must end in {', '.join(KINDS[:-1])} or {KINDS[-1]}")
        if path.suffix.lower() == ".pdf":
            require_pdf()
    if len(set(paths)) < len(paths):
        raise MeterReportError("--out names a file twice: give each its own")


def report_files(
    meter: MeterData, paths: Sequence[Path], words: Words, channels: Sequence[str], part: Part | None
) -> dict[Path, bytes]:
    """Give the contents of the files. Raises MeterReportError."""
    drawn = channels_of(meter, channels)
    contents: dict[Path, bytes] = {}
    for path in paths:
        match path.suffix.lower():
            case ".csv":
                contents[path] = csv_of(meter, part_of(meter, part))
            case ".parquet":
                contents[path] = parquet_of(meter, part_of(meter, part))
            case ".pdf":
                contents[path] = pdf_of(meter_page(meter, words, drawn))
            case _:
                contents[path] = html_of(meter_page(meter, words, drawn))
    return contents
