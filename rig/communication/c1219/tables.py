"""Every table that a meter can have, by its number, and the decoding of each: what readers of meters use (X-1, X-2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rig.communication.c1219.display_tables import DISPLAY_TABLES
from rig.communication.c1219.general import GENERAL_TABLES
from rig.communication.c1219.layout import Scope, Values, decode_table
from rig.communication.c1219.log_tables import LOG_TABLES
from rig.communication.c1219.manufacturer_tables import MANUFACTURER_TABLES
from rig.communication.c1219.pending_tables import PENDING_TABLES
from rig.communication.c1219.profile_tables import PROFILE_TABLES
from rig.communication.c1219.register_tables import REGISTER_TABLES
from rig.communication.c1219.security_tables import SECURITY_TABLES
from rig.communication.c1219.session_tables import SESSION_TABLES
from rig.communication.c1219.source_tables import SOURCE_TABLES
from rig.communication.c1219.table import Table
from rig.communication.c1219.telephone_tables import TELEPHONE_TABLES
from rig.communication.c1219.time_tables import TIME_TABLES

_ALL = (
    *GENERAL_TABLES,
    *SESSION_TABLES,
    *PENDING_TABLES,
    *SOURCE_TABLES,
    *REGISTER_TABLES,
    *DISPLAY_TABLES,
    *SECURITY_TABLES,
    *TIME_TABLES,
    *PROFILE_TABLES,
    *LOG_TABLES,
    *TELEPHONE_TABLES,
    *MANUFACTURER_TABLES,
)

TABLES: Mapping[int, Table] = {table.number: table for table in sorted(_ALL, key=lambda table: table.number)}
"""By the number on the wire, in order."""


def limits_of(number: int) -> Iterator[int]:
    """Give the tables that must be decoded before one, in order: its counts and conditions are of them."""
    for limit in TABLES[number].limits:
        yield from limits_of(limit)
        yield limit


def decode(number: int, data: bytes, limits: Mapping[int, Values]) -> Values:
    """Decode a table's bytes; `limits` are the values of the tables that limits_of names.

    Raises TableError for bytes that are none, and for a limiting table that is missing.
    """
    return decode_table(TABLES[number].layout, data, Scope(limits))
