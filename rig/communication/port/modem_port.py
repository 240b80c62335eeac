"""A port behind a Hayes modem: sessions of C12.21 while a call lasts, and nothing before or after (X-3). Pure.

What comes between two calls is the modem's. A call that ends, however it does, drops the session and its level.
"""

from __future__ import annotations

from collections.abc import Callable

from rig.communication.c1218.session import SessionNews
from rig.communication.c1218.settings import LinkSettings
from rig.communication.c1219.telephone import CallWindow, ModemFacts
from rig.communication.modem.modem import Modem
from rig.communication.modem.settings import DAY_MIN, ModemSettings, Window
from rig.communication.port.meter_side import MeterSide
from rig.communication.port.port import Port


class ModemPort:
    """One port, used as Port is; `local_ns` gives the local time of an instant, ns since 1970.

    The speed between meter and modem is the settings' own: what two modems agree on is theirs.
    """

    communicates = True
    """There is always a modem to be attended to."""

    def __init__(
        self,
        settings: LinkSettings,
        modem: ModemSettings,
        meter: MeterSide,
        software: str,
        local_ns: Callable[[int], int],
        now_ns: int,
    ) -> None:
        self.port = Port(settings, meter, software, shares_light=False, modem=self.facts)
        self.modem = Modem(modem, local_ns, now_ns)
        self.baud = settings.baud
        self._address = settings.address

    def facts(self) -> ModemFacts:
        """Give the facts of the modem, for its tables."""
        modem, settings = self.modem, self.modem.settings
        return ModemFacts(
            numbers=settings.numbers,
            statuses=tuple(modem.statuses[number].value for number in settings.numbers) or (0,),
            prefix=settings.prefix,
            answers=not settings.call_back,
            setup=settings.setup,
            rings=0 if settings.call_back else settings.rings,
            rings_outside=0 if settings.call_back else settings.rings_outside,
            lockout_calls=settings.lockout_calls,
            lockout_minutes=-(-settings.lockout_s // 60),
            answer_windows=tuple(map(_window, settings.answer_windows)),
            originate_windows=tuple(map(_window, settings.originate_windows)),
            calls_a_day=len(settings.schedule),
            events=len(settings.events),
            identity=self._address,
        )

    @property
    def speaks(self) -> bool:
        """True while a session has something to go out, now or soon."""
        return self.modem.connected and self.port.speaks

    @property
    def next_ns(self) -> int | None:
        """Instant of the next thing to do, if no bytes come before."""
        instants = [self.modem.next_ns, self.port.next_ns if self.modem.connected else None]
        return min((each for each in instants if each is not None), default=None)

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take bytes that came from the modem."""
        heard = self.modem.feed(data, now_ns)
        self._attend(now_ns)
        if heard and self.modem.connected:
            self.port.feed(heard, now_ns)
            self._attend(now_ns)

    def tick(self, now_ns: int) -> None:
        """Let happen what is due."""
        self.modem.tick(now_ns)
        self._attend(now_ns)
        if self.modem.connected:
            self.port.tick(now_ns)
            self._attend(now_ns)

    def output(self, now_ns: int) -> bytes:
        """Take what is to go out now, to the modem or through it."""
        if self.modem.connected:
            self.modem.say(self.port.output(now_ns), now_ns)
        return self.modem.output(now_ns)

    def carry_out(self, now_ns: int) -> bool:
        """Carry out what the session asks of the meter, and wait for it; whether there was anything."""
        done = self.modem.connected and self.port.carry_out(now_ns)
        self._attend(now_ns)
        return done

    def carrier(self, there: bool, now_ns: int) -> None:
        """Take in the modem's carrier wire."""
        self.modem.carrier(there, now_ns)
        self._attend(now_ns)

    def drop(self, now_ns: int) -> None:
        """End whatever goes on: the line to the modem has gone."""
        self.port.drop(now_ns)
        self.modem.lose_line(now_ns)
        self._attend(now_ns)

    def _attend(self, now_ns: int) -> None:
        if self.port.level:
            self.modem.proven()
        ends = self.port.take_ends()
        if SessionNews.ENDED in ends:
            self.modem.completed()
        if SessionNews.HUNG_UP in ends:
            self.modem.hang_up(now_ns)
        if self.modem.take_ended():
            self.port.drop(now_ns)


def _window(window: Window) -> CallWindow:
    """Give a window as tables have it; one that ends where it begins is the whole day."""
    return CallWindow(window.begin, (window.end - window.begin) % DAY_MIN or DAY_MIN)
