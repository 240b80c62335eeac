"""No memory is asked for a word in the clock that writes it: docs/decisions/018-memories-read-and-written.md."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from amaranth import Assert, Module, Signal
from amaranth.lib.memory import Memory
from gateware_bench import Host, Netlist, noise, play

from gateware.bitstream import plan
from gateware.boards import NAMES, board
from gateware.capture import SET_WORDS
from gateware.chain import Chain
from gateware.frames import Op
from gateware.record_words import RECORD_WORDS
from gateware.registers import BLOCK_BY_NAME, CHANNELS, EVENT_LOG_ENTRIES, CaptureCommand

CHAIN = Chain(capture_log2=10, record_slots=8)
ONE_PORT = ((SET_WORDS << CHAIN.capture_log2, 64), (RECORD_WORDS * CHAIN.record_slots, 64))
"""The rings', of which that of the records has one address for both on the iCE40UP5K."""
OLD_DATA = (4 * EVENT_LOG_ENTRIES, 32)
"""The events', whose readers may count on the old word: yosys is told to keep it so."""


def program(host: Host) -> None:
    """Every engine at work, and the host at each memory it can reach, while windows end every other sample set."""
    host.write("WINDOW_MAX", 2)
    host.write("PHANTOM", 1)
    host.write("CAPTURE", CaptureCommand.RUN)
    host.write("COUNTER_CLEAR", 1)
    for k, name in enumerate(("EVENT_LOG", "PHANTOM_WAVES", "COUNTERS", "GATE")):
        block = BLOCK_BY_NAME[name]
        host.ask(Op.READ, block.address, 2)
        if block.writable:
            host.ask(Op.WRITE, block.address + k, data=0x4000_0000)
        host.ask(Op.CAPTURE, k, 1)
        host.ask(Op.RECORD, 0, 1)
        host.ask(Op.POP, k)


@pytest.mark.slow
def test_no_word_is_read_while_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole gateware in Amaranth's simulator, a watch at every memory with a port each way."""
    tape = Netlist(CHAIN, tape=True)
    program(Host(CHAIN, noise(3), tape, clocks_per_bit=Fraction(4)))
    bits, pins, cipo = (np.concatenate(part) for part in zip(*tape.tape, strict=True))

    elaborate = Memory.elaborate
    watched = []

    def watch(memory: Memory, platform: object) -> Module:
        m = Module()
        m.submodules.inside = elaborate(memory, platform)
        if memory.write_ports and (memory.depth, memory.data.shape) != OLD_DATA:
            (reads,), (writes,) = memory.read_ports, memory.write_ports
            what = f"memory of {memory.depth} words of {memory.data.shape}"
            same = (reads.addr == writes.addr) | ((memory.depth, memory.data.shape) in ONE_PORT)
            met = Signal()
            m.d.comb += met.eq(reads.en & writes.en & same)
            m.d.sync += Assert(~met, f"{what}: read while written")
            watched.append(what)
        return m

    monkeypatch.setattr(Memory, "elaborate", watch)
    np.testing.assert_array_equal(play(CHAIN, bits, pins), cipo)
    assert len(watched) == CHANNELS + 8  # and CIC, FIR, delay line, banks, ring, phantom load, counters, capture


@pytest.mark.parametrize("name", NAMES)
def test_yosys_is_told(name: str) -> None:
    files, _ = plan._files(board(name), 0)
    netlist, script = files[f"{plan.NAME}.il"], files[f"{plan.NAME}.ys"]
    steps = ("read_rtlil", "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2", "*.events/* %d", "synth_")
    places = [script.index(step) for step in steps]
    assert places == sorted(places)
    assert set(re.findall(r"COLLISION_X_MASK (\S+)", netlist)) == {"0'0", "1'0"}, "at most one port writes a memory"
