"""Requests to a real daemon on the simulated rig, by a real client: what each does, and what it leaves alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient, RequestRefusedError
from rig.daemon.launch import Launched
from rig.daemon.protocol import (
    BreakSeal,
    ChangeSeason,
    Clear,
    ColdStart,
    Ended,
    EnterTest,
    EventsLogged,
    FrontChanged,
    LeaveTest,
    LogOn,
    MasterReset,
    MoveSwitch,
    OperateRelay,
    ReadContacts,
    Reading,
    ReadSelf,
    ReadState,
    ResetDemand,
    SetClock,
    State,
    Stop,
    Topic,
    WriteProgram,
)
from rig.daemon.startup import Start
from rig.hardware.config import Config, MeterFiles
from rig.meter.front.switches import Switch

PROGRAM = """
[clock]
zone = "UTC"
[demand]
interval_minutes = 15
quantities = ["kW delivered", "kVA"]
[[outputs]]
name = "KYZ1"
function = "pulses"
kp_wh = "0.15"
[[outputs]]
name = "KYZ2"
function = "eoi"
"""
PATIENCE_S = 120

NEAR_NS = 600 * 10**9
"""A busy machine simulates with some delay; what these clocks are told apart from is a day away."""

KEY = "000000"
"""Of every level, while none was chosen and the meter is not sealed (docs/access.md)."""


class RunEnded(Exception):
    """The daemon said its last word."""


class Running:
    """A daemon in real time with a store, and a client of it."""

    def __init__(self, folder: Path, program: str = PROGRAM, key: str = KEY) -> None:
        self.folder, self.key = folder, key
        self.file = folder / "meter.toml"
        if not self.file.exists():
            self.file.write_text(program)
        self.config = Config(meter=MeterFiles(program=str(self.file), store=str(folder / "store")))
        self.socket = runtime_folder() / "meter.sock"
        self.start()

    def start(self) -> None:
        self.launched = Launched(Start(self.config, str(self.socket)))
        self.client = MeterClient.connect(self.socket, "command line", "test")
        self.client.subscribe(Topic.EVENTS)
        self.launched.begin()
        self.next(Reading, Topic.READINGS, Topic.EVENTS)
        self.client.ask(LogOn(self.key))

    def next(self, kind: type, *topics: Topic) -> Any:
        """The next publication of a kind."""
        if topics:
            self.client.subscribe(*topics)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            message = self.client._next(deadline)
            if isinstance(message, kind):
                return message
            if isinstance(message, Ended):
                raise RunEnded(message.failure)
        raise AssertionError(f"no {kind.__name__} came")

    def events(self, until: Callable[[str], bool]) -> list[tuple[str, dict[str, Any]]]:
        """Events as they come, up to one whose name fits."""
        found: list[tuple[str, dict[str, Any]]] = []
        while not any(until(name) for name, _ in found):
            found += [(event.name, event.details) for event in self.next(EventsLogged).events]
        return found

    def stop(self) -> Ended:
        self.client.ask(Stop())
        ended = self.next(Ended)
        self.client.close()
        self.launched.wait()
        return ended

    def kill(self) -> None:
        self.launched.process.send_signal(signal.SIGKILL)
        self.launched.process.wait()
        self.client.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    if made.launched.process.poll() is None:
        made.kill()


def test_actions_happen_and_are_logged_and_saved_before_they_are_answered(running: Running) -> None:
    client = running.client
    client.ask(ResetDemand())
    assert "demand reset" in [name for name, _ in running.events(lambda name: name == "demand reset")]
    client.ask(ReadSelf())
    running.events(lambda name: name == "self read")
    client.ask(EnterTest())
    running.events(lambda name: name == "test mode begin")
    front = running.next(FrontChanged, Topic.FRONT, Topic.EVENTS)
    while "TEST" not in {annunciator.value for annunciator in front.face.lcd.lit}:
        front = running.next(FrontChanged)
    client.ask(LeaveTest())
    running.events(lambda name: name == "test mode end")
    state = client.ask(ReadState())
    assert state["resets"] == 1
    running.kill()  # what was answered is on the disk
    running.start()
    assert running.client.ask(ReadState())["resets"] == 1


def test_what_is_cleared_is_zero_and_the_log_has_who(running: Running) -> None:
    client = running.client
    client.ask(ResetDemand())
    client.ask(Clear())
    ((_, details),) = [
        each for each in running.events(lambda name: name == "data cleared") if each[0] == "data cleared"
    ]
    assert details["source"] == "command line"
    state = client.ask(ReadState())
    assert state["resets"] == 0
    assert state["registers"]["energy"]["q1"]["nwh"] < 10**9, "a Wh or so since"
    client.ask(ChangeSeason())
    client.ask(MasterReset())
    running.events(lambda name: name == "master reset")
    client.ask(WriteProgram(OTHER))
    client.ask(LogOn(KEY))
    client.ask(ColdStart())
    names = [name for name, _ in running.events(lambda name: name == "cold start")]
    assert "cold start" in names
    reading = running.next(Reading, Topic.READINGS, Topic.EVENTS)
    assert {output.name: output.kp_wh for output in reading.summary.outputs} == {"KYZ1": 0.15, "KYZ2": None}
    client.ask(LogOn(KEY))
    for season in (1, 4, -1, 1 << 40):
        assert f"season {season + 1} is not in the program" in refusal(client, ChangeSeason(season))


def test_the_clock_is_set_stays_set_and_comes_back(running: Running) -> None:
    ahead_ns = 86_400 * 10**9
    before = running.client.ask(ReadState())["utc_ns"]
    running.client.ask(SetClock(time.time_ns() + ahead_ns))
    running.events(lambda name: name == "clock set to")
    assert abs(running.client.ask(ReadState())["utc_ns"] - before - ahead_ns) < NEAR_NS
    running.next(Reading, Topic.READINGS, Topic.EVENTS)
    running.next(Reading)
    running.next(Reading)
    assert abs(running.client.ask(ReadState())["utc_ns"] - time.time_ns() - ahead_ns) < NEAR_NS, (
        "the host's does not win"
    )
    running.kill()
    running.start()
    assert abs(running.client.ask(ReadState())["utc_ns"] - time.time_ns() - ahead_ns) < NEAR_NS, "nor after a start"
    running.client.ask(SetClock(None))
    running.events(lambda name: name == "clock set to")
    assert abs(running.client.ask(ReadState())["utc_ns"] - time.time_ns()) < NEAR_NS
    for absurd in (0, -1, 946_684_800 * 10**9 - 1, 4_102_444_800 * 10**9, (1 << 63) - 1):
        with pytest.raises(RequestRefusedError, match="not a plausible time for a meter: give one from 2000 to 2099"):
            running.client.ask(SetClock(absurd))


def test_switches_move_and_a_recording_can_begin_at_any_time(running: Running) -> None:
    running.client.ask(MoveSwitch(Switch.COVER, True))
    deadline = time.monotonic() + PATIENCE_S
    while (found := running.client.ask(ReadContacts()))["closed"] != ["cover"] and time.monotonic() < deadline:
        pass
    assert found["closed"] == ["cover"]
    assert found["ns"] > 10**9


def test_relays_are_tested_for_their_time_and_pulses_are_not(running: Running) -> None:
    for output, closed, seconds, sentence in (
        ("KYZ1", True, 1.0, "KYZ1 is a pulse output, whose counter would count the test"),
        ("KYZ3", True, 1.0, "KYZ3 is not an output of the program: there are KYZ1, KYZ2"),
        ("\x1b[2J", True, 1.0, "is not an output of the program"),
        ("KYZ2", True, 0.0, "an output can be tested for up to 60 s, not 0 s"),
        ("KYZ2", True, float("inf"), "up to 60 s, not inf s"),
        ("KYZ2", True, float("nan"), "up to 60 s, not nan s"),
    ):
        with pytest.raises(RequestRefusedError) as refused:
            running.client.ask(OperateRelay(output, closed, seconds))
        assert sentence in str(refused.value)
    running.client.subscribe(Topic.FRONT)
    positions: list[str] = []
    began = time.monotonic()
    running.client.ask(OperateRelay("KYZ2", True, 1.0))
    while positions[-1:] != ["K-Z"] or "K-Y" not in positions:
        contacts = dict(running.next(FrontChanged).face.contacts)
        positions.append(contacts["KYZ2"].value)
        assert time.monotonic() - began < PATIENCE_S
    assert time.monotonic() - began > 0.9


def test_state_and_readings_are_published_each_second(running: Running) -> None:
    running.client.subscribe(Topic.STATE, Topic.READINGS)
    states = [running.next(State).reading.utc_ns for _ in range(3)]
    assert [round((b - a) / 1e9) for a, b in pairwise(states)] == [1, 1]


def test_the_end_is_told(running: Running) -> None:
    assert running.client.welcome.process == running.launched.process.pid
    ended = running.stop()
    assert ended.summary is not None
    assert (ended.failure, ended.status) == (None, 0)
    assert os.path.exists(running.folder / "store")


# --- programs ---------------------------------------------------------------------------------------------------

OTHER = PROGRAM.replace('kp_wh = "0.15"', 'kp_wh = "0.3"').replace(
    'function = "eoi"', 'function = "pulses"\nquantity = "kVAh rms"'
)


def test_a_program_is_written_at_once_and_outlives_a_crash(running: Running) -> None:
    before = running.client.ask(ReadState())
    running.client.ask(WriteProgram(OTHER + '[[outputs]]\nname = "KYZ4"\nfunction = "eoi"\n'))
    assert running.events(lambda name: name == "programmed")[-1][0] == "programmed"
    reading = running.next(Reading, Topic.READINGS, Topic.EVENTS)
    outputs = {output.name: (output.does, output.kp_wh) for output in reading.summary.outputs}
    assert outputs["KYZ1"] == ("kWh delivered", 0.3)
    assert outputs["KYZ2"] == ("kVAh rms", 0.15)
    assert set(outputs) == {"KYZ1", "KYZ2", "KYZ4"}
    written = reading.summary.program
    after = running.client.ask(ReadState())
    assert after["registers"]["energy"]["q1"]["nwh"] >= before["registers"]["energy"]["q1"]["nwh"] > 0, "energy goes on"
    running.kill()
    running.start()
    reading = running.next(Reading, Topic.READINGS, Topic.EVENTS)
    assert reading.summary.program == written
    # The file of the configuration, changed, takes its place again.
    running.stop()
    running.file.write_text(PROGRAM.replace('"0.15"', '"0.6"'))
    running.start()
    reading = running.next(Reading, Topic.READINGS, Topic.EVENTS)
    assert {output.name: output.kp_wh for output in reading.summary.outputs} == {"KYZ1": 0.6, "KYZ2": None}


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[meter", "the program is not TOML"),
        ("[meter]\nform = '99Z'\n", 'form "99Z" is not known'),
        ("[meter]\ncurrent_class = 200\n", "meter.current_class is 200, and the sensors fitted are of class 20"),
        ("[outputs]\n", "outputs is a table"),
        ("x = " + "[" * 5000 + "\n", "the program is not TOML"),
        ("[meter]\nform = 5\n", "meter.form is 5"),
    ],
)
def test_a_program_that_cannot_be_changes_nothing(running: Running, toml: str, sentence: str) -> None:
    before = running.next(Reading, Topic.READINGS, Topic.EVENTS).summary
    with pytest.raises(RequestRefusedError) as refused:
        running.client.ask(WriteProgram(toml))
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    after = running.next(Reading).summary
    assert (after.program, after.outputs[0].kp_wh) == (before.program, before.outputs[0].kp_wh)
    assert after.registers.kwh_delivered > before.registers.kwh_delivered


# --- who may ----------------------------------------------------------------------------------------------------

SEALED = (
    PROGRAM
    + """
