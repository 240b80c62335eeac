"""What the commands report, as data: the same figures a person sees and `--json` prints (schema: docs/json.md)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateware.registers import CHANNELS, Channel, RecordFlag
from rig.meter.meter import WindowResult
from rig.meter.quantities import Readings, RunTotals, Scaling
from rig.service import Service

PHASES = "abc"
REGISTER_DECIMALS = 12


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
    thd_v_pct: float | None
    thd_i_pct: float | None


class EnergyWh(msgspec.Struct, frozen=True):
    delivered: float
    received: float


class Registers(msgspec.Struct, frozen=True):
    """As the meter registered them, cut off after twelve decimals of a meter-side kWh."""

    kwh_delivered: float
    kwh_received: float


class Pulses(msgspec.Struct, frozen=True):
    """Pulses that left the outputs. Pulses × constant × multiplier is the energy, to within one pulse."""

    test_led: int
    kyz1: int


class Constants(msgspec.Struct, frozen=True):
    """Wh per pulse at the meter, and what meter values are multiplied by to be the values given."""

    ks_wh: float
    kp1_wh: float
    multiplier: float


class Summary(msgspec.Struct, frozen=True):
    """Everything a run came to."""

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
    registers: Registers
    pulses: Pulses
    constants: Constants
    overload: bool
    overload_channels: list[str]
    dead_channels: list[str]
    crc_errors: int
    late_edges: int
    held_edges: int
    waiting_edges: int
    timed_windows: int
    faults: dict[str, int]
    calibration: str
    build: str


class Tally:
    """Adds up the windows of a run, phase by phase, whatever the meter's form.

    `vt_ratio` and `ct_ratio` multiply meter values back to primary ones.
    """

    def __init__(self, service: Service, vt_ratio: float = 1.0, ct_ratio: float = 1.0) -> None:
        self._service = service
        self._vt, self._ct = vt_ratio, ct_ratio
        link = service.hardware.link.identity
        self._scaling = Scaling.by_phase(service.hardware.calibration, link.tick_hz / link.ticks_per_sample)
        self._run = RunTotals(self._scaling)
        self._recent = RunTotals(self._scaling)
        self._bits = self._records = self._overload = self._dead = self._timed = 0

    def add(self, result: WindowResult) -> None:
        record = result.record
        self._run.add(result.sums)
        self._recent.add(result.sums)
        self._bits += record.ticks
        self._records += 1
        self._overload |= record.overload
        self._dead |= record.dead
        self._timed += RecordFlag.END_TIMED in record.flags

    def recent(self) -> dict[str, Phase]:
        """The phases averaged since the last call."""
        phases = self._phases(self._recent.readings(), PHASES)
        self._recent = RunTotals(self._scaling)
        return phases

    def summary(self, phases: str = PHASES) -> Summary:
        """The run so far, with the phases asked for."""
        service, meter = self._service, self._service.meter
        registers, link = meter.registers, service.hardware.link
        ratio = self._vt * self._ct
        readings = self._run.readings()

        def kwh(units: int) -> float:
            return float(registers.reading_kwh(units, REGISTER_DECIMALS)) * ratio

        return Summary(
            simulated=service.hardware.simulated,
            calibrated=service.hardware.calibration.calibrated,
            fidelity=service.hardware.fidelity,
            form=service.form.name,
            seconds=readings.seconds if readings else 0.0,
            bits=self._bits,
            samples=self._run.sums.samples,
            records=self._records,
            frequency_hz=meter.frequency_hz,
            phases=self._phases(readings, phases),
            neutral_a=readings.neutral_a * self._ct if readings else None,
            energy_wh=EnergyWh(
                float(registers.wh(registers.delivered)) * ratio, float(registers.wh(registers.received)) * ratio
            ),
            registers=Registers(kwh(registers.delivered), kwh(registers.received)),
            pulses=Pulses(service.led.flashes, service.kyz1.transitions),
            constants=Constants(float(service.ks_wh), float(service.kp1_wh), ratio),
            overload=bool(self._overload),
            overload_channels=_names(self._overload),
            dead_channels=_names(self._dead),
            crc_errors=link.counts.crc_errors + link.counts.request_errors,
            late_edges=service.late_edges,
            held_edges=service.held_edges,
            waiting_edges=service.waiting_edges,
            timed_windows=self._timed,
            faults={fault.name.lower(): count for fault, count in meter.faults.items()},
            calibration=service.hardware.calibration.digest,
            build=f"{link.identity.build:08x}",
        )

    def _phases(self, readings: Readings | None, phases: str) -> dict[str, Phase]:
        if readings is None:
            return {}
        watts = self._vt * self._ct
        found = {}
        for k, phase in enumerate(PHASES):
            if phase in phases:
                v, i = readings.v_rms[k] * self._vt, readings.i_rms[k] * self._ct
                p, s = readings.p_w[k] * watts, v * i
                found[phase] = Phase(
                    v_rms=v,
                    i_rms=i,
                    p_w=p,
                    q_var=_item(readings.q_var, k, watts),
                    p1_w=_item(readings.p1_w, k, watts),
                    q1_var=_item(readings.q1_var, k, watts),
                    s_va=s,
                    pf=p / s if s else None,
                    angle_deg=_item(readings.lag_deg, Channel.V1 + k),
                    i_angle_deg=_item(readings.lag_deg, Channel.I1 + k),
                    thd_v_pct=_item(readings.thd, Channel.V1 + k, 100),
                    thd_i_pct=_item(readings.thd, Channel.I1 + k, 100),
                )
        return found


def _item(values: Sequence[float | None] | None, k: int, scale: float = 1.0) -> float | None:
    value = None if values is None else values[k]
    return None if value is None else value * scale


def _names(mask: int) -> list[str]:
    return [Channel(c).name.lower() for c in range(CHANNELS) if mask >> c & 1]
