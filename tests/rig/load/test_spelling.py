"""Loads in words: each says what the same table of rig.toml says; what is not understood is refused."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.files.strict_toml import ConfigError, convert
from rig.load.description import LoadDescription
from rig.load.spelling import read_load


@pytest.mark.parametrize(
    ("words", "toml"),
    [
        ("5 A, pf 0.8 lag", 'amps = 5.0\npf = 0.8\nsense = "lag"'),
        ("  120V ,5/3.5/0 a", "volts = 120.0\namps = [5.0, 3.5, 0.0]"),
        ("PF 1, 50 hz, received", "pf = 1.0\nhz = 50.0\nreceived = true"),
        (
            "h3 A 20 %, h5 A 3.5% -160°, h7 V 2 % 90 deg",
            "amps_harmonics = [{ order = 3, percent = 20.0 }, { order = 5, percent = 3.5, angle_deg = -160.0 }]\n"
            "volts_harmonics = [{ order = 7, percent = 2.0, angle_deg = 90.0 }]",
        ),
        ("4-wire Delta, cba, 240 V", 'service = "4-wire delta"\nrotation = "CBA"\nvolts = 240.0'),
        ("profile house, day 24 s", 'profile = "house"\nday_seconds = 24.0'),
        ("profile my days/shop 1.csv", 'profile = "my days/shop 1.csv"'),
        ("alarms, 277 V", 'scenario = "alarms"\nvolts = 277.0'),
    ],
)
def test_words_and_table_describe_the_same(words: str, toml: str) -> None:
    assert read_load(words) == convert(tomllib.loads(toml), LoadDescription)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "--load: nothing between two commas is not understood: write parts such as 120 V, 5 A, pf 0.8 lag"),
        ("5", "--load: '5' is not understood"),
        ("5,5 A", "--load: '5' is not understood"),
        ("solr", "did you mean solar?"),
        ("5 kA", "--load: '5 kA' is not understood"),
        ("٣ A", "is not understood"),
        ("5 A, 3 A", "--load: '3 A' is the second word on amps: give one"),
        ("5/4/3 A, 1/2/3 A", "--load: '1/2/3 A' is the second word on amps: give one, by phase as 5/4/3 A"),
        ("pf 0.8", "--load: pf is 0.8 without its sense: give lag or lead"),
        ("pf 2 lag", "--load: pf is 2.0, it must be a power factor from 0 to 1"),
        ("lively, 5 A", "--load: scenario is 'lively' and amps is given too: a scenario has its own currents"),
        ("h1 A 3 %", "--load: amps_harmonics[0].order is 1, it must be a whole number from 2 to 50"),
        ("1/2/3/4 A", "--load: amps has 4 entries, it must have at most 3"),
        ("300 Hz", "--load: hz is 300.0, it must be a line frequency in Hz from 40 to 70"),
        ("day 30 s", "--load: day_seconds is given without profile"),
        (
            "65 Hz, h50 A 2 %",
            "--load: amps_harmonics has order 50, which at 65 Hz is beyond the 3000 Hz that are measured",
        ),
        ("h3 A 2 %, h3 A 4 %", "--load: amps_harmonics has order 3 twice: give each order once"),
    ],
)
def test_what_is_not_understood_is_refused_in_a_sentence(words: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_load(words)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["5", "A", "V", "pf", "lag", "h3", "%", "/", ",", " ", "0.8", "\n"])).map("".join)
)
def test_any_text_is_a_load_or_is_refused(words: str) -> None:
    said = ""
    try:
        assert isinstance(read_load(words), LoadDescription)
    except ConfigError as error:
        said = str(error)
    assert "\n" not in said


@pytest.mark.parametrize("command", ["run", "serve", "record x.csv"])
@pytest.mark.parametrize(
    ("load", "said"),
    [
        (
            "100 A",
            "rig: --load: amps: ia peaks at 141.4 A, and the front end of a meter of class 20 takes 70.71 A: give",
        ),
        ("3-wire delta", 'rig: --load: service: form 9S does not meter the service "3-wire delta": choose 4-wire wye'),
        ("120/120 V", "rig: --load: volts has 2 values, and on 4-wire wye the form measures volts of A B C"),
        ("profile none.csv", "none.csv does not exist: give a file of hours and shares, or house, shop, solar"),
    ],
)
def test_a_load_that_this_meter_cannot_have_runs_nothing(
    command_line: Callable[..., Any], tmp_path: Path, command: str, load: str, said: str
) -> None:
    ended = command_line(*command.split(), "--load", load)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err.replace("\n", " ")


def test_a_load_is_for_a_simulated_rig(command_line: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text('[hardware]\nkind = "pi"\n')
    ended = command_line("run", "--load", "5 A")
    assert ended.status == 2
    assert "--load needs the simulated rig" in ended.err


def test_the_load_of_a_board_that_lives_on_is_given_to_it(command_line: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text('[simulation]\nboard = "board.sock"\n')
    ended = command_line("run", "--load", "5 A")
    assert ended.status == 2
    assert "give it to the rig simulate of board.sock" in ended.err


@pytest.mark.slow
def test_a_run_meters_the_load_that_was_asked_for(command_line: Callable[..., Any]) -> None:
    """Three phases of 120 V and 5 A at 0.8 are 1440 W: 4 Wh in ten seconds, at which a line comes (review C-8)."""
    ended = command_line("run", "--load", "5 A, pf 0.8 lag", "--speed", "max", "--for", 11)
    assert ended.status == 0
    lines = [line for line in ended.out.splitlines() if "service" not in line and " kWh delivered   " in line]
    (line,) = (line for line in lines if line.startswith("SIMULATED (exact)   "))
    seconds, watts, kwh = (float(figure) for figure in re.findall(r"([\d.]+) (?:s|W|kWh delivered)\b", line))
    assert seconds == pytest.approx(10, abs=0.1)
    assert watts == pytest.approx(1440, rel=1e-3)
    assert kwh == pytest.approx(1.44 * seconds / 3600, rel=1e-3)
