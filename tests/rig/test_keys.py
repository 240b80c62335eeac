"""Keys as hands: the table of rig/terminal/keys.py row by row, and any typing at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.front.switches import Change, Switch
from rig.terminal import keys
from rig.terminal.keys import KEYS, STAYS, TWICE_NS, Keys

S = 10**9
ROW = re.compile(r"^    (up|pressed|held) +(key|TWICE_NS have passed) +(up|pressed|held) +(.+)$", re.MULTILINE)
TABLE = ROW.findall(keys.__doc__ or "")
BEFORE = {"up": [], "pressed": [0], "held": [0, TWICE_NS // 2]}
"""Presses that lead to a state."""

BUTTONS = [character for character, switch in KEYS.items() if switch not in STAYS]


def test_the_table_is_found() -> None:
    assert len(TABLE) == 4


@pytest.mark.parametrize("character", BUTTONS)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}, {row[1]}")
def test_a_row(row: tuple[str, str, str, str], character: str) -> None:
    before, what, after, said = row
    hands = Keys()
    for at in BEFORE[before]:
        hands.press(character, at)
    now = TWICE_NS - 1
    if what == "key":
        changes = hands.press(character, now)
    else:
        assert hands.advance(now) == []
        now += 1
        changes = hands.advance(now)
    operated = {"is operated": [True], "stays operated": [], "is let go": [False]}[said.split(":")[0]]
    assert changes == [Change(now, KEYS[character], op) for op in operated]
    assert hands._keys[KEYS[character]].hand.value == after


@pytest.mark.parametrize("switch", sorted(STAYS, key=lambda s: s.value))
def test_a_switch_that_stays_moves_with_each_press(switch: Switch) -> None:
    character = next(c for c, s in KEYS.items() if s is switch)
    hands = Keys()
    said = [hands.press(character, at) for at in (0, 1, 5 * S, 6 * S)]
    assert [[c.operated for c in changes] for changes in said] == [[True], [False], [True], [False]]
    assert hands.next_due_ns is None


def test_other_keys_do_nothing() -> None:
    assert Keys().press("x", 0) == []
    assert Keys().press("\x1b", 0) == []


def test_capitals_are_the_same_keys() -> None:
    assert Keys().press("M", 7) == [Change(7, Switch.MAGNET, True)]


@given(st.lists(st.tuples(st.integers(0, S), st.sampled_from("msrtcx"))))
def test_any_typing_moves_each_switch_to_and_fro(typed: list[tuple[int, str]]) -> None:
    hands, now, changes = Keys(), 0, []
    for after, character in typed:
        now += after
        changes += hands.press(character, now)
    changes += hands.advance(now + TWICE_NS)
    assert [c.at_ns for c in changes] == sorted(c.at_ns for c in changes)
    for switch in Switch:
        ways = [c.operated for c in changes if c.switch is switch]
        assert ways == [k % 2 == 0 for k in range(len(ways))]
    assert hands.next_due_ns is None
