"""The keys of a program file, as Structs: what each may be, what it is when left out, what it means.

docs/program.md, `rig program schema` and the JSON Schema are made from what stands here. What depends on more than
one key, on the model or on the form is looked at where settings are made of it (rig/program/build.py). Requirements
M-1 to M-5, Q-2 to Q-5, T-1 to T-4, D-2, D-5, P-1 to P-5, S-1, S-2.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

MOST_ITEMS = 64
"""In a display sequence (D-2)."""

RATIO = 'a ratio above 0 and at most 10000 in quotes, such as "60" or "69000/115"'
STEP_DOWN = 'a ratio from 1 to 10000 in quotes, such as "600/480"'
NUMBER = 'a number in quotes, such as "1.8" or "3/20"'

_PRINTED = r"^ *[^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$(?!\n)"
"""No blank alone, and nothing that moves a terminal's cursor. `$` alone would let a newline end it, here and below."""


def _key(meaning: str, *, rule: str = "", default: str = "", secret: bool = False, **limits: Any) -> msgspec.Meta:
    """Describe a key; `rule`: what it may be, where its type does not say it; `default`: in words; `secret`: no
    message shows its value."""
    return msgspec.Meta(description=meaning, extra={"rule": rule, "default": default, "secret": secret}, **limits)


