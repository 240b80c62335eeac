"""A program that waits to be activated at a time, or when that is asked for (X-1, S-1, S-2).

    state    event                                        for the log                         becomes
    none     written, allowed                             pending written                     waiting
    none     written, refused, or for a past time         refused                             none
    none     activation or clearing asked for                                                 none
    waiting  written                                      refused                             waiting
    waiting  its time comes in test mode                                                      waiting
    waiting  its time comes, allowed                      pending activated                   none
    waiting  its time comes, refused, or it does not fit  pending refused, pending cleared    none
    waiting  activation asked for, allowed                pending activated                   none
    waiting  activation asked for, refused                refused                             waiting
    waiting  clearing asked for, allowed; a cold start    pending cleared                     none

At its time a program is allowed as if whoever wrote it wrote it now, at the level that was proven then, by the keys and
under the seal of now: where the keys are no longer those that proved it, the level is nobody's. Where its activation is
asked for, whoever asks must be allowed to write it. While power is off its time waits for power, in test mode for its
end. docs/decisions/127-pending-programs.md.

Pure. What waits is in the state of the meter's door, and so is saved with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from rig.meter.access.access import Access
from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Allowed, Asker, Conditions, Decision, Granted, Refusal, Refused
from rig.meter.access.events import PendingActivated, PendingCleared, PendingRefused, PendingWritten
from rig.meter.access.security import Keys
from rig.meter.access.sentences import sentence
from rig.meter.access.state import PendingProgram
from rig.meter.billing.source import Source
from rig.meter.billing.time_units import SECOND_NS

_WRITE = MeterAction.WRITE_PROGRAM


class PendingDoor:
    """The door of one meter as far as a program waits there. Refusals are for the log too."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @property
    def waiting(self) -> PendingProgram | None:
        """Program that waits."""
        return self._access.state.pending

    def write(self, program: PendingProgram, asker: Asker, now_ns: int) -> Decision:
        """Have a program wait that its writer may write, as was decided before."""
        if self.waiting is not None:
            return self._access.refuse(Refusal.PENDING, _WRITE, asker, now_ns)
        if program.at_ns is not None and program.at_ns <= now_ns:
            return self._access.refuse(Refusal.PAST, _WRITE, asker, now_ns)
        self._access.state.pending = program
        wait_s = None if program.at_ns is None else -(-(program.at_ns - now_ns) // SECOND_NS)
        self._access.log(PendingWritten(now_ns, program.digest, wait_s, program.source))
        return Allowed()

    def due(self, now_ns: int, *, test_mode: bool) -> PendingProgram | None:
        """Give the program whose time has come."""
        found = self.waiting
        if found is None or found.at_ns is None or now_ns < found.at_ns or test_mode:
            return None
        return found

    def same_keys(self, program: PendingProgram) -> bool:
        """Say whether a program's keys are those in force, as far as hashes show."""
        return program.keys == self._keys or (program.same_keys and program.under == self._keys)

    def decide_due(self, actions: Iterable[MeterAction], conditions: Conditions, now_ns: int) -> Decision:
        """Decide whether the program whose time has come may be written, by the right of whoever wrote it."""
        program = self._there()
        asker = self._writer(program)
        if program.under != self._keys:
            return self._access.refuse(Refusal.OTHER_KEYS, _WRITE, asker, now_ns)
        return self._access.decide_all(actions, asker, conditions, now_ns)

    def one_waits(self, asker: Asker) -> Decision:
        """Refuse what is asked of a program that waits, where none does; that is nothing for the log."""
        if self.waiting is not None:
            return Allowed()
        why = Refusal.NO_PENDING
        return Refused(why, sentence(why, _WRITE, asker, self._access.level_of(asker)))

    def activated(self, now_ns: int, source: Source | None = None) -> None:
        """Take in that the program is written now; `source` asked for it, None: nobody, its time has come."""
        program = self._take()
        self._access.state.activated_ns = now_ns
        self._access.log(PendingActivated(now_ns, program.digest, source or program.source))

    def refused(self, found: str, now_ns: int) -> None:
        """Take in that the program whose time has come was refused, or does not fit: it waits no longer."""
        program = self._take()
        self._access.log(PendingRefused(now_ns, program.digest, found, program.source))
        self._access.log(PendingCleared(now_ns, program.digest, None))

    def clear(self, source: Source, now_ns: int) -> None:
        """Take the program away that waits, if one does."""
        if self.waiting is not None:
            self._access.log(PendingCleared(now_ns, self._take().digest, source))

    @property
    def _keys(self) -> Keys:
        return self._access.security.keys

    def _there(self) -> PendingProgram:
        if self.waiting is None:
            raise ValueError("no program waits")
        return self.waiting

    def _take(self) -> PendingProgram:
        program, self._access.state.pending = self._there(), None
        return program

    def _writer(self, program: PendingProgram) -> Asker:
        """Give whoever wrote a program, with the level proven then; the factory's key opens none under seal."""
        by_factory_key = program.level > 0 and self._keys[program.level - 1] is None
        level = 0 if by_factory_key and self._access.sealed else program.level
        return Asker(program.source, program.name, Granted(program.source, level, self._access.state.term))
