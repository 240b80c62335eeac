"""The test LED and the contacts of a program on their pins, driven by absolute deadline (C-3, P-1 to P-4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from gpiozero.pins import Factory

from drivers.contact_memory import ContactMemory
from drivers.gpio import FormCRelay, Position, TestLed
from drivers.schedule import OutputSchedule
from rig.errors import RigError
from rig.hardware.config import HardwareConfig
from rig.meter.contacts.functions import Output
from rig.meter.contacts.levels import ContactChange
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId
from rig.meter.meter import Pulse

LED_WIDTH_NS = 10_000_000
LED_GAP_NS = 5_000_000
RELAY_DWELL_NS = 8_000_000
"""An opto-FET form C at the highest rate of the nameplates, 53 transitions a second, has 18 ms."""

MEMORY = "contacts"
"""In the store's folder: which contact each output closed last, and how many pulses it has shown."""

LIT, DARK = "lit", "dark"


class OutputRefused(RigError):
    """A use of an output that it cannot be put to: one sentence."""


class Outputs:
    """The lamp, and a relay for each output of the program; at rest at first.

    In `folder` it is remembered what each was made to do last; None: nowhere. `going_on`: the process before has died,
    at most now, and its outputs stand as it left them. `asked` counts the pulses that each was ever asked for, those of
    processes before too: what it has shown less is owed. Raises GpioError for pins that cannot be had, or a memory that
    cannot; then it holds nothing.
    """

    def __init__(
        self,
        programmed: Sequence[Output],
        wired: HardwareConfig,
        pins: Factory,
        folder: Path | None = None,
        going_on_ns: int | None = None,
    ) -> None:
        self.schedule = OutputSchedule()
        self.relays: dict[OutputId, FormCRelay] = {}
        self._wired, self._pins = wired, pins
        names = [output.value for output in (OutputId.TEST_LED, *KYZ_OUTPUTS)]
        self._memory = None if folder is None else ContactMemory(folder / MEMORY, names)
        self._unknown: set[OutputId] = set()
        self._resting: set[OutputId] = set()
        self._leaving: dict[OutputId, FormCRelay] = {}
        self._last: dict[OutputId, Position] = {}
        self._tests: dict[OutputId, int] = {}
        self._levels: dict[OutputId, bool] = {}
        self._led: TestLed | None = None
        self._going_on = going_on_ns is not None
        memory = self._memory
        known = None if memory is None else memory.last(OutputId.TEST_LED.value)
        if known is None:
            self._unknown.add(OutputId.TEST_LED)
        try:
            self._led = TestLed(
                "test LED",
                wired.led_pin,
                pins=pins,
                schedule=self.schedule,
                width_ns=LED_WIDTH_NS,
                gap_ns=LED_GAP_NS,
                remember=None if memory is None else self._remember_led,
                shown=known.pulses if known else 0,
                going_on_lit=known.level == LIT if self._going_on and known else None,
                now_ns=going_on_ns or 0,
            )
            for output in programmed:
                self.relays[output.id] = self._relay(output.id)
        except BaseException:
            self.close()
            raise
        self._going_on = False  # of relays that a program written later has, the process before had none
        self.asked = {OutputId.TEST_LED: self.led.shown} | {id: relay.shown for id, relay in self.relays.items()}

    def _remember_led(self, lit: bool, shown: int) -> None:
        assert self._memory is not None
        self._memory.remember(OutputId.TEST_LED.value, LIT if lit else DARK, shown)

    def _relay(self, id: OutputId) -> FormCRelay:
        memory = self._memory
        remembered = None if memory is None else memory.last(id.value)
        known = self._last.get(id) if remembered is None else Position(remembered.level)
        if known is None:
            self._unknown.add(id)
        if known in (None, Position.OPEN):
            known = None
            self._resting.add(id)
        return FormCRelay(
            id.label,
            *self._wired.contacts(id),
            pins=self._pins,
            schedule=self.schedule,
            dwell_ns=RELAY_DWELL_NS,
            last=known or Position.KZ,
            remember=None if memory is None else lambda at, shown: memory.remember(id.value, at.value, shown),
            shown=remembered.pulses if remembered else 0,
            going_on=self._going_on and known is not None,
        )

    @property
    def led(self) -> TestLed:
        assert self._led is not None
        return self._led

    @property
    def _all(self) -> list[FormCRelay]:
        """Those of the program, and those of the one before that still owe something."""
        return [*self.relays.values(), *self._leaving.values()]

    def resume(self, counts: Mapping[OutputId, int], asked: Mapping[OutputId, int] | None = None) -> str | None:
        """Resume outputs that never closed, as far as anyone remembers, by the pulses that each has shown: the first
        closes K–Y, the next K–Z. From then on it is remembered that they rest: one that has shown nothing yet is not
        one that nobody knows.

        `asked` is what a process that has died was asked for. Where nothing is remembered, what it has shown of that is
        not known: it counts as shown, since at most what was on its way is missing, and all of it again would be false
        pulses. Gives that in a sentence.
        """
        unknown, resting = self._unknown, self._resting
        self._unknown, self._resting = set(), set()
        asked = asked or {}
        for id in unknown:
            self._output(id).shown = self.asked[id] = asked.get(id, self._output(id).shown)
        for id in resting:
            relay = self.relays[id]
            shown = counts.get(id, 0) - max(0, asked.get(id, 0) - relay.shown)
            relay.last = Position.KY if shown % 2 else Position.KZ
        if self._memory is None:
            return None
        for id in unknown:
            level = DARK if id is OutputId.TEST_LED else Position.OPEN.value
            self._memory.remember(id.value, level, self._output(id).shown)
        lost = ", ".join(sorted(id.label for id in unknown if asked.get(id)))
        if not lost:
            return None
        return f"{MEMORY} does not say any more what {lost} did last: pulses that were on their way are not shown"

    def _output(self, id: OutputId) -> TestLed | FormCRelay:
        return self.led if id is OutputId.TEST_LED else self.relays[id]

    def reprogram(self, programmed: Sequence[Output]) -> None:
        """Be the outputs of another program. What those that go still owe is let out before they open.

        Raises GpioError for pins that cannot be had, and then changes nothing.
        """
        ids = [output.id for output in programmed]
        opened: dict[OutputId, FormCRelay] = {}
        try:
            for id in ids:
                if id not in self.relays and id not in self._leaving:
                    opened[id] = self._relay(id)
        except BaseException:
            for relay in opened.values():
                relay.close()
            raise
        there = self.relays | self._leaving | opened
        self.relays = {id: there.pop(id) for id in ids}
        self._leaving = there
        self._tests.clear()
        self._levels.clear()

    def test(self, label: str, closed: bool, now_ns: int, until_ns: int, pulsing: Collection[OutputId]) -> OutputId:
        """Close an output to K–Y, or K–Z, for a test of its wiring, from an instant to another; give which it is.

        What its function asks for meanwhile is done then. Raises OutputRefused for one that is not there, or `pulsing`.
        """
        id = next((each for each in self.relays if each.label == label.upper()), None)
        if id is None:
            there = ", ".join(sorted(each.label for each in self.relays)) or "none"
            raise OutputRefused(f"{label} is not an output of the program: there are {there}")
        if id in pulsing:
            raise OutputRefused(
                f"{label} is a pulse output, whose counter would count the test as energy: give it another function "
                "first"
            )
        self._tests[id] = until_ns
        self.relays[id].set(closed, now_ns)
        return id

    def attend(self, now_ns: int) -> None:
        """End what is over: tests of wiring, and relays that no program has any more and that owe nothing."""
        for id in [id for id, until_ns in self._tests.items() if until_ns <= now_ns]:
            del self._tests[id]
            self.relays[id].set(self._levels.get(id, False), now_ns)
        for id, relay in list(self._leaving.items()):
            if not relay.edges.waiting and (relay.edges.free_ns or 0) <= now_ns:
                self._last[id] = relay.last
                self._leaving.pop(id).close()

    def ask(self, pulses: Iterable[Pulse]) -> None:
        """Count pulses that are asked for. They are owed from now on, and may be shown once that is safe."""
        for pulse in pulses:
            self.asked[pulse.output] = self.asked.get(pulse.output, 0) + 1

    def show_owed(
        self, asked: Mapping[OutputId, int], levels: Mapping[OutputId, bool], now_ns: int
    ) -> dict[OutputId, int]:
        """Show from now on what a process that has died was asked for and had not shown; how many pulses of each.

        Outputs that do not pulse become what they were to be.
        """
        owed: dict[OutputId, int] = {}
        for id, count in asked.items():
            output = self.led if id is OutputId.TEST_LED else self.relays.get(id)
            if output is None:
                continue
            self.asked[id] = max(count, output.shown)
            owed[id] = self.asked[id] - output.shown
            for _ in range(owed[id]):
                output.pulse(now_ns)
        for id, closed in levels.items():
            self._levels[id] = closed
            self.relays[id].set(closed, now_ns)
        return owed

    @property
    def trouble(self) -> str | None:
        """Reason why it cannot be remembered, in a sentence."""
        return None if self._memory is None else self._memory.trouble

    def look(self) -> str | None:
        """Find whether the memory was disturbed, and repair it: what was found, in a sentence, or None."""
        return None if self._memory is None else self._memory.look()

    def pulse(self, pulse: Pulse, due_ns: int) -> None:
        """A flash, or a transition."""
        (self.led if pulse.output is OutputId.TEST_LED else self.relays[pulse.output]).pulse(due_ns)

    def change(self, change: ContactChange, due_ns: int) -> None:
        """A contact that does not pulse closes, or opens."""
        self._levels[change.output] = change.closed
        if change.output not in self._tests:
            self.relays[change.output].set(change.closed, due_ns)

    @property
    def held(self) -> int:
        """Edges that had to wait for the one before to have stood long enough: pulses come too fast."""
        return self.led.edges.held + sum(relay.edges.held for relay in self._all)

    @property
    def waiting(self) -> int:
        """Edges asked for and not made yet; after close(), never made."""
        return self.led.edges.waiting + sum(relay.edges.waiting for relay in self._all)

    @property
    def whole_ns(self) -> int:
        """From then on the last edge of each has stood long enough: a contact opened sooner is no closure to some."""
        queues = [self.led.edges, *(relay.edges for relay in self._all)]
        return max(queue.free_ns or 0 for queue in queues)

    def close(self) -> None:
        """Put out the lamp, open all contacts, let the pins go."""
        if self._led is not None:
            self._led.close()
        for relay in self._all:
            relay.close()
        if self._memory is not None:
            self._memory.close()