[security]
seal = true
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""
)


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "meter.toml").write_text(SEALED)
    made = Running(tmp_path, key="444444")
    yield made
    if made.launched.process.poll() is None:
        made.kill()


def refusal(client: MeterClient, asked: Any) -> str:
    with pytest.raises(RequestRefusedError) as refused:
        client.ask(asked)
    return str(refused.value)


def test_without_a_key_one_can_read_and_nothing_else(running: Running) -> None:
    with MeterClient.connect(running.socket, "panel", "other") as other:
        assert other.ask(ReadState())["resets"] == 0
        for asked, level in ((ResetDemand(), 2), (SetClock(), 2), (EnterTest(), 3), (OperateRelay("KYZ2", True, 1), 4)):
            assert f"needs level {level} and panel has level 0: log on with a key of that level" in refusal(
                other, asked
            )
        assert "write program is not taken from panel" in refusal(other, WriteProgram(OTHER))
        with MeterClient.connect(running.socket, "module", "SSMM") as module:
            assert "module SSMM is not fitted to this meter" in refusal(module, ReadState())
    assert running.client.ask(ReadState())["resets"] == 0
    assert "refused" in [name for name, _ in running.events(lambda name: name == "refused")]


def test_a_sealed_meter_takes_no_metrology_whatever_the_key_until_hands_break_the_seal(sealed: Running) -> None:
    client = sealed.client
    write = WriteProgram(SEALED.replace('"0.15"', '"0.3"'))
    assert "change metrology is refused while the meter is sealed: break the seal first" in refusal(client, write)
    assert refusal(client, ColdStart()) == "Cold Start failed"
    assert "the seal is broken at the front only" in refusal(client, BreakSeal())
    client.ask(MoveSwitch(Switch.COVER, True))
    client.ask(MoveSwitch(Switch.SCROLL, True))
    for pressed in (True, False) * 3:
        time.sleep(0.8)  # the sequence has times of its own, 0.25 s at least
        client.ask(MoveSwitch(Switch.MAGNET, pressed))
    time.sleep(0.8)
    client.ask(MoveSwitch(Switch.SCROLL, False))
    sealed.events(lambda name: name == "seal broken")
    client.ask(LogOn("444444"))
    client.ask(ResetDemand())  # answered once all before it is on the disk
    sealed.kill()
    sealed.start()  # it stays broken
    sealed.client.ask(write)
    names = [name for name, _ in sealed.events(lambda name: name == "sealed")]
    assert names.index("programmed") < names.index("sealed"), "a written seal is a new one"
    assert "log on with a key" in refusal(sealed.client, ResetDemand()), "levels are over with the program"
    sealed.client.ask(LogOn("444444"))
    assert refusal(sealed.client, ColdStart()) == "Cold Start failed"


