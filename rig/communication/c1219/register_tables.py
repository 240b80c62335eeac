"""Decade 2: registers (ST20 to ST28; X-1, Q-2 to Q-5, T-3).

Registers are billing's: test mode's own are in a manufacturer table. Values are at the meter, in kWh and kW, exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time
from fractions import Fraction
from typing import Any

from rig.communication.c1219.facts import SELF_READS, MeterFacts, Need
from rig.communication.c1219.layout import Array, Bit, BitField, Computed, Field, Layout, Ref, Sized, constant
from rig.communication.c1219.lists import ListNumber
from rig.communication.c1219.sources import (
    NANO_PER_KILO,
    demand_quantities,
    energies,
    energy_registers,
    first_energy,
)
from rig.communication.c1219.table import Table, TableContents
from rig.communication.c1219.types import NI1, NI2, STIME, TIME, U8, U16, Numbers
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.settings import SelfReadKind
from rig.meter.billing.snapshot import DemandReading, RegisterReading, Snapshot
from rig.meter.billing.tariff import Rate
from rig.meter.billing.time_units import SECOND_NS

TIERS = len(Rate)
OCCURRENCES = 1


# --- dimensions -----------------------------------------------------------------------------------------------


def _demands(contents: TableContents) -> int:
    return len(demand_quantities(contents.facts.program.billing.demand))


def _self_read_kind(*kinds: SelfReadKind) -> Any:
    return lambda c: c.facts.program.billing.self_reads.kind in kinds


def _registers_demand(contents: TableContents) -> bool:
    return contents.facts.has_demand


def _lockout(contents: TableContents) -> bool:
    return contents.facts.has_demand and contents.facts.program.billing.lockout_s > 0


REGISTER_DIMENSIONS = Layout(
    (
        Field(
            "REG_FUNC1_FLAGS",
            BitField(
                1,
                (
                    Bit("SEASON_INFO_FIELD_FLAG", 0, 0, constant(1), "closed seasons and self-reads have their season"),
                    Bit("DATE_TIME_FIELD_FLAG", 1, 1, constant(1), "maxima have their time"),
                    Bit("DEMAND_RESET_CTR_FLAG", 2, 2, _registers_demand),
                    Bit("DEMAND_RESET_LOCK_FLAG", 3, 3, _lockout),
                    Bit("CUM_DEMAND_FLAG", 4, 4, _registers_demand),
                    Bit("CONT_CUM_DEMAND_FLAG", 5, 5, _registers_demand),
                    Bit(
                        "TIME_REMAINING_FLAG",
                        6,
                        6,
                        _registers_demand,
                        "present demands have the rest of their interval",
                    ),
                ),
            ),
        ),
        Field(
            "REG_FUNC2_FLAGS",
            BitField(
                1,
                (
                    Bit("SELF_READ_INHIBIT_OVERFLOW_FLAG", 0, 0, constant(0), "0: the oldest self-read goes"),
                    Bit("SELF_READ_SEQ_NBR_FLAG", 1, 1, constant(1)),
                    Bit("DAILY_SELF_READ_FLAG", 2, 2, _self_read_kind(SelfReadKind.DAILY, SelfReadKind.HOURS)),
                    Bit("WEEKLY_SELF_READ_FLAG", 3, 3, constant(0)),
                    Bit("SELF_READ_DEMAND_RESET", 4, 5, lambda c: c.facts.program.billing.self_reads.resets_demand),
                ),
            ),
        ),
        Field("NBR_SELF_READS", U8, constant(SELF_READS)),
        Field("NBR_SUMMATIONS", U8, lambda c: len(energy_registers(c.facts.program))),
        Field("NBR_DEMANDS", U8, _demands),
        Field("NBR_COIN_VALUES", U8, lambda c: _demands(c) * max(_demands(c) - 1, 0), "each demand's others"),
        Field("NBR_OCCUR", U8, constant(OCCURRENCES)),
        Field("NBR_TIERS", U8, constant(TIERS), "rates A to D"),
        Field("NBR_PRESENT_DEMANDS", U8, _demands),
        Field("NBR_PRESENT_VALUES", U8, _demands, "demand of the interval before"),
    )
)


# --- selection ------------------------------------------------------------------------------------------------


def coincidents(demands: int) -> list[tuple[int, int]]:
    """Give the pairs of a demand and one other that was coincident with its maximum, in order."""
    return [(of, other) for of in range(demands) for other in range(demands) if other != of]


def _energy_sources(contents: TableContents) -> list[int]:
    program = contents.facts.program
    return [first_energy(program) + n for n in range(len(energy_registers(program)))]


def _bytes_of(count: int) -> int:
    return (count + 7) // 8


_DEMANDS = Ref(21, "NBR_DEMANDS")

SELECTION = Layout(
    (
        Field("SUMMATION_SELECT", Array(Ref(21, "NBR_SUMMATIONS"), U8), _energy_sources, "sources"),
        Field("DEMAND_SELECT", Array(_DEMANDS, U8), lambda c: range(_demands(c)), "sources"),
        Field(
            "MIN_OR_MAX_FLAGS",
            Sized(Numbers, Computed("(ST21.NBR_DEMANDS + 7) / 8", _bytes_of, (_DEMANDS,))),
            lambda c: frozenset(range(_demands(c))),
            "all are maxima",
        ),
        Field(
            "COINCIDENT_SELECT",
            Array(Ref(21, "NBR_COIN_VALUES"), U8),
            lambda c: [other for _, other in coincidents(_demands(c))],
            "sources",
        ),
        Field(
            "COIN_DEMAND_ASSOC",
            Array(Ref(21, "NBR_COIN_VALUES"), U8),
            lambda c: [of for of, _ in coincidents(_demands(c))],
            "the demand that was at its maximum",
        ),
    )
)


# --- registers ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Demand:
    at: datetime | None
    cumulative: Fraction
    continuous: Fraction
    maximum: Fraction


@dataclass(frozen=True)
class _Block:
    """Registers in total or of one rate."""

    summations: list[Fraction]
    demands: list[_Demand]
    coincidents: list[Fraction]


@dataclass(frozen=True)
class RegisterSet:
    """Registers at an instant: `end` of what closed them, None for those that run; the season from 0, resets."""

    facts: MeterFacts
    registers: RegisterReading
    resets: int
    season: int = 0
    end: datetime | None = None
    sequence: int = 0

    @property
    def total(self) -> _Block:
        """All rates together."""
        return self._block(None)

    @property
    def tiers(self) -> list[_Block]:
        """Each rate."""
        return [self._block(rate) for rate in range(TIERS)]

    def _block(self, rate: int | None) -> _Block:
        bins = [bins[0 if rate is None else 1 + rate] for bins in self.registers.demand]
        return _Block(
            energies(self.facts.program, self.registers, rate),
            [
                _Demand(
                    self.facts.local(bin.maximum.at_ns),
                    kilo(bin.cumulative),
                    kilo(bin.continuous_cumulative),
                    kilo(bin.maximum.value),
                )
                for bin in bins
            ],
            [kilo(nano) for bin in bins for nano in bin.maximum.coincident],
        )


def kilo(nano: int) -> Fraction:
    """Give kW of nW, exactly."""
    return Fraction(nano, NANO_PER_KILO)


_OCCUR = Ref(21, "NBR_OCCUR")


def _flag(name: str) -> Ref:
    return Ref(21, f"REG_FUNC1_FLAGS.{name}")


BLOCK = Layout(
    (
        Field("SUMMATIONS", Array(Ref(21, "NBR_SUMMATIONS"), NI1), lambda b: b.summations),
        Field(
            "DEMANDS",
            Array(
                _DEMANDS,
                Layout(
                    (
                        Field(
                            "EVENT_TIME",
                            Array(_OCCUR, STIME),
                            lambda d: [d.at],
                            "when the interval of the maximum ended",
                            _flag("DATE_TIME_FIELD_FLAG"),
                        ),
                        Field("CUM_DEMAND", NI1, lambda d: d.cumulative, when=_flag("CUM_DEMAND_FLAG")),
                        Field("CONT_CUM_DEMAND", NI1, lambda d: d.continuous, when=_flag("CONT_CUM_DEMAND_FLAG")),
                        Field("DEMAND", Array(_OCCUR, NI2), lambda d: [d.maximum], "the maximum"),
                    )
                ),
            ),
            lambda b: b.demands,
        ),
        Field(
            "COINCIDENTS",
            Array(Ref(21, "NBR_COIN_VALUES"), Array(_OCCUR, NI2)),
            lambda b: [[value] for value in b.coincidents],
        ),
    )
)

REGISTERS = Layout(
    (
        Field(
            "NBR_DEMAND_RESETS",
            U8,
            lambda r: r.resets % 256,
            "counted on from 255 to 0",
            _flag("DEMAND_RESET_CTR_FLAG"),
        ),
        Field("TOT_DATA_BLOCK", BLOCK, lambda r: r.total, "in total"),
        Field("TIER_DATA_BLOCK", Array(Ref(21, "NBR_TIERS"), BLOCK), lambda r: r.tiers, "rates A to D"),
    )
)

CLOSED_REGISTERS = Layout(
    (
        Field("END_DATE_TIME", STIME, lambda r: r.end, "when they closed", _flag("DATE_TIME_FIELD_FLAG")),
        Field("SEASON", U8, lambda r: r.season, "counted from 0", _flag("SEASON_INFO_FIELD_FLAG")),
        *REGISTERS.fields,
    )
)


def _running(contents: TableContents) -> RegisterSet:
    reading = contents.facts.reading
    return RegisterSet(contents.facts, reading.registers, reading.resets)


def closed_set(facts: MeterFacts, closed: Snapshot | None, sequence: int = 0) -> RegisterSet:
    """Give the registers of a snapshot; of none, zeros without a time."""
    if closed is None:
        none = facts.reading.registers
        zeros = RegisterReading(
            (0,) * len(none.energy),
            tuple((0,) * len(rate) for rate in none.rates),
            tuple((_no_demand(len(none.demand)),) * len(bins) for bins in none.demand),
        )
        return RegisterSet(facts, zeros, 0)
    return RegisterSet(facts, closed, closed.resets, closed.season, facts.local(closed.utc_ns), sequence)


def _no_demand(quantities: int) -> DemandReading:
    return DemandReading(0, 0, Maximum(0, None, (0,) * (quantities - 1)), 0, 0)


def of_registers(layout: Layout, registers: Callable[[TableContents], RegisterSet]) -> Layout:
    """Make a table's layout of one whose fields are of a set of registers."""

    def moved(field: Field) -> Field:
        return replace(field, source=lambda contents: field.source(registers(contents)))

    return Layout(tuple(map(moved, layout.fields)))


