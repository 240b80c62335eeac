"""A meter's side of a Hayes modem: set up, answered, called, hung up, whatever the modem or the line does (X-3). Pure.

    state       event                                        does                            becomes
    setting up  OK, more strings                             the next string                 setting up
    setting up  OK, no more                                                                  idle
    setting up  ERROR, or nothing for COMMAND_NS, tries left the first string again          setting up
    setting up  either, none left                            DTR off                         resting
    any         the line to the modem has gone               the session is dropped          setting up
    resting     REST_NS                                      DTR on, the first string        setting up
    idle        RING, not yet as many as the hour asks for   counts it                       idle
    idle        RING, as many, no lock-out                   ATA                             answering
    idle        no RING for RINGS_END_NS                     counts from none; a call-back   idle
    idle        a call is due, no RING is counted            dials                           dialling
    idle        CONNECT                                      nobody asked for it             hanging up
    answering   CONNECT                                                                      connected
    answering   any other result, or CARRIER_NS                                              hanging up
    dialling    CONNECT                                      the call has come about         connected
    dialling    BUSY, NO …, ERROR, OK, or CARRIER_NS         the call has failed             hanging up
    dialling    RING                                         nothing: somebody else calls    dialling
    connected   NO CARRIER, carrier off, or an echo          the session is dropped          hanging up
    connected   the session is to end, idle_s, longest_s     the session is dropped          hanging up
    hanging up  GUARD_NS of silence                          +++                             escaping
    escaping    OK, or ESCAPE_NS                             ATH0                            releasing
    releasing   any result, or COMMAND_NS                    the first string                setting up

Results in any other state are nothing. In the connected state all that comes is data, `+++` too: a modem escapes for a
pause on its meter's side, not on the caller's, and the meter pauses only to hang up. A carrier that is lost is known
from the modem's wire, or from `NO CARRIER` on a line of its own after which nothing comes for GUARD_NS: in a packet its
checksum follows. A modem that gives back what the meter says, word for word, is in command state and echoes: its
carrier is lost, too, whether it has said so or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rig.communication.modem.results import Result, ResultReader
from rig.communication.modem.schedule import CallSchedule, Cause
from rig.communication.modem.settings import DAY_MIN, SECOND, ModemSettings
from rig.meter.billing.time_units import DAY_NS, MINUTE_NS

COMMAND_NS = 3 * SECOND
CARRIER_NS = 60 * SECOND
"""Time for two modems to agree, S7's usual value and some."""

RINGS_END_NS = 8 * SECOND
"""Rings come each six seconds or less."""

REST_NS = 30 * SECOND
GUARD_NS = 1_200_000_000
"""S12 is 50 fiftieths of a second."""

ESCAPE_NS = 2 * SECOND
SETUP_TRIES = 3

LEAST_ECHO = 9
"""Bytes of the shortest packet that is no acknowledgement."""

LOST = b"\r\nNO CARRIER\r\n"


class ModemState(Enum):
    """State of the modem."""

    SETTING_UP = "setting up"
    RESTING = "resting"
    IDLE = "idle"
    ANSWERING = "answering"
    DIALLING = "dialling"
    CONNECTED = "connected"
    HANGING_UP = "hanging up"
    ESCAPING = "escaping"
    RELEASING = "releasing"


class CallStatus(Enum):
    """Status of the last call out, as ST97 numbers it."""

    NONE = 0
    DIALLING = 2
    WAITING = 3
    COMMUNICATING = 4
    COMPLETED = 5
    NOT_COMPLETED = 6
    BUSY = 7
    NO_DIALTONE = 8
    LINE_CUT = 9
    NO_CONNECTION = 10
    NO_MODEM = 11


_FAILURES = {
    Result.BUSY: CallStatus.BUSY,
    Result.NO_DIALTONE: CallStatus.NO_DIALTONE,
    Result.NO_CARRIER: CallStatus.NO_CONNECTION,
    Result.NO_ANSWER: CallStatus.NO_CONNECTION,
    Result.ERROR: CallStatus.NO_MODEM,
    Result.OK: CallStatus.NO_CONNECTION,
}


