"""A port: its session, the meter's tables behind it, and the light it shares with the test LED (X-1, P-1). Pure.

The light of an optical port is the test LED's:

    the port                            the light
    has nothing to say                  the test LED's
    is to send, the light not its own   asked for; once a flash that is lit is over, sent
    communicates                        its own, asked for anew each RENEW_NS
    is done                             given back
    dies                                the test LED's after LENT_S

A meter that is not there, or speaks what this port does not, does not answer: the port is silent.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from rig.communication.c1218.session import Session, SessionNews
from rig.communication.c1218.settings import LinkSettings
from rig.communication.c1219.outcome import Outcome
from rig.communication.port.application import Application
from rig.daemon.protocol import Asked, ShareLight

RENEW_NS = 1_000_000_000
LENT_S = 3.0


class MeterAway(Exception):
    """The meter is not there, or does not answer: the session can only be dropped."""


class MeterSide(Protocol):
    """The meter, as a port needs it."""

    def begin(self) -> bool:
        """Get ready for a session; False: this meter does not have the port, or not its protocol."""
        ...

    def ask(self, asked: Asked) -> Outcome:
        """Ask, and wait. Raises MeterAway."""
        ...

    def tell(self, asked: Asked) -> None:
        """Ask, and wait for nothing."""
        ...


class Port:
    """One port, by `feed`, `tick` and `output` as a session; `next_ns` and `baud` are as there.

    `shares_light`: it is the optical port.
    """

    def __init__(self, settings: LinkSettings, meter: MeterSide, software: str, *, shares_light: bool) -> None:
        self.session = Session(settings)
        self._meter = meter
        self._application = Application(software, meter.ask)
        self._shares_light = shares_light
        self._renew_ns: int | None = None
        """When the light is to be asked for again; None: it is the test LED's."""
        self._dark_ns = 0

    @property
    def baud(self) -> int:
        """Bits a second that are in force."""
        return self.session.baud

    @property
    def speaks(self) -> bool:
        """True while there is something to go out, now or soon."""
        return self.session.speaks

    @property
    def next_ns(self) -> int | None:
        """Instant of the next thing to do, if no bytes come before."""
        instants = [] if (due := self.session.next_ns) is None else [max(due, self._dark_ns)]
        if self._renew_ns is not None:
            instants.append(self._renew_ns)
        return min(instants, default=None)

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take bytes that came from the line."""
        self.session.feed(data, now_ns)
        self._attend(now_ns)

    def tick(self, now_ns: int) -> None:
        """Let happen what is due."""
        self.session.tick(now_ns)
        self._attend(now_ns)

    def output(self, now_ns: int) -> bytes:
        """Take what is to go out now."""
        try:
            if self.session.speaks and self._shares_light and self._renew_ns is None:
                self._lend(now_ns)
        except MeterAway:
            self._drop()
        return self.session.output(now_ns) if now_ns >= self._dark_ns else b""

    def carry_out(self, now_ns: int) -> bool:
        """Carry out what the session asks of the meter, and wait for it; whether there was anything.

        Apart from `feed`, so that the acknowledgement of a request can go out before.
        """
        asked = self.session.pending
        if asked is None:
            return False
        try:
            code, data = self._application.carry_out(asked)
        except MeterAway:
            self._drop()
            return True
        self.session.answer(code, data, now_ns)
        self._attend(now_ns)
        return True

    def drop(self, now_ns: int) -> None:
        """End whatever goes on: the line has gone."""
        self.session.drop()
        self._attend(now_ns)

    def _attend(self, now_ns: int) -> None:
        try:
            self._hear(self.session.take_news())
            if self._renew_ns is not None:
                if not self.session.communicates:
                    self._renew_ns = None
                    self._meter.tell(ShareLight(0.0))
                elif now_ns >= self._renew_ns:
                    self._lend(now_ns)
        except MeterAway:
            self._drop()

    def _hear(self, news: list[SessionNews]) -> None:
        for each in news:
            match each:
                case SessionNews.BEGAN:
                    if not self._meter.begin():
                        raise MeterAway
                case SessionNews.LEVEL_DROPPED:
                    self._application.drop_level()
                case SessionNews.ENDED | SessionNews.BROKE_OFF:
                    note = self._application.take_note(ended=each is SessionNews.ENDED)
                    if note is not None:
                        self._meter.tell(note)

    def _lend(self, now_ns: int) -> None:
        outcome = self._meter.ask(ShareLight(LENT_S))
        self._renew_ns = now_ns + RENEW_NS
        if outcome.refused is None:
            self._dark_ns = now_ns + int(outcome.result["dark_ns"])

    def _drop(self) -> None:
        self.session.drop()
        self.session.take_news()
        self._renew_ns = None
        self._application.take_note(ended=False)
        with suppress(MeterAway):
            self._application.drop_level()
