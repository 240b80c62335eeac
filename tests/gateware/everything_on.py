"""A host that has every part of the gateware at work at once, and reads all of it: a program for any set of engines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gateware_bench import Host

from gateware.frames import MAX_COUNT, Op, ReplyStatus
from gateware.record_words import Record
from gateware.registers import (
    BLOCK_BY_NAME,
    PULSE_PINS,
    CaptureCommand,
    CaptureFlag,
    CaptureState,
    Channel,
    Counter,
    CounterWord,
    EventKind,
    GateWord,
)

_SETTINGS = {
    "WINDOW_MIN": 8,
    "WINDOW_MAX": 60,
    "OSCILLATOR_STEP": (1 << 32) // 15,
    "PHANTOM_STEP": (1 << 32) // 17,
    "DELAY_V2": 3,
    "DELAY_I3": 200,
    "COUNTER_FILTER": 40,
    "GATE_COUNTER": Counter.KYZ1,
    "CAPTURE_AFTER": 20,
    "CAPTURE_TRIGGER": 1 << 24 + EventKind.LOSS | 7 << 20,
}
_LEVELS = {"EVENT_SAMPLES": 20, "SAG_LEVEL": 300_000, "SWELL_LEVEL": 380_000, "LOSS_LEVEL": 60_000}
_STEP_TICKS = 1000
"""Contacts stay for this long, and for the frames that follow: the model knows the counters when they have settled."""


@dataclass(frozen=True)
class Readings:
    """What the host read in the end, engines having agreed on each byte of it."""

    records: list[Record]
    counters: list[int]
    events: list[int]
    """Upper words of the event log's entries."""
    capture_state: CaptureState
    captured: list[int]

    def count(self, counter: Counter, word: CounterWord) -> int:
        return self.counters[8 * counter + word]


def play_everything(host: Host, steps: int, seed: int = 0) -> Readings:
    """Half of the steps on the pins, half on the phantom load; contacts move at random at each."""
    generator = np.random.default_rng(seed)
    sample = host.chain.ticks_per_sample
    for name, value in _SETTINGS.items():
        host.write(name, value)
    for name, value in _LEVELS.items():  # written before a sample set is looked at, not while it is
        host.run_to(-(-host.ticks // sample) * sample)
        host.write(name, value)
    for k, word in enumerate(generator.integers(0, 1 << 32, BLOCK_BY_NAME["PHANTOM_WAVES"].count).tolist()):
        # Tame amplitudes: an eighth of full scale each, and nothing on V2, which so loses its phase.
        _write_word(host, "PHANTOM_WAVES", k, word & 0xFFF_FFFF if k // 8 != Channel.V2 else 0)
    host.write("COUNTER_CLEAR", 1)
    host.run(_STEP_TICKS)
    _write_word(host, "GATE", GateWord.OPEN_LO, 0)
    _write_word(host, "GATE", GateWord.OPEN_HI, 0)

    records: list[Record] = []
    for step in range(steps):
        if step == 1:
            host.write("CAPTURE", CaptureCommand.RUN)
        if step == steps // 2 - 1:
            host.write("CAPTURE", CaptureCommand.ARM)
        if step == steps // 2:
            host.write("PHANTOM", 1)
        host.contacts(int(generator.integers(1 << PULSE_PINS)))
        host.run(_STEP_TICKS)
        records += host.drain()
    host.contacts(0)
    host.run(_STEP_TICKS)
    host.read("COUNTER_STATE")
    return Readings(
        records,
        _block(host, "COUNTERS") + _block(host, "GATE"),
        _block(host, "EVENT_LOG")[1::2],
        CaptureState(host.read("CAPTURE_STATE") & 7),
        _ring(host, 40),
    )


def check_all_was_at_work(readings: Readings) -> None:
    """An agreement about parts that never moved would prove nothing."""
    assert np.all(np.any([r.sums for r in readings.records], axis=0)), "each of the 57 sums was other than 0"
    assert {bool(r.flags & r.flags.PHANTOM) for r in readings.records} == {False, True}
    assert any(r.whole_cycles for r in readings.records)
    for counter in Counter:
        assert readings.count(counter, CounterWord.COUNT) > 1
        assert readings.count(counter, CounterWord.LONGEST) > readings.count(counter, CounterWord.SHORTEST) > 0
    assert readings.count(Counter.KYZ2, CounterWord.ILLEGAL) > 0
    kinds = {EventKind(word >> 16 & 0x1F) for word in readings.events if word}
    assert kinds >= {EventKind.SAG, EventKind.SWELL, EventKind.LOSS}
    assert readings.capture_state is CaptureState.DONE
    assert any(CaptureFlag(word >> 60) & CaptureFlag.TRIGGER for word in readings.captured[::2])


def _write_word(host: Host, block: str, index: int, value: int) -> None:
    assert host.ask(Op.WRITE, BLOCK_BY_NAME[block].address + index, data=value)[0] is ReplyStatus.OK


def _block(host: Host, name: str) -> list[int]:
    block = BLOCK_BY_NAME[name]
    words: list[int] = []
    while len(words) < block.count:
        count = min(MAX_COUNT[Op.READ], block.count - len(words))
        status, items = host.ask(Op.READ, block.address + len(words), count)
        assert status is ReplyStatus.OK
        words += np.frombuffer(items, ">u4").tolist()
    return words


def _ring(host: Host, sets: int) -> list[int]:
    """The newest sample sets of the capture, two words each."""
    size = 2 << host.chain.capture_log2
    place = host.read("CAPTURE_STATE") >> 16
    words: list[int] = []
    for k in range(2 * (place - sets), 2 * place, 2):
        host.write("CAPTURE_PAGE", k % size >> 8)
        status, items = host.ask(Op.CAPTURE, k & 0xFF, 2)
        assert status is ReplyStatus.OK
        words += np.frombuffer(items, ">u8").tolist()
    return words
