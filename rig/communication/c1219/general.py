"""Decade 0: configuration, identification, nameplate, state (ST0 to ST3, ST5, ST6; X-1)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rig.communication.c1219.facts import Need
from rig.communication.c1219.layout import Bit, BitField, Field, Layout, Ref, Sized, constant
from rig.communication.c1219.table import Table, TableContents
from rig.communication.c1219.types import U8, Binary, Numbers, Text
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.measuring.elements import TEST_AMPERES
from rig.meter.nameplate import Nameplate

MANUFACTURER_CODE = b"AE07"
"""No manufacturer's: the notice that the rig follows, AE-0764."""

HARDWARE = (1, 0)
FLOAT_CHAR21 = 13
ELECTRIC = 2
MOST_PARAMETERS = 64
MOST_RESPONSE = 240
METERING, TEST = 0, 1


def set_bytes(numbers: frozenset[int]) -> int:
    """Give the bytes that a set of these numbers takes; one at least."""
    return max(numbers, default=0) // 8 + 1


def _use(name: str) -> Any:
    return lambda contents: getattr(contents.use, name)


def _size(*names: str) -> Any:
    return lambda contents: max(set_bytes(getattr(contents.use, name)) for name in names)


def _set(name: str, dimension: str, used: str, meaning: str) -> Field:
    return Field(name, Sized(Numbers, Ref(None, dimension)), _use(used), meaning)


CONFIGURATION = Layout(
    (
        Field(
            "FORMAT_CONTROL_1",
            BitField(
                1,
                (
                    Bit("DATA_ORDER", 0, 0, constant(0), "0: least significant byte first"),
                    Bit("CHAR_FORMAT", 1, 3, constant(1), "1: ISO 646"),
                    Bit("MODEL_SELECT", 4, 6, constant(0)),
                ),
            ),
        ),
        Field(
            "FORMAT_CONTROL_2",
            BitField(
                1,
                (
                    Bit("TM_FORMAT", 0, 2, constant(2), "2: a byte for each part of a time"),
                    Bit("DATA_ACCESS_METHOD", 3, 4, constant(1), "1: by offset"),
                    Bit("ID_FORM", 5, 5, constant(0), "0: characters"),
                    Bit("INT_FORMAT", 6, 7, constant(0), "0: two's complement"),
                ),
            ),
        ),
        Field(
            "FORMAT_CONTROL_3",
            BitField(
                1,
                (
                    Bit("NI_FORMAT1", 0, 3, constant(FLOAT_CHAR21), "13: 21 characters"),
                    Bit("NI_FORMAT2", 4, 7, constant(FLOAT_CHAR21), "13: 21 characters"),
                ),
            ),
        ),
        Field("MANUFACTURER", Binary(4), constant(MANUFACTURER_CODE), "AE07: the notice AE-0764, no manufacturer"),
        Field("NAMEPLATE_TYPE", U8, constant(ELECTRIC), "2: electric"),
        Field("DEFAULT_SET_USED", U8, constant(0), "0: no default set"),
        Field("MAX_PROC_PARM_LENGTH", U8, constant(MOST_PARAMETERS), "longest parameters of a procedure"),
        Field("MAX_RESP_DATA_LEN", U8, constant(MOST_RESPONSE), "longest answer of a procedure"),
        Field("STD_VERSION_NO", U8, constant(1), "1: of 1997"),
        Field("STD_REVISION_NO", U8, constant(0)),
        Field("DIM_STD_TBLS_USED", U8, _size("standard", "standard_written"), "bytes of the set"),
        Field("DIM_MFG_TBLS_USED", U8, _size("manufacturer", "manufacturer_written"), "bytes of the set"),
        Field("DIM_STD_PROC_USED", U8, _size("procedures"), "bytes of the set"),
        Field("DIM_MFG_PROC_USED", U8, _size("manufacturer_procedures"), "bytes of the set"),
        Field("DIM_MFG_STATUS_USED", U8, constant(2), "bytes of ST3.MFG_STATUS"),
        Field("NBR_PENDING", U8, constant(1), "entries of ST4: one program can wait"),
        _set("STD_TBLS_USED", "DIM_STD_TBLS_USED", "standard", "standard tables that the meter has"),
        _set("MFG_TBLS_USED", "DIM_MFG_TBLS_USED", "manufacturer", "manufacturer tables"),
        _set("STD_PROC_USED", "DIM_STD_PROC_USED", "procedures", "standard procedures"),
        _set("MFG_PROC_USED", "DIM_MFG_PROC_USED", "manufacturer_procedures", "manufacturer procedures"),
        _set("STD_TBLS_WRITE", "DIM_STD_TBLS_USED", "standard_written", "standard tables that can be written"),
        _set("MFG_TBLS_WRITE", "DIM_MFG_TBLS_USED", "manufacturer_written", "manufacturer tables that can be written"),
    )
)


