"""Records computed from docs/arithmetic.md and docs/registers.md alone equal the simulated board's (review C-6).

The prediction reads its constants, taps, sine table, resets and order of words from the two pages, and does what they
say in plain integers. It imports nothing of ours. The board is the model behind the real driver; that the model is the
netlist is tests/gateware/test_cxxrtl.py's and tests/gateware/test_twin.py's.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from drivers.sim.board import SimulatedBoard
from drivers.spi_link import SpiLink
from gateware.chain import Chain

DOCS = Path(__file__).parents[2] / "docs"
ARITHMETIC = (DOCS / "arithmetic.md").read_text(encoding="utf-8")
REGISTERS = (DOCS / "registers.md").read_text(encoding="utf-8")
NAMES = ("V1", "V2", "V3", "I1", "I2", "I3")


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    section = re.split(r"\n#+ ", page.split(f"# {heading}\n", 1)[1])[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


CONSTANT = {name: int(value) for name, value, _ in rows(ARITHMETIC, "Constants")}
TAPS = [int(cell) for row in rows(ARITHMETIC, "Taps") for cell in row[1:] if cell]
SINE = [int(cell) for row in rows(ARITHMETIC, "Sine table") for cell in row[1:] if cell]
REGISTER = {row[1].strip("`"): row for row in rows(REGISTERS, "Registers") if len(row) == 6}
FLAG = {name.strip("`"): 1 << int(bit) for bit, name, _ in rows(REGISTERS, "Flags")}
WORDS = REGISTERS.split("| words | sums |\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
SUMS = [term.strip().removeprefix("Σ ").split("·") for line in WORDS for term in line.split("|")[2].split(",")]


def reset(name: str) -> int:
    return int(REGISTER[name][3], 0)


def digest(settings: dict[str, int]) -> int:
    """The XOR of each configuration value rotated left by its address modulo 32."""
    result = 0
    for name, row in REGISTER.items():
        if row[4] == "configuration":
            turn, value = int(row[0], 16) % 32, settings.get(name, reset(name))
            result ^= (value << turn | value >> (32 - turn)) & 0xFFFF_FFFF
    return result


def sine(p: int) -> int:
    q = p % 2**22
    if (p >> 22) % 2:
        q = 2**22 - q
    left, right = SINE[(q >> 14) % 256], SINE[((q >> 14) + 1) % 256]
    m = min((2**14 * left + (right - left) * (q % 2**14) + 2**10 * q) >> 15, 131071)
    return -m if (p >> 23) % 2 else m


def cic(bits: list[int]) -> tuple[list[int], list[bool]]:
    """Outputs of one channel, and whether it is dead in each."""
    most, half = 2 ** CONSTANT["CIC_BITS"], 2 ** (CONSTANT["CIC_BITS"] - 1)
    s1 = s2 = s3 = ones = 0
    before = [0, 0, 0]
    outputs, dead = [], []
    for t, bit in enumerate(bits, 1):
        s3, s2, s1 = s3 + s2, s2 + s1, s1 + 2 * bit - 1
        ones += bit
        if t % CONSTANT["R"] == 0:
            y = s3
            for k in range(3):
                y, before[k] = y - before[k], y
            outputs.append((y + half) % most - half)
            dead.append(ones in (0, CONSTANT["R"]))
            ones = 0
    return outputs, dead


def samples(bits: list[int]) -> list[tuple[int, bool, bool]]:
    """Code, overload and dead of each sample of one channel."""
    outputs, dead = cic(bits)
    u = [0] * CONSTANT["N"] + outputs
    remainder, made, most = 0, [], 2 ** (CONSTANT["SAMPLE_BITS"] - 1)
    for n in range(CONSTANT["M"], len(outputs) + 1, CONSTANT["M"]):
        newest = CONSTANT["N"] + n - 1
        total = remainder + sum(h * u[newest - k] for k, h in enumerate(TAPS))
        code, remainder = divmod(total, 2 ** CONSTANT["DROP"])
        overload = abs(code) >= CONSTANT["OVERLOAD"]
        made.append((min(max(code, -most), most - 1), overload, any(dead[n - CONSTANT["M"] : n])))
    return made


def predicted(pins: list[int], settings: dict[str, int]) -> list[dict[str, object]]:
    """The records of these pin bytes, a bit each channel, with settings that were there before any bit was 1."""
    ticks = [0, *pins[:-1]]
    channels = []
    for c, name in enumerate(NAMES):
        delay = settings.get(f"DELAY_{name}", reset(f"DELAY_{name}"))
        channels.append(samples([0] * delay + [byte >> c & 1 for byte in ticks[: len(ticks) - delay]]))
    step = reset("OSCILLATOR_STEP")
    delayed = 65 if 2**20 <= step < 17 * 2**20 else CONSTANT["QUARTER"]
    records: list[dict[str, object]] = []
    codes: list[list[int]] = []
    armed, length, begun, last = False, 0, 0, 0
    now: dict[str, int] = dict.fromkeys(("samples", "windows", "cycles", "overload", "dead"), 0)
    sums = [0] * len(SUMS)
    for number, row in enumerate(zip(*channels, strict=True), 1):
        x = [code for code, _, _ in row]
        v = x[reset("REFERENCE")]
        crossing = armed and v >= 0 and length >= reset("WINDOW_MIN")
        timed = length >= reset("WINDOW_MAX")
        length = 1 if crossing or timed else length + 1
        armed = v < -reset("HYSTERESIS") or (armed and v < 0)
        if (crossing or timed) and now["samples"]:
            flags = crossing * FLAG["END_CROSSING"] | timed * FLAG["END_TIMED"]
            flags |= FLAG["START_CROSSING"] if records and records[-1]["cycles"] else 0
            records.append(
                now
                | {"sequence": len(records), "windows": 1, "cycles": int(crossing), "flags": flags}
                | {"tick_start": begun, "tick_end": last, "before": codes[-1][reset("REFERENCE")], "after": v}
                | {"config_digest": digest(settings), "oscillator_step": step, "sums": tuple(sums)}
            )
            begun, sums, now = last, [0] * len(SUMS), dict.fromkeys(now, 0)
        codes.append(x)
        phase = now["samples"] * step % 2**32 // 256
        value = dict(zip(NAMES, x, strict=True)) | {"cos": sine(phase + 2**22), "sin": sine(phase)}
        past = codes[-1 - delayed] if len(codes) > delayed else [0] * 6
        value |= {f"d{k + 1}": past[k] for k in range(3)}
        for k, factors in enumerate(SUMS):
            sums[k] += value[factors[0]] * (value[factors[1]] if len(factors) == 2 else 1)
        last = number * CONSTANT["M"] * CONSTANT["R"]
        now["samples"] += 1
        now["overload"] |= sum(over << c for c, (_, over, _) in enumerate(row))
        now["dead"] |= sum(dead << c for c, (_, _, dead) in enumerate(row))
    return records


class Recorded:
    """A front end that gives these bytes, zeros at first, and zeros after."""

    def __init__(self, pins: np.ndarray) -> None:
        self._pins, self._at = pins, 0

    def bits(self, ticks: int) -> np.ndarray:
        given = self._pins[self._at : self._at + ticks]
        self._at += ticks
        return np.concatenate((given, np.zeros(ticks - len(given), np.uint8)))

    begun = 0

    def begin(self, ticks: int) -> None:
        """Nothing is made ahead."""

    def begin_next(self, ticks: int) -> None:
        """Nor read."""


QUIET = 4096
"""Ticks of zeros at first, in which the settings are written."""

TICKS = 230_000


def waves() -> np.ndarray:
    """Six first-order modulators' bits: 61 Hz, harmonics, DC, one channel clipped, another dead for some time."""
    t = np.arange(TICKS) / 3_333_333
    planes = np.zeros(TICKS, np.uint8)
    for c in range(6):
        wave = 0.02 * c + (0.5 + 0.1 * c) * np.sin(2 * np.pi * 61 * t - c) + 0.05 * np.sin(2 * np.pi * 427 * t)
        bits = np.diff(np.floor(np.cumsum(np.clip(0.5 + 0.5 * wave, 0, 1))), prepend=0).astype(np.uint8)
        planes |= bits << c
    planes[100_000:101_000] &= 0b011111
    planes[:QUIET] = 0
    return planes


def test_the_tables_are_whole() -> None:
    assert (len(TAPS), sum(TAPS), TAPS) == (CONSTANT["N"], 2**19, TAPS[::-1])
    assert len(SINE) == 256
    assert len(SUMS) == 57


def test_records_are_those_of_the_documents() -> None:
    settings = {"DELAY_V2": 5, "DELAY_I1": 130, "DELAY_I3": 255}
    pins = waves()
    board = SimulatedBoard(Chain(clock_hz=Fraction(40_000_000, 3)), Recorded(pins), "exact")
    link = SpiLink(board)
    for name, value in settings.items():
        link.write(name, value)
    assert board.ticks < QUIET
    board.advance(TICKS - board.ticks)
    expected = predicted(pins.tolist(), settings)
    assert len(expected) >= 3
    assert expected[0]["dead"] == 0b111111  # the zeros before the settings were there
    assert any(record["overload"] for record in expected)
    assert {record["flags"] for record in expected} >= {FLAG["START_CROSSING"] | FLAG["END_CROSSING"]}
    found = list(link.records())
    assert len(found) == len(expected)
    for wanted, record in zip(expected, found, strict=True):
        assert {name: getattr(record, name) for name in wanted} | {"flags": int(record.flags)} == wanted
