"""The glass as lines of a character display with an HD44780's ROM A00, 20×4 or 16×2 (D-1).

20×4, everything at its own place, blank while it is not lit:

    VA VB VC →← LAG LEAD
    03           00123.4
    A B C D        kWh
    ALT TEST EOI ERR

16×2: ident and text; below it the annunciators, most important first, as many as the unit leaves room for:

    03       00123.4
    TEST A →     kWh

Phases are said there only while one or two are lit, all three being the usual case. The check of all segments lights
every dot of every character of either. What the ROM lacks is shown as the nearest it has.
"""

from __future__ import annotations

from drivers.lcd import ROM_A00, SIZES
from rig.face.segments import nearest
from rig.meter.display.lcd import ALL_SEGMENTS, LIT, POINTS, UNIT_PLACES, Annunciator, Lcd

_NEAREST = {"~": "-", "–": "-", "\\": "/"}
_PHASES = (Annunciator.PHASE_A, Annunciator.PHASE_B, Annunciator.PHASE_C)
_RATES = (Annunciator.RATE_A, Annunciator.RATE_B, Annunciator.RATE_C, Annunciator.RATE_D)
_MODES = (Annunciator.ALT, Annunciator.TEST, Annunciator.EOI, Annunciator.ERROR)
_SENSES = (Annunciator.LAGGING, Annunciator.LEADING)
_WAYS = (Annunciator.DELIVERED, Annunciator.RECEIVED)
_FIRST = (Annunciator.ERROR, Annunciator.TEST, Annunciator.ALT, *_RATES, *_WAYS, Annunciator.EOI, *_SENSES)
"""From the most important on."""


def character_lines(lcd: Lcd, columns: int, rows: int) -> tuple[str, ...]:
    """`rows` lines of `columns` characters each. Raises ValueError for a size that is not in drivers.lcd.SIZES."""
    if (columns, rows) not in SIZES:
        sizes = " or ".join(f"{c}×{r}" for c, r in SIZES)
        raise ValueError(f"a character display of {columns}×{rows} has no layout: choose {sizes}")
    if lcd == ALL_SEGMENTS:
        return (LIT * columns,) * rows
    lines = _four_lines(lcd) if rows == 4 else _two_lines(lcd)
    return tuple("".join(_of_rom(character) for character in line) for line in lines)


def _of_rom(character: str) -> str:
    if character in ROM_A00:
        return character
    character = nearest(character)
    return character if character in ROM_A00 else _NEAREST[character]


def _four_lines(lcd: Lcd) -> tuple[str, ...]:
    ways = "".join(_word(lcd, way) for way in _WAYS)
    phases, senses = (" ".join(_word(lcd, a) for a in group) for group in (_PHASES, _SENSES))
    return (
        f"{phases} {ways} {senses}",
        f"{lcd.ident:<3}{_text(lcd, 17):>17}",
        f"{' '.join(_word(lcd, rate) for rate in _RATES):<14}{lcd.unit:>{UNIT_PLACES}}",
        f"{' '.join(_word(lcd, mode) for mode in _MODES):<20}",
    )


def _word(lcd: Lcd, annunciator: Annunciator) -> str:
    return annunciator.value if annunciator in lcd.lit else " " * len(annunciator.value)


def _text(lcd: Lcd, room: int) -> str:
    """The text; without its points where it has so many that they do not fit, which here take places."""
    return lcd.text if len(lcd.text) <= room else "".join(c for c in lcd.text if c not in POINTS)


def _two_lines(lcd: Lcd) -> tuple[str, ...]:
    columns = 16
    text = _text(lcd, columns)
    room = columns - len(text) - 1
    ident = lcd.ident if len(lcd.ident) <= room else ""
    words = [a.value for a in _FIRST if a in lcd.lit]
    phases = [a.value for a in _PHASES if a in lcd.lit]
    if len(phases) < len(_PHASES):
        words += phases
    left = columns - len(lcd.unit) - 1
    said = ""
    for word in words:
        if len(f"{said} {word}".lstrip()) <= left:
            said = f"{said} {word}".lstrip()
    return (f"{ident}{text:>{columns - len(ident)}}", f"{said:<{left + 1}}{lcd.unit}")
