"""Random hands on the front of a meter with a load, contacts bouncing: the session, and an account kept beside it.

Pins, debouncing, front and billing are the real ones; what takes their place in a service is only the loop. Energy
comes as it does there: behind the hands by LAG_NS, so that some of what they ask is in the past and some to come.
"""

from __future__ import annotations

import random
import tomllib
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from drivers.sim.hands import Hands
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from drivers.switches import RawEdge, Switches
from rig.files.strict_toml import convert
from rig.meter.billing.billing import Billing, MeterEvent
from rig.meter.billing.commands import Action
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import TestModeBegan, TestModeEnded
from rig.meter.billing.log import LogEvent
from rig.meter.front import modes
from rig.program import schema
from rig.program.build import Program, build
from rig.program.displayed_nameplate import displayed_nameplate
from rig.service.front_panel import FrontPanel

MS = 1_000_000
SECOND = 1000 * MS
MINUTE = 60 * SECOND
T0 = 1_782_918_000 * SECOND
"""A whole hour, UTC."""

LAG_NS = 120 * MS
LATEST_NS = 250 * MS
"""From a hand to what billing makes of it: bounce, debouncing, and a poll."""

RATES = (0, 1, 2, 3, 5)
"""nWh a ns: 2 are 7.2 kW. Whole ones, so that energy can be cut at any ns."""

PROGRAM = """
[demand]
interval_minutes = 1
allow_short_interval = true

[test_mode]
minutes = 1

[display]
scroll_seconds = 6
"""

PINS = {"scroll": 5, "magnet": 6, "reset": 13, "test": 19, "cover": 26}
OFTEN = {"scroll": 4, "magnet": 3, "reset": 1, "test": 3, "cover": 2}


def program() -> Program:
    return build(convert(tomllib.loads(PROGRAM), schema.ProgramFile))


@dataclass(frozen=True)
class Step:
    """A row and a column of the table of modes.py that came up, the state after it, the item after the one before, and
    what was wished."""

    event: modes.FrontEvent
    before: modes.FrontState
    after: modes.FrontState
    moved: int
    items: int
    request: Action | None


