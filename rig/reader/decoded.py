"""Tables of a meter decoded from ST0 on, ours or another's, by the same descriptions (X-2).

What no description fits stays bytes: a standard table that we do not describe, a manufacturer table of a meter that is
not ours, a table that has more or less than its own limits say. Why is a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rig.communication.c1219.formats import Formats, layout_in
from rig.communication.c1219.general import MANUFACTURER_CODE
from rig.communication.c1219.layout import Layout, Scope, Values, decode_table
from rig.communication.c1219.table import MANUFACTURER
from rig.communication.c1219.tables import TABLES
from rig.communication.c1219.types import Cursor, TableError
from rig.reader.others_tables import Description, description_of

CONFIGURATION = 0
_MANUFACTURER = slice(3, 7)
"""ST0's bytes that name who made the meter."""

_DIMENSIONS = slice(13, 18)
"""ST0's bytes that say how long its sets are; NBR_PENDING and the sets follow."""


class Decoded:
    """A meter's tables as values: made of their bytes, by the numbers on the wire."""

    def __init__(self, tables: Mapping[int, bytes]) -> None:
        self._tables = tables
        self._known: dict[int, Values | TableError] = {}

    @property
    def ours(self) -> bool:
        """True for a meter whose manufacturer tables we describe."""
        return self._tables.get(CONFIGURATION, b"")[_MANUFACTURER] == MANUFACTURER_CODE

    @property
    def numbers(self) -> list[int]:
        """Numbers of the tables there are, in order."""
        return sorted(self._tables)

    def values(self, number: int) -> Values:
        """Give a table's values by the names of its fields, as docs/communication-tables.md has them.

        Raises TableError, a sentence, for one that is not there or not decoded.
        """
        if number not in self._known:
            try:
                self._known[number] = self._decode(number)
            except TableError as error:
                self._known[number] = error
        found = self._known[number]
        if isinstance(found, TableError):
            raise found
        return found

    def maybe(self, number: int) -> Values | None:
        """Give a table's values, None where there are none."""
        try:
            return self.values(number)
        except TableError:
            return None

    def limits_of(self, number: int) -> Iterator[int]:
        """Give the tables that are needed to decode one, in order; none for one that is not known."""
        try:
            found = None if number >= MANUFACTURER and not self.ours else self._description(number)
        except TableError:
            return
        for limit in () if found is None else found.limits:
            yield from self.limits_of(limit)
            yield limit

    def _decode(self, number: int) -> Values:
        data = self._tables.get(number)
        if data is None:
            raise TableError(f"table {number} was not read")
        if number >= MANUFACTURER and not self.ours:
            raise TableError(f"table {number} is its manufacturer's own: it is kept as bytes")
        found = self._description(number)
        if found is None:
            raise TableError(f"no description of table {number} is known: it is kept as bytes")
        formats = Formats.of(self._tables.get(CONFIGURATION, b""))
        layout = layout_in(formats, number, found.layout)
        if number == CONFIGURATION:
            return self._configuration(layout, data)
        scope = Scope({limit: self.values(limit) for limit in found.limits})
        if found.more:
            return layout.decode(Cursor(data), scope)
        return decode_table(layout, data, scope)

    def _description(self, number: int) -> Description | None:
        if self.ours or number == CONFIGURATION:
            table = TABLES.get(number)
            return None if table is None else Description(table.layout, table.limits)
        configuration = self.values(CONFIGURATION)
        return description_of(number, configuration["STD_TBLS_USED"], configuration["STD_VERSION_NO"])

    @staticmethod
    def _configuration(layout: Layout, data: bytes) -> Values:
        """Decode ST0. Later editions have more behind it; some meters leave sets out at its end, which are empty."""
        if len(data) >= _DIMENSIONS.stop:
            dims = data[_DIMENSIONS]
            whole = _DIMENSIONS.stop + 1 + 2 * (dims[0] + dims[1]) + dims[2] + dims[3]
            least = _DIMENSIONS.stop + 1 + dims[0]
            if least <= len(data) < whole:
                data = data.ljust(whole, b"\0")
        return layout.decode(Cursor(data), Scope({}))


def tables_used(configuration: Values) -> Iterator[int]:
    """Give the numbers of the tables that ST0 says there are, in order, manufacturer ones from 2048 on."""
    yield from sorted(configuration["STD_TBLS_USED"])
    yield from sorted(MANUFACTURER + number for number in configuration["MFG_TBLS_USED"])
