"""Keys tried beside metering, and in programs: what counts as a wrong key, whatever else happens meanwhile (S-1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from rig.daemon.internal import Ask
from rig.daemon.protocol import Asked, Done, LogOn, RequestRefused, ResetDemand, WriteProgram
from rig.daemon.requests import Requests
from rig.hardware.config import Config
from rig.hardware.selection import open_hardware
from rig.meter.access.decision import Asker, Granted, LockedOut
from rig.meter.access.events import LogOnFailed
from rig.meter.billing.log import LogEvent
from rig.meter.billing.source import Source
from rig.program.build import load_program
from rig.service.door import MeterDoor
from rig.service.door_error import DoorError
from rig.service.service import Service

KEYS = {1: "111111", 2: "222222", 3: "333333", 4: "4D5E6F"}
SECURITY = "[security]\n" + "".join(f'level_{level} = "{key}"\n' for level, key in KEYS.items())
PROGRAM = '[self_read]\nschedule = "{}"\n' + SECURITY


class Held:
    """Work that is done when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Future[Any]]] = []

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((work, future))
        return future

    def do(self) -> None:
        work, future = self.waiting.pop(0)
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)


class Meter:
    """A meter in service, without a store, and its requests; `held` does what takes long."""

    def __init__(self, folder: Path) -> None:
        (folder / "meter.toml").write_text(PROGRAM.format("never"))
        configured = load_program(folder / "meter.toml")
        self.hardware = open_hardware(Config(), configured.metering.current_class, paced=False)
        self.service = Service(self.hardware, Config(), configured)
        self.service.begin()
        self.held = Held()
        self.requests = Requests(self.service, configured, self.held)
        self.door = MeterDoor(self.service, configured)
        self.log: list[Any] = []
        self.service.on_events = self.log.extend
        self.number = 0

    def ask(self, asked: Asked, client: int = 1, source: Source = Source.OPTICAL) -> Done | RequestRefused | None:
        self.number += 1
        return self.requests.execute(Ask(client, 0, source.value, "", self.number, asked))

    def answers(self) -> list[Done | RequestRefused]:
        return [reply for _, reply in self.requests.settled()]

    def failures(self) -> list[int]:
        return [event.failures for event in self.log if isinstance(event, LogOnFailed)]


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[Meter]:
    meter = Meter(tmp_path)
    yield meter
    meter.service.close()
    meter.hardware.close()


def test_a_key_is_compared_beside_metering_and_answered_after_that(meter: Meter) -> None:
    assert meter.ask(LogOn(KEYS[2])) is None
    assert meter.answers() == []
    refused = meter.ask(ResetDemand(), client=2)
    assert isinstance(refused, RequestRefused), "others are answered meanwhile"
    meter.held.do()
    assert meter.answers() == [Done(1, {"level": 2})]
    assert meter.answers() == []


def test_many_at_once_are_no_more_tries_than_one_by_one(meter: Meter) -> None:
    """Eight clients send a key before the first is looked at: those after the third are locked out."""
    for client in range(8):
        assert meter.ask(LogOn("0BAD00"), client) is None
    assert meter.ask(LogOn(KEYS[4]), 9) is None
    for _ in range(9):
        meter.held.do()
    answers = meter.answers()
    assert all(isinstance(reply, RequestRefused) for reply in answers)
    assert len(answers) == 9
    assert meter.failures() == [1, 2, 3], "the right one came during the lock"


def test_during_a_lock_keys_of_local_clients_are_not_compared_and_those_of_ports_are(meter: Meter) -> None:
    """So a flood of local clients keeps no port waiting; and at a port an answer during a lock comes no sooner."""
    for source in (Source.COMMAND_LINE, Source.OPTICAL):
        for client in range(3):
            meter.ask(LogOn("0BAD00"), client, source)
            meter.held.do()
            meter.answers()
    refused = meter.ask(LogOn(KEYS[4]), 1, Source.COMMAND_LINE)
    assert isinstance(refused, RequestRefused)
    assert "too many wrong keys came from here" in refused.sentence
    assert meter.held.waiting == []
    assert meter.ask(LogOn(KEYS[4]), 1) is None
    assert len(meter.held.waiting) == 1
    names = [event.label for event in meter.log if isinstance(event, LogEvent)]
    assert names[-1] == "log-on during lock-out"


