"""The FPGA's pulse counters and the energy registered, for clients who compare the two (P-6).

Nothing is cleared and no gate is moved but to open it once, so that any number of clients can count from any instant:
a count and the tick of its last pulse are enough. A counter that nobody asks for is not read; of one that is asked for,
each poll reads its count, one frame on the bus, and the rest only when that has changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from drivers.counters import CounterError, PulseCounters
from drivers.spi_link import LinkError
from gateware.registers import TICK_BITS, Counter, CounterState
from rig.daemon.protocol import EnergyFlowed, FlowedWindow, PulsesCounted, Topic
from rig.meter.billing.quantity import Quantity
from rig.meter.contacts.outputs import OutputId
from rig.meter.display.items import EnergyItem
from rig.meter.measuring.measurement import Window
from rig.service.service import PULSE_LATENCY_NS, Service

WINDOWS = 6
"""Of a message: a tenth of a second at 60 Hz."""

STATE_NS = 1_000_000_000
"""How often a counter that is asked for is looked at as a whole, whether it has counted or not."""

_TICKS = 1 << TICK_BITS

Publish = Callable[[Topic, EnergyFlowed | PulsesCounted], object]


def compared_quantities(service: Service) -> list[Quantity]:
    """Give the quantities that outputs pulse for, and those that the recorder records and registers on display show,
    but for net ones, which can fall."""
    billing, display = service.program.billing, service.program.display
    found = {output.quantity for output in service.meter.outputs.values()}
    if billing.recorder is not None:
        found |= {q for channel in billing.recorder.channels if (q := channel.metric.quantity) is not None}
    for item in (*display.normal, *display.alternate):
        if isinstance(item.what, EnergyItem):
            found.add(item.what.quantity)
    return [quantity for quantity in Quantity if quantity in found and not quantity.net]


class PulseFeed:
    """Publishes by `publish` what `wanted` topics are about. Windows come by `add`, `poll` is called at each poll."""

    def __init__(self, service: Service, wanted: Callable[[Topic], bool], publish: Publish) -> None:
        self._service, self._wanted, self._publish = service, wanted, publish
        self._windows: list[FlowedWindow] = []
        self._anchor: tuple[int, int] | None = None
        self._counters: PulseCounters | None = None
        self._counts: dict[OutputId, int] = {}
        self._looked_ns: dict[OutputId, int] = {}
        self._run = 0

    def add(self, window: Window) -> None:
        """Take in what was registered."""
        self._anchor = window.record.tick_end, window.tick_end
        if not self._wanted(Topic.ENERGY):
            self._windows.clear()
        elif (energies := window.energies) is not None:
            quantities = compared_quantities(self._service)
            nano = {quantity.value: energies.moves(quantity) for quantity in quantities}
            self._windows.append(FlowedWindow(window.flowed_from, window.tick_end, nano))
            if len(self._windows) >= WINDOWS:
                self.flush()

    @property
    def tick(self) -> int | None:
        """Tick of the meter's timeline up to which all is registered; None before the first window."""
        return None if self._anchor is None else self._anchor[1]

    def flush(self) -> None:
        """Publish the windows that wait."""
        if self._windows:
            tick_hz = str(self._service.hardware.link.identity.tick_hz)
            self._publish(Topic.ENERGY, EnergyFlowed(tick_hz, PULSE_LATENCY_NS, self._windows))
            self._windows = []

    def poll(self) -> None:
        """Read the counters that are asked for, and publish what has changed."""
        for output in OutputId:
            if not self._wanted(Topic.pulses_of(output)):
                self._counts.pop(output, None)
                self._looked_ns.pop(output, None)
            elif self._service.link_fault is None:
                with suppress(LinkError):  # the service's own frames find it, and try again
                    self._look_or_tell(output)

    def _look_or_tell(self, output: OutputId) -> None:
        try:
            self._look(output)
        except CounterError as error:
            self._tell(output, read=self._present(), fault=str(error))

    def _look(self, output: OutputId) -> None:
        service = self._service
        now_ns = service.polled_ns
        whole = now_ns >= self._looked_ns.get(output, now_ns) + STATE_NS or output not in self._looked_ns
        if whole:
            self._looked_ns[output] = now_ns
        if self._counters is None:
            if not whole:
                return  # there are none: that is published once a second
            self._counters = PulseCounters(service.hardware.link)
        service.make_room()
        if whole:
            self._open(self._counters)
            service.make_room()
        counter = Counter[output.label]
        before = self._counts.get(output)
        if before is not None and not whole and self._counters.count(counter) == before:
            return
        service.make_room()
        found = self._counters.read_one(counter)
        if before is not None and found.pulses < before:
            self._run += 1
        self._counts[output] = found.pulses
        last_tick = None if found.last_tick is None else self._timeline(found.last_tick)
        self._tell(output, found.pulses, found.illegal, last_tick, self._present() if whole else (None, 0, 0))

    def _present(self) -> tuple[int | None, int, int]:
        """The tick that it is now, and the instants of the computer's clock between which it was read."""
        from_ns = time.monotonic_ns()
        tick = self._timeline(self._service.hardware.link.ticks())
        return tick, from_ns, time.monotonic_ns()

    def _open(self, counters: PulseCounters) -> None:
        """See that the gate is open, and that no change of a contact was lost; a board that was reset has closed it."""
        state = counters.state
        if CounterState.OVERFLOW in state:
            counters.clear()
            self._run += 1
            counters.open()
            raise CounterError(
                "contacts changed faster than the FPGA's counters could take them: check the wiring for noise"
            )
        if not state & (CounterState.OPEN | CounterState.OPENING):
            counters.open()
            self._run += 1

    def _tell(
        self,
        output: OutputId,
        pulses: int = 0,
        illegal: int = 0,
        last_tick: int | None = None,
        read: tuple[int | None, int, int] = (None, 0, 0),
        fault: str | None = None,
    ) -> None:
        pulsing = self._service.meter.outputs.get(output)
        self._publish(
            Topic.pulses_of(output),
            PulsesCounted(
                output=output.label,
                run=self._run,
                pulses=pulses,
                illegal=illegal,
                last_tick=last_tick,
                read_tick=read[0],
                read_from_ns=read[1],
                read_to_ns=read[2],
                quantity=None if pulsing is None else pulsing.quantity.value,
                constant_wh=None if pulsing is None else str(pulsing.constant_wh),
                fault=fault,
            ),
        )

    def _timeline(self, board_tick: int) -> int | None:
        """A tick of the board, near the last window, on the meter's timeline; None before the first window."""
        if self._anchor is None:
            return None
        board, timeline = self._anchor
        return timeline + (board_tick - board + _TICKS // 2) % _TICKS - _TICKS // 2
