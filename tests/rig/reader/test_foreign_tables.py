"""Tables of other makers' meters in every format that is read, made here by struct; and what stays bytes (X-2)."""

from __future__ import annotations

import json
import struct
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psem_device import st0
from test_reading_file import READOUT

from rig.communication.c1219.formats import Formats
from rig.communication.c1219.types import TableError
from rig.reader.decoded import Decoded, tables_used
from rig.reader.reading_file import TableRead
from rig.reader.shown import as_plain, lines
from rig.reader.sources import source_names, unit_name

EPRI = bytes.fromhex(
    "120A9A45505249020013180100" "0D0D03050D06" "FFADF0DF033FFCF0C11FFFFF03"
    "3EFFAFA20185FFFF1F308FFFF7" "F85F10" "FEFF1E16DB" "E0A8E0080334686080" "0AFCF300" "24A500A00181196710" "0082F5E0"
)  # fmt: skip
"""ST0 of c12test's own unit test (BSD-3), 79 bytes: facts on C12.19, §1.5."""

ST51 = bytes.fromhex("000014002832001E01")


def test_an_st0_that_another_program_decodes_too() -> None:
    """What c12test says of it."""
    found = Decoded({0: EPRI}).values(0)
    assert found["FORMAT_CONTROL_3"] == {"NI_FORMAT1": 10, "NI_FORMAT2": 9}
    assert found["MANUFACTURER"] == b"EPRI"
    dims = ("STD_TBLS", "MFG_TBLS", "STD_PROC", "MFG_PROC", "MFG_STATUS")
    assert [found[f"DIM_{name}_USED"] for name in dims] == [13, 13, 3, 5, 13]
    used = list(tables_used(found))
    assert used[:12] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13]
    assert 2048 + 1 in used
    assert list(Decoded({0: EPRI, 51: ST51}).values(51).values())[2:] == [
        {"NBR_SEASONS": 4, "NBR_SPECIAL_SCHED": 1}, 0, 40, 50, 286,
    ]  # fmt: skip


def formats(
    order: int = 0, characters: int = 1, times: int = 2, ids: int = 0, integers: int = 0, ni: tuple[int, int] = (13, 13)
) -> bytes:
    return bytes((order | characters << 1, times | 1 << 3 | ids << 5 | integers << 6, ni[0] | ni[1] << 4))


def meter(head: bytes, **tables: bytes) -> Decoded:
    found = {int(name[2:]): data for name, data in tables.items()}
    return Decoded({0: st0((0, 1, 5), formats=head), **found})


def registers(order: int, one: bytes, two: bytes, stime: bytes) -> dict[str, bytes]:
    """ST21 to 23 of a meter with one energy, and one demand with its time: each value once."""
    return {
        "st21": bytes((2, 0, 0, 1, 1, 0, 1, 0, 0, 0)),
        "st22": bytes((7, 8, 1)),
        "st23": one + stime + two,
    }


NUMBERS: list[tuple[int, int, bytes, str]] = [
    (0, 0, struct.pack("<d", -1234.5), "-1234.5"),
    (0, 1, struct.pack(">d", 0.1), "0.1000000000000000055511151231257827021181583404541015625"),
    (1, 0, struct.pack("<f", 3.5), "3.5"),
    (1, 1, struct.pack(">f", -2.25), "-2.25"),
    (2, 0, b"   -12345.67", "-12345.67"),
    (3, 0, b"12.5E3", "12500"),
    (4, 0, struct.pack("<i", -12345678), "-1234.5678"),
    (4, 1, struct.pack(">i", 5), "0.0005"),
    (7, 0, b"\x01\x02\x03", str(0x030201)),
    (7, 1, b"\xff\xff\xfe", "-2"),
    (8, 0, struct.pack("<i", -7), "-7"),
    (9, 1, b"\x00\x00\x00\x01\x00", "256"),
    (10, 0, b"\x00\x01\x00\x00\x00\x80", str(256 - 2**47)),
    (11, 1, struct.pack(">q", -(10**15)), str(-(10**15))),
    (13, 0, b"00001234.567890123456", "1234.567890123456"),
]