def test_who_leaves_before_the_answer_has_tried_a_key_all_the_same(meter: Meter) -> None:
    for client in range(3):
        meter.ask(LogOn("0BAD00"), client)
        meter.requests.forget(client)
        meter.held.do()
        meter.answers()
    assert meter.failures() == [1, 2, 3]


def test_a_level_proven_by_who_has_left_is_nobodys(meter: Meter) -> None:
    meter.ask(LogOn(KEYS[4]), 1)
    meter.requests.forget(1)
    meter.held.do()
    assert meter.answers() == [Done(1, {"level": 4})]
    assert isinstance(meter.ask(ResetDemand(), 1), RequestRefused)


def test_keys_written_meanwhile_are_those_that_count(meter: Meter) -> None:
    assert meter.ask(LogOn(KEYS[4]), 1, Source.COMMAND_LINE) is None
    meter.held.do()
    meter.answers()
    new = PROGRAM.format("never").replace(KEYS[2], "2A2A2A")
    assert meter.ask(WriteProgram(new), 1, Source.COMMAND_LINE) is None
    assert meter.ask(LogOn(KEYS[2]), 2) is None
    meter.held.do()
    meter.held.do()  # compared with the keys of before
    assert meter.answers() == [Done(2, None)], "the program is written; the key is compared again"
    meter.held.do()
    (reply,) = meter.answers()
    assert isinstance(reply, RequestRefused)
    assert meter.failures() == [1]


def test_a_program_written_meanwhile_is_that_which_another_is_compared_with(meter: Meter) -> None:
    for client in (1, 2):
        meter.ask(LogOn(KEYS[3]), client)
        meter.held.do()
        meter.answers()
    meter.ask(WriteProgram(PROGRAM.format("daily")), 1)
    meter.ask(WriteProgram(PROGRAM.format("daily").replace(KEYS[4], "444444")), 2)
    meter.held.do()
    meter.held.do()
    written, other = meter.answers()
    assert isinstance(written, Done)
    assert isinstance(other, RequestRefused), "its level is over"
    assert meter.failures() == [], "and its key was compared with none"
    assert meter.service.program.file.self_read.schedule == "daily"


@pytest.mark.parametrize("source", [Source.OPTICAL, Source.MODEM])
def test_keys_are_not_found_by_writing_them(meter: Meter, source: Source) -> None:
    """A program whose keys are the meter's is a new tariff, which level 3 may write; with a wrong one it may not. That
    must not show level 4's key to who has level 3's."""
    granted = meter.door.log_on(Asker(source), KEYS[3])
    asker = Asker(source, proven=granted)
    for guess in range(3):
        with pytest.raises(DoorError):
            meter.door.write_program(asker, PROGRAM.format("daily").replace(KEYS[4], f"4D5E6{guess}"))
    assert meter.failures() == [1, 2, 3]
    now_ns = meter.service.meter.billing.now_ns
    assert isinstance(meter.service.access.locked_out(source, now_ns), LockedOut)
    with pytest.raises(DoorError, match="too many wrong keys came from here: try again in 1 s"):
        meter.door.write_program(asker, PROGRAM.format("daily"))
    for _ in meter.service.run(meter.hardware.clock.now_ns() + 2 * 10**9):
        pass
    meter.door.write_program(asker, PROGRAM.format("daily"))
    assert meter.service.program.file.self_read.schedule == "daily"


def test_who_has_level_4_changes_keys_and_tries_none(meter: Meter) -> None:
    asker = Asker(Source.COMMAND_LINE, proven=meter.door.log_on(Asker(Source.COMMAND_LINE), KEYS[4]))
    meter.door.write_program(asker, PROGRAM.format("never").replace(KEYS[4], "444444"))
    assert meter.failures() == []
    assert isinstance(meter.door.log_on(Asker(Source.OPTICAL), "444444"), Granted)
    assert meter.service.program.security.keys[0] is not None
