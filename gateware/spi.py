"""SPI peripheral, mode 0: one frame a transfer, a request checked by its CRC, a reply that carries its own."""

from enum import Enum

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from gateware.frames import (
    CRC_BYTES,
    CRC_POLY,
    CRC_RESIDUE,
    HEAD_BYTES,
    ITEM_BYTES,
    MAX_COUNT,
    TURN_BYTES,
    Op,
    ReplyStatus,
    reply_offset,
)
from gateware.record_words import RECORD_WORDS
from gateware.registers import Capability

_HEAD_BITS = 8 * HEAD_BYTES
_CRC_BITS = 8 * CRC_BYTES
_TURN_BITS = 8 * TURN_BYTES
_READ_BITS = 8 * (reply_offset(Op.READ) - TURN_BYTES)
_WRITE_BITS = 8 * (reply_offset(Op.WRITE) - TURN_BYTES)


class SpiState(Enum):
    """States of the peripheral; see its table."""

    REQUEST = 0
    CHECK = 1
    TURN = 2
    HEAD = 3
    PAYLOAD = 4
    CRC = 5
    DONE = 6


class SpiPeripheral(wiring.Component):
    """Executes the frames of `gateware.frames` on the register file and the record FIFO.

    The SPI pins are oversampled by `sync`: two flip-flops and an edge detector. COPI is taken and CIPO turned
    to the next bit at the *rising* edge of SCK as seen here, three clocks after the pin, so a host that samples
    at its own rising edge always finds the bit settled: one whole SCK period less three clocks. That allows
    SCK up to a quarter of the clock.

    =========  =====================================  =======================================================
    state      leaves after                           meanwhile
    =========  =====================================  =======================================================
    REQUEST    56 bits (88 for a write)               shifts in; CIPO is 0
    CHECK      one clock                              judges the request; executes it if all is right
    TURN       8 bits                                 the first item is fetched; the last edge shows HEAD
    HEAD       16 bits                                sends status, level, sequence
    PAYLOAD    count × 32 or 64 bits                  sends items, each fetched while the one before leaves
    CRC        32 bits                                sends the CRC of head and payload
    DONE       the end of the frame                   CIPO is 0
    =========  =====================================  =======================================================

    Registers answer a clock after `read`, record and capture words when their memory is free (`fetched`).
    CS high returns to REQUEST from anywhere. What a frame does happens once, in CHECK, after its CRC was right.
    """

    cs_n: In(1, init=1)
    sck: In(1)
    copi: In(1)
    cipo: Out(1)

    # register file
    address: Out(8)
    known: In(1)
    writable: In(1)
    read: Out(1)
    taken: Out(1)
    """Strobes in the clock after `read`, in which `value` is taken for sending."""
    value: In(32)
    write: Out(1)
    data: Out(32)

    # record FIFO
    level: In(16)
    oldest: In(8)
    fetch: Out(1)
    fetch_word: Out(range(RECORD_WORDS))
    fetched: In(1)
    word: In(64)
    pop: Out(1)

    # waveform capture
    fetch_capture: Out(1)

    def __init__(self, capabilities: Capability) -> None:
        self._ops = [op for op in Op if op is not Op.CAPTURE or Capability.CAPTURE in capabilities]
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cs_n, sck, copi, sck_before, edge = Signal(init=1), Signal(), Signal(), Signal(), Signal()
        m.submodules.sync_cs = FFSynchronizer(self.cs_n, cs_n, init=1)
        m.submodules.sync_sck = FFSynchronizer(self.sck, sck)
        m.submodules.sync_copi = FFSynchronizer(self.copi, copi)
        m.d.sync += sck_before.eq(sck)
        m.d.comb += edge.eq(sck & ~sck_before)

        state = Signal(SpiState)

        # Coming in.
        bit = Signal(7)  # number of the bit at this edge
        shift = Signal(32)
        shifted = Signal(32)
        op, count, sequence = Signal(4), Signal(4), Signal(8)
        crc = Signal(32)
        m.d.comb += [shifted.eq(Cat(copi, shift[:31])), self.data.eq(shift)]

        # Going out. `out` leaves from the top; `item` is what follows it. Bits that will never leave may be anything.
        out, item = Signal(64), Signal(64)
        left = Signal(range(65))
        items = Signal(4)
        wanted = Signal()
        show = Signal()  # this edge turns CIPO to the next bit
        leaving = Signal()
        sending_crc = Signal()
        takes = Signal()  # this edge brings a bit of the request
        feedback = Signal()
        m.d.comb += [
            sending_crc.eq(state == SpiState.CRC),
            leaving.eq(Mux(sending_crc, ~crc[31], out[63])),
            feedback.eq(~sending_crc & (crc[31] ^ Mux(takes, copi, out[63]))),
            self.fetch_word.eq(self.address),
            self.read.eq(wanted & (op == Op.READ)),
        ]
        status = Signal(ReplyStatus)
        allowed = Signal()
        with m.Switch(op):
            for code in self._ops:
                with m.Case(code):
                    m.d.comb += allowed.eq(count <= MAX_COUNT[code])
        refused = Signal()
        m.d.comb += refused.eq(
            ~allowed
            | ((op == Op.READ) & ~self.known)
            | ((op == Op.WRITE) & ~self.writable)
            | ((op == Op.RECORD) & (self.address >= RECORD_WORDS))
        )
        long = (op == Op.RECORD) | (op == Op.CAPTURE)
        sends = (op == Op.READ) | long
        empty = self.level == 0
        absent = ((op == Op.RECORD) & empty) | ((op == Op.POP) & (empty | (self.oldest != self.address)))

        def next_part() -> None:
            """Load what follows the part whose last bit leaves now."""
            with m.If(items != 0):
                m.d.sync += [
                    out.eq(item),
                    left.eq(Mux(long, 8 * ITEM_BYTES[Op.RECORD], 8 * ITEM_BYTES[Op.READ])),
                    items.eq(items - 1),
                    self.address.eq(self.address + 1),
                    wanted.eq((items != 1) & (status == ReplyStatus.OK)),
                ]
                m.d.sync += state.eq(SpiState.PAYLOAD)
            with m.Else():
                m.d.sync += [left.eq(_CRC_BITS), state.eq(SpiState.CRC)]

        with m.If(cs_n):
            m.d.sync += [
                state.eq(SpiState.REQUEST),
                bit.eq(0),
                op.eq(0),
                crc.eq(0xFFFF_FFFF),
                wanted.eq(0),
                self.cipo.eq(0),
                self.fetch.eq(0),
                self.fetch_capture.eq(0),
                self.taken.eq(0),
            ]
        with m.Else():
            with m.If(show):
                m.d.sync += [
                    self.cipo.eq(leaving),
                    out.eq(out << 1),
                    left.eq(left - 1),
                ]
            with m.If(show | takes):
                m.d.sync += crc.eq((crc << 1) ^ Mux(feedback, CRC_POLY, 0))

            # Items: registers are there a clock later, words of 64 bits when their memory is free.
            m.d.sync += [self.taken.eq(self.read), self.fetch.eq(0), self.fetch_capture.eq(0)]
            with m.If(wanted):
                m.d.sync += [
                    self.fetch.eq(op == Op.RECORD),
                    self.fetch_capture.eq(op == Op.CAPTURE),
                    wanted.eq(0),
                ]
            with m.If(self.taken):
                m.d.sync += item.eq(Cat(item[:32], self.value))
            with m.If(self.fetched):
                m.d.sync += item.eq(self.word)

            with m.Switch(state):
                with m.Case(SpiState.REQUEST):
                    with m.If(edge):
                        m.d.comb += takes.eq(1)
                        m.d.sync += bit.eq(bit + 1)
                        with m.If((op != Op.WRITE) | (bit < _WRITE_BITS - _CRC_BITS)):
                            m.d.sync += shift.eq(shifted)  # a write's data stays while its CRC passes
                        with m.Switch(bit):
                            with m.Case(7):
                                m.d.sync += [op.eq(shifted[4:8]), count.eq(shifted[:4])]
                            with m.Case(15):
                                m.d.sync += sequence.eq(shifted)
                            with m.Case(23):
                                m.d.sync += self.address.eq(shifted)
                        with m.If(bit == Mux(op == Op.WRITE, _WRITE_BITS - 1, _READ_BITS - 1)):
                            m.d.sync += state.eq(SpiState.CHECK)
                with m.Case(SpiState.CHECK):
                    with m.If(crc != CRC_RESIDUE):
                        m.d.sync += status.eq(ReplyStatus.BAD_CRC)
                    with m.Elif(refused):
                        m.d.sync += status.eq(ReplyStatus.BAD_REQUEST)
                    with m.Elif(absent):
                        m.d.sync += status.eq(ReplyStatus.NOT_THERE)
                    with m.Else():
                        m.d.comb += [self.write.eq(op == Op.WRITE), self.pop.eq(op == Op.POP)]
                        m.d.sync += [status.eq(ReplyStatus.OK), wanted.eq(sends & (count != 0))]
                    m.d.sync += [
                        bit.eq(0),
                        crc.eq(0xFFFF_FFFF),
                        item.eq(0),
                        items.eq(Mux(sends, count, 0)),
                        left.eq(_HEAD_BITS),
                    ]
                    m.d.sync += state.eq(SpiState.TURN)
                with m.Case(SpiState.TURN):
                    with m.If(edge):
                        m.d.sync += bit.eq(bit + 1)
                        with m.If(bit == _TURN_BITS - 2):
                            waiting = Mux(self.level > 15, 15, self.level)
                            m.d.sync += out.eq(Cat(out[:48], sequence, waiting[:4], status))
                        with m.If(bit == _TURN_BITS - 1):
                            m.d.comb += show.eq(1)
                            m.d.sync += state.eq(SpiState.HEAD)
                with m.Case(SpiState.HEAD, SpiState.PAYLOAD):
                    with m.If(edge):
                        m.d.comb += show.eq(1)
                        with m.If(left == 1):
                            next_part()
                with m.Case(SpiState.CRC):
                    with m.If(edge):
                        m.d.comb += show.eq(1)
                        with m.If(left == 1):
                            m.d.sync += state.eq(SpiState.DONE)
                with m.Case(SpiState.DONE):
                    with m.If(edge):
                        m.d.sync += self.cipo.eq(0)

        return m