class _Table(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A table of the file: an unknown key is an error."""


# --- the meter ------------------------------------------------------------------------------------------------


class MeterTable(_Table, frozen=True):
    """Type, form and ratings: what the nameplate says (M-1 to M-5)."""

    model: Annotated[str, _key("AXLS4, AXS4, AXRS4, RXS4 or RXRS4, or one of their “e” variants")] = "RXRS4e"
    form: Annotated[str, _key("meter form, such as 9S")] = "9S"
    current_class: Annotated[Literal[10, 20, 200, 320], _key("amperes; sets the current range and Ks")] = 20
    service: Annotated[str, _key("`auto`: detected; or one of the form's services, such as `4-wire wye`")] = "auto"
    serial: Annotated[str, _key("serial number on the nameplate", rule="1 to 20 ASCII characters in quotes",
                                pattern=r"^[\x20-\x7e]{1,20}$(?!\n)")] = "00 000 000"  # fmt: skip
    vt_ratio: Annotated[str, _key("ratio of the voltage transformers: multiplies what is read", rule=RATIO)] = "1"
    ct_ratio: Annotated[str, _key("ratio of the current transformers: multiplies what is read", rule=RATIO)] = "1"
    autotransformer: Annotated[
        str, _key("ratio of the autotransformer for 347–600 V: multiplies what is read", rule=STEP_DOWN)
    ] = "1"
    firmware: (
        Annotated[str, _key('firmware version of the notice that is emulated, such as "7.18"', default="the rig's own: "
                            "all that any version can")] | None
    ) = None  # fmt: skip
    module: (
        Annotated[str, _key('communication module that is fitted, such as "TS2"', default="none")] | None
    ) = None  # fmt: skip
    ks_wh: (
        Annotated[
            str, _key("Wh a flash of the test LED", rule=NUMBER, default="240 V · TA · n / 1000 by form and class")
        ]
        | None
    ) = None
    net_var: Annotated[
        Literal["lagging - leading", "delivered - received"], _key("what `kvarh net` and `kvar net` are")
    ] = "lagging - leading"
    apparent: Annotated[Literal["td", "rms"], _key("which VA the plain names `kVAh` and `kVA` mean")] = "td"
    relay_board: Annotated[bool, _key("the relay board is fitted, an option: outputs KYZ1 to 4, inputs IN1, 2")] = True


class ClockTable(_Table, frozen=True):
    """The local time of tariff, display and recorder: a zone, or an offset with rules for daylight saving (T-1)."""

    zone: Annotated[str, _key("zone by its IANA name, such as `America/Toronto`", default="UTC")] | None = None
    standard_offset: Annotated[
        str, _key('in place of `zone`: standard time from UTC, such as "-05:00"', rule='an offset such as "-05:00"',
                  default="none", pattern=r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$(?!\n)")
    ] | None = None  # fmt: skip
    dst_begin: (
        Annotated[str, _key('daylight saving begins, standard time: "second Sunday of March 02:00"', default="never")]
        | None
    ) = None
    dst_end: (
        Annotated[str, _key('daylight saving ends, daylight time: "first Sunday of November 02:00"', default="never")]
        | None
    ) = None


# --- demand ---------------------------------------------------------------------------------------------------

Method = Literal["block", "sliding", "thermal"]
_Minutes = Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]


class DemandTable(_Table, frozen=True):
    """Averaging of demand, and its quantities (Q-4, Q-5)."""

    method: Annotated[Method, _key("block interval, sliding window, or exponential with 90 % in one interval")] = (
        "block"
    )
    interval_minutes: Annotated[_Minutes, _key("demand interval; from 15 on, see `allow_short_interval`")] = 15
    subinterval_minutes: (
        Annotated[
            _Minutes,
            _key("`sliding` only: the window moves on so far; the interval is a multiple of it", default="none"),
        ]
        | None
    ) = None
    quantities: Annotated[
        tuple[str, ...],
        _key("one to three, such as `kW delivered`; the first is the billing metric, the others are kM and kM3",
             min_length=1, max_length=3),
    ] = ("kW delivered",)  # fmt: skip
    reset_lockout_seconds: Annotated[
        int, _key("after a reset at the switch, further ones there are refused for so long", ge=0, le=3600)
    ] = 60
    season_change_resets: Annotated[bool, _key("a change of season resets demand")] = True
    allow_short_interval: Annotated[bool, _key("let `interval_minutes` be less than 15 (S-E-06, 5.15.3)")] = False


class TestModeTable(_Table, frozen=True):
    """Test mode: when it leaves by itself, and its own demand, which may be shorter (D-5)."""

    __test__ = False  # no test class, whatever its name

    minutes: Annotated[int, _key("test mode ends by itself after so long", ge=1, le=255)] = 30
    method: Annotated[Method, _key("of demand in test mode", default="that of [demand]")] | None = None
    interval_minutes: Annotated[_Minutes, _key("in test mode", default="that of [demand]")] | None = None
    subinterval_minutes: (
        Annotated[_Minutes, _key("in test mode, `sliding` only", default="that of [demand]")] | None
    ) = None
    pulse_kwh: (
        Annotated[
            str, _key("energy that the test LED follows while `pulse kWh` is displayed", default="`kWh either way`")
        ]
        | None
    ) = None
    pulse_km3h: (
        Annotated[
            str,
            _key("energy that it follows while `pulse kM3H` is displayed", default="the third of demand.quantities"),
        ]
        | None
    ) = None


# --- time of use ----------------------------------------------------------------------------------------------

_Switches = tuple[str, ...]
_SWITCHES = 'times and rates in order, the first at midnight, such as ["00:00 C", "07:00 A"]'


class SeasonTable(_Table, frozen=True):
    """A season and its days. A kind of day that is left out takes the switches of the one above it."""

    name: Annotated[
        str,
        _key("name of the season", rule="text of 1 to 20 characters in quotes", max_length=20, pattern=_PRINTED),
    ]
    begins: Annotated[
        str, _key('a date of each year: "05-01", "first Sunday of November"; it lasts until the next begins')
    ]
    weekday: Annotated[_Switches, _key("Monday to Friday: local times at which a rate A to D begins", rule=_SWITCHES)]
    saturday: Annotated[_Switches, _key("Saturdays", rule=_SWITCHES, default="as `weekday`")] | None = None
    sunday: Annotated[_Switches, _key("Sundays", rule=_SWITCHES, default="as `saturday`")] | None = None
    holiday: Annotated[_Switches, _key("holidays", rule=_SWITCHES, default="as `sunday`")] | None = None


class HolidayTable(_Table, frozen=True):
    """A holiday: its date, and where it is kept when that falls on a weekend."""

    name: Annotated[
        str,
        _key("name of the holiday", rule="text of 1 to 30 characters in quotes", max_length=30, pattern=_PRINTED),
    ]
    date: Annotated[
        str, _key('"07-01", "first Monday of September", "Monday before May 25", "Good Friday", or once: "2026-09-30"')
    ]
    observed: Annotated[
        Literal["none", "nearest weekday", "next Monday"], _key("another day for it when its date is on a weekend")
    ] = "none"


class TimeOfUseTable(_Table, frozen=True):
    """Seasons, days and rates (T-1). Without it everything registers in rate A."""

    seasons: Annotated[tuple[SeasonTable, ...], _key("one to four seasons", min_length=1, max_length=4)]
    holidays: Annotated[tuple[HolidayTable, ...], _key("the holidays", max_length=40)] = ()


# --- recorder and self-reads ----------------------------------------------------------------------------------


class ChannelTable(_Table, frozen=True):
    """A channel of the recorder."""

    metric: Annotated[str, _key("what it records: see below")]
    pulse: Annotated[str, _key("Wh, varh, VAh, V²h or A²h a count; of an input, pulses a count", rule=NUMBER)]


class RecorderTable(_Table, frozen=True):
    """The load profile recorder (T-4)."""

    channels: Annotated[tuple[ChannelTable, ...], _key("one to fifteen", min_length=1, max_length=15)]
    interval_minutes: Annotated[Literal[1, 5, 15, 30, 60], _key("length of an interval")] = 15
    memory_kb: Annotated[Literal[32, 128], _key("memory; the oldest day goes when it is full")] = 32


class SelfReadTable(_Table, frozen=True):
    """Self-reads of the meter (T-3)."""

    schedule: Annotated[
        Literal["never", "daily", "monthly", "hours"], _key("at midnight, at one day's midnight, or every few hours")
    ] = "never"
    day: Annotated[int, _key("`monthly` only: the day that begins with it", ge=1, le=28, default="1")] | None = None
    hours: (
        Annotated[
            Literal[1, 2, 3, 4, 6, 8, 12, 24], _key("`hours` only: how far apart, from midnight on", default="24")
        ]
        | None
    ) = None
    resets_demand: Annotated[bool, _key("each self-read is a demand reset too")] = False


# --- display --------------------------------------------------------------------------------------------------


class ItemTable(_Table, frozen=True):
    """An item with digits or an id of its own: `{ item = "kWh delivered", digits = 6 }` in place of its name."""

    item: Annotated[str, _key("name of the item")]
    digits: Annotated[int, _key("digits of its register", ge=4, le=9, default="that of [display]")] | None = None
    decimals: (
        Annotated[int, _key("how many of them come after the point", ge=0, le=4, default="that of [display]")] | None
    ) = None
    id: (
        Annotated[
            str,
            _key(
                "what stands beside it",
                rule='1 to 3 characters in quotes, without blanks, such as "A1"',
                default="its place, from 01 on",
                pattern=r"^[\x21-\x7e]{1,3}$(?!\n)",
            ),
        ]
        | None
    ) = None


_Sequence = tuple[str | ItemTable, ...]


class DisplayTable(_Table, frozen=True):
    """Items on the display, in order (D-2, D-3, D-5)."""

    scroll_seconds: Annotated[
        int,
        _key(
            "autoscroll: how long an item stands; 0: until SCROLL is pressed",
            rule="0, or 6 to 60",
            ge=0,
            le=60,
        ),
    ] = 0
    normal: (
        Annotated[
            _Sequence,
            _key("items of the normal sequence, 1 to 64", default="see below", min_length=1, max_length=MOST_ITEMS),
        ]
        | None
    ) = None
    alternate: (
        Annotated[
            _Sequence, _key("of the alternate sequence", default="see below", min_length=1, max_length=MOST_ITEMS)
        ]
        | None
    ) = None
    test: (
        Annotated[_Sequence, _key("of test mode", default="see below", min_length=1, max_length=MOST_ITEMS)] | None
    ) = None
    energy_digits: Annotated[int, _key("digits of energy registers", ge=4, le=9)] = 5
    energy_decimals: Annotated[int, _key("how many of them come after the point", ge=0, le=4)] = 0
    demand_digits: Annotated[int, _key("digits of demand registers", ge=4, le=9)] = 5
    demand_decimals: Annotated[int, _key("how many of them come after the point", ge=0, le=4)] = 2


# --- contacts -------------------------------------------------------------------------------------------------

_OutputName = Annotated[Literal["KYZ1", "KYZ2", "KYZ3", "KYZ4"], _key("which output; each once")]


class PulsesTable(_Table, frozen=True, tag_field="function", tag="pulses"):
    """A transition for every Kp of a quantity (P-2)."""

    name: _OutputName
    quantity: Annotated[
        Literal[
            "kWh delivered", "kWh received", "kvarh lagging", "kvarh leading",
            "kVAh td lagging", "kVAh td leading", "kVAh rms",
        ],
        _key("what it follows"),
    ] = "kWh delivered"  # fmt: skip
    kp_wh: (
        Annotated[
            str,
            _key("Kp, Wh (varh, VAh) a transition: at least Ks/12, or 0 to disable it", rule=NUMBER, default="Ks/12"),
        ]
        | None
    ) = None


class EndOfIntervalTable(_Table, frozen=True, tag_field="function", tag="eoi"):
    """Closes K–Y at every end of interval, on entering and leaving test mode, and on a demand reset (P-4)."""

    name: _OutputName
    closed_seconds: Annotated[int, _key("how long it stays closed", ge=1, le=30)] = 5


class LoadControlTable(_Table, frozen=True, tag_field="function", tag="load control"):
    """Closes K–Y while one of the rates is in force; not in test mode (P-3, D-5)."""

    name: _OutputName
    rates: Annotated[
        tuple[Literal["A", "B", "C", "D"], ...], _key("rates in which it is closed", min_length=1, max_length=4)
    ]


class DemandThresholdTable(_Table, frozen=True, tag_field="function", tag="demand threshold"):
    """Closes K–Y while the present demand is above a level (P-3)."""

    name: _OutputName
    above: Annotated[str, _key("level in kW, kvar or kVA", rule=NUMBER)]
    quantity: Annotated[str, _key("one of the program's demand quantities", default="the billing metric")] | None = None


class PowerFactorThresholdTable(_Table, frozen=True, tag_field="function", tag="pf threshold"):
    """Closes K–Y while the power factor is below a level (P-3)."""

    name: _OutputName
    below: Annotated[str, _key("level, from 0 to 1", rule='a number from 0 to 1 in quotes, such as "0.9"')]


class VoltageThresholdTable(_Table, frozen=True, tag_field="function", tag="voltage threshold"):
    """Closes K–Y while a phase is below or above a level (P-3)."""

    name: _OutputName
    below_v: (
        Annotated[str, _key("level of sag, volts at the meter", rule='volts in quotes, such as "108"', default="none")]
        | None
    ) = None
    above_v: (
        Annotated[
            str, _key("level of swell, volts at the meter", rule='volts in quotes, such as "132"', default="none")
        ]
        | None
    ) = None


class DiagnosticTable(_Table, frozen=True, tag_field="function", tag="diagnostic"):
    """Closes K–Y while something is wrong with the installation (P-3)."""

    name: _OutputName
    diagnostics: Annotated[tuple[str, ...], _key("which, see below", default="all", min_length=1)] | None = None


OutputTable = (
    PulsesTable
    | EndOfIntervalTable
    | LoadControlTable
    | DemandThresholdTable
    | PowerFactorThresholdTable
    | VoltageThresholdTable
    | DiagnosticTable
)

CONTACT_VOLTS = 'volts above 0 in quotes, such as "3.3"'
_Volts = Annotated[
    str, _key("voltage of the contact's circuit, as marked on the meter; the rig's own is 3.3 V", rule=CONTACT_VOLTS)
]
_InputName = Annotated[Literal["IN1", "IN2"], _key("which input; each once")]


class RecordInputTable(_Table, frozen=True, tag_field="function", tag="record"):
    """Counts pulses, for the display and for a channel of the recorder (P-5)."""

    name: _InputName
    weight: Annotated[str, _key("what a pulse stands for, in the unit of the other meter", rule=NUMBER)] = "1"
    volts: _Volts = "3.3"


class ForceRateTable(_Table, frozen=True, tag_field="function", tag="force rate"):
    """While it is closed, everything registers in one rate (T-2); of two, in that of the one that closed last."""

    name: _InputName
    rate: Annotated[Literal["A", "B", "C", "D"], _key("the rate")]
    volts: _Volts = "3.3"


InputTable = RecordInputTable | ForceRateTable


# --- security and the whole -----------------------------------------------------------------------------------


def _password(guards: str) -> msgspec.Meta:
    rule = 'up to six hexadecimal digits in quotes, such as "00A5F1"'
    return _key(guards, rule=rule, secret=True, pattern=r"^[0-9A-Fa-f]{1,6}$(?!\n)")


class SecurityTable(_Table, frozen=True):
    """Seal and keys (S-1, S-2). Level 4 guards service type, master reset, cold start, relays, security, upgrade."""

    seal: Annotated[bool, _key("metrological parameters stay as they are until the seal is broken")] = False
    level_1: Annotated[str, _password("key of level 1: reading over RS-232, RS-485 and modem")] = "000000"
    level_2: Annotated[str, _password("key of level 2: demand reset, self-read, clock, season")] = "000000"
    level_3: Annotated[str, _password("key of level 3: test mode, clearing data, writing a program")] = "000000"
    level_4: Annotated[str, _password("key of level 4: metrology, service, relays, security, upgrade")] = "000000"

    def __repr__(self) -> str:
        """Give the seal; keys are not for showing."""
        return f"SecurityTable(seal={self.seal})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Give rich what __repr__ gives."""
        return [("seal", self.seal)]


class ProgramFile(_Table, frozen=True):
    """A whole program; every table may be left out."""

    meter: MeterTable = MeterTable()
    clock: ClockTable = ClockTable()
    demand: DemandTable | None = None
    test_mode: TestModeTable = TestModeTable()
    tou: TimeOfUseTable | None = None
    recorder: RecorderTable | None = None
    self_read: SelfReadTable = SelfReadTable()
    display: DisplayTable = DisplayTable()
    outputs: Annotated[tuple[OutputTable, ...], _key("one to four", max_length=4)] | None = None
    inputs: Annotated[tuple[InputTable, ...], _key("at most two", max_length=2)] = ()
    security: SecurityTable = SecurityTable()

    @property
    def output_tables(self) -> tuple[OutputTable, ...]:
        """The outputs; where the file says nothing of them, KYZ1 follows kWh delivered if there is a relay board."""
        if self.outputs is None:
            return (PulsesTable(name="KYZ1"),) if self.meter.relay_board else ()
        return self.outputs
