"""A port that speaks C12.18 or C12.21: its session, and the meter's tables behind it (X-1). Pure.

A meter that is not there does not answer: the port is silent.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from rig.communication.c1218.session import Session, SessionNews
from rig.communication.c1218.settings import LinkSettings
from rig.communication.c1219.telephone import ModemFacts
from rig.communication.port.application import Application
from rig.communication.port.light import SharedLight
from rig.communication.port.meter_side import MeterAway, MeterSide


class Port:
    """One port, by `feed`, `tick` and `output` as a session; `next_ns` and `baud` are as there.

    `shares_light`: it is the optical port.
    """

    def __init__(
        self,
        settings: LinkSettings,
        meter: MeterSide,
        software: str,
        *,
        shares_light: bool,
        modem: Callable[[], ModemFacts | None] = lambda: None,
    ) -> None:
        self.session = Session(settings)
        self._meter = meter
        self._application = Application(software, meter.ask, modem)
        self._light = SharedLight(meter, shared=shares_light)
        self._ends: set[SessionNews] = set()

    @property
    def baud(self) -> int:
        """Bits a second that are in force."""
        return self.session.baud

    @property
    def level(self) -> int:
        """Level that the session has proven."""
        return self._application.level

    def take_ends(self) -> frozenset[SessionNews]:
        """Take how sessions have ended since, as they should or not, and whether a modem is to hang up."""
        ends, self._ends = frozenset(self._ends), set()
        return ends

    @property
    def speaks(self) -> bool:
        """True while there is something to go out, now or soon."""
        return self.session.speaks

    @property
    def communicates(self) -> bool:
        """True until the base state, and all that was sent acknowledged."""
        return self.session.communicates

    @property
    def next_ns(self) -> int | None:
        """Instant of the next thing to do, if no bytes come before."""
        instants = [] if (due := self.session.next_ns) is None else [max(due, self._light.dark_ns)]
        if self._light.renew_ns is not None:
            instants.append(self._light.renew_ns)
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
            if self.session.speaks and self._light.take(now_ns):
                return self.session.output(now_ns)
        except MeterAway:
            self._drop()
        return b""

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
            self._light.attend(now_ns, communicates=self.communicates)
        except MeterAway:
            self._drop()

    def _hear(self, news: list[SessionNews]) -> None:
        for each in news:
            match each:
                case SessionNews.BEGAN:
                    if not self._meter.begin():
                        raise MeterAway
                case SessionNews.HUNG_UP:
                    self._ends.add(each)
                case SessionNews.LEVEL_DROPPED:
                    self._application.drop_level()
                case SessionNews.ENDED | SessionNews.BROKE_OFF:
                    self._ends.add(each)
                    note = self._application.take_note(ended=each is SessionNews.ENDED)
                    if note is not None:
                        self._meter.tell(note)

    def _drop(self) -> None:
        self.session.drop()
        self.session.take_news()
        self._light.forget()
        self._application.take_note(ended=False)
        with suppress(MeterAway):
            self._application.drop_level()
