"""Actions on a meter at its port, each a procedure of C12.19, a few of them a command of DGCOM (X-2).

    action         procedure  parameters                DGCOM
    reset          9          1, demand reset           2B
    self-read      9          2                         -
    season N       9          4, N - 1 in bits 3 to 6   -
    clock TIME     10         mask, time, qualifier     22, 21
    test on, off   6          2, 1                      -
    clear          3          -                         -
    cold-start     0          -                         -
    master-reset   MP1        -                         -
    relay X        MP2        output, contact, time     -
    pending        (ST4)                                -
    activate-pending  12      -                         -
    clear-pending  14         -                         -
    mark-read      4          255, all lists            -
    clear-status   7, 8       -                         -
    status         (ST3)                                -

Manufacturer procedures are asked of our own meters alone: another maker's may mean anything.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rig.communication.c1219.formats import PARTS, Formats
from rig.communication.c1219.layout import Values
from rig.communication.c1219.types import LTIME, TableError
from rig.errors import RigError
from rig.reader.conversation import Conversation, MeterSilent, ServiceRefused
from rig.reader.decoded import CONFIGURATION, Decoded
from rig.reader.dgcom_conversation import DgcomConversation
from rig.reader.meter import MeterSession
from rig.reader.pending import of_pending, pending
from rig.reader.procedures import ProcedureAnswer, ProcedureRefused, carry_out, done, formats_of

MOST_SEASONS = 4
HOST = "host"
ALL_LISTS = 255
TENTHS = 10
MOST_RELAY_S = 60

_RESET, _SELF_READ, _SEASON = 1, 2, 4
_METERING, _TEST = 1, 2
_CLOCK_MASK = 7
_DST = 8
_RELAY = re.compile(r"(?:kyz)?([1-4]):(open|closed):([0-9]{1,2}(?:\.[0-9])?)", re.IGNORECASE | re.ASCII)


class ActionError(RigError):
    """An action, or a value with it, that there is not."""


@dataclass(frozen=True)
class Action:
    """An action: what it does in words, what its value is ("" for none), and whether that may be left out; `check`
    raises ActionError for a value that is none, before a meter is asked for anything."""

    words: str
    run: Callable[[MeterSession, str | None], str]
    value: str = ""
    optional: bool = False
    needs_password: bool = True
    check: Callable[[str], object] = str


def act(session: MeterSession, name: str, value: str | None) -> str:
    """Carry an action out, and give the sentence that says what came of it.

    Raises ActionError, ProcedureRefused, NoTables, ServiceRefused, MeterSilent, MeterLineError.
    """
    return action_of(name, value).run(session, value)


def action_of(name: str, value: str | None) -> Action:
    """Give an action by its name. Raises ActionError for one that there is not, or a value missing, too much or
    wrong."""
    action = ACTIONS.get(name)
    if action is None:
        raise ActionError(f"{name!r} is no action: give one of {', '.join(ACTIONS)}")
    if value is not None and not action.value:
        raise ActionError(f"{name} takes no value, {value!r} is one too many")
    if value is None and action.value and not action.optional:
        raise ActionError(f"{name} needs a value: {action.value}")
    if value is not None:
        action.check(value)
    return action


# --- procedures -----------------------------------------------------------------------------------------------


def _plain(number: int, sentence: str) -> Callable[[MeterSession, str | None], str]:
    def run(session: MeterSession, value: str | None) -> str:
        tables = session.tables
        done(carry_out(tables, number, b"", formats_of(tables)), sentence)
        return f"{sentence}: done"

    return run


def _own(number: int, sentence: str) -> Callable[[MeterSession, str | None], str]:
    def run(session: MeterSession, value: str | None) -> str:
        _ours(session.tables)
        done(carry_out(session.tables, number, b"", formats_of(session.tables), manufacturer=True), sentence)
        return f"{sentence}: done"

    return run


def _ours(tables: Conversation) -> None:
    if not Decoded({CONFIGURATION: tables.read(CONFIGURATION)}).ours:
        raise ActionError("the meter is of another maker, whose own procedures mean something else: this is not asked")


def _remote_reset(session: MeterSession, flags: int, sentence: str) -> str:
    tables = session.tables
    answer = carry_out(tables, 9, bytes((flags,)), formats_of(tables))
    done(answer, sentence)
    if answer.data and not answer.data[0] & flags & (_RESET | _SELF_READ | _SEASON):
        raise ProcedureRefused(f"{sentence}: the meter answered done, and that nothing was done", answer.result)
    return f"{sentence}: done"


def _reset(session: MeterSession, value: str | None) -> str:
    if isinstance(session.talk, DgcomConversation):
        session.talk.reset_demand()
        return "demand reset: done"
    return _remote_reset(session, _RESET, "demand reset")


def _self_read(session: MeterSession, value: str | None) -> str:
    return _remote_reset(session, _SELF_READ, "self-read")


def _season_of(value: str | None) -> int:
    if value is None or not value.isascii() or not value.isdecimal() or not 1 <= int(value[:9]) <= MOST_SEASONS:
        raise ActionError(f"the season is {value!r}, it must be 1 to {MOST_SEASONS}")
    return int(value)


def _season(session: MeterSession, value: str | None) -> str:
    season = _season_of(value)
    return _remote_reset(session, _SEASON | season - 1 << 3, f"season {season}")


def _mode_of(value: str | None) -> int:
    modes = {"on": _TEST, "off": _METERING}
    if value not in modes:
        raise ActionError(f"test mode is {value!r}, it must be on or off")
    return modes[value]


def _test(session: MeterSession, value: str | None) -> str:
    mode, tables = _mode_of(value), session.tables
    done(carry_out(tables, 6, bytes((mode,)), formats_of(tables)), f"test mode {value}")
    return f"test mode {value}: done"


def _mark_read(session: MeterSession, value: str | None) -> str:
    tables = session.tables
    done(carry_out(tables, 4, bytes((ALL_LISTS,)), formats_of(tables)), "marking all lists as read")
    return "all lists marked as read: done"


def _clear_status(session: MeterSession, value: str | None) -> str:
    tables = session.tables
    for number in (7, 8):
        done(carry_out(tables, number, b"", formats_of(tables)), "clearing status flags")
    return "status flags cleared: done"


def _relay_of(value: str | None) -> tuple[re.Match[str], int]:
    match = _RELAY.fullmatch(value or "")
    tenths = round(float(match[3]) * TENTHS) if match else 0
    if match is None or not 1 <= tenths <= MOST_RELAY_S * TENTHS:
        raise ActionError(f"the relay is {value!r}, it must be such as KYZ2:closed:5, up to {MOST_RELAY_S} seconds")
    return match, tenths


def _relay(session: MeterSession, value: str | None) -> str:
    match, tenths = _relay_of(value)
    _ours(session.tables)
    parameters = struct.pack("<BBH", int(match[1]), match[2].lower() == "closed", tenths)
    answer = carry_out(session.tables, 2, parameters, formats_of(session.tables), manufacturer=True)
    done(answer, f"KYZ{match[1]} {match[2].lower()}")
    return f"KYZ{match[1]} {match[2].lower()} for {match[3]} s: done"


# --- clock ----------------------------------------------------------------------------------------------------


def _clock(session: MeterSession, value: str | None) -> str:
    """Set the clock, or without a value say what it shows."""
    if isinstance(session.talk, DgcomConversation):
        if value is None or value == HOST:
            raise ActionError("DGCOM does not say the meter's time zone: give the local time, such as 2026-12-01T08:00")
        session.talk.set_clock(_local(value))
        return f"clock set to {_local(value):%Y-%m-%d %H:%M:%S}: done"
    tables = session.tables
    if value is None:
        return _shown_clock(tables)
    formats = formats_of(tables)
    if formats.times != PARTS:
        raise ActionError(
            f"the meter's times are in TM_FORMAT {formats.times}: clocks are set in TM_FORMAT {PARTS} alone"
        )
    if value != HOST:
        return _set(tables, formats, _local(value), None)
    before = _host_time(tables)
    said = _set(tables, formats, *before)
    again = _host_time(tables)
    if again[1] != before[1]:  # daylight saving begins or ends between both times
        said = _set(tables, formats, *again)
    return said


def _set(tables: Conversation, formats: Formats, local: datetime, dst: bool | None) -> str:
    """Set a local time; without `dst` in a doubled hour the pass that the meter chooses."""
    try:
        shown = LTIME.encode(local)
    except ValueError as error:
        raise ActionError(f"the time cannot be set: {error}") from None
    mask = _CLOCK_MASK if dst is not None else 3
    parameters = bytes((mask,)) + shown + bytes((_DST if dst else 0,))
    answer: ProcedureAnswer = done(carry_out(tables, 10, parameters, formats), "setting the clock")
    was = ""
    if len(answer.data) >= LTIME.size:
        try:
            at = LTIME.decode(answer.data[: LTIME.size])
            was = "" if at is None else f", it showed {at:%Y-%m-%d %H:%M:%S}"
        except TableError:
            was = ""
    return f"clock set to {local:%Y-%m-%d %H:%M:%S}{was}: done"


def _clock_value(value: str) -> datetime | None:
    return None if value == HOST else _local(value)


def _local(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise ActionError(
            f"the time is {value!r}, it must be host, or as the meter's clock shows it, such as 2026-12-01T08:00:00"
        )
    return found


def _clock_tables(tables: Conversation) -> Decoded:
    found = {}
    for number in (CONFIGURATION, 51, 52, 53):
        try:
            found[number] = tables.read(number)
        except ServiceRefused:
            continue
    return Decoded(found)


def _offset(decoded: Decoded) -> tuple[timedelta, bool] | None:
    """Give how far the meter's clock is ahead of UTC, and whether daylight saving is in it; None: it does not say."""
    clock, zone = decoded.maybe(52), decoded.maybe(53)
    if clock is None or zone is None or "TIME_ZONE_OFFSET" not in zone:
        return None
    dst = bool(clock["TIME_DATE_QUAL"]["DST_FLAG"])
    return timedelta(minutes=zone["TIME_ZONE_OFFSET"] + (zone["DST_TIME_AMT"] if dst else 0)), dst


