"""Accumulator of a run of the service, window by window."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from gateware.record_words import RecordFlag
from gateware.registers import CHANNELS, Channel
from rig.meter.billing.quantity import Quantity
from rig.meter.contacts.functions import Output, PulsesOutput
from rig.meter.contacts.outputs import OutputId
from rig.meter.measuring.elements import PHASES
from rig.meter.measuring.quantities import Readings, Sums
from rig.meter.meter import WindowResult
from rig.meter.reading.figures import AT_THE_METER, units
from rig.results.exact_encoding import exact_reading
from rig.results.registered import demand_summaries, energy_registers
from rig.results.summary import Constants, EnergyWh, OutputState, Phase, Summary
from rig.service.service import Service


class RunAccumulator:
    """Adds up the windows of a run, phase by phase, whatever the meter's form.

    `vt_ratio` and `ct_ratio` multiply meter values back to primary ones.
    """

    def __init__(self, service: Service, vt_ratio: Fraction = AT_THE_METER, ct_ratio: Fraction = AT_THE_METER) -> None:
        self._service = service
        self._vt, self._ct = float(vt_ratio), float(ct_ratio)
        self._ratio = vt_ratio * ct_ratio
        self._run = self._recent = Sums()
        self._bits = self._records = self._overload = self._dead = self._timed = 0

    def add(self, result: WindowResult) -> None:
        record, sums = result.window.record, result.window.sums
        self._run += sums
        self._recent += sums
        self._bits += record.ticks
        self._records += 1
        self._overload |= record.overload
        self._dead |= record.dead
        self._timed += RecordFlag.END_TIMED in record.flags

    def recent(self) -> dict[str, Phase]:
        """The phases averaged since the last call."""
        recent, self._recent = self._recent, Sums()
        return self._phases(self._readings(recent), PHASES)

    def summary(self, phases: str = PHASES) -> Summary:
        """The run so far, with the phases asked for."""
        service, measurement = self._service, self._service.measurement
        link, ratio = service.hardware.link, self._ratio
        reading = service.meter.reading()
        readings = self._readings(self._run)
        kyz1 = service.meter.outputs.get(OutputId.KYZ1)
        installation = reading.installation

        return Summary(
            provenance=service.provenance,
            simulated=service.hardware.simulated,
            calibrated=service.hardware.calibration.calibrated,
            fidelity=service.hardware.fidelity,
            form=service.program.metering.form.name,
            seconds=readings.seconds if readings else 0.0,
            bits=self._bits,
            samples=self._run.samples,
            records=self._records,
            frequency_hz=measurement.frequency_hz,
            phases=self._phases(readings, phases),
            neutral_a=readings.neutral_a * self._ct if readings else None,
            energy_wh=EnergyWh(
                units(service.energy_of_run(Quantity.KWH_DELIVERED), ratio),
                units(service.energy_of_run(Quantity.KWH_RECEIVED), ratio),
            ),
            registers=energy_registers(reading.registers, ratio),
            demand=demand_summaries(reading, service.program.billing.calendar, ratio),
            rate=reading.rate.name,
            service=installation.service.text if installation.service else None,
            diagnostics=[f"{diagnostic.label} {phases}" for diagnostic, phases in installation.active.items()],
            stored=service.stored,
            pulses={OutputId.TEST_LED.value: service.outputs.led.flashes}
            | {
                id.value: service.outputs.relays[id].transitions
                for id in service.meter.outputs
                if id is not OutputId.TEST_LED
            },
            outputs=[_contact(service, output) for output in service.program.outputs],
            constants=Constants(
                float(service.program.ks.wh), float(kyz1.constant_wh) if kyz1 else 0.0, float(ratio), str(ratio)
            ),
            exact=exact_reading(reading),
            overload=bool(self._overload),
            overload_channels=_names(self._overload),
            dead_channels=_names(self._dead),
            crc_errors=link.counts.crc_errors + link.counts.request_errors + link.counts.bus_errors,
            late_edges=service.outputs.schedule.late,
            held_edges=service.outputs.held,
            waiting_edges=service.outputs.waiting,
            timed_windows=self._timed,
            faults={fault.label: count for fault, count in measurement.faults.items()},
            merged_windows=measurement.merged_windows,
            trouble=service.trouble,
            link_fault=service.link_fault,
            clock_fault=service.host_time.doubt,
            lost_input_edges=service.contacts.inputs.lost_edges,
            input_pulses_in_doubt=service.contacts.inputs.in_doubt,
            program=service.program.digest,
            calibration=service.hardware.calibration.digest,
            build=f"{link.identity.build:08x}",
        )

    def _readings(self, sums: Sums) -> Readings | None:
        return self._service.measurement.phases(sums) if sums.samples else None

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
                    tdr_v_pct=_item(readings.tdr, Channel.V1 + k, 100),
                    tdr_i_pct=_item(readings.tdr, Channel.I1 + k, 100),
                )
        return found


def _contact(service: Service, output: Output) -> OutputState:
    relay = service.outputs.relays[output.id]
    return OutputState(
        name=output.id.label,
        does=output.quantity.value if isinstance(output, PulsesOutput) else output.text(service.program.ratings),
        position=relay.position.value,
        transitions=relay.transitions if isinstance(output, PulsesOutput) else None,
        kp_wh=float(output.kp_wh) if isinstance(output, PulsesOutput) else None,
    )


def _item(values: Sequence[float | None] | None, k: int, scale: float = 1.0) -> float | None:
    value = None if values is None else values[k]
    return None if value is None else value * scale


def _names(mask: int) -> list[str]:
    return [Channel(c).name.lower() for c in range(CHANNELS) if mask >> c & 1]
