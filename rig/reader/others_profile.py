"""Load profiles of other makers' meters: up to four sets, blocks of several intervals (ST60 to ST67; X-2).

Which sets there are, ST0 says: set n is where table 63 + n is. A block has the time at which its last interval ended,
the readings then, and the intervals, each with a status where ST61 says so.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from rig.communication.c1219.layout import (
    Array,
    Bit,
    BitField,
    Computed,
    Field,
    Layout,
    Ref,
    Scope,
    Sized,
    Type,
    decode,
    itself,
)
from rig.communication.c1219.types import NI1, NI2, STIME, U8, U16, U32, Binary, Cursor, Numbers, TableError, Whole

SETS = (1, 2, 3, 4)
FIRST_SET = 64
"""Table of the first set's intervals."""

COUNTS: dict[int, Type] = {
    1: U8, 2: U16, 4: U32, 8: Whole(1, signed=True), 16: Whole(2, signed=True), 32: Whole(4, signed=True), 64: NI1,
    128: NI2,
}  # fmt: skip
"""Types of an interval's data by INT_FMT_CDE."""

MOST_BLOCKS = 1 << 16


def bits(size: int, **places: tuple[int, int]) -> BitField:
    """Make a bit field of names and places, the lowest bit and the highest."""
    return BitField(size, tuple(Bit(name, low, high, itself) for name, (low, high) in places.items()))


@dataclass(frozen=True)
class ToTheEnd(Array):
    """As many of one type as the table holds; `count` is the most that there may be."""

    def decode(self, cursor: Cursor, scope: Scope) -> list[Any]:
        """Give their values. Raises TableError for one that is cut off, and for one that has no bytes."""
        found: list[Any] = []
        while cursor.at < len(cursor.data):
            before = cursor.at
            found.append(decode(self.type, cursor, scope))
            if cursor.at == before or len(found) > MOST_BLOCKS:
                raise TableError("blocks that have no bytes, or more blocks than there can be")
        return found


def sets_of(used: Set[int]) -> tuple[int, ...]:
    """Give the sets that a meter has, by the standard tables that it has."""
    return tuple(n for n in SETS if FIRST_SET - 1 + n in used)


def dimensions(sets: tuple[int, ...]) -> Layout:
    """Describe ST60 and ST61."""
    flags = {f"LP_SET{n}_INHIBIT_OVF_FLAG": (n - 1, n - 1) for n in SETS}
    flags |= {"BLK_END_READ_FLAG": (4, 4), "BLK_END_PULSE_FLAG": (5, 5)}
    flags |= {f"SCALAR_DIVISOR_FLAG_SET{n}": (5 + n, 5 + n) for n in SETS}
    flags |= {"EXTENDED_INT_STATUS_FLAG": (10, 10), "SIMPLE_INT_STATUS_FLAG": (11, 11)}
    formats = ("UINT8", "UINT16", "UINT32", "INT8", "INT16", "INT32", "NI_FMAT1", "NI_FMAT2")
    of_sets = [
        field
        for n in sets
        for field in (
            Field(f"NBR_BLKS_SET{n}", U16),
            Field(f"NBR_BLK_INTS_SET{n}", U16),
            Field(f"NBR_CHNS_SET{n}", U8),
            Field(f"MAX_INT_TIME_SET{n}", U8),
        )
    ]
    return Layout(
        (
            Field("LP_MEMORY_LEN", U32),
            Field("LP_FLAGS", bits(2, **flags)),
            Field("LP_FMATS", bits(1, **{f"INV_{name}_FLAG": (k, k) for k, name in enumerate(formats)})),
            *of_sets,
        )
    )


def control(sets: tuple[int, ...]) -> Layout:
    """Describe ST62."""
    fields: list[Field] = []
    for n in sets:
        channels, scaled = Ref(61, f"NBR_CHNS_SET{n}"), Ref(61, f"LP_FLAGS.SCALAR_DIVISOR_FLAG_SET{n}")
        of_channel = Layout(
            (Field("CHNL_FLAG", U8), Field("LP_SOURCE_SELECT", U8), Field("END_BLK_RDG_SOURCE_SELECT", U8))
        )
        fields += [
            Field(f"LP_SEL_SET{n}", Array(channels, of_channel)),
            Field(f"INT_FMT_CDE{n}", U8),
            Field(f"SCALARS_SET{n}", Array(channels, U16), when=scaled),
            Field(f"DIVISORS_SET{n}", Array(channels, U16), when=scaled),
        ]
    return Layout(tuple(fields))


def status(sets: tuple[int, ...]) -> Layout:
    """Describe ST63."""
    flags = bits(
        1,
        BLOCK_ORDER=(0, 0), OVERFLOW_FLAG=(1, 1), LIST_TYPE=(2, 2), BLOCK_INHIBIT_OVERFLOW=(3, 3),
        INTERVAL_ORDER=(4, 4), ACTIVE_MODE_FLAG=(5, 5), TEST_MODE_FLAG=(6, 6),
    )  # fmt: skip
    of_set = Layout(
        (
            Field("FLAGS", flags),
            Field("NBR_VALID_BLOCKS", U16),
            Field("LAST_BLOCK_ELEMENT", U16),
            Field("LAST_BLOCK_SEQ_NBR", U32),
            Field("NBR_UNREAD_BLOCKS", U16),
            Field("NBR_VALID_INT", U16),
        )
    )
    return Layout(tuple(Field(f"LP_SET{n}_STATUS", of_set) for n in sets))


def data(n: int) -> Layout:
    """Describe the table of a set's intervals."""
    channels, intervals = Ref(61, f"NBR_CHNS_SET{n}"), Ref(61, f"NBR_BLK_INTS_SET{n}")
    read, pulse = Ref(61, "LP_FLAGS.BLK_END_READ_FLAG"), Ref(61, "LP_FLAGS.BLK_END_PULSE_FLAG")
    code = Ref(62, f"INT_FMT_CDE{n}")
    extended = Computed(f"ST61.NBR_CHNS_SET{n} / 2 + 1", lambda count: count // 2 + 1, (channels,))
    simple = Computed(f"(ST61.NBR_BLK_INTS_SET{n} + 7) / 8", lambda count: (count + 7) // 8, (intervals,))
    interval = Layout(
        (
            Field("EXTENDED_INT_STATUS", Sized(Binary, extended), when=Ref(61, "LP_FLAGS.EXTENDED_INT_STATUS_FLAG")),
            *(Field("INT_DATA", Array(channels, kind), when=_equal(code, value)) for value, kind in COUNTS.items()),
        )
    )
    readings = Layout((Field("BLK_END_READ", NI1, when=read), Field("BLK_END_PULSE", U32, when=pulse)))
    block = Layout(
        (
            Field("BLK_END_TIME", STIME),
            Field("END_READINGS", Array(channels, readings)),
            Field("SIMPLE_INT_STATUS", Sized(Numbers, simple), when=Ref(61, "LP_FLAGS.SIMPLE_INT_STATUS_FLAG")),
            Field("LP_INT", Array(intervals, interval)),
        )
    )
    return Layout((Field(f"LP_DATA_SET{n}", ToTheEnd(Ref(61, f"NBR_BLKS_SET{n}"), block)),))


def _equal(ref: Ref, value: int) -> Computed:
    return Computed(f"{ref.text} is {value}", lambda found: int(found == value), (ref,))
