"""What a program must not say: one sentence each, which names file, key, value and what would be right."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.files.strict_toml import ConfigError, convert
from rig.program import schema
from rig.program.build import Program, build, load_program

EXAMPLES = sorted((Path(schema.__file__).parent / "examples").glob("*.toml"))
DATA = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in EXAMPLES}
TABLES = schema.ProgramFile.__struct_fields__

REFUSED = [
    tuple(block.split("\n→ "))
    for block in Path(__file__).with_name("refusals.txt").read_text(encoding="utf-8").split("\n\n")
]
"""A program, and the sentence that refuses it; one that ends in … goes on, in words of others."""

TOO_MANY = {
    "display.normal": (65, "[display]\nnormal = [{}]", '"date"', 64),
    "recorder.channels": (16, "[recorder]\nchannels = [{}]", '{ metric = "I2h A", pulse = "1" }', 15),
    "outputs": (5, "outputs = [{}]", '{ name = "KYZ1", function = "eoi" }', 4),
    "inputs": (3, "inputs = [{}]", '{ name = "IN1", function = "record" }', 2),
    "demand.quantities": (4, "[demand]\nquantities = [{}]", '"kW delivered"', 3),
    "tou.seasons": (5, "[tou]\nseasons = [{}]", '{ name = "s", begins = "01-01", weekday = ["00:00 A"] }', 4),
}


def program(text: str) -> Program:
    return build(convert(tomllib.loads(text), schema.ProgramFile))


@pytest.mark.parametrize(("text", "sentence"), REFUSED)
def test_refused(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        program(text)
    said = str(caught.value)
    assert said == sentence.strip() or ("…" in sentence and said.startswith(sentence.strip().removesuffix("…")))
    assert_sentence(said)


ODD_TEXTS = {
    "[meter]\nserial = {}": ["", "1\n", "1\x1b", "é"],
    "[clock]\nstandard_offset = {}": ["-05:00\n", "-0٥:00", "-05:0٠"],
    "[security]\nlevel_1 = {}": ["123456\n", "12345٦"],
    '[[tou.seasons]]\nname = {}\nbegins = "05-01"\nweekday = ["00:00 A"]': ["", " ", "a\n", "a\nb", "\x1b[31m", "\x9b"],
    '[[tou.seasons]]\nname = "a"\nbegins = {}\nweekday = ["00:00 A"]': ["٠٥-٠١", "05-0１"],
    '[[tou.seasons]]\nname = "a"\nbegins = "05-01"\nweekday = ["00:00 A"]\n'
    '[[tou.holidays]]\ndate = "12-25"\nname = {}': ["", "  ", "a\t", "\x7f"],
    "[clock]\nzone = {}": ["posixrules", "right/America/Toronto"],
}
"""Texts that look right on a screen, or do something to it; and zones that are not what their names say."""


@pytest.mark.parametrize(("text", "odd"), [(text, odd) for text, odds in ODD_TEXTS.items() for odd in odds])
def test_odd_texts(text: str, odd: str) -> None:
    with pytest.raises(ConfigError) as caught:
        program(text.format(json.dumps(odd)))
    assert_sentence(str(caught.value))


@pytest.mark.parametrize("name", ["été", " hiver", "冬", "😀" * 20])
def test_names_of_any_script(name: str) -> None:
    text = f'[[tou.seasons]]\nname = "{name}"\nbegins = "05-01"\nweekday = ["00:00 A"]'
    assert program(text).billing.calendar.tariff.seasons[0].name == name


@pytest.mark.parametrize("place", TOO_MANY)
def test_too_many(place: str) -> None:
    count, text, entry, most = TOO_MANY[place]
    with pytest.raises(ConfigError) as caught:
        program(text.format(", ".join([entry] * count)))
    assert str(caught.value) == f"{place} has {count} entries, it must have at most {most}"


def test_a_day_of_the_recorder_fits_its_memory() -> None:
    channels = ", ".join(['{ metric = "I2h A", pulse = "1" }'] * 15)
    with pytest.raises(ConfigError, match=r"recorder\.memory_kb is 32: 15 channels every 1 min fill 43202 bytes a day"):
        program(f"[recorder]\ninterval_minutes = 1\nmemory_kb = 32\nchannels = [{channels}]")


def assert_sentence(said: str) -> None:
    """One line that begins with the key, without a word of the libraries that found the mistake."""
    place = rf"\[?\[?({'|'.join(TABLES)})\b"
    assert re.match(rf"unknown key |{place}", said), said
    assert "\n" not in said
    assert not re.search(r"Expected|Object|field|Traceback|\$", said), said
    assert len(said) < 400, said


def test_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "meter.toml"
    for text, said in {
        '[meter]\nform = "7S"': "meter.form: form",
        "[meter]\nfrom = 1": "unknown key from in [meter]; did you mean form?",
        "[meter": "is not TOML",
        '[meter]\nform = "7\\nS"': 'meter.form: form "7 S" is not known',
    }.items():
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=re.escape(said)) as caught:
            load_program(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value).partition("not TOML")[0]
    with pytest.raises(ConfigError, match=r"none\.toml does not exist: .* rig program new"):
        load_program(tmp_path / "none.toml")


# --- any program, with one thing wrong ------------------------------------------------------------------------


def places(data: Any, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every key and every entry, however deep."""
    found = [place] if place else []
    if isinstance(data, dict):
        found += [p for key, value in data.items() for p in places(value, (*place, key))]
    elif isinstance(data, list):
        found += [p for k, value in enumerate(data) for p in places(value, (*place, k))]
    return found


