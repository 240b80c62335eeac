"""Both masters' tables, row by row, in bytes of the standard's own and in virtual time (X-2)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from dgcom_host import total
from psem_client import packet

from rig.communication.c1218.services import Code
from rig.communication.c1218.settings import OPTICAL
from rig.reader import dgcom_master, master
from rig.reader.dgcom_master import DgcomMaster, HostState, Replied, Verdict
from rig.reader.master import Answered, Failed, Master, MasterState

S = 10**9
OK = packet(b"\x00\x01\x02")
ACK, NAK = b"\x06", b"\x15"


def rows(document: str | None, first: str) -> list[list[str]]:
    """The rows of a docstring's table, by the columns of its head."""
    assert document is not None
    lines = document.splitlines()
    head = next(k for k, line in enumerate(lines) if line.split()[:1] == [first])
    columns = [column.start() for column in re.finditer(r"(?<=  )\S", lines[head])]
    found = []
    for line in lines[head + 1 :]:
        if not line.strip():
            break
        cells = [line[a:b].strip() for a, b in zip(columns, [*columns[1:], None], strict=True)]
        if cells[0]:
            found.append(cells)
        else:
            found[-1] = [f"{above} {below}".strip() for above, below in zip(found[-1], cells, strict=True)]
    return found


class Walk:
    """A master in a state, and what was sent."""

    def __init__(self, state: MasterState) -> None:
        self.master, self.now = Master(OPTICAL), S
        self.sent = b""
        if state is not MasterState.IDLE:
            self.ask()
        if state is MasterState.AWAITING:
            self.feed(ACK)
        assert self.master.state is state

    def ask(self) -> None:
        self.master.ask(b"\x30\x00\x01", self.now)
        self.pass_time(0.01)

    def feed(self, data: bytes) -> None:
        self.now += S // 1000
        self.master.feed(data, self.now)
        self.pass_time(0.01)

    def pass_time(self, seconds: float) -> None:
        until = self.now + round(seconds * S)
        while (due := self.master.next_ns) is not None and due <= until:
            self.now = max(self.now, due)
            self.master.tick(self.now)
            self.sent += self.master.output(self.now)
        self.now = until
        self.master.tick(self.now)

    def drip(self) -> None:
        """A packet's bytes that never end it, until it is over; and the ACK again, as long as nothing counts it."""
        self.master.feed(b"\xee\x00\x00\x00\x10\x00", self.now)
        for _ in range(1000):
            if self.master.state is MasterState.IDLE:
                return
            self.now += S * 2 // 5
            self.master.feed(b"\x00", self.now)
            self.master.output(self.now)


EVENTS: dict[str, Callable[[Walk], None]] = {
    "ask": lambda walk: walk.ask(),
    "the message is acknowledged": lambda walk: walk.feed(ACK),
    "a message with a response code": lambda walk: walk.feed(OK),
    "any other message": lambda walk: walk.feed(packet(b"\x30\x00\x01")),
    "a message": lambda walk: walk.feed(OK),
    "never acknowledged, in so many tries": lambda walk: walk.pass_time(10),
    "the answer's last instant": lambda walk: walk.drip(),
    "nothing for the traffic time-out": lambda walk: walk.pass_time(7),
}
KNOWN = {
    "": None,
    "it is the answer": Answered(Code.OK, b"\x01\x02"),
    "UNHEARD": Failed.UNHEARD,
    "SPOILT": Failed.SPOILT,
    "SILENT": Failed.SILENT,
    "nothing, it is left out": None,
}


@pytest.mark.parametrize("row", rows(master.__doc__, "state"), ids=lambda row: f"{row[0]}: {row[1]}")
def test_the_masters_table(row: list[str]) -> None:
    state, event, known, becomes = row
    walk = Walk(MasterState(state))
    EVENTS[event](walk)
    assert walk.master.state is MasterState(becomes)
    assert walk.master.outcome == KNOWN[known]


def test_every_state_has_rows() -> None:
    assert {row[0] for row in rows(master.__doc__, "state")} == {state.value for state in MasterState}
    assert {row[0] for row in rows(dgcom_master.__doc__, "state")} == {state.value for state in HostState} | {"any"}


def test_an_answer_is_known_once_its_acknowledgement_has_gone() -> None:
    walk = Walk(MasterState.AWAITING)
    walk.sent = b""
    walk.now += S // 1000
    walk.master.feed(OK, walk.now)
    assert walk.master.outcome is None
    walk.pass_time(0.01)
    assert (walk.sent, walk.master.outcome) == (ACK, KNOWN["it is the answer"])


def test_a_device_may_take_its_time_from_its_acknowledgement_on() -> None:
    """Less than the response time-out for that, less than the traffic time-out after it; together more."""
    walk = Walk(MasterState.ASKING)
    walk.pass_time(1.9)
    walk.feed(ACK)
    walk.pass_time(5.5)
    walk.feed(OK)
    assert walk.master.outcome == KNOWN["it is the answer"]


