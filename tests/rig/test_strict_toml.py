"""TOML by Structs: what is refused is named by its place, whatever the Struct."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from rig.files.strict_toml import ConfigError, convert, hint, read, shown


class Cat(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="cat"):
    lives: Annotated[int, msgspec.Meta(ge=1, le=9)] = 9


class Dog(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="dog"):
    name: str
    tricks: tuple[str, ...] = ()


class House(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    colour: Annotated[Literal["red", "blue"], msgspec.Meta(extra={"rule": "a colour in quotes"})] = "red"
    pets: Annotated[tuple[Cat | Dog, ...], msgspec.Meta(max_length=2)] = ()
    persistence: Dog | None = None
    rooms: Annotated[int, msgspec.Meta(ge=0)] | None = None
    notes: tuple[str | Dog, ...] = ()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"color": 1}, "unknown key color in the file; did you mean colour?"),
        ({"x": 1}, "unknown key x in the file; known are colour, pets, persistence, rooms, notes"),
        (
            {"a - at `$.rooms": 1},
            "unknown key 'a - at `$.rooms' in the file; known are colour, pets, persistence, rooms, notes",
        ),
        (
            {"persistence": {"name": "Rex", "b - at `$.rooms": 1}},
            "unknown key 'b - at `$.rooms' in [persistence]; known are kind",
        ),
        ({"colour": "green"}, "colour is 'green', it must be a colour in quotes"),
        ({"pets": [{"kind": "cat", "name": "Tom"}]}, "unknown key name in pets[0]; known are kind, lives"),
        (
            {"pets": [{"kind": "cat"}, {"kind": "cat", "lives": 10}]},
            "pets[1].lives is 10, it must be a whole number from 1",
        ),
        ({"pets": [{"kind": "cow"}]}, "pets[0].kind is 'cow', it must be 'cat' or 'dog'"),
        ({"pets": [{"kind": 1}]}, "pets[0].kind is 1, it must be 'cat' or 'dog'"),
        ({"pets": [{}]}, "pets[0].kind is missing, it must be 'cat' or 'dog'"),
        ({"pets": [{"kind": "dog"}]}, "pets[0].name is missing, it must be text in quotes"),
        (
            {"pets": [{"kind": "dog", "name": "Rex", "tricks": [1]}]},
            "pets[0].tricks[0] is 1, it must be text in quotes",
        ),
        ({"pets": [3]}, "pets[0] is 3, it must be a table"),
        ({"pets": 3}, "pets is 3, it must be tables: [[pets]] and its keys below, for each"),
        ({"pets": [{"kind": "cat"}] * 3}, "pets has 3 entries, it must have at most 2"),
        ({"persistence": True}, "persistence is true, it must be a table: [persistence] and its keys below"),
        ({"persistence": {"kind": "dog"}}, "persistence.name is missing, it must be text in quotes"),
        ({"rooms": -1}, "rooms is -1, it must be a whole number from 0 on"),
        ({"rooms": date(2026, 1, 1)}, "rooms is 2026-01-01, it must be a whole number from 0 on"),
        ({"notes": [1.5]}, "notes[0] is 1.5, it must be text in quotes or a table"),
        ({"notes": "x"}, "notes is 'x', it must be a list of text in quotes or a table"),
        ({"notes": [{"kind": "dog", "name": []}]}, "notes[0].name is a list, it must be text in quotes"),
    ],
)
def test_sentences(data: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        convert(data, House)
    assert str(caught.value).startswith(sentence)


def test_what_is_right_is_taken() -> None:
    pets = [{"kind": "dog", "name": "Rex"}, {"kind": "cat"}]
    assert convert({"pets": pets, "rooms": 3}, House) == House(pets=(Dog("Rex"), Cat()), rooms=3)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "house.toml"
    with pytest.raises(ConfigError, match=r"house\.toml does not exist: give an existing file, or none"):
        read(path, House, "or none")
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory$"):
        read(tmp_path, House, "or none")
    path.write_bytes(b"\xef\xbb\xbfrooms = 3\n")  # as Windows saves it
    assert read(path, House, "or none") == House(rooms=3)
    for content, said in {
        b"rooms = ": "is not TOML",
        b"rooms = \xff": r"is not in UTF-8: its line 1 has the byte 0xff \(byte 9 of the file\)",
        b"rooms = 'x'": "rooms is 'x'",
        b"notes = " + 5000 * b"[" + 5000 * b"]": "is not TOML",
    }.items():
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=said) as caught:
            read(path, House, "or none")
        assert str(caught.value).startswith(str(path))


def test_values_are_shown_short() -> None:
    assert shown("x" * 100) == repr("x" * 57 + "...")
    assert len(shown(10**100)) == 60
    assert shown("two\nlines") == r"'two\nlines'"
    assert hint("cat", ["dog"], "see the zoo") == "see the zoo"
