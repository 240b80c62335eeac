"""The door's seal and its table, proven levels, factory keys, firmware, and what it writes into the log."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import get_args

import msgspec
import pytest
from cheap_security import cheap_security
from docstring_table import rows

from rig.meter.access import access as access_module
from rig.meter.access import events
from rig.meter.access.access import Access
from rig.meter.access.actions import KEYLESS, MeterAction
from rig.meter.access.decision import Allowed, Asker, Conditions, Decision, Granted, Refusal, Refused, WrongKey
from rig.meter.access.events import AccessEvent, ActionRefused, LoggedOn, LogOnFailed, LogOnLockedOut
from rig.meter.access.security import Security
from rig.meter.access.state import AccessState
from rig.meter.billing.source import Source

S = 10**9
T0 = 1_800_000_000 * S
NONE = b"\x00\x00\x00"
KEYS = (b"\x01\x01\x01", b"\x02\x02\x02", b"\x03\x03\x03", b"\x04\x04\x04")
FRONT = Asker(Source.FRONT)
PLAIN = Conditions(cover_off=False, test_mode=False, demand=True, test_by_communication=True)
OVERRIDE = Conditions(True, False, True, True, override_done=True)


def security(seal: bool, firmware: str | None = None) -> Security:
    return cheap_security(seal, KEYS, firmware)


def broken() -> Access:
    access = Access.begin(security(True), T0)
    assert access.break_seal(FRONT, OVERRIDE, T0) == Allowed()
    return access


def allowed(decision: Decision) -> bool:
    return isinstance(decision, Allowed)


# --- the seal -------------------------------------------------------------------------------------------------

STATES = {"open": lambda: Access.begin(security(False), T0), "sealed": lambda: Access.begin(security(True), T0)}
STATES["broken"] = broken


def seal_state(access: Access) -> str:
    return "sealed" if access.sealed else "broken" if access.state.seal_broken else "open"


@pytest.mark.parametrize(
    ("event", "state", "becomes"),
    [
        (event, state, becomes)
        for (_, *states), *lines in [rows(access_module, "event ")]
        for event, *cells in lines
        for state, becomes in zip(states, cells, strict=True)
    ],
)
def test_the_table_of_the_seal(event: str, state: str, becomes: str) -> None:
    access = STATES[state]()
    assert seal_state(access) == state
    access.take_events()
    term, now_ns = access.state.term, T0 + 5 * S
    if event == "broken at the front":
        decision = access.break_seal(FRONT, OVERRIDE, now_ns)
        assert allowed(decision) is (becomes != ".")
        if isinstance(decision, Refused):
            assert decision.why is Refusal.NO_SEAL
            becomes = state
    else:
        access.reprogram(security(event == "program with seal written"), now_ns)
    assert seal_state(access) == becomes
    assert access.state.term == term + (event != "broken at the front" or becomes != state)
    said = [type(each).__name__ for each in access.take_events() if not isinstance(each, ActionRefused)]
    assert said == {("open", "sealed"): ["MeterSealed"], ("broken", "sealed"): ["MeterSealed"],
                    ("sealed", "broken"): ["SealBroken"]}.get((state, becomes), [])  # fmt: skip
    if said:
        assert access.state.seal_changed_ns == now_ns


def test_a_meter_begins_as_its_program_says() -> None:
    sealed, plain = Access.begin(security(True), T0), Access.begin(security(False), T0)
    assert (sealed.sealed, plain.sealed) == (True, False)
    assert sealed.take_events() == [events.MeterSealed(T0)]
    assert plain.take_events() == []
    assert (sealed.state.seal_changed_ns, plain.state.seal_changed_ns) == (T0, None)


def test_a_broken_seal_outlives_a_power_cycle() -> None:
    state = msgspec.json.decode(msgspec.json.encode(broken().state), type=AccessState)
    assert not Access(security(True), state).sealed
    assert state.seal_changed_ns == T0


@pytest.mark.parametrize(
    ("asker", "conditions", "why"),
    [
        (FRONT, Conditions(False, False, True, True, override_done=True), Refusal.COVER_ON),
        (FRONT, Conditions(True, False, True, True), Refusal.NO_OVERRIDE),
        (Asker(Source.COMMAND_LINE, "uid 0", Granted(Source.COMMAND_LINE, 4, 0)), OVERRIDE, Refusal.SOURCE),
        (Asker(Source.MODULE, "METRUM", Granted(Source.MODULE, 4, 0)), OVERRIDE, Refusal.SOURCE),
    ],
)
def test_the_seal_is_broken_at_the_front_only(asker: Asker, conditions: Conditions, why: Refusal) -> None:
    access = Access.begin(security(True), T0)
    decision = access.break_seal(asker, conditions, T0)
    assert isinstance(decision, Refused)
    assert decision.why is why
    assert "with the cover off hold SCROLL" in decision.sentence or why is Refusal.COVER_ON
    assert access.sealed
    assert access.state.term == 0


@pytest.mark.parametrize(
    ("firmware", "seals"),
    [(None, True), ("6.28", True), ("7.17", True), ("7.18", True), ("6.26", False), ("6.30", False), ("7.16", False)],
)
def test_firmware_that_cannot_seal_does_not(firmware: str | None, seals: bool) -> None:
    """The notice: S4e firmware 6.28, 7.17 and 7.18 is prevented from reprogramming under seal."""
    assert Access.begin(security(True, firmware), T0).sealed is seals
    assert not Access.begin(security(False, firmware), T0).sealed


# --- keys and levels ------------------------------------------------------------------------------------------


def test_a_key_proves_its_level_at_its_source() -> None:
    access = Access.begin(security(False), T0)
    for level, key in enumerate(KEYS, 1):
        assert access.log_on(Source.PANEL, key, T0) == Granted(Source.PANEL, level, 0)
    for wrong in (b"", b"\x01", b"\x01\x01\x01\x00", b"\x01" * 20, NONE):
        assert isinstance(Access.begin(security(False), T0).log_on(Source.PANEL, wrong, T0), WrongKey)


def test_a_level_is_of_one_source_and_one_term() -> None:
    access = Access.begin(security(False), T0)
    granted = access.log_on(Source.OPTICAL, KEYS[3], T0)
    assert isinstance(granted, Granted)
    assert access.level_of(Asker(Source.OPTICAL, proven=granted)) == 4
    assert access.level_of(Asker(Source.MODEM, proven=granted)) == 0
    access.reprogram(security(False), T0)
    assert access.level_of(Asker(Source.OPTICAL, proven=granted)) == 0
    assert not allowed(access.decide(MeterAction.SELF_READ, Asker(Source.OPTICAL, proven=granted), PLAIN, T0))


def test_a_broken_seal_ends_proven_levels() -> None:
    access = Access.begin(security(True), T0)
    granted = access.log_on(Source.COMMAND_LINE, KEYS[3], T0)
    assert isinstance(granted, Granted)
    access.break_seal(FRONT, OVERRIDE, T0)
    assert access.level_of(Asker(Source.COMMAND_LINE, proven=granted)) == 0


def test_a_level_that_nobody_chose_a_key_for_is_closed_under_seal() -> None:
    chosen = cheap_security(True, (KEYS[0], NONE, NONE, KEYS[3]))
    sealed = Access.begin(chosen, T0)
    assert sealed.log_on(Source.OPTICAL, NONE, T0) == WrongKey(0)
    assert sealed.log_on(Source.OPTICAL, KEYS[3], T0) == Granted(Source.OPTICAL, 4, 0)
    sealed.break_seal(FRONT, OVERRIDE, T0)
    assert sealed.log_on(Source.OPTICAL, NONE, T0) == Granted(Source.OPTICAL, 3, 1)
    lab = Access.begin(cheap_security(False, (NONE, NONE, NONE, NONE)), T0)
    assert lab.log_on(Source.OPTICAL, NONE, T0) == Granted(Source.OPTICAL, 4, 0)


def test_one_key_for_several_levels_proves_the_highest() -> None:
    access = Access.begin(cheap_security(True, (KEYS[0], KEYS[1], KEYS[1], KEYS[1])), T0)
    assert access.log_on(Source.RS485, KEYS[1], T0) == Granted(Source.RS485, 4, 0)


def test_new_keys_count_at_once_and_wrong_ones_count_on() -> None:
    access = Access.begin(security(True), T0)
    for _ in range(4):
        access.log_on(Source.MODEM, NONE, T0)
    access.reprogram(cheap_security(True, (KEYS[3], KEYS[2], KEYS[1], KEYS[0])), T0)
    assert access.log_on(Source.MODEM, KEYS[0], T0) == access_module.LockedOut(1)
    assert access.log_on(Source.MODEM, KEYS[0], T0 + S) == Granted(Source.MODEM, 4, 1)


@pytest.mark.parametrize("source", sorted(KEYLESS, key=lambda source: source.value))
def test_hands_and_clocks_take_no_key(source: Source) -> None:
    with pytest.raises(ValueError, match=f"a key came from {source.value}, which takes none"):
        Access.begin(security(True), T0).log_on(source, KEYS[3], T0)


@pytest.mark.parametrize("name", ["\x1b[31m", "a\nb", "x" * 41])
def test_names_are_for_one_line(name: str) -> None:
    with pytest.raises(ValueError, match="give at most 40 printable characters"):
        Asker(Source.PANEL, name)


# --- the log --------------------------------------------------------------------------------------------------


def test_events_are_of_the_log() -> None:
    kinds = get_args(AccessEvent)
    assert {kind.__name__ for kind in kinds} == {
        name for name, found in vars(events).items() if is_dataclass(found) and found.__module__ == events.__name__
    }
    codes = [kind.code for kind in kinds]
    assert len({*codes}) == len({kind.label for kind in kinds}) == len(kinds)
    assert all(code in (7, 8, 9, 12, 13, 28, 29, 47, 2065, 2086, 2087) or 2055 <= code < 2064 for code in codes)
    assert all(fields(kind)[0].name == "utc_ns" for kind in kinds)


def test_what_happens_is_written() -> None:
    access = Access.begin(security(True), T0)
    access.log_on(Source.PANEL, NONE, T0 + 1, "uid 1000")
    access.log_on(Source.PANEL, KEYS[1], T0 + 2, "uid 1000")
    access.log_on(Source.PANEL, NONE, T0 + 3)
    access.log_on(Source.PANEL, NONE, T0 + 4)
    access.log_on(Source.PANEL, KEYS[1], T0 + 5)
    access.decide(MeterAction.MASTER_RESET, Asker(Source.OPTICAL), PLAIN, T0 + 6)
    access.decide(MeterAction.READ, Asker(Source.OPTICAL), PLAIN, T0 + 7)
    access.break_seal(FRONT, OVERRIDE, T0 + 8)
    written = access.take_events()
    assert written == [
        events.MeterSealed(T0),
        LogOnFailed(T0 + 1, Source.PANEL, "uid 1000", 1, 0),
        LoggedOn(T0 + 2, Source.PANEL, "uid 1000", 2),
        LogOnFailed(T0 + 3, Source.PANEL, "", 2, 0),
        LogOnFailed(T0 + 4, Source.PANEL, "", 3, 1),
        LogOnLockedOut(T0 + 5, Source.PANEL, ""),
        ActionRefused(T0 + 6, Source.OPTICAL, "", MeterAction.MASTER_RESET, Refusal.SEALED),
        events.SealBroken(T0 + 8),
    ]
    assert access.take_events() == []
    for event in written:
        assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event
    assert msgspec.to_builtins(written[-2])["action"] == "master reset"


def test_who_asks_without_end_fills_no_log() -> None:
    """Two refusals a second for six hours: one entry in ten minutes, with how many there were."""
    access = Access.begin(security(False), T0)
    asker = Asker(Source.MODEM)
    for k in range(2 * 6 * 3600):
        access.decide(MeterAction.READ, asker, PLAIN, T0 + k * S // 2)
    written = access.take_events()
    assert len(written) == 36
    assert [event.times for event in written if isinstance(event, ActionRefused)] == [1, *[1200] * 35]


def test_what_differs_is_written_and_little_is_remembered() -> None:
    access = Access.begin(security(False), T0)
    for k in range(10_000):
        access.decide(MeterAction.READ, Asker(Source.MODEM, f"caller {k}"), PLAIN, T0)
    assert len(access.take_events()) == 10_000
    assert len(access._log._written) == 256


def test_a_clock_that_is_set_writes_nothing_twice() -> None:
    access = Access.begin(security(False), T0)
    refused = (MeterAction.READ, Asker(Source.MODEM), PLAIN)
    access.decide(*refused, T0)
    access.move_clock(-3600 * S)
    access.decide(*refused, T0 - 3599 * S)
    assert len(access.take_events()) == 1
    access.decide(*refused, T0 - 3600 * S + 600 * S)
    (again,) = access.take_events()
    assert isinstance(again, ActionRefused)
    assert again.times == 2
