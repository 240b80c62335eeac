"""Inputs in service: what closes and opens becomes commands, in order of time (P-5, T-2)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from drivers.pulse_inputs import InputEdge, PulseInput
from rig.meter.billing.billing import Billing
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.inputs import InputId
from rig.meter.billing.source import Source
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.functions import Input, RateInput, RecordedInput
from rig.program.build import default_program
from rig.service.input_contacts import InputContacts

MS = 10**6
UTC_NS = 1_790_000_000 * 10**9
INPUTS: tuple[Input, ...] = (RateInput(InputId.IN1, Rate.C), RateInput(InputId.IN2, Rate.D))


class Line:
    """An EdgeSource that a test moves."""

    def __init__(self, closed: bool = False) -> None:
        self.initial = self.level = closed
        self.closed = False
        self._edges: list[InputEdge] = []

    def move(self, at_ms: int, closed: bool) -> None:
        self.level = closed
        self._edges.append(InputEdge(at_ms * MS, closed))

    def drain(self) -> list[InputEdge]:
        edges, self._edges = self._edges, []
        return edges

    def read(self) -> bool:
        return self.level

    def close(self) -> None:
        self.closed = True


def contacts(lines: tuple[Line, ...], inputs: tuple[Input, ...] = INPUTS) -> InputContacts:
    return InputContacts(inputs, lambda id: PulseInput(lines[id.place], 0))


def utc_of(at_ns: int) -> int:
    return UTC_NS + at_ns


def billing() -> Billing:
    return Billing.begin(default_program().billing, UTC_NS)[0]


def force(at_ms: int, rate: Rate) -> Command:
    return Command(UTC_NS + at_ms * MS, Action.FORCE_RATE, Source.INPUT, int(rate))


def release(at_ms: int) -> Command:
    return Command(UTC_NS + at_ms * MS, Action.RELEASE_RATE, Source.INPUT)


def test_one_forces_its_rate_while_it_is_closed() -> None:
    lines = Line(), Line()
    both = contacts(lines)
    lines[0].move(100, True)
    assert both.poll(150 * MS, utc_of) == [force(100, Rate.C)]
    lines[0].move(200, False)
    assert both.poll(250 * MS, utc_of) == [release(200)]


@pytest.mark.parametrize("poll_ms", [1, 20, 1000])
def test_of_two_that_are_closed_the_later_forces_and_when_it_opens_the_other(poll_ms: int) -> None:
    lines = Line(), Line()
    both = contacts(lines)
    moves = [(100, 0, True), (200, 1, True), (300, 1, False), (400, 1, True), (500, 0, False), (600, 1, False)]
    found: list[Command] = []
    for now_ms in range(poll_ms, 1001, poll_ms):
        while moves and moves[0][0] <= now_ms:
            at_ms, place, closed = moves.pop(0)
            lines[place].move(at_ms, closed)
        found += both.poll(now_ms * MS, utc_of)
    assert found == [
        force(100, Rate.C), force(200, Rate.D), force(300, Rate.C), force(400, Rate.D), force(500, Rate.D),
        release(600),
    ]  # fmt: skip


def test_found_closed_at_the_start_both_force_in_turn() -> None:
    lines = Line(True), Line(True)
    both = contacts(lines)
    (first,) = both.begin(billing())
    assert first == force(0, Rate.D)
    lines[1].move(100, False)
    assert both.poll(150 * MS, utc_of) == [force(100, Rate.C)]
    lines[0].move(200, False)
    assert both.poll(250 * MS, utc_of) == [release(200)]


def test_what_was_forced_when_power_failed_is_forced_no_more_once_the_contact_is_open() -> None:
    meter = billing()
    assert contacts((Line(), Line())).begin(meter) == []
    meter.command(force(0, Rate.C))
    assert contacts((Line(), Line())).begin(meter) == [release(0)]


def test_closures_are_pulses_at_their_instants() -> None:
    lines = Line(), Line()
    both = contacts(lines, (RecordedInput(InputId.IN1, Fraction(1)), RateInput(InputId.IN2, Rate.B)))
    for at_ms in (100, 200):
        lines[0].move(at_ms, True)
        lines[0].move(at_ms + 50, False)
    lines[1].move(150, True)
    pulses = [Command(UTC_NS + at_ms * MS, Action.INPUT_PULSES, Source.INPUT, 0) for at_ms in (100, 200)]
    assert both.poll(300 * MS, utc_of) == [pulses[0], force(150, Rate.B), pulses[1]]


def test_closures_that_lost_edges_prove_come_when_they_are_counted() -> None:
    """A contact whose every edge is real: between the first edge and the sixth it closed twice, nobody knows when."""
    line = Line()
    one = InputContacts((RecordedInput(InputId.IN1, Fraction(1)),), lambda id: PulseInput(line, 0, 0))
    line._edges = [InputEdge(100 * MS, True, 1), InputEdge(300 * MS, False, 6)]
    line.level = False
    assert one.poll(400 * MS, utc_of) == [
        Command(UTC_NS + at_ms * MS, Action.INPUT_PULSES, Source.INPUT, 0, count)
        for at_ms, count in ((100, 1), (400, 2))
    ]
    assert one.poll(500 * MS, utc_of) == []


def test_one_that_cannot_be_had_leaves_none_open() -> None:
    line = Line()

    def contact(id: InputId) -> PulseInput:
        if id is InputId.IN2:
            raise OSError("busy")
        return PulseInput(line, 0)

    with pytest.raises(OSError, match="busy"):
        InputContacts(INPUTS, contact)
    assert line.closed


def test_closures_that_lost_edges_may_hide_are_in_doubt_and_told() -> None:
    """Between the first edge and the sixth four are gone: the first may not have stood, and two may have come."""
    line = Line()
    one = contacts((line,), (RecordedInput(InputId.IN1, Fraction(1)),))
    line._edges = [InputEdge(100 * MS, True, 1), InputEdge(300 * MS, False, 6)]
    line.level = False
    assert one.poll(400 * MS, utc_of) == []
    assert (one.lost_edges, one.in_doubt) == (4, 3)
