"""A session of C12.18 or C12.21: its states, what is negotiated, and what is asked of the device (X-1). Pure.

    service          base        identified        logged on
    identify         identified  identified        isss
    negotiate        isss        identified        isss
    timing setup     isss        identified        isss          sns in C12.18
    log on           isss        logged on         isss
    security         isss        isss              logged on
    authenticate     isss        isss              logged on     sns at a port without a key
    read, write      isss        isss              logged on
    wait             isss        identified        logged on
    log off          isss        isss              identified
    terminate        base        base              base
    disconnect       base        base              base          sns in C12.18
    any other        sns         sns               sns

    no packet for the traffic time-out, or no ACK in three retries:  base, from any

Reads, writes, log on, security and authenticate are asked of whoever owns the device: `pending`, answered by `answer`;
at a port with a key an identify, too, whose answer has the ticket. All else is answered here. What is negotiated is in
force once the answer is acknowledged; in the base state nothing is.
An identify in a session does not keep that session alive: a client that was restarted comes in once it has timed out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from rig.communication.c1218.link import IDENTIFY, Link
from rig.communication.c1218.services import (
    Authenticate,
    Code,
    Disconnect,
    GivePassword,
    Identify,
    LogOffUser,
    LogOnUser,
    Negotiate,
    ReadTable,
    Service,
    ServiceError,
    Terminate,
    TimingSetup,
    Wait,
    WriteTable,
    parse,
    table_data,
)
from rig.communication.c1218.settings import BAUD_CODES, BAUDS, LEAST_SIZE, SECOND, LinkSettings

Pending = ReadTable | WriteTable | LogOnUser | GivePassword | Authenticate | Identify

_END, _TICKET = 0x00, 0x02
"""Features of identify: no more of them, and a ticket to authenticate by."""

_BY_TICKET, _DES = 0x01, 0x00
"""Type of authentication, and its algorithm."""

MOST_TABLE = 0xFFFF
"""Bytes that the count of a read can say."""


class SessionState(Enum):
    """State of a session."""

    BASE = "base"
    IDENTIFIED = "identified"
    LOGGED_ON = "logged on"


class SessionNews(Enum):
    """Event of a session, for whoever owns the port."""

    BEGAN = "began"
    """The base state was left: the port communicates."""
    LEVEL_DROPPED = "level dropped"
    """The session is over, and the level with it."""
    ENDED = "ended"
    """The base state, asked for."""
    BROKE_OFF = "broke off"
    """The base state, by a time-out or a packet that was never acknowledged."""
    HUNG_UP = "hung up"
    """A modem is to hang up."""


class Session:
    """The device's side of one port. Bytes and time in by `feed` and `tick`, bytes out by `output`.

    `next_ns` is when `tick` or `output` is next needed. `baud` is what the line is to have once `output` has gone.
    """

    def __init__(self, settings: LinkSettings) -> None:
        self.settings = settings
        self.state = SessionState.BASE
        self.pending: Pending | None = None
        self._link = Link(settings)
        self._news: deque[SessionNews] = deque()
        self._then: Callable[[], None] | None = None
        self._wait_ns = 0
        """Until then the traffic time-out waits at least, as the wait service has it."""
        self._heard_ns = 0

    @property
    def baud(self) -> int:
        """Bits a second that are in force."""
        return self._link.baud

    @property
    def next_ns(self) -> int | None:
        """Instant of the next thing to do, if no bytes come before."""
        instants = [] if self._link.next_ns is None else [self._link.next_ns]
        if self.state is not SessionState.BASE and self.pending is None:
            instants.append(self._traffic_ns)
        return min(instants, default=None)

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take bytes that came from the line."""
        self.tick(now_ns)
        self._link.feed(data, now_ns)
        self._attend(now_ns)

    def tick(self, now_ns: int) -> None:
        """Let time-outs happen that are due."""
        self._link.tick(now_ns)
        self._attend(now_ns)
        if self.state is not SessionState.BASE and self.pending is None and now_ns >= self._traffic_ns:
            self._break_off()

    def output(self, now_ns: int) -> bytes:
        """Take what is to go out now."""
        return self._link.output(now_ns)

    def answer(self, code: Code, data: bytes, now_ns: int) -> None:
        """Answer what is pending: the code, and of a read the table's data, of an identify the ticket, b"" for none, of
        authenticate what proves the key."""
        asked, self.pending = self.pending, None
        assert asked is not None, "nothing is asked"
        if code is Code.OK:
            match asked:
                case ReadTable() if len(data) > MOST_TABLE:
                    code = Code.ONP
                case ReadTable():
                    data = table_data(data)
                case Identify():
                    data = self._identity(data)
                case Authenticate(key_id):
                    data = bytes((1 + len(data), key_id)) + data
                case LogOnUser():
                    self.state = SessionState.LOGGED_ON
        self._send(code, data if code is Code.OK else b"", now_ns)
        self._attend(now_ns)

    @property
    def speaks(self) -> bool:
        """True while there is something to go out, now or after the pause of turning the line around."""
        return self._link.speaks

    @property
    def communicates(self) -> bool:
        """True from the first thing to be sent until the base state with all that was sent acknowledged."""
        return self.state is not SessionState.BASE or self._link.speaks or self._link.awaiting

    def drop(self) -> None:
        """Drop the session and what is to go out: nothing is behind it any more, or the line has gone."""
        self.pending = None
        self._break_off()
        self._link.drop_output()

    def take_news(self) -> list[SessionNews]:
        """Take what has happened since."""
        news = list(self._news)
        self._news.clear()
        return news

    # --- what comes -------------------------------------------------------------------------------------------

    @property
    def _traffic_ns(self) -> int:
        return max(self._heard_ns + self._link.timing.traffic_ns, self._wait_ns)

    def _attend(self, now_ns: int) -> None:
        link = self._link
        if link.failed:
            link.failed = False
            self._break_off()
        if link.acknowledged:
            link.acknowledged = False
            then, self._then = self._then, None
            if then is not None:
                then()
        before_ns, self._heard_ns = self._heard_ns, link.heard_ns
        while link.received and self.pending is None:
            message = link.received.popleft()
            self._wait_ns = 0
            try:
                if message is None:
                    raise ServiceError(Code.ERR)
                self._serve(parse(message), now_ns)
            except ServiceError as error:
                self._send(error.code, b"", now_ns)
                if message == bytes((IDENTIFY,)):
                    self._heard_ns = link.heard_ns = before_ns

    def _serve(self, service: Service, now_ns: int) -> None:
        self._check(service)
        match service:
            case Identify():
                if self.state is SessionState.BASE:
                    self._news.append(SessionNews.BEGAN)
                self.state = SessionState.IDENTIFIED
                if self.settings.authenticates:
                    self.pending = service
                else:
                    self._send(Code.OK, self._identity(b""), now_ns)
            case Negotiate():
                self._negotiate(service, now_ns)
            case TimingSetup():
                self._set_timing(service, now_ns)
            case Wait(seconds):
                self._wait_ns = now_ns + seconds * SECOND
                self._send(Code.OK, b"", now_ns)
            case LogOffUser():
                self._drop_level()
                self.state = SessionState.IDENTIFIED
                self._send(Code.OK, b"", now_ns)
            case Terminate() | Disconnect():
                self._end(SessionNews.ENDED)
                self._send(Code.OK, b"", now_ns, lambda: self._restore(isinstance(service, Disconnect)))
            case ReadTable(default=True):
                raise ServiceError(Code.SNS)
            case _:
                self.pending = service

    def _check(self, service: Service) -> None:
        """Raise ServiceError for what this state, or this port, does not have: the table above."""
        base, identified = self.state is SessionState.BASE, self.state is SessionState.IDENTIFIED
        match service:
            case Disconnect() | TimingSetup() if not self.settings.remote:
                raise ServiceError(Code.SNS)
            case Authenticate() if not self.settings.authenticates:
                raise ServiceError(Code.SNS)
            case Terminate() | Disconnect():
                allowed = True
            case Identify():
                allowed = base or identified
            case Negotiate() | TimingSetup() | LogOnUser():
                allowed = identified
            case Wait():
                allowed = not base
            case _:
                allowed = self.state is SessionState.LOGGED_ON
        if not allowed:
            raise ServiceError(Code.ISSS)

    def _identity(self, ticket: bytes) -> bytes:
        """Return standard, version, revision, and the features: authentication by a ticket, or none."""
        settings = self.settings
        feature = bytes((_TICKET, _BY_TICKET, _DES, len(ticket))) + ticket if ticket else b""
        return bytes((settings.standard, settings.version, settings.revision)) + feature + bytes((_END,))

    def _negotiate(self, asked: Negotiate, now_ns: int) -> None:
        settings, link = self.settings, self._link
        if asked.size < LEAST_SIZE or not asked.packets:
            raise ServiceError(Code.ERR)
        size, packets = min(asked.size, settings.most_size), min(asked.packets, settings.most_packets)
        common = [BAUDS[code] for code in asked.bauds if BAUDS.get(code) in settings.bauds]
        baud = max(common, default=link.baud)

        def agreed() -> None:
            link.size, link.packets, link.baud = size, packets, baud

        data = size.to_bytes(2, "big") + bytes((packets,)) + (bytes((BAUD_CODES[baud],)) if asked.bauds else b"")
        self._send(Code.OK, data, now_ns, agreed)

    def _set_timing(self, asked: TimingSetup, now_ns: int) -> None:
        link = self._link
        if not asked.traffic_s or not asked.inter_character_s or not asked.response_s:
            raise ServiceError(Code.ERR)

        def agreed() -> None:
            link.timing = replace(
                link.timing,
                traffic_ns=asked.traffic_s * SECOND,
                inter_character_ns=asked.inter_character_s * SECOND,
                response_ns=asked.response_s * SECOND,
                retries=asked.retries,
            )

        same = bytes((asked.traffic_s, asked.inter_character_s, asked.response_s, asked.retries))
        self._send(Code.OK, same, now_ns, agreed)

    # --- what goes --------------------------------------------------------------------------------------------

    def _send(self, code: Code, data: bytes, now_ns: int, then: Callable[[], None] | None = None) -> None:
        """Send an answer; `then` is done once it is acknowledged. One that is too long for what was agreed is `onp`."""
        if 1 + len(data) > self._link.most:
            code, data, then = Code.ONP, b"", None
        self._then = then
        self._link.send(bytes((code,)) + data, now_ns)
        self._heard_ns = self._link.heard_ns

    def _drop_level(self) -> None:
        if self.state is SessionState.LOGGED_ON:
            self._news.append(SessionNews.LEVEL_DROPPED)

    def _end(self, why: SessionNews) -> None:
        """Go to the base state, whatever is still on its way."""
        self._drop_level()
        if self.state is not SessionState.BASE:
            self._news.append(why)
        self.state = SessionState.BASE

    def _restore(self, hang_up: bool) -> None:
        self._link.restore()
        if hang_up:
            self._news.append(SessionNews.HUNG_UP)

    def _break_off(self) -> None:
        self._end(SessionNews.BROKE_OFF)
        self._then = None
        self._link.restore()