def _host_time(tables: Conversation) -> tuple[datetime, bool]:
    offset = _offset(_clock_tables(tables))
    if offset is None:
        raise ActionError("the meter does not say its time zone: give its local time, such as 2026-12-01T08:00:00")
    return (datetime.now(UTC) + offset[0]).replace(tzinfo=None, microsecond=0), offset[1]


def _shown_clock(tables: Conversation) -> str:
    decoded = _clock_tables(tables)
    try:
        shown = decoded.values(52)["CLOCK_CALENDAR"]
    except TableError as error:
        raise MeterSilent(f"the meter's clock (ST52) is not understood: {error}") from None
    if shown is None:
        return "the meter's clock shows no time"
    offset = _offset(decoded)
    ahead = ""
    if offset is not None:
        seconds = (shown - (datetime.now(UTC) + offset[0]).replace(tzinfo=None)).total_seconds()
        ahead = f", {seconds:+.0f} s to this computer's"
    return f"the meter's clock shows {shown:%Y-%m-%d %H:%M:%S}{ahead}"


# --- status ---------------------------------------------------------------------------------------------------


def _status(session: MeterSession, value: str | None) -> str:
    tables = session.tables
    decoded = Decoded({number: tables.read(number) for number in (CONFIGURATION, 3)})
    try:
        found = decoded.values(3)
    except TableError as error:
        raise MeterSilent(f"the meter's state (ST3) is not understood: {error}") from None
    mode = "test mode" if found["ED_MODE"]["TEST_MODE_FLAG"] else "metering"
    flags = [*_on(found["ED_STD_STATUS_1"]), *(_on(found["ED_MFG_STATUS"]) if decoded.ours else ())]
    return f"{mode}; {', '.join(flags) if flags else 'nothing is wrong'}"