def test_a_sealed_meter_does_not_start_with_another_program(sealed: Running) -> None:
    sealed.stop()
    sealed.file.write_text(SEALED.replace('"0.15"', '"0.3"'))
    with pytest.raises(RunEnded, match=r"the store is of a sealed meter with program \w+, .* break the seal first"):
        sealed.start()
    sealed.client.close()
    sealed.launched.wait()
    sealed.file.write_text(SEALED)
    sealed.start()
    assert sealed.client.ask(ReadState())["registers"]["energy"]["q1"]["nwh"] > 0


def test_wrong_keys_lock_out_and_a_crash_does_not_help(running: Running) -> None:
    client = running.client
    for wrong in ("111111", "222222", "333333"):
        assert "the key is wrong" in refusal(client, LogOn(wrong))
    said = refusal(client, LogOn("444444"))
    assert "too many wrong keys" in said or "the key is wrong" in said
    for _ in range(5):
        said = refusal(client, LogOn("555555"))
    assert "too many wrong keys came from here: try again in" in said
    assert "too many wrong keys" in refusal(client, LogOn(KEY)), "the right one is not looked at either"
    running.kill()
    running.launched = Launched(Start(running.config, str(running.socket)))
    running.client = MeterClient.connect(running.socket, "command line", "test")
    running.launched.begin()
    running.next(Reading, Topic.READINGS, Topic.EVENTS)
    for _ in range(3):
        said = refusal(running.client, LogOn("666666"))
    assert "too many wrong keys" in said
    for bad in ("", "x", "1000000", "-1", "+1", "0x12", "1_2", " 12", "12\n", "１２", "\x00", "9" * 5000):
        assert "a key has up to six hexadecimal digits" in refusal(running.client, LogOn(bad))
