"""What the gateware's tests share: modulator bits, and a host that drives several engines and compares them."""

from __future__ import annotations

import gc
import itertools
import warnings
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from amaranth import Cat, Module, Signal
from amaranth.hdl import UnusedElaboratable
from amaranth.lib.wiring import Component
from amaranth.sim import Simulator

from gateware.chain import Chain
from gateware.frames import MAX_COUNT, Op, ReplyStatus, reply_offset, request
from gateware.metrology import Metrology
from gateware.record_words import RECORD_WORDS, Record
from gateware.registers import BY_NAME, CHANNELS
from gateware.twin.behind_bus import BehindBus, ModelBehindBus, NetlistBehindBus
from gateware.twin.bus import CS_N, Timing, timing

Source = Callable[[int], np.ndarray]
"""Gives the next n ticks of modulator bits, uint8, bit c of each for channel c."""

CLOCKS_PER_BIT = Fraction(40, 9)
"""SCK at 3 MHz and a clock of 13⅓ MHz: what the rig uses."""

_BLOCK_TICKS = 1 << 14
_CHUNK_TICKS = 1 << 18


def _in_blocks(block: Callable[[], np.ndarray]) -> Source:
    """A source whose bits do not depend on how many are asked for at a time."""
    ahead = np.empty(0, np.uint8)

    def take(ticks: int) -> np.ndarray:
        nonlocal ahead
        parts = [ahead]
        while sum(map(len, parts)) < ticks:
            parts.append(block())
        ahead = np.concatenate(parts) if len(parts) > 1 else ahead
        bits, ahead = ahead[:ticks], ahead[ticks:]
        return bits

    return take


def noise(seed: int) -> Source:
    """Every bit of every channel a coin's throw."""
    generator = np.random.default_rng(seed)
    return _in_blocks(lambda: generator.integers(0, 1 << CHANNELS, _BLOCK_TICKS, np.uint8))


