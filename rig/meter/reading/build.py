"""A reading, made at once of a meter's state and what it is programmed as; of a live meter or of what a store holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rig.meter.billing.recorder import RecorderSettings, RecorderState
from rig.meter.billing.registers import Registers
from rig.meter.billing.state import BillingState, TestState
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.pulses import PulseOutput
from rig.meter.installation.diagnostics import Diagnostic, DiagnosticsState
from rig.meter.installation.service_detection import FoundService, UnknownService
from rig.meter.measuring.measurement import Fault
from rig.meter.reading.meter_reading import (
    DiagnosticReading,
    InstallationReading,
    MeterReading,
    PulseReading,
    RecorderReading,
    TestModeReading,
)


def reading_of_state(
    state: BillingState,
    registers: Registers,
    test: Registers | None,
    recorder: RecorderSettings | None,
    outputs: Iterable[PulseOutput],
    installation: InstallationReading,
    interval_ends_ns: int | None = None,
    faults: Sequence[Fault] = (),
) -> MeterReading:
    """Build the reading of a billing state that is settled.

    `registers` and `test` hold the state's own; `interval_ends_ns` is of billing's interval or of test mode's.
    """
    demand = registers.demand
    return MeterReading(
        utc_ns=state.now_ns,
        registers=registers.reading(),
        demand=None if demand is None else demand.settings,
        rate=Rate(state.calendar_rate if state.forced_rate is None else state.forced_rate),
        rate_forced=state.forced_rate is not None,
        season=state.season,
        resets=state.resets,
        last_reset_ns=state.last_reset_ns,
        interval_ends_ns=None if state.test is not None else interval_ends_ns,
        next_self_read_ns=state.self_read_ns,
        inputs=tuple(state.inputs),
        test=None if state.test is None or test is None else _test_mode(state.test, test),
        recorder=None if state.recorder is None or recorder is None else _recorder(state.recorder, recorder),
        closed_season=state.closed_season,
        outputs=tuple(map(_output, outputs)),
        installation=installation,
        faults=tuple(faults),
    )


def installation_reading(
    state: DiagnosticsState, service: FoundService | UnknownService | None = None
) -> InstallationReading:
    """Build the reading of what a meter finds of its installation."""
    return InstallationReading(
        service,
        tuple(
            [
                DiagnosticReading(diagnostic, each.on, each.phases, each.count)
                for diagnostic, each in zip(Diagnostic, state.each, strict=True)
            ]
        ),
    )


def _test_mode(state: TestState, registers: Registers) -> TestModeReading:
    demand = registers.demand
    return TestModeReading(
        registers=registers.reading(),
        demand=None if demand is None else demand.settings,
        began_ns=state.began_ns,
        ends_ns=state.ends_ns,
        interval_ends_ns=state.interval_ends_ns,
    )


def _recorder(state: RecorderState, settings: RecorderSettings) -> RecorderReading:
    return RecorderReading(
        settings, state.began_ns, state.written, state.overflows, tuple(state.counted), tuple(state.carried)
    )


def _output(output: PulseOutput) -> PulseReading:
    return PulseReading(output.id, output.quantity, output.constant_wh, output.count, output.carried_nwh)
