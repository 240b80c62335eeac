"""The log: every kind of event is one class, the history has it as always, and people read it in words (F-4, S-3)."""

from __future__ import annotations

import ast
import importlib
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Refusal
from rig.meter.access.events import (
    ActionRefused,
    LoggedOn,
    LogOnFailed,
    LogOnLockedOut,
    MeterSealed,
    PendingActivated,
    PendingCleared,
    PendingRefused,
    PendingWritten,
    PortRead,
    PortWritten,
    ProcedureInvoked,
    ReadingRefused,
    SealBroken,
    SessionBrokeOff,
    SessionEnded,
)
from rig.meter.access.readable import Readable
from rig.meter.billing.events import (
    Cause,
    ClockSetFrom,
    ClockSetTo,
    ClockSlewed,
    ColdStarted,
    DataCleared,
    DaylightSavingBegan,
    DaylightSavingEnded,
    DemandWasReset,
    EndOfInterval,
    MasterResetDone,
    PowerDown,
    PowerUp,
    ProfileWords,
    Programmed,
    RateChanged,
    RateForced,
    RateReleased,
    RecorderOverflowed,
    ResetRefused,
    SeasonChanged,
    SelfReadTaken,
    TestDemandWasReset,
    TestModeBegan,
    TestModeEnded,
)
from rig.meter.billing.log import LogEvent, details, named
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.events import RelayOperated
from rig.meter.contacts.outputs import OutputId
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.installation.events import DiagnosticOff, DiagnosticOn, ServiceDetected
from rig.meter.measuring.events import EnergyMissing, MeasurementError, WindowsMerged
from rig.meter.measuring.measurement import Fault
from rig.results.event_text import details_text
from rig.service.events import (
    BoardChanged,
    BoardForeign,
    ConstantsWritten,
    HostTimeBelieved,
    HostTimeDoubted,
    LinkFailed,
    LinkLost,
    LinkRestored,
    TookOver,
)
from rig.store.events import StoreAdopted, StoreDamaged
from rig.store.items import EventItem
from rig.store.meter_items import items_of

ROOT = Path(__file__).parents[2]
AT = 1_793_491_200_000_000_000
CLOCK = Source.SERVICE_CLOCK

