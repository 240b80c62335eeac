"""What is marked beside the nameplate, as the notice shows it; the relay board is an option (D-5, D-6, M-5, M-6)."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.face.face import Face
from rig.face.svg import svg
from rig.files.strict_toml import ConfigError, convert
from rig.meter.display.lcd import Lcd
from rig.meter.markings import Markings
from rig.meter.measuring.elements import FORMS
from rig.program.build import Program, build, load_program
from rig.program.schema import ProgramFile

EXAMPLES = Path(__file__).parents[2] / "rig" / "program" / "examples"


def program(text: str = "") -> Program:
    return build(convert(tomllib.loads(text), ProgramFile))


def label(markings: Markings) -> list[str]:
    return [text for side, text in markings.rows() if side == "Left-hand side"]


def test_d5_the_plants_label() -> None:
    """KYZ - OUTPUTS: FUNCTION 1-Kp to 4-Kp; EXTERNAL INPUTS: FUNCTION, PPUT, VOLTAGE, #1 and #2.

    IN1 counts gas, 0.1 m³ a pulse: ten pulses per unit.
    """
    assert label(load_program(EXAMPLES / "industrial-9s.toml").markings) == [
        "KYZ - OUTPUTS",
        "1-Kp 0.15 kWh delivered",
        "2-Kp 0.3 kvarh lagging",
        "3-Kp - EOI",
        "4-Kp - ALERT kVA rms",
        "EXTERNAL INPUTS",
        "#1 RECORD PPUT 10 3.3 V",
        "#2 RATE D PPUT - 3.3 V",
    ]


def test_d5_every_function_has_its_mark_and_what_is_not_used_has_none() -> None:
    text = """
    [[tou.seasons]]
    name = "all year"
    begins = "01-01"
    weekday = ["00:00 A", "15:00 C"]
    [[outputs]]
    name = "KYZ4"
    function = "load control"
    rates = ["C", "A"]
    [[outputs]]
    name = "KYZ2"
    function = "pf threshold"
    below = "0.9"
    [[outputs]]
    name = "KYZ1"
    function = "pulses"
    kp_wh = "0"
    [[inputs]]
    name = "IN2"
    function = "record"
    weight = "1/3"
    volts = "24"
    """
    assert label(program(text).markings) == [
        "KYZ - OUTPUTS", "1-Kp 0 kWh delivered", "2-Kp - ALERT PF", "3-Kp - -", "4-Kp - LOAD CONTROL A C",
        "EXTERNAL INPUTS", "#1 -", "#2 RECORD PPUT 3 24 V",
    ]  # fmt: skip
    others = '[[outputs]]\nname = "KYZ1"\nfunction = "voltage threshold"\nbelow_v = "108"\n'
    others += '[[outputs]]\nname = "KYZ3"\nfunction = "diagnostic"'
    lines = label(program(others).markings)
    assert (lines[1], lines[2], lines[3]) == ("1-Kp - ALERT V", "2-Kp - -", "3-Kp - ALERT DIAGNOSTIC")


@pytest.mark.parametrize(
    ("form", "service", "network", "detects"),
    [
        ("12S", "auto", True, True),  # as on its plate: 2 EL, 2 Element Network Meter, AUTO SERVICE DETECT
        ("12S", "3-wire delta", False, False),
        ("45S", "auto", False, True),  # as on its plate: 2 EL, AUTO SERVICE DETECT alone
        ("45S", "3-wire network", True, False),
        ("4S", "auto", False, True),
        ("36S", "auto", False, True),
        ("9S", "4-wire wye", False, False),
    ],
)
def test_d5_words_on_the_front(form: str, service: str, network: bool, detects: bool) -> None:
    front = program(f'[meter]\nform = "{form}"\nservice = "{service}"').markings.front
    assert front[0] == "SOLID STATE ELECTRICITY METER"
    assert ("2 Element Network Meter" in front) == network
    assert ("AUTO SERVICE DETECT" in front) == detects
    assert len(front) == 1 + network + detects


def test_only_two_element_forms_are_network_meters() -> None:
    for form in FORMS.values():
        for service in form.services:
            front = program(f'[meter]\nform = "{form.name}"\nservice = "{service}"').markings.front
            assert ("2 Element Network Meter" in front) == (form.elements == 2 and service == "3-wire network")


# --- the relay board --------------------------------------------------------------------------------------------


def test_d6_without_the_relay_board_there_is_no_contact_and_no_marking() -> None:
    """ "Meters equipped with an optional relay board shall have markings on the left hand side"; it is an option."""
    bare = program("[meter]\nrelay_board = false")
    assert (bare.outputs, bare.inputs, bare.file.output_tables) == ((), (), ())
    assert bare.markings.relay_board is None
    assert label(bare.markings) == []
    assert ("Relay board", "none") in bare.markings.rows()
    fitted = program("outputs = []")
    assert fitted.outputs == ()
    assert label(fitted.markings)[1] == "1-Kp - -"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[outputs]]\nname = "KYZ1"\nfunction = "eoi"', "outputs"),
        ('[[inputs]]\nname = "IN1"\nfunction = "record"', "inputs"),
    ],
)
def test_d6_contacts_without_the_board_are_refused(text: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        program(f"[meter]\nrelay_board = false\n{text}")
    assert str(caught.value) == (
        f"[[{key}]] are contacts of the relay board, and meter.relay_board is false: leave them out, or let it be true"
    )


def test_d6_what_would_come_through_an_input_is_refused_too() -> None:
    for text in (
        '[display]\nnormal = ["input 1"]',
        '[recorder]\nchannels = [{ metric = "input 2", pulse = "1" }]',
    ):
        with pytest.raises(ConfigError, match=r"nothing is (counted|connected) there"):
            program(f"[meter]\nrelay_board = false\n{text}")


# --- the picture ------------------------------------------------------------------------------------------------


def words(*markings: Markings) -> list[str]:
    root = ElementTree.fromstring(svg(Face(Lcd()), *markings))
    return [text.text or "" for text in root.iter("{http://www.w3.org/2000/svg}text")]


@given(st.booleans(), st.none() | st.just("7.18"), st.sampled_from(["12S", "9S", "36S"]))
def test_d5_the_picture_has_every_marking_and_no_other(board: bool, firmware: str | None, form: str) -> None:
    markings = program(f'[meter]\nform = "{form}"\nrelay_board = {str(board).lower()}').markings
    markings = replace(markings, firmware=firmware)
    with_them, without = words(markings), words()
    marked = [text for _, text in markings.rows() if text != "none"]
    assert sorted(with_them) == sorted(without + marked)


def test_the_label_fits_beside_the_meter() -> None:
    """Every line is within its label: a character of the fonts is 0.6 of the size wide at most, on average."""
    longest = max(label(load_program(EXAMPLES / "industrial-9s.toml").markings), key=len)
    assert len(longest) * 6.5 * 0.6 < 112 - 5
