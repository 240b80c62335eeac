"""Frames that race the end of a window: the twin and the model must agree about every clock.

This pins the latencies by which the model stands in for the netlist when a host pops, reads and writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pytest
from gateware_bench import CLOCKS_PER_BIT, Host, both, noise

from gateware.chain import Chain
from gateware.frames import MAX_COUNT, Op, ReplyStatus, reply_offset, request
from gateware.model import model
from gateware.model.port import CHECK_LATENCY
from gateware.registers import BY_NAME
from gateware.twin.behind_bus import BehindBus
from gateware.twin.bus import timing

CHAIN = Chain(record_slots=8)
"""Its ring is soon full."""
SAMPLE = CHAIN.ticks_per_sample

WINDOW = 8
"""Samples of a window while frames race its end."""

REACH_CLOCKS = 1200
"""More than a sample set before and after the decision: a frame meets everything the chain does in between."""


class Race:
    """Timed windows one after another; frames are executed at a chosen clock around the decision that ends one."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.host.write("HYSTERESIS", (1 << 19) - 1)
        self.host.write("WINDOW_MAX", WINDOW)
        self.sequence = 0
        self.number = 0
        self.host.run_to(3 * WINDOW * SAMPLE)
        self.end = self.pop_all()

    def pop_all(self) -> int:
        """Compare the header of each waiting record and drop it; the tick at which the last ended."""
        host = self.host
        host.read("MAGIC")
        while host.level:
            status, items = host.ask(Op.RECORD, 0, MAX_COUNT[Op.RECORD])
            assert status is ReplyStatus.OK
            words = np.frombuffer(items, ">u8").tolist()
            self.sequence = words[0] >> 32
            self.end = words[2]
            assert host.ask(Op.POP, self.sequence & 0xFF)[0] is ReplyStatus.OK
        return self.end

    def decision(self) -> int:
        """Clock of the next decision that ends a window and can still be raced."""
        earliest = self.host.ticks * 4 + REACH_CLOCKS + 800
        end = self.end
        while self._decided(end) < earliest:
            end += WINDOW * SAMPLE
        return self._decided(end)

    @staticmethod
    def _decided(end: int) -> int:
        """The sample set after the one of stamp `end` decides."""
        return (end + SAMPLE - 1) * 4 + model.STROBE_CLOCK + model.SAMPLE_LATENCY

    def send(self, frame: bytes, op: Op, clock: int) -> None:
        """Have `frame` executed at `clock`."""
        last_bit = 8 * (reply_offset(op) - 1) - 1
        start = clock - CHECK_LATENCY - int(timing(len(frame), CLOCKS_PER_BIT, 4).edges[last_bit])
        self.host.run_to(start // 4)
        self.host.frame(frame, late=start % 4)

    def read(self, offset: int) -> None:
        """Is there a record yet?"""
        self.send(request(Op.RECORD, 1, 0, 1), Op.RECORD, self.decision() + offset)

    def level(self, offset: int) -> None:
        """How many records wait, and what time is it?"""
        request_ticks = request(Op.READ, 1, BY_NAME["TICK_LO"].address, 2)
        self.send(request_ticks, Op.READ, self.decision() + offset)

    def pop(self, offset: int) -> None:
        """With the ring full: does the window find the room or not?"""
        host = self.host
        while host.level < CHAIN.ring:
            host.run(WINDOW * SAMPLE)
            host.read("MAGIC")
        self.end += WINDOW * SAMPLE * CHAIN.ring
        self.send(request(Op.POP, 1, self.sequence + 1 & 0xFF), Op.POP, self.decision() + offset)

    def write(self, offset: int, name: str, value: int) -> None:
        register = BY_NAME[name].address
        self.send(request(Op.WRITE, 1, register, data=value), Op.WRITE, self.decision() + offset)

    def hysteresis(self, offset: int) -> None:
        """The digest in the record's header is that of its own end."""
        self.number += 1
        self.write(offset, "HYSTERESIS", (1 << 19) - 1 - self.number % 1000)

    def delay(self, offset: int) -> None:
        self.number += 1
        self.write(offset, "DELAY_I2", self.number * 7 % 256)

    def close(self, offset: int) -> None:
        """A closing commanded in the past: from which sample on does it count?"""
        self.write(offset, "CLOSE_AT_HI", 0)


def race(what: str, offsets: Iterable[int], *engines: BehindBus) -> None:
    """Replies and records of the engines, the native twin and the model without any, agree at every offset."""
    everything = Race(Host(CHAIN, noise(7), *engines) if engines else both(CHAIN, noise(7)))
    for offset in offsets:
        try:
            getattr(everything, what)(offset)
            everything.host.run(300)
            everything.pop_all()
        except AssertionError as error:
            raise AssertionError(f"{what} executed {offset} clocks after the decision") from error


NEAR = sorted({*range(-REACH_CLOCKS, REACH_CLOCKS, 17), *range(-40, 40), *range(190, 210)})
WAYS = ("read", "level", "pop", "hysteresis", "delay", "close")


@pytest.mark.slow
@pytest.mark.parametrize("what", WAYS)
def test_frames_racing_the_end_of_a_window(what):
    """At every clock near the decision, the switch and the end of the copy; at every 17th up to a sample set away."""
    race(what, NEAR)


@pytest.mark.slow
@pytest.mark.parametrize("what", WAYS)
def test_frames_racing_the_end_of_a_window_at_every_clock(what):
    race(what, range(-REACH_CLOCKS, REACH_CLOCKS))


@pytest.mark.parametrize("clocks_per_bit", [Fraction(4), Fraction(40, 9), Fraction(13), Fraction(250)])
def test_any_sck(clocks_per_bit):
    """Slow frames too, in which windows end while the request and the reply are on the wire."""
    host = both(CHAIN, noise(8), clocks_per_bit=clocks_per_bit)
    host.write("WINDOW_MAX", 3)
    for _ in range(40):
        host.ask(Op.READ, BY_NAME["TICK_LO"].address, 2)
        status, items = host.ask(Op.RECORD, 0, 1)
        if status is ReplyStatus.OK and host.level > 4:
            host.ask(Op.POP, items[3])
