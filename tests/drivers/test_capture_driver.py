"""The drivers of capture and event log on the bit-exact models, behind a link that is as slow as the real one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest

from drivers.capture import CaptureError, EventBegins, Level, WaveformCapture
from drivers.events import EventLog, LineEvent
from drivers.spi_link import Identity, LinkError
from gateware.chain import Chain
from gateware.model.capture import CaptureModel
from gateware.model.events import EventsModel
from gateware.record_words import RecordFlag
from gateware.registers import CHANNELS, Capability, Channel, EventKind

CHAIN = replace(Chain(), capture_log2=10)
DEPTH = 1 << CHAIN.capture_log2
FRAME_TICKS = 300
"""What an exchange takes, about: more than one sample set."""

PERIOD = 217
"""Sample sets of a line cycle."""


def signal(ordinals: np.ndarray) -> np.ndarray:
    """What the channels measure: sines, v1 gone low from set 4000 to 5000, so that every set is recognisable."""
    turn = 2 * np.pi * ordinals / PERIOD
    samples = np.stack([np.sin(turn - 2 * k) * (100_000 + 1000 * k) for k in range(CHANNELS)], axis=1)
    samples[(ordinals >= 4000) & (ordinals < 5000), 0] *= 0.3
    return np.rint(samples).astype(np.int64)


@dataclass
class Models:
    """Both models fed with `signal`, behind what the drivers use of a link."""

    tick: int = 0
    start: int = 0

    def __post_init__(self) -> None:
        clock = CHAIN.clock_hz
        self.identity = Identity(0, 0, CHAIN.capabilities, clock, 4, CHAIN.ticks_per_sample, CHAIN.ring, CHAIN.quarter)
        self.capture, self.log = CaptureModel(CHAIN), EventsModel()
        self.registers = {"SAG_LEVEL": 0, "SWELL_LEVEL": 0, "LOSS_LEVEL": 0, "EVENT_SAMPLES": PERIOD // 2}
        self.frames = 0
        self.overload = 0

    def let_pass(self, ticks: int) -> None:
        step = CHAIN.ticks_per_sample
        ordinals = np.arange(self.tick // step + 1, (self.tick + ticks) // step + 1)
        self.tick += ticks
        if len(ordinals):
            samples, stamps = signal(ordinals), (self.start + step * ordinals) % (1 << 48)
            closes = (ordinals % PERIOD == 0).astype(np.int64)
            masks = np.full(len(ordinals), self.overload)
            config = np.array(list(self.registers.values()), np.int64)
            crossings = closes * int(RecordFlag.END_CROSSING)
            begins = self.log.feed(samples, stamps, masks, 0 * masks, crossings, config)
            self.capture.feed(samples, stamps, closes, begins)

    def pass_time(self, seconds: float) -> None:
        self.let_pass(round(seconds * CHAIN.tick_hz))

    def ticks(self) -> int:
        self._frame()
        return (self.start + self.tick) % (1 << 48)

    def read(self, name: str, count: int = 1) -> list[int]:
        self._frame()
        self.log.pass_clocks(None)
        return [{"CAPTURE_STATE": self.capture.state, "EVENTS": self.log.written}[name]]

    def write(self, name: str, value: int) -> None:
        self._frame()
        {"CAPTURE_TRIGGER": self.capture.set_trigger, "CAPTURE_AFTER": self.capture.set_after}[name](value)

    def command(self, name: str, value: int) -> None:
        self._frame()
        assert name == "CAPTURE"
        self.capture.command(value)

    def capture_words(self, page: int, address: int, count: int) -> list[int]:
        self._frame()
        assert 1 <= count <= 6
        assert address + count <= 256
        return [int(w) for w in self.capture.words[page << 8 | address :][:count]]

    def read_block(self, name: str, index: int, count: int) -> list[int]:
        self._frame()
        assert name == "EVENT_LOG"
        assert count <= 12
        return [self.log.word(index + k) for k in range(count)]

    def _frame(self) -> None:
        self.frames += 1
        self.let_pass(FRAME_TICKS)


def memory_on(models: Models) -> WaveformCapture:
    return WaveformCapture(models, models.pass_time)


def ordinals_of(models: Models, ticks: tuple[int, ...]) -> np.ndarray:
    return ((np.array(ticks) - models.start) % (1 << 48)) // CHAIN.ticks_per_sample


@pytest.mark.parametrize("samples", [1, 2, 217, 700, DEPTH - 1])
def test_now_is_the_newest_samples_in_a_row(samples: int) -> None:
    models = Models()
    for _ in range(3):  # the ring goes on from where it stood
        waveform = memory_on(models).now(samples)
        ordinals = ordinals_of(models, waveform.ticks)
        assert ordinals.tolist() == list(range(ordinals[0], ordinals[0] + samples))
        assert np.array(waveform.codes).tolist() == signal(ordinals).tolist()
        assert waveform.trigger is None
        assert [ordinals[k] % PERIOD for k in waveform.windows] == [0] * len(waveform.windows)
    assert waveform.sample_hz == Fraction(40_000_000, 3) / 1024


def test_ticks_go_round_with_their_counter() -> None:
    models = Models(start=(1 << 48) - 100 * CHAIN.ticks_per_sample)
    waveform = memory_on(models).now(150)
    assert waveform.ticks[0] > waveform.ticks[-1]
    assert np.array(waveform.codes).tolist() == signal(ordinals_of(models, waveform.ticks)).tolist()


@pytest.mark.parametrize("falling", [False, True])
def test_a_level_has_its_samples_before_and_after(falling: bool) -> None:
    models = Models()
    memory = memory_on(models)
    memory.arm(Level(Channel.I1, -2000, falling), before=300, after=40)
    waveform = memory.wait(1)
    assert waveform is not None
    assert (len(waveform.codes), waveform.trigger) == (341, 300)
    before, at = waveform.codes[299][Channel.I1], waveform.codes[300][Channel.I1]
    assert (before >= -2000 > at) if falling else (before < -2000 <= at)


def test_an_event_triggers() -> None:
    models = Models(tick=3000 * CHAIN.ticks_per_sample)
    models.registers["SAG_LEVEL"] = 80_000
    memory = memory_on(models)
    memory.arm(EventBegins((EventKind.LOSS, EventKind.SAG)), before=600, after=100)
    waveform = memory.wait(1)
    assert waveform is not None
    (trigger,) = ordinals_of(models, waveform.ticks[600:601])
    magnitudes = np.abs(signal(np.arange(3800, 4500))[:, 0])
    last = 3800 + int(np.flatnonzero(magnitudes >= 80_000)[-1])
    assert trigger == last + PERIOD // 2
    assert waveform.trigger == 600


def test_a_trigger_that_does_not_come_is_given_up_and_the_ring_stands() -> None:
    models = Models()
    memory = memory_on(models)
    memory.arm(Level(Channel.V1, 400_000), before=10, after=10)
    began = models.tick
    assert memory.wait(0.5) is None
    assert 0.5 <= (models.tick - began) / CHAIN.tick_hz < 0.55
    state = models.capture.state
    models.pass_time(0.1)
    assert models.capture.state == state
    assert memory.now(5).trigger is None


@pytest.mark.parametrize("samples", [0, DEPTH])
def test_what_does_not_fit_is_refused(samples: int) -> None:
    memory = memory_on(Models())
    with pytest.raises(CaptureError, match=f"{samples} samples do not fit .* 1 to 1023 can be, 0.0786 s"):
        memory.now(samples)
    with pytest.raises(CaptureError, match="do not fit"):
        memory.arm(Level(Channel.V1, 0), before=1000, after=23)
    with pytest.raises(CaptureError, match="at least 0 and 1"):
        memory.arm(Level(Channel.V1, 0), before=10, after=0)
    with pytest.raises(CaptureError, match="beyond full scale"):
        memory.arm(Level(Channel.V1, 1 << 19), before=10, after=10)


def test_a_build_without_capture_is_told() -> None:
    models = Models()
    models.identity = replace(models.identity, capabilities=Capability.PRODUCTS)
    with pytest.raises(CaptureError, match="has no waveform capture"):
        memory_on(models)


def test_reading_costs_six_words_a_frame() -> None:
    models = Models()
    memory = memory_on(models)
    before = models.frames
    memory.now(600)
    assert models.frames - before < 1201 / 6 + 15


# --- events ----------------------------------------------------------------------------------------------


def test_each_event_is_read_once() -> None:
    models = Models(tick=3500 * CHAIN.ticks_per_sample)
    models.registers["SAG_LEVEL"] = 80_000
    models.let_pass(PERIOD * CHAIN.ticks_per_sample)
    log = EventLog(models)
    seen = []
    for _ in range(20):
        models.let_pass(100 * CHAIN.ticks_per_sample)
        seen += log.new()
    assert [(e.kind, e.channel, e.begin) for e in seen] == [
        (EventKind.SAG, Channel.V1, True), (EventKind.SAG, Channel.V1, False)
    ]  # fmt: skip
    assert seen[1].tick // CHAIN.ticks_per_sample >= 5000
    assert log.lost == 0


def busy(models: Models, changes: int) -> None:
    """Make the masks change so often, each for all six channels."""
    for _ in range(changes):
        models.overload = 63 - models.overload
        models.let_pass(CHAIN.ticks_per_sample)


def test_what_was_before_the_log_was_opened_is_not_new() -> None:
    models = Models()
    models.registers["EVENT_SAMPLES"] = 1
    busy(models, 3)
    assert EventLog(models).new() == []


def test_entries_written_over_are_counted() -> None:
    """33 entries or more between two readings: what is left is in order, and the sum is right."""
    models = Models()
    models.registers["EVENT_SAMPLES"] = 1
    log = EventLog(models)
    told = 0
    for changes in (1, 5, 6, 40, 1, 200, 2):
        lost = log.lost
        busy(models, changes)
        new = log.new()
        assert new == sorted(new, key=lambda e: e.tick)
        assert len(new) + log.lost - lost == 6 * changes
        assert len(new) <= 32
        assert (log.lost > lost) == (6 * changes > 31)
        told += len(new)
    assert told + log.lost == models.log.written


def test_entries_written_over_while_they_are_read_are_counted() -> None:
    models = Models()
    models.registers["EVENT_SAMPLES"] = 1
    log = EventLog(models)
    read_block = models.read_block

    def slow(name: str, index: int, count: int) -> list[int]:
        words = read_block(name, index, count)
        busy(models, 1)
        return words

    busy(models, 5)
    models.read_block = slow  # type: ignore[method-assign]
    new = log.new()
    assert 0 < len(new) < 30
    assert all(isinstance(e, LineEvent) and e.kind is EventKind.OVERLOAD for e in new)
    assert len(new) + log.lost == 30


def test_a_reset_board_is_told() -> None:
    models = Models()
    models.registers["EVENT_SAMPLES"] = 1
    busy(models, 3)
    log = EventLog(models)
    models.log = EventsModel()
    with pytest.raises(LinkError, match="reset meanwhile"):
        log.new()
