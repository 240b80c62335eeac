"""Requests of clients, carried out on the meter one by one, each answered when what it changed is saved (C-3, S-1)."""

from __future__ import annotations

import os
import tomllib
from typing import Any

import msgspec

from rig.daemon.internal import Ask
from rig.daemon.protocol import (
    Done,
    EnterTest,
    LeaveTest,
    MoveSwitch,
    OperateRelay,
    ReadContacts,
    ReadSelf,
    ReadState,
    Refused,
    ResetDemand,
    SetClock,
    Stop,
    WriteProgram,
)
from rig.failures import MENDABLE
from rig.files.strict_toml import ConfigError, convert
from rig.meter.billing.commands import Action, Command
from rig.program.build import Program, build
from rig.program.schema import ProgramFile
from rig.service.service import Service

EARLIEST_UTC_NS, LATEST_UTC_NS = 946_684_800 * 10**9, 4_102_444_800 * 10**9
"""2000 to 2100: a clock set to anything else is a mistake."""

MOST_TEST_S = 60.0
"""Seconds that an output may be closed for a test of its wiring."""


class RequestRefused(Exception):
    """What was asked is not done: the sentence for whoever asked."""


class Requests:
    """What clients ask of a service. `stop` is whether one that may has asked it to end."""

    def __init__(self, service: Service, configured: Program) -> None:
        self._service, self._configured = service, configured
        self._waiting: list[tuple[Ask, int, Done]] = []
        self.stop = False
        self.begun_ns = 0

    def execute(self, ask: Ask) -> Done | Refused | None:
        """Carry one out; None: its answer comes with `settled`, once it is on the disk."""
        before = self._service.ticket
        try:
            result = self._execute(ask)
        except RequestRefused as error:
            return Refused(ask.number, str(error))
        except MENDABLE as error:
            return Refused(ask.number, str(error))
        done = Done(ask.number, result)
        if self._service.ticket == before:
            return done
        self._waiting.append((ask, self._service.ticket, done))
        return None

    def settled(self) -> list[tuple[Ask, Done]]:
        """Give the answers whose changes are on the disk now."""
        if not self._waiting:
            return []
        ready = [(ask, done) for ask, ticket, done in self._waiting if self._service.saved(ticket)]
        self._waiting = [each for each in self._waiting if not self._service.saved(each[1])]
        return ready

    def forget(self, client: int) -> None:
        """A client has left."""

    def reading(self) -> dict[str, Any]:
        """Give the exact reading of all that is registered."""
        from rig.meter.billing.events import Cause

        return dict(msgspec.to_builtins(self._service.meter.billing.snapshot(Cause.COMMUNICATION)))

    def _execute(self, ask: Ask) -> Any:
        service = self._service
        match ask.asked:
            case ReadState():
                return self.reading()
            case ReadContacts():
                return {"closed": sorted(service.contacts_closed), "ns": service.polled_ns - self.begun_ns}
            case ResetDemand():
                self._command(Action.RESET)
            case ReadSelf():
                self._command(Action.SELF_READ)
            case EnterTest():
                self._command(Action.TEST_BEGIN)
            case LeaveTest():
                self._command(Action.TEST_END)
            case SetClock(utc_ns):
                if utc_ns is not None and not EARLIEST_UTC_NS <= utc_ns < LATEST_UTC_NS:
                    raise RequestRefused(f"{utc_ns} ns since 1970 is no time for a meter: give one from 2000 to 2099")
                service.set_clock(utc_ns)
            case OperateRelay(output, closed, seconds):
                if not 0 < seconds <= MOST_TEST_S:
                    raise RequestRefused(f"an output can be tested for up to {MOST_TEST_S:g} s, not {seconds:g} s")
                service.test_relay(output, closed, seconds)
            case WriteProgram(toml):
                service.write_program(_program(toml), self._configured)
            case MoveSwitch(switch, pressed):
                if not service.hardware.simulated:
                    raise RequestRefused("on hardware switches are moved by hand, or by actuators")
                service.operate(switch, pressed)
            case Stop():
                if ask.uid not in (0, os.getuid()):
                    raise RequestRefused(f"user {ask.uid} may not end the meter: only its own user, or root")
                self.stop = True
            case other:
                raise RequestRefused(f"{type(other).__name__} is not known")
        return None

    def _command(self, action: Action) -> None:
        self._service.execute([Command(self._service.meter.billing.now_ns, action)])


def _program(toml: str) -> Program:
    """Build a program from the text of its file. Raises ConfigError."""
    try:
        data = tomllib.loads(toml)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the program is not TOML: {error}") from None
    return build(convert(data, ProgramFile))
