"""The service: reads the FPGA's records, advances the meter, drives relay and LED (C-3).

One thread, one loop: records in, pulses out at their instants plus a constant latency, nothing else. It takes
its time from the hardware's clock, so that a simulated rig runs the very same code faster than real time.
"""

from __future__ import annotations

from collections.abc import Iterator

from drivers.gpio import FormCRelay, TestLed
from drivers.schedule import OutputSchedule
from drivers.spi_link import LinkError
from gateware.registers import TICK_BITS, Capability, Channel, Record, RecordFlag, configuration_digest
from rig.config import Config, constant_wh
from rig.hardware import Hardware
from rig.meter.elements import form_named, ks_of
from rig.meter.meter import Meter, WindowResult
from rig.meter.oscillator import steered
from rig.meter.pulses import PulseQuantity, kyz_output, led_output

POLL_NS = 20_000_000
"""How often the records are read."""

READING_NS = 3_000_000
"""Longer than the reading of one record keeps the bus: twelve frames at 3 MHz are 2 ms."""

PULSE_LATENCY_NS = 120_000_000
"""From a pulse's instant to its edge: longer than a window, a poll and the reading together ever take."""

BEGIN_NS = 10_000_000_000
"""A board that closes no window in this time is not working, or its bus is too slow for its records."""

ANCHOR_NS = 1_000_000_000
"""How often the board's clock is compared with ours."""

ANCHOR_SHARE = 4
"""Of a difference found then, one part in so many is taken over: two crystals drift, a reading jitters."""

FINISH_NS = 2_000_000_000
"""Outputs that still owe pulses get this long at the end."""

SETTLING_TICKS = 1 << 15
"""After a change of the bit delays every filter holds only new bits: CIC and FIR span 16 638 ticks."""

_TICKS = 1 << TICK_BITS

LED_WIDTH_NS = 10_000_000
LED_GAP_NS = 5_000_000
RELAY_DWELL_NS = 8_000_000
"""An opto-FET form C at the highest rate of the nameplates, 53 transitions a second, has 18 ms."""


