"""Contacts of a meter in service, on the pins that rig.toml names: switches, inputs, outputs and power-fail input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from drivers.pins import keep_levels
from drivers.pulse_inputs import PulseInput
from drivers.switches import RawEdge, Switches
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware, pulse_source
from rig.hardware.memory import power_fail_input
from rig.meter.billing.inputs import InputId
from rig.program.build import Program
from rig.service.input_contacts import InputContacts
from rig.service.outputs import Outputs


class MeterContacts:
    """All of them, opened whole or not at all: raises GpioError for a pin that cannot be had.

    `inputs` and `outputs` are those of the program; outputs are remembered in `folder`, None: nowhere. `on_edge` is
    told of every raw edge of switches and inputs. `before` is of a process that has died: when it had looked last, and
    by name the number of the last edge that it had dealt with, and the level then.
    """

    def __init__(
        self,
        hardware: Hardware,
        config: Config,
        program: Program,
        folder: Path | None,
        on_edge: Callable[[RawEdge], None] | None,
        before: tuple[int, Mapping[str, tuple[int, bool]]] | None,
    ) -> None:
        self._hardware, self._config, self._on_edge = hardware, config, on_edge
        now_ns = hardware.clock.now_ns()
        self._begun_ns, self._dealt = (now_ns, {}) if before is None else before
        self._held = held = ExitStack()
        wired, pins = config.hardware, hardware.pins
        if keep_levels(pins):
            wires = wired.switches | {id.value: pin for id, pin in wired.inputs.items()}
            pins.resume = {wires[name]: number for name, (number, _) in self._dealt.items()}
        try:
            self.inputs = InputContacts(program.inputs, self._open_input)
            held.callback(lambda: self.inputs.close())
            self.power_fail = power_fail_input(config, hardware)
            if self.power_fail is not None:
                held.callback(self.power_fail.close)
            levels = None if before is None else {name: level for name, (_, level) in self._dealt.items()}
            self.switches = Switches(wired.switches, pins, self._begun_ns, on_edge=on_edge, going_on=levels)
            held.callback(self.switches.close)
            self.outputs = Outputs(program.outputs, wired, pins, folder, going_on_ns=None if before is None else now_ns)
            held.callback(self.outputs.close)
        except BaseException:
            self.close()
            raise

    def _open_input(self, id: InputId) -> PulseInput:
        def told(at_ns: int, closed: bool, accepted: bool) -> None:
            if self._on_edge is not None:
                self._on_edge(RawEdge(at_ns, id.value, closed, accepted))

        _, level = self._dealt.get(id.value, (0, None))
        source = pulse_source(self._hardware, self._config, id)
        return PulseInput(source, self._begun_ns, verdict=told, going_on=level)

    def reprogram(self, program: Program) -> None:
        """Be those of another program. Raises GpioError for pins that cannot be had, and then changes nothing."""
        inputs = InputContacts(program.inputs, self._open_input, before=self.inputs)
        try:
            self.outputs.reprogram(program.outputs)
        except BaseException:
            inputs.abandon()
            raise
        self.inputs.close(after=inputs)
        self.inputs = inputs

    @property
    def dealt(self) -> dict[str, tuple[int, bool]]:
        """By switch and input the number of the last edge that is decided, and the level as counted."""
        return self.switches.dealt | self.inputs.dealt

    @property
    def closed(self) -> frozenset[str]:
        """The switches and inputs that are operated, or closed, as counted; at first, as they were found."""
        contacts = self.switches.operated() | self.inputs.closed
        return frozenset(name for name, closed in contacts.items() if closed)

    def close(self) -> None:
        """Open the outputs first, then let all pins go."""
        self._held.close()
