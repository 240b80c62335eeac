"""Requests of clients, carried out one by one, each answered when what it changed is saved (C-3, S-1).

What takes tens of milliseconds, to compare a key with hashes or to check a program, is done beside metering first;
where other keys or another program are in force by then, it is compared again. A wrong key counts although its client
has left.

What is asked of the meter goes through its door (rig/service/door.py). Of the rig a client may ask besides: which
contacts are closed, on a simulated rig to move a switch, and, its owner, to end.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from rig.daemon.beside import LATER, AtOnce, Beside
from rig.daemon.internal import Ask
from rig.daemon.protocol import (
    ActivatePending,
    AskPermission,
    BreakSeal,
    ChangeSeason,
    Clear,
    ClearPending,
    ColdStart,
    Done,
    DrawTicket,
    EnterTest,
    LeaveTest,
    LogOff,
    LogOn,
    LogOnByToken,
    MasterReset,
    MoveSwitch,
    NoteAccess,
    OperateRelay,
    PendingAnswer,
    ProgramInForce,
    ReadContacts,
    ReadIdentity,
    ReadLevel,
    ReadLog,
    ReadParts,
    ReadPending,
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
    WaitingProgram,
    WriteConstants,
    WritePending,
    WriteProgram,
)
from rig.failures import MENDABLE
from rig.meter.access.decision import MOST_NAME, Asker, Granted
from rig.meter.access.readable import Readable
from rig.meter.access.security import KeyProof
from rig.meter.billing.source import Source
from rig.program.build import Program
from rig.program.written import public_file, public_tables
from rig.service.comparing import OfferedProgram, key_from, offer, prove
from rig.service.door import MeterDoor
from rig.service.door_error import DoorError
from rig.service.pending_programs import PendingPrograms
from rig.service.port_keys import DrawnTicket, PortKeys
from rig.service.service import Service

Prepared = KeyProof | OfferedProgram | DrawnTicket
"""What takes long of a request, done beforehand."""


class Requests:
    """Requests of clients to a service. `stop` is whether one that may has asked it to end."""

    def __init__(
        self,
        service: Service,
        configured: Program,
        beside: Beside | None = None,
        port_keys: PortKeys | None = None,
    ) -> None:
        """Serve a service, `configured` being what its configuration names. `beside`: where keys are compared, None:
        at once, as suits a simulated rig at full speed. `port_keys`: keys of its ports, None: no port has one."""
        self._service = service
        self._door = MeterDoor(service, configured)
        self._pending = PendingPrograms(service, self._door, configured)
        self._beside = beside or AtOnce()
        self._port_keys = port_keys or PortKeys()
        self._comparing: list[tuple[Ask, Future[Prepared]]] = []
        self._proven: dict[int, Granted] = {}
        self._tickets: dict[int, DrawnTicket] = {}
        self._waiting: list[tuple[Ask, int, Done | RequestRefused]] = []
        self._left: set[int] = set()
        self.stop = False
        self.begun_ns = 0

    def execute(self, ask: Ask) -> Done | RequestRefused | None:
        """Carry one out; None: its answer comes with `settled`, once what it changed, or counted, is on the disk."""
        return self._settle(ask, lambda: self._begin(ask))

    def settled(self) -> list[tuple[Ask, Done | RequestRefused]]:
        """Give the answers whose changes are on the disk now."""
        answers = self._compared() if self._comparing else []
        if not self._waiting:
            return answers
        waiting, self._waiting = self._waiting, []
        for each in waiting:  # each is looked at once: the disk goes on meanwhile
            ask, ticket, reply = each
            if self._service.saved(ticket):
                answers.append((ask, reply))
            else:
                self._waiting.append(each)
        return answers

    def activate_due(self) -> None:
        """Activate the program that waits, if its time has come."""
        self._pending.activate_due()

    def forget(self, client: int) -> None:
        """Take the level and the ticket of a client that has left."""
        self._tickets.pop(client, None)
        self._take_level(client)

    def _take_level(self, client: int) -> None:
        self._proven.pop(client, None)
        if any(ask.client == client for ask, _ in self._comparing):
            self._left.add(client)

    def _settle(self, ask: Ask, carry_out: Callable[[], Any]) -> Done | RequestRefused | None:
        """Carry out, and make the answer of what comes of it; None: it comes later."""
        before = self._service.ticket
        reply: Done | RequestRefused
        try:
            result = carry_out()
            if result is LATER:
                return None
            reply = Done(ask.number, result)
        except DoorError as error:
            reply = RequestRefused(ask.number, str(error), error.needs_key, error.why and error.why.value)
        except MENDABLE as error:
            reply = RequestRefused(ask.number, str(error))
        if self._service.ticket == before:
            return reply
        self._waiting.append((ask, self._service.ticket, reply))
        return None

    def _begin(self, ask: Ask) -> Any:
        """Carry a request out, or have done beside metering what takes long of it."""
        work = self._work(ask)
        if work is None:
            return self._execute(ask)
        future = self._beside.submit(work)
        if future.done():
            return self._finish(ask, future.result())
        self._comparing.append((ask, future))
        return LATER

    def _work(self, ask: Ask) -> Callable[[], Prepared] | None:
        """Give what takes long of a request, which touches nothing of the meter; None for what does not."""
        door, asker = self._door, self._asker(ask)
        match ask.asked:
            case LogOn(key):
                value = key_from(asker, key)
                return None if door.refuses_keys(asker) else partial(prove, door.security, value)
            case DrawTicket():
                self._tickets.pop(ask.client, None)
                return partial(self._port_keys.draw, asker.source, ask.name)
            case WriteProgram(toml) | WritePending(toml):
                return partial(offer, toml, *door.may_write(asker))
        return None

    def _compared(self) -> list[tuple[Ask, Done | RequestRefused]]:
        """Finish what has been compared."""
        ready = [(ask, future) for ask, future in self._comparing if future.done()]
        self._comparing = [each for each in self._comparing if not each[1].done()]
        answers = []
        for ask, future in ready:
            reply = self._settle(ask, partial(self._finished, ask, future))
            if reply is not None:
                answers.append((ask, reply))
        return answers

    def _finished(self, ask: Ask, future: Future[Prepared]) -> Any:
        return self._finish(ask, future.result())

    def _finish(self, ask: Ask, compared: Prepared) -> Any:
        """Carry out what was compared; compare again where that no longer holds."""
        door, asker = self._door, self._asker(ask)
        match compared:
            case KeyProof():
                if compared.security is not door.security:
                    return self._begin(ask)
                gone = ask.client in self._left
                self._left.discard(ask.client)
                granted = door.log_on_by(asker, compared)
                if not gone:
                    self._proven[ask.client] = granted
                return {"level": granted.level}
            case DrawnTicket(ticket):
                if ask.client not in self._left:
                    self._tickets[ask.client] = compared
                self._left.discard(ask.client)
                return {"ticket": ticket.hex()}
            case OfferedProgram():
                if not door.is_current(compared):
                    return self._begin(ask)
                self._left.discard(ask.client)
                if isinstance(ask.asked, WritePending):
                    self._pending.write(asker, compared, ask.asked.at_utc_ns, ask.asked.after_s)
                else:
                    door.write_offered(asker, compared)
                return None

    def _execute(self, ask: Ask) -> Any:
        door, asker = self._door, self._asker(ask)
        match ask.asked:
            case LogOn():
                door.log_on_refused(asker)
            case LogOnByToken(token):
                return self._log_on_by_token(ask, asker, token)
            case LogOff():
                self._take_level(ask.client)
            case ReadLevel():
                return {"level": self._service.access.level_of(asker)}
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
            case ReadPending():
                return self._waiting_program(asker)
            case ActivatePending():
                self._pending.activate(asker)
            case ClearPending():
                self._pending.clear(asker)
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

    def _log_on_by_token(self, ask: Ask, asker: Asker, text: str) -> dict[str, Any]:
        """Prove a level by a token of the ticket that this client has drawn, which is used up by it, right or wrong."""
        drawn = self._tickets.pop(ask.client, None)
        token = _bytes_of(text)
        level = drawn.level if drawn is not None and drawn.proven(token) else 0
        granted = self._door.log_on_by_token(asker, level)
        assert drawn is not None, "without a ticket nothing is proven"
        self._proven[ask.client] = granted
        return {"level": granted.level, "token": drawn.answer(token).hex()}

    def _in_force(self, program: Program) -> ProgramInForce:
        access = self._service.access
        return ProgramInForce(program.digest, public_file(program.file), access.sealed, access.state.seal_broken)

    def _waiting_program(self, asker: Asker) -> PendingAnswer:
        waiting, activated_ns = self._pending.read(asker)
        if waiting is None:
            return PendingAnswer(None, activated_ns)
        tables, source = public_tables(waiting.file), waiting.source.value
        found = WaitingProgram(waiting.digest, tables, waiting.at_ns, waiting.written_ns, source, waiting.level)
        return PendingAnswer(found, activated_ns)

    def _of_the_rig(self, ask: Ask, asked: object) -> Any:
        service = self._service
        if ask.source == Source.MODULE.value:
            raise DoorError("a module is fitted to the meter, and has nothing of the rig")
        match asked:
            case ReadContacts():
                return {"closed": sorted(service.contacts.closed), "ns": service.polled_ns - self.begun_ns}
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


def _bytes_of(text: str) -> bytes:
    """Read hexadecimal digits; what is none is no token, and a wrong one."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