def _on(flags: Values) -> list[str]:
    return [name.lower().replace("_", " ") for name, on in flags.items() if on]


ACTIONS: Mapping[str, Action] = {
    "status": Action("mode, and what is wrong", _status, needs_password=False),
    "clock": Action("show the clock, or set it", _clock, "host, or the local time", optional=True, check=_clock_value),
    "reset": Action("reset demand", _reset),
    "self-read": Action("keep a self-read", _self_read),
    "season": Action("begin a season", _season, "1 to 4", check=_season_of),
    "test": Action("enter or leave test mode", _test, "on or off", check=_mode_of),
    "pending": Action("say which program waits", pending, needs_password=False),
    "activate-pending": Action(
        "activate the program that waits", of_pending(12, "activation of what waits", needs_one=True)
    ),
    "clear-pending": Action("take the program away that waits", of_pending(14, "clearing what waits", needs_one=False)),
    "mark-read": Action("mark self-reads, profile and log as read", _mark_read),
    "clear-status": Action("clear status flags", _clear_status, needs_password=False),
    "clear": Action("clear registers, demand and load profile", _plain(3, "clear data")),
    "cold-start": Action("begin as a new meter", _plain(0, "cold start")),
    "master-reset": Action("clear all that was registered and found", _own(1, "master reset")),
    "relay": Action("operate an output that does not pulse", _relay, "such as KYZ2:closed:5", check=_relay_of),
}
"""By name, in the order of a menu."""
