"""A new output function is one class, one table, and what makes the one of the other: nothing else knows of it (F-10).

Two functions that no meter has: an alert on current, and a contact that closes for each demand reset. What is defined
here is all that there is of them.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from test_meter_contacts import CLOSED, OPEN, WINDOW, Rig

from rig.files.numbers import LEAST, MOST, number
from rig.files.strict_toml import ConfigError, convert
from rig.meter.billing.commands import Action
from rig.meter.billing.events import DemandWasReset
from rig.meter.contacts.alert_inputs import AlertInputs
from rig.meter.contacts.functions import Alert, ContactRatings, LevelEvent, TimedOutput, number_text
from rig.meter.contacts.outputs import OutputId
from rig.program import contacts, schema
from rig.program.build import Program, build
from rig.program.check import notes, summary
from rig.program.offer import Offer

ROOT = Path(__file__).parents[2]

# --- the functions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CurrentAlert(Alert):
    """Closed while the current of any phase is above a threshold."""

    above_a: Fraction

    def exceeded(self, second: AlertInputs) -> bool:
        return max(second.phases.i_rms) > self.above_a

    def text(self, meter: ContactRatings) -> str:
        return f"current above {number_text(self.above_a)} A"

    @property
    def marking(self) -> str:
        return "ALERT A"

    def notes(self, meter: ContactRatings) -> Iterable[str]:
        if self.above_a * meter.rated_v * 3 > meter.max_w:
            yield "closes above what MAX comes to"


@dataclass(frozen=True)
class ResetOutput(TimedOutput):
    """Closed for a second for each demand reset."""

    def closes_for_s(self, event: LevelEvent) -> int:
        return 1 if isinstance(event, DemandWasReset) else 0

    def text(self, meter: ContactRatings) -> str:
        return "demand resets"

    @property
    def marking(self) -> str:
        return "RESETS"


# --- their tables -------------------------------------------------------------------------------------------------


class CurrentThresholdTable(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="function", tag="current"
):
    """Closes K–Y while a current is above a level."""

    name: Literal["KYZ1", "KYZ2", "KYZ3", "KYZ4"]
    above: str


class ResetTable(msgspec.Struct, frozen=True, tag_field="function", tag="resets"):
    """Closes K–Y for each demand reset."""

    name: Literal["KYZ1", "KYZ2", "KYZ3", "KYZ4"]


# --- what makes the ones of the others ----------------------------------------------------------------------------


def made_current(table: CurrentThresholdTable, place: str, offer: Offer) -> CurrentAlert:
    rule = 'amperes above 0 in quotes, such as "5"'
    return CurrentAlert(OutputId[table.name], number(f"{place}.above", table.above, rule, LEAST, MOST))


def made_reset(table: ResetTable, place: str, offer: Offer) -> ResetOutput:
    return ResetOutput(OutputId[table.name])


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """For these tests alone: all that there are, and the two."""
    registry = contacts.output_of.registry
    extended = singledispatch(registry[object])
    for table, made in {**registry, CurrentThresholdTable: made_current, ResetTable: made_reset}.items():
        extended.register(table, made)
    monkeypatch.setattr(contacts, "output_of", extended)


Outputs = tuple[schema.OutputTable | CurrentThresholdTable | ResetTable, ...]
ProgramFile: Any = msgspec.defstruct(
    "ProgramFile",
    [("outputs", Annotated[Outputs, msgspec.Meta(max_length=4)] | None, None)],
    bases=(schema.ProgramFile,),
    frozen=True,
    forbid_unknown_fields=True,
)
"""As the schema has it, with two more tables in the union of outputs."""

TEXT = """
[demand]
quantities = ["kW delivered"]
[[outputs]]
name = "KYZ2"
function = "current"
above = "0.00625"
[[outputs]]
name = "KYZ1"
function = "resets"
[[outputs]]
name = "KYZ3"
function = "eoi"
"""


def program(text: str = TEXT) -> Program:
    return build(convert(tomllib.loads(text), ProgramFile))


# --- it works -----------------------------------------------------------------------------------------------------


def test_it_is_programmed_read_and_noted() -> None:
    made = program()
    assert made.outputs[:2] == (ResetOutput(OutputId.KYZ1), CurrentAlert(OutputId.KYZ2, Fraction(1, 160)))
    lines = summary(made, 2026)
    assert (lines["KYZ1"], lines["KYZ2"]) == ("demand resets", "current above 0.00625 A")
    assert not any("KYZ2" in note for note in notes(made, 2026))
    high = program(TEXT.replace("0.00625", "900"))
    assert "KYZ2 closes above what MAX comes to" in notes(high, 2026)


def test_its_mistakes_are_refused_like_all_others() -> None:
    with pytest.raises(ConfigError, match=r"outputs\[0\].above is 'much', it must be amperes above 0 in quotes"):
        program(TEXT.replace("0.00625", "much"))
    with pytest.raises(ConfigError, match=r"outputs\[1\].name is 'KYZ2' again"):
        program(TEXT.replace("KYZ1", "KYZ2"))


def test_a_meter_closes_its_contacts() -> None:
    """6 mA in the first windows, then 7: judged each second. A reset closes the other one for a second, or 10 ticks."""
    rig = Rig(program()).meters(3 * WINDOW, tenths_ma=60)
    assert rig.of("KYZ2") == [(0, OPEN)]
    rig.meters(2 * WINDOW, tenths_ma=70).does(Action.RESET, after=3).meters(WINDOW, tenths_ma=60)
    assert rig.of("KYZ2") == [(0, OPEN), (80, CLOSED), (120, OPEN)]
    assert rig.of("KYZ1") == [(0, OPEN), (103, CLOSED), (113, OPEN)]


# --- and every one there is, is like that -------------------------------------------------------------------------


def test_every_table_of_the_schema_has_what_makes_a_function_of_it() -> None:
    tables = set(schema.OutputTable.__args__)
    registered = set(contacts.output_of.registry) - {object, CurrentThresholdTable, ResetTable}
    assert registered == tables


def test_a_table_that_nothing_is_made_of_is_an_error_of_ours() -> None:
    with pytest.raises(TypeError, match="there is no function of int: register one that makes it"):
        contacts.output_of(7, "outputs[0]", None)


def test_functions_are_named_nowhere_but_where_they_are_and_where_they_are_made() -> None:
    """Of those that do not pulse, outside their own module no other names one, but the one that makes them."""
    names = set()
    for module in ("alerts", "level_functions"):
        tree = ast.parse((ROOT / "rig" / "meter" / "contacts" / f"{module}.py").read_text(encoding="utf-8"))
        names |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert len(names) == 6
    where = {
        str(path.relative_to(ROOT / "rig"))
        for path in (ROOT / "rig").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ClassDef) and node.name in names) or (isinstance(node, ast.Name) and node.id in names)
    }
    assert where == {"meter/contacts/alerts.py", "meter/contacts/level_functions.py", "program/contacts.py"}
