"""Commands that wait while the FPGA cannot be read: as many as fit into a save, and what comes of them is the same."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.commands import Action, Command
from rig.meter.billing.source import Source
from rig.meter.billing.waiting import add_waiting

BEGIN_NS = 1_800_000_000 * 10**9
SAVE_BYTES = 1 << 19
"""What a copy of the journal holds (docs/store.md)."""


def pulses(utc_ns: int, place: int, count: int = 1) -> Command:
    return Command(utc_ns, Action.INPUT_PULSES, Source.INPUT, place, count)


def test_forty_three_minutes_of_two_inputs_fit_into_a_save_many_times() -> None:
    waiting: list[Command] = []
    for tenth in range(43 * 60 * 10):
        for place in (0, 1):
            add_waiting(waiting, pulses(BEGIN_NS + tenth * 10**8, place))
    assert len(waiting) == 2 * 43 * 6
    assert [sum(each.pulses for each in waiting if each.value == place) for place in (0, 1)] == [25_800, 25_800]
    assert len(msgspec.json.encode(waiting)) < SAVE_BYTES // 8


others = st.sampled_from([Action.RESET, Action.CLEAR, Action.MASTER_RESET, Action.TEST_BEGIN])
drawn = st.lists(st.tuples(st.integers(0, 900), st.none() | others, st.integers(0, 1)), max_size=60)


@given(drawn)
def test_between_two_minutes_or_other_commands_each_input_has_counted_the_same(
    history: list[tuple[int, Action | None, int]],
) -> None:
    """Against a list that merges nothing: by tenths of a second, in any order of arrival."""
    merged: list[Command] = []
    whole: list[Command] = []
    for tenths, action, place in history:
        at_ns = BEGIN_NS + tenths * 10**8
        command = pulses(at_ns, place) if action is None else Command(at_ns, action, Source.FRONT)
        add_waiting(merged, command)
        whole.append(command)
    whole.sort(key=lambda each: each.utc_ns)
    assert [each.utc_ns for each in merged] == sorted(each.utc_ns for each in merged)
    assert counts(merged) == counts(whole)
    assert [e for e in merged if e.action is not Action.INPUT_PULSES] == [
        e for e in whole if e.action is not Action.INPUT_PULSES
    ]


def counts(waiting: list[Command]) -> list[tuple[int, int, int, int]]:
    """What each input has counted by each minute and each other command."""
    found: dict[tuple[int, int, int], int] = {}
    others = 0
    for each in waiting:
        if each.action is Action.INPUT_PULSES:
            key = (others, each.utc_ns // (60 * 10**9), each.value or 0)
            found[key] = found.get(key, 0) + each.pulses
        else:
            others += 1
    return sorted((*key, count) for key, count in found.items())