LINES: list[tuple[LogEvent, int, str, dict[str, object], str]] = [
    (PowerDown(AT), 1, "power down", {}, ""),
    (PowerUp(AT, 3600), 2, "power up", {"seconds": 3600}, "after 3600 s"),
    (ClockSetFrom(AT, CLOCK), 3, "clock set from", {"source": "service clock"}, "from service clock"),
    (
        ClockSetTo(AT, -90, Source.OPTICAL),
        4,
        "clock set to",
        {"seconds": -90, "source": "optical port"},
        "by -90 s, from optical port",
    ),
    (Programmed(AT, "626fd34c251e"), 11, "programmed", {"program": "626fd34c251e"}, "program 626fd34c251e"),
    (
        DemandWasReset(AT, Cause.SEASON, 3, Source.CALENDAR),
        20,
        "demand reset",
        {"cause": "season", "resets": 3, "source": "calendar"},
        "cause season, no. 3, from calendar",
    ),
    (SelfReadTaken(AT, Source.RS485), 21, "self read", {"source": "RS-485"}, "from RS-485"),
    (DaylightSavingBegan(AT), 22, "daylight saving on", {}, ""),
    (DaylightSavingEnded(AT), 23, "daylight saving off", {}, ""),
    (
        SeasonChanged(AT, 1, Source.MODEM),
        24,
        "season change",
        {"season": 1, "source": "modem"},
        "season 2, from modem",
    ),
    (RateChanged(AT, Rate.B), 25, "rate change", {"rate": "B"}, "rate B"),
    (TestModeBegan(AT, Source.FRONT), 32, "test mode begin", {"source": "front"}, "from front"),
    (TestModeEnded(AT, Source.CALENDAR), 33, "test mode end", {"source": "calendar"}, "from calendar"),
    (StoreDamaged(AT, "copy b is missing"), 39, "memory error", {"found": "copy b is missing"}, "copy b is missing"),
    (
        MeasurementError(AT, (Fault.SEQUENCE, Fault.GAP)),
        43,
        "measurement error",
        {"faults": "sequence, gap"},
        "sequence, gap",
    ),
    (LinkFailed(AT, "CIPO stays low"), 2076, "link failed", {"found": "CIPO stays low"}, "CIPO stays low"),
    (LinkRestored(AT, 20), 2077, "link restored", {"seconds": 20}, "after 20 s"),
    (LinkLost(AT, "CIPO stays low"), 2078, "link lost", {"found": "CIPO stays low"}, "CIPO stays low"),
    (HostTimeDoubted(AT, "1678"), 2081, "time of day doubted", {"found": "1678"}, "1678"),
    (TookOver(AT, 1250), 2084, "metering taken over", {"milliseconds": 1250}, "after 1250 ms"),
    (HostTimeBelieved(AT), 2082, "time of day believed", {}, ""),
    (BoardChanged(AT, "reset"), 2079, "board changed", {"found": "reset"}, "reset"),
    (BoardForeign(AT, "another"), 2080, "board foreign", {"found": "another"}, "another"),
    (EnergyMissing(AT, 1250), 2075, "energy missing", {"milliseconds missing": 1250}, "for 1250 ms"),
    (
        WindowsMerged(AT, 35_748, 1 << 40, 595_800),
        2090,
        "windows merged",
        {"windows": 35_748, "from tick": 1 << 40, "milliseconds": 595_800},
        "35748, from tick 1099511627776, 595800 ms",
    ),
    (
        ResetRefused(AT, 30, Source.FRONT),
        2048,
        "demand reset refused",
        {"seconds left": 30, "source": "front"},
        "30 s left, from front",
    ),
    (RateForced(AT, Rate.A, Source.INPUT), 2049, "rate forced", {"rate": "A", "source": "input"}, "rate A, from input"),
    (
        RateReleased(AT, Rate.D, Source.INPUT),
        2050,
        "rate released",
        {"rate": "D", "source": "input"},
        "rate D, from input",
    ),
    (RecorderOverflowed(AT, 2), 2051, "recorder overflow", {"intervals": 2}, "intervals so far: 2"),
    (ServiceDetected(AT, "4WY 120 ABC"), 2052, "service detected", {"service": "4WY 120 ABC"}, "4WY 120 ABC"),
    (
        DiagnosticOn(AT, Diagnostic.PHASE_B_OUT, "b"),
        2053,
        "diagnostic on",
        {"diagnostic": "phase b out", "phases": "b"},
        "phase b out, phases b",
    ),
    (
        DiagnosticOff(AT, Diagnostic.CROSS_PHASE, "abc"),
        2054,
        "diagnostic off",
        {"diagnostic": "cross phase", "phases": "abc"},
        "cross phase, phases abc",
    ),
    (
        LoggedOn(AT, Source.OPTICAL, "", 2),
        2055,
        "logged on",
        {"source": "optical port", "name": "", "level": 2, "times": 1},
        "from optical port, level 2",
    ),
    (
        LogOnFailed(AT, Source.MODEM, "", 4, 60),
        2056,
        "log-on failed",
        {"source": "modem", "name": "", "failures": 4, "seconds left": 60},
        "from modem, failures: 4, 60 s left",
    ),
    (
        LogOnLockedOut(AT, Source.MODULE, "imodule", 7),
        2057,
        "log-on during lock-out",
        {"source": "module", "name": "imodule", "times": 7},
        "from module, imodule, 7 times",
    ),
    (
        ActionRefused(AT, Source.PANEL, "", MeterAction.MASTER_RESET, Refusal.SEALED),
        2058,
        "refused",
        {"source": "panel", "name": "", "action": "master reset", "refusal": "sealed", "times": 1},
        "from panel, master reset, sealed",
    ),
    (
        ReadingRefused(AT, Source.MODULE, "TS1", Readable.LOAD_PROFILE, Refusal.MODULE),
        2065,
        "reading refused",
        {"source": "module", "name": "TS1", "part": "load profile", "refusal": "not granted to the module", "times": 1},
        "from module, TS1, load profile, not granted to the module",
    ),
    (
        ClockSlewed(AT, -400, Source.RS232),
        2060,
        "clock slewed",
        {"milliseconds": -400, "source": "RS-232"},
        "by -400 ms, from RS-232",
    ),
    (
        TestDemandWasReset(AT, Cause.COMMUNICATION, Source.MODULE, name="STAR MTU"),
        2061,
        "test demand reset",
        {"cause": "communication", "source": "module", "name": "STAR MTU"},
        "cause communication, from module, STAR MTU",
    ),
    (DataCleared(AT, Source.OPTICAL), 2062, "data cleared", {"source": "optical port"}, "from optical port"),
    (MasterResetDone(AT, Source.COMMAND_LINE), 2063, "master reset", {"source": "command line"}, "from command line"),
    (ColdStarted(AT, Source.VERIFICATION), 2064, "cold start", {"source": "verification"}, "from verification"),
    (
        RelayOperated(AT, OutputId.KYZ2, "K-Y", 5000, Source.COMMAND_LINE),
        2070,
        "relay operated",
        {"output": "KYZ2", "contact": "K-Y", "for_ms": 5000, "source": "command line"},
        "KYZ2, contact K-Y, for 5000 ms, from command line",
    ),
    (SealBroken(AT), 47, "seal broken", {}, ""),
    *(
        (kind(AT, Source.OPTICAL, 3), code, name, {"source": "optical port", "times": 3}, "from optical port, 3 times")
        for kind, code, name in (
            (PortRead, 7, "accessed for read"),
            (PortWritten, 8, "accessed for write"),
            (ProcedureInvoked, 9, "procedure invoked"),
            (SessionEnded, 12, "session ended"),
            (SessionBrokeOff, 13, "session broke off"),
        )
    ),
    (
        ConstantsWritten(AT, "0a1b2c3d4e5f", "5f4e3d2c1b0a", Source.COMMAND_LINE),
        2085,
        "constants written",
        {"before": "0a1b2c3d4e5f", "after": "5f4e3d2c1b0a", "source": "command line"},
        "before 0a1b2c3d4e5f, after 5f4e3d2c1b0a, from command line",
    ),
    (MeterSealed(AT), 2059, "sealed", {}, ""),
    (
        PendingWritten(AT, "0a1b2c3d4e5f", 3600, Source.OPTICAL),
        2086,
        "pending written",
        {"program": "0a1b2c3d4e5f", "seconds": 3600, "source": "optical port"},
        "program 0a1b2c3d4e5f, in 3600 s, from optical port",
    ),
    (
        PendingRefused(AT, "0a1b2c3d4e5f", "the pins are in use", Source.MODEM),
        2087,
        "pending refused",
        {"program": "0a1b2c3d4e5f", "found": "the pins are in use", "source": "modem"},
        "program 0a1b2c3d4e5f, the pins are in use, from modem",
    ),
    (
        PendingActivated(AT, "0a1b2c3d4e5f", Source.OPTICAL),
        28,
        "pending activated",
        {"program": "0a1b2c3d4e5f", "source": "optical port"},
        "program 0a1b2c3d4e5f, from optical port",
    ),
    (
        PendingCleared(AT, "0a1b2c3d4e5f", None),
        29,
        "pending cleared",
        {"program": "0a1b2c3d4e5f"},
        "program 0a1b2c3d4e5f",
    ),
    (
        StoreAdopted(AT, "serial 1", "serial 2", "handed over", Source.COMMAND_LINE),
        2083,
        "store adopted",
        {"was_of": "serial 1", "is_of": "serial 2", "done": "handed over", "source": "command line"},
        "was_of serial 1, is_of serial 2, done handed over, from command line",
    ),
]
"""An event, what every store since the first has of its kind (code, of C12.19 where it has one; name; JSON details but
for the source, which came later), and its line for people."""

