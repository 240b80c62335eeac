"""Decade 6: the load profile (ST60 to ST64; X-1, T-4). There is one set, which is the meter's recorder.

A block is one interval, with its own end: so intervals that an outage or a set clock cut short or made long have their
place, and nothing has to be filled in. ST64 ends with the last block that is valid.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from rig.communication.c1219.facts import MeterFacts, Need
from rig.communication.c1219.layout import Array, Bit, BitField, Computed, Field, Layout, Ref, Sized, constant
from rig.communication.c1219.lists import ListNumber
from rig.communication.c1219.recording import Recording
from rig.communication.c1219.source_tables import fits_a_ratio
from rig.communication.c1219.sources import first_channel
from rig.communication.c1219.table import Table, TableContents
from rig.communication.c1219.types import STIME, U8, U16, U32, Binary, TableError
from rig.meter.billing.metric import RecorderChannel, RecorderSettings
from rig.meter.billing.profile import IntervalFlag, Mark, MarkKind, Profile, ProfileInterval

MOST_BLOCKS = 0xFFFF
FORMAT_UINT16 = 2
NO_COUNT = 0xFFFF
"""Of a damaged word."""

POWER_FAILED, CLOCK_FORWARD, CLOCK_BACK = 2, 4, 8
"""Of the common status."""

PARTIAL, LONG, SKIPPED, DOUBTFUL = 2, 3, 4, 8
"""Of a channel's status; doubtful, our own, comes on top."""


def _settings(contents: TableContents) -> RecorderSettings:
    settings = contents.facts.program.billing.recorder
    assert settings is not None
    return settings


def _recording(contents: TableContents) -> Recording:
    """Give the recording. Raises TableError for one of the program before, until the store has the new one."""
    recording = contents.facts.recording
    assert recording is not None
    if recording.profile.settings != contents.facts.program.billing.recorder:
        raise TableError("the load profile in the store is another program's still")
    return recording


def _channels(contents: TableContents) -> tuple[RecorderChannel, ...]:
    return _settings(contents).channels