class Service:
    """A meter on its hardware. `begin`, then `run` as often as wanted, then `finish`.

    `reference` is the voltage whose zero crossings make the windows.
    """

    def __init__(self, hardware: Hardware, config: Config, reference: Channel = Channel.V1) -> None:
        self.hardware = hardware
        self.form = form_named(config.meter.form)
        program = config.meter
        ks = program.ks_wh
        self.ks_wh = constant_wh(ks, "meter.ks_wh") if ks else ks_of(self.form, program.current_class).wh
        kp = program.kp1_wh
        self.kp1_wh = constant_wh(kp, "meter.kp1_wh") if kp else self.ks_wh / 12

        link = hardware.link
        settings = {"REFERENCE": int(reference)} | {
            f"DELAY_{channel.name}": constants.delay_ticks
            for channel, constants in zip(Channel, hardware.calibration.channels, strict=True)
        }
        for name, value in settings.items():
            link.write(name, value)
        self.meter = Meter(
            equation=self.form.equation(),
            calibration=hardware.calibration,
            tick_hz=link.identity.tick_hz,
            ticks_per_sample=link.identity.ticks_per_sample,
            config_digest=configuration_digest(link.configuration()),
            quarter=link.identity.quarter,
            outputs=[
                led_output(self.ks_wh),
                kyz_output("kyz1", PulseQuantity.KWH_DELIVERED, self.kp1_wh, self.ks_wh),
            ],
        )
        self._sample_hz = link.identity.tick_hz / link.identity.ticks_per_sample
        has_phasors = Capability.PHASORS in link.identity.capabilities
        self._oscillator_step = link.read("OSCILLATOR_STEP")[0] if has_phasors else None
        self._schedule = OutputSchedule()
        pins = config.hardware
        self.led = TestLed(
            "test LED",
            pins.led_pin,
            pins=hardware.pins,
            schedule=self._schedule,
            width_ns=LED_WIDTH_NS,
            gap_ns=LED_GAP_NS,
        )
        self.kyz1 = FormCRelay(
            "KYZ 1",
            pins.kyz1_y_pin,
            pins.kyz1_z_pin,
            pins=hardware.pins,
            schedule=self._schedule,
            dwell_ns=RELAY_DWELL_NS,
        )
        self._outputs: dict[str, TestLed | FormCRelay] = {"test_led": self.led, "kyz1": self.kyz1}
        self._tick_ns = 1_000_000_000 / link.identity.tick_hz
        self._anchor = (0, 0)

    def begin(self, at_tick: int | None = None) -> None:
        """Start metering: once the filters have settled, or at the first sample later than `at_tick`.

        Whatever was summed before is dropped: it was measured with other settings, or before anyone asked.
        """
        link, clock = self.hardware.link, self.hardware.clock
        deadline = clock.now_ns() + BEGIN_NS
        self._anchor = tick, _ = self._now()
        target = tick + SETTLING_TICKS if at_tick is None else at_tick
        link.close_window_at(target)
        while True:
            for record in link.records():
                if RecordFlag.END_COMMANDED in record.flags:
                    return
                if 0 < (record.tick_end - target) % _TICKS < _TICKS // 2:
                    # The board's memory was full when it was to close, and the window went on: ask again.
                    target = record.tick_end
                    link.close_window_at(target)
                if clock.now_ns() > deadline:
                    raise LinkError(
                        f"no window could be begun in {BEGIN_NS // 10**9} s: the SPI bus is too slow for the records, "
                        "or the FPGA's modulator clock does not run"
                    )
            clock.wait_until(clock.now_ns() + POLL_NS)

    def run(self, until_ns: int) -> Iterator[WindowResult]:
        """Meter until `until_ns` on the hardware's clock; yields each window as it comes."""
        clock = self.hardware.clock
        due = clock.now_ns()
        while due < until_ns:
            yield from self._poll()
            due = min(due + POLL_NS, until_ns)
            self._wait_until(due)
        yield from self._poll()

    def finish(self) -> None:
        """Let the pulses out that are still due, for FINISH_NS at most, then let go of the outputs."""
        limit = self.hardware.clock.now_ns() + PULSE_LATENCY_NS + FINISH_NS
        while (due := self._schedule.next_due_ns) is not None and due <= limit:
            self._wait_until(due)
        self.led.close()
        self.kyz1.close()

    @property
    def late_edges(self) -> int:
        """Edges made more than a millisecond behind their time."""
        return self._schedule.late

    @property
    def held_edges(self) -> int:
        """Edges that had to wait for the one before to have stood long enough: pulses come too fast."""
        return self.led.edges.held + self.kyz1.edges.held

    @property
    def waiting_edges(self) -> int:
        """Edges asked for and not made yet; after finish(), never made."""
        return self.led.edges.waiting + self.kyz1.edges.waiting

    def _now(self) -> tuple[int, int]:
        """The board's tick count and our clock at the same instant."""
        clock = self.hardware.clock
        before = clock.now_ns()
        tick = self.hardware.link.ticks()
        return tick, (before + clock.now_ns()) // 2

    def _follow_clock(self) -> None:
        """Keep pulses at a constant latency although the board's crystal and ours differ."""
        anchor_tick, anchor_ns = self._anchor
        if self.hardware.clock.now_ns() < anchor_ns + ANCHOR_NS:
            return
        tick, now_ns = self._now()
        tick = anchor_tick + (tick - anchor_tick) % _TICKS  # the meter's ticks do not wrap
        expected_ns = self._instant_ns(tick)
        self._anchor = tick, expected_ns + (now_ns - expected_ns) // ANCHOR_SHARE

    def _poll(self) -> Iterator[WindowResult]:
        self._follow_clock()
        for record in self._records():
            result = self.meter.advance(record)
            for pulse in result.pulses:
                self._outputs[pulse.output].pulse(self._instant_ns(pulse.tick) + PULSE_LATENCY_NS)
            self._schedule.run_due(self.hardware.clock.now_ns())
            yield result
        self._steer_oscillator()

    def _records(self) -> Iterator[Record]:
        """The records waiting. Edges that would fall due while one is read are made first, but not for long."""
        clock = self.hardware.clock
        records = self.hardware.link.records()
        while True:
            limit = clock.now_ns() + 2 * READING_NS
            while (due := self._schedule.next_due_ns) is not None and due <= min(clock.now_ns() + READING_NS, limit):
                self._wait_until(due)
            record = next(records, None)
            if record is None:
                return
            yield record

    def _steer_oscillator(self) -> None:
        """Let the phasors' oscillator follow the line, from the next record on (docs/decisions/016-oscillator.md)."""
        present, hz = self._oscillator_step, self.meter.recent_hz
        if present is None or hz is None:
            return
        self._oscillator_step = steered(present, hz, self._sample_hz)
        if self._oscillator_step != present:
            self.hardware.link.write("OSCILLATOR_STEP", self._oscillator_step)

    def _wait_until(self, instant_ns: int) -> None:
        clock = self.hardware.clock
        while (due := self._schedule.next_due_ns) is not None and due <= instant_ns:
            clock.wait_until(due)
            self._schedule.run_due(clock.now_ns())
        clock.wait_until(instant_ns)

    def _instant_ns(self, tick: int) -> int:
        anchor_tick, anchor_ns = self._anchor
        return anchor_ns + int((tick - anchor_tick) * self._tick_ns)