@dataclass
class Counts:
    """Calls since the modem was switched on: answered, made, and answered ones in a row that proved no level."""

    answered: int = 0
    made: int = 0
    unproven: int = 0


class Modem:
    """The modem at a port. `next_ns` is when `tick` is next needed; `local_ns` gives the local time of an instant.

    Bytes of the line come by `feed`, which gives those that are a session's; `output` has commands. While `connected`,
    what a session sends goes by `say`. `take_ended` says that a call is over, so that its session is dropped. `dtr` is
    what the modem's DTR wire is to be.
    """

    def __init__(self, settings: ModemSettings, local_ns: Callable[[int], int], now_ns: int) -> None:
        self.settings = settings
        self.counts = Counts()
        self.statuses = dict.fromkeys(settings.numbers, CallStatus.NONE)
        self._number: str | None = None
        """That was called last."""
        self._status = CallStatus.NONE
        self.dtr = True
        self.schedule = CallSchedule(settings, local_ns(now_ns))
        self._local_ns = local_ns
        self._reader = ResultReader()
        self._output = bytearray()
        self._ended = False
        self._came_in = self._proven = self._completed = False
        self._rings = 0
        self._ring_ns = 0
        self._locked_ns = 0
        """No call is answered before."""
        self._tail = self._echo = b""
        self._echoed = 0
        self._begun_ns = self._said_ns = 0
        self._tries = 0
        self._strings: list[str] = []
        self.state = ModemState.SETTING_UP
        self._due_ns: int | None = None
        self._set_up(now_ns, tries=0)

    @property
    def status(self) -> CallStatus:
        """Status of the last call out, or of the modem if it does not answer."""
        return self._status

    @status.setter
    def status(self, status: CallStatus) -> None:
        self._status = status
        if self._number is not None:
            self.statuses[self._number] = status

    @property
    def connected(self) -> bool:
        """True while a session can be held."""
        return self.state is ModemState.CONNECTED

    @property
    def next_ns(self) -> int | None:
        """Instant of the next thing to do, if no bytes come before."""
        instants = [] if self._due_ns is None else [self._due_ns]
        if self.state is ModemState.IDLE and self._rings:
            instants.append(self._ring_ns + RINGS_END_NS)
        now_local = self._local_ns(self._said_ns)
        if self.state is ModemState.IDLE and (due := self.schedule.next_ns(now_local)) is not None:
            instants.append(self._said_ns + due - now_local)
        return min(instants, default=None)

    def call(self, cause: Cause, now_ns: int) -> None:
        """Have a call due."""
        self.schedule.ask(cause, self._local_ns(now_ns))
        self.tick(now_ns)

    def proven(self) -> None:
        """Take in that the session has proven a level: the call is nobody's guess."""
        self._proven = True

    def completed(self) -> None:
        """Take in that a session has ended as it should: however the call ends now, it was completed."""
        self._completed = True

    def feed(self, data: bytes, now_ns: int) -> bytes:
        """Take bytes of the line; give the session's among them."""
        self.tick(now_ns)
        if self.connected:
            return self._data(data, now_ns)
        results, rest = self._reader.feed(data)
        for result in results:
            self._hear(result, now_ns)
        return self._data(rest, now_ns) if self.connected and rest else b""

    def say(self, data: bytes, now_ns: int) -> None:
        """Send what a session says."""
        if self.connected and data:
            self._output += data
            self._echo, self._echoed = data, 0
            self._said_ns = now_ns
            if self._tail != LOST:
                self._due_ns = self._call_ends_ns

    def hang_up(self, now_ns: int) -> None:
        """End a call in good order: what is still to go out goes before."""
        if self.connected:
            self._end_call(CallStatus.COMPLETED, now_ns)

    def carrier(self, there: bool, now_ns: int) -> None:
        """Take in the modem's carrier wire."""
        if self.connected and not there:
            self._end_call(CallStatus.LINE_CUT, now_ns)

    def lose_line(self, now_ns: int) -> None:
        """Begin anew: the line to the modem has gone, and what it was doing with it."""
        if self.connected:
            self._end_call(CallStatus.LINE_CUT, now_ns)
        elif self.state is ModemState.DIALLING:
            self.schedule.failed(self._local_ns(now_ns))
        self._output.clear()
        self._set_up(now_ns, tries=0)

    def output(self, now_ns: int) -> bytes:
        """Take what is to go out now."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def take_ended(self) -> bool:
        """Say whether a call has ended since."""
        ended, self._ended = self._ended, False
        return ended

    def tick(self, now_ns: int) -> None:
        """Let happen what is due."""
        if self.state is ModemState.IDLE:
            self._said_ns = now_ns
            self._attend(now_ns)
        if self._due_ns is None or now_ns < self._due_ns:
            return
        match self.state:
            case ModemState.SETTING_UP:
                self._again(now_ns)
            case ModemState.RESTING:
                self.dtr = True
                self._set_up(now_ns, tries=0)
            case ModemState.ANSWERING | ModemState.DIALLING:
                self._not_connected(CallStatus.NO_CONNECTION, now_ns)
            case ModemState.CONNECTED if self._tail == LOST:
                self._end_call(CallStatus.LINE_CUT, now_ns)
            case ModemState.CONNECTED:
                self._end_call(CallStatus.NOT_COMPLETED, now_ns)
            case ModemState.HANGING_UP:
                self._send("+++", ModemState.ESCAPING, ESCAPE_NS, now_ns, end=b"")
            case ModemState.ESCAPING:
                self._send("ATH0", ModemState.RELEASING, COMMAND_NS, now_ns)
            case ModemState.RELEASING:
                self._set_up(now_ns, tries=0)

    # --- idle -------------------------------------------------------------------------------------------------

    def _attend(self, now_ns: int) -> None:
        local_ns = self._local_ns(now_ns)
        if self._rings and now_ns >= self._ring_ns + RINGS_END_NS:
            wanted, rings = self.settings.rings_at(_minute(local_ns)), self._rings
            self._rings = 0
            if self.settings.call_back and wanted and rings >= wanted:
                self.schedule.ask(Cause.CALL_BACK, local_ns)
        self.schedule.look(local_ns)
        if not self._rings and self.schedule.ready(local_ns):
            self._came_in = False
            self._number = self.schedule.number
            self.status = CallStatus.DIALLING
            self._send(f"{self.settings.prefix}{self.schedule.number}", ModemState.DIALLING, CARRIER_NS, now_ns)

    def _ring(self, now_ns: int) -> None:
        self._rings += 1
        self._ring_ns = now_ns
        wanted = self.settings.rings_at(_minute(self._local_ns(now_ns)))
        if wanted and self._rings >= wanted and not self.settings.call_back and now_ns >= self._locked_ns:
            self._came_in = True
            self._send("ATA", ModemState.ANSWERING, CARRIER_NS, now_ns)

    # --- results ----------------------------------------------------------------------------------------------

    def _hear(self, result: Result, now_ns: int) -> None:
        match self.state, result:
            case ModemState.SETTING_UP, Result.OK:
                self._next_string(now_ns)
            case ModemState.SETTING_UP, Result.ERROR:
                self._again(now_ns)
            case ModemState.IDLE, Result.RING:
                self._ring(now_ns)
            case ModemState.IDLE, Result.CONNECT:
                self._hang_up(now_ns)
            case ((ModemState.ANSWERING | ModemState.DIALLING), Result.CONNECT):
                self._connect(now_ns)
            case ((ModemState.ANSWERING | ModemState.DIALLING), Result.RING):
                pass
            case ((ModemState.ANSWERING | ModemState.DIALLING), _):
                self._not_connected(_FAILURES[result], now_ns)
            case ModemState.ESCAPING, Result.OK:
                self._send("ATH0", ModemState.RELEASING, COMMAND_NS, now_ns)
            case ModemState.RELEASING, (Result.OK | Result.ERROR | Result.NO_CARRIER):
                self._set_up(now_ns, tries=0)

    def _connect(self, now_ns: int) -> None:
        self.state = ModemState.CONNECTED
        self._rings = 0
        self._tail = self._echo = b""
        self._proven = self._completed = False
        self._begun_ns = self._said_ns = now_ns
        self._due_ns = self._call_ends_ns
        if self._came_in:
            self.counts.answered += 1
        else:
            self.counts.made += 1
            self.status = CallStatus.COMMUNICATING
            self.schedule.came_about()

    def _not_connected(self, status: CallStatus, now_ns: int) -> None:
        if not self._came_in:
            self.status = status
            self.schedule.failed(self._local_ns(now_ns))
        self._hang_up(now_ns)

    # --- a call -----------------------------------------------------------------------------------------------

    @property
    def _call_ends_ns(self) -> int:
        settings = self.settings
        return min(self._said_ns + settings.idle_s * SECOND, self._begun_ns + settings.longest_s * SECOND)

    def _data(self, data: bytes, now_ns: int) -> bytes:
        self._tail = (self._tail + data)[-len(LOST) :]
        self._due_ns = now_ns + GUARD_NS if self._tail == LOST else self._call_ends_ns
        if self._is_echo(data):
            self._end_call(CallStatus.LINE_CUT, now_ns)
            return b""
        return data

    def _is_echo(self, data: bytes) -> bool:
        """Say whether what comes is, from its first byte on, all that was said last."""
        expected = self._echo[self._echoed : self._echoed + len(data)]
        if not data.startswith(expected) or not expected:
            self._echo = b""
            return False
        self._echoed += len(expected)
        return self._echoed == len(self._echo) and len(self._echo) >= LEAST_ECHO

    def _end_call(self, status: CallStatus, now_ns: int) -> None:
        if not self._came_in:
            self.status = CallStatus.COMPLETED if self._completed else status
        self._hang_up(now_ns)

    def _hang_up(self, now_ns: int) -> None:
        """End what there is of a call: its session, and the line."""
        if self.connected:
            self._ended = True
            self._judge(now_ns)
        self.state = ModemState.HANGING_UP
        self._reader.clear()
        self._due_ns = now_ns + GUARD_NS

    def _judge(self, now_ns: int) -> None:
        """Count an answered call that proved nothing; too many in a row lock callers out."""
        if not self._came_in:
            return
        self.counts.unproven = 0 if self._proven else self.counts.unproven + 1
        settings = self.settings
        if settings.lockout_calls and self.counts.unproven >= settings.lockout_calls:
            self._locked_ns = now_ns + settings.lockout_s * SECOND
            self.counts.unproven = 0

    # --- commands ---------------------------------------------------------------------------------------------

    def _send(self, command: str, state: ModemState, for_ns: int, now_ns: int, end: bytes = b"\r") -> None:
        self._output += command.encode("ascii") + end
        self._reader.clear()
        self.state, self._due_ns = state, now_ns + for_ns

    def _set_up(self, now_ns: int, tries: int) -> None:
        self._tries, self._strings = tries, list(self.settings.setup)
        self._rings = 0
        self._next_string(now_ns)

    def _next_string(self, now_ns: int) -> None:
        if self._strings:
            self._send(self._strings.pop(0), ModemState.SETTING_UP, COMMAND_NS, now_ns)
        else:
            self.state, self._due_ns = ModemState.IDLE, None
            self._said_ns = now_ns

    def _again(self, now_ns: int) -> None:
        if self._tries + 1 < SETUP_TRIES:
            self._set_up(now_ns, tries=self._tries + 1)
            return
        self.status = CallStatus.NO_MODEM
        self.dtr = False
        self.state, self._due_ns = ModemState.RESTING, now_ns + REST_NS


def _minute(local_ns: int) -> int:
    return local_ns % DAY_NS // MINUTE_NS % DAY_MIN
