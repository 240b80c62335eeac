"""14 segments: every character has its own, points stand where they should."""

from __future__ import annotations

import pytest
from faces import PRINTED, lcds
from hypothesis import given

from rig.face.segments import SEGMENTS, Place, ident_places, nearest, patterns, text_places, unit_places
from rig.meter.display.lcd import ALL_SEGMENTS, IDENT_PLACES, LIT, POINTS, TEXT_PLACES, UNIT_PLACES, Annunciator, Lcd


def test_every_printed_character_can_be_shown() -> None:
    assert set(PRINTED) <= patterns().keys()
    assert all(segments <= set(SEGMENTS) for segments in patterns().values())


def test_digits_and_capitals_are_told_apart() -> None:
    """But for those that look alike on any such display."""
    alike = {"O": "0", "S": "5", "I": "1", "Z": "2"}
    seen: dict[frozenset[str], str] = {}
    for character in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_":
        other = seen.setdefault(patterns()[character], character)
        assert other in (character, alike.get(character)), f"{character} looks like {other}"


def test_small_letters_are_told_apart() -> None:
    small = [patterns()[character] for character in "abcdefghijklmnopqrstuvwxyz°–"]
    assert len(set(small)) == len(small)


@pytest.mark.parametrize(
    ("character", "segments"),
    [("8", "abcdefgh"), ("0", "abcdef"), ("7", "akm"), ("-", "gh"), (" ", ""), ("°", "abfgh"), (LIT, SEGMENTS)],
)  # fmt: skip
def test_some_by_hand(character: str, segments: str) -> None:
    assert patterns()[character] == set(segments)


def test_all_segments_light_all_there_is() -> None:
    full = frozenset(SEGMENTS)
    for places, count in (
        (ident_places(ALL_SEGMENTS), IDENT_PLACES),
        (text_places(ALL_SEGMENTS), TEXT_PLACES),
        (unit_places(ALL_SEGMENTS), UNIT_PLACES),
    ):
        assert [place.lit for place in places] == [full] * count
    assert [set(place.points) for place in text_places(ALL_SEGMENTS)] == [set(POINTS)] * (TEXT_PLACES - 1) + [set()]
    assert ALL_SEGMENTS.lit == frozenset(Annunciator)


def test_text_stands_right_with_its_points_between() -> None:
    places = text_places(Lcd(text="12:30.5"))
    assert [place.points for place in places] == ["", "", "", "", "", ":", "", ".", ""]
    assert [place.lit for place in places[-5:]] == [patterns()[c] for c in "12305"]
    assert places[:4] == (Place(),) * 4


def test_a_point_before_all_stands_at_the_empty_place() -> None:
    assert text_places(Lcd(text=".5"))[-2] == Place(points=".")
    assert text_places(Lcd(text=".123456789"))[0] == Place(patterns()["1"])


def test_a_point_after_all_has_no_place() -> None:
    assert text_places(Lcd(text="5."))[-1] == Place(patterns()["5"])
    assert text_places(Lcd(text="."))[-1] == Place()


def test_ident_and_unit_stand_left() -> None:
    lcd = Lcd("7", "", "kW")
    assert [bool(place.lit) for place in ident_places(lcd)] == [True, False, False]
    assert [bool(place.lit) for place in unit_places(lcd)] == [True, True, False, False, False, False]


@pytest.mark.parametrize(("text", "shown"), [("Été", "Ete"), ("½", "1"), ("Łódź", "?odz"), ("日", "?"), ("µ", "?")])
def test_what_has_no_segments_is_shown_as_its_nearest(text: str, shown: str) -> None:
    assert text_places(Lcd(text=text)) == text_places(Lcd(text=shown))


@given(lcds)
def test_any_text_has_its_places(lcd: Lcd) -> None:
    assert len(ident_places(lcd)) == IDENT_PLACES
    assert len(unit_places(lcd)) == UNIT_PLACES
    places = text_places(lcd)
    assert len(places) == TEXT_PLACES
    shown = [patterns()[nearest(c)] for c in lcd.text if c not in POINTS]
    assert [place.lit for place in places][TEXT_PLACES - len(shown) :] == shown
