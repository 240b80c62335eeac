"""Every table and key of a program file with its values, default and meaning, read from the Structs themselves.

`python -m rig.program.reference` prints them as they stand in docs/program.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import inspect

from rig.plain_text import print_lines
from rig.program.schema import ProgramFile


@dataclass(frozen=True)
class KeyRow:
    """One key; `default` is "" where it must be given."""

    name: str
    values: str
    default: str
    meaning: str


@dataclass(frozen=True)
class TableReference:
    """One table: `heading` as the file has it, such as "[meter]" or "[[outputs]] eoi"."""

    heading: str
    meaning: str
    keys: tuple[KeyRow, ...]


def tables() -> list[TableReference]:
    """All tables in the order of the file, each followed by those inside it; each kind once."""
    root = inspect.type_info(ProgramFile)
    assert isinstance(root, inspect.StructType)
    found: dict[type, TableReference] = {}
    for field in root.fields:
        for struct, table in _tables(field.name, field.type):
            found.setdefault(struct, table)
    return list(found.values())


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors that check TOML by one."""
    return msgspec.json.schema(ProgramFile)


def markdown(table: TableReference) -> str:
    """A table of keys as the documents have it."""
    rows = [f"| `{k.name}` | {k.values} | {k.default or '–'} | {k.meaning} |" for k in table.keys]
    return "\n".join(["| key | values | default | meaning |", "|---|---|---|---|", *rows])


def _tables(place: str, type_: inspect.Type) -> Iterator[tuple[type, TableReference]]:
    many = False
    while not isinstance(type_, inspect.StructType | inspect.UnionType):
        match type_:
            case inspect.Metadata():
                type_ = type_.type
            case inspect.VarTupleType():
                type_, many = type_.item_type, True
            case _:
                return
    for struct in type_.types if isinstance(type_, inspect.UnionType) else (type_,):
        if isinstance(struct, inspect.StructType):
            yield struct.cls, _reference(place, struct, many)
            for field in struct.fields:
                yield from _tables(f"{place}.{field.name}", field.type)
        elif not isinstance(struct, inspect.NoneType):
            yield from _tables(place, struct)


def _reference(place: str, struct: inspect.StructType, many: bool) -> TableReference:
    heading = f"[[{place}]]" if many else f"[{place}]"
    keys = [_row(field) for field in struct.fields]
    if struct.tag_field:
        heading += f" {struct.tag}"
        keys.insert(0, KeyRow(struct.tag_field, f'`"{struct.tag}"`', "", "what it does"))
    return TableReference(heading, (struct.cls.__doc__ or "").strip(), tuple(keys))


def _row(field: inspect.Field) -> KeyRow:
    words, meaning = _words(field.type)
    if field.required:
        default = ""
    else:
        default = words.get("default") or _toml(field.default)
    return KeyRow(field.name, words.get("rule") or _values(field.type), default, meaning)


def _words(type_: inspect.Type) -> tuple[dict[str, str], str]:
    """Return the key's own words: its `extra`, and its meaning."""
    match type_:
        case inspect.Metadata():
            return type_.extra or {}, (type_.extra_json_schema or {}).get("description", "")
        case inspect.UnionType():
            found = [_words(t) for t in type_.types]
            return next((words for words in found if words[1]), ({}, ""))
        case _:
            return {}, ""


def _values(type_: inspect.Type) -> str:
    match type_:
        case inspect.Metadata():
            return _values(type_.type)
        case inspect.UnionType():
            return " or ".join(dict.fromkeys(_values(t) for t in type_.types if not isinstance(t, inspect.NoneType)))
        case inspect.LiteralType(values=(int(), *_)):
            return ", ".join(str(value) for value in type_.values)
        case inspect.LiteralType():
            return ", ".join(_toml(value) for value in type_.values)
        case inspect.BoolType():
            return "`true`, `false`"
        case inspect.IntType():
            return f"{type_.ge} to {type_.le}"
        case inspect.VarTupleType():
            items = _values(type_.item_type)
            return items if items == "tables" else f"list of {items}"
        case inspect.StructType():
            return "tables"
        case _:
            return "text"


def _toml(value: object) -> str:
    match value:
        case tuple():
            return f"`[{', '.join(_toml(v).strip('`') for v in value)}]`"
        case int() | str():
            return f"`{msgspec.json.encode(value).decode()}`"
        case _:
            return "none"


if __name__ == "__main__":
    for table in tables():
        print_lines(f"\n## `{table.heading}`\n\n{table.meaning}\n\n{markdown(table)}\n")
