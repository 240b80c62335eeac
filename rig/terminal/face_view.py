"""The meter's face on a terminal, 80 columns and 11 lines (D-1): places drawn of the same segments as anywhere else.

On a narrower terminal it is the lines of a 20×4 character display, and what stands beside and below the glass.

Where the terminal has colours enough, the unlit annunciators are faintly there, as on a real glass; elsewhere they are
blank, so that what is printed is what is lit.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from drivers.gpio import Position
from rig.face.characters import character_lines
from rig.face.face import Face
from rig.face.segments import Place, nearest, text_places
from rig.meter.display.lcd import IDENT_PLACES, UNIT_PLACES, Annunciator, Lcd
from rig.meter.front.switches import Switch
from rig.terminal.keys import KEYS

WIDTH = 80
LINES = 11
_SMALL = (20, 4)

_HELP = {
    Switch.MAGNET: "magnet",
    Switch.SCROLL: "SCROLL",
    Switch.RESET: "reset",
    Switch.TEST: "TEST",
    Switch.COVER: "cover",
}
_OPERATED = {
    Switch.MAGNET: "MAGNET",
    Switch.SCROLL: "SCROLL",
    Switch.RESET: "RESET",
    Switch.TEST: "TEST",
    Switch.COVER: "COVER OFF",
}

_GLASS = "#1c241a on #c4cfb3"
_GHOST = "#b2bda1 on #c4cfb3"
_GHOSTLY = ("256", "truecolor")

_TOP = (
    (Annunciator.PHASE_A, Annunciator.PHASE_B, Annunciator.PHASE_C),
    (Annunciator.RECEIVED, Annunciator.DELIVERED),
    (Annunciator.LAGGING, Annunciator.LEADING),
    (Annunciator.RATE_A, Annunciator.RATE_B, Annunciator.RATE_C, Annunciator.RATE_D),
)
_BOTTOM = ((Annunciator.ALT, Annunciator.TEST, Annunciator.EOI, Annunciator.ERROR),)

_ARMS = " ╹╺┗╻┃┏┣╸┛━┻┓┫┳╋"
"""Heavy lines by their arms: 1 up, 2 right, 4 down, 8 left."""


@dataclass(frozen=True)
class FaceView:
    """A face as a rich renderable. `keys`: it says which keys move the switches, where a terminal takes them."""

    face: Face
    keys: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ghosts = console.color_system in _GHOSTLY and not console.no_color
        face = self.face
        if options.max_width < WIDTH:
            yield Text.assemble("AE-0764", ("  " + face.marks, "bold yellow"))
            yield Text("\n".join(f" {line} " for line in character_lines(face.lcd, *_SMALL)), style=f"bold {_GLASS}")
            if face.operated:
                yield Text("   ".join(_OPERATED[s] for s in _OPERATED if s in face.operated), style="bold yellow")
            yield _folded(_outputs(face))
            if self.keys:
                yield _folded(_help(gap=" "))
            return
        body = Table.grid(padding=(0, 1))
        body.add_column(width=_GLASS_WIDTH)
        body.add_column(no_wrap=True)
        body.add_row(_glass(face.lcd, ghosts), _operated(face.operated))
        title = Text.assemble("AE-0764", ("  " + face.marks, "bold yellow")) if face.marks else Text("AE-0764")
        lines = Group(body, _outputs(face), _help() if self.keys else Text())
        yield Panel(lines, title=title, width=WIDTH, height=LINES, padding=(0, 1))


def place_lines(place: Place) -> tuple[str, ...]:
    """A place in five lines of five characters."""
    on = {segment: segment in place.lit for segment in "abcdefghijklmn"}

    def joint(up: str = "", right: str = "", down: str = "", left: str = "") -> str:
        return _ARMS[sum(bit for bit, arm in ((1, up), (2, right), (4, down), (8, left)) if arm and on[arm])]

    def if_on(segment: str, shape: str) -> str:
        return shape if on[segment] else " "

    def half(outer: str, left: str, middle: str, right: str, other: str, shapes: str) -> str:
        sides = (if_on(outer, "┃"), if_on(left, shapes[0]), if_on(middle, "┃"), if_on(right, shapes[1]))
        return "".join(sides) + if_on(other, "┃")

    centre = joint(up="j", right="h", down="m", left="g")
    if centre == " ":
        falling, rising = on["i"] or on["n"], on["k"] or on["l"]
        centre = "╳" if falling and rising else "╲" if falling else "╱" if rising else " "
    bar_a, bar_d = if_on("a", "━"), if_on("d", "━")
    return (
        joint(right="a", down="f") + bar_a + joint(right="a", down="j", left="a") + bar_a + joint(down="b", left="a"),
        half("f", "i", "j", "k", "b", "╲╱"),
        joint(up="f", right="g", down="e") + if_on("g", "━") + centre + if_on("h", "━") + joint("b", "", "c", "h"),
        half("e", "l", "m", "n", "c", "╱╲"),
        joint(up="e", right="d") + bar_d + joint(up="m", right="d", left="d") + bar_d + joint(up="c", left="d"),
    )


_GLASS_WIDTH = 66
_HIGH = 5


def _glass(lcd: Lcd, ghosts: bool) -> Text:
    """Seven lines: annunciators, five of places with ident and unit at their foot, annunciators."""
    ident, unit = ("".join(map(nearest, said)) for said in (lcd.ident, lcd.unit))
    drawn = [place_lines(place) for place in text_places(lcd)]
    lines = [_annunciators(_TOP, lcd, ghosts)]
    for row in range(_HIGH):
        foot = row == _HIGH - 1
        line = f"{ident if foot else '':<{IDENT_PLACES}} "
        for place, shape in zip(text_places(lcd), drawn, strict=True):
            line += shape[row] + _point(place, row)
        line += f"{unit if foot else '':<{UNIT_PLACES}}"  # beside the last place's point, which is never lit
        lines.append(Text(f" {line}".ljust(_GLASS_WIDTH), style=f"bold {_GLASS}"))
    lines.append(_annunciators(_BOTTOM, lcd, ghosts))
    return Text("\n").join(lines)


def _point(place: Place, row: int) -> str:
    dots = ("." in place.points and row == _HIGH - 1) or (":" in place.points and row in (1, 3))
    return "•" if dots else " "


def _annunciators(groups: tuple[tuple[Annunciator, ...], ...], lcd: Lcd, ghosts: bool) -> Text:
    line = Text(" ", style=_GLASS, no_wrap=True)
    for group in groups:
        for annunciator in group:
            word = annunciator.value
            if annunciator in lcd.lit:
                line.append(word, style=f"bold {_GLASS}")
            else:
                line.append(word if ghosts else " " * len(word), style=_GHOST)
            line.append(" ")
        line.append("      ")
    line.pad_right(max(0, _GLASS_WIDTH - len(line)))
    return line


def _operated(operated: frozenset[Switch]) -> Text:
    words = [word if switch in operated else "" for switch, word in _OPERATED.items()]
    return Text("\n" + "\n".join(words), style="bold yellow")


def _outputs(face: Face) -> Text:
    lamp = ("● ", "bold red") if face.led_lit else ("○ ", "dim")
    line = Text.assemble(lamp, "test LED", no_wrap=True, overflow="ellipsis")
    for name, position in face.contacts:
        line.append(f"   {name} ")
        line.append(position.value, style="dim" if position is Position.OPEN else "bold")
    return line


def _folded(line: Text) -> Text:
    """Several lines rather than one that is cut."""
    line.no_wrap, line.overflow = False, "fold"
    return line


def _help(gap: str = "   ") -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    for key, switch in KEYS.items():
        line.append(key, style="bold cyan")
        line.append(f" {_HELP[switch]}{gap}", style="dim")
    for key, does in (("twice", "hold"), ("Ctrl-C", "end")):
        line.append(key, style="bold cyan")
        line.append(f" {does}{gap}", style="dim")
    line.rstrip()
    return line
