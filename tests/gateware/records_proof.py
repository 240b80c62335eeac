"""A design whose assertions say that the record memory loses and doubles nothing, for yosys to prove by induction.

Line-cycle window, records and SPI peripheral are the gateware's own, connected as in gateware/metrology.py. Around them
is everything they can meet: inputs are free, but for the assumptions in `_assume`. Memories keep the words of one
address that is arbitrary but fixed, and give anything for the others, which is all that block RAM and SPRAM promise to
whoever looks at that address; so what is proved of the word looked at is proved of every word.

Assumed, and shown elsewhere: sample sets come at least GAP clocks apart (1024 in the chain: the budgets that
gateware/cic.py and gateware/fir.py assert), their stamps 256 ticks apart (tests/gateware/test_cic.py), the correlator
uses its ports only while its sums are due and writes only sums (tests/gateware/test_correlator.py), and no record has
2³² samples, which are 91 hours; the meter refuses one of 2²⁵.
"""

from __future__ import annotations

import gc
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from amaranth import Cat, ClockDomain, Const, Elaboratable, Module, Mux, Signal, Value
from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, UnusedElaboratable

import gateware
from gateware.chain import Chain
from gateware.correlator import schedule
from gateware.record_words import HEADER_WORDS, RECORD_WORDS
from gateware.records import _CLOSE, _COPY, CLOSING_CLOCKS
from gateware.registers import TICK_BITS
from gateware.spi import SpiState

GAP = CLOSING_CLOCKS + 3
"""Clocks between sample sets, at the least: a fifth of the chain's."""

_AGE_MOST = 511
"""Where the count of clocks since a decision stops."""


Claims = dict[str, Value]
"""What is asserted, each in words."""


def claim_signal(name: str) -> str:
    """The name of a claim's signal in the netlist."""
    return "claim_" + re.sub(r"\W+", "_", name)


def source(name: str, mutations: Mapping[str, str]) -> ModuleType:
    """The module gateware.`name`, with each text of `mutations` that it has once replaced by another."""
    text = (Path(gateware.__file__).parent / f"{name}.py").read_text()
    for old, new in mutations.items():
        if old in text:
            assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}.py"
            text = text.replace(old, new)
    module = ModuleType(f"gateware.{name}")
    exec(compile(text, f"{name}.py", "exec", dont_inherit=True), module.__dict__)
    return module


class Open(Elaboratable):
    """A component with its inner registers to be seen: `see` has them by their names, once it was elaborated."""

    def __init__(self, inside: Elaboratable) -> None:
        self.inside = inside
        self.see: dict[str, Signal] = {}
        self.module = Module()

    def elaborate(self, platform: object) -> Module:
        self.module = m = self.inside.elaborate(platform)  # type: ignore[attr-defined]
        self.see |= {signal.name: signal for signal in m._driving}
        return m


class _Port:
    def __init__(self, depth: int) -> None:
        self.addr = Signal(range(depth))
        self.data = Signal(64)
        self.en = Signal()


class Tracked(Elaboratable):
    """A memory of which the words at the addresses `looked_at` are kept in `kept`; others read as anything."""

    def __init__(self, *, shape: int, depth: int, **_: object) -> None:
        self.read, self.write = _Port(depth), _Port(depth)
        self.anything = Signal(64)
        self._looked_at: list[Value] = []
        self.kept: list[Signal] = []

    def look_at(self, *addresses: Value) -> None:
        self._looked_at += addresses
        self.kept += [Signal(64, name=f"kept{k}") for k in range(len(addresses))]

    def read_port(self) -> _Port:
        return self.read

    def write_port(self) -> _Port:
        return self.write

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.read.en):
            m.d.sync += self.read.data.eq(self.anything)
        for address, word in zip(self._looked_at, self.kept, strict=True):
            with m.If(self.write.en & (self.write.addr == address)):
                m.d.sync += word.eq(self.write.data)
            with m.If(self.read.en & (self.read.addr == address)):
                m.d.sync += self.read.data.eq(word)
        return m


class TrackedRing(Elaboratable):
    """RingMemory's ports, with a Tracked inside; a clock with read and write would be seen as `both`."""

    def __init__(self, words: int, spram: bool) -> None:
        self.memory = Tracked(shape=64, depth=words)
        self.write, self.read, self.both = Signal(), Signal(), Signal()
        self.write_word, self.read_word = Signal(range(words)), Signal(range(words))
        self.value, self.data = Signal(64), Signal(64)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = self.memory
        m.d.comb += [
            memory.write.en.eq(self.write),
            memory.write.addr.eq(self.write_word),
            memory.write.data.eq(self.value),
            memory.read.en.eq(self.read),
            memory.read.addr.eq(self.read_word),
            self.data.eq(memory.read.data),
            self.both.eq(self.read & self.write),
        ]
        return m


