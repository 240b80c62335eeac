"""Tables of a session: procedures and their answers (ST7, ST8), and the program's text as it is staged (MT0; X-1).

They are of nothing in the meter: what was written to them in this session, and what came of it. So their fields have
no source, and are never gathered.
"""

from __future__ import annotations

from rig.communication.c1219.layout import Bit, BitField, Field, Layout, Remainder
from rig.communication.c1219.table import (
    MANUFACTURER,
    PENDING_FORM,
    PROCEDURES_ARE_ANSWERED_IN,
    PROCEDURES_ARE_WRITTEN_TO,
    Table,
)
from rig.communication.c1219.types import U8

STAGED_PROGRAM = MANUFACTURER
PENDING_PROGRAM = STAGED_PROGRAM | PENDING_FORM
"""The same in its pending form: an EVENT record, and the text."""

STAGED_FORMS = (STAGED_PROGRAM, PENDING_PROGRAM)

MOST_PROGRAM = 1 << 16
"""Bytes of a program's text; one with every key has 8 kB."""

NO_ANSWER, ON_EXCEPTION, MOST_SELECTOR = 2, 1, 3


_ID = BitField(
    2,
    (
        Bit("TBL_PROC_NBR", 0, 10, meaning="number of the procedure"),
        Bit("STD_VS_MFG_FLAG", 11, 11, meaning="1: a manufacturer procedure"),
        Bit("SELECTOR", 12, 15, meaning="answer in ST8: 0 and 3 always, 1 if it failed, 2 never"),
    ),
)

PROCEDURE = Layout(
    (
        Field("TABLE_IDB_BFLD", _ID),
        Field("SEQ_NBR", U8, meaning="comes back in ST8"),
        Field("PARM", Remainder(), meaning="as the procedure has them"),
    )
)

ANSWER = Layout(
    (
        Field("TABLE_IDB_BFLD", _ID),
        Field("SEQ_NBR", U8, meaning="of ST7"),
        Field("RESULT_CODE", U8, meaning="0 done … 6 unrecognized"),
        Field("RESP_DATA_RCD", Remainder(), meaning="as the procedure has it"),
    )
)

STAGED = Layout((Field("TEXT", Remainder(), meaning="UTF-8, as docs/program.md has it"),))

SESSION_TABLES = (
    Table(
        PROCEDURES_ARE_WRITTEN_TO, "procedure initiate", PROCEDURE, "a procedure to carry out, at once", readable=False
    ),
    Table(PROCEDURES_ARE_ANSWERED_IN, "procedure response", ANSWER, "what the last procedure of this session came to"),
    Table(
        STAGED_PROGRAM,
        "staged program",
        STAGED,
        "a program's file in parts, until procedure MP0 writes it; in its pending form, 6144, after an EVENT record",
    ),
)
