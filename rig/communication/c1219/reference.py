"""Documentation of tables and procedures, made of their descriptions: docs/communication-tables.md.

`python -m rig.communication.c1219.reference > docs/communication-tables.md` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rig.communication.c1219.layout import Array, BitField, Field, Layout, Type, count_text, label_of
from rig.communication.c1219.levels import (
    MANUFACTURER_PROCEDURE_ACTIONS,
    NEVER,
    OWN_LEVELS,
    PROCEDURE_ACTIONS,
    PUBLIC,
    read_level,
    write_level,
)
from rig.communication.c1219.procedures import MANUFACTURER as MANUFACTURER_PROCEDURES
from rig.communication.c1219.procedures import STANDARD, Procedure
from rig.communication.c1219.table import MANUFACTURER, Table
from rig.communication.c1219.tables import TABLES
from rig.meter.access.actions import MeterAction
from rig.plain_text import print_lines

_HEAD = """\
# Tables of C12.19

Made from rig/communication/c1219 by `python -m rig.communication.c1219.reference > docs/communication-tables.md`; do not
edit it. Who may do what: [access](access.md); what the words of a load profile mean: [metering](metering.md).

Layouts are those of public descriptions of ANSI C12.19-1997, as real clients read them; the standard itself was not to hand.
*Our own* are the manufacturer code AE07, the tables MT and procedures MP, events from 2048 on, the bits of ED_MFG_STATUS, the value 8
of a channel's status, the order of status nibbles, and what is said below of lists.

