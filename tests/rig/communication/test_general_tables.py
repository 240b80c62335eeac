"""Tables of decade 0, and the codec against vectors that others made (X-1)."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.general import CONFIGURATION
from rig.communication.c1219.layout import Scope, decode_table
from tests.rig.communication import table_decoder as witness
from tests.rig.communication.table_bench import MeterTables
from tests.rig.reading.read_meters import KINDS, lived, program

EPRI = bytes.fromhex(
    "120A9A" + b"EPRI".hex() + "020013180100" + "0D0D03050D06" + "FFADF0DF033FFCF0C11FFFFF03"
    "3EFFAFA20185FFFF1F308FFFF7" + "F85F10" + "FEFF1E16DB" + "E0A8E00803346860800AFCF300" + "24A500A001811967100082F5E0"
)
"""ST0 of c12.md §1.5, from EPRI's c12test (BSD-3): 79 bytes."""


def test_epris_configuration_decodes_as_they_say() -> None:
    assert len(EPRI) == 79
    found = decode_table(CONFIGURATION, EPRI, Scope({}))
    assert found["FORMAT_CONTROL_3"] == {"NI_FORMAT1": 10, "NI_FORMAT2": 9}
    assert [found[f"DIM_{name}_USED"] for name in ("STD_TBLS", "MFG_TBLS", "STD_PROC", "MFG_PROC", "MFG_STATUS")] == [
        13, 13, 3, 5, 13,
    ]  # fmt: skip
    assert (found["NBR_PENDING"], found["MANUFACTURER"]) == (6, b"EPRI")
    assert found["STD_TBLS_USED"] == witness.numbers_of(EPRI[19:32])
    assert CONFIGURATION.encode(found, Scope({})) == EPRI


@pytest.mark.parametrize("kind", KINDS)
def test_identification(kind: str) -> None:
    kept, _ = lived(program(kind), [])
    tables = MeterTables(kept)
    plate = kept.program.nameplate
    one = witness.st1(tables.data(1))
    assert (one["model"], one["serial"]) == (plate.type, plate.serial)
    assert one["firmware"] == ((7, 18) if kind == "industrial" else (0, 9))
    assert tables.data(5) == plate.serial.encode().ljust(20)


@pytest.mark.parametrize("kind", ["block", "no demand"])
def test_configuration_names_what_can_be_read(kind: str, tmp_path: Path) -> None:
    kept, _ = lived(program(kind), [("idle", (60,))], tmp_path / "store")
    tables = MeterTables(kept, tmp_path / "store")
    found = witness.st0(tables.data(0))
    assert found.formats == bytes((0x02, 0x0A, 0xDD))
    for number in range(128):
        answer = tables.read(number)
        if number in (7, 42, 45):
            assert answer is ResponseCode.INSUFFICIENT_SECURITY
        elif number == 8:
            assert answer is ResponseCode.NOT_READY, "no procedure yet"
        else:
            assert isinstance(answer, bytes) == (number in found.standard), number
            assert isinstance(answer, bytes) or answer is ResponseCode.INAPPROPRIATE
    for number in range(1, 16):
        assert isinstance(tables.read(2048 + number), bytes) == (number in found.manufacturers), number
    assert found.standard_written == {7}
    assert found.manufacturers_written == {0}
    assert found.procedures == {0, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 18, 19}


def test_test_mode_is_told() -> None:
    kept, _ = lived(program("block"), [("test", ())])
    assert witness.st3(MeterTables(kept).data(3))["mode"] == 2
    kept, _ = lived(program("block"), [])
    assert witness.st3(MeterTables(kept).data(3))["mode"] == 1


def test_parts_of_a_table() -> None:
    kept, _ = lived(program("block"), [])
    tables = MeterTables(kept)
    whole = tables.data(1)
    for offset in range(len(whole)):
        for count in (1, 7, 100):
            assert tables.read(1, offset, count) == whole[offset : offset + count]
    assert tables.read(1, len(whole), 1) is ResponseCode.INAPPROPRIATE
    assert tables.read(1, 1 << 24, 1) is ResponseCode.INAPPROPRIATE
    assert tables.read(1, 0, 0) == tables.read(1, len(whole), 0) == b""
    for beyond in (len(whole) + 1, (1 << 24) - 1):
        assert tables.read(1, beyond, 0) is ResponseCode.INAPPROPRIATE, "nothing is asked for, of beyond the end"
    tables.write(2048, b"text")
    assert tables.read(2048, 4, 0) == b""
    assert tables.read(2048, 5, 0) is ResponseCode.INAPPROPRIATE


def test_what_nobody_can_read_has_no_level_for_it() -> None:
    """ST44 against the reads themselves, of each table that ST0 names, at each level."""
    kept, _ = lived(program("block"), [])
    tables = MeterTables(kept)
    entries = struct.iter_unpack("<HBB", tables.data(44))
    masks = {entry & 0xFFF: (bool(entry & 0x2000), mask) for entry, mask, _ in entries if not entry & 0x1000}
    assert {7, 8, 2048} <= set(masks)
    for number, (anyone, mask) in masks.items():
        for level in range(5):
            tables.level = level
            denied = tables.read(number) is ResponseCode.INSUFFICIENT_SECURITY
            assert denied is not (bool(mask >> level - 1 & 1) if level else anyone), f"table {number} at level {level}"
