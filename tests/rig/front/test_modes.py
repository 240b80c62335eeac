"""Every row of the tables of the front's docstrings, walked by hands on its switches."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hands import SETTINGS, Hands, S

from rig.meter.billing.commands import Action
from rig.meter.front import gestures, modes
from rig.meter.front.gestures import Gesture, Hold
from rig.meter.front.modes import FrontEvent, FrontState

STATES = {state.heading: state for state in FrontState}
EVENTS = {event.value: event for event in FrontEvent}
WISHES = {"begin": Action.TEST_BEGIN, "end": Action.TEST_END, "undo": Action.TEST_END}


def rows(text: str, first: str) -> list[list[str]]:
    """A table of a docstring, from the line that begins with `first` to the next empty one; cells two blanks apart."""
    lines = text.splitlines()
    begin = next(k for k, line in enumerate(lines) if line.strip().startswith(first))
    found = []
    for line in lines[begin:]:
        if not line.strip():
            return found
        found.append([cell.strip() for cell in line.strip().split("  ") if cell.strip()])
    raise AssertionError("a table ends with an empty line")


def table() -> dict[tuple[FrontEvent, FrontState], str]:
    assert modes.__doc__ is not None
    (_, *headings), *lines = rows(modes.__doc__, "event ")
    return {
        (EVENTS[event], STATES[heading]): cell
        for event, *cells in lines
        for heading, cell in zip(headings, cells, strict=True)
    }


ALTERNATE, FAST, MAGNET, SWITCH, TEST = "C1 M2 m5.5", "C1 S2", "C1 M2", "C1 S2 T8.2 s9", "C1 T2 B2.1"
"""How each state is come to: the alternate sequence at 5 s, fast scroll and Gyrbox by magnet at 8 s."""

LATE = f"{ALTERNATE} S13"
LATE_MAGNET = f"{ALTERNATE} M13"
"""What is held while the alternate sequence's pass ends, at 17 s."""

