"""What is seen of the meter, and what is expected of it: the display and the contacts (D-1 to D-5, P-3, P-4).

`within` is measured from the instant of the last act, so it does not matter how long the rig ran in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from drivers.gpio import Position
from rig.bench.history import Observation, StateHistory
from rig.bench.rig import SECOND_NS, STEP_NS, Rig, ShownFrame
from rig.files.strict_toml import hint
from rig.meter.display.lcd import ALL_SEGMENTS, Annunciator
from rig.meter.front.front import Mode
from rig.program.display_items import items
from rig.program.names import Names

T = TypeVar("T")

LISTED = 5
"""Standings that a failure tells of."""

ALL = "all segments"
"""The text of the check of all segments."""


def came_true(
    rig: Rig,
    history: StateHistory[T],
    holds: Callable[[T], bool],
    within: float | None,
    wanted: str,
    text: Callable[[T], str],
) -> float:
    """Seconds from the last act until it held, running the rig for it. Raises BenchFailure if it did not `within` them;
    None: if it does not now."""
    __tracebackhide__ = True
    act = rig.actions.last
    if within is None:
        last = history.last
        if last is not None and holds(last.state):
            return (max(last.since_ns, act.at_ns) - act.at_ns) / SECOND_NS
        raise rig.failure(
            f"expected now, at {rig.actions.time(rig.now_ns)}: {wanted}", _listed(rig, history, rig.now_ns, text)
        )
    until_ns = act.at_ns + round(within * SECOND_NS)
    while True:
        now_ns = rig.now_ns
        for observation in history.between(act.at_ns, until_ns):
            if holds(observation.state):
                return (max(observation.since_ns, act.at_ns) - act.at_ns) / SECOND_NS
        if now_ns >= until_ns:
            break
        rig.run_until(min(now_ns + STEP_NS, until_ns))
    raise rig.failure(
        f"expected within {within:g} s of {rig.actions.time(act.at_ns)}, when {act.text}: {wanted}",
        _listed(rig, history, until_ns, text),
    )


def kept_true(
    rig: Rig,
    history: StateHistory[T],
    holds: Callable[[T], bool],
    seconds: float,
    wanted: str,
    text: Callable[[T], str],
) -> None:
    """Run the rig for so long; raises BenchFailure if it does not hold all the time, from now on."""
    __tracebackhide__ = True
    begin_ns = rig.now_ns
    rig.run(seconds)
    if not all(holds(observation.state) for observation in history.between(begin_ns, rig.now_ns)):
        raise rig.failure(
            f"expected for {seconds:g} s from {rig.actions.time(begin_ns)} on: {wanted}",
            _listed(rig, history, rig.now_ns, text, begin_ns),
        )


def _listed(
    rig: Rig, history: StateHistory[T], until_ns: int, text: Callable[[T], str], from_ns: int | None = None
) -> str:
    from_ns = rig.actions.last.at_ns if from_ns is None else from_ns
    stood: Sequence[Observation[T]] = history.between(min(from_ns, until_ns), until_ns)
    lines = [
        f"  since {rig.actions.time(observation.since_ns):>12}  {text(observation.state)}"
        for observation in stood[-LISTED:]
    ]
    more = [f"  ({len(stood) - LISTED} before)"] if len(stood) > LISTED else []
    return "\n".join([f"there was, up to {rig.actions.time(until_ns)}:", *more, *lines])


class DisplayInstrument:
    """The meter's display."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    @property
    def text(self) -> str:
        """What stands there now, without unit; "all segments" while they all do."""
        return _text(self._now)

    @property
    def unit(self) -> str:
        """What stands beside it."""
        return self._now.lcd.unit

    @property
    def lit(self) -> frozenset[str]:
        """The annunciators that are lit."""
        return frozenset(annunciator.value for annunciator in self._now.lcd.lit)

    @property
    def item(self) -> str:
        """The item's name in the program."""
        return self._now.item

    @property
    def mode(self) -> str:
        """Which sequence is shown: "normal", "alternate", "gyrbox" or "test"."""
        return self._now.mode.value

    def shows(self, *lit: str, **wanted: str) -> bool:
        """Whether it stands there now; of what is said as in `expect`."""
        return Expectation(*lit, **wanted).holds(self._now)

    def expect(self, *lit: str, within: float | None = None, **wanted: str) -> float:
        """Expect it within so many seconds of the last act, or now; returns after how many it came.

        `lit`: annunciators, such as "ALT". Also `text`, `unit`, `item`, `mode`; `dark`, an annunciator that is not lit.
        In `text` * stands for anything, ? for one character; "all segments" is their check.
        """
        __tracebackhide__ = True
        want = Expectation(*lit, **wanted)
        return came_true(self._rig, self._rig.frames, want.holds, within, want.text, _described)

    def keeps(self, *lit: str, seconds: float, **wanted: str) -> None:
        """Run the rig for so long, and expect it all the time."""
        __tracebackhide__ = True
        want = Expectation(*lit, **wanted)
        kept_true(self._rig, self._rig.frames, want.holds, seconds, want.text, _described)

    def items(self, since: float = 0.0) -> list[tuple[str, float]]:
        """What was displayed since a second of the meter's run: names, with the seconds at which each came."""
        rig = self._rig
        begin_ns = rig.begin_ns + round(since * SECOND_NS)
        found: list[tuple[str, float]] = []
        for observation in rig.frames.between(begin_ns, rig.now_ns):
            name = ALL if observation.state.lcd == ALL_SEGMENTS else observation.state.item
            if not found or found[-1][0] != name:
                found.append((name, (observation.since_ns - rig.begin_ns) / SECOND_NS))
        return found

    @property
    def _now(self) -> ShownFrame:
        last = self._rig.frames.last
        assert last is not None
        return last.state


