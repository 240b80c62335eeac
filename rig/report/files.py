"""A page as the file that its name asks for."""

from __future__ import annotations

from pathlib import Path

from rig.accuracy.lot_result import LotResult
from rig.accuracy.result import AccuracyResult
from rig.report.accuracy_content import accuracy_page
from rig.report.compared import Comparison
from rig.report.comparison_content import comparison_page
from rig.report.content import verification_page
from rig.report.errors import ReportError
from rig.report.html import html_of
from rig.report.lot_content import lot_page
from rig.report.page import Page
from rig.report.pdf import pdf_of
from rig.report.result_kinds import Result
from rig.report.selftest_content import selftest_page
from rig.report.series_content import series_page
from rig.report.witness_content import witness_page
from rig.selftest.part import SelfTest
from rig.verify.agreement import Agreement
from rig.verify.result import Verification
from rig.verify.series import SeriesResult

_KINDS = {".html": html_of, ".htm": html_of, ".pdf": pdf_of}


def check_kind(flag: str, path: Path) -> None:
    """Refuse a name that ends otherwise than a report's. Raises ReportError."""
    if path.suffix.lower() not in _KINDS:
        raise ReportError(f"{flag} is {path}, it must end in .html or .pdf")
    if path.suffix.lower() == ".pdf":
        require_pdf()


def require_pdf() -> None:
    """Say before anything is counted that no PDF can be made. Raises ReportError."""
    pdf_of(Page("", "", "", "", ()))


def rendered(page: Page, path: Path) -> bytes:
    """Give the bytes of the file at `path`, HTML or PDF by its name."""
    return _KINDS[path.suffix.lower()](page)


def page_of(found: Result) -> Page:
    """Give the page of a result."""
    match found:
        case LotResult():
            return lot_page(found)
        case AccuracyResult():
            return accuracy_page(found)
        case SeriesResult():
            return series_page(found)
        case Agreement():
            return witness_page(found)
        case SelfTest():
            return selftest_page(found)
        case Comparison():
            return comparison_page(found)
        case Verification():
            return verification_page(found)