@dataclass(repr=False)
class Session:
    """One session of so many movements, by a seed."""

    seed: int
    movements: int
    steps: Counter[Step] = field(default_factory=Counter)
    events: list[MeterEvent] = field(default_factory=list)
    moved: list[tuple[int, str, bool]] = field(default_factory=list)
    """What hands did: instant, switch, operated. Glitches, which are shorter than any movement, are not among it."""
    seen: list[tuple[int, str, bool]] = field(default_factory=list)
    """What the switches made of it."""
    requests: list[tuple[int, int, Action]] = field(default_factory=list)
    """When a hand wished, when that came to billing, both in UTC, and what."""
    flows: list[tuple[int, int, int]] = field(default_factory=list)
    """From, to (UTC), and nWh a ns."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._now = 0
        self._rate = RATES[2]
        self._operated = dict.fromkeys(PINS, False)
        self._clock = VirtualClock()
        pins = VirtualClockMockFactory(self._clock)
        self._hands = Hands(PINS, pins, self.seed)
        self._switches = Switches(PINS, pins, 0, on_edge=self._note)
        programmed = program()
        self._panel = FrontPanel(programmed.display, displayed_nameplate(programmed), self._switches, 0)
        self._watch_modes()
        self.billing, _ = Billing.begin(programmed.billing, T0)
        self._run()
        self._switches.close()
        pins.close()

    def _run(self) -> None:
        for _ in range(self.movements):
            switch = self._random.choices(list(OFTEN), list(OFTEN.values()))[0]
            if self._random.random() < 0.1:
                self._glitch(switch)
            else:
                self._move(switch)
            self._pass(self._gap(switch))
        for switch, operated in self._operated.items():
            if operated:
                self._move(switch)
        self._pass(SECOND)
        self._until(-(-self._now // MINUTE) * MINUTE + LAG_NS)  # so the last interval is whole

    def _gap(self, switch: str) -> int:
        held = switch in ("scroll", "magnet") and self._operated[switch]
        draw = self._random.random()
        if draw < 0.01:
            return self._random.randint(50 * SECOND, 70 * SECOND)  # test mode ends by itself
        if draw < (0.6 if held else 0.15):
            return self._random.randint(2 * SECOND, 8 * SECOND)
        return self._random.randint(60 * MS, 900 * MS)

    def _move(self, switch: str) -> None:
        operated = self._operated[switch] = not self._operated[switch]
        (self._hands.operate if operated else self._hands.let_go)(switch, self._now)
        self.moved.append((self._now, switch, operated))

    def _glitch(self, switch: str) -> None:
        """A contact that opens or closes for less than debouncing takes, as when someone knocks on it."""
        level = self._operated[switch]
        self._hands.level(switch, self._now, not level)
        self._hands.level(switch, self._now + self._random.randint(1, 15 * MS), level)

    def _pass(self, by_ns: int) -> None:
        if self._random.random() < 0.2:
            self._rate = self._random.choice(RATES)
        self._until(self._now + by_ns)

    def _until(self, until_ns: int) -> None:
        while self._now < until_ns:
            self._now = min(self._now + self._random.choice((4, 20, 20, 45)) * MS, until_ns)
            self._poll()

    def _poll(self) -> None:
        """As the service does: what hands do meanwhile, records, and then the front."""
        self._hands.run_due(self._now)
        self._clock.advance_to(max(self._now, self._clock.now_ns))
        begin, end = self.billing.now_ns, max(T0 + self._now - LAG_NS, self.billing.now_ns)
        self.flows.append((begin, end, self._rate))
        self._tell(self.billing.advance(EnergyInterval(begin, end, 0, self._rate * (end - begin))))
        for command in self._panel.poll(self._now, self.billing.test is not None, lambda at_ns: T0 + at_ns):
            self.requests.append((command.utc_ns, max(command.utc_ns, self.billing.now_ns), command.action))
            self._tell(self.billing.command(command))

    def _tell(self, events: Sequence[MeterEvent]) -> None:
        self._panel.note_events(events)
        self.events += events

    def _note(self, edge: RawEdge) -> None:
        if edge.accepted:
            self.seen.append((edge.at_ns, edge.switch, edge.operated))

    def _watch_modes(self) -> None:
        watched = self._panel.front._modes
        take = watched.take

        def taken(event: modes.FrontEvent, from_ns: int) -> Action | None:
            before, place, items = watched.state, watched.place, len(watched.items)
            request = take(event, from_ns)
            self.steps[Step(event, before, watched.state, (watched.place - place) % items, items, request)] += 1
            return request

        watched.take = taken  # type: ignore[method-assign]

    # --- the account ----------------------------------------------------------------------------------------

    def instants(self, kind: type[LogEvent]) -> list[int]:
        """When something was told, UTC."""
        return [each.utc_ns for each in self.events if isinstance(each, kind)]

    @property
    def tests(self) -> list[tuple[int, int]]:
        """Test modes, from and to."""
        begins, ends = self.instants(TestModeBegan), self.instants(TestModeEnded)
        return list(zip(begins, ends, strict=True))

    def energy(self, begin: int, end: int) -> int:
        """What flowed, in nWh, whatever of it was billed."""
        return self._flowed_until(end) - self._flowed_until(begin)

    def _flowed_until(self, utc_ns: int) -> int:
        place = bisect_right(self._starts, utc_ns) - 1
        since, _, rate = self.flows[place]
        return self._sums[place] + rate * (utc_ns - since)

    @cached_property
    def _starts(self) -> list[int]:
        return [since for since, _, _ in self.flows]

    @cached_property
    def _sums(self) -> list[int]:
        """What had flowed when each flow began."""
        return [0, *accumulate(rate * (to - since) for since, to, rate in self.flows)]
