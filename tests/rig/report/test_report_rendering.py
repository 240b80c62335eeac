"""HTML and PDF of a report: the same bytes of the same result, anywhere; nothing hostile gets through; whole files."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from rig.report.comparison import compare
from rig.report.comparison_content import comparison_page
from rig.report.content import verification_page
from rig.report.html import html_of
from rig.report.page import MOST_CHARACTERS, Page
from rig.report.pdf import pdf_of
from rig.report.selftest_content import selftest_page
from rig.report.series_content import series_page
from rig.report.witness_content import witness_page
from rig.selftest.part import Part
from rig.verify.result import BudgetLine, EdgeLine, Limits, RepeatLine, Setup
from tests.rig.report.report_results import agreement, selftest, series, verification

RIG = str(Path(sys.executable).with_name("rig"))

HOSTILE = [
    "<script>alert(1)</script>", "a & <b> \"c\" 'd'", "</para></font><img src=x>", "\x1b[2J\x07\x00", "\u202egnp.exe",
    "電力計 счётчик ∠ ✓", "x" * 100_000, "%s {0} $(reboot)", "<!--", "]]>", "\n\n\r\t", "&#60;b&#62;", "",
]  # fmt: skip


def pages() -> list[Page]:
    return [
        verification_page(verification()),
        series_page(series(0.0, 0.01, -0.02)),
        comparison_page(compare(verification(), verification(counter="gpio:14"))),
        witness_page(agreement(11.0)),
        selftest_page(selftest(LED=False)),
        comparison_page(compare(agreement(), agreement(11.0))),
    ]


class Checked(HTMLParser):
    """Tags that are opened and closed in order, and the text between."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "col"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


TAGS = {
    "html", "head", "meta", "title", "style", "body", "p", "h1", "h2", "table", "thead", "tbody", "colgroup", "col",
    "tr", "th", "td", "figure", "figcaption", "svg", "line", "rect", "circle", "polygon", "text", "footer",
}  # fmt: skip


