"""Reports of the commands as data: the same figures a person sees and `--json` prints (schema: docs/json.md)."""

from __future__ import annotations

import msgspec

from rig.meter.billing.quantity import Quantity
from rig.results.exact import ExactReading, Rational
from rig.results.provenance import Provenance

REGISTERS = (
    Quantity.KWH_DELIVERED,
    Quantity.KWH_RECEIVED,
    Quantity.KWH_NET,
    Quantity.KVARH_LAGGING,
    Quantity.KVARH_LEADING,
    Quantity.KVARH_NET,
    Quantity.KVAH_RMS,
    Quantity.KVAH_TD,
)
"""In the order of Registers."""


class Phase(msgspec.Struct, frozen=True):
    """One phase. Angles and vars are positive lagging; null is what this gateware or this voltage does not give."""

    v_rms: float
    i_rms: float
    p_w: float
    q_var: float | None
    p1_w: float | None
    q1_var: float | None
    s_va: float
    pf: float | None
    angle_deg: float | None
    i_angle_deg: float | None
    tdr_v_pct: float | None
    tdr_i_pct: float | None


class EnergyWh(msgspec.Struct, frozen=True):
    delivered: float
    received: float


class EnergyRegisters(msgspec.Struct, frozen=True):
    """The meter's energy registers, of all its runs if it is kept in a store."""

    kwh_delivered: float
    kwh_received: float
    kwh_net: float
    kvarh_lagging: float
    kvarh_leading: float
    kvarh_net: float
    kvah_rms: float
    kvah_td: float


class DemandSummary(msgspec.Struct, frozen=True):
    """One demand quantity in kW, kvar or kVA, in total. `maximum_time` is local, None before there is a maximum."""

    quantity: str
    present: float
    previous: float
    maximum: float
    maximum_time: str | None
    cumulative: float


class OutputState(msgspec.Struct, frozen=True):
    """One form-C output: what it does, which contact is closed now, and of one that pulses its transitions and Kp."""

    name: str
    does: str
    position: str
    transitions: int | None
    kp_wh: float | None


class Constants(msgspec.Struct, frozen=True):
    """Wh per pulse at the meter, and what meter values are multiplied by to be the values given, exactly too."""

    ks_wh: float
    kp1_wh: float
    multiplier: float
    multiplier_exact: Rational


class Summary(msgspec.Struct, frozen=True):
    """Everything a run came to. `pulses` are those that left the test LED and each output that pulses: times constant
    and multiplier they are the energy, to within one. `exact` is all that the meter has registered, of which registers
    and demand are renderings; no multiplier is in it.
    """

    provenance: Provenance
    simulated: bool
    calibrated: bool
    fidelity: str
    form: str
    seconds: float
    bits: int
    samples: int
    records: int
    frequency_hz: float | None
    phases: dict[str, Phase]
    neutral_a: float | None
    energy_wh: EnergyWh
    registers: EnergyRegisters
    demand: list[DemandSummary]
    rate: str
    service: str | None
    diagnostics: list[str]
    stored: bool
    pulses: dict[str, int]
    outputs: list[OutputState]
    constants: Constants
    exact: ExactReading
    overload: bool
    overload_channels: list[str]
    dead_channels: list[str]
    crc_errors: int
    late_edges: int
    held_edges: int
    waiting_edges: int
    timed_windows: int
    faults: dict[str, int]
    merged_windows: int
    trouble: str | None
    link_fault: str | None
    clock_fault: str | None
    lost_input_edges: int
    input_pulses_in_doubt: int
    program: str
    calibration: str
    build: str
