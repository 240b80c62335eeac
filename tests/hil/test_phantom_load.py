"""The phantom load's records, predicted to the last bit: no mains, no modulators, the whole digital chain.

On hardware: load the bitstream, leave the modulators unplugged, then `pytest tests/hil --rig pi`. From the reset on all
is known but the tick at which the load was switched on; the model tries those that the host's own reading of the
tick counter leaves open, and one of them must give every record as it came.
"""

from __future__ import annotations

import copy

import numpy as np

from drivers.phantom import PhantomLoad, PhantomRegisters, PhantomWave, apply
from gateware.chain import Chain
from gateware.model.model import GatewareModel
from gateware.record_words import Record, RecordFlag
from gateware.registers import BLOCK_BY_NAME, BY_NAME, Channel

LOAD = PhantomLoad(
    60.0,
    {
        Channel.V1: PhantomWave(harmonics={1: (0.6, 0.0), 5: (0.03, 40.0)}),
        Channel.V2: PhantomWave(harmonics={1: (0.6, -120.0)}),
        Channel.V3: PhantomWave(dc=0.01, harmonics={1: (0.6, 120.0)}),
        Channel.I1: PhantomWave(harmonics={1: (0.3, -60.0), 3: (0.1, 10.0), 7: (0.05, 90.0)}),
        Channel.I2: PhantomWave(harmonics={1: (0.003, -120.0)}),
        Channel.I3: PhantomWave(harmonics={1: (0.3, 157.0)}),
    },
)
RECORDS = 6
SOON_TICKS = 1 << 13
"""From the switching on to a commanded closing: a short record tells the candidates apart at little cost."""

MOST_TICKS = 1 << 20
"""0.3 s: three times what RECORDS windows of a 60 Hz line take."""


class Prediction:
    """The model of the board behind the link, fed with what unplugged modulators give."""

    def __init__(self, chain: Chain) -> None:
        self._model = GatewareModel(chain)
        self._popped: list[np.ndarray] = []

    def to(self, tick: int) -> None:
        """Run on, with a host that reads every record."""
        while self._model.ticks < tick:
            self._model.run(np.full(min(tick - self._model.ticks, 1 << 12), 0b111111, np.uint8))
            when = self._model.ticks * self._model.chain.clocks_per_tick - 4
            while self._model.level(when):
                self._popped.append(self._model.oldest())
                self._model.pop(when)

    def write(self, address: int, value: int) -> None:
        """A write that acts from the next strobe on."""
        self._model.write(address, value, self._model.ticks * self._model.chain.clocks_per_tick)

    def switched_on_at(self, tick: int, close_at: int, until: int) -> list[Record]:
        """The records of a board whose load was switched on at this tick, and whose window then closed as told."""
        other = copy.deepcopy(self)
        other.to(tick)
        other.write(BY_NAME["PHANTOM"].address, 1)
        other.write(BY_NAME["CLOSE_AT_LO"].address, close_at & 0xFFFF_FFFF)
        other.write(BY_NAME["CLOSE_AT_HI"].address, close_at >> 32)
        other.to(until)
        return [Record.from_words([int(w) for w in words]) for words in other._popped]


def test_every_record_is_known_to_the_last_bit(board_link) -> None:
    link = board_link
    settings = PhantomRegisters.of(LOAD, link.identity.tick_hz)
    link.write("PHANTOM_STEP", settings.step)
    before = link.ticks()
    apply(link, LOAD)
    after = link.ticks()
    link.close_window_at(after + SOON_TICKS)
    seen: list[Record] = []
    while sum(RecordFlag.PHANTOM in r.flags for r in seen) < RECORDS:
        assert link.ticks() < after + MOST_TICKS, f"{len(seen)} records came, without {RECORDS} of the phantom load"
        seen += link.records()

    chain = Chain(clock_hz=link.identity.clock_hz, capabilities=link.identity.capabilities)
    prediction = Prediction(chain)
    prediction.to(before)
    prediction.write(BY_NAME["PHANTOM_STEP"].address, settings.step)
    for index, value in enumerate(settings.waves):
        prediction.write(BLOCK_BY_NAME["PHANTOM_WAVES"].address + index, value)
    first = next(k for k, r in enumerate(seen) if RecordFlag.PHANTOM in r.flags)
    for tick in range(after, before, -1):  # the switching on was the last that `apply` did
        if prediction.switched_on_at(tick, after + SOON_TICKS, seen[first].tick_end + 2000)[-1] == seen[first]:
            break
    else:
        raise AssertionError("no tick of switching on gives the first record as it came")
    known = {r.sequence: r for r in prediction.switched_on_at(tick, after + SOON_TICKS, seen[-1].tick_end + 2000)}
    for record in seen[first:]:
        assert record == known[record.sequence]
    assert any(r.whole_cycles for r in seen)