class RecordsProof(Elaboratable):
    """The gateware's parts, their surroundings, and `claims`, what is asserted of them. `inputs` are free."""

    def __init__(self, chain: Chain, spram: bool, mutations: Mapping[str, str]) -> None:
        self._chain = chain
        self._slots = chain.record_slots
        self._spram = spram
        self.banks: list[Tracked] = []
        self.rings: list[TrackedRing] = []
        records, window, spi = (source(name, mutations) for name in ("records", "window", "spi"))
        records.Memory = self._banks  # type: ignore[attr-defined]
        records.RingMemory = self._ring_memory  # type: ignore[attr-defined]
        self.records = records.Records(chain, spram)
        self.window = window.LineCycleWindow()
        self.spi = spi.SpiPeripheral(chain.capabilities)
        self.first = Signal(init=1)
        self.word_input, self.slot_input = Signal(6), Signal(range(self._slots))
        self.word, self.slot = Signal(6), Signal(range(self._slots))
        """The word and the slot that are looked at."""
        self.sample = Signal()
        self.claims: list[str] = []
        self.inputs: list[Signal] = [self.sample, self.word_input, self.slot_input]

    def _banks(self, **how: object) -> Tracked:
        self.banks.append(Tracked(**how))  # type: ignore[arg-type]
        return self.banks[-1]

    def _ring_memory(self, words: int, spram: bool) -> TrackedRing:
        self.rings.append(TrackedRing(words, spram))
        return self.rings[-1]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = clock = ClockDomain(reset_less=True)
        self.inputs.append(clock.clk)
        opened = {name: Open(getattr(self, name)) for name in ("records", "window", "spi")}
        self.records_inside, self.window_inside, self.spi_inside = opened.values()
        for name, component in opened.items():
            m.submodules[name] = component.elaborate(platform)
        (self.bank_memory,), (self.ring,) = self.banks, self.rings
        self.bank_memory.look_at(Cat(self.word, Const(0, 1)), Cat(self.word, Const(1, 1)))
        self.ring.memory.look_at(Cat(self.word, self.slot))
        self._connect(m)
        self._ghosts(m)
        self._assume(m)
        self._claim(m, self._window(m), self._counts(), self._ticks(), self._ring(m), self._words(m), self._pops(m))
        return m

    def _claim(self, m: Module, *parts: Claims) -> None:
        for name, value in (item for part in parts for item in part.items()):
            claim = Signal(name=claim_signal(name))
            m.d.comb += [claim.eq(value), Assert(claim)]
            self.claims.append(name)

    def _free(self, signal: Signal) -> Signal:
        self.inputs.append(signal)
        return signal

    def _connect(self, m: Module) -> None:
        records, window, spi = self.records, self.window, self.spi
        held = Signal(TICK_BITS, init=self._chain.tick_start)
        self.held = held
        m.d.sync += held.eq(window.stamp)
        m.d.comb += [
            window.sample.eq(self.sample),
            window.stamp.eq(Mux(self.sample, held + self._chain.ticks_per_sample, held)),
            records.stamp.eq(window.stamp),
            spi.level.eq(records.level),
            spi.oldest.eq(records.oldest),
            spi.fetched.eq(records.fetched),
            spi.word.eq(records.word),
            records.fetch.eq(spi.fetch),
            records.fetch_word.eq(spi.fetch_word),
            records.pop.eq(spi.pop),
        ]
        for member in ("decided", "closes", "crossing", "commanded", "timed", "before", "after"):
            m.d.comb += getattr(records, member).eq(getattr(window, member))
        for name in ("reference", "hysteresis", "window_min", "window_max", "close_at", "arm"):
            self._free(getattr(window, name))
        for channel in range(6):
            self._free(window.samples[channel])
        for name in ("overload", "dead", "overrun", "phantom", "config_digest", "oscillator_step"):
            self._free(getattr(records, name))
        for name in ("summing", "sum_read", "sum_write", "sum_word", "sum_data"):
            self._free(getattr(records, name))
        for name in ("cs_n", "sck", "copi", "known", "writable", "value"):
            self._free(getattr(spi, name))
        for memory in (self.bank_memory, self.ring.memory):
            self._free(memory.anything)

    def _ghosts(self, m: Module) -> None:
        """What is counted and kept beside the gateware, to compare with."""
        records, see = self.records, self.records_inside.see
        self.step, self.closing, self.copying = see["step"], see["closing"], see["copying"]
        self.bank, self.samples, self.previous = see["bank"], see["samples"], see["previous"]
        self.sequence, self.switch, self.copied = see["sequence"], see["switch"], see["copied"]
        self.moving = see["moving"]
        m.d.sync += [self.first.eq(0), self.word.eq(self.word_input), self.slot.eq(self.slot_input)]
        self.age = Signal(range(_AGE_MOST + 1), init=_AGE_MOST)  # clocks since the last decision
        self.since_start = Signal(range(_AGE_MOST + 1), init=_AGE_MOST)
        for count, restart in ((self.age, records.decided), (self.since_start, records.start)):
            m.d.sync += count.eq(Mux(restart, 1, Mux(count == _AGE_MOST, _AGE_MOST, count + 1)))
        self.decisions, self.starts, self.recorded = Signal(32), Signal(32), Signal(32)
        self.began = Signal(TICK_BITS, init=self._chain.tick_start)  # of the bank in progress
        self.last_end = Signal(TICK_BITS, init=self._chain.tick_start)  # of the record before
        m.d.sync += [
            self.decisions.eq(self.decisions + records.decided),
            self.starts.eq(self.starts + records.start),
            self.recorded.eq(self.recorded + Mux(self.switch, self.samples, 0)),
        ]
        with m.If(records.start & records.clear):
            m.d.sync += self.began.eq(self.previous)
        # The record that was closed last, and the one in the slot looked at: its numbers, and the word looked at.
        self.closed, self.there = (
            [Signal(s, name=f"{n}{s}_{k}") for k, s in enumerate((48, 48, 32, 32, 64))] for n in "ab"
        )
        with m.If(self.switch):
            m.d.sync += self.last_end.eq(self.previous)
            values = (self.began, self.previous, self.samples, self.sequence, self._in_bank(self.bank))
            m.d.sync += [signal.eq(value) for signal, value in zip(self.closed, values, strict=True)]
        self.newest, self.oldest = self._places()
        with m.If(self.copied & (self.newest == self.slot)):
            m.d.sync += [there.eq(closed) for there, closed in zip(self.there, self.closed, strict=True)]
        self.distance = Signal(range(self._slots + 1))
        m.d.comb += self.distance.eq(self._modulo(self.slot + self._slots - self.oldest))
        self.occupied = Signal()
        m.d.comb += self.occupied.eq(self.distance < records.level)

    def _in_bank(self, bank: Value) -> Value:
        return Mux(bank, self.bank_memory.kept[1], self.bank_memory.kept[0])

    def _places(self) -> tuple[Value, Value]:
        if self._slots == 1 << self._chain.slots_log2:
            return self.sequence[: self._chain.slots_log2], self.records.oldest[: self._chain.slots_log2]
        see = self.records_inside.see
        return see["newest_slot"], see["oldest_slot"]

    def _modulo(self, place: Value) -> Value:
        return Mux(place >= self._slots, place - self._slots, place)

    # --- what is assumed ----------------------------------------------------------------------------------

    def _assume(self, m: Module) -> None:
        records = self.records
        sums = len(schedule(self._chain.capabilities))
        m.d.comb += [
            Assume(self.first | ((self.word_input == self.word) & (self.slot_input == self.slot))),
            Assume(self.slot_input < self._slots),
            Assume(~self.first | ~self.sample),
            Assume(~self.sample | ((self.age >= GAP) & ~records.decided)),
            Assume(~records.summing | ((self.since_start >= 1) & (self.since_start <= sums + 2))),
            Assume(~records.sum_write | ((self.since_start >= 4) & (self.since_start <= sums + 3))),
            Assume(~records.sum_write | (records.sum_word >= HEADER_WORDS)),
            Assume(self.samples < (1 << 32) - 2),
        ]

    # --- what is asserted ---------------------------------------------------------------------------------

    def _window(self, m: Module) -> Claims:
        """A sample set is decided on once, in the next clock; a commanded closing happens once; no length overflows."""
        window, see = self.window, self.window_inside.see
        sampled, armed = Signal(), Signal()
        m.d.sync += sampled.eq(self.sample)
        with m.If(window.arm):
            m.d.sync += armed.eq(1)
        with m.Elif(self.sample & see["at_command"]):
            m.d.sync += armed.eq(0)
        reasons = window.crossing | window.commanded | window.timed
        return {
            "every sample set is decided on, once": window.decided == sampled,
            "a closing is pending from its arming to its command": see["pending"] == armed,
            "a commanded closing was armed": ~(self.sample & see["at_command"]) | armed,
            "a window's length does not overflow": ~self.sample | (see["length"] != 0xFFFF) | see["at_limit"],
            "a window closes for a reason": ~window.decided | (window.closes == reasons),
        }

    def _counts(self) -> Claims:
        """Every sample set joins one record, and its sums are begun once, afresh only for a record's first."""
        records, age, step = self.records, self.age, self.step
        closing, copying, start = self.closing, self.copying, records.start
        header = HEADER_WORDS + 2  # clocks from a closing's decision to the start after it
        rests = self.since_start + header
        in_step = step == age + _CLOSE - 1
        return {
            "at first there is nothing": ~self.first
            | ((self.samples == 0) & (records.level == 0) & ~records.decided & ~closing & ~copying & ~start),
            "every sample set is in one record": self.decisions == (self.recorded + self.samples + closing)[:32],
            "every sample set is summed once": self.decisions == (self.starts + closing + start)[:32],
            "sums begin afresh with a record's first": (self.samples == 0) | (records.clear == (self.samples == 1)),
            "what is summed has joined": ~start | (self.samples != 0),
            "what closes is not empty": ~closing | (self.samples != 0),
            "closing, copying, starting": ~(closing & copying) & ~(closing & start),
            "a closing's clocks": ~closing | ((age >= 1) & (age < header) & in_step),
            "a copy's clocks": ~copying | ((age >= header) & (age <= CLOSING_CLOCKS) & in_step),
            "a start's clock": ~start | (age == Mux(copying, header, 1)),
            "no decision meets the one before": ~records.decided | ((age >= GAP) & ~closing & ~copying & ~start),
            "sums begin with the copy": ~copying | start | (rests == age),
            "sums have begun since": closing | start | (rests >= age),
            "sums of the set before are done": ~(closing | start) | (rests >= GAP),
            "sums and copy do not want the port at once": ~(self.moving & records.summing),
            "no sum is written under a header": ~records.sum_write | ~(closing | (start & records.clear)),
        }

    def _ticks(self) -> Claims:
        """A record begins where the one before ended, and has 256 ticks a sample."""
        records, per_sample = self.records, self._chain.ticks_per_sample
        begins = records.start & records.clear
        waits = records.decided | self.closing | records.start  # the newest sample set has not been started yet
        summed = self.samples - records.start

        def after(begin: Value, samples: Value) -> Value:
            return (begin + (samples << per_sample.bit_length() - 1))[:TICK_BITS]

        return {
            "the last tick summed": self.previous == (self.held - Mux(waits, per_sample, 0))[:TICK_BITS],
            "ticks so far are 256 a sample": begins | (self.previous == after(self.began, summed)),
            "a record begins at the end of the last": Mux(begins, self.previous, self.began) == self.last_end,
            "ticks when closed": ~self.copying | (self.closed[1] == after(self.closed[0], self.closed[2])),
            "ticks are 256 a sample": ~self.occupied | (self.there[1] == after(self.there[0], self.there[2])),
        }

    def _ring(self, m: Module) -> Claims:
        """The ring never holds more than it has room for, no record that waits is written over, none changes place."""
        records, most = self.records, self._chain.ring
        level, oldest, ran = Signal.like(records.level), Signal(8), Signal()
        m.d.sync += [
            level.eq(records.level - records.pop + self.copied),
            oldest.eq(records.oldest + records.pop),
            ran.eq(1),
        ]
        there = (self.sequence - records.level + self.distance)[:32]
        return {
            "the ring does not overflow": records.level <= most,
            "what closes finds room": ~(self.closing | self.copying) | (records.level < most),
            "one record comes with a copy, one goes with a pop": ~ran | (records.level == level),
            "the oldest changes with a pop": ~ran | (records.oldest == oldest),
            "slots follow each other": self.newest == self._modulo(self.oldest + records.level),
            "slots exist": (self.newest < self._slots) & (self.oldest < self._slots),
            "no waiting record is written over": ~(self.occupied & (self.newest == self.slot)),
            "records wait in their order": ~self.occupied | (self.there[3] == there),
            "a sequence counts copies": ~self.copying | (self.closed[3] == self.sequence),
            "the ring has one port": ~(self.ring.read & self.ring.write),
            "only a copy writes the ring": ~self.ring.write | self.copying,
        }

    def _words(self, m: Module) -> Claims:
        """What the host reads is what was summed, and in the header what was counted."""
        records, step, word = self.records, self.step, self.word
        in_ring, mine, other = self.ring.memory.kept[0], self._in_bank(self.bank), self._in_bank(~self.bank)
        turn = Signal(6)  # of the word looked at, in the copy
        hit, expected, waited = Signal(), Signal(64), Signal()
        m.d.comb += turn.eq(word - (_COPY // 2) % RECORD_WORDS)
        m.d.sync += [
            hit.eq(self.ring.read & self.occupied & (self.ring.read_word == Cat(word, self.slot))),
            expected.eq(self.there[4]),
            waited.eq(self.records_inside.see["waiting"] & self.ring.write),
        ]
        written = self.copying & (step > _COPY + 1 + Cat(Const(0, 1), turn)) & (self.newest == self.slot)
        moves = self.moving & step[0] & (step[1:7] == word)
        begun = (self.samples != 0) & ~(records.start & records.clear)
        headed = [(word == w) & self.closing & (step > _CLOSE + w) for w in range(HEADER_WORDS)]
        claims = {
            "the tick of the begin is in the bank": ~(begun & (word == 1)) | (mine == self.began),
            "the tick of the end is in the bank": ~headed[2] | (mine == self.previous),
            "the samples are in the bank": ~headed[3] | (mine[32:] == self.samples),
            "the sequence is in the bank": ~headed[0] | (mine[32:] == self.sequence),
            "a closed bank stays as it is": ~self.copying | (other == self.closed[4]),
            "what is read is what is copied": ~moves | (self.bank_memory.read.data == self.closed[4]),
            "what is copied is in the ring": ~written | (in_ring == self.closed[4]),
            "what waits stays as it is": ~self.occupied | (in_ring == self.there[4]),
            "the host reads what was closed": ~hit | (self.ring.data == expected),
            "the host waits for one write at most": ~(waited & self.records_inside.see["waiting"] & self.ring.write),
            "banks are two": self.bank_memory.write.addr < 2 * RECORD_WORDS,
            "a sum is read from its word": ~records.summing
            | records.clear
            | (self.bank_memory.read.addr == Cat(records.sum_read, self.bank)),
            "a first sum is added to zero": self._zeros(),
        }
        for which, held, valid in (("closed", self.closed, self.copying), ("waiting", self.there, self.occupied)):
            for at, name, part in ((1, "begin", 0), (2, "end", 1)):
                claims[f"{which}: {name}"] = ~(valid & (word == at)) | (held[4] == held[part])
            for at, name, part in ((3, "samples", 2), (0, "sequence", 3)):
                claims[f"{which}: {name}"] = ~(valid & (word == at)) | (held[4][32:] == held[part])
        return claims

    def _zeros(self) -> Value:
        """Zeros are given, or read where nothing is ever written."""
        records = self.records
        if self._spram:
            return ~(records.summing & records.clear) | (self.bank_memory.read.addr >= 2 * RECORD_WORDS)
        return ~records.clear | (records.data == 0)

    def _pops(self, m: Module) -> Claims:
        """A POP drops the record it names, if that is the oldest, and once a frame."""
        spi, done = self.spi, Signal()
        with m.If(self.spi_inside.module.submodules.sync_cs.o):
            m.d.sync += done.eq(0)
        with m.Elif(spi.pop):
            m.d.sync += done.eq(1)
        return {
            "a POP finds a record": ~spi.pop | (spi.level != 0),
            "a POP drops the record it names": ~spi.pop | (spi.address == spi.oldest),
            "a POP acts once a frame": ~(spi.pop & done),
            "a frame acts before its reply": ~done | (Value.cast(self.spi_inside.see["state"]) >= SpiState.TURN.value),
        }


def netlist(chain: Chain, spram: bool = False, mutations: Mapping[str, str] | None = None) -> tuple[str, list[str]]:
    """The design in RTLIL, and its claims."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)  # the parts are elaborated by hand, to be looked into
        top = RecordsProof(chain, spram, mutations or {})
        module = top.elaborate(None)
        text = str(rtlil.convert(module, name="proof", ports=top.inputs, emit_src=False))
        claims = top.claims
        del top, module
        gc.collect()
    return text, claims
