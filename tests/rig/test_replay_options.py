"""Other people's recordings on the command line: delta, blocks, units, rates, ratios (review B-5, B-6, B-8, C-11)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rig.results.summary import Summary

RATE = 6000
SECONDS = 0.25
NOISE = 5e-4
"""Of S: the typical sensors' noise, −100 dB of their range, and half a sample at the end of 15 cycles (38 µs)."""

Waves = dict[str, Callable[[np.ndarray], np.ndarray]]


def wave(rms: float, lag_deg: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: rms * np.sqrt(2) * np.cos(2 * np.pi * 60 * t - np.radians(lag_deg))


def write(path: Path, waves: Waves, rate: int = RATE) -> Path:
    t = (np.arange(round(SECONDS * rate)) + 0.5) / rate
    rows = "\n".join(",".join(f"{v:.6f}" for v in row) for row in np.stack([w(t) for w in waves.values()], axis=1))
    path.write_text(",".join(waves) + "\n" + rows + "\n")
    return path


def summary(done) -> Summary:
    assert done.status == 0, done.err
    return msgspec.json.decode(done.out.encode(), type=Summary)


# A delta of 208 V between lines, 5 A in each, 20° behind: P = √3·V·I·cos 20°, whatever two wattmeters see of it apart.
# Angles lag phase A's voltage to neutral: Vab leads it by 30°, Vbc is 120° behind Vab, Vcb is Vbc reversed.
VAB, VBC, VCB = wave(208, -30), wave(208, 90), wave(208, 270)
LINES = {"ia": wave(5, 20), "ib": wave(5, 140), "ic": wave(5, 260)}
DELTA_W = np.sqrt(3) * 208 * 5 * np.cos(np.radians(20))


@pytest.mark.parametrize(
    ("waves", "channels"),
    [
        ({"va": VAB, "vc": VCB, **LINES}, None),
        ({"va": VAB, "vc": VCB, "ia": LINES["ia"], "ic": LINES["ic"]}, None),
        ({"Vab": VAB, "Vbc": VBC, "I1": LINES["ia"], "I3": LINES["ic"]}, "va=Vab,vc=-Vbc,ia=I1,ic=I3"),
        # Voltages to a neutral will do as well: the form takes the difference to phase B.
        ({"va": wave(208 / 3**0.5, 0), "vb": wave(208 / 3**0.5, 120), "vc": wave(208 / 3**0.5, 240), **LINES}, None),
    ],
)
def test_three_wire_delta(command_line, tmp_path: Path, waves: Waves, channels: str | None) -> None:
    write(tmp_path / "delta.csv", waves)
    named = [] if channels is None else ["--channels", channels]
    found = summary(command_line("replay", "delta.csv", "--rate", str(RATE), "--form", "5S", "--json", *named))
    assert found.form == "5S"
    due = DELTA_W * SECONDS / 3600
    assert found.energy_wh.delivered == pytest.approx(due, rel=NOISE / np.cos(np.radians(20)))


def test_voltages_between_lines_on_a_wye_are_told(command_line, tmp_path: Path) -> None:
    write(tmp_path / "delta.csv", {"Vab": VAB, "Vbc": VBC, "I1": LINES["ia"], "I3": LINES["ic"]})
    options = ("--rate", str(RATE), "--channels", "va=Vab,vc=-Vbc,ia=I1,ic=I3", "--seconds", "0.1", "--json")
    wye = command_line("replay", "delta.csv", *options)
    assert "va: Vab is between lines by its name, and a 4-wire wye has its voltages against the neutral" in wye.err
    assert "vc: -Vbc is between lines" in wye.err
    assert "between lines" not in command_line("replay", "delta.csv", *options, "--form", "5S").err


def test_a_voltage_of_a_delta_that_is_missing(command_line, tmp_path: Path) -> None:
    write(tmp_path / "delta.csv", {"va": VAB, **LINES})
    done = command_line("replay", "delta.csv", "--rate", str(RATE), "--form", "5S")
    assert done.status == 2
    assert "form 5S meters vc (against phase b, the common point of a 3-wire delta), which is not among" in done.err


def test_both_ratios_are_asked_for_at_once(command_line, tmp_path: Path) -> None:
    write(tmp_path / "high.csv", {"va": wave(7200, 0), "ia": wave(600, 0)})
    done = command_line("replay", "high.csv", "--rate", str(RATE))
    assert done.status == 2
    assert "va peaks at 1.018e+04 V at the meter, 12 times the front end's" in done.err
    assert " and ia peaks at 848.1 A at the meter, 12 times the front end's" in done.err
    assert "; --vt-ratio 15 --ct-ratio 15 would fit" in done.err
    found = summary(
        command_line("replay", "high.csv", "--rate", str(RATE), "--vt-ratio", "15", "--ct-ratio", "15", "--json")
    )
    assert found.energy_wh.delivered == pytest.approx(7200 * 600 * SECONDS / 3600, rel=NOISE)


@pytest.mark.parametrize("rate", ["1000000/166.5", "166.5us"])
def test_rates(command_line, tmp_path: Path, rate: str) -> None:
    """The samples of 6000 Hz played at 1e6/166.5 Hz last 0.1 % less: a gateware sample is 0.03 % of them."""
    write(tmp_path / "load.csv", {"va": wave(120, 0), "ia": wave(5, 0)})
    found = summary(command_line("replay", "load.csv", "--rate", rate, "--json"))
    assert found.seconds == pytest.approx(float(round(SECONDS * RATE) * Fraction(1665, 10**7)), abs=7.7e-5)


def comtrade(folder: Path) -> Path:
    """Two blocks of 6000 samples a second with one of 60 between: 5 A in the first, 10 A in the second."""
    t = (np.arange(1500) + 0.5) / RATE
    counts = [np.round(wave(120, 0)(t) / 0.01), np.round(wave(5, 0)(t) / 0.001)]
    first, second = (np.stack([counts[0], counts[1] * k], axis=1).astype("<i2") for k in (1, 2))
    rows = np.concatenate([first, np.zeros((3, 2), "<i2"), second])
    table = np.zeros(len(rows), [("n", "<u4"), ("t", "<u4"), ("x", "<i2", 2)])
    table["n"], table["x"] = np.arange(1, len(rows) + 1), rows
    text = (
        "S,D,1999\n2,2A,0D\n1,F1_U,,,volt?,0.01,0,0,-32767,32767,1,1,S\n2,F1_I,,,A,0.001,0,0,-32767,32767,1,1,S\n"
        "60Hz\n3\n6000,1500\n60,1503\n6000,3003\n44/44/2026,24:00:00\n,\nBINARY\n1\n"
    )
    path = folder / "blocks.cfg"
    path.write_text(text)
    path.with_suffix(".dat").write_bytes(table.tobytes())
    return path


@pytest.mark.parametrize(("block", "watts"), [([], 600), (["--block", "3"], 1200)])
def test_blocks_and_what_was_taken_on_trust(command_line, tmp_path: Path, block: list[str], watts: float) -> None:
    comtrade(tmp_path)
    done = command_line("replay", "blocks.cfg", "--channels", "va=F1_U,ia=F1_I", "--json", *block)
    assert summary(done).energy_wh.delivered == pytest.approx(watts * 0.25 / 3600, rel=NOISE)
    notes = " ".join(done.err.split())
    assert "va: the unit 'volt?' of F1_U is not known, its numbers are taken as volts" in notes
    assert "the frequency '60Hz' of line 5" in notes
    assert "--block chooses another" in notes


def test_no_such_block(command_line, tmp_path: Path) -> None:
    comtrade(tmp_path)
    done = command_line("replay", "blocks.cfg", "--channels", "va=F1_U,ia=F1_I", "--block", "4")
    assert done.status == 2
    assert "no block 4, it has 3" in done.err


@pytest.mark.parametrize("option", ["--vt-ratio", "--ct-ratio"])
@pytest.mark.parametrize("text", ["0", "-1", "0/5", "1/0", "nan"])
def test_a_ratio_that_is_none(command_line, tmp_path: Path, option: str, text: str) -> None:
    write(tmp_path / "delta.csv", {"va": VAB, **LINES})
    done = command_line("replay", "delta.csv", "--rate", str(RATE), f"{option}={text}")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"rig: {option} is ")
    assert "it must be a positive number up to" in done.err
