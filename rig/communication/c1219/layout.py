"""Layouts of tables: fields in order, described once, from which encoder, decoder and documentation are made (X-1).

A field has a name, a type, what it means, and a source: a function of what its record is of, the whole meter for a
table's own fields. Types are leaves (types.py), bit fields, arrays and records of fields. A count or a condition is a
number of another field: of a limiting table, such as ST21, or of the record itself. So values are gathered of a meter,
encoded to bytes, and decoded from bytes again without any meter: only gathering needs one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rig.communication.c1219.types import Cursor, Leaf, TableError

Values = dict[str, Any]
"""What a record holds, by the names of its fields."""

Source = Callable[[Any], Any]


@dataclass(frozen=True)
class Scope:
    """Scope of counts and conditions: the limiting tables by their number, and the record itself so far."""

    tables: Mapping[int, Values]
    record: Values = field(default_factory=dict)

    def of(self, record: Values) -> Scope:
        """Make the scope of a record within."""
        return Scope(self.tables, record)


@dataclass(frozen=True)
class Ref:
    """A number that another field has: of a limiting table, or with None of the record itself; `path` by its names."""

    table: int | None
    path: str

    @property
    def text(self) -> str:
        """Its name in documents."""
        return self.path if self.table is None else f"ST{self.table}.{self.path}"

    def of(self, scope: Scope) -> int:
        """Give the number. Raises TableError for a limiting table that is not known."""
        values: Any = scope.record if self.table is None else scope.tables.get(self.table)
        if values is None:
            raise TableError(f"{self.text} is not known: read table {self.table} first")
        for name in self.path.split("."):
            values = values[name]
        return int(values)


@dataclass(frozen=True)
class Computed:
    """A number computed of others; `text` says how."""

    text: str
    compute: Callable[..., int]
    refs: tuple[Ref, ...]

    def of(self, scope: Scope) -> int:
        """Give the number."""
        return self.compute(*(ref.of(scope) for ref in self.refs))


Count = int | Ref | Computed


def count_of(count: Count, scope: Scope) -> int:
    """Give the number that a count is."""
    return count if isinstance(count, int) else count.of(scope)


def count_text(count: Count) -> str:
    """Name a count for documents."""
    return str(count) if isinstance(count, int) else count.text


def itself(of: Any) -> Any:
    """Be the source of a field that is of all that its record is of, such as a bit field."""
    return of


def constant(value: Any) -> Source:
    """Make the source of what is the same in every meter."""
    return lambda _: value


@dataclass(frozen=True)
class Bit:
    """Bits `low` to `high` of a bit field: an unsigned number."""

    name: str
    low: int
    high: int
    source: Source = itself
    meaning: str = ""


@dataclass(frozen=True)
class BitField:
    """A bit field of so many bytes; values by name. Bits that nobody names are 0."""

    size: int
    bits: tuple[Bit, ...]

    @property
    def label(self) -> str:
        """Its name in documents."""
        return f"bits of {8 * self.size}"

    def gather(self, of: Any, scope: Scope) -> Values:
        """Gather the values of what it is of."""
        return {bit.name: int(bit.source(of)) for bit in self.bits}

    def encode(self, values: Values, scope: Scope) -> bytes:
        """Give its bytes."""
        number = 0
        for bit in self.bits:
            value = values[bit.name]
            if not 0 <= value < 1 << (bit.high - bit.low + 1):
                raise ValueError(f"{bit.name} = {value} does not fit bits {bit.low} to {bit.high}")
            number |= value << bit.low
        return number.to_bytes(self.size, "little")

    def decode(self, cursor: Cursor, scope: Scope) -> Values:
        """Give its values."""
        number = int.from_bytes(cursor.take(self.size), "little")
        return {bit.name: number >> bit.low & ((1 << (bit.high - bit.low + 1)) - 1) for bit in self.bits}


@dataclass(frozen=True)
class Sized:
    """A leaf whose size is another field's, such as a set whose bytes ST0 counts; `make` gives the leaf of a size."""

    make: Callable[[int], Leaf]
    count: Count

    @property
    def label(self) -> str:
        """Its name in documents, such as SET(ST0.DIM_STD_TBLS_USED)."""
        return f"{self.make(0).label.split('(')[0]}({count_text(self.count)})"

    def gather(self, of: Any, scope: Scope) -> Any:
        """Give what it is of."""
        return of

    def encode(self, value: Any, scope: Scope) -> bytes:
        """Give its bytes."""
        return self.make(count_of(self.count, scope)).encode(value)

    def decode(self, cursor: Cursor, scope: Scope) -> Any:
        """Give its value."""
        leaf = self.make(count_of(self.count, scope))
        return leaf.decode(cursor.take(leaf.size))


