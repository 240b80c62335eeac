"""Standard tables with all that public descriptions of C12.19 have, to decode meters of other makers (X-2).

rig/communication/c1219 describes what our own meter has of them, which is less: one load profile of one interval a
block, no dates that recur, no arguments of events. What is here is read, and never written.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from rig.communication.c1219.general import STATUS
from rig.communication.c1219.layout import Array, Computed, Field, Layout, Ref, Sized
from rig.communication.c1219.source_tables import DEMAND_CONTROL
from rig.communication.c1219.tables import TABLES
from rig.communication.c1219.time_tables import CALENDAR
from rig.communication.c1219.types import DATE, NI1, U8, U16, Binary
from rig.reader.others_profile import FIRST_SET, bits, control, data, dimensions, sets_of, status

SECOND_EDITION = 2
"""STD_VERSION_NO of 2008, in which some tables have more behind what they had."""

_LENGTHENED = frozenset({70, 71})


@dataclass(frozen=True)
class Description:
    """A table's layout, the tables that its counts are of, and whether more may come behind its fields."""

    layout: Layout
    limits: tuple[int, ...] = ()
    more: bool = False


def description_of(number: int, used: Set[int], version: int) -> Description | None:
    """Describe a standard table of a meter that has the tables `used`, by a version of the standard; None: unknown."""
    sets = sets_of(used)
    if number in (60, 61) and sets:
        return Description(dimensions(sets))
    if number in (62, 63) and sets:
        return Description(control(sets) if number == 62 else status(sets), (61,))
    if FIRST_SET <= number < FIRST_SET + 4:
        return Description(data(number - FIRST_SET + 1), (61, 62)) if number in used else None
    if number in _OTHERS:
        return _OTHERS[number]
    table = TABLES.get(number)
    if table is None:
        return None
    return Description(table.layout, table.limits, number in _LENGTHENED and version >= SECOND_EDITION)


def _with(layout: Layout, **others: Field | tuple[Field, ...]) -> Layout:
    """Give a layout with other fields instead of some, by their names."""
    fields: list[Field] = []
    for field in layout.fields:
        other = others.get(field.name, field)
        fields += other if isinstance(other, tuple) else (other,)
    return Layout(tuple(fields))


_STATUS = _with(STATUS, ED_MFG_STATUS=Field("ED_MFG_STATUS", Sized(Binary, Ref(0, "DIM_MFG_STATUS_USED"))))

# --- sources --------------------------------------------------------------------------------------------------

_FAILURE = Ref(11, "SOURCE_FLAGS.PF_EXCLUDE_FLAG")

_DEMAND_CONTROL = Layout(
    (
        DEMAND_CONTROL.fields[0],
        Field("P_FAIL_RECOGNTN_TM", U8, when=_FAILURE),
        Field("P_FAIL_EXCLUSION", U8, when=_FAILURE),
        Field("COLD_LOAD_PICKUP", U8, when=_FAILURE),
        *DEMAND_CONTROL.fields[1:],
    )
)

_ELECTRIC = 2


def _set(number: int) -> Field:
    ratios = Layout((Field("SET_FLAGS", U8), Field(f"RATIO_F{number}", NI1), Field(f"RATIO_P{number}", NI1)))
    return Field(f"SET{number}_CONSTANTS", ratios, when=Ref(11, f"SOURCE_FLAGS.SET{number}_PRESENT_FLAG"))


_is_electric = Computed(
    "ST11.CONSTANTS_SELECTOR is 2", lambda found: int(found == _ELECTRIC), (Ref(11, "CONSTANTS_SELECTOR"),)
)
_CONSTANTS = Layout(
    (
        Field(
            "CONSTANTS",
            Array(
                Ref(11, "NBR_CONSTANTS_ENTRIES"),
                Layout((Field("MULTIPLIER", NI1), Field("OFFSET", NI1), _set(1), _set(2))),
            ),
            when=_is_electric,
        ),
    )
)

# --- calendar -------------------------------------------------------------------------------------------------

_SEPARATE = Ref(51, "TIME_FUNC_FLAG2.SEPARATE_WEEKDAYS_FLAG")
_TOGETHER = Computed("not ST51.TIME_FUNC_FLAG2.SEPARATE_WEEKDAYS_FLAG", lambda flag: 1 - flag, (_SEPARATE,))
_ACTION = bits(1, CALENDAR_CTRL=(0, 4), DEMAND_RESET_FLAG=(5, 5), SELF_READ_FLAG=(6, 6))
_SPECIAL = Field("SPECIAL_SCHEDULE", Array(Ref(51, "CALENDAR_FUNC.NBR_SPECIAL_SCHED"), U8))

_CALENDAR = Layout(
    (
        Field("ANCHOR_DATE", DATE, when=Ref(51, "TIME_FUNC_FLAG1.ANCHOR_DATE_FLAG")),
        CALENDAR.fields[0],
        Field(
            "RECURR_DATES",
            Array(Ref(51, "NBR_RECURR_DATES"), Layout((Field("RECURR_DATE", U16), Field("CALENDAR_ACTION", _ACTION)))),
        ),
        CALENDAR.fields[1],
        Field(
            "DAILY_SCHEDULE_ID_MATRIX",
            Array(
                Ref(51, "CALENDAR_FUNC.NBR_SEASONS"),
                Layout(
                    (
                        Field("DAY_SCHEDULES", Array(7, U8), when=_SEPARATE),
                        Field("SATURDAY_SCHEDULE", U8, when=_TOGETHER),
                        Field("SUNDAY_SCHEDULE", U8, when=_TOGETHER),
                        Field("WEEKDAY_SCHEDULE", U8, when=_TOGETHER),
                        _SPECIAL,
                    )
                ),
            ),
        ),
    )
)

_OTHERS = {
    3: Description(_STATUS, (0,)),
    13: Description(_DEMAND_CONTROL, (11,)),
    15: Description(_CONSTANTS, (11,)),
    54: Description(_CALENDAR, (51,)),
}
