"""Procedures that are written to ST7, as the meter's own requests, and their answers for ST8 (X-1, S-1, S-2).

docs/communication-tables.md has them all, made from what stands here. Everything that changes the meter is decided by
its door. Status flags are those of now, and none of them is latched but a broken seal, which no request mends: with it,
clearing status conflicts. A list cannot be emptied from outside (S-3), so resetting its pointers marks it as read.

Every procedure that is not here is unrecognized.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from rig.communication.c1219.codes import ProcedureResult
from rig.communication.c1219.facts import FactsReader, Need
from rig.communication.c1219.general import MOST_RESPONSE
from rig.communication.c1219.levels import PUBLIC, procedure_level
from rig.communication.c1219.lists import ListNumber
from rig.communication.c1219.outcome import RefusedRequest, Steps, request, result_of
from rig.communication.c1219.pending_event import EVENT_SIZE, PendingEvent
from rig.communication.c1219.pending_tables import event_of
from rig.communication.c1219.types import LTIME, Date, TableError, TimeOfDay
from rig.communication.keys import key_of
from rig.daemon.protocol import (
    ActivatePending,
    Asked,
    ChangeSeason,
    Clear,
    ClearPending,
    ColdStart,
    EnterTest,
    LeaveTest,
    LogOff,
    LogOn,
    MasterReset,
    OperateRelay,
    ReadSelf,
    ResetDemand,
    SetClock,
    WritePending,
    WriteProgram,
)
from rig.meter.access.decision import Refusal
from rig.meter.access.sentences import COLD_START_FAILED
from rig.meter.contacts.outputs import KYZ_OUTPUTS

PASSWORD_BYTES = 20


@dataclass(frozen=True)
class Answer:
    """A procedure's answer for ST8."""

    result: ProcedureResult
    data: bytes = b""


@dataclass
class ProcedureState:
    """State of a device that procedures use: how facts are had, and the program's text as it was staged; `waits`: in
    its pending form, an EVENT record before it; `level`: the one proven by who asks."""

    reader: FactsReader
    staged: bytearray = field(default_factory=bytearray)
    waits: bool = False
    level: int = PUBLIC


Run = Callable[[ProcedureState, bytes], Steps[Answer]]

DONE = Answer(ProcedureResult.DONE)
INVALID = Answer(ProcedureResult.INVALID_PARAMETER)
CONFLICT = Answer(ProcedureResult.CONFLICTS_WITH_SETUP)


