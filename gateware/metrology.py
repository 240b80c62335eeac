"""The whole of the FPGA: modulator lines in, SPI out."""

from __future__ import annotations

from typing import cast

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.bit_delay import BitDelay
from gateware.capture import Capture
from gateware.chain import FIR_DECIMATION, Chain
from gateware.cic import Cic
from gateware.correlator import PHASOR_CLOCKS, Correlator
from gateware.events import Events
from gateware.fir import Fir
from gateware.front_end import BitFrontEnd
from gateware.multiplier import Multiplier
from gateware.oscillator import OSCILLATOR_CLOCKS, Oscillator
from gateware.phantom import PhantomGenerator
from gateware.pulse_counters import PulseCounterBank
from gateware.records import Records
from gateware.register_file import RegisterFile
from gateware.registers import (
    BY_NAME,
    CHANNELS,
    LINE_50_BITS,
    LINE_50_MOST,
    PULSE_PINS,
    TICK_BITS,
    Capability,
    Channel,
)
from gateware.scan import SampleScan
from gateware.sine import Sine
from gateware.spi import SpiPeripheral
from gateware.window import LineCycleWindow


class Metrology(wiring.Component):
    """lines → bits → delay → CIC ÷128 → FIR ÷2 → window → 64-bit sums → records → SPI (C-2, Q-1).

    After the pins nothing stalls: every stage takes its input whenever it comes, has proven its cycle budget
    while being built, and raises a sticky flag in STATUS should it ever be late. What `chain.capabilities` leaves
    out is not there at all. `spram` puts the ring of records into an iCE40UP5K's single-port memory.
    """

    def __init__(self, chain: Chain, spram: bool = False) -> None:
        self.chain = chain
        self._spram = spram
        super().__init__(
            {
                "lines": In(3 if chain.paired else CHANNELS),
                "mclk": Out(1, init=1),
                "pulses": In(PULSE_PINS),
                "cs_n": In(1, init=1),
                "sck": In(1),
                "copi": In(1),
                "cipo": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        has = self.chain.capabilities
        self._samples(m)
        self._sums(m)
        self._windows(m)
        self._host(m)
        if Capability.PHASORS in has:
            self._oscillator(m)
        if Capability.PHANTOM_LOAD in has:
            self._phantom_load(m)
        if Capability.PULSE_COUNTERS in has:
            self._pulse_counters(m)
        if Capability.EVENTS in has:
            self._events(m)
        if Capability.CAPTURE in has:
            self._capture(m)
        return m

    def _samples(self, m: Module) -> None:
        m.submodules.front_end = front_end = BitFrontEnd(self.chain)
        m.submodules.bit_delay = bit_delay = BitDelay()
        m.submodules.cic = cic = Cic(self.chain)
        m.submodules.fir = fir = Fir(self.chain)
        m.submodules.registers = registers = RegisterFile(self.chain.capabilities)
        bits = front_end.bits
        if Capability.PHANTOM_LOAD in self.chain.capabilities:
            m.submodules.phantom_load = phantom = PhantomGenerator()
            bits = Mux(registers.PHANTOM, phantom.bits, bits)
        m.d.comb += [
            front_end.lines.eq(self.lines),
            self.mclk.eq(front_end.mclk),
            bit_delay.bits.eq(bits),
            bit_delay.tick.eq(front_end.tick),
            cic.bits.eq(bit_delay.delayed),
            cic.tick.eq(bit_delay.delayed_tick),
            fir.valid.eq(cic.valid),
            fir.last.eq(cic.last),
            fir.channel.eq(cic.channel),
            fir.value.eq(cic.value),
            fir.stamp_in.eq(cic.stamp),
            fir.dead_in.eq(cic.dead),
        ]
        m.d.comb += [bit_delay.delay[c].eq(getattr(registers, f"DELAY_{c.name}")) for c in Channel]

    def _sums(self, m: Module) -> None:
        fir = m.submodules.fir
        m.submodules.multiplier = multiplier = Multiplier()
        m.submodules.correlator = correlator = Correlator(self.chain)
        m.submodules.records = records = Records(self.chain, self._spram)
        m.d.comb += [
            multiplier.filtering.eq(fir.busy),
            multiplier.summing.eq(correlator.busy),
            multiplier.fir_a.eq(fir.a),
            multiplier.fir_b.eq(fir.b),
            multiplier.sum_a.eq(correlator.a),
            multiplier.sum_b.eq(correlator.b),
            fir.p.eq(multiplier.p),
            correlator.p.eq(multiplier.p),
            correlator.start.eq(records.start),
            correlator.read_data.eq(records.data),
            records.summing.eq(correlator.busy),
            records.sum_read.eq(correlator.read_word),
            records.sum_write.eq(correlator.write),
            records.sum_word.eq(correlator.write_word),
            records.sum_data.eq(correlator.write_data),
        ]
        m.d.comb += [correlator.samples[c].eq(fir.samples[c]) for c in Channel]

    def _windows(self, m: Module) -> None:
        cic, fir, correlator = m.submodules.cic, m.submodules.fir, m.submodules.correlator
        records, registers = m.submodules.records, m.submodules.registers
        m.submodules.window = window = LineCycleWindow()
        m.d.comb += [
            window.sample.eq(fir.sample),
            window.stamp.eq(fir.stamp),
            window.reference.eq(registers.REFERENCE),
            window.hysteresis.eq(registers.HYSTERESIS),
            window.window_min.eq(registers.WINDOW_MIN),
            window.window_max.eq(registers.WINDOW_MAX),
            window.close_at.eq(Cat(registers.CLOSE_AT_LO, registers.CLOSE_AT_HI)),
            window.arm.eq(registers.CLOSE_AT_HI_written),
            records.stamp.eq(fir.stamp),
            records.overload.eq(fir.overload),
            records.dead.eq(fir.dead),
            registers.STATUS.eq(Cat(cic.overrun, fir.overrun, correlator.overrun)),
            records.overrun.eq(registers.STATUS.any()),
            records.config_digest.eq(registers.config_digest),
        ]
        m.d.comb += [window.samples[c].eq(fir.samples[c]) for c in Channel]
        for member in ("decided", "closes", "crossing", "commanded", "timed", "before", "after"):
            m.d.comb += getattr(records, member).eq(getattr(window, member))

    def _host(self, m: Module) -> None:
        chain, cic = self.chain, m.submodules.cic
        records, registers = m.submodules.records, m.submodules.registers
        m.submodules.spi = spi = SpiPeripheral(chain.capabilities)
        clock = chain.clock_hz
        held = Signal(TICK_BITS - 32)
        with m.If(spi.taken & (spi.address == BY_NAME["TICK_LO"].address)):
            m.d.sync += held.eq(cic.ticks[32:])
        m.d.comb += [
            registers.MAGIC.eq(cast(int, BY_NAME["MAGIC"].reset)),
            registers.VERSION.eq(cast(int, BY_NAME["VERSION"].reset)),
            registers.BUILD.eq(chain.digest),
            registers.CAPABILITIES.eq(int(chain.capabilities)),
            registers.CLOCK_NUM.eq(clock.numerator),
            registers.CLOCK_DEN.eq(clock.denominator),
            registers.CHAIN.eq(
                chain.clocks_per_tick << 24 | chain.decimation << 8 | FIR_DECIMATION << 4 | chain.slots_log2
            ),
            registers.RECORDS.eq(Cat(Const(chain.ring, 16), records.level)),
            registers.TICK_LO.eq(cic.ticks[:32]),
            registers.TICK_HI.eq(held),
        ]
        if Capability.DELAYED_PRODUCTS in chain.capabilities:
            m.d.comb += registers.QUARTER.eq(chain.quarter)

        m.d.comb += [
            spi.cs_n.eq(self.cs_n),
            spi.sck.eq(self.sck),
            spi.copi.eq(self.copi),
            self.cipo.eq(spi.cipo),
            registers.address.eq(spi.address),
            registers.read.eq(spi.read),
            registers.write.eq(spi.write),
            registers.data.eq(spi.data),
            spi.known.eq(registers.known),
            spi.writable.eq(registers.writable),
            spi.value.eq(registers.value),
            spi.level.eq(records.level),
            spi.oldest.eq(records.oldest),
            records.fetch.eq(spi.fetch),
            records.fetch_word.eq(spi.fetch_word),
            records.pop.eq(spi.pop),
        ]
        if Capability.CAPTURE not in chain.capabilities:
            m.d.comb += [spi.fetched.eq(records.fetched), spi.word.eq(records.word)]

    def _oscillator(self, m: Module) -> None:
        """The phasors' oscillator, begun anew with each record, and its sine."""
        assert OSCILLATOR_CLOCKS < PHASOR_CLOCKS, "the oscillator must be ready when its products are due"
        records, correlator, registers = m.submodules.records, m.submodules.correlator, m.submodules.registers
        m.submodules.sine = sine = Sine()
        m.submodules.oscillator = oscillator = Oscillator()
        m.d.comb += [
            oscillator.start.eq(records.start),
            oscillator.clear.eq(records.clear),
            oscillator.step.eq(registers.OSCILLATOR_STEP),
            oscillator.sine_value.eq(sine.value),
            records.oscillator_step.eq(oscillator.taken),
            correlator.cos.eq(oscillator.cos),
            correlator.sin.eq(oscillator.sin),
        ]
        line = oscillator.taken[LINE_50_BITS:]
        m.d.comb += correlator.line_50.eq((line != 0) & (line <= LINE_50_MOST))
        if Capability.PHANTOM_LOAD in self.chain.capabilities:
            # The phantom load is done with the sine before a sample set comes, so there is nothing to arbitrate.
            phantom = m.submodules.phantom_load
            m.d.comb += [
                sine.phase.eq(Mux(oscillator.busy, oscillator.sine_phase, phantom.sine_phase)),
                sine.enable.eq(oscillator.sine_enable | phantom.sine_enable),
            ]
        else:
            m.d.comb += [sine.phase.eq(oscillator.sine_phase), sine.enable.eq(oscillator.sine_enable)]

    def _phantom_load(self, m: Module) -> None:
        assert Capability.PHASORS in self.chain.capabilities, "the phantom load shares the phasors' sine"
        phantom, registers, fir = m.submodules.phantom_load, m.submodules.registers, m.submodules.fir
        m.d.comb += [
            phantom.on.eq(registers.PHANTOM),
            phantom.tick.eq(m.submodules.front_end.tick),
            phantom.step.eq(registers.PHANTOM_STEP),
            phantom.sine_value.eq(m.submodules.sine.value),
            phantom.host_index.eq(registers.PHANTOM_WAVES_index),
            phantom.host_read.eq(registers.PHANTOM_WAVES_read),
            phantom.host_write.eq(registers.PHANTOM_WAVES_write),
            phantom.host_value.eq(registers.data),
            registers.PHANTOM_WAVES_data.eq(phantom.host_data),
        ]
        measured = Signal()
        with m.If(fir.sample):
            m.d.sync += measured.eq(registers.PHANTOM)
        m.d.comb += m.submodules.records.phantom.eq(measured)

    def _pulse_counters(self, m: Module) -> None:
        cic, registers = m.submodules.cic, m.submodules.registers
        m.submodules.counters = counters = PulseCounterBank()
        m.d.comb += [
            counters.pulses.eq(self.pulses),
            counters.tick.eq(cic.tick),
            counters.ticks.eq(cic.ticks),
            counters.filter_ticks.eq(registers.COUNTER_FILTER),
            counters.clear.eq(registers.COUNTER_CLEAR_written),
            counters.gate_counter.eq(registers.GATE_COUNTER),
            registers.COUNTER_STATE.eq(counters.state),
            counters.host_index.eq(registers.COUNTERS_index),  # GATE is the rest of its 64
            counters.host_read.eq(registers.COUNTERS_read | registers.GATE_read),
            counters.host_write.eq(registers.GATE_write),
            counters.host_value.eq(registers.data),
            registers.COUNTERS_data.eq(counters.host_data),
            registers.GATE_data.eq(counters.host_data),
        ]

    def _scan(self, m: Module) -> SampleScan:
        fir = m.submodules.fir
        m.submodules.scan = scan = SampleScan(self.chain)
        m.d.comb += scan.sample.eq(fir.sample)
        m.d.comb += [scan.samples[c].eq(fir.samples[c]) for c in Channel]
        return scan

    def _events(self, m: Module) -> None:
        scan = self._scan(m)
        fir, window, registers = m.submodules.fir, m.submodules.window, m.submodules.registers
        m.submodules.events = events = Events(self.chain)
        m.d.comb += [
            events.valid.eq(scan.valid),
            events.channel.eq(scan.channel),
            events.value.eq(scan.value),
            events.stamp.eq(fir.stamp),
            events.overload.eq(fir.overload),
            events.dead.eq(fir.dead),
            events.decided.eq(window.decided),
            events.crossing.eq(window.crossing),
            events.timed.eq(window.timed),
            events.overrun.eq(registers.STATUS.any()),
            events.sag_level.eq(registers.SAG_LEVEL),
            events.swell_level.eq(registers.SWELL_LEVEL),
            events.loss_level.eq(registers.LOSS_LEVEL),
            events.event_samples.eq(registers.EVENT_SAMPLES),
            events.host_index.eq(registers.EVENT_LOG_index),
            events.host_read.eq(registers.EVENT_LOG_read),
            registers.EVENT_LOG_data.eq(events.host_data),
            registers.EVENTS.eq(events.written),
        ]

    def _capture(self, m: Module) -> None:
        has = self.chain.capabilities
        scan = m.submodules.scan if Capability.EVENTS in has else self._scan(m)
        fir, registers, records, spi = (getattr(m.submodules, n) for n in ("fir", "registers", "records", "spi"))
        m.submodules.capture = capture = Capture(self.chain)
        m.d.comb += [
            capture.valid.eq(scan.valid),
            capture.channel.eq(scan.channel),
            capture.value.eq(scan.value),
            capture.done.eq(scan.done),
            capture.stamp.eq(fir.stamp),
            capture.closes.eq(m.submodules.window.closes),
            capture.command.eq(registers.CAPTURE),
            capture.commanded.eq(registers.CAPTURE_written),
            capture.trigger.eq(registers.CAPTURE_TRIGGER),
            capture.after.eq(registers.CAPTURE_AFTER),
            registers.CAPTURE_STATE.eq(capture.state),
            capture.fetch.eq(spi.fetch_capture),
            capture.fetch_word.eq(Cat(spi.address, registers.CAPTURE_PAGE)),
            spi.fetched.eq(records.fetched | capture.fetched),
            spi.word.eq(Mux(capture.fetched, capture.word, records.word)),
        ]
        m.d.comb += [capture.samples[c].eq(fir.samples[c]) for c in Channel]
        if Capability.EVENTS in has:
            events = m.submodules.events
            m.d.comb += [capture.begins.eq(events.begins), capture.kind.eq(events.kind)]
