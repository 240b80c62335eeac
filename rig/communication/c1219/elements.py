"""Places of a table's elements by their indices, for index reads (C12.18's services 31 to 39; X-1).

The first index counts the table's fields from 0, also those that this meter's table does not have; within a field that
is an array, the next counts its elements, within a record its fields. A bit field and a set are one element each. So
many elements are read as they follow each other on the level of the last index, none beyond its end; 0: all up to it.
How the standard numbers them is not public: docs/decisions/117-index-reads.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from rig.communication.c1219.layout import Array, Layout, Scope, Type, Values, count_of, decode
from rig.communication.c1219.types import Cursor, TableError


class NoElement(TableError):
    """Indices of no element that the table has."""


def span_of(layout: Layout, data: bytes, scope: Scope, indices: Sequence[int], count: int) -> tuple[int, int]:
    """Give where the bytes of `count` elements begin and end, the first of them at `indices`.

    Raises NoElement where there is none, TableError for bytes that are no such table.
    """
    return _span(layout, Cursor(data), scope, list(indices), count)


def _span(kind: Type, cursor: Cursor, scope: Scope, indices: list[int], count: int) -> tuple[int, int]:
    match kind:
        case Layout():
            return _in_record(kind, cursor, scope, indices, count)
        case Array():
            return _in_array(kind, cursor, scope, indices, count)
    raise NoElement("there are no elements within a field that is neither an array nor a record")


def _in_record(kind: Layout, cursor: Cursor, scope: Scope, indices: list[int], count: int) -> tuple[int, int]:
    first, *within = indices
    if first >= len(kind.fields):
        raise NoElement(f"there are {len(kind.fields)} fields, and no number {first}")
    values: Values = {}
    inner = scope.of(values)
    begin = 0
    last = len(kind.fields) if within or not count else min(first + count, len(kind.fields))
    for number, each in enumerate(kind.fields[:last]):
        there = each.there(inner)
        if number == first:
            if not there:
                raise NoElement(f"{each.name} is not in this meter's table")
            if within:
                return _span(each.type, cursor, inner, within, count)
            begin = cursor.at
        if there:
            values[each.name] = decode(each.type, cursor, inner)
    return begin, cursor.at


def _in_array(kind: Array, cursor: Cursor, scope: Scope, indices: list[int], count: int) -> tuple[int, int]:
    first, *within = indices
    there = count_of(kind.count, scope)
    if first >= there:
        raise NoElement(f"there are {there} elements, and no number {first}")
    for _ in range(first):
        decode(kind.type, cursor, scope)
    if within:
        return _span(kind.type, cursor, scope, within, count)
    begin = cursor.at
    for _ in range(min(count or there, there - first)):
        decode(kind.type, cursor, scope)
    return begin, cursor.at
