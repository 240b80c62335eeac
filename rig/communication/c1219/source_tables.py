"""Decade 1: data sources, their units, demand control and constants (ST10 to ST13, ST15, ST16; X-1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rig.communication.c1219.layout import Array, Bit, BitField, Computed, Field, Layout, Ref, constant
from rig.communication.c1219.sources import DataSource, UnitId, data_sources, demand_quantities
from rig.communication.c1219.table import Table, TableContents
from rig.communication.c1219.types import NI1, U8, U16
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.program.build import Program

ELECTRIC_CONSTANTS = 2


def _program(contents: TableContents) -> Program:
    return contents.facts.program


def _demand(contents: TableContents) -> DemandSettings | None:
    return _program(contents).billing.demand


def _kind(kind: DemandKind) -> Any:
    return lambda c: (demand := _demand(c)) is not None and demand.kind is kind


def _sources(contents: TableContents) -> int:
    return len(data_sources(_program(contents)))


def _demands(contents: TableContents) -> int:
    return len(demand_quantities(_demand(contents)))


DIMENSIONS = Layout(
    (
        Field(
            "SOURCE_FLAGS",
            BitField(
                1,
                (
                    Bit("PF_EXCLUDE_FLAG", 0, 0, constant(0)),
                    Bit("RESET_EXCLUDE_FLAG", 1, 1, lambda c: _demand(c) is not None, "ST13 has RESET_EXCLUSION"),
                    Bit("BLOCK_DEMAND_FLAG", 2, 2, _kind(DemandKind.BLOCK)),
                    Bit("SLIDING_DEMAND_FLAG", 3, 3, _kind(DemandKind.SLIDING)),
                    Bit("THERMAL_DEMAND_FLAG", 4, 4, _kind(DemandKind.THERMAL)),
                    Bit("SET1_PRESENT_FLAG", 5, 5, constant(1), "ST15 has the ratios of the transformers"),
                    Bit("SET2_PRESENT_FLAG", 6, 6, constant(0)),
                ),
            ),
        ),
        Field("NBR_UOM_ENTRIES", U8, _sources, "one for each source"),
        Field("NBR_DEMAND_CTRL_ENTRIES", U8, _demands, "one for each demand, which are the first sources"),
        Field("DATA_CTRL_LENGTH", U8, constant(0)),
        Field("NBR_DATA_CTRL_ENTRIES", U8, constant(0)),
        Field("NBR_CONSTANTS_ENTRIES", U8, _sources, "one for each source"),
        Field("CONSTANTS_SELECTOR", U8, constant(ELECTRIC_CONSTANTS), "2: electric"),
        Field("NBR_SOURCES", U8, _sources),
    )
)


def _quadrant(number: int) -> Any:
    return lambda source: number in source.quadrants


UNIT = BitField(
    4,
    (
        Bit("ID_CODE", 0, 7, lambda s: s.unit, "0 W, 1 var, 2 VA rms, 3 VA td, 10 V², 14 A², 34 pulses"),
        Bit("TIME_BASE", 8, 10, lambda s: s.base, "0 register, 3 sliding, 4 block, 5 net register, 6 thermal"),
        Bit("MULTIPLIER", 11, 13, lambda s: s.multiplier, "0: one, 2: thousand"),
        Bit("Q1_ACCOUNTABILITY", 14, 14, _quadrant(1)),
        Bit("Q2_ACCOUNTABILITY", 15, 15, _quadrant(2)),
        Bit("Q3_ACCOUNTABILITY", 16, 16, _quadrant(3)),
        Bit("Q4_ACCOUNTABILITY", 17, 17, _quadrant(4)),
        Bit("NET_FLOW_ACCOUNTABILITY", 18, 18, lambda s: s.net),
        Bit("SEGMENTATION", 19, 21, lambda s: s.segmentation, "0 all, 4 neutral, 5 A, 6 B, 7 C"),
        Bit("HARMONIC", 22, 22, constant(0)),
        Bit("NFS", 31, 31, constant(0)),
    ),
)

UNITS = Layout((Field("UOM_ENTRY", Array(Ref(11, "NBR_UOM_ENTRIES"), UNIT), lambda c: data_sources(_program(c))),))


# --- demand control -------------------------------------------------------------------------------------------


def _minutes(contents: TableContents) -> int:
    """Give the reset's lock-out in minutes, rounded up: what the byte says is never too short."""
    return min(-(-_program(contents).billing.lockout_s // 60), 255)


def _controls(contents: TableContents) -> list[DemandSettings]:
    demand = _demand(contents)
    return [] if demand is None else [demand] * len(demand.quantities)


_SLIDING = Ref(11, "SOURCE_FLAGS.SLIDING_DEMAND_FLAG")
_NOT_SLIDING = Computed("not ST11.SOURCE_FLAGS.SLIDING_DEMAND_FLAG", lambda sliding: 1 - sliding, (_SLIDING,))

DEMAND_CONTROL = Layout(
    (
        Field(
            "RESET_EXCLUSION",
            U8,
            _minutes,
            "minutes after a reset at the switch in which another there is refused, rounded up",
            Ref(11, "SOURCE_FLAGS.RESET_EXCLUDE_FLAG"),
        ),
        Field(
            "INTERVAL_VALUE",
            Array(
                Ref(11, "NBR_DEMAND_CTRL_ENTRIES"),
                Layout(
                    (
                        Field("SUB_INT", U8, lambda d: d.subinterval_s // 60, "minutes", _SLIDING),
                        Field("INT_MULTIPLIER", U8, lambda d: d.subintervals, "sub-intervals an interval", _SLIDING),
                        Field(
                            "INT_LENGTH",
                            U16,
                            lambda d: d.subinterval_s * d.subintervals // 60,
                            "minutes; of thermal demand the time to 90 %",
                            _NOT_SLIDING,
                        ),
                    )
                ),
            ),
            _controls,
        ),
    )
)


# --- constants ------------------------------------------------------------------------------------------------

MOST_U16 = 0xFFFF


def fits_a_ratio(scale: Fraction) -> bool:
    """Say whether a scale is a ratio of two 16-bit numbers, as ST62 has them."""
    return scale.numerator <= MOST_U16 and scale.denominator <= MOST_U16


@dataclass(frozen=True)
class _Constants:
    """Constants of a source: the scale that ST62 does not have, and the powers of the transformers' ratios that its
    values have (decision 135)."""

    multiplier: Fraction
    amperes: Fraction
    volts: Fraction


_RATIO_POWERS: Mapping[UnitId, tuple[int, int]] = {
    UnitId.VOLT_SQUARED: (0, 2),
    UnitId.AMPERE_SQUARED: (2, 0),
    UnitId.COUNTER: (0, 0),
}
"""Powers of the ratios of current and voltage by a source's unit, where they are not 1 and 1: V² has the transformers
of the volts twice and those of the amperes not at all, and another meter's pulses have none."""


def _constants(contents: TableContents) -> list[_Constants]:
    ratios = _program(contents).nameplate.ratios
    found = []
    for source in data_sources(_program(contents)):
        amperes, volts = _RATIO_POWERS.get(source.unit, (1, 1))
        multiplier = Fraction(1) if fits_a_ratio(source.scale) else source.scale
        found.append(_Constants(multiplier, ratios.amperes**amperes, ratios.volts**volts))
    return found


CONSTANTS = Layout(
    (
        Field(
            "CONSTANTS",
            Array(
                Ref(11, "NBR_CONSTANTS_ENTRIES"),
                Layout(
                    (
                        Field("MULTIPLIER", NI1, lambda k: k.multiplier, "times the value; 1 but for some channels"),
                        Field("OFFSET", NI1, constant(0)),
                        Field(
                            "SET1_CONSTANTS",
                            Layout(
                                (
                                    Field("SET_FLAGS", U8, constant(0), "0: not applied, values are at the meter"),
                                    Field(
                                        "RATIO_F1",
                                        NI1,
                                        lambda k: k.amperes,
                                        "current transformers; their square for A²h, 1 for V²h and pulses",
                                    ),
                                    Field(
                                        "RATIO_P1", NI1, lambda k: k.volts, "voltage and auto-transformers; likewise"
                                    ),
                                )
                            ),
                            when=Ref(11, "SOURCE_FLAGS.SET1_PRESENT_FLAG"),
                        ),
                    )
                ),
            ),
            _constants,
        ),
    )
)


def _counts(source: DataSource) -> bool:
    return source.counts


SOURCE = BitField(
    1,
    (
        Bit("UOM_ENTRY_FLAG", 0, 0, constant(1)),
        Bit("DEMAND_CTRL_FLAG", 1, 1, lambda s: s.demand),
        Bit("DATA_CTRL_FLAG", 2, 2, constant(0)),
        Bit("CONSTANTS_FLAG", 3, 3, constant(1)),
        Bit("PULSE_ENG_FLAG", 4, 4, lambda s: not _counts(s), "0: counts, of the recorder's channels"),
        Bit("CONSTANT_TO_BE_APPLIED", 5, 5, lambda s: not fits_a_ratio(s.scale), "by ST15.MULTIPLIER"),
    ),
)

SOURCES = Layout((Field("SOURCES_LINK", Array(Ref(11, "NBR_SOURCES"), SOURCE), lambda c: data_sources(_program(c))),))

SOURCE_TABLES = (
    Table(10, "source dimensions", DIMENSIONS, "the most that ST11 can have, which is what it has"),
    Table(11, "actual sources", DIMENSIONS, "how many sources there are, and which kind of demand"),
    Table(12, "units of measure", UNITS, "unit, time base and quadrants of each source", (11,)),
    Table(13, "demand control", DEMAND_CONTROL, "demand interval and lock-out", (11,), there=lambda f: f.has_demand),
    Table(15, "constants", CONSTANTS, "multipliers, and the ratios of the transformers", (11,)),
    Table(16, "sources", SOURCES, "what each source has in ST12, ST13 and ST15", (11,)),
)
