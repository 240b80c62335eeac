"""The compiled netlist as a Python object: whole arrays in, whole arrays out."""

from __future__ import annotations

import ctypes

import numpy as np

from gateware.chain import Chain
from gateware.twin.build import library


_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_size_t
_RUN_ARGUMENTS = (_POINTER, _POINTER, _SIZE, _SIZE, _POINTER, _POINTER)


class Twin:
    """The gateware's netlist, compiled, driven through its pins.

    `engine` is "native" (our own generator, fast) or "cxxrtl" (independent of it: the tests hold the two against
    each other). Reset is held over two clocks when made; time then counts in clocks from 0.
    """

    def __init__(self, chain: Chain, engine: str = "native") -> None:
        self.chain = chain
        self.clocks = 0
        self._bench: int | None = None
        self._library = ctypes.CDLL(str(library(chain, engine)))
        self._library.bench_new.restype = ctypes.c_void_p
        self._library.bench_free.argtypes = [ctypes.c_void_p]
        self._library.bench_run.restype = ctypes.c_size_t
        self._library.bench_run.argtypes = _RUN_ARGUMENTS
        self._bench = self._library.bench_new()

    def run(self, bits: np.ndarray, pins: np.ndarray | None = None) -> np.ndarray | None:
        """Runs len(bits) modulator ticks, `clocks_per_tick` clocks each.

        bits: uint8, bit c of each is channel c's modulator bit. pins: uint8 a clock, as gateware.twin.bus makes them; None
        leaves the bus as it was. Returns CIPO a clock, or None without pins.
        """
        clocks = len(bits) * self.chain.clocks_per_tick
        bits = np.ascontiguousarray(bits, np.uint8)
        cipo = None
        if pins is not None:
            if len(pins) != clocks:
                raise ValueError(f"{len(bits)} ticks are {clocks} clocks, got pins for {len(pins)}")
            pins = np.ascontiguousarray(pins, np.uint8)
            cipo = np.empty(clocks, np.uint8)
        begun = self._library.bench_run(
            self._bench,
            bits.ctypes.data,
            len(bits),
            clocks,
            None if pins is None else pins.ctypes.data,
            None if cipo is None else cipo.ctypes.data,
        )
        if begun != len(bits):
            raise RuntimeError(f"the netlist's modulator clock gave {begun} ticks in {clocks} clocks, not {len(bits)}")
        self.clocks += clocks
        return cipo

    def close(self) -> None:
        if self._bench is not None:
            self._library.bench_free(self._bench)
            self._bench = None

    def __del__(self) -> None:
        self.close()
