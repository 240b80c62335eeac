"""The face on the terminal: 80 columns, 11 lines, what is lit and nothing else, in colour and without."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from faces import FACE, USUAL, faces
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from drivers.gpio import Position
from rig.face.characters import character_lines
from rig.face.face import Face
from rig.face.segments import Place, patterns
from rig.meter.display.lcd import Annunciator, Lcd
from rig.meter.front.switches import Switch
from rig.terminal.face_view import LINES, WIDTH, FaceView, place_lines
from rig.terminal.keys import KEYS


def console(colours: str | None = None) -> Console:
    return Console(
        record=True, width=100, file=io.StringIO(), force_terminal=True, color_system=colours, legacy_windows=False
    )  # type: ignore[arg-type]


def shown(face: Face, colours: str | None = None, keys: bool = True) -> list[str]:
    terminal = console(colours)
    terminal.print(FaceView(face, keys))
    return terminal.export_text().splitlines()


def test_the_face_as_it_is() -> None:
    assert (
        "\n".join(shown(FACE))
        == """\
╭───────────────────────── AE-0764  SIMULATED (exact) ─────────────────────────╮
│  VA VB VC         →       LAG              B                                 │
│                        ┏━━━┓ ┏━━━┓     ╻ ╺━━━┓ ╺━━━┓ ╻   ╻         MAGNET    │
│                        ┃   ┃ ┃   ┃    ╱┃     ┃     ┃ ┃   ┃                   │
│                        ┃   ┃ ┃   ┃   ╱ ┃ ┏━━━┛   ╺━┫ ┗━━━┫                   │
│                        ┃   ┃ ┃   ┃     ┃ ┃         ┃     ┃                   │
│  03                    ┗━━━┛ ┗━━━┛     ╹ ┗━━━╸ ╺━━━┛•    ╹ kWh               │
│  ALT      EOI                                                                │
│ ● test LED   KYZ 1 K-Y   KYZ 2 K-Z   KYZ 3 open                              │
│ m magnet   s SCROLL   r reset   t TEST   c cover   twice hold   Ctrl-C end   │
╰──────────────────────────────────────────────────────────────────────────────╯"""
    )


@settings(max_examples=50)
@given(faces)
def test_any_face_has_its_size(face: Face) -> None:
    for colours in (None, "truecolor"):
        lines = shown(face, colours)
        assert len(lines) == LINES
        assert {len(line) for line in lines} == {WIDTH}


@pytest.mark.parametrize("annunciator", Annunciator)
def test_an_annunciator_is_printed_exactly_while_it_is_lit(annunciator: Annunciator) -> None:
    def words(lcd: Lcd) -> set[str]:
        lines = shown(Face(lcd))
        return set(f"{lines[1]} {lines[7]}".split()) - {"│"}

    assert words(Lcd(lit=frozenset({annunciator}))) == {annunciator.value}
    assert words(Lcd()) == set()


def test_colours_show_the_unlit_ones_faintly() -> None:
    terminal = console("truecolor")
    terminal.print(FaceView(Face(Lcd(lit=frozenset({Annunciator.ALT})))))
    drawn = terminal.export_text(styles=True)
    ghost = r"\x1b\[38;2;178;189;161;48;2;196;207;179m"
    assert re.search(rf"{ghost} *TEST", drawn)
    assert re.search(r"\x1b\[1;38;2;28;36;26;48;2;196;207;179mALT", drawn)
    assert not re.search(rf"{ghost} *ALT", drawn)
    assert "TEST" not in "".join(shown(Face(Lcd()), "standard")[1:8])


@pytest.mark.parametrize("character", [c for c in patterns() if patterns()[c]])
def test_every_character_is_drawn(character: str) -> None:
    lines = place_lines(Place(patterns()[character]))
    assert [len(line) for line in lines] == [5] * 5
    assert "".join(lines).strip()


@pytest.mark.parametrize("segment", "abcdefghijklmn")
def test_each_segment_is_seen_in_an_empty_place_and_missed_in_a_full_one(segment: str) -> None:
    everything = frozenset("abcdefghijklmn")
    assert place_lines(Place(frozenset({segment}))) != place_lines(Place())
    assert place_lines(Place(everything - {segment})) != place_lines(Place(everything))


def test_operated_switches_and_the_lamp() -> None:
    text = "\n".join(shown(Face(USUAL, operated=frozenset(Switch))))
    for word in ("MAGNET", "SCROLL", "RESET", "TEST", "COVER OFF", "○ test LED"):
        assert word in text
    quiet = "\n".join(shown(replace(FACE, operated=frozenset(), led_lit=True)))
    assert "COVER OFF" not in quiet
    assert "MAGNET" not in quiet
    assert "● test LED" in quiet


@pytest.mark.parametrize("position", Position)
def test_contacts_by_name(position: Position) -> None:
    assert f"KYZ 9 {position.value}" in shown(Face(Lcd(), contacts=(("KYZ 9", position),)))[8]


def test_the_keys_are_said() -> None:
    for key, switch in KEYS.items():
        assert re.search(rf"\b{key} {switch.value}\b", shown(FACE)[9], re.IGNORECASE)
    assert "Ctrl-C end" in shown(FACE)[9]


def test_no_keys_are_said_where_none_are_taken() -> None:
    lines = shown(FACE, keys=False)
    assert len(lines) == LINES
    assert set(lines[9]) == {"│", " "}


@settings(max_examples=50)
@given(faces)
def test_a_narrow_terminal_has_the_lines_of_a_small_display(face: Face) -> None:
    terminal = Console(record=True, width=60, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    terminal.print(FaceView(face))
    lines = terminal.export_text().splitlines()
    assert [line[1:21] for line in lines[1:5]] == list(character_lines(face.lcd, 20, 4))
    assert len(lines) in (8 + bool(face.operated), 9 + bool(face.operated))  # two of keys, one or two of outputs
    assert max(map(len, lines)) <= 60


@settings(max_examples=50)
@given(faces, st.integers(40, 79))
def test_a_narrow_terminal_loses_no_word(face: Face, width: int) -> None:
    terminal = Console(file=io.StringIO(), width=width)
    terminal.print(FaceView(face))
    assert isinstance(terminal.file, io.StringIO)
    text = terminal.file.getvalue()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    words = ["test LED", *(name for name, _ in face.contacts), *(position.value for _, position in face.contacts)]
    words += ["magnet", "SCROLL", "reset", "TEST", "cover", "hold", "Ctrl-C"]
    assert not [word for word in words if word not in " ".join(text.split())]
