"""Decade 3: the items of the display and their sequences (ST30 to ST34; X-1, D-2 to D-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rig.communication.c1219.facts import MeterFacts
from rig.communication.c1219.layout import Array, Bit, BitField, Field, Layout, Ref, Sized, constant
from rig.communication.c1219.table import Table, TableContents
from rig.communication.c1219.types import U8, U16, Text
from rig.meter.display.items import DisplayItem

MOST_NIBBLE = 15


@dataclass(frozen=True)
class _Sequence:
    """A sequence of the display, and for how many seconds an item stands."""

    items: tuple[DisplayItem, ...]
    seconds: int


def _primary(contents: TableContents) -> list[_Sequence]:
    display = contents.facts.program.display
    return [_Sequence(display.normal, display.scroll_s)]


def _secondary(contents: TableContents) -> list[_Sequence]:
    display = contents.facts.program.display
    return [
        _Sequence(display.alternate, display.scroll_s),
        _Sequence(display.gyrbox, display.scroll_s),
        _Sequence(display.test, 0),
    ]


def display_names(facts: MeterFacts) -> list[str]:
    """Give the name of every item that any sequence has, each once, in order."""
    display = facts.program.display
    sequences = (display.normal, display.alternate, display.gyrbox, display.test)
    return list(dict.fromkeys(item.name for sequence in sequences for item in sequence))


def _items(lists: Any) -> Any:
    def places(contents: TableContents) -> list[int]:
        place = {name: n for n, name in enumerate(display_names(contents.facts))}
        return [place[item.name] for sequence in lists(contents) for item in sequence.items]

    return places


DISPLAY_DIMENSIONS = Layout(
    (
        Field(
            "DISPLAY_CTRL",
            BitField(
                1,
                (
                    Bit("ON_TIME_FLAG", 0, 0, constant(1), "lists say how long an item stands"),
                    Bit("OFF_TIME_FLAG", 1, 1, constant(0)),
                    Bit("HOLD_TIME_FLAG", 2, 2, constant(0)),
                ),
            ),
        ),
        Field("NBR_DISP_SOURCES", U16, lambda c: len(display_names(c.facts)), "items of all sequences, each once"),
        Field("WIDTH_DISP_SOURCES", U8, lambda c: max(map(len, display_names(c.facts))), "longest name"),
        Field("NBR_PRI_DISP_LIST_ITEMS", U16, lambda c: len(_items(_primary)(c))),
        Field("NBR_PRI_DISP_LISTS", U8, lambda c: len(_primary(c)), "the normal sequence"),
        Field("NBR_SEC_DISP_LIST_ITEMS", U16, lambda c: len(_items(_secondary)(c))),
        Field("NBR_SEC_DISP_LISTS", U8, lambda c: len(_secondary(c)), "alternate, Gyrbox and test sequence"),
    )
)

DISPLAY_SOURCES = Layout(
    (
        Field(
            "DISPLAY_SOURCES",
            Array(Ref(31, "NBR_DISP_SOURCES"), Sized(Text, Ref(31, "WIDTH_DISP_SOURCES"))),
            lambda c: display_names(c.facts),
            "names, as docs/program.md has them",
        ),
    )
)


def _seconds(sequence: _Sequence) -> int:
    return min(sequence.seconds, MOST_NIBBLE)


def _display_list(which: str, lists: Any) -> Layout:
    header = Layout(
        (
            Field(
                "TIMES",
                BitField(
                    1,
                    (
                        Bit("ON_TIME", 0, 3, _seconds, "seconds, 15 for more, 0: until SCROLL is pressed"),
                        Bit("OFF_TIME", 4, 7, constant(0)),
                    ),
                ),
            ),
            Field("HOLD", BitField(1, (Bit("HOLD_TIME", 0, 3, constant(0)), Bit("DEFAULT_LIST", 4, 7, constant(0))))),
            Field("NBR_LIST_ITEMS", U8, lambda sequence: len(sequence.items)),
        )
    )
    return Layout(
        (
            Field(f"{which}_DISP_LISTS", Array(Ref(31, f"NBR_{which}_DISP_LISTS"), header), lists),
            Field(
                f"{which}_DISP_SOURCES",
                Array(Ref(31, f"NBR_{which}_DISP_LIST_ITEMS"), U16),
                _items(lists),
                "places in ST32, of all lists one after the other",
            ),
        )
    )


DISPLAY_TABLES = (
    Table(30, "display dimensions", DISPLAY_DIMENSIONS, "the most that ST31 can have, which is what it has"),
    Table(31, "actual display", DISPLAY_DIMENSIONS, "how many items and sequences there are"),
    Table(32, "display sources", DISPLAY_SOURCES, "the items by their names", (31,)),
    Table(33, "primary display lists", _display_list("PRI", _primary), "the normal sequence", (31,)),
    Table(34, "secondary display lists", _display_list("SEC", _secondary), "alternate, Gyrbox, test", (31,)),
)
