"""The whole of the FPGA: modulator lines in, SPI out."""

from __future__ import annotations

from typing import cast

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.bit_delay import BitDelay
from gateware.chain import FIR_DECIMATION, Chain
from gateware.cic import Cic
from gateware.correlator import Correlator
from gateware.fir import Fir
from gateware.front_end import BitFrontEnd
from gateware.multiplier import Multiplier
from gateware.records import Records
from gateware.register_file import RegisterFile
from gateware.registers import BY_NAME, CHANNELS, TICK_BITS, Channel
from gateware.spi import SpiPeripheral
from gateware.window import LineCycleWindow


class Metrology(wiring.Component):
    """lines → bits → delay → CIC ÷128 → FIR ÷2 → window → 64-bit sums → records → SPI (C-2, Q-1).

    After the pins nothing stalls: every stage takes its input whenever it comes, has proven its cycle budget
    while being built, and raises a sticky flag in STATUS should it ever be late.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        super().__init__(
            {
                "lines": In(3 if chain.paired else CHANNELS),
                "mclk": Out(1, init=1),
                "cs_n": In(1, init=1),
                "sck": In(1),
                "copi": In(1),
                "cipo": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        chain = self.chain
        m.submodules.front_end = front_end = BitFrontEnd(chain)
        m.submodules.bit_delay = bit_delay = BitDelay()
        m.submodules.cic = cic = Cic(chain)
        m.submodules.fir = fir = Fir(chain)
        m.submodules.multiplier = multiplier = Multiplier()
        m.submodules.window = window = LineCycleWindow()
        m.submodules.correlator = correlator = Correlator(chain)
        m.submodules.records = records = Records(chain)
        m.submodules.registers = registers = RegisterFile()
        m.submodules.spi = spi = SpiPeripheral()

        # Samples.
        m.d.comb += [
            front_end.lines.eq(self.lines),
            self.mclk.eq(front_end.mclk),
            bit_delay.bits.eq(front_end.bits),
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

        # Sums.
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
            correlator.clear.eq(records.clear),
            correlator.read_data.eq(records.data),
            records.summing.eq(correlator.busy),
            records.sum_read.eq(correlator.read_word),
            records.sum_write.eq(correlator.write),
            records.sum_word.eq(correlator.write_word),
            records.sum_data.eq(correlator.write_data),
        ]

        # Windows.
        overruns = Cat(cic.overrun, fir.overrun, correlator.overrun)
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
            records.overrun.eq(overruns.any()),
            records.config_digest.eq(registers.config_digest),
        ]
        for member in ("decided", "closes", "crossing", "commanded", "timed", "before", "after"):
            m.d.comb += getattr(records, member).eq(getattr(window, member))

        for c in Channel:
            m.d.comb += [window.samples[c].eq(fir.samples[c]), correlator.samples[c].eq(fir.samples[c])]

        # Registers.
        clock = chain.clock_hz
        held = Signal(TICK_BITS - 32)
        with m.If(spi.read & (spi.address == BY_NAME["TICK_LO"].address)):
            m.d.sync += held.eq(cic.ticks[32:])
        m.d.comb += [
            registers.MAGIC.eq(cast(int, BY_NAME["MAGIC"].reset)),
            registers.VERSION.eq(cast(int, BY_NAME["VERSION"].reset)),
            registers.BUILD.eq(chain.digest),
            registers.CAPABILITIES.eq(int(chain.capabilities)),
            registers.CLOCK_NUM.eq(clock.numerator),
            registers.CLOCK_DEN.eq(clock.denominator),
            registers.CHAIN.eq(
                chain.clocks_per_tick << 24 | chain.decimation << 8 | FIR_DECIMATION << 4 | chain.banks_log2
            ),
            registers.STATUS.eq(overruns),
            registers.TICK_LO.eq(cic.ticks[:32]),
            registers.TICK_HI.eq(held),
        ]

        # Host.
        m.d.comb += [
            spi.cs_n.eq(self.cs_n),
            spi.sck.eq(self.sck),
            spi.copi.eq(self.copi),
            self.cipo.eq(spi.cipo),
            registers.address.eq(spi.address),
            registers.write.eq(spi.write),
            registers.data.eq(spi.data),
            spi.known.eq(registers.known),
            spi.writable.eq(registers.writable),
            spi.value.eq(registers.read),
            spi.level.eq(records.level),
            spi.oldest.eq(records.oldest),
            spi.fetched.eq(records.fetched),
            spi.word.eq(records.data),
            records.fetch.eq(spi.fetch),
            records.fetch_word.eq(spi.fetch_word),
            records.pop.eq(spi.pop),
        ]
        return m
