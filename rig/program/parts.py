"""The parts of a meter that its program makes: outputs, and what it looks for in its installation."""

from __future__ import annotations

from rig.meter.contacts.functions import LevelOutput, PulsesOutput
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import PulseOutput, PulseState, kyz_output, led_output
from rig.meter.installation.installation import Installation, InstallationState
from rig.program.build import Program


def outputs_of(program: Program, states: dict[OutputId, PulseState]) -> list[PulseOutput]:
    """The test LED, and the outputs that pulse, from where they were."""
    ks = program.ks.wh
    return [
        led_output(ks, states.get(OutputId.TEST_LED)),
        *(
            kyz_output(output.id, output.quantity, output.kp_wh, ks, states.get(output.id))
            for output in program.outputs
            if isinstance(output, PulsesOutput)
        ),
    ]


def levels_of(program: Program) -> list[LevelOutput]:
    """The outputs that do not pulse."""
    return [output for output in program.outputs if isinstance(output, LevelOutput)]


def installation_of(program: Program, state: InstallationState | None = None) -> Installation:
    """Make the meter's installation; it follows the service detected where the program names none."""
    metering = program.metering
    return Installation(
        metering.form, metering.current_class, metering.equation, follow=metering.service is None, state=state
    )
