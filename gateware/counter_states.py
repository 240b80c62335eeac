"""The states of the pulse counters' engine."""

from __future__ import annotations

from enum import Enum

from gateware.registers import CounterWord, GateWord


class EngineState(Enum):
    """State of the engine. From HEAD on each takes two clocks: a word is read, then used.

    HEAD and SCAN read the queue; the last two groups of eight the word of the GATE or of the counter in hand that
    the lower three bits name.
    """

    IDLE = 0b00_000
    CLEAR = 0b00_001
    SEEK = 0b00_010
    EDGE = 0b00_011
    NEXT = 0b00_100
    HEAD = 0b01_000
    SCAN = 0b01_001
    OPEN_LO = 0b10_000 | GateWord.OPEN_LO
    OPEN_HI = 0b10_000 | GateWord.OPEN_HI
    CLOSE_LO = 0b10_000 | GateWord.CLOSE_LO
    CLOSE_HI = 0b10_000 | GateWord.CLOSE_HI
    LIMIT = 0b10_000 | GateWord.PULSES
    COUNT = 0b11_000 | CounterWord.COUNT
    FIRST_LO = 0b11_000 | CounterWord.FIRST_LO
    FIRST_HI = 0b11_000 | CounterWord.FIRST_HI
    LAST_LO = 0b11_000 | CounterWord.LAST_LO
    LAST_HI = 0b11_000 | CounterWord.LAST_HI
    SHORTEST = 0b11_000 | CounterWord.SHORTEST
    LONGEST = 0b11_000 | CounterWord.LONGEST
    ILLEGAL = 0b11_000 | CounterWord.ILLEGAL