class Expectation:
    """What is expected of the display. Raises ValueError for words that it cannot show.

    While all segments are checked, nothing of the glass means anything: then only their own text can be expected.
    """

    def __init__(
        self,
        *lit: str,
        text: str | None = None,
        unit: str | None = None,
        item: str | None = None,
        mode: str | None = None,
        dark: str | None = None,
    ) -> None:
        self._lit = {_annunciator(word) for word in lit}
        self._dark = None if dark is None else _annunciator(dark)
        self._mode = None if mode is None else _mode(mode)
        if item is not None and item not in (known := items(Names())):
            raise ValueError(f'there is no item "{item}" on a display; {hint(item, known, "docs/display.md has them")}')
        self._text, self._unit, self._item = text, unit, item

    def holds(self, shown: ShownFrame) -> bool:
        """Whether the display is so."""
        behind = (self._mode is None or shown.mode is self._mode) and (self._item is None or shown.item == self._item)
        if shown.lcd == ALL_SEGMENTS:
            glass = self._text in (None, ALL) and not self._lit and self._dark is None and self._unit is None
        else:
            glass = (
                self._lit <= shown.lcd.lit
                and (self._dark is None or self._dark not in shown.lcd.lit)
                and (self._text is None or fnmatchcase(shown.lcd.text, self._text))
                and (self._unit is None or shown.lcd.unit == self._unit)
            )
        return behind and glass

    @property
    def text(self) -> str:
        """In words."""
        said = [f"{annunciator.value} lit" for annunciator in sorted(self._lit, key=lambda each: each.value)]
        if self._dark is not None:
            said.append(f"{self._dark.value} not lit")
        named = (("text", self._text), ("unit", self._unit), ("item", self._item))
        said += [f'{name} "{value}"' for name, value in named if value is not None]
        if self._mode is not None:
            said.append(f"the {self._mode.value} sequence")
        return ", ".join(said) or "anything"


def _annunciator(word: str) -> Annunciator:
    try:
        return Annunciator(word)
    except ValueError:
        known = " ".join(annunciator.value for annunciator in Annunciator)
        raise ValueError(f"{word!r} is no annunciator: there are {known}; give other words as text=") from None


def _mode(word: str) -> Mode:
    try:
        return Mode(word)
    except ValueError:
        raise ValueError(f"{word!r} is no sequence: there are {', '.join(mode.value for mode in Mode)}") from None


def _text(shown: ShownFrame) -> str:
    return ALL if shown.lcd == ALL_SEGMENTS else shown.lcd.text


def _described(shown: ShownFrame) -> str:
    """A line."""
    if shown.lcd == ALL_SEGMENTS:
        return f"{ALL} ({shown.mode.value} sequence)"
    lcd = shown.lcd
    lit = " ".join(annunciator.value for annunciator in Annunciator if annunciator in lcd.lit) or "nothing"
    return f'"{lcd.text}" {lcd.unit}, lit {lit} ({shown.mode.value} sequence, item "{shown.item}")'


class Relay:
    """An output of the meter, as its contacts stand."""

    def __init__(self, rig: Rig, name: str) -> None:
        if name not in rig.contacts:
            raise ValueError(f"{name!r} is no output of this program: there are {', '.join(rig.contacts) or 'none'}")
        self._rig, self._name = rig, name

    @property
    def closed(self) -> str:
        """Which contact is closed: "K-Y", "K-Z", or "open" for none."""
        last = self._rig.contacts[self._name].last
        assert last is not None
        return last.state.value

    def expect(self, closed: str, within: float | None = None) -> float:
        """Expect "K-Y", "K-Z" or "open" within seconds of the last act, or now; returns after how many it came."""
        __tracebackhide__ = True
        wanted = _position(closed)
        return came_true(
            self._rig,
            self._rig.contacts[self._name],
            lambda at: at is wanted,
            within,
            self._wanted(wanted),
            self._described,
        )

    def keeps(self, closed: str, seconds: float) -> None:
        """Run the rig for so long, and expect it all the time."""
        __tracebackhide__ = True
        wanted = _position(closed)
        kept_true(
            self._rig,
            self._rig.contacts[self._name],
            lambda at: at is wanted,
            seconds,
            self._wanted(wanted),
            self._described,
        )

    def _wanted(self, position: Position) -> str:
        return f"{self._name} {position.value}"

    def _described(self, position: Position) -> str:
        return self._wanted(position)


def _position(word: str) -> Position:
    try:
        return Position(word)
    except ValueError:
        known = ", ".join(position.value for position in Position)
        raise ValueError(f"{word!r} is no position of a form C: there are {known}") from None
