"""The display reader: what the meter's display shows, and whether it shows what is expected (D-1 to D-5)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from math import isfinite

from rig.bench.errors import WrongArgument
from rig.bench.expectation import ExpectationResult, await_state, watch_state
from rig.bench.rig import Rig
from rig.bench.states import ALL_SEGMENTS_TEXT, ShownFrame
from rig.files.strict_toml import hint
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.display.lcd import Annunciator
from rig.meter.front.modes import Mode
from rig.program.display_items import items
from rig.program.names import Names


class DisplayInstrument:
    """The meter's display. Words that it cannot show raise WrongArgument.

    Expectations: annunciators that are `lit`, such as "ALT"; `dark`, one that is not; `text`, in which *
    stands for anything, ? for one character, and which is "all segments" while they are checked; `unit`; `item`; and
    `mode`.
    """

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    @property
    def text(self) -> str:
        """The digits that stand there now; "all segments" while they all do."""
        return self._now.digits

    @property
    def unit(self) -> str:
        """The unit that stands beside them."""
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
        """Sequence that is shown: "normal", "alternate", "gyrbox" or "test"."""
        return self._now.mode.value

    def shows(self, *lit: str, **expected: str) -> bool:
        """Return whether it stands there now."""
        return DisplayExpectation(*lit, **expected).holds(self._now)

    def await_shown(self, *lit: str, within_s: float | None, **expected: str) -> ExpectationResult[ShownFrame]:
        """Run the rig until it stands there, at most until so many seconds after the last action; None: look now."""
        want = DisplayExpectation(*lit, **expected)
        return await_state(self._rig, self._rig.frames, want.holds, within_s, want.text)

    def watch_shown(self, *lit: str, for_s: float, **expected: str) -> ExpectationResult[ShownFrame]:
        """Run the rig for so long, and see whether it stands there all the time."""
        want = DisplayExpectation(*lit, **expected)
        return watch_state(self._rig, self._rig.frames, want.holds, for_s, want.text)

    def items(self, since: float = 0.0) -> list[tuple[str, float]]:
        """Give the items displayed since a second of the meter's run: names, with the seconds at which each came.

        Raises NoLongerKept for more than is remembered (rig/bench/history.py), WrongArgument for a second that the
        meter's run has not, or not yet.
        """
        rig = self._rig
        if not (isfinite(since) and 0 <= since <= rig.seconds):
            raise WrongArgument(
                f"there is no second {since:g} of the meter's run yet: give one from 0 to {rig.seconds:.3f}"
            )
        seen = rig.items.between(rig.begin_ns + round(since * SECOND_NS), rig.now_ns)
        return [(each.state, (each.since_ns - rig.begin_ns) / SECOND_NS) for each in seen]

    @property
    def _now(self) -> ShownFrame:
        return self._rig.frames.last.state


class DisplayExpectation:
    """An expectation of the display. Raises WrongArgument for words that it cannot show.

    While all segments are checked, nothing of the LCD means anything: then only their own text can be expected.
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
            raise WrongArgument(
                f'there is no item "{item}" on a display; {hint(item, known, "docs/display.md has them")}'
            )
        self._text, self._unit, self._item = text, unit, item

    def holds(self, shown: ShownFrame) -> bool:
        """Return whether the display is so."""
        behind = (self._mode is None or shown.mode is self._mode) and (self._item is None or shown.item == self._item)
        if shown.checks_segments:
            lcd = (
                self._text in (None, ALL_SEGMENTS_TEXT) and not self._lit and self._dark is None and self._unit is None
            )
        else:
            lcd = (
                self._lit <= shown.lcd.lit
                and (self._dark is None or self._dark not in shown.lcd.lit)
                and (self._text is None or fnmatchcase(shown.lcd.text, self._text))
                and (self._unit is None or shown.lcd.unit == self._unit)
            )
        return behind and lcd

    @property
    def text(self) -> str:
        """In words."""
        words = [f"{annunciator.value} lit" for annunciator in sorted(self._lit, key=lambda each: each.value)]
        if self._dark is not None:
            words.append(f"{self._dark.value} not lit")
        named = (("text", self._text), ("unit", self._unit), ("item", self._item))
        words += [f'{name} "{value}"' for name, value in named if value is not None]
        if self._mode is not None:
            words.append(f"the {self._mode.value} sequence")
        return ", ".join(words) or "anything"


def _annunciator(word: str) -> Annunciator:
    try:
        return Annunciator(word)
    except ValueError:
        known = " ".join(annunciator.value for annunciator in Annunciator)
        raise WrongArgument(f"{word!r} is not an annunciator: there are {known}; give other words as text=") from None


def _mode(word: str) -> Mode:
    try:
        return Mode(word)
    except ValueError:
        raise WrongArgument(f"{word!r} is not a sequence: there are {', '.join(mode.value for mode in Mode)}") from None
