"""Terminals of every width and kind, and pipes: nothing is cut, nothing is blank, no control sequence goes astray."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rig.results.summary import Phase
from rig.terminal.console import CommandConsole
from rig.terminal.continued import Continued, FigureColumn
from rig.terminal.listing import Listing
from rig.terminal.run_view import Phases
from rig.terminal.width import columns

ROOT = Path(__file__).parents[2]
WIDE = 400
"""Nothing needs more."""

figures = st.one_of(st.floats(0, 1000), st.floats(0, 2e8), st.just(0.0))
signed = st.one_of(st.floats(-1000, 1000), st.floats(-2e8, 2e8))
perhaps_signed = st.one_of(st.none(), signed)
degrees = st.one_of(st.none(), st.floats(0, 359.9))
phases = st.builds(
    Phase, v_rms=figures, i_rms=figures, p_w=signed, q_var=perhaps_signed, p1_w=perhaps_signed, q1_var=perhaps_signed,
    s_va=figures, pf=st.one_of(st.none(), st.floats(-1, 1)), angle_deg=degrees, i_angle_deg=degrees,
    tdr_v_pct=st.one_of(st.none(), st.floats(0, 9999)), tdr_i_pct=st.one_of(st.none(), st.floats(0, 9999)),
)  # fmt: skip


def printed(renderable: object, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(st.lists(phases, min_size=1, max_size=3), st.integers(40, 160))
def test_every_figure_of_every_phase_is_there_at_any_width(values: list[Phase], width: int) -> None:
    text = printed(Phases(dict(zip("abc", values, strict=False))), width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    words = Counter(re.findall(r"-?\d+\.\d+[°%]?", text))
    due: Counter[str] = Counter()
    for p in values:
        due.update([f"{p.v_rms:.2f}", f"{p.i_rms:.4f}", f"{p.p_w:z.2f}", f"{p.s_va:.2f}"])
        due.update(f"{x:z.2f}" for x in (p.q_var,) if x is not None)
        due.update(f"{x:z.4f}" for x in (p.pf,) if x is not None)
        due.update(f"{x:.1f}°" for x in (p.angle_deg, p.i_angle_deg) if x is not None)
        due.update(f"{x:.2f}%" for x in (p.tdr_v_pct, p.tdr_i_pct) if x is not None)
    assert due <= words
    known = [p for p in values if p.p1_w is not None and p.q1_var is not None and (p.p1_w or p.q1_var)]
    assert len(re.findall(r"-?\d+\.\d\d°", text)) == len(known)  # φ
    senses = [p for p in known if p.pf is not None and f"{abs(p.pf):.4f}" != "1.0000"]
    assert len(re.findall(r"\b(?:lag|lead)\b", text)) == len(senses)


words = st.text("abc d/e[bold]", max_size=60)


@given(st.lists(st.tuples(words, words, words), max_size=4), st.integers(40, 160))
def test_a_listing_has_every_letter_at_any_width(rows: list[tuple[str, str, str]], width: int) -> None:
    text = printed(Listing(("one", "", "three"), rows, title="[title]"), width)
    assert "…" not in text
    assert max(map(len, text.splitlines()), default=0) <= width
    due = Counter(c for row in rows for cell in row for c in cell if not c.isspace())
    assert due <= Counter(text)


@given(
    st.lists(st.lists(st.integers(0, 10**12).map(str), min_size=3, max_size=3), min_size=1, max_size=9),
    st.integers(40, 160),
)
def test_columns_that_do_not_fit_go_on_below(cells: list[list[str]], width: int) -> None:
    first = FigureColumn("month", ["2026-01", "2026-02", "2026-03"], text=True)
    text = printed(Continued(first, [FigureColumn(f"kWh\n{k}", column) for k, column in enumerate(cells)]), width)
    assert max(map(len, text.splitlines())) <= width
    tables = text.count("month")
    assert text.count("2026-02") == tables
    for k, month in enumerate(first.cells):
        row = [cell for line in text.splitlines() if line.startswith(month) for cell in line.split()[1:]]
        assert row == [column[k] for column in cells]
    room = sum(max(len("kWh"), *map(len, column)) + 2 for column in cells) + len("2026-01")
    assert tables == 1 or room > width


# --- how wide -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "width"),
    [("120", 120), ("40", 40), ("39", 40), ("1", 40), ("0", 80), ("", 80), ("-5", 80), ("x", 80), ("８０", 80),
     ("1000", 1000), ("999999999", 1000), ("9" * 30, 80)],
)  # fmt: skip
def test_columns_of_a_pipe(said: str, width: int) -> None:
    command = [sys.executable, "-c", "from rig.terminal.width import columns; print(columns())"]
    environment = os.environ | {"COLUMNS": said, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=True)
    assert int(done.stdout) == width


@pytest.mark.parametrize(("own", "width"), [(0, 80), (30, 40), (132, 132)])
def test_columns_of_a_terminal_are_its_own(own: int, width: int) -> None:
    terminal, ours = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, own, 0, 0))
    command = [sys.executable, "-c", "from rig.terminal.width import columns; print(columns())"]
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"} | {"PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=ours, stdin=ours, check=True)
    finally:
        os.close(ours)
        os.close(terminal)
    assert int(done.stdout) == width
    assert columns({"COLUMNS": "77"}) == 77


# --- commands -------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, command_line) -> Path:
    """A recording of much power, a load, a program and the store that it left."""
    wave = [(8000.0 if k % 100 < 50 else -8000.0, 2000.0 if k % 100 < 50 else -2000.0) for k in range(1200)]
    rows = "".join(f"{v},{a},{v},{a},{v},{a}\n" for v, a in wave)
    (tmp_path / "wave.csv").write_text("va,ia,vb,ib,vc,ic\n" + rows)
    load = "".join(f"2026-03-{1 + h // 24:02}T{h % 24:02}:00,{h}.5,{h}.25\n" for h in range(1, 48))
    (tmp_path / "load.csv").write_text("time,kwh_delivered,kvarh_lagging\n" + load)
    assert command_line("program", "new", "--out", "meter.toml").status == 0
    assert command_line("bill", "load.csv", "--program", "meter.toml", "--store", "store").status == 0
    return tmp_path


TABLES = (
    "bill load.csv --program meter.toml", "store show store", "store check store", "profile show store --last 5",
    "program check meter.toml", "program schema", "doctor",
)  # fmt: skip
OTHERS = ("replay wave.csv --rate 6000 --vt-ratio 60 --ct-ratio 500", "scope --cycles 1", "profile plot store")


def test_no_command_loses_a_letter_on_a_narrow_terminal(files: Path, command_line) -> None:
    for line in TABLES:
        wide = command_line(*line.split(), columns=WIDE)
        for width in (80, 60, 40):
            done = command_line(*line.split(), columns=width)
            assert (done.status, done.err) == (wide.status, wide.err), line
            lost = Counter(re.sub(r"\s", "", wide.out)) - Counter(done.out)
            assert not lost, (line, width, lost)
            assert max(map(len, done.out.splitlines())) <= width or line.startswith("program check"), (line, width)


def test_a_replay_of_megawatts_loses_no_figure(files: Path, command_line) -> None:
    summary = json.loads(command_line(*OTHERS[0].split(), "--json").out)
    for width in (80, 40):
        text = command_line(*OTHERS[0].split(), columns=width).out
        assert "…" not in text
        for p in summary["phases"].values():
            for figure in (f"{p['v_rms']:.2f}", f"{p['i_rms']:.4f}", f"{p['p_w']:.2f}", f"{p['q_var']:.2f}",
                           f"{p['s_va']:.2f}", f"{p['pf']:.4f}", f"{p['tdr_i_pct']:.2f}%"):  # fmt: skip
                assert figure in text, (width, figure)


@pytest.mark.parametrize(
    "environment",
    [{}, {"TERM": "dumb"}, {"TERM": "xterm-256color"}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"},
     {"GITHUB_ACTIONS": "true"}, {"COLUMNS": "0"}, {"COLUMNS": "40"}],
)  # fmt: skip
def test_a_pipe_gets_text_and_never_nothing(
    files: Path, command_line, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    width = int(environment.get("COLUMNS", 80))
    for line in (*TABLES, *OTHERS, "--help", "replay --help", "program new", "--version"):
        done = command_line(*line.split(), columns=width)
        assert done.status == 0, line
        assert done.out.strip(), line
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.out + done.err), line


def on_a_terminal(words: str, folder: Path, **environment: str) -> str:
    """What a real process writes to a real terminal, which is its output and its errors."""
    terminal, ours = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from rig.cli.entry import main; main()", *words.split()],
        stdin=subprocess.DEVNULL,
        stdout=ours,
        stderr=ours,
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
        | {"PYTHONPATH": str(ROOT)}
        | environment,
    )
    os.close(ours)
    text = b""
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux: the other end has closed
            break
        if not chunk:
            break
        text += chunk
    os.close(terminal)
    assert process.wait(60) == 0
    return text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("line", "term"), [(OTHERS[0], "dumb"), *(("store show store", term) for term in ("dumb", "unknown", ""))]
)
def test_a_dumb_terminal_gets_text_only(files: Path, line: str, term: str) -> None:
    text = on_a_terminal(line, files, TERM=term)
    assert "SIMULATED" in text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)


def test_a_terminal_gets_colour_and_none_where_it_is_not_wanted(files: Path) -> None:
    coloured = on_a_terminal("store show store", files, TERM="xterm-256color")
    assert re.search(r"\x1b\[[\d;]*3[0-7]", coloured)
    plain = on_a_terminal("store show store", files, TERM="xterm-256color", NO_COLOR="1")
    assert not re.search(r"\x1b\[[\d;]*[34][0-7]", plain)
    strip = re.compile(r"\x1b\[[\d;]*m")
    assert strip.sub("", coloured) == strip.sub("", plain)


def test_a_bar_is_drawn_on_a_terminal_and_goes_away(files: Path) -> None:
    """Drawn, and in the end its line is erased: what stays is the result."""
    text = on_a_terminal(OTHERS[0], files, TERM="xterm-256color")
    assert "wave.csv" in text
    assert re.search(r"\x1b\[\d?[JK]", text)
    assert text.rstrip().splitlines()[-1].endswith("damaged frames: 0")


def test_brackets_and_emoji_codes_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    CommandConsole().print("[bold]x[/bold] :warning: [/] a[1]")
    assert capsys.readouterr().out == "[bold]x[/bold] :warning: [/] a[1]\n"


def test_a_file_controls_no_terminal(command_line) -> None:
    """A name with an escape sequence in it: as text, on one line."""
    name = "\x1b[31mred\nline.csv"
    assert command_line("replay", name).err.startswith(r"rig: \x1b[31mred\nline.csv: no such file")
    done = command_line("bill", "load.csv", "--program", name)
    assert "\x1b" not in done.err
    assert done.err.count("\n") == 1


def test_a_word_that_is_longer_than_a_line_goes_on_in_the_next() -> None:
    """A path, say, among cells that are listed one below the other."""
    rows = [("one", "x" * 150, "three"), ("y" * 41, "", "z")]
    text = printed(Listing(("heading", "another", "third"), rows), 40)
    assert (text.count("x"), text.count("y")) == (150, 41)