FIRST = {
    (1, "power down", ()), (2, "power up", ("seconds",)), (3, "clock set from", ()), (4, "clock set to", ("seconds",)),
    (11, "programmed", ("program",)), (20, "demand reset", ("cause", "resets")), (21, "self read", ()),
    (22, "daylight saving on", ()), (23, "daylight saving off", ()), (24, "season change", ("season",)),
    (25, "rate change", ("rate",)), (32, "test mode begin", ()), (33, "test mode end", ()),
    (39, "memory error", ("found",)), (43, "measurement error", ("faults",)),
    (2048, "demand reset refused", ("seconds left",)), (2049, "rate forced", ("rate",)),
    (2050, "rate released", ("rate",)), (2051, "recorder overflow", ("intervals",)),
    (2052, "service detected", ("service",)), (2053, "diagnostic on", ("diagnostic", "phases")),
    (2054, "diagnostic off", ("diagnostic", "phases")),
}  # fmt: skip
"""Code, name and details of every kind that stores had before there were classes, copied from them."""


@pytest.mark.parametrize(("event", "code", "name", "keys", "text"), LINES, ids=lambda each: getattr(each, "label", ""))
def test_the_history_has_each_kind_as_always_and_people_read_it_in_words(event, code, name, keys, text) -> None:
    (item,) = items_of([event], recording=0)
    assert isinstance(item, EventItem)
    assert (item.utc_ns, item.code, item.name) == (AT, code, name)
    assert json.loads(item.details) == keys
    assert list(json.loads(item.details)) == list(keys)
    assert details_text(item.name, json.loads(item.details)) == text


