"""The override sequence: every cell of its table, random movements against the sequence as a pattern, and the front."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, pairwise

import pytest
from hands import SETTINGS, SWITCHES, S
from hypothesis import example, given
from hypothesis import strategies as st
from test_modes import rows

from rig.meter.front import override
from rig.meter.front.front import Front
from rig.meter.front.modes import Mode
from rig.meter.front.override import Override, OverrideEvent, OverrideState
from rig.meter.front.switches import Change, Switch
from rig.terminal.keys import Keys

SCROLL, MAGNET, RESET, TEST, COVER = Switch
SEQUENCE = "C1 S2 M3 m4 M5 m6 M7 m8 s9"


def changes(script: str) -> list[Change]:
    """The movements of a script, as tests/rig/front/hands.py has its words."""
    found = []
    for word in script.split():
        at_ns = round(float(word[1:]) * S)
        found.append(Change(at_ns, SWITCHES[word[0].upper()], word[0].isupper()))
    return found


def play(script: str, operated: Sequence[Switch] = ()) -> list[bool]:
    recogniser = Override(operated)
    return [recogniser.change(change) for change in changes(script)]


# --- the table ------------------------------------------------------------------------------------------------

STATES = {state.value: state for state in OverrideState}
EVENTS = {event.value: event for event in OverrideEvent}


def table() -> dict[tuple[OverrideEvent, OverrideState], str]:
    assert override.__doc__ is not None
    (_, *headings), *lines = rows(override.__doc__, "event ")
    assert headings == list(STATES)
    assert [line[0] for line in lines] == list(EVENTS)
    return {
        (EVENTS[event], STATES[heading]): cell
        for event, *cells in lines
        for heading, cell in zip(headings, cells, strict=True)
    }


WAY = dict(zip(OverrideState, ["C1", *(SEQUENCE.split()[1:k] for k in range(2, 9)), ["S2", "R2.1"]], strict=True))
"""How each state is come to, with the cover off."""


def way(state: OverrideState) -> str:
    return "C1" if state is OverrideState.IDLE else " ".join(["C1", *WAY[state]])


def last_event(event: OverrideEvent, state: OverrideState, magnet_there: bool, last_s: float) -> list[str]:
    """Scripts that end in an event, after what comes to a state."""
    magnet = "m" if magnet_there else "M"
    soon, late = last_s + 0.249, 12.0
    match event:
        case OverrideEvent.PRESSED:
            return ["S3"]
        case OverrideEvent.PRESSED_UNFIT:
            return ["M2 S3", "c2 S3", "c2 M2.5 S3"]
        case OverrideEvent.MAGNET_THERE if state in (OverrideState.IDLE, OverrideState.VOID):
            return ["M3"]
        case OverrideEvent.MAGNET_AWAY if state in (OverrideState.IDLE, OverrideState.VOID):
            return ["M3 m4"]
        case OverrideEvent.MAGNET_THERE | OverrideEvent.MAGNET_AWAY:
            return [f"{magnet}{last_s + 0.25}", f"{magnet}11.999"]
        case OverrideEvent.MAGNET_MISTIMED:
            return [f"{magnet}{soon}", f"{magnet}{late}", f"{magnet}60"]
        case OverrideEvent.OTHER_SWITCH:
            return [f"R{last_s + 1}", f"R{last_s + 1} r{last_s + 1.1}", f"T{last_s + 1}", f"c{last_s + 1}"]
        case OverrideEvent.RELEASED:
            return [f"s{last_s + 0.1}", "s11.999"]
        case OverrideEvent.RELEASED_LATE:
            return [f"s{late}", "s100"]


@pytest.mark.parametrize(("event", "state"), [cell for cell, becomes in table().items() if becomes != "."], ids=str)
def test_every_cell_that_can_be(event: OverrideEvent, state: OverrideState) -> None:
    becomes = table()[event, state]
    before = way(state)
    last_s = float(before.split()[-1][1:])
    for script in last_event(event, state, state.value.startswith("at"), last_s):
        recogniser = Override(())
        for change in changes(before):
            assert not recogniser.change(change)
        assert recogniser.state is state
        *others, last = changes(script)
        for change in others:
            recogniser.change(change)
        done = recogniser.change(last)
        assert done is (becomes == "done"), script
        expected = {"-": state, "done": OverrideState.IDLE}.get(becomes) or STATES[becomes]
        assert recogniser.state is expected, script


@pytest.mark.parametrize("state", OverrideState)
def test_cells_that_cannot_be(state: OverrideState) -> None:
    """SCROLL cannot be pressed while it is, nor released while it is not; the magnet is where it is."""
    cannot = {event for (event, other), becomes in table().items() if other is state and becomes == "."}
    recogniser = Override(())
    for change in changes(way(state)):
        recogniser.change(change)
    pressed = state is not OverrideState.IDLE
    again = Change(100 * S, SCROLL, pressed)
    assert not recogniser.change(again)
    assert recogniser.state is state
    assert {OverrideEvent.PRESSED, OverrideEvent.PRESSED_UNFIT} & cannot == (
        {OverrideEvent.PRESSED, OverrideEvent.PRESSED_UNFIT} if pressed else set()
    )
    assert ({OverrideEvent.RELEASED, OverrideEvent.RELEASED_LATE} & cannot == set()) is pressed


# --- the sequence ---------------------------------------------------------------------------------------------


def test_the_sequence() -> None:
    assert play(SEQUENCE) == [False] * 8 + [True]
    assert play(SEQUENCE.removeprefix("C1 "), [COVER]) == [False] * 7 + [True]
    assert play(f"{SEQUENCE} S12 M13 m14 M15 m16 M17 m18 s19").count(True) == 2


@pytest.mark.parametrize(
    "script",
    [
        "S2 M3 m4 M5 m6 M7 m8 s9",  # cover on
        "C1 S2 M3 m4 M5 m6 s9",  # twice
        "C1 S2 M3 m4 M5 m6 M7 m8 M8.5 m9 s9.5",  # four times
        "C1 S2 M3 m4 M5 m6 M7 s9",  # the magnet is still there
        "C1 S2 M3 m4 M5 m6 M7 m8 s12",  # 10 s
        "C1 S2 M3 m4 M5 m6 M7 m7.2 s9",  # 0.2 s
        "C1 S2 M3 m4 R4.5 r4.6 M5 m6 M7 m8 s9",
        "C1 S2 M3 m4 T4.5 t4.6 M5 m6 M7 m8 s9",
        "C1 S2 M3 m4 c4.5 C4.6 M5 m6 M7 m8 s9",
        "C1 M1.5 S2 m3 M4 m5 M6 m7 M8 m9 s9.5",
        "C1 S2 M3 m4 s4.5 S4.6 M5 m6 M7 m8 s9",
        "C1 S2 s3 M3.5 m4 M5 m6 M7 m8",
    ],
)
def test_what_is_nearly_the_sequence(script: str) -> None:
    assert True not in play(script)


def test_scroll_found_pressed_is_no_press() -> None:
    assert Override([COVER, SCROLL]).state is OverrideState.VOID
    assert True not in play("M3 m4 M5 m6 M7 m8 s9", [COVER, SCROLL])
    assert play("s3 S4 M5 m6 M7 m8 M9 m10 s11", [COVER, SCROLL])[-1]
    assert True not in play("S2 m3 M4 m5 M6 m7 M8 m9 s9.5", [COVER, MAGNET])


def test_time_does_not_go_back() -> None:
    recogniser = Override(())
    recogniser.change(Change(5 * S, COVER, True))
    with pytest.raises(ValueError, match="a switch moves at 4000000000 ns, but one did at 5000000000 ns"):
        recogniser.change(Change(4 * S, SCROLL, True))


def test_the_sequence_on_the_terminal() -> None:
    """docs/access.md: `c`, `s` twice, `m` three times a second apart, `s`."""
    keys, recogniser, done = Keys(), Override(()), []
    for at_s, character in ((1, "c"), (2, "s"), (2.2, "s"), (3, "m"), (4, "m"), (5, "m"), (6, "s")):
        done += [recogniser.change(change) for change in keys.press(character, round(at_s * S))]
    assert done == [False] * 8 + [True]


# --- random movements -----------------------------------------------------------------------------------------


def complete(history: list[tuple[int, str]], at_start: set[Switch]) -> bool:
    """Whether the last movement of a history completes the sequence, read off the whole history as a text."""
    down = set(at_start)
    word = {SCROLL: "s", MAGNET: "m", RESET: "r", TEST: "t", COVER: "c"}
    text, times, fit = "", [], []
    for at_ms, letter in history:
        switch = next(s for s, w in word.items() if w == letter)
        down ^= {switch}
        text += letter.upper() if switch in down else letter
        times.append(at_ms)
        fit.append(COVER in down and MAGNET not in down)
    if not re.search("SMmMmMms$", text):
        return False
    last = times[-8:]
    apart = [after - before for before, after in pairwise(last[:-1])]
    return fit[-8] and last[-1] - last[0] < 10_000 and min(apart) >= 250


MOVES = st.lists(st.tuples(st.sampled_from([1, 249, 250, 400, 1000, 3000, 6000]), st.sampled_from("ssmmmmrtc")))
IN_ORDER = st.lists(st.sampled_from([249, 250, 300, 1000, 1500, 3000]), min_size=8, max_size=8).map(
    lambda gaps: list(zip(gaps, "smmmmmms", strict=True))
)


@given(st.sets(st.sampled_from(Switch)), st.lists(MOVES | IN_ORDER, max_size=6).map(lambda parts: list(chain(*parts))))
@example({COVER}, list(zip([1000] * 8, "smmmmmms", strict=True)))
def test_random_movements(operated: set[Switch], moves: list[tuple[int, str]]) -> None:
    recogniser, down, at_ms = Override(operated), set(operated), 0
    history: list[tuple[int, str]] = []
    for gap_ms, letter in moves:
        at_ms += gap_ms
        switch = SWITCHES[letter.upper()]
        down ^= {switch}
        history.append((at_ms, letter))
        done = recogniser.change(Change(at_ms * 10**6, switch, switch in down))
        assert done is complete(history, operated)
        assert not recogniser.change(Change(at_ms * 10**6, switch, switch in down)), (
            "a level that repeats is no movement"
        )


# --- the rest of the front ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "mode"), [("C1", Mode.NORMAL), ("C1 T1.1", Mode.TEST), ("C1 T1.1 t1.2", Mode.NORMAL)]
)
def test_it_asks_nothing_of_billing_and_leaves_the_display_as_it_was(begin: str, mode: Mode) -> None:
    front, recogniser = Front(SETTINGS, (), 0), Override(())
    test_mode = mode is Mode.TEST
    for change in changes(begin):
        front.change(change)
        recogniser.change(change)
    front.advance(15 * S // 10, test_mode)
    asked, done = [], []
    for change in changes(SEQUENCE)[1:]:
        front.advance(change.at_ns, test_mode)
        asked += front.change(change)
        done.append(recogniser.change(change))
    assert asked == []
    assert done == [False] * 7 + [True]
    assert front.mode is mode