def read_html(page: Page) -> Checked:
    reader = Checked()
    reader.feed(html_of(page).decode("utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def check_pdf(data: bytes) -> int:
    """Give the number of sheets of a file whose cross-reference table points at its objects (ISO 32000-1, 7.5.4)."""
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")
    start = int(re.findall(rb"startxref\s+(\d+)", data)[-1])
    lines = data[start:].split(b"\n")
    assert lines[0].strip() == b"xref"
    count = int(lines[1].split()[1])
    for number, line in enumerate(lines[2 : 2 + count]):
        offset, _, kind = line.split()
        if kind == b"n":
            assert re.match(rb"%d 0 obj\b" % number, data[int(offset) :])
    return len(re.findall(rb"/Type /Page\b", data))


@pytest.mark.parametrize("k", range(6))
def test_html_needs_nothing_from_elsewhere_and_is_well_formed(k: int) -> None:
    page = pages()[k]
    text = html_of(page).decode()
    assert read_html(page).tags <= TAGS
    assert not [word for word in ("http:", "https:", "src=", "href=", "<script", "url(", "@import") if word in text]
    assert "SIMULATED (exact)" in text
    assert "Signatures" in text


@pytest.mark.parametrize("k", range(6))
def test_pdf_is_a_whole_file_that_needs_nothing_from_elsewhere(k: int) -> None:
    data = pdf_of(pages()[k])
    assert check_pdf(data) >= 1
    assert not re.findall(rb"/(?:URI|JavaScript|JS|Launch|AA|OpenAction)\b", data)
    assert b"20261129235346" in data  # of the result, not of today
    assert len(re.findall(rb"/FontFile2", data)) == 2  # its fonts are in it


def test_each_edge_is_in_the_report_with_its_verdict() -> None:
    found = verification()
    reader = read_html(verification_page(found))
    tips = [text for text in reader.text if text.startswith("number ")]
    assert len(tips) == len(found.edges)
    assert [tip for tip in tips if not tip.endswith(": in order")] == [
        "number 5, 1.200000 s, +1.000000 pulses late: missed"
    ]
    listed = [text for text in reader.text if text == "in order" or text.endswith(" in order")]
    assert len([text for text in listed if not text.startswith("number ")]) == len(found.edges) - 1 + 1  # and a legend


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs pdftotext, of poppler-utils")
def test_pdf_says_what_html_says(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(pdf_of(verification_page(verification())))
    done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, text=True, check=True)
    for said in ("FAILED: error −10.000000 % ± 0.010000 % (k = 2)", "12 345 678", "22.8 °C", "missed", "measured by",
                 "1 closure missed after number 4", "0123456789ab", "SIMULATED (exact)", "sheet 1 of"):  # fmt: skip
        assert said in done.stdout


def test_every_part_of_a_result_changes_the_report() -> None:
    """By the digest at its foot if by nothing else: what is signed is the whole result."""
    plain = verification()
    seen = {html_of(verification_page(plain))}
    for changed in ({"counter": "gpio:14"}, {"edges": plain.edges[:-1]}, {"setup": Setup()}, {"seconds": 2.0000000001},
                    {"limits": Limits(0.03, 1)}, {"degrees_of_freedom": 7.0}, {"simulated": False}):  # fmt: skip
        seen.add(html_of(verification_page(verification(**changed))))
    assert len(seen) == 8


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text(text: str) -> None:
    found = verification(
        counter=text, reference=text, output=text, quantity=text, constant_exact=text, reasons=[text],
        setup=Setup({text: text}, {"hardware": text}, {text: text}), budget=[BudgetLine(text, 1.0, text, 1.0, None)],
        kyz_order_errors=[msgspec.structs.replace(verification().kyz_order_errors[0], fault=text, text=text)],
        edges=[EdgeLine(1, 0.0, 0.0, text), EdgeLine(5, 1.0, 0.0, text)],
        provenance=msgspec.structs.replace(verification().provenance, begun_utc=text, commit=text, fidelity=text),
    )  # fmt: skip
    page = verification_page(found)
    reader = read_html(page)
    assert reader.tags <= TAGS
    data = html_of(page).decode()
    assert not set(data) & {chr(code) for code in (*range(9), *range(11, 32), 0x7F, 0x202E)}
    assert len(data) < 200 * MOST_CHARACTERS
    assert check_pdf(pdf_of(page)) >= 1


@pytest.mark.parametrize(
    "figures",
    [
        {"error_percent": 1e300, "uncertainty_percent": 1e300, "seconds": -1e300},
        {"uncertainty_percent": 0.0, "limits": Limits(0.0), "error_percent": 0.0, "budget": []},
        {"coverage_factor": 0.0, "repeats": [], "edges": [], "budget": []},
        {"edges": [EdgeLine(-5, 1e300, -1e300, None), EdgeLine(10**18, -1e300, 1e300, None)]},
        {"edges": [EdgeLine(1, 5.0, 0.0, None)] * 3},
        {"repeats": [RepeatLine(1, 0.0, 0.0, 0.0, 1e-300)] * 30},
        {"pulses": 2**63, "budget": [BudgetLine("a", 0.0, "normal", 1e-200, 0.0)]},
    ],
)
def test_figures_that_no_meter_has_are_shown_all_the_same(figures: dict[str, object]) -> None:
    page = verification_page(verification(**figures))
    read_html(page)
    check_pdf(pdf_of(page))


@pytest.mark.parametrize("text", [HOSTILE[0], HOSTILE[3], HOSTILE[6], HOSTILE[10]])
def test_hostile_text_of_witnesses_and_of_a_comparison_is_text(text: str) -> None:
    plain = agreement(11.0)
    lines = [msgspec.structs.replace(line, witness=text, quantity=text, kind=text) for line in plain.witnesses]
    timeline = [msgspec.structs.replace(line, witness=text, quantity=text) for line in plain.timeline]
    hostile = msgspec.structs.replace(
        plain, witnesses=lines, timeline=timeline, reasons=[text], absent=[text], energy_wh={text: 1.0}
    )
    parts = [Part(f"{text}{k}", k == 0, text) for k in range(3)]
    told = msgspec.structs.replace(selftest(), parts=parts)
    for page in (witness_page(hostile), selftest_page(told), comparison_page(compare(told, told))):
        assert read_html(page).tags <= TAGS
        assert not set(html_of(page).decode()) & {chr(code) for code in (*range(9), *range(11, 32), 0x7F, 0x202E)}
        assert check_pdf(pdf_of(page)) >= 1


@pytest.mark.parametrize("value", [0.0, 1e-300, 1e300, -1e300])
def test_figures_of_witnesses_that_no_meter_has_are_shown_all_the_same(value: float) -> None:
    plain = agreement()
    lines = [
        msgspec.structs.replace(line, tolerance_wh=value, difference_wh=-value, at_s=value) for line in plain.timeline
    ]
    tables = [msgspec.structs.replace(line, reference_wh=value, tolerance_wh=value) for line in plain.witnesses]
    for found in (
        msgspec.structs.replace(plain, timeline=lines),
        msgspec.structs.replace(plain, timeline=lines[:1], witnesses=tables),
        msgspec.structs.replace(plain, timeline=[]),
    ):
        page = witness_page(found)
        read_html(page)
        check_pdf(pdf_of(page))


def test_each_statement_is_in_the_report_of_witnesses_with_its_verdict() -> None:
    reader = read_html(witness_page(agreement(11.0)))
    tips = [text for text in reader.text if text.endswith(" allowed")]
    assert tips == [
        "1.000 s: +0 Wh, 0.002 Wh allowed", "2.000 s: +0 Wh, 1e-09 Wh allowed", "4.000 s: +4 Wh, 1.5 Wh allowed",
    ]  # fmt: skip
    assert reader.text.count("PARTS") == 1
    assert "FAILED: 1 of 3 witnesses part from the rest, in 5.000 s" in reader.text
    assert "absent: recorder: there is none" in reader.text
    assert "22.8 °C" in reader.text


def test_a_result_with_all_edges_and_errors_is_a_few_sheets() -> None:
    edges = [EdgeLine(k, 0.2 * k, 1e-5 * (k % 7), "K-Y" if k % 2 else "K-Z") for k in range(1000)]
    began = time.process_time()
    sheets = check_pdf(pdf_of(verification_page(verification(edges=edges))))
    assert 4 <= sheets <= 15
    assert time.process_time() - began < 30


def render(folder: Path, *words: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [RIG, "report", "render", *words],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "result.json").write_bytes(msgspec.json.encode(verification()) + b"\n")
    return tmp_path


def test_the_same_json_gives_the_same_bytes_in_any_process_zone_and_locale(folder: Path) -> None:
    other = {
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "7",
        "SOURCE_DATE_EPOCH": "1",
        "HOME": str(folder),
    }
    for name in ("a.html", "a.pdf"):
        process = render(folder, "result.json", name, **other)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
    page = verification_page(verification())
    assert (folder / "a.html").read_bytes() == html_of(page)
    assert (folder / "a.pdf").read_bytes() == pdf_of(page) == pdf_of(page)


def test_a_full_disk_leaves_no_report_and_a_sentence(folder: Path) -> None:
    """A limit on the size of files is met as a full disk is: a write that is refused in the middle."""
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
        "from rig.cli.entry import main; sys.argv = ['rig', 'report', 'render', 'result.json', 'a.pdf']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "cannot be written (File too large): choose a writable folder with room" in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["result.json"]


@pytest.mark.parametrize("after_s", [0.25, 0.5, 0.75])
def test_a_rendering_that_is_killed_leaves_no_half_report(folder: Path, after_s: float) -> None:
    whole = html_of(verification_page(verification()))
    (folder / "a.html").write_bytes(whole)
    process = render(folder, "result.json", "a.pdf")
    try:
        process.communicate(timeout=after_s)  # killed at whatever it is doing then: nothing to see tells where it is
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    left = folder / "a.pdf"
    assert not left.exists() or left.read_bytes() == pdf_of(verification_page(verification()))
    assert (folder / "a.html").read_bytes() == whole


def test_a_report_is_not_overwritten_and_its_folder_must_be_there(folder: Path) -> None:
    (folder / "a.pdf").write_bytes(b"signed")
    for name, why in (("a.pdf", b"a.pdf exists"), ("no/a.pdf", b"the folder no does not exist"),
                      ("a.docx", b"must end in .html or .pdf"),
                      (f"{'x' * 300}.pdf", b"File name too long")):  # fmt: skip
        process = render(folder, "result.json", name)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 2
        assert why in error
        assert error.count(b"\n") == 1
    assert (folder / "a.pdf").read_bytes() == b"signed"


def test_without_reportlab_a_pdf_is_refused_before_anything_is_counted_and_html_is_made(folder: Path) -> None:
    program = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "reportlab":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
from rig.cli.entry import main
sys.argv = ["rig", *sys.argv[1:]]
main()
"""
    for words, status in (
        (["verify", "--report", "a.pdf"], 2),
        (["report", "render", "result.json", "a.pdf"], 2),
        (["report", "render", "result.json", "a.html"], 0),
    ):
        command = [sys.executable, "-c", program, *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert "no meter runs" not in done.stderr
        if status:
            assert 'a PDF needs reportlab: run `.venv/bin/pip install -e ".[report]"`' in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["a.html", "result.json"]


@pytest.mark.parametrize(
    ("multiplier", "stated"),
    [("1", None), ("1400", "210 Wh a pulse"), ("16000/3", "800 Wh a pulse"), ("∞", None), ("1/0", None)],
)
def test_a_pulse_behind_transformers_is_stated_on_both_sides(multiplier: str, stated: str | None) -> None:
    """0.15 Wh at the meter, by what the nameplate multiplies readings by: 35 x 40 is 1400."""
    found = verification(setup=Setup({"Mult. all rdgs by": multiplier}, {}, {}))
    text = html_of(verification_page(found))
    page = text.decode() if isinstance(text, bytes) else text
    assert ("behind transformers" in page) == (stated is not None)
    assert stated is None or f"at the meter, as all below; at the primary side {stated}" in page
