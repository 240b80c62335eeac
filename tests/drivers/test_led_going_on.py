"""The test LED of a process whose predecessor was killed: the table in TestLed's docstring, row by row (P-1)."""

from __future__ import annotations

import pytest

from drivers.gpio import TestLed
from drivers.schedule import OutputSchedule
from drivers.sim.pins import Edge, VirtualClock, VirtualClockMockFactory

MS = 1_000_000
PIN = 17


class Header(VirtualClockMockFactory):
    """Pins that keep their levels, or such as nobody knows of."""

    keep_levels = True


@pytest.mark.parametrize(
    ("remembered_lit", "found_lit", "keep_levels", "shown", "edges"),
    [
        (True, True, True, 5, (Edge(110 * MS, False),)),
        (True, True, False, 5, (Edge(110 * MS, False),)),
        (True, False, True, 4, ()),
        (True, False, False, 5, ()),
        (False, True, True, 5, (Edge(100 * MS, False),)),
        (False, True, False, 5, (Edge(100 * MS, False),)),
        (False, False, True, 5, ()),
        (False, False, False, 5, ()),
    ],
)
def test_what_came_of_the_last_flash(
    remembered_lit: bool, found_lit: bool, keep_levels: bool, shown: int, edges: tuple[Edge, ...]
) -> None:
    clock, schedule = VirtualClock(), OutputSchedule()
    pins = Header(clock)
    pins.keep_levels = keep_levels
    pin = pins.pin(PIN)
    pin.function = "output"
    pin.state = found_lit
    pin.clear_states()
    clock.advance_to(100 * MS)
    remembered: list[tuple[bool, int]] = []
    led = TestLed(
        "test LED",
        PIN,
        pins=pins,
        schedule=schedule,
        width_ns=10 * MS,
        gap_ns=5 * MS,
        remember=lambda lit, count: remembered.append((lit, count)),
        shown=5,
        going_on_lit=remembered_lit,
        now_ns=clock.now_ns,
    )
    while (due_ns := schedule.next_due_ns) is not None:
        clock.advance_to(max(due_ns, clock.now_ns))
        schedule.run_due(clock.now_ns)
    assert (led.shown, led.flashes) == (shown, 0)
    assert pins.edges(PIN) == edges
    led.pulse(clock.now_ns + 50 * MS)
    due_ns = clock.now_ns + 50 * MS
    while schedule.next_due_ns is not None:
        clock.advance_to(max(schedule.next_due_ns, clock.now_ns))
        schedule.run_due(clock.now_ns)
    assert pins.edges(PIN)[len(edges) :] == (Edge(due_ns, True), Edge(due_ns + 10 * MS, False))
    assert remembered[-2:] == [(True, shown + 1), (False, shown + 1)]
    assert led.shown == shown + 1
    led.close()
    pins.close()
