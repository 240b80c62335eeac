"""Every cell of the door's tables: code, docstring, documents and an oracle written otherwise say the same."""

from __future__ import annotations

import re
from itertools import dropwhile, product, takewhile
from pathlib import Path

import pytest
from access_oracle import BY_MODULE, BY_SOURCE, UNDER_SEAL, Cell, refusal
from cheap_security import cheap_security
from docstring_table import rows

from rig.meter.access import actions, modules
from rig.meter.access.access import Access
from rig.meter.access.actions import InTest, MeterAction
from rig.meter.access.decision import Allowed, Asker, Conditions, Granted, Refused
from rig.meter.access.modules import MODULE_GRANTS
from rig.meter.access.readable import Readable
from rig.meter.access.state import AccessState
from rig.meter.billing.source import Source

DOCUMENT = Path(__file__).parents[3] / "docs" / "access.md"
NOW_NS = 1_800_000_000 * 10**9
KEYS = (b"\x11\x11\x11", b"\x22\x22\x22", b"\x33\x33\x33", b"\x44\x44\x44")
COLUMNS = {
    "fr": Source.FRONT, "op": Source.OPTICAL, "232": Source.RS232, "485": Source.RS485, "mo": Source.MODEM,
    "md": Source.MODULE, "pn": Source.PANEL, "vf": Source.VERIFICATION, "cl": Source.COMMAND_LINE,
    "sc": Source.SERVICE_CLOCK, "in": Source.INPUT, "ca": Source.CALENDAR,
}  # fmt: skip


def door(seal: str) -> Access:
    """A door whose seal is "open" (not set), "sealed" or "broken"."""
    return Access(cheap_security(seal != "open", KEYS), AccessState(seal_broken=seal == "broken"))


# --- the tables are the code's --------------------------------------------------------------------------------


def test_the_docstring_has_the_data_of_the_actions() -> None:
    (_, _, _, _, *headings), *lines = rows(actions, "action ")
    assert [COLUMNS[heading] for heading in headings] == list(Source)
    assert [line[0] for line in lines] == [action.label for action in MeterAction]
    for (_, level, seal, in_test, *cells), action in zip(lines, MeterAction, strict=True):
        assert int(level) == action.level
        assert seal == ("seal" if action.metrological else "-")
        assert InTest(in_test) is action.in_test
        assert {COLUMNS[h] for h, cell in zip(headings, cells, strict=True) if cell != "."} == action.sources
    special = {(line[0], cell) for line in lines for cell in line[4:] if cell not in ".x"}
    assert special == {("enter test mode", "c"), ("break the seal", "s")}


def test_the_legend_names_every_source() -> None:
    assert actions.__doc__ is not None
    legend = re.search(r"^    fr front.*?\n\n", actions.__doc__, re.MULTILINE | re.DOTALL)
    assert legend is not None
    named = [part.strip().split(" ", 1) for part in legend[0].replace("\n", " ").split(",") if part.strip()]
    assert {short: Source(name.strip()) for short, name in named} == COLUMNS


def test_the_docstring_has_the_data_of_the_modules() -> None:
    headings, *lines = rows(modules, "module ")
    control = {"self-read", "set clock", "season change", "enter test mode", "leave test mode", "operate relay"}
    program = {"write program", "change metrology", "change service type", "change relays"}
    kwh = {"kWh delivered", "kWh received", "kWh net"}
    everything = {each.label for each in Readable} - {"kWh pulses", "other pulses"}
    energy = {"x": kwh | {"kvarh and kVAh"}, "kWh": kwh, ".": set()}
    assert [line[0] for line in lines] == list(MODULE_GRANTS)
    for line in lines:
        row, grant = dict(zip(headings, line, strict=True)), MODULE_GRANTS[line[0]]
        asked = {"read": row["interface"] == "registers", "demand reset": row["reset"] == "x"}
        asked |= dict.fromkeys(control, row["control"] == "x") | dict.fromkeys(program, row["program"] != ".")
        assert {action.label for action in grant.actions} == {label for label, granted in asked.items() if granted}
        assert {action.label for action in grant.unsealed_only} == (program if row["program"] == "u" else set())
        reads = energy[row["energy"]] | ({"energy by rate"} if row["rates"] == "x" else set())
        reads |= ({"demand"} if row["demand"] == "x" else set()) | (everything if row["all"] == "x" else set())
        reads |= {"kWh pulses"} if row["pulses"] == "x" else set()
        assert {each.label for each in grant.reads} == reads
        assert (grant.models, grant.level) == (tuple(row["models"].split(" and ")), int(row["lv"]))
        assert (grant.one_way, grant.interface.value) == (row["way"] == "one", row["interface"])


def test_the_oracle_knows_every_action_and_source() -> None:
    known = {action for granted in BY_SOURCE.values() for action in granted}
    assert known == {action.label for action in MeterAction}
    assert {*BY_SOURCE, "module"} == {source.value for source in Source}
    assert set(BY_MODULE) == {*MODULE_GRANTS, "GyrBus 9"}


# --- every cell -----------------------------------------------------------------------------------------------

ASKERS = [(source, "") for source in Source if source is not Source.MODULE]
ASKERS += [(Source.MODULE, name) for name in BY_MODULE]


