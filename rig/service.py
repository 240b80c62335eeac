"""The service: reads the FPGA's records, advances the meter, drives relay and LED, keeps what is billed (C-3, S-3).

One thread, one loop: records in, pulses out at their instants plus a constant latency, nothing else. It takes
its time from the hardware's clock, so that a simulated rig runs the very same code faster than real time.
"""

from __future__ import annotations

from collections.abc import Iterator

from drivers.gpio import FormCRelay, TestLed
from drivers.schedule import OutputSchedule
from drivers.spi_link import LinkError
from gateware.registers import TICK_BITS, Capability, Channel, Record, RecordFlag, configuration_digest
from rig.config import Config
from rig.hardware import Hardware
from rig.keeper import Keeper, levels_of
from rig.meter.billing.quantity import Quantity
from rig.meter.contacts.functions import PulsesOutput
from rig.meter.measurement import Measurement
from rig.meter.meter import Advance, Meter
from rig.meter.oscillator import steered
from rig.program.build import Program
from rig.store.store import Store

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

COMPARED_NS = 20_000_000
"""A comparison that took longer was held up in between, and tells nothing."""

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
    """A meter on its hardware, as its program has it. `begin`, then `run` as often as wanted, then `finish`.

    `store` is what it goes on from and is kept in, and closes; by default nothing outlives the run. `reference` is the
    voltage whose zero crossings make the windows. `meter` is there from `begin` on.
    """

    meter: Meter
    _keeper: Keeper

    def __init__(
        self,
        hardware: Hardware,
        config: Config,
        program: Program,
        store: Store | None = None,
        reference: Channel = Channel.V1,
    ) -> None:
        self.hardware = hardware
        self.program = program
        self._store = store
        link = hardware.link
        settings = {"REFERENCE": int(reference)} | {
            f"DELAY_{channel.name}": constants.delay_ticks
            for channel, constants in zip(Channel, hardware.calibration.channels, strict=True)
        }
        for name, value in settings.items():
            link.write(name, value)
        self.measurement = Measurement(
            equation=program.equation,
            calibration=hardware.calibration,
            tick_hz=link.identity.tick_hz,
            ticks_per_sample=link.identity.ticks_per_sample,
            config_digest=configuration_digest(link.configuration()),
            quarter=link.identity.quarter,
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
        self._contacts: dict[str, TestLed | FormCRelay] = {"test_led": self.led, "kyz1": self.kyz1}
        self._tick_ns = 1_000_000_000 / link.identity.tick_hz
        self._anchor = (0, 0)

    def begin(self, at_tick: int | None = None) -> None:
        """Start metering: once the filters have settled, or at the first sample later than `at_tick`.

        Whatever was summed before is dropped: it was measured with other settings, or before anyone asked.
        """
        try:
            self._await_window(at_tick)
        except BaseException:
            if self._store is not None:
                self._store.close()
            raise
        keeper = Keeper(self._store, self.program, self.hardware.fidelity, self.hardware.clock.utc_ns())
        self._keeper = keeper
        tick_hz = self.hardware.link.identity.tick_hz
        self.meter = Meter(
            self.measurement, keeper.billing, keeper.installation, tick_hz, keeper.outputs, levels_of(self.program)
        )
        self._before = self.meter.billing.registers.amounts()[0]

    def _await_window(self, at_tick: int | None) -> None:
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

    def run(self, until_ns: int) -> Iterator[Advance]:
        """Meter until `until_ns` on the hardware's clock; yields each window as it comes."""
        clock = self.hardware.clock
        due = clock.now_ns()
        while due < until_ns:
            yield from self._poll()
            due = min(due + POLL_NS, until_ns)
            self._wait_until(due)
        yield from self._poll()

    def finish(self) -> None:
        """Let the pulses out that are still due, for FINISH_NS at most, let go of the outputs, save the meter."""
        limit = self.hardware.clock.now_ns() + PULSE_LATENCY_NS + FINISH_NS
        while (due := self._schedule.next_due_ns) is not None and due <= limit:
            self._wait_until(due)
        self.led.close()
        self.kyz1.close()
        self._keeper.finish(self.meter)

    def energy_of_run(self, quantity: Quantity) -> int:
        """What has registered since `begin`, in nWh (nvarh, nVAh)."""
        billing = self.meter.billing
        billing.settle()
        return billing.registers.energy(quantity) - quantity.of(self._before)

    @property
    def unwired(self) -> tuple[str, ...]:
        """Outputs of the program that have no contact here: pulses of KYZ1 and the test LED have."""
        return tuple(
            output.name
            for output in self.program.outputs
            if not isinstance(output, PulsesOutput) or output.name.lower() not in self._contacts
        )

    @property
    def stored(self) -> bool:
        """Whether what is billed outlives the run."""
        return self._store is not None

    @property
    def trouble(self) -> str | None:
        """What keeps the meter's store from being written, in a sentence."""
        return self._keeper.trouble

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
        """Keep pulses at a constant latency although the board's crystal and ours differ, and by the time of day the
        meter's clock. Nothing is known of either while the board's count has begun anew, and no record has come since.
        """
        if self.hardware.clock.now_ns() < self._anchor[1] + ANCHOR_NS:
            return
        begin_ns = self.hardware.clock.now_ns()
        board_tick, now_ns = self._now()
        utc_ns = self.hardware.clock.utc_ns()
        tick = self.meter.tick_of(board_tick)
        if tick is None or self.hardware.clock.now_ns() - begin_ns > COMPARED_NS:
            return
        self._keeper.keep(self.meter, self.meter.compare_clock(board_tick, utc_ns).happenings)
        late_ns = now_ns - self._instant_ns(tick)
        if abs(late_ns) < PULSE_LATENCY_NS:  # else the board was reset
            late_ns //= ANCHOR_SHARE
        self._anchor = tick, self._instant_ns(tick) + late_ns

    def _poll(self) -> Iterator[Advance]:
        self._follow_clock()
        for record in self._records():
            result = self.meter.advance(record)
            for pulse in result.pulses:
                if contact := self._contacts.get(pulse.output):
                    contact.pulse(self._instant_ns(pulse.tick) + PULSE_LATENCY_NS)
            self._keeper.keep(self.meter, result.happenings)
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
        present, hz = self._oscillator_step, self.measurement.recent_hz
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
