"""A meter that is written to, cleared, set or put in test mode in mid-count: no verdict, and the event is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.daemon.client import MeterClient
from rig.daemon.protocol import Clear, EnterTest, LeaveTest, LogOn, SetClock, WriteProgram
from rig.meter.contacts.outputs import OutputId
from rig.program.build import load_program
from rig.verify.errors import CountLost
from rig.verify.measure import OutputVerification
from rig.verify.observing import Observing
from rig.verify.plan import Plan
from rig.verify.setup import setup_of
from rig.verify.witnessing import Span, Witnessing
from tests.rig.daemon.test_requests import PROGRAM, Running

OTHER_DISPLAY = PROGRAM + '[display]\nenergy_digits = 6\nnormal = ["kWh delivered"]\n'
"""The same outputs with the same constants: what is published of them does not tell the two apart."""

OTHER_KP = PROGRAM.replace('"0.15"', '"0.3"')


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.stop()


def asked_of(running: Running, asked: Any) -> None:
    """A program that is written takes away the level that was proven."""
    running.client.ask(LogOn(running.key))
    running.client.ask(asked)


class Disturbance:
    """Asks something of the meter once, when a count has begun."""

    def __init__(self, running: Running, asked: Any) -> None:
        self._running, self._asked = running, asked
        self.done = False

    def __call__(self, *progress: object) -> None:
        if not self.done:
            self.done = True
            asked_of(self._running, self._asked)


def counted(client: MeterClient, disturb: Disturbance) -> object:
    return OutputVerification(client, OutputId.KYZ1, Plan(pulses=1000), progress=disturb).measure()


def witnessed(client: MeterClient, disturb: Disturbance) -> object:
    return Witnessing(client, Span(seconds=60.0), None, progress=disturb).listen()


def observed(client: MeterClient, disturb: Disturbance) -> object:
    return Observing(client, lambda seen: seen.length_s >= 60.0, progress=disturb).observe()


DISTURBED = [
    (counted, WriteProgram(OTHER_DISPLAY), "programmed"),
    (witnessed, WriteProgram(PROGRAM), "programmed"),
    (witnessed, EnterTest(), "test mode begin"),
    (observed, LeaveTest(), "test mode end"),
    (observed, Clear(), "data cleared"),
    (observed, SetClock(utc_ns=1_900_000_000 * 10**9), "clock set to"),
]


def test_what_would_look_like_a_fault_breaks_a_count_off(running: Running) -> None:
    """One meter after another disturbance: a program with other closures than its pulses, registers that stand."""
    for watch, asked, event in DISTURBED:
        disturb = Disturbance(running, asked)
        with MeterClient.connect(running.socket, "verification", "test") as client:
            with pytest.raises(CountLost, match=f"broke off, as the meter logged '{event}': leave its program, clock"):
                watch(client, disturb)
        assert disturb.done


def test_whoever_comes_after_another_program_was_written_is_welcomed_with_it(running: Running) -> None:
    """Else a series would go on with points of the program before, and a report would state its nameplate."""
    configured = load_program(running.file)

    def seen() -> tuple[str, dict[str, str], str | None]:
        with MeterClient.connect(running.socket, "verification", "test") as client:
            its = client.welcome.provenance
        setup = setup_of(running.config, configured, None, its, {})
        return its.program, setup.meter, setup.configuration.get("program")

    program, nameplate, named = seen()
    assert (program, nameplate["K"].split()[0], named) == (configured.digest, "0.15", str(running.file))
    asked_of(running, WriteProgram(OTHER_KP))
    written, nameplate, named = seen()
    other = running.folder / "other.toml"
    other.write_text(OTHER_KP)
    assert written == load_program(other).digest
    assert nameplate == {}, "the configured program's K is not the meter's"
    assert named == f"{written}, not {program}, which rig.toml names: written to the meter"
    asked_of(running, WriteProgram(PROGRAM))
    assert seen()[0] == program