ALL = [(name, place) for name, data in DATA.items() for place in places(data)]


def changed(name: str, place: tuple[str | int, ...], change: Callable[[Any, str | int], None]) -> dict[str, Any]:
    data = copy.deepcopy(DATA[name])
    inside: Any = data
    for step in place[:-1]:
        inside = inside[step]
    change(inside, place[-1])
    return data


def written(place: tuple[str | int, ...]) -> str:
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in place).lstrip(".")


def refusal(data: dict[str, Any]) -> str | None:
    try:
        build(convert(data, schema.ProgramFile))
    except ConfigError as error:
        return str(error)
    return None


@settings(max_examples=150)
@given(st.sampled_from(ALL))
def test_left_out(where: tuple[str, tuple[str | int, ...]]) -> None:
    """What is left out either has a default, or somebody says that it is missing."""

    def leave_out(inside: Any, step: str | int) -> None:
        del inside[step]

    said = refusal(changed(*where, leave_out))
    if said is not None:
        assert_sentence(said)


@settings(max_examples=150)
@given(st.sampled_from([w for w in ALL if isinstance(w[1][-1], str)]), st.sampled_from(["x", "_", "s", " x"]))
def test_misspelt(where: tuple[str, tuple[str | int, ...]], more: str) -> None:
    def misspell(inside: Any, step: str | int) -> None:
        inside[f"{step}{more}"] = inside.pop(step)

    said = refusal(changed(*where, misspell))
    key = where[1][-1]
    assert said is not None
    assert_sentence(said)
    assert str(key) in said


@settings(max_examples=300)
@given(
    st.sampled_from(ALL),
    st.sampled_from([None, True, -1, 0, 10**12, 1.5, "", "x", "-1", "1/0", [], ["x"], {}, {"x": 1}, [[]], "é" * 99]),
)
def test_of_another_kind(where: tuple[str, tuple[str | int, ...]], value: Any) -> None:
    """Whatever stands in the place of a value: taken, or refused at this very key, or where others depend on it."""
    place = where[1]

    def replace(inside: Any, step: str | int) -> None:
        inside[step] = value

    said = refusal(changed(*where, replace))
    if said is None:
        return
    assert_sentence(said)
    if isinstance(value, float):
        keys = place[0] == "security" and place[-1] != "seal"
        shown = "not valid (it is not shown here)" if keys else "1.5"
        assert said.startswith(f"{written(place)} is {shown}, it must be")


@settings(max_examples=100)
@given(st.sampled_from(ALL), st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=30))
def test_any_text(where: tuple[str, tuple[str | int, ...]], text: str) -> None:
    def replace(inside: Any, step: str | int) -> None:
        inside[step] = text

    said = refusal(changed(*where, replace))
    if said is not None:
        assert re.match(rf"\[?\[?({'|'.join(TABLES)})\b", said), said
