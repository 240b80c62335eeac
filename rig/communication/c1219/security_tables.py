"""Decade 4: security (ST40, ST41, ST44; X-1, S-1). Passwords and keys, ST42 and ST45, are never given."""

from __future__ import annotations

from dataclasses import dataclass

from rig.communication.c1219.layout import Array, Bit, BitField, Field, Layout, Ref, constant
from rig.communication.c1219.levels import NEVER, PUBLIC, procedure_level, read_level, write_level
from rig.communication.c1219.procedures import MANUFACTURER as MANUFACTURER_PROCEDURES
from rig.communication.c1219.procedures import PASSWORD_BYTES, STANDARD
from rig.communication.c1219.table import MANUFACTURER, Table, TableContents
from rig.communication.c1219.types import U8, U16
from rig.meter.access.actions import MOST_LEVEL


@dataclass(frozen=True)
class Permission:
    """Levels at which a table can be read and written, or a procedure asked for; None at none."""

    number: int
    manufacturer: bool
    procedure: bool
    read: int | None
    write: int | None

    @property
    def read_mask(self) -> int:
        """A bit for each level from the least on."""
        return _mask(self.read)

    @property
    def write_mask(self) -> int:
        """A bit for each level from the least on."""
        return _mask(self.write)


def _mask(least: int | None) -> int:
    """Bit n − 1 is level n."""
    if least is NEVER:
        return 0
    return sum(1 << level - 1 for level in range(max(least, 1), MOST_LEVEL + 1))


def permissions(contents: TableContents) -> list[Permission]:
    """Give all tables and procedures that a meter has, with their levels."""
    use = contents.use
    tables = [(n, n) for n in sorted(use.standard)] + [(n, n + MANUFACTURER) for n in sorted(use.manufacturer)]
    return [
        *(Permission(n, whole >= MANUFACTURER, False, read_level(whole), write_level(whole)) for n, whole in tables),
        *(Permission(n, False, True, NEVER, procedure_level(n)) for n in STANDARD),
        *(Permission(n, True, True, NEVER, procedure_level(n, True)) for n in MANUFACTURER_PROCEDURES),
    ]


SECURITY_DIMENSIONS = Layout(
    (
        Field("NBR_PASSWORDS", U8, constant(MOST_LEVEL), "one a level"),
        Field("PASSWORD_LEN", U8, constant(PASSWORD_BYTES), "the key's hexadecimal digits, padded"),
        Field("NBR_KEYS", U8, constant(0)),
        Field("KEY_LEN", U8, constant(0)),
        Field("NBR_PERM_USED", U16, lambda c: len(permissions(c)), "tables and procedures in ST44"),
    )
)

ACCESS_CONTROL = Layout(
    (
        Field(
            "ACCESS_CONTROL_ENTRIES",
            Array(
                Ref(41, "NBR_PERM_USED"),
                Layout(
                    (
                        Field(
                            "ACCESS_TABLE_ID",
                            BitField(
                                2,
                                (
                                    Bit("TBL_PROC_NBR", 0, 10, lambda p: p.number),
                                    Bit("STD_VS_MFG_FLAG", 11, 11, lambda p: p.manufacturer),
                                    Bit("PROC_FLAG", 12, 12, lambda p: p.procedure, "1: a procedure"),
                                    Bit("ANYONE_READ_FLAG", 13, 13, lambda p: p.read == PUBLIC),
                                    Bit("ANYONE_WRITE_FLAG", 14, 14, lambda p: p.write == PUBLIC),
                                ),
                            ),
                        ),
                        Field("READ", U8, lambda p: p.read_mask, "bit n − 1: level n may read"),
                        Field("WRITE", U8, lambda p: p.write_mask, "bit n − 1: level n may write, or ask for it"),
                    )
                ),
            ),
            permissions,
        ),
    )
)

SECURITY_TABLES = (
    Table(40, "security dimensions", SECURITY_DIMENSIONS, "the most that ST41 can have, which is what it has"),
    Table(41, "actual security limits", SECURITY_DIMENSIONS, "how many passwords and permissions there are"),
    Table(44, "access control", ACCESS_CONTROL, "the level of every table and procedure at the optical port", (41,)),
)