- [Conventions](#conventions) · [Which tables there are](#which-tables-there-are) · [Which there are not](#which-tables-there-are-not) · [Procedures](#procedures) · [Fields](#fields)

## Conventions

| | |
|---|---|
| order of bytes | least significant first (DATA_ORDER 0); table numbers in C12.18's services most significant first |
| characters | ISO 646 (CHAR_FORMAT 1), padded with blanks |
| times | a byte each for year, month, day, hour, minute, second (TM_FORMAT 2), years from 2000, local; zeros: none |
| NI_FORMAT1, NI_FORMAT2 | 21 characters, `00001234.567890123456`: [decision 091](decisions/091-exact-numbers-in-tables.md) |
| sets | number n is bit n % 8 of byte n / 8 |
| registers | at the meter, in kWh, kvarh, kVAh and kW, kvar, kVA, every digit that the meter has; the ratios of transformers are in ST15 |
| parts of tables | by offset (DATA_ACCESS_METHOD 1), and by [index](decisions/117-index-reads.md), but for ST64. Parts further on are of the same instant as the beginning that was read before |
| load profile | as it was when ST63 was read last in the session |
| unread entries | of ST26, ST63, ST74 and ST76: marked by procedures 4 and 5, for all who read by this port, as long as its process lives |
| not there | [below](#which-tables-there-are-not), each with its reason |
| never given | ST42 and ST45, passwords and keys |

A read is refused with `iar` for a table that is not there or an offset beyond its end, `isc` below its level and for what nobody may
read, `onp` where the meter cannot answer (a meter without a store has no history) or an answer would be longer than 65535 bytes (read
it in parts), `dnr` for ST8 before any procedure, `bsy` where the meter's program changed meanwhile. Nothing is written but ST7, which
carries a procedure out, and MT0, also in its pending form: a meter is programmed whole.
"""  # noqa: E501

_ABSENT = """
## Which tables there are not

They are not in ST0, and answer `iar`; ST42 and ST45 answer `isc`.

| table | why not |
|---|---|
| pending tables (4096 and up) but 6144 | a meter is programmed whole, so what can wait is the program, MT0 |
| ST9, 17 to 19, 29, 35 to 39, 46 to 49, 57 to 59, 68, 69, 77 to 79 | no such table is known |
| ST14 | no source has data control: NBR_DATA_CTRL is 0 |
| ST42, ST45 | passwords and keys, which are given to nobody |
| ST43 | its layout is not public; ST44 has the level of every table and procedure |
| ST65 to 67 | there is one load profile, ST64 |
| ST80 to 89 | there are no user-defined tables |
| ST96, 98 | their layouts are not public; what became of calls is in ST97 |
| ST100 and up | extended sources, load control, prepayment, quality of service: the meter has none |
"""

_PROCEDURES = """
## Procedures

Write ST7: the procedure's number (bit 11 for a manufacturer procedure), a sequence number, its parameters. It is carried out at once;
ST8 has the result: 0 done, 2 invalid parameter, 3 conflicts with the meter's state, 5 no authorization, 6 unrecognized. The meter's
door decides by level, seal and state, as [access](access.md) has it; levels are those at the optical port.

| | procedure | level | parameters | answer |
|---|---|---|---|---|
"""  # noqa: E501

_LISTS = """
Lists are 1 event log, 2 self-reads, 3 load profile, 7 history log, 255 all. A list cannot be emptied from outside, so resetting its pointers marks it as
read. Status flags are those of now: nothing is latched but a broken seal, with which clearing conflicts.

To write a program: write its file's text to MT0, whole or in parts without a gap, up to 65536 bytes, at level 3; then procedure MP0
with its length and CRC-32 (of zlib). It is checked whole and applied at once, or refused with the sentence why.

To have a program wait: write an EVENT record and the text to MT0's pending form, 6144 on the wire, in the same way; then MP0 with length and
CRC-32 of both. It is checked as if it were applied at once. EVENT is six bytes: 0 and a date as STIME_DATE; 1 and weeks, days, hours,
minutes, seconds from now; or 2 and zeros, until procedure 12 or 13 activates it. Its flags for self-read and demand reset are refused, and so
is a time that is past. One program waits at most: a second is refused (3) until procedure 14 or 15 has cleared the first. ST4 and MT6
have what waits, ST76 what became of it. [Access](access.md#a-program-that-waits) says what is decided when.
"""  # noqa: E501


def document() -> Iterator[str]:
    """Give the document, line by line."""
    yield from _HEAD.splitlines()
    yield ""
    yield from _overview()
    yield from _ABSENT.splitlines()
    yield from _PROCEDURES.splitlines()
    for number, procedure in STANDARD.items():
        yield _procedure(f"{number}", procedure, PROCEDURE_ACTIONS.get(number, ()), OWN_LEVELS.get(number, PUBLIC))
    for number, procedure in MANUFACTURER_PROCEDURES.items():
        yield _procedure(f"MP{number}", procedure, MANUFACTURER_PROCEDURE_ACTIONS[number])
    yield from _LISTS.splitlines()
    yield ""
    yield "## Fields"
    for table in TABLES.values():
        yield ""
        yield from _table(table)


def _overview() -> Iterator[str]:
    yield "## Which tables there are"
    yield ""
    yield (
        "Levels are those at the optical port; over RS-232, RS-485 and modem nothing but ST0 and ST1 is given below "
        "level 1."
    )
    yield ""
    yield "| table | on the wire | name | holds | read at level | write at level |"
    yield "|---|---|---|---|---|---|"
    for table in TABLES.values():
        read = "never" if not table.readable or read_level(table.number) is NEVER else str(read_level(table.number))
        write = "–" if write_level(table.number) is NEVER else str(write_level(table.number))
        yield f"| {table.title} | {table.number} | {table.name} | {table.meaning} | {read} | {write} |"


def _procedure(number: str, procedure: Procedure, actions: tuple[MeterAction, ...], own: int = 0) -> str:
    levels = ", ".join(str(level) for level in sorted({action.level for action in actions}))
    return f"| {number} | {procedure.name} | {levels or own} | {procedure.parameters} | {procedure.answer} |"


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.title}: {table.name}"
    yield ""
    if table.number >= MANUFACTURER:
        yield f"Our own, {table.number} on the wire: {table.meaning}."
    else:
        yield f"{table.meaning[0].upper()}{table.meaning[1:]}."
    yield ""
    yield "| field | type | there if | meaning |"
    yield "|---|---|---|---|"
    yield from _fields(table.layout.fields, "")


def _fields(fields: tuple[Field, ...], indent: str) -> Iterator[str]:
    for field in fields:
        when = "" if field.when is None else field.when.text
        yield f"| {indent}{field.name} | {_type(field.type)} | {when} | {field.meaning} |"
        yield from _inner(field.type, indent + "· ")


def _type(kind: Type) -> str:
    match kind:
        case Array(count, inner):
            return f"{count_text(count)} × {_type(inner)}"
        case Layout():
            return "record"
        case BitField(size):
            return f"bits of {size} byte{'s' * (size > 1)}"
    return label_of(kind)


def _inner(kind: Type, indent: str) -> Iterator[str]:
    match kind:
        case Array(_, inner):
            yield from _inner(inner, indent)
        case Layout(fields):
            yield from _fields(fields, indent)
        case BitField(_, bits):
            for bit in bits:
                place = f"bit {bit.low}" if bit.low == bit.high else f"bits {bit.low}–{bit.high}"
                yield f"| {indent}{bit.name} | {place} | | {bit.meaning} |"


def main() -> None:
    """Print the document."""
    print_lines("\n".join(document()) + "\n")


if __name__ == "__main__":
    main()
