"""The compiled netlist as a Python object: whole arrays in, whole arrays out."""

from __future__ import annotations

import ctypes

import numpy as np

from gateware.chain import Chain
from gateware.twin.build import library
from gateware.twin.shared_library import load

_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_size_t
_RUN_ARGUMENTS = (_POINTER, _POINTER, _SIZE, _SIZE, _POINTER, _POINTER, ctypes.c_uint)


class Twin:
    """The gateware's netlist, compiled, driven through its pins.

    `engine` is "native" (our own compiler, fast), or "cxxrtl" or "verilator", which are independent of it: the tests
    hold them against each other. `gated` False leaves the native engine's activity gating out, which is slower and
    must be no different. Reset is held over two clocks when made; time then counts in clocks from 0.
    """

    def __init__(self, chain: Chain, engine: str = "native", *, gated: bool = True) -> None:
        self.chain = chain
        self.clocks = 0
        self.pulses = 0
        """Level of the pulse pins (gateware.registers.PULSE_PINS), as long as it is not changed."""
        self._bench: int | None = None
        self._library = load(lambda: library(chain, engine, gated=gated))
        self._library.bench_new.restype = ctypes.c_void_p
        self._library.bench_free.argtypes = [ctypes.c_void_p]
        self._library.bench_run.restype = ctypes.c_size_t
        self._library.bench_run.argtypes = _RUN_ARGUMENTS
        self._bench = self._library.bench_new()

    def run(self, bits: np.ndarray) -> None:
        """Runs len(bits) modulator ticks with the SPI pins as they are.

        bits: uint8, bit c of each is channel c's modulator bit in that tick.
        """
        self._run(bits, None, None)

    def drive(self, bits: np.ndarray, pins: np.ndarray) -> np.ndarray:
        """The same with the SPI pins driven: uint8 a clock, as gateware.twin.bus makes them.

        Returns CIPO at each clock, before its edge.
        """
        if len(pins) != len(bits) * self.chain.clocks_per_tick:
            raise ValueError(f"{len(bits)} ticks need {self.chain.clocks_per_tick} pins each, got {len(pins)}")
        cipo = np.empty(len(pins), np.uint8)
        self._run(bits, np.ascontiguousarray(pins, np.uint8), cipo)
        return cipo

    def _run(self, bits: np.ndarray, pins: np.ndarray | None, cipo: np.ndarray | None) -> None:
        bits = np.ascontiguousarray(bits, np.uint8)
        clocks = len(bits) * self.chain.clocks_per_tick
        begun = self._library.bench_run(
            self._bench,
            bits.ctypes.data,
            len(bits),
            clocks,
            None if pins is None else pins.ctypes.data,
            None if cipo is None else cipo.ctypes.data,
            self.pulses,
        )
        if begun != len(bits):
            raise RuntimeError(f"the netlist's modulator clock gave {begun} ticks in {clocks} clocks, not {len(bits)}")
        self.clocks += clocks

    def close(self) -> None:
        if self._bench is not None:
            self._library.bench_free(self._bench)
            self._bench = None

    def __del__(self) -> None:
        self.close()