# --- present ---------------------------------------------------------------------------------------------------


def _time_left(contents: TableContents) -> time:
    """Give the rest of the running interval, whole seconds rounded down; zero where none runs."""
    reading = contents.facts.reading
    ends_ns = reading.interval_ends_ns
    left_s = 0 if ends_ns is None else max(0, ends_ns - reading.utc_ns) // SECOND_NS
    return time(left_s // 3600, left_s // 60 % 60, left_s % 60)


def _present(contents: TableContents) -> list[tuple[time, Fraction]]:
    left = _time_left(contents)
    return [(left, kilo(bins[0].present)) for bins in contents.facts.reading.registers.demand]


def _previous(contents: TableContents) -> list[Fraction]:
    return [kilo(bins[0].previous) for bins in contents.facts.reading.registers.demand]


PRESENT_SELECTION = Layout(
    (
        Field("PRESENT_DEMAND_SELECT", Array(Ref(21, "NBR_PRESENT_DEMANDS"), U8), lambda c: range(_demands(c))),
        Field("PRESENT_VALUE_SELECT", Array(Ref(21, "NBR_PRESENT_VALUES"), U8), lambda c: range(_demands(c))),
    )
)

PRESENT = Layout(
    (
        Field(
            "PRESENT_DEMAND",
            Array(
                Ref(21, "NBR_PRESENT_DEMANDS"),
                Layout(
                    (
                        Field(
                            "TIME_REMAINING",
                            TIME,
                            lambda p: p[0],
                            "of the running interval or sub-interval",
                            _flag("TIME_REMAINING_FLAG"),
                        ),
                        Field("DEMAND_VALUE", NI2, lambda p: p[1]),
                    )
                ),
            ),
            _present,
        ),
        Field("PRESENT_VALUE", Array(Ref(21, "NBR_PRESENT_VALUES"), NI1), _previous, "of the interval before"),
    )
)

_BOTH = frozenset({Need.READING, Need.PROGRAM})


def _of_season(contents: TableContents) -> RegisterSet:
    return closed_set(contents.facts, contents.facts.reading.closed_season)


def _has_demand(facts: MeterFacts) -> bool:
    return facts.has_demand


def _of_reset(contents: TableContents) -> RegisterSet:
    return closed_set(contents.facts, contents.facts.last_reset)


# --- self-reads ------------------------------------------------------------------------------------------------


def _self_reads(contents: TableContents) -> list[RegisterSet]:
    """Give the self-reads that have this program's registers, oldest first, and zeros for those that may yet come."""
    facts = contents.facts
    fitting = [each for each in facts.self_reads if len(each.snapshot.demand) == _demands(contents)]
    found = [closed_set(facts, each.snapshot, each.number & 0xFFFF) for each in fitting]
    return found + [closed_set(facts, None)] * (SELF_READS - len(found))


def _valid(contents: TableContents) -> int:
    return sum(each.end is not None for each in _self_reads(contents))


def _unread(contents: TableContents) -> int:
    facts = contents.facts
    return facts.marks.unread(ListNumber.SELF_READS, [each.number for each in facts.self_reads])


SELF_READ_LIST = Layout(
    (
        Field("LIST_STATUS", U8, constant(0), "0: oldest first"),
        Field("NBR_VALID_ENTRIES", U8, _valid, "those after are zeros"),
        Field("LAST_ENTRY_ELEMENT", U8, lambda c: max(_valid(c) - 1, 0)),
        Field(
            "LAST_ENTRY_SEQ_NBR",
            U16,
            lambda c: c.facts.self_reads[-1].number & 0xFFFF if c.facts.self_reads else 0,
            "its place in the history, low 16 bits, which grows, though not always by one",
        ),
        Field("NBR_UNREAD_ENTRIES", U8, _unread, "by procedures 4 and 5 of this port"),
        Field(
            "SELF_READS_ENTRIES",
            Array(
                Ref(21, "NBR_SELF_READS"),
                Layout(
                    (
                        Field(
                            "SELF_READ_SEQ_NBR",
                            U16,
                            lambda r: r.sequence,
                            when=Ref(21, "REG_FUNC2_FLAGS.SELF_READ_SEQ_NBR_FLAG"),
                        ),
                        *CLOSED_REGISTERS.fields,
                    )
                ),
            ),
            _self_reads,
        ),
    )
)


REGISTER_TABLES = (
    Table(20, "register dimensions", REGISTER_DIMENSIONS, "the most that ST21 can have, which is what it has"),
    Table(21, "actual registers", REGISTER_DIMENSIONS, "how many registers there are, and what belongs to each"),
    Table(22, "data selection", SELECTION, "the source of each register", (21,)),
    Table(23, "current registers", of_registers(REGISTERS, _running), "registers now", (21,), _BOTH),
    Table(
        24, "previous season", of_registers(CLOSED_REGISTERS, _of_season), "as the last season left them", (21,), _BOTH
    ),
    Table(
        25,
        "previous demand reset",
        of_registers(CLOSED_REGISTERS, _of_reset),
        "as the last demand reset found them",
        (21,),
        _BOTH | {Need.LAST_RESET},
        _has_demand,
    ),
    Table(26, "self-reads", SELF_READ_LIST, "registers at the last self-reads", (21,), _BOTH | {Need.SELF_READS}),
    Table(
        27,
        "present register selection",
        PRESENT_SELECTION,
        "the source of each value of ST28",
        (21,),
        there=_has_demand,
    ),
    Table(28, "present registers", PRESENT, "demand now and in the interval before", (21,), _BOTH, _has_demand),
)