# --- identification -------------------------------------------------------------------------------------------


def _firmware(place: int) -> Any:
    def number(contents: TableContents) -> int:
        firmware = contents.facts.program.metering.firmware
        version = contents.facts.software if firmware is None else firmware.version
        return version_part(version, place)

    return number


def version_part(version: str, place: int) -> int:
    """Give the version's number, place 0, or its revision's, 1; 255 at most, 0 for none."""
    parts = [int(part) for part in version.split(".")[:2] if part.isdecimal()] + [0, 0]
    return min(parts[place], 255)


def _serial(contents: TableContents) -> str:
    return contents.facts.program.nameplate.serial


IDENTIFICATION = Layout(
    (
        Field("MANUFACTURER", Binary(4), constant(MANUFACTURER_CODE), "as in ST0"),
        Field("ED_MODEL", Text(8), lambda c: c.facts.program.nameplate.type, "model of the nameplate, such as RXRS4e"),
        Field("HW_VERSION_NUMBER", U8, constant(HARDWARE[0])),
        Field("HW_REVISION_NUMBER", U8, constant(HARDWARE[1])),
        Field("FW_VERSION_NUMBER", U8, _firmware(0), "of the firmware emulated, or else of the rig's own version"),
        Field("FW_REVISION_NUMBER", U8, _firmware(1)),
        Field("MFG_SERIAL_NUMBER", Text(16), lambda c: _serial(c)[-16:], "the serial number's last 16 characters"),
    )
)

DEVICE_IDENTIFICATION = Layout(
    (Field("IDENTIFICATION", Text(20), _serial, "the serial number of the nameplate, whole"),)
)


# --- utility information --------------------------------------------------------------------------------------


def _blank(name: str, characters: int) -> Field:
    return Field(name, Text(characters), constant(""), "blank: the meter is not told")


UTILITY_INFORMATION = Layout(
    (
        _blank("OWNER_NAME", 20),
        _blank("UTILITY_DIV", 20),
        _blank("SERVICE_POINT_ID", 20),
        _blank("ELEC_ADDR", 20),
        Field("DEVICE_ID", Text(20), _serial, "the serial number"),
        _blank("UTIL_SER_NO", 20),
        _blank("CUSTOMER_ID", 20),
        _blank("COORDINATE_1", 10),
        _blank("COORDINATE_2", 10),
        _blank("COORDINATE_3", 10),
        _blank("TARIFF_ID", 8),
        Field("EX1_SW_VENDOR", Text(4), lambda _: MANUFACTURER_CODE.decode(), "the rig's own software"),
        Field("EX1_SW_VERSION_NUMBER", U8, lambda c: version_part(c.facts.software, 0)),
        Field("EX1_SW_REVISION_NUMBER", U8, lambda c: version_part(c.facts.software, 1)),
        _blank("EX2_SW_VENDOR", 4),
        Field("EX2_SW_VERSION_NUMBER", U8, constant(0)),
        Field("EX2_SW_REVISION_NUMBER", U8, constant(0)),
        _blank("PROGRAMMER_NAME", 10),
        Field("MISC_ID", Text(30), lambda c: f"program {c.facts.digest}", "the program's digest, as displayed"),
    )
)


# --- nameplate ------------------------------------------------------------------------------------------------

_ELEMENTS = {Fraction(1): 1, Fraction(2): 2, Fraction(5, 2): 3, Fraction(3): 4}
"""By ST2's number; there is none for an element and a half."""

HERTZ_50_OR_60 = 3
CHARACTERS = 6


def _short(value: Fraction) -> str:
    """Give a number in at most six characters, cut off."""
    steps = value.numerator * 10**5 // value.denominator
    text = f"{steps // 10**5}.{steps % 10**5:05}".rstrip("0").rstrip(".")
    return text[:CHARACTERS].rstrip(".")


def _plate(contents: TableContents) -> Nameplate:
    return contents.facts.program.nameplate


def _class(contents: TableContents) -> int:
    return contents.facts.program.metering.current_class