@pytest.mark.parametrize("seal", ["open", "sealed", "broken"])
@pytest.mark.parametrize("action", MeterAction, ids=lambda action: action.label)
def test_every_cell(action: MeterAction, seal: str) -> None:
    access = door(seal)
    for (source, name), level in product(ASKERS, range(5)):
        asker = Asker(source, name, Granted(source, level, access.state.term) if level else None)
        for cover_off, test_mode, override_done, demand, s4e in product([False, True], repeat=5):
            cell = Cell(
                action.value, source.value, name, level, seal == "sealed",
                cover_off, test_mode, override_done, demand, s4e,
            )  # fmt: skip
            expected = refusal(cell)
            decision = access.decide(
                action, asker, Conditions(cover_off, test_mode, demand, s4e, override_done, name or None), NOW_NS
            )
            if expected is None:
                assert isinstance(decision, Allowed), cell
            else:
                assert isinstance(decision, Refused), cell
                assert decision.why.value == expected, cell
                assert_sentence(decision.sentence)


def assert_sentence(said: str) -> None:
    """One line that says what would be right, but for the words that the notice prescribes."""
    assert said == "Cold Start failed" or (": " in said and said.isprintable() and len(said) < 320), said
    assert not said.endswith(".")
    assert not re.search(r"Source|MeterAction|None|<", said)


def test_what_the_notice_prescribes() -> None:
    """Level 4 for service type, master reset, cold start, relay, security, upgrade; the words of its verification."""
    access = door("broken")
    conditions = Conditions(cover_off=False, test_mode=False, demand=True, test_by_communication=True)
    guarded = [
        MeterAction.CHANGE_SERVICE, MeterAction.MASTER_RESET, MeterAction.COLD_START, MeterAction.CHANGE_RELAYS,
        MeterAction.OPERATE_RELAY, MeterAction.CHANGE_SECURITY, MeterAction.UPGRADE,
    ]  # fmt: skip
    for action in guarded:
        for level in range(5):
            asker = Asker(Source.OPTICAL, proven=Granted(Source.OPTICAL, level, 0))
            assert isinstance(access.decide(action, asker, conditions, NOW_NS), Allowed) is (level == 4)
    sealed = door("sealed")
    for level in range(5):
        asker = Asker(Source.OPTICAL, proven=Granted(Source.OPTICAL, level, 0))
        refused = sealed.decide(MeterAction.COLD_START, asker, conditions, NOW_NS)
        assert isinstance(refused, Refused)
        assert refused.sentence == "Cold Start failed"


@pytest.mark.parametrize(
    ("action", "asker", "seal", "said"),
    [
        (
            MeterAction.BREAK_SEAL,
            Asker(Source.COMMAND_LINE, "uid 0", Granted(Source.COMMAND_LINE, 4, 0)),
            "sealed",
            "the seal is broken at the front only: with the cover off hold SCROLL, bring the magnet to twelve o'clock "
            "and take it away three times, release SCROLL, all within 10 s",
        ),
        (
            MeterAction.SET_CLOCK,
            Asker(Source.PANEL, proven=Granted(Source.PANEL, 1, 0)),
            "open",
            "set clock needs level 2 and panel has level 1: log on with a key of that level",
        ),
        (
            MeterAction.COLD_START,
            Asker(Source.MODEM),
            "open",
            "cold start is not taken from modem: ask from optical port or command line",
        ),
        (
            MeterAction.SELF_READ,
            Asker(Source.MODULE, "TWACS CMT-SX"),
            "open",
            "module TWACS CMT-SX is not granted self-read: it may ask read, demand reset",
        ),
        (
            MeterAction.READ,
            Asker(Source.MODULE, "SSMM"),
            "open",
            "module SSMM is not granted read: it may ask nothing",
        ),
        (MeterAction.READ, Asker(Source.RS485), "open", "read needs level 1 and RS-485 has level 0: log on with …"),
    ],
)
def test_sentences(action: MeterAction, asker: Asker, seal: str, said: str) -> None:
    conditions = Conditions(
        cover_off=False, test_mode=False, demand=True, test_by_communication=True, module=asker.name or None
    )
    refused = door(seal).decide(action, asker, conditions, NOW_NS)
    assert isinstance(refused, Refused)
    assert refused.sentence.startswith(said.removesuffix("…"))
    assert said.endswith("…") or refused.sentence == said


# --- the document ---------------------------------------------------------------------------------------------


def document_rows(heading: str) -> list[list[str]]:
    """The first table under a heading, without its heading row."""
    section = DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2]
    lines = list(
        takewhile(lambda line: line.startswith("|"), dropwhile(lambda line: line[:1] != "|", section.splitlines()))
    )
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_document_has_the_actions() -> None:
    found = document_rows("Who may do what")
    assert [row[0] for row in found] == [action.label for action in MeterAction]
    for (label, level, seal, who), action in zip(found, MeterAction, strict=True):
        assert level == (str(action.level) if action is not MeterAction.BREAK_SEAL else "–")
        assert (seal == "refused") == (label in UNDER_SEAL)
        named = {source for source in Source if re.search(rf"\b{re.escape(source.value)}\b", expand(who))}
        assert named == action.sources, label


def expand(who: str) -> str:
    """The document's words for groups of sources."""
    return who.replace("by wire", "RS-232 RS-485 modem").replace("all ports", "optical port RS-232 RS-485 modem module")


def test_the_document_has_the_modules() -> None:
    groups = {
        "test mode": "enter test mode, leave test mode",
        "write a program": "write program, change metrology, change service type, change relays",
    }
    found = document_rows("Modules")
    assert [row[0] for row in found] == list(MODULE_GRANTS)
    for name, may_ask, _ in found:
        for words, meant in groups.items():
            may_ask = may_ask.replace(words, meant)
        named = {action for action in MeterAction if re.search(rf"\b{re.escape(action.label)}\b", may_ask)}
        assert named == MODULE_GRANTS[name].actions, name
        assert ("while the meter is not sealed" in may_ask) == bool(MODULE_GRANTS[name].unsealed_only)