def test_a_store_of_before_has_nothing_that_is_called_otherwise_now() -> None:
    now = {(event.code, event.label): tuple(name for name in details(event) if name != "source") for event, *_ in LINES}
    assert {(code, name): keys for code, name, keys in FIRST}.items() <= now.items()


def kinds() -> set[type[LogEvent]]:
    """Every class in rig/ that is derived from LogEvent and has a code, found in the sources."""
    found = set()
    for path in sorted((ROOT / "rig").rglob("*events.py")):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            kind = getattr(module, node.name) if isinstance(node, ast.ClassDef) else object
            if issubclass(kind, LogEvent) and hasattr(kind, "code"):
                found.add(kind)
    return found


def test_events_are_nowhere_but_in_modules_of_events() -> None:
    bases = {base.__name__ for kind in kinds() for base in kind.__mro__ if issubclass(base, LogEvent)}
    there = 0
    for path in sorted((ROOT / "rig").rglob("*.py")):
        classes = re.findall(r"^class (\w+)\((\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        derived = [name for name, base in classes if base in bases and name != "AskedEvent"]
        assert not derived or path.name == "events.py", f"{path} has {derived}"
        there += len(derived)
    assert there >= len(kinds())


def test_what_a_module_asked_for_has_its_name_and_nothing_else_has() -> None:
    reset = DemandWasReset(AT, Cause.COMMUNICATION, 3, Source.MODULE)
    others = [SelfReadTaken(AT, Source.MODEM), Programmed(AT, "626fd34c251e"), RateChanged(AT, Rate.B)]
    found = named([reset, *others], "TWACS CMT-SX")
    assert [details(event).get("name") for event in found] == ["TWACS CMT-SX", None, None, None]
    assert found[1:] == others
    assert {**details(found[0]), "name": None} == {**details(reset), "name": None}


def test_every_kind_is_in_the_table_once() -> None:
    assert kinds() == {type(event) for event, *_ in LINES}
    assert len({kind.code for kind in kinds()}) == len({kind.label for kind in kinds()}) == len(LINES)


def test_codes_of_our_own_are_beyond_those_of_the_standard() -> None:
    """C12.19 has 0 to 76 (its second edition); a code of more than 11 bits is no standard event."""
    assert all(0 < kind.code <= 76 or kind.code >= 1 << 11 for kind in kinds())


@pytest.mark.parametrize(
    "kind", sorted(kinds(), key=lambda kind: (kind.code, kind.__name__)), ids=lambda kind: kind.__name__
)
def test_an_event_is_frozen_and_holds_only_its_fields(kind: type[LogEvent]) -> None:
    event = next(event for event, *_ in LINES if type(event) is kind)
    assert not hasattr(event, "__dict__")
    for field in fields(event):
        with pytest.raises(AttributeError):
            setattr(event, field.name, 0)


def test_an_end_of_interval_and_words_are_no_lines_of_the_log() -> None:
    assert items_of([EndOfInterval(AT, Cause.INTERVAL, (1,), Rate.A)], 3) == []
    (words,) = items_of([ProfileWords(7, (1, 2))], 3)
    assert not isinstance(words, EventItem)


@pytest.mark.parametrize(
    ("name", "of", "text"),
    [
        ("power up", {"seconds": "many"}, "after many s"),
        ("clock set to", {}, ""),
        ("tamper", {"seconds": 3, "key": "{0} {x}"}, "seconds 3, key {0} {x}"),
        ("", {"": None}, " None"),
        ("season change", {"season": [1, {"a": 2}]}, "season [1, {'a': 2}]"),
    ],
)
def test_details_of_another_version_stand_as_they_are(name: str, of: dict[str, object], text: str) -> None:
    assert details_text(name, of) == text


def test_what_can_be_no_detail_is_an_error_at_once() -> None:
    with pytest.raises(TypeError, match=r"1\.5 can be no detail of an event"):
        details(ServiceDetected(AT, 1.5))  # type: ignore[arg-type]
