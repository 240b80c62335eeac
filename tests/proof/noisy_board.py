"""A board behind wires that disturb what passes over them, and the bits it measures.

Faults are of the pins, in clocks of the FPGA: a bit of COPI or CIPO arrives inverted, a pulse of SCK is missing, or
SCK dips in the middle of a pulse so that the FPGA sees two. The twin gets the disturbed waveform itself. The model,
which takes whole frames, gets the bits that the FPGA would see at the edges that reach it; a test holds the two
against each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from drivers.sim.board import SPI_HZ
from drivers.sim.frontend import FrontEnd
from drivers.sim.playing import lively_load
from drivers.sim.sensors import typical_sensors
from gateware.chain import Chain
from gateware.twin.behind_bus import ModelBehindBus, NetlistBehindBus
from gateware.twin.bus import COPI, SCK, Timing, timing

Bits = Callable[[int], np.ndarray]
"""Gives the next n ticks of modulator bits."""

_DIP_CLOCKS = 3
"""A pulse of SCK at least this long can dip for a clock in its middle."""

_TURN_CLOCKS = 3
"""Clocks from an edge of SCK at the pin to the first in which CIPO shows the next bit."""


def tape(chain: Chain, seconds: float) -> Bits:
    """The lively load's modulator bits through typical sensors, `seconds` of them again and again."""
    bits = _recorded(chain, seconds)
    place = 0

    def take(ticks: int) -> np.ndarray:
        nonlocal place
        taken = np.take(bits, np.arange(place, place + ticks), mode="wrap")
        place = (place + ticks) % len(bits)
        return taken

    return take


@cache
def _recorded(chain: Chain, seconds: float) -> np.ndarray:
    front_end = FrontEnd(lively_load(chain.tick_hz), typical_sensors(20, chain.tick_hz), chain.tick_hz)
    return front_end.bits(round(seconds * chain.tick_hz))


@dataclass(frozen=True)
class Faults:
    """What happens to one frame: numbers of the bits whose COPI, CIPO or pulse of SCK is disturbed."""

    copi: tuple[int, ...] = ()
    cipo: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    dipped: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.copi or self.cipo or self.lost or self.dipped)


NO_FAULTS = Faults()


class NoisyEngine(Protocol):
    """A gateware behind its pins, and wires that may disturb a frame."""

    def run(self, bits: np.ndarray) -> None: ...

    def disturbed(self, frame: bytes, shape: Timing, faults: Faults, bits: np.ndarray) -> bytes: ...


class NoisyNetlist(NetlistBehindBus):
    """The compiled netlist."""

    def disturbed(self, frame: bytes, shape: Timing, faults: Faults, bits: np.ndarray) -> bytes:
        pins = shape.send(frame)
        for k in faults.copi:
            pins[shape.bit == k] ^= COPI
        for k in faults.lost:
            pins[shape.bit == k] &= ~np.uint8(SCK)
        for k in faults.dipped:
            pins[_dip(shape, k)] &= ~np.uint8(SCK)
        return _inverted(shape.receive(self.drive(bits, pins)), faults.cipo)


class NoisyModel(ModelBehindBus):
    """The bit-exact model."""

    def disturbed(self, frame: bytes, shape: Timing, faults: Faults, bits: np.ndarray) -> bytes:
        sent = np.unpackbits(np.frombuffer(_inverted(frame, faults.copi), np.uint8))
        seen = np.delete(np.arange(len(sent)), faults.lost)
        edges, arrived = shape.edges[seen], sent[seen]
        if faults.dipped:
            edges = np.concatenate((edges, [_dip(shape, k) + 1 for k in faults.dipped]))
            order = np.argsort(edges)
            edges, arrived = edges[order], np.concatenate((arrived, sent[list(faults.dipped)]))[order]
        short = -len(edges) % 8
        padded = np.concatenate((edges, shape.edges[-1] + 1 + np.arange(short)))
        reply = self.exchange(np.packbits(np.append(arrived, np.zeros(short, np.uint8))).tobytes(), padded, bits)
        left = np.append(np.unpackbits(np.frombuffer(reply, np.uint8)), 0)
        turned = np.searchsorted(edges + _TURN_CLOCKS, shape.edges, side="right")
        return _inverted(np.packbits(left[turned]).tobytes(), faults.cipo)


def can_dip(shape: Timing, bit: int) -> bool:
    """Whether SCK's pulse of that bit is long enough to dip."""
    return bool(np.count_nonzero((shape.bit == bit) & (shape.pins & SCK != 0)) >= _DIP_CLOCKS)


def _dip(shape: Timing, bit: int) -> int:
    return int(shape.edges[bit]) + 1


def _inverted(frame: bytes, bits: tuple[int, ...]) -> bytes:
    disturbed = np.unpackbits(np.frombuffer(frame, np.uint8))
    disturbed[list(bits)] ^= 1
    return np.packbits(disturbed).tobytes()


class Noise:
    """Faults by chance: `share` of the frames have one to three, of any kind, anywhere in the frame."""

    def __init__(self, share: float, seed: int) -> None:
        self._share = share
        self._random = np.random.default_rng(seed)

    def __call__(self, shape: Timing) -> Faults:
        if self._random.random() >= self._share:
            return NO_FAULTS
        kinds: dict[str, set[int]] = {"copi": set(), "cipo": set(), "lost": set(), "dipped": set()}
        for _ in range(self._random.integers(1, 4)):
            kind = str(self._random.choice(list(kinds)))
            bit = int(self._random.integers(len(shape.edges)))
            if kind != "dipped" or can_dip(shape, bit):
                kinds[kind].add(bit)
        kinds["dipped"] -= kinds["lost"]
        return Faults(*(tuple(sorted(bits)) for bits in kinds.values()))


class NoisyBoard:
    """An SpiBus. `faults` gives what happens to a frame of some timing; time passes as the frames take it."""

    def __init__(
        self,
        chain: Chain,
        engine: NoisyEngine,
        bits: Bits,
        faults: Callable[[Timing], Faults] = lambda shape: NO_FAULTS,
    ) -> None:
        self.ticks = 0
        self.disturbed = 0
        self.faults = faults
        self._chain = chain
        self._engine = engine
        self._bits = bits

    def advance(self, ticks: int) -> None:
        """Let modulator ticks pass with the bus idle."""
        self._engine.run(self._bits(ticks))
        self.ticks += ticks

    def xfer2(self, data: list[int]) -> list[int]:
        frame = bytes(data)
        shape = timing(len(frame), self._chain.clock_hz / SPI_HZ, self._chain.clocks_per_tick)
        faults = self.faults(shape)
        self.disturbed += bool(faults)
        ticks = len(shape.pins) // self._chain.clocks_per_tick
        self.ticks += ticks
        return list(self._engine.disturbed(frame, shape, faults, self._bits(ticks)))

    def close(self) -> None:
        """Nothing is held open."""
