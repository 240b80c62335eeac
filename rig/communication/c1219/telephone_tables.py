"""Decade 9: the telephone of a port with a modem (ST90 to ST95, ST97; X-3). Other ports have none of them.

ST91 to ST93 and ST95 are as public implementations have them; of ST94 and ST97 what a public client reads of them. ST96
and ST98 are of no public layout, so they are not here. Numbers and set-up are the port's own, as its configuration has
them, and cannot be written (docs/decisions/126-answer-parameters.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rig.communication.c1219.facts import MeterFacts
from rig.communication.c1219.layout import Array, Bit, BitField, Computed, Field, Layout, Ref, Sized, constant
from rig.communication.c1219.table import Table, TableContents
from rig.communication.c1219.telephone import CallWindow, ModemFacts
from rig.communication.c1219.types import HOURS_MINUTES, U8, U32, Binary

NO_NUMBER = 7
"""Index of ST94 that says: none."""

MOST_ORIGINATE_WINDOWS = 7
"""A public client takes the bit rate of a meter with eight for its windows."""

EVERY_DAY = 0x7F
_MOST = 255


def _modem(contents: TableContents) -> ModemFacts:
    assert contents.facts.modem is not None
    return contents.facts.modem


def _of(get: Callable[[ModemFacts], object]) -> Callable[[TableContents], object]:
    return lambda contents: get(_modem(contents))


def has_modem(facts: MeterFacts) -> bool:
    """Say whether the port that asks has a modem."""
    return facts.modem is not None


@dataclass(frozen=True)
class _Padded:
    """A text of ISO 646, padded with blanks to so many bytes."""

    text: str
    size: int

    @property
    def bytes(self) -> bytes:
        return self.text.encode("ascii", "replace")[: self.size].ljust(self.size)


def _originate(modem: ModemFacts) -> tuple[CallWindow, ...]:
    return modem.originate_windows[:MOST_ORIGINATE_WINDOWS]


DIMENSIONS = Layout(
    (
        Field(
            "TELEPHONE_FLAGS",
            BitField(
                1,
                (
                    Bit("ANSWER_FLAG", 0, 0, _of(lambda m: m.answers), "1: it answers calls"),
                    Bit("S_ESTABLISH_FLAG", 1, 1, constant(0)),
                    Bit("OFF_HOOK_DETECT_FLAG", 2, 2, constant(0)),
                    Bit("BIT_RATE", 3, 4, constant(0), "0: no table says the speed"),
                    Bit("ID_IN_PURPOSE", 5, 5, constant(0)),
                    Bit("NO_LOCKOUT_PARM", 6, 6, _of(lambda m: not m.lockout_calls), "1: callers are not locked out"),
                    Bit("EXTENDED_STATUS_FLAG", 7, 7, constant(0)),
                ),
            ),
        ),
        Field("NBR_ORIGINATE_WINDOWS", U8, _of(lambda m: len(_originate(m))), "up to 7"),
        Field("NBR_SETUP_STRINGS", U8, _of(lambda m: len(m.setup))),
        Field("SETUP_STRING_LENGTH", U8, _of(lambda m: m.longest_setup)),
        Field("PREFIX_LENGTH", U8, _of(lambda m: len(m.prefix)), "bytes of ST93.PREFIX"),
        Field("NBR_ORIGINATE_NUMBERS", U8, _of(lambda m: max(1, len(m.numbers))), "one of blanks where there is none"),
        Field("PHONE_NUMBER_LENGTH", U8, _of(lambda m: m.longest_number), "of the longest"),
        Field("NBR_RECURRING_DATES", U8, _of(lambda m: m.calls_a_day), "calls of each day"),
        Field("NBR_NON_RECURRING_DATES", U8, constant(0)),
        Field("NBR_EVENTS", U8, _of(lambda m: m.events), "events for which it calls"),
        Field("NBR_WEEKLY_SCHEDULES", U8, constant(0)),
        Field("NBR_ANSWER_WINDOWS", U8, _of(lambda m: len(m.answer_windows))),
        Field("NBR_CALLER_IDS", U8, constant(0)),
        Field("CALLER_ID_LENGTH", U8, constant(0)),
    )
)

_BIT_RATE = Ref(91, "TELEPHONE_FLAGS.BIT_RATE")
_GLOBAL_RATE = Computed("ST91.TELEPHONE_FLAGS.BIT_RATE = 1", lambda rate: int(rate == 1), (_BIT_RATE,))
_OWN_RATES = Computed("ST91.TELEPHONE_FLAGS.BIT_RATE = 2", lambda rate: int(rate == 2), (_BIT_RATE,))
_LOCKS_OUT = Computed(
    "not ST91.TELEPHONE_FLAGS.NO_LOCKOUT_PARM",
    lambda none: int(not none),
    (Ref(91, "TELEPHONE_FLAGS.NO_LOCKOUT_PARM"),),
)

GLOBAL_PARAMETERS = Layout(
    (
        Field("PSEM_IDENTITY", U8, _of(lambda m: m.identity), "address of the meter in packets"),
        Field("BIT_RATE", U32, constant(0), "of other meters", _GLOBAL_RATE),
        Field(
            "MODEM_SETUP_STRINGS",
            Array(
                Ref(91, "NBR_SETUP_STRINGS"),
                Layout(
                    (
                        Field(
                            "SETUP_STRING",
                            Sized(Binary, Ref(91, "SETUP_STRING_LENGTH")),
                            lambda string: string.bytes,
                            "padded with blanks",
                        ),
                    )
                ),
            ),
            _of(lambda m: [_Padded(string, m.longest_setup) for string in m.setup]),
            "sent to the modem before the first call and after each",
        ),
    )
)

WINDOW = Layout(
    (
        Field("BEGIN_WINDOW_TIME", HOURS_MINUTES, lambda window: window.begin, "local time"),
        Field("WINDOW_DURATION", HOURS_MINUTES, lambda window: window.minutes, "hours and minutes, up to 24:00"),
        Field("WINDOW_DAYS", U8, constant(EVERY_DAY), "bits 0 Sunday … 6 Saturday: every day"),
    )
)

ORIGINATE_PARAMETERS = Layout(
    (
        Field("ORIGINATE_BIT_RATE", U32, constant(0), "of other meters", _OWN_RATES),
        Field("DIAL_DELAY", U8, constant(0), "seconds before it dials"),
        Field("PREFIX", Sized(Binary, Ref(91, "PREFIX_LENGTH")), _of(lambda m: m.prefix.encode()), "before a number"),
        Field(
            "PHONE_NUMBERS",
            Array(
                Ref(91, "NBR_ORIGINATE_NUMBERS"),
                Layout(
                    (
                        Field(
                            "PHONE_NUMBER",
                            Sized(Binary, Ref(91, "PHONE_NUMBER_LENGTH")),
                            lambda number: number.bytes,
                            "padded with blanks",
                        ),
                    )
                ),
            ),
            _of(lambda m: [_Padded(number, m.longest_number) for number in (m.numbers or ("",))]),
            "in the order in which they are called",
        ),
        Field("WINDOWS", Array(Ref(91, "NBR_ORIGINATE_WINDOWS"), WINDOW), _of(_originate), "when it may call"),
    )
)

ANSWER_PARAMETERS = Layout(
    (
        Field("ANSWER_BIT_RATE", U32, constant(0), "of other meters", _OWN_RATES),
        Field("LOCKOUT_DELAY", U8, constant(0), "minutes; 0: it locks at once", _LOCKS_OUT),
        Field(
            "RETRY_ATTEMPTS",
            U8,
            _of(lambda m: min(m.lockout_calls, _MOST)),
            "calls in a row without a right password",
            _LOCKS_OUT,
        ),
        Field(
            "RETRY_LOCKOUT_TIME",
            U8,
            _of(lambda m: min(m.lockout_minutes, _MOST)),
            "minutes in which it answers no call then; 255: that, or more",
            _LOCKS_OUT,
        ),
        Field("NBR_RINGS", U8, _of(lambda m: m.rings), "before it answers, within its windows; 0: never"),
        Field(
            "NBR_RINGS_OUTSIDE",
            U8,
            _of(lambda m: m.rings_outside),
            "at all other times; 0: never",
            Ref(91, "NBR_ANSWER_WINDOWS"),
        ),
        Field(
            "CALLER_IDS",
            Array(Ref(91, "NBR_CALLER_IDS"), Layout((Field("CALLER_ID", Sized(Binary, Ref(91, "CALLER_ID_LENGTH"))),))),
            constant(()),
            "none: it answers whoever calls",
        ),
        Field("WINDOWS", Array(Ref(91, "NBR_ANSWER_WINDOWS"), WINDOW), _of(lambda m: m.answer_windows)),
    )
)

ORIGINATE_SCHEDULE = Layout(
    (
        Field(
            "PHONE_NUMBER_INDEX",
            BitField(
                1,
                (
                    Bit("PRIMARY_INDEX", 0, 2, _of(lambda m: 0 if m.numbers else NO_NUMBER), "7: none"),
                    Bit("SECONDARY_INDEX", 4, 6, _of(lambda m: 1 if len(m.numbers) > 1 else NO_NUMBER), "7: none"),
                ),
            ),
        ),
    )
)

CALL_STATUS = Layout(
    (
        Field(
            "CALL_STATUS_ARRAY",
            Array(Ref(91, "NBR_ORIGINATE_NUMBERS"), U8),
            _of(lambda m: list(m.statuses)),
            "of the last call to each number: 0 none, 2 dialling, 4 communicating, 5 completed, 6 not completed, "
            "7 busy, 8 no dial tone, 9 line cut, 10 no connection, 11 no modem",
        ),
    )
)

TELEPHONE_TABLES = (
    Table(90, "telephone dimensions", DIMENSIONS, "the most that ST91 can have, which is what it has", there=has_modem),
    Table(
        91, "actual telephone limits", DIMENSIONS, "how many numbers, windows and strings a modem has", there=has_modem
    ),
    Table(92, "global parameters", GLOBAL_PARAMETERS, "address and set-up of the modem", (91,), there=has_modem),
    Table(93, "originate parameters", ORIGINATE_PARAMETERS, "whom the meter calls", (91,), there=has_modem),
    Table(94, "originate schedule", ORIGINATE_SCHEDULE, "which numbers are called", there=has_modem),
    Table(95, "answer parameters", ANSWER_PARAMETERS, "when calls are answered", (91,), there=has_modem),
    Table(97, "call status", CALL_STATUS, "what became of the last calls", (91,), there=has_modem),
)
