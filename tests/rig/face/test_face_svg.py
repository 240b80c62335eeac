"""The picture of the face: valid, by itself, the same for the same face, and it shows what is lit and operated."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from faces import FACE, USUAL, faces
from hypothesis import given, settings

from drivers.gpio import Position
from rig.face.face import Face
from rig.face.strip import strip
from rig.face.svg import svg
from rig.meter.display.lcd import ALL_SEGMENTS, Annunciator, Lcd
from rig.meter.front.switches import Switch

SVG = "{http://www.w3.org/2000/svg}"


def words(picture: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def lit(picture: str) -> ElementTree.Element:
    """What is lit on the first glass."""
    return next(g for g in ElementTree.fromstring(picture).iter(f"{SVG}g") if g.get("class") == "lit")


def outlines(ink: ElementTree.Element) -> int:
    """How many segments and points there are."""
    path = next(ink.iter(f"{SVG}path"))
    return path.get("d", "").count("Z")


def annunciators(ink: ElementTree.Element) -> set[str]:
    """The words among them."""
    return {text.text or "" for text in ink.iter(f"{SVG}text")}


@settings(max_examples=50)
@given(faces)
def test_any_face_is_valid_and_stands_by_itself(face: Face) -> None:
    picture = svg(face)
    root = ElementTree.fromstring(picture)
    assert root.tag == f"{SVG}svg"
    assert picture == svg(face)
    ids = {element.get("id") for element in root.iter()} - {None}
    assert {f"url(#{name})" for name in re.findall(r"url\(#(\w+)\)", picture)} <= {f"url(#{name})" for name in ids}
    assert set(re.findall(r'href="([^"]*)"', picture)) == {"#unlit"}
    assert picture.count("http") == 1
    assert not re.search(r"<(script|style|image|foreignObject)\b", picture)


def test_all_segments_light_whatever_is_faintly_there() -> None:
    picture = svg(Face(ALL_SEGMENTS))
    (unlit,) = (g for g in ElementTree.fromstring(picture).iter(f"{SVG}g") if g.get("id") == "unlit")
    faint = unlit.find(f"{SVG}g")
    assert faint is not None
    assert float(faint.get("opacity", "")) < 0.1
    assert [*map(ElementTree.tostring, faint)] == [*map(ElementTree.tostring, lit(picture))]
    assert outlines(faint) == 18 * 14 + 8 * 3  # places of 14 segments; a point and the two of a colon between nine


@pytest.mark.parametrize(
    ("lcd", "count"),
    [(Lcd(), 0), (Lcd(text="8."), 8), (Lcd(text="8.8"), 17), (Lcd(text="8:8"), 18), (Lcd("8", "8", "8"), 24)],
)
def test_segments_and_points_are_lit(lcd: Lcd, count: int) -> None:
    assert outlines(lit(svg(Face(lcd)))) == count


@pytest.mark.parametrize("annunciator", Annunciator)
def test_an_annunciator_is_lit_by_itself(annunciator: Annunciator) -> None:
    ink = lit(svg(Face(Lcd(lit=frozenset({annunciator})))))
    if annunciator in (Annunciator.DELIVERED, Annunciator.RECEIVED):
        assert [outlines(path) for path in ink] == [0, 1]
    else:
        assert annunciators(ink) == {annunciator.value}


def test_the_arrows_point_apart() -> None:
    tips = []
    for arrow in (Annunciator.RECEIVED, Annunciator.DELIVERED):
        corners = re.findall(r"([\d.]+),", lit(svg(Face(Lcd(lit=frozenset({arrow})))))[1].get("d", ""))
        tips.append(float(corners[3]) - float(corners[0]))
    assert tips[0] < 0 < tips[1]


@pytest.mark.parametrize("switch", Switch)
def test_each_operated_switch_changes_the_picture(switch: Switch) -> None:
    face = replace(FACE, operated=frozenset())
    assert svg(replace(face, operated=frozenset({switch}))) != svg(face)


def test_what_is_seen_is_written() -> None:
    written = words(svg(replace(FACE, operated=frozenset({Switch.COVER, Switch.MAGNET}))))
    for word in ("RXRS4e", "AE-0764", "1.8 (inferred)", "<&\"40'>", "SIMULATED (exact)", "COVER OFF", "N", "KYZ 3"):
        assert word in written
    assert {"K-Y", "K-Z", "open"} <= set(written)
    plain = words(svg(Face(Lcd())))
    assert not {"COVER OFF", "N", "KYZ 1", "SIMULATED (exact)"} & set(plain)


@pytest.mark.parametrize("position", Position)
def test_the_lever_stands_where_the_contact_is(position: Position) -> None:
    root = ElementTree.fromstring(svg(Face(Lcd(), contacts=(("KYZ 1", position),))))
    (lever,) = (line for line in root.iter(f"{SVG}line") if line.get("stroke-linecap"))
    rise = float(lever.get("y1", "")) - float(lever.get("y2", ""))
    assert (rise > 0, rise < 0) == (position is Position.KY, position is Position.KZ)


def test_the_lamp_is_lit_or_not() -> None:
    on, off = (svg(replace(FACE, led_lit=is_on)) for is_on in (True, False))
    assert ("url(#glow)" in on, "url(#glow)" in off) == (True, False)


def test_the_title_says_what_stands_there() -> None:
    title = ElementTree.fromstring(svg(FACE)).find(f"{SVG}title")
    assert title is not None
    assert title.text == "Electricity meter, display: 03 00123.4 kWh"


# --- a sequence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 4, 19, 64])
def test_a_strip_has_a_glass_and_a_caption_for_each(count: int) -> None:
    picture = strip("Normal <1>", [(f"item & {k}", USUAL) for k in range(count)], said="SIMULATED")
    root = ElementTree.fromstring(picture)
    assert sum(use.get("href") == "#unlit" for use in root.iter(f"{SVG}use")) == count
    written = words(picture)
    assert [word for word in written if word.startswith("item")] == [f"item & {k}" for k in range(count)]
    assert {"Normal <1>", "SIMULATED"} <= set(written)
    places = [g.get("transform", "") for g in root.iter(f"{SVG}g") if "scale" in g.get("transform", "")]
    assert len(set(places)) == count
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    for place in places:
        x, y = map(float, re.findall(r"[\d.]+", place)[:2])
        assert 0 < x < width - 290
        assert 0 < y < height - 80


def test_a_strip_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="0 items in 3 columns"):
        strip("Nothing", [])