def _asks(asked: Asked) -> Run:
    """Make a procedure without parameters that makes one request."""

    def run(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
        if parameters:
            return INVALID
        yield from request(asked)
        return DONE

    return run


# --- lists and status -----------------------------------------------------------------------------------------


def _reset_pointers(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    if len(parameters) != 1 or (lists := ListNumber.named(parameters[0])) is None:
        return INVALID
    state.reader.marks.all_read(lists)
    return DONE
    yield


def _last_read(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    if len(parameters) != 3 or (lists := ListNumber.named(parameters[0])) is None or len(lists) != 1:
        return INVALID
    return DONE if state.reader.marks.read(lists[0], int.from_bytes(parameters[1:], "little")) else INVALID
    yield


def _clear_status(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    if parameters:
        return INVALID
    facts = yield from state.reader.facts((Need.PROGRAM,))
    return CONFLICT if facts.seal_broken else DONE


# --- modes, resets, clock -------------------------------------------------------------------------------------

CHANGE_MODE = 6
_METERING, _TEST, _SHOP, _FACTORY = 1, 2, 4, 8


def _change_mode(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    if len(parameters) != 1 or parameters[0] not in (_METERING, _TEST, _SHOP, _FACTORY):
        return INVALID
    mode = parameters[0]
    if mode in (_SHOP, _FACTORY):
        return CONFLICT  # there are no such modes
    facts = yield from state.reader.facts((Need.READING,))
    if (facts.reading.test is not None) != (mode == _TEST):
        yield from request(EnterTest() if mode == _TEST else LeaveTest())
    elif state.level < procedure_level(CHANGE_MODE):  # the door is not asked for what is so already
        return Answer(ProcedureResult.NO_AUTHORIZATION)
    return DONE


_RESET_DEMAND, _SELF_READ, _CHANGE_SEASON = 1, 2, 4


def _remote_reset(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    """Read first, as the reset ends what is read; what was done stays done where something else is refused."""
    if len(parameters) != 1 or parameters[0] & 0x80 or not parameters[0] & 7:
        return INVALID
    flags = parameters[0]
    wanted: list[tuple[int, Asked]] = [
        (_SELF_READ, ReadSelf()),
        (_RESET_DEMAND, ResetDemand()),
        (_CHANGE_SEASON, ChangeSeason(flags >> 3 & 15)),
    ]
    done, result = 0, ProcedureResult.DONE
    for flag, asked in wanted:
        if flags & flag:
            try:
                yield from request(asked)
                done |= flag
            except RefusedRequest as refused:
                result = result or result_of(refused.outcome)
    if done & _CHANGE_SEASON:
        done |= flags & 0x78
    return Answer(result, bytes((done,)))


_TIME, _DATE, _QUALIFIER = 1, 2, 4
_QUALIFIED_DST, _QUALIFIED_GMT = 8, 16
_EPOCH = datetime(1970, 1, 1)


def _set_clock(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    """Set the local time, or UTC if the qualifier says so; in a doubled hour the pass it says, or the nearer one."""
    if len(parameters) != 1 + LTIME.size + 1:
        return INVALID
    mask, qualifier = parameters[0], parameters[-1]
    if not mask & (_TIME | _DATE) or mask > 7:
        return INVALID
    before = yield from state.reader.facts((Need.READING, Need.PROGRAM))
    gmt = bool(mask & _QUALIFIER and qualifier & _QUALIFIED_GMT)
    now = _EPOCH + timedelta(microseconds=before.reading.utc_ns // 1000) if gmt else before.now
    try:
        day = Date().decode(parameters[1:4]) if mask & _DATE else now.date()
        at = TimeOfDay().decode(parameters[4:7]) if mask & _TIME else now.time()
    except TableError:
        return INVALID
    if day is None:
        return INVALID
    local = datetime.combine(day, at)
    if gmt:
        instant_ns = (local - _EPOCH) // timedelta(microseconds=1) * 1000
    elif mask & _QUALIFIER:
        instant_ns = before.calendar.instant_ns(local.replace(fold=0 if qualifier & _QUALIFIED_DST else 1))
    else:
        instant_ns = before.nearest_ns(local)
    yield from request(SetClock(instant_ns))
    return Answer(
        ProcedureResult.DONE, LTIME.encode(before.local(before.reading.utc_ns)) + LTIME.encode(before.local(instant_ns))
    )


# --- levels ---------------------------------------------------------------------------------------------------


def _log_in(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    if len(parameters) != 2 + PASSWORD_BYTES:
        return INVALID
    outcome = yield LogOn(key_of(parameters[2:]))
    return DONE if outcome.refused is None else Answer(ProcedureResult.NO_AUTHORIZATION)


def _log_out(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    """Give the level up, and with it what only the level could stage."""
    if parameters:
        return INVALID
    state.staged.clear()
    yield from request(LogOff())
    return DONE


# --- programs and outputs -------------------------------------------------------------------------------------


def _write_program(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    """Write the staged program, if it is as long as is said and its CRC-32 holds; whatever comes of it, it is gone."""
    if len(parameters) != 8:
        return INVALID
    size, check = struct.unpack("<II", parameters)
    staged = bytes(state.staged)
    if not staged or size != len(staged) or check != crc32(staged):
        return Answer(ProcedureResult.INVALID_PARAMETER, b"what was staged is not what the procedure says")
    state.staged.clear()
    try:
        event = PendingEvent.decoded(staged[:EVENT_SIZE]) if state.waits else None
        text = staged[0 if event is None else EVENT_SIZE :].decode("utf-8")
    except UnicodeDecodeError:
        return Answer(ProcedureResult.INVALID_PARAMETER, b"the program is not UTF-8 text")
    except TableError as error:
        return Answer(ProcedureResult.INVALID_PARAMETER, _sentence(str(error)))
    outcome = yield WriteProgram(text) if event is None else (yield from _pending(state, text, event))
    if outcome.refused is None:
        return DONE
    return Answer(result_of(outcome), _sentence(outcome.refused))


_CUT = b"..."
"""As the end of a sentence that is longer than an answer."""


def _sentence(text: str) -> bytes:
    found = text.encode("ascii", "replace")
    return found if len(found) <= MOST_RESPONSE else found[: MOST_RESPONSE - len(_CUT)] + _CUT


# --- a program that waits -------------------------------------------------------------------------------------


def _pending(state: ProcedureState, text: str, event: PendingEvent) -> Steps[WritePending]:
    """Make the request by which a program waits; a local time is the meter's, in a doubled hour the first."""
    if event.local is None:
        return WritePending(text, after_s=event.after_s)
    facts = yield from state.reader.facts((Need.PROGRAM,))
    return WritePending(text, at_utc_ns=facts.calendar.instant_ns(event.local))


def _of_pending(asked: Asked) -> Run:
    """Make a procedure that asks something of all programs that wait, which may be none."""

    def run(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
        if parameters:
            return INVALID
        outcome = yield asked
        if outcome.refused is None or outcome.why == Refusal.NO_PENDING.value:
            return DONE
        return Answer(result_of(outcome), _sentence(outcome.refused))

    return run


def _of_pending_at(asked: Asked) -> Run:
    """Make a procedure that asks something of the program that waits for an EVENT, as ST4 has it."""

    def run(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
        if len(parameters) != EVENT_SIZE:
            return INVALID
        facts = yield from state.reader.facts((Need.PROGRAM, Need.PENDING))
        waiting = facts.pending.waiting
        if waiting is None or event_of(facts, waiting).record != parameters:
            return Answer(ProcedureResult.INVALID_PARAMETER, b"no program waits for that")
        outcome = yield asked
        if outcome.refused is None:
            return DONE
        return Answer(result_of(outcome), _sentence(outcome.refused))

    return run


_TENTH_S = 0.1


def _operate_relay(state: ProcedureState, parameters: bytes) -> Steps[Answer]:
    if len(parameters) != 4:
        return INVALID
    output, closed, tenths = struct.unpack("<BBH", parameters)
    if not 1 <= output <= len(KYZ_OUTPUTS) or closed > 1:
        return INVALID
    yield from request(OperateRelay(KYZ_OUTPUTS[output - 1].label, bool(closed), tenths * _TENTH_S))
    return DONE


@dataclass(frozen=True)
class Procedure:
    """A procedure: its name, how it is carried out; its parameters and its answer's data in words, for documents."""

    name: str
    run: Run
    parameters: str = ""
    answer: str = ""


_WHY = "where it is refused, the sentence why"

STANDARD: Mapping[int, Procedure] = {
    0: Procedure("cold start", _asks(ColdStart())),
    3: Procedure("clear data", _asks(Clear())),
    4: Procedure("reset list pointers", _reset_pointers, "list UINT8"),
    5: Procedure("update last read entry", _last_read, "list UINT8, number of entries UINT16"),
    CHANGE_MODE: Procedure("change end device mode", _change_mode, "UINT8: 1 metering, 2 test"),
    7: Procedure("clear standard status flags", _clear_status),
    8: Procedure("clear manufacturer status flags", _clear_status),
    9: Procedure(
        "remote reset",
        _remote_reset,
        "UINT8: 1 demand reset, 2 self-read, 4 season change with the season, from 0, in bits 3–6",
        "the same, of what was done; a self-read comes first",
    ),
    10: Procedure(
        "set date and time",
        _set_clock,
        "UINT8: 1 time, 2 date, 4 qualifier; LTIME_DATE; qualifier UINT8, as in ST52: "
        "without daylight saving it is the second pass of a doubled hour, with GMT_FLAG the time is UTC; without a "
        "qualifier it is the pass that is nearer to the meter's time",
        "LTIME_DATE before and after",
    ),
    12: Procedure("activate all pending tables", _of_pending(ActivatePending()), "", _WHY),
    13: Procedure("activate specific pending table", _of_pending_at(ActivatePending()), "EVENT, as in ST4", _WHY),
    14: Procedure("clear all pending tables", _of_pending(ClearPending()), "", _WHY),
    15: Procedure("clear specific pending table", _of_pending_at(ClearPending()), "EVENT, as in ST4", _WHY),
    18: Procedure("log in", _log_in, "user UINT16, password of 20 bytes, as with C12.18's security"),
    19: Procedure("log out", _log_out),
}

MANUFACTURER: Mapping[int, Procedure] = {
    0: Procedure(
        "write program",
        _write_program,
        "length UINT32, CRC-32 UINT32 of what was staged",
        _WHY,
    ),
    1: Procedure("master reset", _asks(MasterReset())),
    2: Procedure("operate relay", _operate_relay, "output UINT8 from 1, closed UINT8, tenths of seconds UINT16"),
}


def carry_out_procedure(state: ProcedureState, number: int, manufacturer: bool, parameters: bytes) -> Steps[Answer]:
    """Carry out a procedure by its number; its answer, also where the meter refuses what it asks."""
    known = (MANUFACTURER if manufacturer else STANDARD).get(number)
    if known is None:
        return Answer(ProcedureResult.UNRECOGNIZED)
    try:
        answer = yield from known.run(state, parameters)
    except RefusedRequest as refused:
        # The notice's own words, by which the seal is verified, are in the answer for whoever verifies it.
        said = COLD_START_FAILED.encode() if refused.outcome.refused == COLD_START_FAILED else b""
        return Answer(result_of(refused.outcome), said)
    except TableError:  # the meter's answer is not understood
        return CONFLICT
    return answer
