"""Programs that wait, written to a running meter: had, activated, cleared, each by its door (X-1, S-1, S-2).

Decisions are those of rig/meter/access/pending.py, which has the table of states. Here is what they are of: the program
is compared and checked when it is written, as one that is written at once, and swapped at its time in the same way, in
one save with its waiting no longer. So wherever power or process fail, the meter has the old program, waiting for the
new one, or the new one.
"""

from __future__ import annotations

from rig.failures import MENDABLE
from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Asker
from rig.meter.access.pending import PendingDoor
from rig.meter.access.readable import Readable
from rig.meter.access.state import PendingProgram
from rig.meter.billing.source import Source
from rig.meter.billing.time_units import SECOND_NS
from rig.program.build import Program
from rig.program.changes import actions_of
from rig.program.written import program_of_saved, saved_text
from rig.service.comparing import OfferedProgram
from rig.service.door import MeterDoor
from rig.service.door_error import DoorError
from rig.service.host_time import EARLIEST_UTC_NS, LATEST_UTC_NS
from rig.service.program_fit import check_fits
from rig.service.service import Service

MOST_PENDING_BYTES = 24 * 1024
"""Of a program that waits, as it is saved with the meter, which has room for 128 kB: one with every key has 8 kB."""


class PendingPrograms:
    """Programs that wait at the door of a service's meter; `configured` is what its configuration names.

    Every method raises DoorError for what is refused, or the error of what is wrong with it.
    """

    def __init__(self, service: Service, door: MeterDoor, configured: Program) -> None:
        self._service, self._door, self._configured = service, door, configured.with_hashed_keys()
        self._built: tuple[PendingProgram, Program] | None = None

    def write(self, asker: Asker, offered: OfferedProgram, at_ns: int | None, after_s: int | None) -> None:
        """Have a program wait that was compared: for a time, UTC in ns, for so many seconds, or until its activation is
        asked for. Raises as write_offered does, for what does not fit the meter, and for a time that is none."""
        self._door.permit_offered(asker, offered)
        service, now_ns, program = self._service, self._now_ns, offered.program
        check_fits(program, service.program)
        if at_ns is not None and after_s is not None:
            raise DoorError("a program waits for a time or for so many seconds: give one of both, or neither")
        if after_s is not None:
            at_ns = now_ns + after_s * SECOND_NS
        if at_ns is not None and not EARLIEST_UTC_NS <= at_ns < LATEST_UTC_NS:
            raise DoorError("a program can wait for a time from 2000 to 2099, UTC: give one of those")
        text = saved_text(program)
        if len(text.encode()) > MOST_PENDING_BYTES:
            raise DoorError(
                f"the program is too long to wait ({len(text.encode())} bytes of {MOST_PENDING_BYTES}): "
                "write it at its time"
            )
        access = service.access
        pending = PendingProgram(
            digest=program.digest,
            at_ns=at_ns,
            written_ns=now_ns,
            source=asker.source,
            name=asker.name,
            level=access.level_of(asker),
            same_keys=offered.same_keys,
            file=text,
            keys=program.security.keys,
            under=access.security.keys,
        )
        self._door.conclude(self._waiting.write(pending, asker, now_ns))
        self._built = pending, program

    def read(self, asker: Asker) -> tuple[PendingProgram | None, int | None]:
        """Give the program that waits, and when one was activated last (the meter's time, UTC ns)."""
        self._door.permit_reading(asker, Readable.METER)
        state = self._service.access.state
        return state.pending, state.activated_ns

    def activate(self, asker: Asker) -> None:
        """Activate the program that waits, now. Raises DoorError for whoever may not write it, and the error of what
        keeps it from being written: then it goes on waiting."""
        self._door.may_write(asker)
        service = self._service
        self._door.conclude(self._waiting.one_waits(asker))
        pending = self._waiting.waiting
        assert pending is not None
        program = self._program_of(pending)
        same_keys = self._waiting.same_keys(pending)
        self._door.decide(asker, *actions_of(service.program.file, program.file, same_keys))
        self._activate(program, asker.source)

    def clear(self, asker: Asker) -> None:
        """Take the program away that waits. Raises DoorError for whoever may write none, and where none waits."""
        self._door.decide(asker, MeterAction.WRITE_PROGRAM)
        self._door.conclude(self._waiting.one_waits(asker))
        self._waiting.clear(asker.source, self._now_ns)
        self._service.log_access()

    def activate_due(self) -> None:
        """Activate the program that waits, if its time has come; the log has one that is refused, or does not fit."""
        service, now_ns = self._service, self._now_ns
        pending = self._waiting.due(now_ns, test_mode=service.conditions.test_mode)
        if pending is None:
            return
        try:
            program = self._program_of(pending)
            actions = actions_of(service.program.file, program.file, self._waiting.same_keys(pending))
            self._door.conclude(self._waiting.decide_due(actions, service.conditions, now_ns))
            self._activate(program, None)
        except MENDABLE as error:
            self._waiting.refused(" ".join(str(error).split()), now_ns)
            service.log_access()

    def _activate(self, program: Program, source: Source | None) -> None:
        """Write the program that waits; `source` asked for it, None: its time has come."""
        service, now_ns = self._service, self._now_ns
        pending = self._waiting.waiting
        assert pending is not None
        service.write_program(
            program, self._configured, source or pending.source, lambda: self._waiting.activated(now_ns, source)
        )
        service.log_access()

    def _program_of(self, pending: PendingProgram) -> Program:
        """Build what waits, once. Raises ConfigError for what another version wrote and this one cannot read."""
        if self._built is None or self._built[0] is not pending:
            self._service.make_room()
            self._built = pending, program_of_saved(pending.file, pending.keys)
        return self._built[1]

    @property
    def _waiting(self) -> PendingDoor:
        """The meter's door as far as a program waits there."""
        return PendingDoor(self._service.access)

    @property
    def _now_ns(self) -> int:
        return self._service.meter.billing.now_ns
