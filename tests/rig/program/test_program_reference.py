"""docs/program.md and the JSON Schema say what the Structs say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from rig.files.strict_toml import convert
from rig.meter.billing.metric import Metric
from rig.meter.billing.quantity import Quantity
from rig.meter.display.items import DisplayStatus
from rig.meter.installation.diagnostics import Diagnostic
from rig.program import schema
from rig.program.build import build
from rig.program.display_items import items
from rig.program.names import Names
from rig.program.reference import TableReference, json_schema, markdown, tables

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "program.md").read_text(encoding="utf-8")


def structs(type_: inspect.Type) -> Iterator[inspect.StructType]:
    """Every Struct inside a type."""
    match type_:
        case inspect.StructType():
            yield type_
            for field in type_.fields:
                yield from structs(field.type)
        case inspect.UnionType():
            for inner in type_.types:
                yield from structs(inner)
        case inspect.Metadata():
            yield from structs(type_.type)
        case inspect.VarTupleType():
            yield from structs(type_.item_type)


def test_the_reference_has_every_key() -> None:
    there = {struct.cls: struct for struct in structs(inspect.type_info(schema.ProgramFile))}
    del there[schema.ProgramFile]
    keys = [[key.name for key in table.keys if key.name != "function"] for table in tables()]
    assert sorted(keys) == sorted(list(cls.__struct_fields__) for cls in there)
    for table in tables():
        assert table.meaning.endswith(".")
        for key in table.keys:
            assert key.meaning, f"{table.heading} {key.name} has no meaning"
            assert key.values


@pytest.mark.parametrize("table", tables(), ids=lambda table: table.heading)
def test_the_document_has_the_tables(table: TableReference) -> None:
    section = re.split(r"^##+ ", TEXT.partition(f"\n### `{table.heading}`\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    assert section.strip(), f"no section ### `{table.heading}`"
    assert table.meaning in section
    assert markdown(table) in section, "python -m rig.program.reference prints the tables"


def test_the_document_names_all_that_can_be_named() -> None:
    spans = set(re.findall(r"`([^`\n]+)`", TEXT))
    spans |= {f"{unit} Q{k}" for unit in ("kWh", "kvarh") for k in range(1, 5)}  # as "Q1 to Q4"
    assert {quantity.value for quantity in Quantity} <= spans
    assert {metric.value for metric in Metric} <= spans
    assert {diagnostic.label for diagnostic in Diagnostic} <= spans
    assert {status.value for status in DisplayStatus} <= spans
    section = TEXT.partition("\n## Display items\n")[2].partition("\n## ")[0]
    first_cells = " ".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE))
    shown = set(re.findall(r"`([^`]+)`", first_cells))
    words = {"previous", "cumulative", "continuous cumulative", "peak 5"}  # that go on what stands before them
    assert shown - words <= items(Names()).keys()


def test_the_examples_of_the_document_are_programs() -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        build(convert(tomllib.loads(block), schema.ProgramFile))
    linked = set(re.findall(r"\]\(\.\./rig/program/examples/([\w-]+\.toml)\)", TEXT))
    assert linked == {path.name for path in (ROOT / "rig" / "program" / "examples").glob("*.toml")}


def test_the_json_schema_has_every_key() -> None:
    found = msgspec.json.decode(msgspec.json.encode(json_schema()))
    assert found["$ref"] == "#/$defs/ProgramFile"
    definitions: dict[str, Any] = found["$defs"]
    for struct in structs(inspect.type_info(schema.ProgramFile)):
        definition = definitions[struct.cls.__name__]
        tag = [struct.tag_field] if struct.tag_field else []
        assert list(definition["properties"]) == [*tag, *struct.cls.__struct_fields__]
        assert definition["additionalProperties"] is False
    assert definitions["TestModeTable"]["properties"]["minutes"]["maximum"] == 255
    assert len(definitions["ProgramFile"]["properties"]["outputs"]["anyOf"][0]["items"]["anyOf"]) == 7
