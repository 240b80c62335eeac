"""The outputs that do not pulse: closed while they have something to say, open otherwise (P-3, P-4, D-5).

What comes to each, and what it becomes; alerts are judged once a second (rig/meter/contacts/alerts.py):

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
    alert            open    beyond its level                      closed
    alert            open    within its level                      open
    alert            open    nothing to judge                      open
    alert            closed  beyond its level                      closed
    alert            closed  within its level                      open
    alert            closed  nothing to judge                      open

Ends of interval are of every cause: the interval's time, entering and leaving test mode, demand resets, a clock set.
A rate is one in force, forced or by the calendar. What happens at one instant counts as a whole, so no contact opens
and closes in no time. `closed_s` is by the board's crystal: a clock that is set, or slewed, changes nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from rig.meter.billing.events import (
    EndOfInterval,
    RateChanged,
    RateForced,
    RateReleased,
    TestModeBegan,
    TestModeEnded,
)
from rig.meter.billing.log import LogEvent
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.alerts import AlertInputs, beyond
from rig.meter.contacts.functions import EndOfIntervalOutput, LevelOutput, LoadControlOutput
from rig.meter.contacts.outputs import OutputId

LevelEvent = LogEvent | EndOfInterval
"""What of all that happens contacts go by."""


@dataclass(frozen=True, slots=True)
class ContactChange:
    """An output closes to K–Y at an instant, in ticks on the meter's timeline, or opens."""

    tick: int
    output: OutputId
    closed: bool


class LevelOutputs:
    """All such outputs of a meter on a board of `tick_hz`. `begin` tells the state of each, then only changes are.

    Instants are ticks, none before the last one given. Changes come in order of time.
    """

    def __init__(self, outputs: Sequence[LevelOutput], tick_hz: Fraction) -> None:
        self._outputs = tuple(outputs)
        self._intervals = {
            output.id: -(-output.closed_s * tick_hz.numerator // tick_hz.denominator)
            for output in outputs
            if isinstance(output, EndOfIntervalOutput)
        }
        self._opens: dict[OutputId, int] = {}
        self._rate = Rate.A
        self._test_mode = False
        self.closed = {output.id: False for output in outputs}

    def begin(self, tick: int, rate: Rate, test_mode: bool) -> list[ContactChange]:
        """What each is from here on: nothing has ended or been judged yet, but a rate is in force."""
        self._rate, self._test_mode = rate, test_mode
        self._control_loads(tick)
        return [ContactChange(tick, id, closed) for id, closed in self.closed.items()]

    def advance(self, happened: Iterable[tuple[int, LevelEvent]], until: int) -> list[ContactChange]:
        """What happened, each at its tick, and the time up to `until`, which is not before the last of it."""
        changes: list[ContactChange] = []
        for tick, together in groupby(happened, key=lambda each: each[0]):
            changes += self._open_before(tick)
            ended = False
            for _, happening in together:
                if isinstance(happening, EndOfInterval):
                    ended = True
                else:
                    self._follow(happening)
            if ended:
                for id, ticks in self._intervals.items():
                    self._opens[id] = tick + ticks
                    changes += self._become(tick, id, True)
            changes += self._control_loads(tick)
        changes += self._open_before(until + 1)
        return changes

    def judge(self, tick: int, seen: AlertInputs) -> list[ContactChange]:
        """Alerts, by the second that ends here."""
        changes: list[ContactChange] = []
        for output in self._outputs:
            if not isinstance(output, EndOfIntervalOutput | LoadControlOutput):
                changes += self._become(tick, output.id, beyond(output, seen) or False)
        return changes

    def _follow(self, event: LogEvent) -> None:
        match event:
            case RateChanged() | RateForced() | RateReleased():
                self._rate = event.rate
            case TestModeBegan():
                self._test_mode = True
            case TestModeEnded():
                self._test_mode = False

    def _control_loads(self, tick: int) -> list[ContactChange]:
        changes: list[ContactChange] = []
        for output in self._outputs:
            if isinstance(output, LoadControlOutput):
                changes += self._become(tick, output.id, self._rate in output.rates and not self._test_mode)
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
