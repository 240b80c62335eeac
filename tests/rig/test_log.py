"""The log: every kind of event is one class, the history has it as always, and people read it in words (F-4, S-3)."""

from __future__ import annotations

import ast
import importlib
import json
from dataclasses import fields
from pathlib import Path

import pytest

from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Refusal
from rig.meter.access.events import ActionRefused, LoggedOn, LogOnFailed, LogOnLockedOut, MeterSealed, SealBroken
from rig.meter.billing.events import (
    Cause,
    ClockSetFrom,
    ClockSetTo,
    DaylightSavingBegan,
    DaylightSavingEnded,
    DemandWasReset,
    EndOfInterval,
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
    TestModeBegan,
    TestModeEnded,
)
from rig.meter.billing.log import LogEvent, details
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import Rate
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.installation.events import DiagnosticOff, DiagnosticOn, ServiceDetected
from rig.meter.measuring.events import MeasurementError
from rig.meter.measuring.measurement import Fault
from rig.results.event_text import details_text
from rig.store.events import StoreDamaged
from rig.store.items import EventItem
from rig.store.meter_items import items_of

ROOT = Path(__file__).parents[2]
AT = 1_793_491_200_000_000_000

LINES: list[tuple[LogEvent, int, str, dict[str, object], str]] = [
    (PowerDown(AT), 1, "power down", {}, ""),
    (PowerUp(AT, 3600), 2, "power up", {"seconds": 3600}, "after 3600 s"),
    (ClockSetFrom(AT), 3, "clock set from", {}, ""),
    (ClockSetTo(AT, -90), 4, "clock set to", {"seconds": -90}, "by -90 s"),
    (Programmed(AT, "626fd34c251e"), 11, "programmed", {"program": "626fd34c251e"}, "program 626fd34c251e"),
    (
        DemandWasReset(AT, Cause.SEASON, 3),
        20,
        "demand reset",
        {"cause": "season", "resets": 3},
        "cause season, no. 3",
    ),
    (SelfReadTaken(AT), 21, "self read", {}, ""),
    (DaylightSavingBegan(AT), 22, "daylight saving on", {}, ""),
    (DaylightSavingEnded(AT), 23, "daylight saving off", {}, ""),
    (SeasonChanged(AT, 1), 24, "season change", {"season": 1}, "season 1"),
    (RateChanged(AT, Rate.B), 25, "rate change", {"rate": "B"}, "rate B"),
    (TestModeBegan(AT), 32, "test mode begin", {}, ""),
    (TestModeEnded(AT), 33, "test mode end", {}, ""),
    (StoreDamaged(AT, "copy b is missing"), 39, "memory error", {"found": "copy b is missing"}, "copy b is missing"),
    (
        MeasurementError(AT, (Fault.SEQUENCE, Fault.GAP)),
        43,
        "measurement error",
        {"faults": "sequence, gap"},
        "sequence, gap",
    ),
    (ResetRefused(AT, 30), 2048, "demand reset refused", {"seconds left": 30}, "30 s left"),
    (RateForced(AT, Rate.A), 2049, "rate forced", {"rate": "A"}, "rate A"),
    (RateReleased(AT, Rate.D), 2050, "rate released", {"rate": "D"}, "rate D"),
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
    (SealBroken(AT), 47, "seal broken", {}, ""),
    (MeterSealed(AT), 2059, "sealed", {}, ""),
]
"""An event, what every store since the first has of its kind (code, of C12.19 where it has one; name; JSON details),
and its line for people."""


@pytest.mark.parametrize(("event", "code", "name", "keys", "text"), LINES, ids=lambda each: getattr(each, "label", ""))
def test_the_history_has_each_kind_as_always_and_people_read_it_in_words(event, code, name, keys, text) -> None:
    (item,) = items_of([event], recording=0)
    assert isinstance(item, EventItem)
    assert (item.utc_ns, item.code, item.name) == (AT, code, name)
    assert json.loads(item.details) == keys
    assert list(json.loads(item.details)) == list(keys)
    assert details_text(item.name, json.loads(item.details)) == text


def kinds() -> set[type[LogEvent]]:
    """Every class in rig/ that is derived from LogEvent, found in the sources."""
    found = set()
    for path in sorted((ROOT / "rig").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and "LogEvent" in {ast.unparse(base) for base in node.bases}:
                module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
                found.add(getattr(module, node.name))
    return found


def test_every_kind_is_in_the_table_once() -> None:
    assert kinds() == {type(event) for event, *_ in LINES}
    assert len({kind.code for kind in kinds()}) == len({kind.label for kind in kinds()}) == len(LINES)


def test_codes_of_our_own_are_beyond_those_of_the_standard() -> None:
    """C12.19 has 0 to 76 (its second edition); a code of more than 11 bits is no standard event."""
    assert all(0 < kind.code <= 76 or kind.code >= 1 << 11 for kind in kinds())


@pytest.mark.parametrize("kind", sorted(kinds(), key=lambda kind: kind.code), ids=lambda kind: kind.__name__)
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
