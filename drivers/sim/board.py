"""The simulated FPGA board: spidev's face, with the compiled netlist or the bit-exact model behind it.

The same driver, the same frames as on hardware (C-5). Time passes only when the host makes it pass: by `advance`,
and by each frame for as long as its bits take on the wire, while the modulators go on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from drivers.sim.frontend import FrontEnd, joined
from gateware.chain import Chain
from gateware.twin.behind_bus import BehindBus, ModelBehindBus, NetlistBehindBus
from gateware.twin.bus import timing

FIDELITIES = ("exact", "rtl")
"""exact: the model, faster than real time. rtl: the gateware's own netlist, bit by bit, SPI pins included."""

SPI_HZ = 3_000_000
_PIECE_TICKS = 1 << 15
"""Of what the modulators send, 10 ms are made while the board runs on the 10 ms before: a load that is changed
meanwhile acts 20 ms later at most."""

_MOST_TICKS = 1 << 18
"""So many at a time where more are needed anyway, and as many again read ahead of them."""


class SimulatedBoard:
    """A board whose modulators see `front_end`. `ticks` counts modulator ticks since it was made.

    `fidelity` is one of FIDELITIES; ValueError for another.
    """

    def __init__(self, chain: Chain, front_end: FrontEnd, fidelity: str) -> None:
        if fidelity not in FIDELITIES:
            raise ValueError(f"unknown fidelity {fidelity!r}: choose {' or '.join(FIDELITIES)}")
        self.chain = chain
        self.ticks = 0
        self.contacts: Callable[[], int] = lambda: 0
        """What the pulse pins read at this moment, a bit each (gateware.registers.PULSE_PINS)."""
        self._front_end = front_end
        self._ahead = np.empty(0, np.uint8)
        self._fidelity = fidelity
        self.reset()

    def reset(self) -> None:
        """Load the bitstream anew, or press the board's reset: settings, records and the FPGA's own tick count begin as
        at power-up. What is before the pins goes on."""
        rtl = self._fidelity == "rtl"
        self._gateware: BehindBus = NetlistBehindBus(self.chain) if rtl else ModelBehindBus(self.chain)

    def advance(self, ticks: int) -> None:
        """Let modulator ticks pass with the bus idle."""
        while ticks > 0:
            piece = min(ticks, len(self._ahead) or max(self._front_end.begun, _PIECE_TICKS))
            ticks -= piece
            self._gateware.run(self._bits(piece, ticks))

    def prepare(self, ticks: int, most: int) -> None:
        """Have the bits of the next `ticks` made ahead, `most` of them by this call, so that no frame waits for them.

        Another core makes them: what this call began, one of the next finds ready.
        """
        if len(self._ahead) < ticks:
            if made := min(self._front_end.made(), most):
                self._ahead = joined(self._ahead, self._front_end.bits(made))
            self._front_end.begin(most)

    def xfer2(self, data: list[int]) -> list[int]:
        """One frame, chip select low from its first to its last bit."""
        frame = bytes(data)
        shape = timing(len(frame), self.chain.clock_hz / SPI_HZ, self.chain.clocks_per_tick)
        bits = self._bits(len(shape.pins) // self.chain.clocks_per_tick)
        return list(self._gateware.transfer(frame, shape, bits))

    def close(self) -> None:
        """Nothing is held open."""

    def _bits(self, ticks: int, soon: int = 0) -> np.ndarray:
        """The next bits, made some ahead because a frame needs few and making them has its price by the call, and the
        ones after them begun, of which `soon` are needed, for another core to make while this one runs the gateware."""
        self._gateware.contacts(self.contacts())
        while len(self._ahead) < ticks:
            self._ahead = joined(self._ahead, self._front_end.bits(max(self._front_end.begun, _PIECE_TICKS)))
            self._front_end.begin(max(min(soon, _MOST_TICKS), _PIECE_TICKS))
            self._front_end.begin_next(min(soon - self._front_end.begun, _MOST_TICKS))
        bits, self._ahead = self._ahead[:ticks], self._ahead[ticks:]
        self.ticks += ticks
        return bits
