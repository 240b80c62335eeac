"""The outputs that do not pulse: closed while their function holds, open otherwise (P-3, P-4, D-5).

What closes each is in its class: a TimedOutput, such as end of interval, by events; a StateOutput, such as load
control, by rate and test mode; an Alert by what is judged once a second. What comes to each, and what it becomes:

    function         is      what comes                            becomes
    end of interval  open    an end of interval                    closed
    end of interval  closed  an end of interval                    closed
    end of interval  closed  closed_s after the last one           open
    load control     open    one of its rates                      closed
    load control     closed  another rate                          open
    load control     closed  test mode                             open
    load control     open    one of its rates in test mode         open
    load control     open    end of test mode in one of its rates  closed
    load control     open    end of test mode in another rate      open
    alert            open    threshold exceeded                    closed
    alert            open    threshold not exceeded                open
    alert            open    nothing to judge                      open
    alert            closed  threshold exceeded                    closed
    alert            closed  threshold not exceeded                open
    alert            closed  nothing to judge                      open

Ends of interval are of every cause: the interval's time, entering and leaving test mode, demand resets, a clock set,
a clear. A rate is one in force, forced or by the calendar. What happens at one instant counts as a whole, so no contact
opens and closes in no time. `closed_s` is by the board's crystal: no clock that is set or slewed changes any of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from rig.meter.billing.events import RateChanged, RateForced, RateReleased, TestModeBegan, TestModeEnded
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.alert_inputs import AlertInputs
from rig.meter.contacts.functions import Alert, LevelEvent, LevelOutput, StateOutput, TimedOutput
from rig.meter.contacts.outputs import OutputId


@dataclass(frozen=True, slots=True)
class ContactChange:
    """An output closes to K–Y at an instant, in ticks on the meter's timeline, or opens."""

    tick: int
    output: OutputId
    closed: bool


@dataclass
class LevelState:
    """State of LevelOutputs: ticks at which timed ones open, rate and test mode as followed, what is closed."""

    opens: dict[OutputId, int]
    rate: Rate
    test_mode: bool
    closed: dict[OutputId, bool]


class LevelOutputs:
    """All such outputs of a meter on a board of `tick_hz`. `begin` tells the state of each, then only changes are.

    Instants are ticks, none before the last one given. Changes come in order of time.
    """

    def __init__(self, outputs: Sequence[LevelOutput], tick_hz: Fraction) -> None:
        self._tick_hz = tick_hz
        self._timed = [output for output in outputs if isinstance(output, TimedOutput)]
        self._by_state = [output for output in outputs if isinstance(output, StateOutput)]
        self._alerts = [output for output in outputs if isinstance(output, Alert)]
        self._opens: dict[OutputId, int] = {}
        self._rate = Rate.A
        self._test_mode = False
        self.closed = {output.id: False for output in outputs}

    def begin(self, tick: int, rate: Rate, test_mode: bool) -> list[ContactChange]:
        """Begin, and return the state of each: nothing has ended or been judged yet, but a rate is in force."""
        self._rate, self._test_mode = rate, test_mode
        self._go_by_state(tick)
        return [ContactChange(tick, id, closed) for id, closed in self.closed.items()]

    @property
    def state(self) -> LevelState:
        """State to continue from."""
        return LevelState(dict(self._opens), self._rate, self._test_mode, dict(self.closed))

    def resume(self, state: LevelState) -> None:
        """Go on from there, programmed alike."""
        self._opens, self._rate, self._test_mode = dict(state.opens), state.rate, state.test_mode
        self.closed |= {id: closed for id, closed in state.closed.items() if id in self.closed}

    def advance(self, happened: Iterable[tuple[int, LevelEvent]], until: int) -> list[ContactChange]:
        """Advance by events, each at its tick, and by the time up to `until`, which is not before the last of them."""
        changes: list[ContactChange] = []
        for tick, together in groupby(happened, key=lambda each: each[0]):
            changes += self._open_before(tick)
            events = [event for _, event in together]
            for event in events:
                self._follow(event)
            for output in self._timed:
                if seconds := max(map(output.closes_for_s, events)):
                    self._opens[output.id] = max(self._opens.get(output.id, 0), tick + self._ticks(seconds))
                    changes += self._become(tick, output.id, True)
            changes += self._go_by_state(tick)
        changes += self._open_before(until + 1)
        return changes

    def judge(self, tick: int, second: AlertInputs) -> list[ContactChange]:
        """Alerts, by the second that ends here."""
        changes: list[ContactChange] = []
        for alert in self._alerts:
            changes += self._become(tick, alert.id, alert.exceeded(second) or False)
        return changes

    def _ticks(self, seconds: int) -> int:
        """No fewer than so many seconds have."""
        return -(-seconds * self._tick_hz.numerator // self._tick_hz.denominator)

    def _follow(self, event: LevelEvent) -> None:
        match event:
            case RateChanged() | RateForced() | RateReleased():
                self._rate = event.rate
            case TestModeBegan():
                self._test_mode = True
            case TestModeEnded():
                self._test_mode = False

    def _go_by_state(self, tick: int) -> list[ContactChange]:
        changes: list[ContactChange] = []
        for output in self._by_state:
            changes += self._become(tick, output.id, output.closed(self._rate, self._test_mode))
        return changes

    def _open_before(self, tick: int) -> list[ContactChange]:
        """Those whose time is over before a tick."""
        over = [(opens, id) for id, opens in self._opens.items() if opens < tick]
        changes: list[ContactChange] = []
        for opens, id in sorted(over, key=lambda each: (each[0], each[1].label)):
            del self._opens[id]
            changes += self._become(opens, id, False)
        return changes

    def _become(self, tick: int, id: OutputId, closed: bool) -> list[ContactChange]:
        if self.closed[id] == closed:
            return []
        self.closed[id] = closed
        return [ContactChange(tick, id, closed)]
