"""Requests of clients, carried out one by one, each answered when what it changed is saved (C-3, S-1).

What is asked of the meter goes through its door (rig/service/door.py). Of the rig a client may ask besides: which
contacts are closed, on a simulated rig to move a switch, and, its owner, to end.
"""

from __future__ import annotations

import os
from typing import Any

from rig.daemon.internal import Ask
from rig.daemon.protocol import (
    AskPermission,
    BreakSeal,
    ChangeSeason,
    Clear,
    ColdStart,
    Done,
    EnterTest,
    LeaveTest,
    LogOff,
    LogOn,
    MasterReset,
    MoveSwitch,
    NoteAccess,
    OperateRelay,
    ProgramInForce,
    ReadContacts,
    ReadIdentity,
    ReadLog,
    ReadParts,
    ReadProfile,
    ReadProgram,
    ReadPulses,
    ReadSelf,
    ReadSnapshots,
    ReadState,
    RequestRefused,
    ResetDemand,
    SetClock,
    ShareLight,
    Stop,
    WriteConstants,
    WriteProgram,
)
from rig.failures import MENDABLE
from rig.meter.access.decision import MOST_NAME, Asker, Granted
from rig.meter.access.readable import Readable
from rig.meter.billing.source import Source
from rig.program.build import Program
from rig.program.written import public_file
from rig.service.door import DoorError, MeterDoor
from rig.service.service import Service


class Requests:
    """Requests of clients to a service. `stop` is whether one that may has asked it to end."""

    def __init__(self, service: Service, configured: Program) -> None:
        self._service = service
        self._door = MeterDoor(service, configured)
        self._proven: dict[int, Granted] = {}
        self._waiting: list[tuple[Ask, int, Done | RequestRefused]] = []
        self.stop = False
        self.begun_ns = 0

    def execute(self, ask: Ask) -> Done | RequestRefused | None:
        """Carry one out; None: its answer comes with `settled`, once what it changed, or counted, is on the disk."""
        before = self._service.ticket
        reply: Done | RequestRefused
        try:
            reply = Done(ask.number, self._execute(ask))
        except DoorError as error:
            reply = RequestRefused(ask.number, str(error), error.needs_key, error.why and error.why.value)
        except MENDABLE as error:
            reply = RequestRefused(ask.number, str(error))
        if self._service.ticket == before:
            return reply
        self._waiting.append((ask, self._service.ticket, reply))
        return None

    def settled(self) -> list[tuple[Ask, Done | RequestRefused]]:
        """Give the answers whose changes are on the disk now."""
        if not self._waiting:
            return []
        ready = [(ask, reply) for ask, ticket, reply in self._waiting if self._service.saved(ticket)]
        self._waiting = [each for each in self._waiting if not self._service.saved(each[1])]
        return ready

    def forget(self, client: int) -> None:
        """Take the level of a client that has left."""
        self._proven.pop(client, None)

    def _execute(self, ask: Ask) -> Any:
        door, asker = self._door, self._asker(ask)
        match ask.asked:
            case LogOn(key):
                granted = self._proven[ask.client] = door.log_on(asker, key)
                return {"level": granted.level}
            case LogOff():
                self.forget(ask.client)
            case ReadState():
                return door.read(asker)
            case ReadParts(parts):
                return door.read_parts(asker, parts)
            case AskPermission(parts, action):
                door.permit(asker, parts, action)
            case ReadPulses(output):
                return door.read_pulses(asker, output)
            case ReadLog():
                door.permit_reading(asker, Readable.LOG)
            case ReadSnapshots():
                door.permit_reading(asker, Readable.CLOSED_PERIODS)
            case ReadProfile():
                door.permit_reading(asker, Readable.LOAD_PROFILE)
            case ReadProgram():
                return self._in_force(door.read_program(asker))
            case ReadIdentity():
                return self._in_force(door.identify(asker))
            case ResetDemand():
                door.reset_demand(asker)
            case ReadSelf():
                door.read_self(asker)
            case ChangeSeason(season):
                door.change_season(asker, season)
            case Clear():
                door.clear(asker)
            case MasterReset():
                door.master_reset(asker)
            case ColdStart():
                door.cold_start(asker)
            case SetClock(utc_ns):
                door.set_clock(asker, utc_ns)
            case EnterTest():
                door.enter_test(asker)
            case LeaveTest():
                door.leave_test(asker)
            case OperateRelay(output, closed, seconds):
                door.operate_relay(asker, output, closed, seconds)
            case WriteProgram(toml):
                door.write_program(asker, toml)
            case WriteConstants(toml):
                return {"calibration": door.write_constants(asker, toml)}
            case BreakSeal():
                door.break_seal(asker)
            case ShareLight(seconds):
                return {"dark_ns": door.share_light(asker, seconds)}
            case NoteAccess(read, written, procedures, ended):
                door.note_access(asker, read=read, written=written, procedures=procedures, ended=ended)
            case other:
                return self._of_the_rig(ask, other)
        return None

    def _in_force(self, program: Program) -> ProgramInForce:
        access = self._service.access
        return ProgramInForce(program.digest, public_file(program.file), access.sealed, access.state.seal_broken)

    def _of_the_rig(self, ask: Ask, asked: object) -> Any:
        service = self._service
        if ask.source == Source.MODULE.value:
            raise DoorError("a module is fitted to the meter, and has nothing of the rig")
        match asked:
            case ReadContacts():
                return {"closed": sorted(service.contacts_closed), "ns": service.polled_ns - self.begun_ns}
            case MoveSwitch(switch, pressed):
                if not service.hardware.simulated:
                    raise DoorError("on hardware switches are moved by hand, or by actuators")
                service.operate(switch, pressed)
            case Stop():
                if ask.uid not in (0, os.getuid()):
                    raise DoorError(f"user {ask.uid} may not end the meter: only its own user, or root")
                self.stop = True
            case other:
                raise DoorError(f"{type(other).__name__} is not known")
        return None

    def _asker(self, ask: Ask) -> Asker:
        """Return the asker: a module by its name, others by their user."""
        source = Source(ask.source)
        name = ask.name if source is Source.MODULE else f"uid {ask.uid}"
        printable = "".join(sign if sign.isprintable() else "?" for sign in name)[:MOST_NAME]
        return Asker(source, printable, self._proven.get(ask.client))