def steady(*pattern: int) -> Source:
    """The same few ticks again and again."""
    repeated = np.array(pattern * -(-_BLOCK_TICKS // len(pattern)), np.uint8)
    return _in_blocks(lambda: repeated)


def mains(period_ticks: float, amplitude: float = 0.9) -> Source:
    """Six sines of different phase through a first-order modulator."""
    starts = itertools.count(step=_BLOCK_TICKS)
    carry = np.zeros(CHANNELS)
    offsets = np.array([0, 2.1, 4.2, 0.3, 2.6, 4.9])
    weights = (1 << np.arange(CHANNELS)).astype(np.uint8)

    def block() -> np.ndarray:
        nonlocal carry
        ticks = next(starts) + np.arange(_BLOCK_TICKS)
        phases = 2 * np.pi * (ticks[:, None] % period_ticks) / period_ticks - offsets
        density = np.clip((1 + amplitude * np.sin(phases)) / 2, 0, 1)
        sums = np.cumsum(density, axis=0) + carry
        carry = sums[-1] % 1
        return np.diff(np.floor(sums), axis=0, prepend=0).astype(np.uint8) @ weights

    return _in_blocks(block)


class Netlist(NetlistBehindBus):
    """A compiled netlist. With `tape` it keeps the bits, the pins and CIPO at each clock, for other simulators."""

    def __init__(self, chain: Chain, engine: str = "native", *, gated: bool = True, tape: bool = False) -> None:
        super().__init__(chain, engine, gated=gated)
        self.tape: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._clocks_per_tick = chain.clocks_per_tick
        self._taping = tape

    def run(self, bits: np.ndarray) -> None:
        if self._taping:
            self.drive(bits, np.full(len(bits) * self._clocks_per_tick, CS_N, np.uint8))
        else:
            super().run(bits)

    def drive(self, bits: np.ndarray, pins: np.ndarray) -> np.ndarray:
        cipo = super().drive(bits, pins)
        if self._taping:
            self.tape.append((bits, pins, cipo))
        return cipo


class Host:
    """Gives every engine the same bits and frames; a reply that differs from the first engine's is a failure."""

    def __init__(
        self, chain: Chain, source: Source, *engines: BehindBus, clocks_per_bit: Fraction = CLOCKS_PER_BIT
    ) -> None:
        self.chain = chain
        self.ticks = 0
        self.level = 0
        self.clocks_per_bit = clocks_per_bit
        self._source = source
        self._engines = engines
        self._sequence = 0

    def contacts(self, levels: int) -> None:
        """Set the level of the pulse pins from now on."""
        for engine in self._engines:
            engine.contacts(levels)

    def run(self, ticks: int) -> None:
        """Let time pass with the bus idle."""
        while ticks > 0:
            bits = self._source(min(ticks, _CHUNK_TICKS))
            for engine in self._engines:
                engine.run(bits)
            self.ticks += len(bits)
            ticks -= len(bits)

    def run_to(self, tick: int) -> None:
        assert tick >= self.ticks
        self.run(tick - self.ticks)

    def frame(self, frame: bytes, late: int = 0) -> bytes:
        """Send raw bytes, `late` clocks after the tick; returns as many."""
        shape = timing(len(frame), self.clocks_per_bit, self.chain.clocks_per_tick)
        if late:
            shape = _later(shape, late, self.chain.clocks_per_tick)
        bits = self._source(len(shape.pins) // self.chain.clocks_per_tick)
        first, *others = [engine.transfer(frame, shape, bits) for engine in self._engines]
        for other in others:
            assert other.hex() == first.hex(), (
                f"tick {self.ticks} + {late} clocks: frame {frame.hex()}, replies {first.hex()} and {other.hex()}"
            )
        self.ticks += len(bits)
        return first

    def ask(
        self, op: Op, address: int, count: int = 0, data: int | None = None, late: int = 0
    ) -> tuple[ReplyStatus, bytes]:
        """One request; returns the reply's status and items."""
        self._sequence = (self._sequence + 1) & 0xFF
        reply = self.frame(request(op, self._sequence, address, count, data), late)[reply_offset(op) :]
        assert reply[1] == self._sequence
        self.level = reply[0] & 0xF
        return ReplyStatus(reply[0] >> 4), reply[2:-4]

    def read(self, name: str) -> int:
        status, items = self.ask(Op.READ, BY_NAME[name].address, 1)
        assert status is ReplyStatus.OK
        return int.from_bytes(items, "big")

    def write(self, name: str, value: int, late: int = 0) -> None:
        status, _ = self.ask(Op.WRITE, BY_NAME[name].address, data=value, late=late)
        assert status is ReplyStatus.OK

    def close_at(self, tick: int) -> None:
        """Arm a commanded closing."""
        self.write("CLOSE_AT_LO", tick & 0xFFFF_FFFF)
        self.write("CLOSE_AT_HI", tick >> 32)

    def record(self) -> Record | None:
        """The oldest record, popped, or None."""
        most = MAX_COUNT[Op.RECORD]
        words: list[int] = []
        while len(words) < RECORD_WORDS:
            status, items = self.ask(Op.RECORD, len(words), min(most, RECORD_WORDS - len(words)))
            if status is ReplyStatus.NOT_THERE:
                assert not words
                return None
            words += np.frombuffer(items, ">u8").tolist()
        record = Record.from_words(words)
        assert self.ask(Op.POP, record.sequence & 0xFF)[0] is ReplyStatus.OK
        return record

    def drain(self) -> list[Record]:
        """The records that wait now; those that come meanwhile may come faster than they can be read."""
        self.read("MAGIC")
        return [record for _ in range(self.level) if (record := self.record()) is not None]


def both(chain: Chain, source: Source, clocks_per_bit: Fraction = CLOCKS_PER_BIT) -> Host:
    """A host on the native twin and the model."""
    return Host(chain, source, Netlist(chain), ModelBehindBus(chain), clocks_per_bit=clocks_per_bit)


def _later(shape: Timing, clocks: int, multiple: int) -> Timing:
    more = -(-clocks // multiple) * multiple - clocks
    return Timing(
        np.concatenate((np.full(clocks, CS_N), shape.pins, np.full(more, CS_N))).astype(np.uint8),
        shape.edges + clocks,
        np.concatenate((np.full(clocks, -1), shape.bit, np.full(more, -1))),
    )


def simulate(design: Component | Module, *testbenches: Callable, background: Callable | None = None) -> None:
    """Run testbenches in Amaranth's simulator, one clock every microsecond, until all but `background` have ended."""
    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    for testbench in testbenches:
        simulator.add_testbench(testbench)
    if background is not None:
        simulator.add_testbench(background, background=True)
    simulator.run()


def play(chain: Chain, bits: np.ndarray, pins: np.ndarray) -> np.ndarray:
    """CIPO at each clock from Amaranth's simulator, its lines and bus driven as harness.cpp drives them."""
    m = Module()
    m.submodules.top = top = Metrology(chain)
    bus = Signal(3, init=CS_N)  # one signal for all: the simulator's time goes by accesses
    m.d.comb += Cat(top.cs_n, top.sck, top.copi).eq(bus)
    cipo = np.empty(len(pins), np.uint8)

    async def bench(ctx) -> None:
        before, tick, now = 0, 0, 0
        for k, pin in enumerate(pins.tolist()):
            mclk = ctx.get(top.mclk)
            if mclk and not before:
                now = int(bits[tick])
                tick += 1
            if mclk != before:
                ctx.set(top.lines, (now & 7 if mclk != chain.swapped else now >> 3) if chain.paired else now)
            before = mclk
            ctx.set(bus, pin)
            cipo[k] = ctx.get(top.cipo)
            await ctx.tick()

    simulate(m, bench)
    return cipo


def refuses(make: Callable[[], Component], because: str) -> None:
    """`make` must fail its assertion; the component it leaves behind is let go without Amaranth's warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(AssertionError, match=because):
            make()
        gc.collect()