@pytest.mark.parametrize(("code", "order", "data", "value"), NUMBERS)
def test_numbers(code: int, order: int, data: bytes, value: str) -> None:
    """The same in NI_FORMAT1 and NI_FORMAT2."""
    decoded = meter(formats(order, ni=(code, code)), **registers(order, data, data, bytes((26, 11, 30, 2, 5))))
    total = decoded.values(23)["TOT_DATA_BLOCK"]
    assert total["SUMMATIONS"] == [Decimal(value)]
    assert total["DEMANDS"][0]["DEMAND"] == [Decimal(value)]
    assert total["DEMANDS"][0]["EVENT_TIME"] == [datetime(2026, 11, 30, 2, 5)]


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.sampled_from([0, 1, 2]), st.booleans())
def test_signs_of_integers(value: int, sign: int, big: bool) -> None:
    """Two's complement, one's complement, sign and amount."""
    bits = value % 2**32 if sign == 0 else value if value >= 0 else (2**32 - 1 + value if sign == 1 else 2**31 - value)
    data = struct.pack(">I" if big else "<I", bits)
    decoded = meter(
        formats(int(big), integers=sign, ni=(8, 8)), **registers(int(big), data, data, bytes((26, 1, 1, 0, 0)))
    )
    assert decoded.values(23)["TOT_DATA_BLOCK"]["SUMMATIONS"] == [Decimal(value)]


AT = datetime(2026, 11, 30, 14, 45)
MINUTES = int((AT - datetime(1970, 1, 1)).total_seconds()) // 60


@pytest.mark.parametrize(
    ("times", "order", "stime"),
    [
        (1, 0, bytes.fromhex("2611301445")),
        (2, 0, bytes((26, 11, 30, 14, 45))),
        (3, 0, struct.pack("<I", MINUTES)),
        (3, 1, struct.pack(">I", MINUTES)),
        (4, 1, struct.pack(">I", 60 * MINUTES)),
    ],
)
def test_times(times: int, order: int, stime: bytes) -> None:
    number = b"00001234.567890123456"
    decoded = meter(formats(order, times=times), **registers(order, number, number, stime))
    assert decoded.values(23)["TOT_DATA_BLOCK"]["DEMANDS"][0]["EVENT_TIME"] == [AT]


@pytest.mark.parametrize(
    ("times", "clock"),
    [(1, bytes.fromhex("261130144509")), (2, bytes((26, 11, 30, 14, 45, 9))), (3, struct.pack("<IB", MINUTES, 9)),
     (4, struct.pack("<I", 60 * MINUTES + 9))],
)  # fmt: skip
def test_clocks(times: int, clock: bytes) -> None:
    found = meter(formats(times=times), st51=ST51, st52=clock + b"\x09").values(52)
    assert found["CLOCK_CALENDAR"] == AT.replace(second=9)
    assert found["TIME_DATE_QUAL"]["DST_FLAG"] == 1


def test_big_endian_words_bits_and_sets() -> None:
    """Words and bit fields turn around, sets and bytes do not."""
    unit = 0 | 0 << 8 | 2 << 11 | 9 << 14
    decoded = meter(
        formats(1), st11=bytes((0, 1, 0, 0, 0, 0, 2, 1)), st12=struct.pack(">I", unit),
        st71=struct.pack(">5BHH", 6, 3, 1, 0, 0, 258, 1), st72=b"\x06\x00\x80\x01",
    )  # fmt: skip
    assert source_names(decoded) == ["kWh delivered"]
    assert decoded.values(71)["NBR_HISTORY_ENTRIES"] == 258
    assert decoded.values(72)["STD_EVENTS_SUPPORTED"] == {1, 2, 23}


def test_identifiers_in_bcd_and_text_in_other_characters() -> None:
    one = b"XYZ1" + b"M\xc9TRE   " + bytes((1, 2, 3, 4))
    decoded = meter(
        formats(characters=2, ids=1), st1=one + bytes.fromhex("0000000012345678"), st5=bytes(8) + b"\x12\x34"
    )
    assert decoded.values(1)["ED_MODEL"] == "MÉTRE"
    assert decoded.values(1)["MFG_SERIAL_NUMBER"] == "12345678"
    assert decoded.values(5)["IDENTIFICATION"] == "1234"


STAYS: list[tuple[dict[str, Any], dict[str, bytes], int, str]] = [
    ({"ni": (5, 5)}, registers(0, bytes(6), bytes(6), bytes(5)), 23, "NI_FORMAT 5"),
    ({"ni": (1, 1)}, registers(0, b"\x00\x00\x80\x7f", bytes(4), bytes(5)), 23, "no number"),
    ({"integers": 3, "ni": (8, 8)}, registers(0, b"\xff" * 4, bytes(4), bytes(5)), 23, "INT_FORMAT 3"),
    ({"times": 0}, {"st51": ST51, "st52": bytes(7)}, 52, "TM_FORMAT 0"),
    ({"times": 1}, {"st51": ST51, "st52": b"\x2a" * 7}, 52, "no time in BCD"),
    ({"characters": 4}, {"st5": bytes(20)}, 5, "CHAR_FORMAT 4"),
    ({"times": 3}, {"st53": bytes(4)}, 53, "table 51 was not read"),
    ({}, {"st5": bytes(21)}, 5, "21 bytes, 1 more than its fields"),
    ({}, {"st5": bytes(3)}, 5, "ends after 3 bytes"),
    ({}, {"st23": bytes(3)}, 23, "table 21 was not read"),
    ({}, {"st143": b"x"}, 143, "no description"),
    ({}, {"st2049": b"x"}, 2049, "its manufacturer's own"),
]