def test_a_message_is_repeated_after_nak_and_after_silence_three_times() -> None:
    walk = Walk(MasterState.ASKING)
    walk.feed(NAK)
    walk.pass_time(30)
    asked = packet(b"\x30\x00\x01")
    assert walk.sent == asked * 4


# --- DGCOM ------------------------------------------------------------------------------------------------------

COMMAND = b"\x08" + bytes(8)
READ = COMMAND + total(COMMAND)


def block(data: bytes) -> bytes:
    body = bytes((len(data),)) + data
    return body + total(body)


class HostWalk:
    """A DGCOM host in a state, that expects so many packets."""

    def __init__(self, state: HostState, packets: int) -> None:
        self.master, self.now = DgcomMaster(), S
        for _, step in zip(
            range(list(HostState).index(state)), (self.ask(packets), b"\x55", b"\xaa", b"\x33"), strict=False
        ):
            if step:
                self.feed(step)
        if state is HostState.IDLE:
            self.master = DgcomMaster()
        assert self.master.state is state
        self.sent = b""

    def ask(self, packets: int) -> bytes:
        self.master.ask(0x08, b"", packets, self.now)
        self.sent = self.master.output(self.now)
        return b""

    def feed(self, data: bytes) -> None:
        self.master.feed(data, self.now)
        self.sent = self.master.output(self.now)

    def pass_time(self, seconds: float) -> None:
        self.now += round(seconds * S)
        self.master.tick(self.now)
        self.sent = self.master.output(self.now)


HOST_EVENTS: dict[str, tuple[int, Callable[[HostWalk], None]]] = {
    "ask": (1, lambda walk: walk.ask(1)),
    "55": (1, lambda walk: walk.feed(b"\x55")),
    "AA": (1, lambda walk: walk.feed(b"\xaa")),
    "33, no data is expected": (0, lambda walk: walk.feed(b"\x33")),
    "33, data is expected": (1, lambda walk: walk.feed(b"\x33")),
    "DD": (0, lambda walk: walk.feed(b"\xdd")),
    "CC": (1, lambda walk: walk.feed(b"\xcc")),
    "99": (1, lambda walk: walk.feed(b"\x99")),
    "of a packet the last, sum holds, more is expected": (2, lambda walk: walk.feed(block(bytes(128)))),
    "of a packet the last, sum holds": (1, lambda walk: walk.feed(block(b"\x31\x02"))),
    "of a packet the last, or not": (1, lambda walk: walk.feed(block(b"\x31\x02")[:-1] + b"\xff")),
    "any other byte": (1, lambda walk: walk.feed(b"\x07")),
    "nothing for STEP_S, tries left": (1, lambda walk: walk.pass_time(2.1)),
    "nothing for STEP_S, none left": (1, lambda walk: [walk.pass_time(2.1) for _ in range(5)] and None),
    "99 so often, packets so bad": (
        1,
        lambda walk: [walk.feed(block(b"\x01")[:-1] + b"\xff") for _ in range(6)] and None,
    ),
}
HOST_SENT = {
    "": b"",
    "-": b"",
    "55": b"\x55",
    "AA": b"\xaa",
    "the command": READ,
    "66": b"\x66",
    "33": b"\x33",
    "99": b"\x99",
}
HOST_KNOWN = {
    "": None,
    "accepted": Replied(Verdict.ACCEPTED),
    "unlocked": Replied(Verdict.UNLOCKED),
    "refused": Replied(Verdict.REFUSED),
    "the data": Replied(Verdict.ACCEPTED, b"\x31\x02"),
    "SILENT": Failed.SILENT,
    "SPOILT": Failed.SPOILT,
}


@pytest.mark.parametrize("row", rows(dgcom_master.__doc__, "state"), ids=lambda row: f"{row[0]}: {row[1]}")
def test_the_hosts_table(row: list[str]) -> None:
    state, event, sends, known, becomes = row
    packets, happens = HOST_EVENTS[event]
    walk = HostWalk(HostState.PACKET if state == "any" else HostState(state), packets)
    happens(walk)
    assert walk.master.state is HostState(becomes)
    assert walk.sent == HOST_SENT[sends]
    assert walk.master.outcome == HOST_KNOWN[known]


def test_a_command_that_was_lost_on_its_way_wakes_the_meter_again() -> None:
    walk = HostWalk(HostState.PACKET, 2)
    walk.feed(block(bytes(128)) + b"\x05")
    walk.pass_time(2.1)
    for step in (b"\x55", b"\xaa", b"\x33", block(bytes(range(128))), block(b"\x01")):
        walk.feed(step)
    assert walk.master.outcome == Replied(Verdict.ACCEPTED, bytes(range(128)) + b"\x01")