# For each cell that can be, scripts whose last word is the event. Where it is an item's last, there are two.
SCRIPTS: dict[tuple[FrontEvent, FrontState], list[str]] = {
    (FrontEvent.STEP, FrontState.NORMAL): ["C1 S4 s5", "C1 S4 s5 S6 s7 S8 s8.1"],
    (FrontEvent.STEP, FrontState.ALTERNATE): [f"{ALTERNATE} S6 s7", f"{ALTERNATE} S6 s7 S8 s9"],
    (FrontEvent.STEP, FrontState.SWITCH): [f"{SWITCH} S10 s11"],
    (FrontEvent.STEP, FrontState.TEST): [f"{TEST} S3 s4", f"{TEST} S3 s4 S5 s6 S7 s8"],
    (FrontEvent.SCROLL_3S, FrontState.NORMAL): ["C1 S4 @7"],
    (FrontEvent.SCROLL_3S, FrontState.ALTERNATE): [f"{ALTERNATE} S6 @9"],
    (FrontEvent.SCROLL_3S, FrontState.SWITCH): [f"{SWITCH} S10 @13"],
    (FrontEvent.SCROLL_3S, FrontState.TEST): [f"{TEST} S3 @6"],
    (FrontEvent.SCROLL_6S, FrontState.NORMAL): [f"{LATE} @19"],
    (FrontEvent.SCROLL_6S, FrontState.ALTERNATE): ["C1 S4 @10", f"{ALTERNATE} S6 @12"],
    (FrontEvent.SCROLL_6S, FrontState.SWITCH): [f"{SWITCH} S10 @16"],
    (FrontEvent.SCROLL_6S, FrontState.TEST): [f"{TEST} S3 @9"],
    (FrontEvent.SCROLL_LET_GO, FrontState.NORMAL): [f"{LATE} s18"],
    (FrontEvent.SCROLL_LET_GO, FrontState.ALTERNATE): ["C1 S4 s8"],
    (FrontEvent.SCROLL_LET_GO, FrontState.FAST): [f"{FAST} s8.2", f"{FAST} c8.2"],
    (FrontEvent.SCROLL_LET_GO, FrontState.SWITCH): ["C1 S2 T8.2 s9"],
    (FrontEvent.SCROLL_LET_GO, FrontState.TEST): [f"{TEST} S3 s7"],
    (FrontEvent.MAGNET_3S, FrontState.NORMAL): ["M4 @7"],
    (FrontEvent.MAGNET_3S, FrontState.ALTERNATE): [f"{ALTERNATE} M6 @9"],
    (FrontEvent.MAGNET_6S, FrontState.NORMAL): [f"{LATE_MAGNET} @19"],
    (FrontEvent.MAGNET_6S, FrontState.ALTERNATE): ["M4 @10", f"{ALTERNATE} M6 @12"],
    (FrontEvent.MAGNET_AWAY, FrontState.NORMAL): [f"{LATE_MAGNET} m18"],
    (FrontEvent.MAGNET_AWAY, FrontState.ALTERNATE): ["M4 m7.1", "M4 m9.9"],
    (FrontEvent.MAGNET_AWAY, FrontState.MAGNET): ["M4 m10.1", "M4 m99"],
    (FrontEvent.TEST_OPENED, FrontState.NORMAL): ["C1 T4", "T1 C4", f"{LATE} T18"],
    (FrontEvent.TEST_OPENED, FrontState.ALTERNATE): [f"{ALTERNATE} T6", "C1 S4 T8"],
    (FrontEvent.TEST_OPENED, FrontState.FAST): [f"{FAST} T8.2"],
    (FrontEvent.TEST_OPENED, FrontState.MAGNET): [f"{MAGNET} T9"],
    (FrontEvent.TEST_OPENED, FrontState.TEST): ["C1 B2 T3", f"{TEST} t3 T4"],
    (FrontEvent.TEST_CLOSED, FrontState.NORMAL): ["C1 T4 t5", "C1 T4 c5"],
    (FrontEvent.TEST_CLOSED, FrontState.ALTERNATE): [f"{ALTERNATE} T6 t7"],
    (FrontEvent.TEST_CLOSED, FrontState.FAST): ["C1 S4 T5 t10.2"],
    (FrontEvent.TEST_CLOSED, FrontState.MAGNET): ["C1 M4 T5 t11", "C1 M4 T5 c11"],
    (FrontEvent.TEST_CLOSED, FrontState.SWITCH): [f"{SWITCH} t10", f"{SWITCH} c10", "C1 S2 T8.2 t9"],
    (FrontEvent.TEST_CLOSED, FrontState.TEST): [f"{TEST} t3", f"{TEST} c3", f"{TEST} t3 T4 t5"],
    (FrontEvent.ITEM_OVER, FrontState.NORMAL): ["@9", "@15", "@21", "C1 S4 s5 @11"],
    (FrontEvent.ITEM_OVER, FrontState.ALTERNATE): [f"{ALTERNATE} @11", f"{ALTERNATE} @17"],
    (FrontEvent.ITEM_OVER, FrontState.FAST): [f"{FAST} @8.5", f"{FAST} @9", f"{FAST} @9.5"],
    (FrontEvent.ITEM_OVER, FrontState.MAGNET): [f"{MAGNET} @14", f"{MAGNET} @122"],
    (FrontEvent.ITEM_OVER, FrontState.SWITCH): [f"{SWITCH} @14.2", f"{SWITCH} @122.2"],
    (FrontEvent.TEST_ON, FrontState.NORMAL): ["C1 B4", "C1 T2 B4"],
    (FrontEvent.TEST_ON, FrontState.ALTERNATE): [f"{ALTERNATE} B6"],
    (FrontEvent.TEST_ON, FrontState.FAST): [f"{FAST} B8.2"],
    (FrontEvent.TEST_ON, FrontState.MAGNET): [f"{MAGNET} B9"],
    (FrontEvent.TEST_ON, FrontState.SWITCH): [f"{SWITCH} B10"],
    (FrontEvent.TEST_OFF, FrontState.TEST): ["B4 b5", f"{TEST} b9", f"{TEST} t3 b3.1"],
    (FrontEvent.RESET_ACCEPTED, FrontState.NORMAL): ["@9 A10"],
    (FrontEvent.RESET_ACCEPTED, FrontState.ALTERNATE): [f"{ALTERNATE} A6"],
    (FrontEvent.RESET_ACCEPTED, FrontState.FAST): [f"{FAST} A8.2"],
    (FrontEvent.RESET_ACCEPTED, FrontState.MAGNET): [f"{MAGNET} A9"],
    (FrontEvent.RESET_ACCEPTED, FrontState.SWITCH): [f"{SWITCH} A10"],
    (FrontEvent.RESET_ACCEPTED, FrontState.TEST): [f"{TEST} A3"],
}


