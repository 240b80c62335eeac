"""TOML files taken strictly: what is not as its Struct has it is refused, in a sentence that says what is right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from rig.errors import RigError
from rig.files.bounded import MOST_TOML_BYTES, TooLongError, parse_toml, read_bounded
from rig.files.text import NotUtf8Error, utf8_text

T = TypeVar("T")


class ConfigError(RigError):
    """A file that cannot be used: one sentence naming file, key, value and what would be right."""


def read(path: Path, kind: type[T], otherwise: str) -> T:
    """A whole file as the Struct `kind`. `otherwise` ends the sentence if there is no such file. Raises ConfigError."""
    try:
        data = parse_toml(utf8_text(read_bounded(path, MOST_TOML_BYTES)).replace("\r\n", "\n"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: give an existing file, {otherwise}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (TooLongError, NotUtf8Error) as error:
        raise ConfigError(f"{path} {error}") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or a number of thousands of digits
        raise ConfigError(f"{path} is not TOML: {error}") from None
    try:
        return convert(data, kind)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def convert(data: dict[str, Any], kind: type[T]) -> T:
    """A file's data as the Struct `kind`. Raises ConfigError, without the file's name."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(_sentence(str(error), data, kind)) from None


def hint(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """For a name that is not known: the one it resembles, else all there are, or where those are."""
    names = list(known)
    close = difflib.get_close_matches(name, names, 1)
    if close:
        return f"did you mean {close[0]}?"
    return otherwise or f"known are {', '.join(names)}"


def shown(value: object) -> str:
    """A value much as TOML has it, on one line and not too long."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case list():
            return "a list"
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "...")
        case _:
            text = str(value)
            return text if len(text) <= 60 else text[:57] + "..."


def _sentence(message: str, data: dict[str, Any], kind: type) -> str:
    """msgspec's message as one that names key, value and what would be right."""
    value, type_ = data, inspect.type_info(kind)
    for key in data:
        if key not in _keys(type_, data):
            return f"unknown key {_bare(key)} in the file; {hint(key, _keys(type_, data))}"
    said, at, where = message.rpartition(" - at `$")
    said, steps = (said, _steps(where)) if at else (message, [])
    for step in steps:
        # A key that is not there has no value: only the last one can lack.
        type_ = _inside(type_, value, step)
        value = value[step]
    place = _place(steps)
    if unknown := re.match(r"Object contains unknown field `(.*)`", said, re.DOTALL):
        inside = place if "[" in place else f"[{place}]"
        return f"unknown key {_bare(unknown[1])} in {inside}; {hint(unknown[1], _keys(type_, value))}"
    if missing := re.match(r"Object missing required field `(.*)`", said):
        key = f"{place}.{missing[1]}".lstrip(".")
        return f"{key} is missing, it must be {_rule(_inside(type_, value, missing[1]), key)}"
    if length := re.match(r"Expected `array` of length (<=|>=) (\d+)", said):
        bound = "at most" if length[1] == "<=" else "at least"
        return f"{place} has {len(value)} entries, it must have {bound} {length[2]}"
    found = "not valid (it is not shown here)" if _secret(type_) else shown(value)
    return f"{place} is {found}, it must be {_rule(type_, place)}"


def _secret(type_: inspect.Type) -> bool:
    """Return whether no message may show the value: a key with `extra={"secret": True}`, or a table that has one."""
    if isinstance(type_, inspect.Metadata):
        return bool((type_.extra or {}).get("secret")) or _secret(type_.type)
    structs = (found for found in _choices(type_) if isinstance(found, inspect.StructType))
    return any(_secret(field.type) for struct in structs for field in struct.fields)


def _bare(key: str) -> str:
    return key if re.fullmatch(r"[\w-]{1,60}", key) else shown(key)


def _steps(where: str) -> list[Any]:
    """Keys and places in lists, from msgspec's `.outputs[2].name`."""
    found = re.findall(r"\.(\w+)|\[(\d+)\]", where)
    return [key or int(place) for key, place in found]


def _place(steps: list[Any]) -> str:
    return "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in steps).lstrip(".")


def _choices(type_: inspect.Type) -> tuple[inspect.Type, ...]:
    """The types of a union, without what msgspec wraps around them."""
    match type_:
        case inspect.Metadata():
            return _choices(type_.type)
        case inspect.UnionType():
            return tuple(t for inner in type_.types for t in _choices(inner) if not isinstance(t, inspect.NoneType))
        case _:
            return (type_,)


def _struct(type_: inspect.Type, value: Any) -> inspect.StructType | None:
    """The Struct that a table is of: of several, the one whose tag it has."""
    structs = [t for t in _choices(type_) if isinstance(t, inspect.StructType)]
    tagged = [s for s in structs if s.tag_field and isinstance(value, dict) and value.get(s.tag_field) == s.tag]
    return next(iter(tagged or structs), None)


def _keys(type_: inspect.Type, value: Any) -> list[str]:
    struct = _struct(type_, value)
    assert struct is not None, "only a table has unknown keys"
    return [*([struct.tag_field] if struct.tag_field else []), *(f.encode_name for f in struct.fields)]


def _inside(type_: inspect.Type, value: Any, step: str | int) -> inspect.Type:
    """The type of what is at a key or a place."""
    if isinstance(step, int):
        (items,) = (t for t in _choices(type_) if isinstance(t, inspect.ListType | inspect.VarTupleType))
        return items.item_type
    struct = _struct(type_, value)
    assert struct is not None, "only a table has keys"
    if step == struct.tag_field:
        structs = [t for t in _choices(type_) if isinstance(t, inspect.StructType)]
        return inspect.LiteralType(tuple(str(s.tag) for s in structs))
    return next(f.type for f in struct.fields if f.encode_name == step)


def _bounds(type_: inspect.FloatType) -> str:
    low = f" more than {type_.gt:g}" if type_.gt is not None else f" from {type_.ge:g}" if type_.ge is not None else ""
    high = f"less than {type_.lt:g}" if type_.lt is not None else f"up to {type_.le:g}" if type_.le is not None else ""
    return f"{low}{',' if low and high else ''}{f' {high}' if high else ''}"


def _rule(type_: inspect.Type, place: str) -> str:
    """Describe what a value may be: in the key's own words (`extra={"rule": …}`) where it has some, or by its type."""
    if isinstance(type_, inspect.Metadata):
        return (type_.extra or {}).get("rule") or _rule(type_.type, place)
    match type_:
        case inspect.UnionType():
            inner = [t for t in type_.types if not isinstance(t, inspect.NoneType)]
            if all(isinstance(t, inspect.StructType) for t in inner):
                return _rule(inner[0], place)
            return " or ".join(_rule(t, place) for t in inner)
        case inspect.LiteralType():
            return " or ".join(repr(v) for v in type_.values)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType(ge=least, le=most) if least is not None:
            return f"a whole number from {least}" + (f" to {most}" if most is not None else " on")
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return f"a number{_bounds(type_)}"
        case inspect.DictType():
            return f"a table of names and, for each, {_rule(type_.value_type, '')}"
        case inspect.StructType():
            return f"a table: [{place}] and its keys below" if place and "[" not in place else "a table"
        case inspect.ListType() | inspect.VarTupleType():
            if all(isinstance(t, inspect.StructType) for t in _choices(type_.item_type)):
                return f"tables: [[{place}]] and its keys below, for each" if place else "tables"
            return f"a list of {_rule(type_.item_type, '')}"
        case _:
            return "text in quotes"