def _most_blocks(contents: TableContents) -> int:
    return min(_settings(contents).words // len(_channels(contents)), MOST_BLOCKS)


PROFILE_DIMENSIONS = Layout(
    (
        Field("LP_MEMORY_LEN", U32, lambda c: _settings(c).memory_bytes, "bytes of the recorder's memory"),
        Field(
            "LP_FLAGS",
            BitField(
                2,
                (
                    Bit("LP_SET1_INHIBIT_OVF_FLAG", 0, 0, constant(0), "0: the oldest go"),
                    Bit("BLK_END_READ_FLAG", 4, 4, constant(0)),
                    Bit("BLK_END_PULSE_FLAG", 5, 5, constant(0)),
                    Bit("SCALAR_DIVISOR_FLAG_SET1", 6, 6, constant(1), "ST62 has scalars and divisors"),
                    Bit("EXTENDED_INT_STATUS_FLAG", 10, 10, constant(1), "intervals have a status"),
                    Bit("SIMPLE_INT_STATUS_FLAG", 11, 11, constant(0)),
                ),
            ),
        ),
        Field("LP_FMATS", BitField(1, (Bit("INV_UINT16_FLAG", 1, 1, constant(1), "counts are UINT16"),))),
        Field("NBR_BLKS_SET1", U16, _most_blocks, "the most that there can be"),
        Field("NBR_BLK_INTS_SET1", U16, constant(1), "a block is an interval"),
        Field("NBR_CHNS_SET1", U8, lambda c: len(_channels(c))),
        Field("MAX_INT_TIME_SET1", U8, lambda c: _settings(c).interval_min, "minutes"),
    )
)

_CHANNELS = Ref(61, "NBR_CHNS_SET1")


def _scale(channel: RecorderChannel) -> Fraction:
    """Give the scale that is a ratio of 16-bit numbers: the pulse constant, or 1 where ST15 has it."""
    return channel.pulse if fits_a_ratio(channel.pulse) else Fraction(1)


def _selections(contents: TableContents) -> list[int]:
    first = first_channel(contents.facts.program)
    return [first + n for n in range(len(_channels(contents)))]


PROFILE_CONTROL = Layout(
    (
        Field(
            "LP_SEL_SET1",
            Array(
                _CHANNELS,
                Layout(
                    (
                        Field("CHNL_FLAG", U8, constant(0)),
                        Field("LP_SOURCE_SELECT", U8, lambda source: source, "a source of counts"),
                        Field("END_BLK_RDG_SOURCE_SELECT", U8, constant(0)),
                    )
                ),
            ),
            _selections,
        ),
        Field("INT_FMT_CDE1", U8, constant(FORMAT_UINT16), "2: UINT16"),
        Field("SCALARS_SET1", Array(_CHANNELS, U16), lambda c: [_scale(k).numerator for k in _channels(c)]),
        Field(
            "DIVISORS_SET1",
            Array(_CHANNELS, U16),
            lambda c: [_scale(k).denominator for k in _channels(c)],
            "Wh, varh, VAh, V²h, A²h or pulses: count · scalar / divisor · ST15.MULTIPLIER",
        ),
    )
)


def _unread(contents: TableContents) -> int:
    return contents.facts.marks.unread(ListNumber.PROFILE, _recording(contents).sequences)


def _blocks(contents: TableContents) -> int:
    return len(_recording(contents).profile.intervals)


PROFILE_STATUS = Layout(
    (
        Field(
            "LP_SET1_STATUS",
            BitField(
                1,
                (
                    Bit("BLOCK_ORDER", 0, 0, constant(0), "0: oldest first"),
                    Bit("OVERFLOW_FLAG", 1, 1, lambda c: _recording(c).first > 0, "the oldest have gone"),
                    Bit("LIST_TYPE", 2, 2, constant(0)),
                    Bit("BLOCK_INHIBIT_OVERFLOW", 3, 3, constant(0)),
                    Bit("INTERVAL_ORDER", 4, 4, constant(0)),
                    Bit("ACTIVE_MODE_FLAG", 5, 5, constant(1)),
                    Bit("TEST_MODE_FLAG", 6, 6, constant(0)),
                ),
            ),
        ),
        Field("NBR_VALID_BLOCKS", U16, _blocks),
        Field("LAST_BLOCK_ELEMENT", U16, lambda c: max(_blocks(c) - 1, 0)),
        Field(
            "LAST_BLOCK_SEQ_NBR",
            U32,
            lambda c: max(_recording(c).sequences, default=0),
            "number of its first word since the recording began",
        ),
        Field("NBR_UNREAD_BLOCKS", U16, _unread, "by procedures 4 and 5 of this port"),
        Field("NBR_VALID_INT", U16, lambda c: min(_blocks(c), 1), "of the last block"),
    )
)


# --- intervals ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A block: the interval's end as the clock showed it, status nibbles, the common one first, and counts."""

    end: datetime
    nibbles: list[int]
    counts: list[int]

    @property
    def status(self) -> bytes:
        """Status bytes: the first of two nibbles is the high one."""
        nibbles = self.nibbles + [0] * (len(self.nibbles) % 2)
        return bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


def status_bytes(channels: int) -> int:
    """Bytes that the common status and those of channels take."""
    return channels // 2 + 1


def blocks_of(profile: Profile, first: int = 0, last: int | None = None) -> list[Block]:
    """Give the blocks of a load profile, one an interval, or those of some intervals."""
    marks = [mark for mark in profile.marks if mark.kind is MarkKind.CLOCK_SET]
    found = []
    for place, interval in enumerate(profile.intervals[first:last], first):
        before = profile.intervals[place - 1].index if place else -1
        following = profile.intervals[place + 1].index if place + 1 < len(profile.intervals) else None
        found.append(_block(interval, marks, before, following))
    return found


def _block(interval: ProfileInterval, marks: list[Mark], before: int, following: int | None) -> Block:
    flags = interval.flags
    common = POWER_FAILED if IntervalFlag.OUTAGE in flags else 0
    if IntervalFlag.CLOCK_SET in flags:
        # Marks within an interval stand before its counts, one that cut it short behind them.
        near = [mark for mark in marks if before < mark.index and (following is None or mark.index < following)]
        common |= CLOCK_BACK if any(mark.until < mark.at for mark in near) else 0
        common |= CLOCK_FORWARD if not common & CLOCK_BACK or any(mark.until > mark.at for mark in near) else 0
    length = PARTIAL if IntervalFlag.SHORT in flags else LONG if IntervalFlag.LONG in flags else 0
    doubt = DOUBTFUL if IntervalFlag.DOUBTFUL in flags else 0
    of_channels = [(length or (SKIPPED if count is None else 0)) | doubt for count in interval.counts]
    counts = [NO_COUNT if count is None else count for count in interval.counts]
    return Block(interval.end, [common, *of_channels], counts)


_STATUS = Computed("ST61.NBR_CHNS_SET1 / 2 + 1", status_bytes, (_CHANNELS,))

BLOCK = Layout(
    (
        Field("BLK_END_TIME", STIME, lambda b: b.end, "of the interval; seconds of a cut one are left out"),
        Field(
            "EXTENDED_INT_STATUS",
            Sized(Binary, _STATUS),
            lambda b: b.status,
            "nibbles, the high one first: common 2 power failed, 4 clock set forward, 8 back; each "
            "channel's 0, 2 partial, 3 long, 4 skipped, with 8 (our own) doubtful",
        ),
        Field("INT_DATA", Array(_CHANNELS, U16), lambda b: b.counts, "counts; 65535: not readable"),
    )
)

PROFILE_DATA = Layout(
    (
        Field(
            "LP_DATA_SET1",
            Array(Ref(63, "NBR_VALID_BLOCKS"), BLOCK),
            lambda c: blocks_of(_recording(c).profile),
        ),
    )
)


def _bytes_of(block: Block) -> bytes:
    """Give a block's bytes as BLOCK has them, in a fifth of the time."""
    return STIME.encode(block.end) + block.status + struct.pack(f"<{len(block.counts)}H", *block.counts)


def _part(contents: TableContents, begin: int, end: int) -> bytes:
    """Give ST64's bytes from one place to another; blocks have one size."""
    recording = _recording(contents)
    size = (
        STIME.size
        + status_bytes(len(recording.profile.settings.channels))
        + 2 * len(recording.profile.settings.channels)
    )
    first, last = begin // size, -(-end // size)
    made = b"".join(map(_bytes_of, blocks_of(recording.profile, first, last)))
    return made[begin - first * size : end - first * size]


def _has_recorder(facts: MeterFacts) -> bool:
    return facts.has_recorder


_NEEDS = frozenset({Need.READING, Need.PROGRAM, Need.PROFILE})


def _table(number: int, name: str, layout: Layout, meaning: str, *limits: int, needs: Any = None) -> Table:
    found: Callable[[MeterFacts], bool] = _has_recorder
    return Table(number, name, layout, meaning, limits, needs or frozenset({Need.PROGRAM}), found)


PROFILE_TABLES = (
    _table(60, "load profile dimensions", PROFILE_DIMENSIONS, "the most that ST61 can have, which is what it has"),
    _table(61, "actual load profile", PROFILE_DIMENSIONS, "channels and length of intervals"),
    _table(62, "load profile control", PROFILE_CONTROL, "sources and constants of the channels", 61),
    _table(63, "load profile status", PROFILE_STATUS, "how many blocks there are", 61, needs=_NEEDS),
    replace(
        _table(64, "load profile data set 1", PROFILE_DATA, "intervals, the oldest first", 61, 63, needs=_NEEDS),
        part=_part,
    ),
)