@pytest.mark.parametrize(("head", "tables", "number", "why"), STAYS, ids=[why for *_, why in STAYS])
def test_what_stays_bytes(head: dict[str, Any], tables: dict[str, bytes], number: int, why: str) -> None:
    with pytest.raises(TableError, match=why):
        meter(formats(**head), **tables).values(number)


@pytest.mark.parametrize("length", range(0, 56, 3))
def test_an_st0_that_is_cut_short(length: int) -> None:
    """19 bytes and the 13 of the standard tables it must have; the other sets are taken to be empty."""
    decoded = Decoded({0: st0((0, 1), manufacturer=(3,))[:length], 1: bytes(32)})
    if length < 19 + 13:
        with pytest.raises(TableError):
            decoded.values(0)
    else:
        found = decoded.values(0)
        assert found["STD_TBLS_USED"] == {0, 1}
        assert found["MFG_TBLS_USED"] == ({3} if length > 32 else set())
        assert found["MFG_TBLS_WRITE"] == set()


@given(
    st.binary(max_size=200),
    st.binary(max_size=200),
    st.sampled_from([1, 3, 5, 11, 12, 15, 21, 23, 26, 54, 64, 74, 2051]),
)
def test_any_bytes_are_a_table_or_a_sentence(configuration: bytes, data: bytes, number: int) -> None:
    """In any formats, with limits that are as wild; and nothing else, in bounded time and memory."""
    limits = dict.fromkeys((11, 21, 51, 61, 63, 71), data)
    for head in (configuration, bytes(3) + b"AE07" + configuration):
        decoded = Decoded({0: head, number: data, **limits})
        for each in decoded.numbers:
            assert decoded.maybe(each) is None or isinstance(decoded.values(each), dict)
        tables = [
            TableRead(n, f"ST{n}", "", d.hex()) for n, d in {0: head, number: data, 22: data, 1: data, **limits}.items()
        ]
        reading = msgspec.structs.replace(READOUT, tables=tables)
        assert len(list(lines(reading))) > len(tables)
        assert json.loads(msgspec.json.encode(as_plain(reading)))["type"] == "meter_readout"


def test_formats_are_three_bytes() -> None:
    assert Formats.of(formats(1, 2, 3, 1, 2, (4, 11))) == Formats(1, 2, 3, 1, 2, (4, 11))
    with pytest.raises(TableError):
        Formats.of(b"\0\0")


def test_units_by_their_numbers() -> None:
    entry = {"ID_CODE": 1, "TIME_BASE": 4, "MULTIPLIER": 2, "NET_FLOW_ACCOUNTABILITY": 0, "SEGMENTATION": 5}
    quadrants = {f"Q{n}_ACCOUNTABILITY": int(n in (1, 3)) for n in (1, 2, 3, 4)}
    assert unit_name({**entry, **quadrants}) == "kvar lagging A"
    assert unit_name({**entry, **quadrants, "ID_CODE": 99, "MULTIPLIER": 0}) == "unit 99 lagging A"


def test_how_another_makers_modem_answers() -> None:
    """ST91 and ST95 made here: speed of its own, lock-out, a caller's number, a window in BCD, all of it big-endian."""
    st91 = bytes((0x11, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 4))
    st95 = struct.pack(">I", 2400) + bytes((5, 3, 30, 2, 8)) + b"5551" + bytes((0x18, 0x30, 0x11, 0x00, 0x3E))
    found = meter(formats(order=1, times=1), st91=st91, st95=st95).values(95)
    window = {"BEGIN_WINDOW_TIME": 18 * 60 + 30, "WINDOW_DURATION": 11 * 60, "WINDOW_DAYS": 0x3E}
    assert found == {
        "ANSWER_BIT_RATE": 2400, "LOCKOUT_DELAY": 5, "RETRY_ATTEMPTS": 3, "RETRY_LOCKOUT_TIME": 30, "NBR_RINGS": 2,
        "NBR_RINGS_OUTSIDE": 8, "CALLER_IDS": [{"CALLER_ID": b"5551"}], "WINDOWS": [window],
    }  # fmt: skip
    with pytest.raises(TableError):
        meter(formats(order=1, times=1), st91=st91, st95=st95[:-4] + b"\x60\x00\x00\x00").values(95)
