"""What a written program is asked as: the docstring's table row by row, and random pairs against plain data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.files.strict_toml import convert
from rig.program import changes, schema
from rig.program.changes import actions_of

EXAMPLES = sorted((Path(schema.__file__).parent / "examples").glob("*.toml"))
DATA: list[dict[str, Any]] = [
    {},
    {"meter": {"firmware": "7.18", "relay_board": False}},
    *(tomllib.loads(path.read_text(encoding="utf-8")) for path in EXAMPLES),
]
TABLES = schema.ProgramFile.__struct_fields__


def file(text: str) -> schema.ProgramFile:
    return convert(tomllib.loads(text), schema.ProgramFile)


def labels(old: schema.ProgramFile, new: schema.ProgramFile) -> set[str]:
    found = [action.label for action in actions_of(old, new)]
    assert len(found) == len({*found})
    assert found[0] == "write program"
    return {*found[1:]}


ROWS: dict[str, list[tuple[str, str, set[str]]]] = {
    "[meter]": [("", '[meter]\nserial = "1"', set()), ("", '[meter]\nct_ratio = "2"', set())],
    "[meter] service": [("", '[meter]\nservice = "4-wire wye"', {"change metrology"})],
    "[meter] firmware": [("", '[meter]\nfirmware = "7.18"', {"change metrology"})],
    "[meter] relay_board": [("outputs = []", "outputs = []\n[meter]\nrelay_board = false", {"change metrology"})],
    "[demand]": [("", "[demand]", set()), ("[demand]", "[demand]\nreset_lockout_seconds = 1", set())],
    "[recorder]": [("", '[recorder]\nchannels = [{ metric = "I2h A", pulse = "1" }]', set())],
    "[display]": [("", "[display]\nenergy_digits = 6", set()), ("", '[display]\nnormal = ["date"]', set())],
    "[[outputs]]": [
        ('[[outputs]]\nname = "KYZ2"\nfunction = "eoi"', '[[outputs]]\nname = "KYZ3"\nfunction = "eoi"', set()),
        ("outputs = []", '[[outputs]]\nname = "KYZ2"\nfunction = "load control"\nrates = ["A"]', set()),
    ],
    "[[outputs]] pulses": [
        ("", "outputs = []", {"change relays"}),
        ("", '[[outputs]]\nname = "KYZ1"\nfunction = "pulses"\nkp_wh = "3"', {"change relays"}),
        ("", '[[outputs]]\nname = "KYZ1"\nfunction = "eoi"', {"change relays"}),
    ],
    "[[inputs]] record": [
        ("", '[[inputs]]\nname = "IN1"\nfunction = "record"', set()),
        (
            '[[inputs]]\nname = "IN1"\nfunction = "record"',
            '[[inputs]]\nname = "IN1"\nfunction = "record"\nweight = "2"',
            set(),
        ),
    ],
    "[security]": [
        ("", '[security]\nlevel_4 = "1"', set()),
        ("", "[security]\nseal = true", set()),
    ],
    "[security] seal from true to false": [("[security]\nseal = true", "", {"change security"})],
    "[[inputs]] force rate": [("", '[[inputs]]\nname = "IN1"\nfunction = "force rate"\nrate = "B"', set())],
    "[clock]": [("", '[clock]\nzone = "America/Toronto"', set())],
    "[test_mode]": [("", "[test_mode]\nminutes = 1", set())],
    "[tou]": [("", '[[tou.seasons]]\nname = "s"\nbegins = "01-01"\nweekday = ["00:00 B"]', set())],
    "[self_read]": [("", '[self_read]\nschedule = "daily"', set())],
}
"""For each row old and new files, and what other rows add."""


def table() -> dict[str, str]:
    assert changes.__doc__ is not None
    lines = [line.strip() for line in changes.__doc__.splitlines() if line.startswith("    ")][1:]
    return dict(line.split("  ", 1) for line in lines)


@pytest.mark.parametrize(("row", "says"), [(row, says.strip()) for row, says in table().items()])
def test_every_row(row: str, says: str) -> None:
    for old, new, others in ROWS[row]:
        assert labels(file(old), file(new)) == ({says} - {"-"}) | others


def test_every_table_of_the_schema_has_a_row() -> None:
    assert {row.strip("[]").split("]")[0] for row in table()} == set(TABLES)
    assert set(ROWS) == set(table())


def test_what_is_written_anew_changes_nothing() -> None:
    for data in DATA:
        assert labels(convert(data, schema.ProgramFile), convert(data, schema.ProgramFile)) == set()
    spelled_out = file('[[outputs]]\nname = "KYZ1"\nfunction = "pulses"')
    assert labels(file(""), spelled_out) == set(), "what is so without a word"
    both = '[[outputs]]\nname = "KYZ{}"\nfunction = "eoi"\n[[outputs]]\nname = "KYZ{}"\nfunction = "eoi"'
    assert labels(file(both.format(1, 2)), file(both.format(2, 1))) == set(), "the order of outputs means nothing"


def expected(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    """By plain data with defaults filled in."""
    found = set()
    if any(old[name] != new[name] for name in ("meter", "demand", "recorder", "display")):
        found.add("change metrology")
    if old["meter"]["service"] != new["meter"]["service"]:
        found.add("change service type")
    if old["meter"]["firmware"] != new["meter"]["firmware"]:
        found.add("upgrade")
    if old["meter"]["relay_board"] != new["meter"]["relay_board"]:
        found.add("change relays")
    kyz1 = [{"function": "pulses", "name": "KYZ1", "quantity": "kWh delivered", "kp_wh": None}]
    outs = [
        sorted(kyz1 * data["meter"]["relay_board"] if data["outputs"] is None else data["outputs"], key=str)
        for data in (old, new)
    ]
    ins = [sorted(data["inputs"], key=str) for data in (old, new)]
    if outs[0] != outs[1]:
        found.add("change relays")
    for contacts, function in ((outs, "pulses"), (ins, "record")):
        before, after = ([contact for contact in side if contact["function"] == function] for side in contacts)
        if before != after:
            found.add("change metrology")
    if old["security"] != new["security"]:
        found.add("change security")
        if old["security"]["seal"] and not new["security"]["seal"]:
            found.add("change metrology")
    return found


MIXED = st.fixed_dictionaries({}, optional={name: st.sampled_from(DATA) for name in TABLES}).map(
    lambda picked: {name: data[name] for name, data in picked.items() if name in data}
)


@given(MIXED, st.lists(st.sampled_from(TABLES), max_size=3, unique=True), MIXED)
def test_random_pairs(old: dict[str, Any], names: list[str], donor: dict[str, Any]) -> None:
    new = {name: value for name, value in old.items() if name not in names}
    new |= {name: donor[name] for name in names if name in donor}
    files = [convert(data, schema.ProgramFile) for data in (old, new)]
    assert labels(*files) == expected(*(msgspec.to_builtins(made) for made in files))
