"""The one door of a running meter: keys, levels, lock-out, seal, and what follows for each request (S-1, S-2).

The seal, of a meter whose program has the setting or not:

    event                          open    sealed  broken
    program without seal written   open    open    open
    program with seal written      sealed  sealed  sealed
    broken at the front            .       broken  .

Written: in place of another, as "write program" allows, or into a new meter. `.` is refused: there is no seal to break.

All of it is pure: time is passed in, in ns of the meter's clock (UTC), and what must outlive a power failure is in
`state`. Save it before an answer to a log-on leaves: else whoever can cut the power has a wrong key forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable

from rig.meter.access.actions import KEYLESS, MOST_LEVEL, InTest, MeterAction
from rig.meter.access.decision import (
    Allowed,
    Asker,
    Conditions,
    Decision,
    Granted,
    LockedOut,
    Refusal,
    Refused,
    WrongKey,
)
from rig.meter.access.events import (
    AccessEvent,
    ActionRefused,
    LoggedOn,
    LogOnFailed,
    LogOnLockedOut,
    MeterSealed,
    PortRead,
    PortWritten,
    ProcedureInvoked,
    ReadingRefused,
    SealBroken,
    SessionBrokeOff,
    SessionEnded,
)
from rig.meter.access.lockout import LockOut
from rig.meter.access.log import AccessLog
from rig.meter.access.modules import MODULE_GRANTS
from rig.meter.access.readable import Readable
from rig.meter.access.security import KeyProof, Security
from rig.meter.access.sentences import reading_sentence, sentence
from rig.meter.access.state import AccessState
from rig.meter.billing.source import Source


class Access:
    """The door of one meter, with the security of its program and the state it was left in.

    `begin` is for a new meter, `Access(security, state)` for one that goes on after a power failure with the same
    program; another program is written by `reprogram`. `take_events` has what belongs into the log.
    """

    def __init__(self, security: Security, state: AccessState) -> None:
        self.state = state
        self._security = security
        self._lock_out = LockOut(state.attempts)
        self._log = AccessLog()

    @classmethod
    def begin(cls, security: Security, now_ns: int) -> Access:
        """A new meter: sealed if its program says so."""
        access = cls(security, AccessState())
        if access.sealed:
            access._seal_changed(MeterSealed(now_ns))
        return access

    @property
    def sealed(self) -> bool:
        """True while the seal is on and intact."""
        return self._security.seals and not self.state.seal_broken

    @property
    def security(self) -> Security:
        """Seal setting and keys in force."""
        return self._security

    # --- keys -----------------------------------------------------------------------------------------------

    def log_on(self, source: Source, key: bytes, now_ns: int, name: str = "") -> Granted | WrongKey | LockedOut:
        """A key came, from an asker with this name: the highest level it proves, or nothing.

        Takes the time that a proof takes. Raises ValueError for a source that takes no key.
        """
        if source in KEYLESS:
            raise ValueError(f"a key came from {source.value}, which takes none")
        return self.log_on_by(self._security.proof(key), source, now_ns, name)

    def log_on_by(self, proof: KeyProof, source: Source, now_ns: int, name: str = "") -> Granted | WrongKey | LockedOut:
        """Decide a log-on by what its key proves, found beforehand: the highest level, or nothing.

        Raises ValueError for a source that takes no key, and for a proof by keys that are no longer in force.
        """
        if source in KEYLESS:
            raise ValueError(f"a key came from {source.value}, which takes none")
        if proof.security is not self._security:
            raise ValueError("the key was compared with keys that are no longer in force: compare it again")
        return self._log_on(proof.level(self.sealed), source, now_ns, name)

    def log_on_by_token(
        self, level: int, source: Source, now_ns: int, name: str = ""
    ) -> Granted | WrongKey | LockedOut:
        """Decide a log-on by what a token of C12.21 proves, 0: nothing. A wrong one counts as a wrong key, and during a
        lock none is looked at. Raises ValueError for a source that takes no key."""
        if source in KEYLESS:
            raise ValueError(f"a token came from {source.value}, which takes none")
        return self._log_on(level, source, now_ns, name)

    def _log_on(self, level: int, source: Source, now_ns: int, name: str) -> Granted | WrongKey | LockedOut:
        wait_s = self._lock_out.wait_s(source, now_ns)
        if wait_s:
            self._log.add(LogOnLockedOut(now_ns, source, name))
            return LockedOut(wait_s)
        if not level:
            return self._wrong_key(source, now_ns, name)
        if level == MOST_LEVEL:
            self._lock_out.forget(source)
        self._log.add(LoggedOn(now_ns, source, name, level))
        return Granted(source, level, self.state.term)

    def locked_out(self, source: Source, now_ns: int) -> LockedOut | None:
        """Give for how long no key of a source is looked at, None: they are."""
        wait_s = self._lock_out.wait_s(source, now_ns)
        return LockedOut(wait_s) if wait_s else None

    def count_other_keys(self, asker: Asker, now_ns: int) -> WrongKey | None:
        """Count as a wrong key that an asker below level 4 wrote a program with other keys, and was refused it.

        Else whoever has a lower level could try keys of higher ones in programs, without end.
        """
        if asker.source in KEYLESS or self.level_of(asker) == MOST_LEVEL:
            return None
        return self._wrong_key(asker.source, now_ns, asker.name)

    def level_of(self, asker: Asker) -> int:
        """Level an asker has now: proven at its source in this term, or a module's own."""
        proven = asker.proven
        valid = proven is not None and (proven.source, proven.term) == (asker.source, self.state.term)
        level = proven.level if proven is not None and valid else 0
        grant = MODULE_GRANTS.get(asker.name) if asker.source is Source.MODULE else None
        return max(level, grant.level) if grant is not None else level

    # --- actions --------------------------------------------------------------------------------------------

    def decide(self, action: MeterAction, asker: Asker, conditions: Conditions, now_ns: int) -> Decision:
        """Decide whether an action may be done now; a refusal is for the log."""
        why = self._refusal(action, asker, conditions)
        if why is None:
            return Allowed()
        return self.refuse(why, action, asker, now_ns)

    def decide_all(self, actions: Iterable[MeterAction], asker: Asker, conditions: Conditions, now_ns: int) -> Decision:
        """Decide whether several actions, such as a program write's, may all be done; else give the first refusal."""
        for action in actions:
            decision = self.decide(action, asker, conditions, now_ns)
            if isinstance(decision, Refused):
                return decision
        return Allowed()

    def decide_reading(
        self, readables: Iterable[Readable], asker: Asker, conditions: Conditions, now_ns: int
    ) -> Decision:
        """Decide whether parts of the readings may be read now, in their order; a refusal of a part to a module is for
        the log. All others may read all or nothing.
        """
        if asker.source is not Source.MODULE:
            return self.decide(MeterAction.READ, asker, conditions, now_ns)
        grant = MODULE_GRANTS.get(asker.name)
        for readable in readables:
            if conditions.module != asker.name:
                why = Refusal.NOT_FITTED
            elif grant is None or readable not in grant.reads:
                why = Refusal.MODULE
            else:
                continue
            self._log.add(ReadingRefused(now_ns, asker.source, asker.name, readable, why))
            return Refused(why, reading_sentence(why, readable, asker.name))
        return Allowed()

    def break_seal(self, asker: Asker, conditions: Conditions, now_ns: int) -> Decision:
        """Break the seal if that is allowed. All proven levels are over then."""
        decision = self.decide(MeterAction.BREAK_SEAL, asker, conditions, now_ns)
        if isinstance(decision, Allowed):
            self.state.seal_broken = True
            self.state.term += 1
            self._seal_changed(SealBroken(now_ns))
        return decision

    def note(self, asker: Asker, now_ns: int, *, read: bool, written: bool, procedures: bool, ended: bool) -> None:
        """Take a session at a port into the log: what it did, and whether it ended as it should."""
        source = asker.source
        for happened, kind in ((read, PortRead), (written, PortWritten), (procedures, ProcedureInvoked)):
            if happened:
                self._log.add(kind(now_ns, source))
        self._log.add(SessionEnded(now_ns, source) if ended else SessionBrokeOff(now_ns, source))

    def reprogram(self, security: Security, now_ns: int) -> None:
        """A program was written, as decided before: its keys and seal are in force, and all proven levels are over.

        Wrong keys count on.
        """
        was_sealed = self.sealed
        self._security = security
        self.state.seal_broken = False
        self.state.term += 1
        if self.sealed and not was_sealed:
            self._seal_changed(MeterSealed(now_ns))

    def move_clock(self, by_ns: int) -> None:
        """The meter's clock was set, forward by so much: lock-outs last as long as before."""
        self._lock_out.move_clock(by_ns)
        self._log.move_clock(by_ns)

    def log(self, event: AccessEvent) -> None:
        """Take an event of what is decided beside, such as of a program that waits."""
        self._log.add(event)

    def refuse(self, why: Refusal, action: MeterAction, asker: Asker, now_ns: int) -> Refused:
        """Refuse an action for a reason found beside; for the log too."""
        self._log.add(ActionRefused(now_ns, asker.source, asker.name, action, why))
        return Refused(why, sentence(why, action, asker, self.level_of(asker)))

    def take_events(self) -> list[AccessEvent]:
        """Give what is for the log since the last call."""
        return self._log.take()

    def _wrong_key(self, source: Source, now_ns: int, name: str) -> WrongKey:
        found = self._lock_out.failed(source, now_ns)
        self._log.add(LogOnFailed(now_ns, source, name, found.failures, found.wait_s))
        return WrongKey(found.wait_s)

    def _seal_changed(self, event: SealBroken | MeterSealed) -> None:
        self.state.seal_changed_ns = event.utc_ns
        self._log.add(event)

    def _refusal(self, action: MeterAction, asker: Asker, conditions: Conditions) -> Refusal | None:
        """The first reason against it; the seal's before the level's, as whoever checks the seal has no key."""
        source = asker.source
        if source not in action.sources:
            return Refusal.SOURCE
        if source is Source.MODULE:
            grant = MODULE_GRANTS.get(asker.name)
            if grant is not None and conditions.module != asker.name:
                return Refusal.NOT_FITTED
            if grant is None or action not in grant.actions:
                return Refusal.MODULE
            if self.sealed and action in grant.unsealed_only:
                return Refusal.SEALED
        if self.sealed and action.metrological:
            return Refusal.SEALED
        if source not in KEYLESS and self.level_of(asker) < action.least_level(source):
            return Refusal.LEVEL
        return self._circumstance(action, source, conditions)

    def _circumstance(self, action: MeterAction, source: Source, conditions: Conditions) -> Refusal | None:
        """Return the refusal that follows from the meter's present state, whoever asks; None if there is none."""
        if action is MeterAction.DEMAND_RESET and not conditions.demand:
            return Refusal.NO_DEMAND
        if source is Source.FRONT:
            if action in (MeterAction.ENTER_TEST, MeterAction.BREAK_SEAL) and not conditions.cover_off:
                return Refusal.COVER_ON
            if action is MeterAction.BREAK_SEAL and not self.sealed:
                return Refusal.NO_SEAL
            if action is MeterAction.BREAK_SEAL and not conditions.override_done:
                return Refusal.NO_OVERRIDE
        if source in KEYLESS:
            return None
        if action is MeterAction.ENTER_TEST and not conditions.test_by_communication:
            return Refusal.NO_TEST_BY_COMMUNICATION
        if action.in_test is InTest.REFUSED and conditions.test_mode:
            return Refusal.IN_TEST
        if action.in_test is InTest.ONLY and not conditions.test_mode:
            return Refusal.NOT_IN_TEST
        return None