def test_the_table_has_every_state_and_event():
    cells = table()
    assert set(cells) == {(event, state) for event in FrontEvent for state in FrontState}
    assert {cell for cell in cells if cells[cell] != "."} == set(SCRIPTS)


@pytest.mark.parametrize(
    ("event", "state", "script"),
    [(event, state, script) for (event, state), scripts in SCRIPTS.items() for script in scripts],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_cell(event: FrontEvent, state: FrontState, script: str):
    """The cell's state before the last word, and what the cell says after it."""
    hands, became = Hands(), table()[event, state]
    *before, last = script.split()
    hands.play(" ".join(before))
    front, at_ns = hands.front, int(Decimal(last[1:]) * S)
    front.advance(at_ns - 1, hands.test_mode)
    place, items = (
        front.place,
        {FrontState.NORMAL: 3, FrontState.ALTERNATE: 2, FrontState.FAST: 2, FrontState.TEST: 3}.get(state, 19),
    )
    assert front.state is state
    requests = hands.play(last)
    match became:
        case "-" | "swipe" | "begin" | "end" | "undo":  # these settings scroll, so a swipe is nothing
            after, then = state, place
        case "pass" if place == items - 1:
            after, then = FrontState.NORMAL, 0
        case "next" | "pass":
            after, then = state, (place + 1) % items
        case _:
            after, then = STATES[became], 0
    assert (front.state, front.place, front.mode, front.fast) == (after, then, after.mode, after is FrontState.FAST)
    assert front.item == getattr(SETTINGS, after.mode.value)[then]
    assert requests == tuple((at_ns, action) for word, action in WISHES.items() if word == became)


STANDING = replace(SETTINGS, scroll_s=0)
"""Autoscroll is not programmed."""


@pytest.mark.parametrize(
    ("script", "state", "place"),
    [
        ("@999", FrontState.NORMAL, 0),
        ("C1 S4 s5 @999", FrontState.NORMAL, 1),
        (f"{ALTERNATE} @999", FrontState.ALTERNATE, 0),
        (f"{ALTERNATE} S6 s7 @999", FrontState.ALTERNATE, 1),
        (f"{ALTERNATE} S6 s7 S8 s9 @999", FrontState.NORMAL, 0),
        ("M2 m5.5 M6 @8.9", FrontState.ALTERNATE, 0),
        ("M2 m5.5 M6 @9", FrontState.ALTERNATE, 1),
        ("M2 m5.5 M6 m9.5 M10 m13.5 @999", FrontState.NORMAL, 0),
        ("M2 m5.5 M6 @12", FrontState.MAGNET, 0),
        (f"{SWITCH} @999", FrontState.SWITCH, 0),
        (f"{SWITCH} S10 s11 @999", FrontState.SWITCH, 1),
        (f"{MAGNET} @13.9", FrontState.MAGNET, 0),
        (f"{MAGNET} @14", FrontState.MAGNET, 1),
        (f"{MAGNET} @122", FrontState.MAGNET, 0),
        (f"{FAST} @8.5", FrontState.FAST, 1),
        (f"{TEST} @60", FrontState.TEST, 0),
    ],
)
def test_d3_without_autoscroll_an_item_stands_until_scroll(script: str, state: FrontState, place: int) -> None:
    """D-3, "if programmed for autoscrolling"; in Gyrbox by the magnet "the display will scroll automatically".

    With the cover on, where nobody reaches SCROLL, a magnet brought again steps the alternate sequence.
    """
    hands = Hands(settings=STANDING)
    hands.play(script)
    assert (hands.front.state, hands.front.place) == (state, place)


def test_both_ends_of_a_pass_are_walked():
    """`pass` and `next` at the last item are cells of their own."""
    lasts = set()
    for (event, state), scripts in SCRIPTS.items():
        for script in scripts if table()[event, state] in ("pass", "next") else ():
            hands = Hands()
            hands.play(script)
            lasts |= {(event, state)} if hands.front.place == 0 else set()
    steps = {(FrontEvent.STEP, state) for state in (FrontState.NORMAL, FrontState.ALTERNATE, FrontState.TEST)}
    overs = {(FrontEvent.ITEM_OVER, state) for state in FrontState if state is not FrontState.TEST}
    assert lasts >= steps | overs


# --- one button -----------------------------------------------------------------------------------------------

TOLD = {gesture.value: gesture for gesture in Gesture} | {"-": None}
HOLDS = rows(Hold.__doc__ or "", "state ")[1:]
STATES_OF_HOLD = ("away", "held", "held 3 s", "held 6 s", "void")
EVENTS_OF_HOLD = ("operated", "operated void", "after 3 s", "after 6 s", "let go", "made void")


def hold_in(state: str) -> Hold:
    """A button in a state, pressed at 10 s where it is."""
    hold = Hold(operated=False)
    if state != "away":
        hold.operate(10 * S, void=state == "void")
    for _ in range({"held 3 s": 1, "held 6 s": 2}.get(state, 0)):
        hold.pass_due()
    return hold


def do(hold: Hold, event: str) -> Gesture | None:
    match event:
        case "operated" | "operated void":
            hold.operate(10 * S, void=event == "operated void")
        case "let go":
            return hold.let_go()
        case "made void":
            return hold.make_void()
        case _:
            if hold.due_ns == (10 + int(event.split()[1])) * S:
                return hold.pass_due()
    return None


def look(hold: Hold) -> tuple[bool, int | None, Gesture | None]:
    """All that can be seen of a button; what letting it go tells comes last, as it changes it."""
    return hold.counts, hold.due_ns, hold.let_go()


@pytest.mark.parametrize("event", EVENTS_OF_HOLD)
@pytest.mark.parametrize("state", STATES_OF_HOLD)
def test_hold(state: str, event: str):
    """Rows of the table, and nothing where it has none."""
    found = [(after, told) for row_state, row_event, after, told in HOLDS if (row_state, row_event) == (state, event)]
    after, told = found[0] if found else (state, "-")
    hold = hold_in(state)
    assert do(hold, event) is TOLD[told]
    assert look(hold) == look(hold_in(after))


def test_the_table_of_a_button_has_its_states_and_events():
    assert len(HOLDS) == 11
    assert {row[0] for row in HOLDS} | {row[2] for row in HOLDS} == set(STATES_OF_HOLD)
    assert {row[1] for row in HOLDS} == set(EVENTS_OF_HOLD)


def test_a_button_found_pressed_is_void():
    hold = Hold(operated=True)
    assert (hold.counts, hold.due_ns) == (False, None)
    assert hold.let_go() is None
    hold.operate(5 * S, void=False)
    assert hold.counts
    assert hold.due_ns == 5 * S + gestures.SHORT_NS
