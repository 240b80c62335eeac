"""The door of a running meter: what is asked of it is decided, logged, and then done (S-1).

What a rig has beside the meter, simulated switches and the process itself, is not asked here: rig/daemon/requests.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calibration.constants_file import parse_calibration
from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Asker, Decision, Granted, LockedOut, Refusal, Refused, WrongKey
from rig.meter.access.pending import PendingDoor
from rig.meter.access.readable import IN_STATE, Readable, pulses_of
from rig.meter.access.security import KeyProof, Security
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.source import Source
from rig.meter.contacts.outputs import KYZ_OUTPUTS
from rig.program.build import Program
from rig.program.changes import actions_of
from rig.results.exact import ExactReading
from rig.results.readable_values import VALUED, values_of
from rig.service.comparing import PORTS, OfferedProgram, key_from, offer, prove
from rig.service.door_error import DoorError
from rig.service.host_time import EARLIEST_UTC_NS, LATEST_UTC_NS, text_of
from rig.service.service import Service
from rig.service.written_constants import write_constants

MOST_SHARED_S = 10.0
"""Seconds that the optical port has the light for at a time: if its process dies, the LED is the meter's again."""

MOST_TEST_S = 60.0
"""Seconds that an output may be closed for a test of its wiring."""


class MeterDoor:
    """Everything that is asked of the meter of a service; `configured` is the program that its configuration names.

    Every method but `log_on` raises DoorError for what is refused, or the error of what is wrong with it.
    """

    def __init__(self, service: Service, configured: Program) -> None:
        self._service, self._configured = service, configured.with_hashed_keys()

    def log_on(self, asker: Asker, key: str) -> Granted:
        """Prove a level. Raises DoorError for a wrong key, or one that comes too soon after wrong ones."""
        return self.log_on_by(asker, prove(self._service.access.security, key_from(asker, key)))

    def log_on_by(self, asker: Asker, proof: KeyProof) -> Granted:
        """Prove a level by what was found of a key. Raises DoorError as log_on does; ValueError for a proof by keys
        that are no longer in force."""
        found = self._service.access.log_on_by(proof, asker.source, self._now_ns, asker.name)
        self._service.log_access()
        if isinstance(found, WrongKey | LockedOut):
            raise DoorError(found.sentence)
        return found

    def log_on_by_token(self, asker: Asker, level: int) -> Granted:
        """Prove a level by a token of C12.21, 0: it is wrong. Raises DoorError as log_on does."""
        found = self._service.access.log_on_by_token(level, asker.source, self._now_ns, asker.name)
        self._service.log_access()
        if isinstance(found, WrongKey | LockedOut):
            raise DoorError(found.sentence)
        return found

    def refuses_keys(self, asker: Asker) -> bool:
        """Say whether a key is refused before it is compared: at a port never, as a refusal that comes sooner than
        another would show that the port is locked; whoever asks otherwise is told so anyway."""
        locked = self._service.access.locked_out(asker.source, self._now_ns)
        return asker.source not in PORTS and locked is not None

    def log_on_refused(self, asker: Asker) -> None:
        """Refuse a key that came during a lock, with DoorError, and log it."""
        self.log_on_by(asker, KeyProof(self.security, 0, 0))

    @property
    def security(self) -> Security:
        """Keys in force, to compare one with beforehand."""
        return self._service.access.security

    def read(self, asker: Asker) -> ExactReading:
        """Give the exact reading of all that is registered."""
        self.permit_reading(asker, *(each for each in Readable if each in IN_STATE))
        return self._service.reading()

    def read_parts(self, asker: Asker, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Give parts of the readings by their labels, such as "kWh delivered": all of them, or none (X-4)."""
        parts = _parts(labels)
        self.permit_reading(asker, *parts)
        if elsewhere := [part.label for part in parts if part not in VALUED]:
            raise DoorError(f"{elsewhere[0]} has no value: ask for its pages, or for an output's pulses")
        reading = self._service.meter.reading()
        return {part.label: values_of(reading, part) for part in parts}

    def permit(self, asker: Asker, labels: Sequence[str], action: str | None) -> None:
        """Let parts be read by their labels and an action be done by its own; what comes of it is asked elsewhere."""
        actions = {each.label: each for each in MeterAction}
        if action is not None and action not in actions:
            raise DoorError(f"{action[:40]!r} is no action: give {', '.join(actions)}")
        if labels:
            self.permit_reading(asker, *_parts(labels))
        if action is not None:
            self.decide(asker, actions[action])

    def read_pulses(self, asker: Asker, label: str) -> dict[str, Any]:
        """Give the pulses that an output's contacts have given, as the pulse interface of a module has them (X-4)."""
        service = self._service
        outputs = {output.label: output for output in KYZ_OUTPUTS}
        if label not in outputs:
            raise DoorError(f"{label[:40]!r} is no output with contacts: give {', '.join(outputs)}")
        output = outputs[label]
        pulsing = service.meter.outputs.get(output)
        self.permit_reading(asker, pulses_of(None if pulsing is None else pulsing.quantity))
        if pulsing is None:
            raise DoorError(f"{label} does not pulse: give it a quantity in the program, under [[outputs]]")
        return {
            "output": label,
            "quantity": pulsing.quantity.value,
            "constant_wh": str(pulsing.constant_wh),
            "pulses": service.outputs.relays[output].shown,
        }

    def permit_reading(self, asker: Asker, *parts: Readable) -> None:
        """Let parts of the readings be read, and history, which is read elsewhere."""
        service = self._service
        decision = service.access.decide_reading(parts, asker, service.conditions, self._now_ns)
        self.conclude(decision)

    def read_program(self, asker: Asker) -> Program:
        """Give the program in force."""
        self.permit_reading(asker, Readable.METER)
        return self._service.program

    def identify(self, asker: Asker) -> Program:
        """Give the program in force to whoever needs to know what the meter is, and gives no more of it."""
        self.decide(asker, MeterAction.IDENTIFY)
        return self._service.program

    def reset_demand(self, asker: Asker) -> None:
        """Reset demand (Q-5)."""
        self._command(asker, MeterAction.DEMAND_RESET, Action.RESET)

    def read_self(self, asker: Asker) -> None:
        """Take a self-read (T-3)."""
        self._command(asker, MeterAction.SELF_READ, Action.SELF_READ)

    def enter_test(self, asker: Asker) -> None:
        """Enter test mode (D-5)."""
        self._command(asker, MeterAction.ENTER_TEST, Action.TEST_BEGIN)

    def leave_test(self, asker: Asker) -> None:
        """Leave test mode."""
        self._command(asker, MeterAction.LEAVE_TEST, Action.TEST_END)

    def change_season(self, asker: Asker, season: int | None) -> None:
        """Close the season now, and let this one follow, from 0, or with None the next of the year (T-3)."""
        self.decide(asker, MeterAction.SEASON_CHANGE)
        seasons = len(self._service.program.billing.calendar.tariff.seasons)
        if season is not None and not 0 <= season < max(1, seasons):
            raise DoorError(
                f"season {season + 1} is not in the program, which has {seasons}: give 1 to {max(1, seasons)}"
            )
        self._service.execute([Command(self._now_ns, Action.SEASON_CHANGE, asker.source, season)])

    def clear(self, asker: Asker) -> None:
        """Clear what was registered; program, clock and log stay."""
        self._command(asker, MeterAction.CLEAR, Action.CLEAR)

    def master_reset(self, asker: Asker) -> None:
        """Clear what was registered and found; the program stays (S-1)."""
        self._command(asker, MeterAction.MASTER_RESET, Action.MASTER_RESET)

    def cold_start(self, asker: Asker) -> None:
        """Begin as a new meter, with the program of the configuration (S-1, S-2)."""
        self._command(asker, MeterAction.COLD_START, Action.COLD_START)
        service, configured = self._service, self._configured
        PendingDoor(service.access).clear(asker.source, self._now_ns)
        service.log_access()
        if not service.program.is_same_as(configured):
            service.write_program(configured, configured, asker.source)
            service.log_access()

    def set_clock(self, asker: Asker, utc_ns: int | None) -> None:
        """Set the meter's clock, to UTC in ns, or with None back to the host's."""
        self.decide(asker, MeterAction.SET_CLOCK)
        if utc_ns is not None and not EARLIEST_UTC_NS <= utc_ns < LATEST_UTC_NS:
            raise DoorError(f"{utc_ns} ns since 1970 is not a plausible time for a meter: give one from 2000 to 2099")
        host_ns = self._service.hardware.clock.utc_ns()
        if utc_ns is None and not EARLIEST_UTC_NS <= host_ns < LATEST_UTC_NS:
            raise DoorError(
                f"the computer's clock says {text_of(host_ns)}, which is not a plausible time for a meter: "
                "correct it first, or give the time"
            )
        self._service.set_clock(utc_ns, asker.source)

    def operate_relay(self, asker: Asker, output: str, closed: bool, seconds: float) -> None:
        """Close an output to K–Y or K–Z for a test of its wiring, for so many seconds."""
        self.decide(asker, MeterAction.OPERATE_RELAY)
        if not 0 < seconds <= MOST_TEST_S:
            raise DoorError(f"an output can be tested for up to {MOST_TEST_S:g} s, not {seconds:g} s")
        self._service.test_relay(output, closed, seconds, asker.source)

    def write_program(self, asker: Asker, toml: str) -> None:
        """Go on with another program, checked whole, applied at once. Raises ConfigError for what is wrong with it."""
        self.write_offered(asker, offer(toml, *self.may_write(asker)))

    def may_write(self, asker: Asker) -> tuple[Program, Program]:
        """Give the programs that one to be written is compared with: that in force and the configured one.

        Raises DoorError for whoever may not write any, also while keys from there are not looked at, as those in a
        program are.
        """
        self.decide(asker, MeterAction.WRITE_PROGRAM)
        if (locked := self._service.access.locked_out(asker.source, self._now_ns)) is not None:
            raise DoorError(locked.sentence)
        return self._service.program, self._configured

    def write_offered(self, asker: Asker, offered: OfferedProgram) -> None:
        """Go on with a program that was compared. Raises DoorError for whoever may not write it, and ValueError where
        it was compared with a program that is no longer in force."""
        self.permit_offered(asker, offered)
        self._service.write_program(offered.program, self._configured, asker.source)
        self._service.log_access()

    def permit_offered(self, asker: Asker, offered: OfferedProgram) -> None:
        """Let a program be written that was compared. Raises as write_offered does."""
        if not self.is_current(offered):
            raise ValueError("the program was compared with one that is no longer in force: compare it again")
        self.may_write(asker)
        try:
            self.decide(asker, *actions_of(self._service.program.file, offered.program.file, offered.same_keys))
        except DoorError:
            if not offered.same_keys:
                self._service.access.count_other_keys(asker, self._now_ns)
                self._service.log_access()
            raise

    def is_current(self, offered: OfferedProgram) -> bool:
        """Say whether the program that one was compared with is in force still."""
        return offered.instead_of is self._service.program

    def write_constants(self, asker: Asker, toml: str) -> str:
        """Write other constants, checked whole; give their digest. Raises CalibrationError for what is wrong with
        them."""
        self.decide(asker, MeterAction.CALIBRATE)
        calibration = parse_calibration(toml)
        write_constants(self._service, calibration, asker.source)
        return calibration.digest

    def break_seal(self, asker: Asker) -> None:
        """Break the seal: always refused here, with how it is done."""
        self.decide(asker, MeterAction.BREAK_SEAL)

    def share_light(self, asker: Asker, seconds: float) -> int:
        """Keep the test LED dark while the optical port communicates (P-1); in how many ns it is."""
        if asker.source is not Source.OPTICAL:
            raise DoorError(f"the test LED is shared with the optical port, not with {asker.source.value}")
        if not 0 <= seconds <= MOST_SHARED_S:
            raise DoorError(f"the light can be shared for up to {MOST_SHARED_S:g} s at a time, not {seconds:g} s")
        return self._service.share_light(round(seconds * 1e9))

    def note_access(self, asker: Asker, *, read: bool, written: bool, procedures: bool, ended: bool) -> None:
        """Log what a session at a port did. Raises DoorError for an asker that is at no port."""
        if asker.source not in PORTS:
            raise DoorError(f"{asker.source.value} is no port with sessions: there is nothing to note")
        self._service.access.note(asker, self._now_ns, read=read, written=written, procedures=procedures, ended=ended)
        self._service.log_access()

    @property
    def _now_ns(self) -> int:
        return self._service.meter.billing.now_ns

    def decide(self, asker: Asker, *actions: MeterAction) -> None:
        """Let actions be done. Raises DoorError for the first that is refused."""
        service = self._service
        self.conclude(service.access.decide_all(actions, asker, service.conditions, self._now_ns))

    def conclude(self, decision: Decision) -> None:
        """Log what was decided. Raises DoorError for a refusal."""
        self._service.log_access()
        if isinstance(decision, Refused):
            raise DoorError(decision.sentence, decision.why is Refusal.LEVEL, decision.why)

    def _command(self, asker: Asker, asked: MeterAction, action: Action) -> None:
        self.decide(asker, asked)
        self._service.execute([Command(self._now_ns, action, asker.source)])


def _parts(labels: Sequence[str]) -> list[Readable]:
    known = {each.label: each for each in Readable}
    if unknown := [label for label in labels if label not in known]:
        raise DoorError(f"{unknown[0][:40]!r} is no part of the readings: give {', '.join(known)}")
    return [known[label] for label in labels]