@dataclass(frozen=True)
class Remainder:
    """Bytes up to the end of the table; values bytes."""

    label: str = "BINARY, to the end"

    def gather(self, of: Any, scope: Scope) -> bytes:
        """Give what it is of."""
        return bytes(of)

    def encode(self, value: bytes, scope: Scope) -> bytes:
        """Give them."""
        return value

    def decode(self, cursor: Cursor, scope: Scope) -> bytes:
        """Give them."""
        return cursor.take(len(cursor.data) - cursor.at)


@dataclass(frozen=True)
class Array:
    """So many of one type; values a list."""

    count: Count
    type: Type

    @property
    def label(self) -> str:
        """Its name in documents."""
        return f"{count_text(self.count)} × {label_of(self.type)}"

    def gather(self, of: Iterable[Any], scope: Scope) -> list[Any]:
        """Gather the values of each."""
        return [gather(self.type, each, scope) for each in of]

    def encode(self, values: list[Any], scope: Scope) -> bytes:
        """Give its bytes. Raises ValueError for a list of another length."""
        count = count_of(self.count, scope)
        if len(values) != count:
            raise ValueError(f"there are {len(values)} for {count_text(self.count)} = {count}")
        return b"".join(encode(self.type, value, scope) for value in values)

    def decode(self, cursor: Cursor, scope: Scope) -> list[Any]:
        """Give its values."""
        return [decode(self.type, cursor, scope) for _ in range(count_of(self.count, scope))]


@dataclass(frozen=True)
class Field:
    """A field: `when` is its condition, None for one that is always there; `meaning` is for documents."""

    name: str
    type: Type
    source: Source = itself
    meaning: str = ""
    when: Ref | Computed | None = None

    def there(self, scope: Scope) -> bool:
        """Say whether the field is there."""
        return self.when is None or bool(self.when.of(scope))


@dataclass(frozen=True)
class Layout:
    """Fields in order: a table, or a record within one."""

    fields: tuple[Field, ...]

    @property
    def label(self) -> str:
        """Its name in documents."""
        return "record"

    def gather(self, of: Any, scope: Scope) -> Values:
        """Gather the values of what it is of."""
        values: Values = {}
        inner = scope.of(values)
        for each in self.fields:
            if each.there(inner):
                values[each.name] = gather(each.type, each.source(of), inner)
        return values

    def encode(self, values: Values, scope: Scope) -> bytes:
        """Give its bytes. Raises TableError for a value that does not fit, with the field."""
        return b"".join(part for _, part in self.parts(values, scope))

    def parts(self, values: Values, scope: Scope) -> Iterator[tuple[Field, bytes]]:
        """Give each field that is there, and its bytes. Raises TableError for a value that does not fit."""
        inner = scope.of(values)
        for each in self.fields:
            if each.there(inner):
                try:
                    yield each, encode(each.type, values[each.name], inner)
                except (KeyError, TypeError, ValueError) as error:
                    raise TableError(f"{each.name} cannot be encoded: {error}") from None

    def decode(self, cursor: Cursor, scope: Scope) -> Values:
        """Give its values. Raises TableError."""
        values: Values = {}
        inner = scope.of(values)
        for each in self.fields:
            if each.there(inner):
                values[each.name] = decode(each.type, cursor, inner)
        return values


Type = Leaf | BitField | Sized | Remainder | Array | Layout


def gather(kind: Type, of: Any, scope: Scope) -> Any:
    """Gather the values of a type: a leaf's is what it is of."""
    return kind.gather(of, scope) if isinstance(kind, BitField | Sized | Remainder | Array | Layout) else of


def encode(kind: Type, values: Any, scope: Scope) -> bytes:
    """Encode the values of a type."""
    return (
        kind.encode(values, scope)
        if isinstance(kind, BitField | Sized | Remainder | Array | Layout)
        else kind.encode(values)
    )


def decode(kind: Type, cursor: Cursor, scope: Scope) -> Any:
    """Decode the values of a type."""
    if isinstance(kind, BitField | Sized | Remainder | Array | Layout):
        return kind.decode(cursor, scope)
    return kind.decode(cursor.take(kind.size))


def label_of(kind: Type) -> str:
    """Name a type for documents."""
    return kind.label


def decode_table(layout: Layout, data: bytes, scope: Scope) -> Values:
    """Decode a whole table. Raises TableError for bytes that are none, or too many."""
    cursor = Cursor(data)
    values = layout.decode(cursor, scope)
    if cursor.at != len(data):
        raise TableError(f"the table has {len(data)} bytes, {len(data) - cursor.at} more than its fields")
    return values
