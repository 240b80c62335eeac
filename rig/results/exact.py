"""A reading as `--json` and messages between processes have it: exact, units in the names of its keys (docs/json.md).

Integers are integers where 64 bits with a sign hold them, as msgpack and most readers of JSON want, else text of their
digits: 2^63 nWh are 9.2 · 10^9 kWh, which the largest meter takes twenty centuries to register. Rationals are text,
such as "9/5". It is made by exact_encoding.py, and made a reading again by exact_decoding.py.
"""

from __future__ import annotations

import msgspec

Whole = int | str
"""An integer; text where 64 bits with a sign do not hold it."""

Rational = str
"""Such as "9/5"."""


class ExactQuadrant(msgspec.Struct, frozen=True):
    nwh: Whole
    nvarh: Whole
    nvah_rms: Whole
    nvah_td: Whole


class ExactEnergy(msgspec.Struct, frozen=True):
    q1: ExactQuadrant
    q2: ExactQuadrant
    q3: ExactQuadrant
    q4: ExactQuadrant


class ExactMaximum(msgspec.Struct, frozen=True):
    value_nw: Whole
    at_utc_ns: Whole | None
    coincident_nw: list[Whole]


class ExactDemandBin(msgspec.Struct, frozen=True):
    present_nw: Whole
    previous_nw: Whole
    maximum: ExactMaximum
    cumulative_nw: Whole
    continuous_cumulative_nw: Whole


class ExactDemand(msgspec.Struct, frozen=True):
    quantity: str
    total: ExactDemandBin
    rates: dict[str, ExactDemandBin]


class ExactRegisters(msgspec.Struct, frozen=True):
    energy: ExactEnergy
    energy_rates: dict[str, ExactEnergy]
    demand: list[ExactDemand]
    peaks: list[ExactMaximum]


class ExactAveraging(msgspec.Struct, frozen=True):
    method: str
    subinterval_s: int
    subintervals: int


class ExactTestMode(msgspec.Struct, frozen=True):
    began_utc_ns: Whole
    ends_utc_ns: Whole
    interval_ends_utc_ns: Whole | None
    averaging: ExactAveraging | None
    registers: ExactRegisters


class ExactSeason(msgspec.Struct, frozen=True):
    utc_ns: Whole
    cause: str
    season: int
    resets: Whole
    input_pulses: list[Whole]
    registers: ExactRegisters


class ExactChannel(msgspec.Struct, frozen=True):
    metric: str
    pulse: Rational
    written_pulses: Whole
    carried_pulses: Rational


class ExactRecorder(msgspec.Struct, frozen=True):
    interval_min: int
    memory_bytes: int
    began_utc_ns: Whole
    words: Whole
    overflows: Whole
    channels: list[ExactChannel]


class ExactOutput(msgspec.Struct, frozen=True):
    name: str
    quantity: str
    constant_wh: Rational
    pulses: Whole
    carried_nwh: Rational


class ExactService(msgspec.Struct, frozen=True):
    text: str
    type: str | None
    volts: int | None
    rotation: str | None
    reason: str | None


class ExactDiagnostic(msgspec.Struct, frozen=True):
    diagnostic: str
    on: bool
    phases: str
    count: int


class ExactReading(msgspec.Struct, frozen=True):
    """Everything a meter has registered (rig/meter/reading/meter_reading.py)."""

    utc_ns: Whole
    registers: ExactRegisters
    averaging: ExactAveraging | None
    rate: str
    rate_forced: bool
    season: int
    resets: Whole
    last_reset_utc_ns: Whole | None
    interval_ends_utc_ns: Whole | None
    next_self_read_utc_ns: Whole | None
    input_pulses: list[Whole]
    test_mode: ExactTestMode | None
    recorder: ExactRecorder | None
    closed_season: ExactSeason | None
    outputs: list[ExactOutput]
    service: ExactService | None
    diagnostics: list[ExactDiagnostic]
    faults: list[str]