NAMEPLATE = Layout(
    (
        Field("ED_KH", Text(CHARACTERS), lambda c: _short(_plate(c).ks.wh), "Ks, Wh a pulse"),
        Field("ED_KT", Text(CHARACTERS), lambda c: _short(_plate(c).ks.wh), "Ks, of test mode too"),
        Field("INPUT_SCALAR", U8, constant(1)),
        Field("ED_CONFIG", Text(5), lambda c: _plate(c).form, "form, such as 9S"),
        Field(
            "ELEMENTS",
            BitField(
                2,
                (
                    Bit("FREQUENCY", 0, 2, constant(HERTZ_50_OR_60), "3: 50 and 60 Hz"),
                    Bit(
                        "NO_OF_ELEMENTS",
                        3,
                        5,
                        lambda c: _ELEMENTS.get(_plate(c).elements, 0),
                        "1, 2, 3: 2.5, 4: 3; 0: 1.5",
                    ),
                    Bit("BASE_TYPE", 6, 9, constant(0), "0: not said"),
                    Bit("ACCURACY_CLASS", 10, 15, constant(0), "0: not said"),
                ),
            ),
        ),
        Field("ED_VOLTS", U8, constant(0), "0: not said, it is of the service"),
        Field("ED_CLASS_AMPS", Text(CHARACTERS), lambda c: str(_class(c)), "current class"),
        Field("ED_TA", Text(CHARACTERS), lambda c: _short(TEST_AMPERES[_class(c)]), "test amperes"),
    )
)


# --- state ----------------------------------------------------------------------------------------------------


def _on(*diagnostics: Diagnostic) -> Any:
    def on(contents: TableContents) -> bool:
        return any(diagnostic in contents.facts.reading.installation.active for diagnostic in diagnostics)

    return on


def _mode(contents: TableContents) -> int:
    return TEST if contents.facts.reading.test is not None else METERING


_PHASES_OUT = (Diagnostic.PHASE_A_OUT, Diagnostic.PHASE_B_OUT, Diagnostic.PHASE_C_OUT)


def _status_1() -> BitField:
    none = constant(0)
    return BitField(
        2,
        (
            Bit("UNPROGRAMMED", 0, 0, none, "always 0: a meter has a program"),
            Bit("CONFIGURATION_ERROR", 1, 1, none),
            Bit("SELF_CHECK_ERROR", 2, 2, none),
            Bit("RAM_FAILURE", 3, 3, none),
            Bit("ROM_FAILURE", 4, 4, none),
            Bit("NONVOL_MEM_FAILURE", 5, 5, none),
            Bit("CLOCK_ERROR", 6, 6, none),
            Bit(
                "MEASUREMENT_ERROR",
                7,
                7,
                lambda c: bool(c.facts.reading.faults),
                "records of the last seconds had faults",
            ),
            Bit("LOW_BATTERY", 8, 8, none, "always 0: there is no battery"),
            Bit("LOW_LOSS_POTENTIAL", 9, 9, _on(*_PHASES_OUT), "a phase has lost its voltage"),
            Bit("DEMAND_OVERLOAD", 10, 10, none),
            Bit("POWER_FAILURE", 11, 11, none),
            Bit("TAMPER_DETECT", 12, 12, lambda c: c.facts.seal_broken, "the seal was broken"),
            Bit("REVERSE_ROTATION", 13, 13, none),
        ),
    )


def _diagnostics() -> BitField:
    return BitField(
        2,
        tuple(Bit(d.name, place, place, _on(d), d.value) for place, d in enumerate(Diagnostic)),
    )


STATUS = Layout(
    (
        Field(
            "ED_MODE",
            BitField(
                1,
                (
                    Bit("METERING_FLAG", 0, 0, lambda c: _mode(c) == METERING),
                    Bit("TEST_MODE_FLAG", 1, 1, lambda c: _mode(c) == TEST),
                ),
            ),
        ),
        Field("ED_STD_STATUS_1", _status_1()),
        Field("ED_STD_STATUS_2", U8, constant(0)),
        Field("ED_MFG_STATUS", _diagnostics(), meaning="the diagnostics that are on, one bit each"),
    )
)


GENERAL_TABLES = (
    Table(
        0,
        "general configuration",
        CONFIGURATION,
        "formats, and which tables and procedures there are",
        needs=frozenset({Need.IDENTITY}),
    ),
    Table(
        1,
        "manufacturer identification",
        IDENTIFICATION,
        "model, firmware, serial number",
        needs=frozenset({Need.IDENTITY}),
    ),
    Table(2, "device nameplate", NAMEPLATE, "form, current class, Ks"),
    Table(
        3,
        "mode and status",
        STATUS,
        "metering or test mode, and what is wrong",
        limits=(0,),
        needs=frozenset({Need.READING, Need.PROGRAM}),
    ),
    Table(5, "device identification", DEVICE_IDENTIFICATION, "the serial number"),
    Table(6, "utility information", UTILITY_INFORMATION, "serial number, software and program; the rest is blank"),
)
