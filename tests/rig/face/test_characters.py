"""The glass on a character display: fixed places on 20×4, the most important on 16×2, only what the ROM has."""

from __future__ import annotations

import pytest
from faces import USUAL, lcds
from hypothesis import given
from hypothesis import strategies as st

from drivers.lcd import ROM_A00, SIZES
from rig.face.characters import character_lines
from rig.face.segments import nearest
from rig.meter.display.lcd import ALL_SEGMENTS, POINTS, Annunciator, Lcd

A = Annunciator
ALL = frozenset(Annunciator)


def test_four_lines() -> None:
    assert character_lines(USUAL, 20, 4) == (
        "VA VB VC →  LAG     ",
        "03           00123.4",
        "  B              kWh",
        "ALT      EOI        ",
    )
    assert character_lines(Lcd("888", "12:34:56.789", "kvarh", ALL), 20, 4) == (
        "VA VB VC →← LAG LEAD",
        "888     12:34:56.789",
        "A B C D        kvarh",
        "ALT TEST EOI ERR    ",
    )


@pytest.mark.parametrize(
    ("lcd", "lines"),
    [
        (USUAL, ("03       00123.4", "ALT B → EOI  kWh")),
        (Lcd("03", "00123.4", "kWh", ALL), ("03       00123.4", "ERR TEST ALT kWh")),
        (Lcd("12", "23:59.07", "", frozenset({A.PHASE_A, A.PHASE_C})), ("12      23:59.07", "VA VC           ")),
        (Lcd("12", "5.0", "A", frozenset({A.PHASE_A, A.PHASE_B, A.PHASE_C})), ("12           5.0", "               A")),
        (Lcd("888", "1.2.3.4.5.6.7", ""), ("   1.2.3.4.5.6.7", " " * 16)),
        (Lcd("888", "1.2.3.4.5.6.7.8.9", ""), ("888    123456789", " " * 16)),
    ],
)
def test_two_lines(lcd: Lcd, lines: tuple[str, str]) -> None:
    assert character_lines(lcd, 16, 2) == lines


def test_points_that_do_not_fit_are_left_out() -> None:
    """A season may be called so."""
    assert character_lines(Lcd("03", "A....... B.......", "season"), 20, 4)[1] == "03 A....... B......."
    assert character_lines(Lcd("03", "A........ B........", "season"), 20, 4)[1] == "03               A B"


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_all_segments_light_every_dot(columns: int, rows: int) -> None:
    assert character_lines(ALL_SEGMENTS, columns, rows) == ("█" * columns,) * rows


def test_what_the_rom_lacks_is_shown_as_its_nearest() -> None:
    assert character_lines(Lcd(text="~\\–É日"), 16, 2)[0] == " " * 11 + "-/-E?"


def test_a_size_without_a_layout_is_refused() -> None:
    with pytest.raises(ValueError, match="40×2 has no layout: choose 20×4 or 16×2"):
        character_lines(USUAL, 40, 2)


@given(lcds, st.sampled_from(SIZES))
def test_every_face_fits_and_the_figures_are_there(lcd: Lcd, size: tuple[int, int]) -> None:
    columns, rows = size
    lines = character_lines(lcd, columns, rows)
    assert len(lines) == rows
    assert all(len(line) == columns and set(line) <= ROM_A00.keys() for line in lines)
    text = "".join(nearest(c) for c in lcd.text).translate(str.maketrans("~–\\", "--/"))
    assert text in lines[rows // 3] or "".join(c for c in text if c not in POINTS) in lines[rows // 3]


@given(lcds)
def test_four_lines_say_every_annunciator(lcd: Lcd) -> None:
    if lcd != ALL_SEGMENTS:
        top, _, middle, bottom = character_lines(lcd, 20, 4)
        said = set(f"{top[:9]} {top[9]} {top[10]} {top[11:]} {middle[:8]} {bottom}".split())
        assert said == {a.value for a in lcd.lit}
