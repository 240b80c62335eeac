"""A gateware behind its SPI bus: the compiled netlist and the bit-exact model, driven in the same way."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gateware.chain import Chain
from gateware.model.model import GatewareModel
from gateware.model.port import transfer
from gateware.twin.bus import Timing
from gateware.twin.engine import Twin


class BehindBus(Protocol):
    """Anything that claims to be the gateware. Bits are uint8 a modulator tick, bit c for channel c."""

    def contacts(self, levels: int) -> None:
        """Set the level of the pulse pins (gateware.registers.PULSE_PINS) for all that runs next."""

    def run(self, bits: np.ndarray) -> None:
        """Run len(bits) ticks with the bus idle."""

    def transfer(self, frame: bytes, timing: Timing, bits: np.ndarray) -> bytes:
        """Send a frame while `bits`, as many ticks as the frame takes, come in; returns what the host reads."""


class NetlistBehindBus:
    """The compiled netlist, which gets the frame as a waveform at its pins. `engine` and `gated` are Twin's."""

    def __init__(self, chain: Chain, engine: str = "native", *, gated: bool = True) -> None:
        self._twin = Twin(chain, engine, gated=gated)

    def contacts(self, levels: int) -> None:
        self._twin.pulses = levels

    def run(self, bits: np.ndarray) -> None:
        self._twin.run(bits)

    def drive(self, bits: np.ndarray, pins: np.ndarray) -> np.ndarray:
        """CIPO at each clock while the pins go through any waveform, uint8 a clock."""
        return self._twin.drive(bits, pins)

    def transfer(self, frame: bytes, timing: Timing, bits: np.ndarray) -> bytes:
        return timing.receive(self.drive(bits, timing.send(frame)))


class ModelBehindBus:
    """The bit-exact model, which takes whole frames and the clocks of their edges."""

    def __init__(self, chain: Chain) -> None:
        self._model = GatewareModel(chain)

    def contacts(self, levels: int) -> None:
        self._model.pulses = levels

    def run(self, bits: np.ndarray) -> None:
        self._model.run(bits)

    def exchange(self, frame: bytes, edges: np.ndarray, bits: np.ndarray) -> bytes:
        """The bytes that leave while those of `frame` arrive, bit i with the edge at clock edges[i] from now."""
        model, start = self._model, self._model.ticks

        def run_until(ticks: int) -> None:
            done = model.ticks - start
            model.run(bits[done : max(ticks - start, done)])

        reply = transfer(model, frame, edges + start * model.chain.clocks_per_tick, run_until)
        run_until(start + len(bits))
        return reply

    def transfer(self, frame: bytes, timing: Timing, bits: np.ndarray) -> bytes:
        return self.exchange(frame, timing.edges, bits)
