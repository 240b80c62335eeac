"""Expected records of the self-test's phantom load, from the bit-exact model: `python -m` this writes the file anew."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import numpy as np

from drivers.phantom import PhantomLoad, PhantomRegisters, PhantomWave
from gateware.chain import Chain
from gateware.model.model import GatewareModel
from gateware.record_words import Record
from gateware.registers import BLOCK_BY_NAME, BY_NAME, PHANTOM_HOLD_TICKS, Channel
from rig.selftest.expected_records import FILE, ExpectedRecord, ExpectedRecords

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
"""Every channel other than the rest, small and large, with harmonics and DC: a swapped or lost channel shows."""

TICK_HZ = Fraction(10_000_000, 3)
SWITCHED_ON_SAMPLE = 40
RECORDS = 4
FIRST = 2
"""Crossings before the first record: what was before the load has then left filters and window."""


def course(tick: int, registers: PhantomRegisters, bits: int = 0b111111) -> list[ExpectedRecord]:
    """Give the records of whole cycles of a load that was switched on at a tick; `bits` are on the pins till then."""
    chain = Chain()
    model = GatewareModel(chain)

    def write(address: int, value: int) -> None:
        model.write(address, value, model.ticks * chain.clocks_per_tick)

    write(BY_NAME["PHANTOM_STEP"].address, registers.step)
    for index, value in enumerate(registers.waves):
        write(BLOCK_BY_NAME["PHANTOM_WAVES"].address + index, value)
    model.run(np.full(tick, bits, np.uint8))
    write(BY_NAME["PHANTOM"].address, 1)
    found: list[Record] = []
    while len([record for record in found if record.whole_cycles]) < FIRST + RECORDS:
        model.run(np.full(1 << 12, bits, np.uint8))
        when = model.ticks * chain.clocks_per_tick - 4
        while model.level(when):
            found.append(Record.from_words([int(word) for word in model.oldest()]))
            model.pop(when)
    whole = [record for record in found if record.whole_cycles][FIRST:]
    sample = tick // PHANTOM_HOLD_TICKS
    return [
        ExpectedRecord(
            each.tick_end // PHANTOM_HOLD_TICKS - sample, each.samples, each.before, each.after, list(each.sums)
        )
        for each in whole
    ]


def expected() -> ExpectedRecords:
    registers = PhantomRegisters.of(LOAD, TICK_HZ)
    known = course(SWITCHED_ON_SAMPLE * PHANTOM_HOLD_TICKS, registers)
    return ExpectedRecords(list(registers.waves), registers.step, BY_NAME["OSCILLATOR_STEP"].reset or 0, known)


if __name__ == "__main__":
    FILE.write_bytes(msgspec.json.encode(expected()) + b"\n")
