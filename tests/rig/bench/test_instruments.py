"""The instruments as a library: answers are data, what a person can correct is a BenchError, without pytest."""

from __future__ import annotations

import ast
import gc
import os
import re
import subprocess
import sys
import tracemalloc
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from pathlib import Path

import pytest

import rig.bench
from rig.bench.applied import Applied
from rig.bench.bench import Bench, simulated_bench
from rig.bench.clock import RigClock
from rig.bench.errors import BenchError, NoLongerKept, NoSuchRegister, NotFitted, WrongArgument
from rig.bench.in_process import InProcessMeter
from rig.bench.rig import Rig
from rig.bench.simulated import simulated
from rig.errors import RigError
from rig.files.strict_toml import convert
from rig.hardware.config import Config
from rig.meter.contacts.outputs import OutputId
from rig.meter.meter import WindowResult
from rig.program.build import build, default_program
from rig.program.schema import ProgramFile

ROOT = Path(__file__).parents[3]
SOURCES = sorted(Path(rig.bench.__file__).parent.glob("*.py"))
WATTS = 3 * 120 * 40


@pytest.fixture(scope="module")
def counted():
    """A bench that has run for 4 s at 14.4 kW since its counters were zeroed."""
    with simulated_bench() as bench:
        bench.source.apply(amps=40)
        bench.rig.run(1)
        bench.counter("KYZ1").zero()
        bench.rig.run(4)
        yield bench


def test_a_count_is_data_with_the_energy_due(counted: Bench) -> None:
    """14.4 kW for 4 s are 16 Wh, at 0.15 Wh a pulse 106.7 pulses, 26.67 a second; the latency of 0.12 s cancels."""
    count = counted.counter("KYZ1").read(of="kWh delivered")
    assert count.pulses in (106, 107)
    assert count.illegal == count.uncounted == 0
    assert count.constant_wh == Fraction("0.15")
    assert count.counted_wh == count.pulses * Fraction("0.15")
    assert float(count.rate_hz) == pytest.approx(WATTS / 0.15 / 3600, rel=1e-3)
    assert float(count.shortest_s) == pytest.approx(0.15 * 3600 / WATTS, abs=1e-3)
    assert float(count.longest_s) == pytest.approx(0.15 * 3600 / WATTS, abs=1e-3)
    assert count.opened_tick < count.first_edge_tick < count.last_edge_tick < count.read_tick
    assert float((count.read_tick - count.opened_tick) / count.tick_hz) == pytest.approx(4, abs=0.02)
    assert count.due.least_nwh == pytest.approx(WATTS * (4 - 0.006) / 3600 * 1e9, rel=2e-3)
    assert count.due.most_nwh == pytest.approx(WATTS * (4 + 0.006) / 3600 * 1e9, rel=2e-3)
    assert count.agrees is True
    with pytest.raises(FrozenInstanceError):
        count.pulses = 7


def test_a_count_that_does_not_agree_is_no_exception(counted: Bench) -> None:
    count = counted.counter("KYZ1").read(of="kWh received")
    assert count.due.most_nwh == 0
    assert count.agrees is False
    assert counted.counter("KYZ1").read().agrees is None


def test_an_output_that_does_not_pulse_has_no_constant(counted: Bench) -> None:
    count = counted.counter("KYZ4").read()
    assert (count.pulses, count.constant_wh, count.counted_wh, count.rate_hz) == (0, None, None, None)
    with pytest.raises(WrongArgument, match="KYZ4 does not pulse in this program"):
        counted.counter("KYZ4").read(of="kWh delivered")


def test_registers_are_read_exactly(counted: Bench) -> None:
    registers = counted.meter.registers
    assert registers.nano("kWh delivered") == round(registers["kWh delivered"] * 1e12)
    assert isinstance(registers.nano("kW delivered max"), int)
    assert "kWh" not in registers


def test_an_expectation_is_data_that_says_what_was_seen_and_when() -> None:
    program = build(convert({"display": {"normal": ["kWh delivered"]}}, ProgramFile))
    with simulated_bench(program=program) as bench:
        missed = bench.display.await_shown("ALT", within_s=3.5)
        assert not missed.met
        assert missed.after_s is missed.decided_by is None
        assert missed.expected == "expected within 3.5 s of 0.000 s, when the meter starts: ALT lit"
        assert [each.state.checks_segments for each in missed.seen[:2]] == [True, False]
        assert missed.seen[1].since_ns - bench.rig.begin_ns == pytest.approx(3e9, abs=0.05e9)
        assert missed.until_ns - missed.from_ns == 3.5e9
        bench.magnet.place()
        came = bench.display.await_shown("ALT", within_s=3.2)
        assert came.met
        assert 3.0 <= came.after_s < 3.1
        assert came.decided_by == came.seen[-1]
        assert "ALT" in came.seen[-1].state.text
        assert [action.text for action in came.actions] == [
            "the meter starts",
            "the magnet is brought to twelve o'clock",
        ]
        watched = bench.display.watch_shown(mode="alternate", for_s=4)
        assert not watched.met
        assert watched.decided_by.state.mode.value == "gyrbox"
        assert bench.display.watch_shown(mode="gyrbox", for_s=0.5).met
        bench.magnet.remove()
        assert not bench.relay("KYZ1").await_closed("K-Y", within_s=None).met
        assert bench.relay("KYZ1").watch_closed("open", for_s=0.5).met


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda bench: bench.counter("KYZ5"), "'KYZ5' is not a counter: there are LED, KYZ1, KYZ2, KYZ3, KYZ4"),
        (lambda bench: bench.counter("kyz1"), "'kyz1' is not a counter"),
        (lambda bench: bench.counter("KYZ1").read(of="kWh"), "'kWh' is not a quantity of energy: there are kWh deliv"),
        (lambda bench: bench.relay(""), "'' is not an output of this program: there are KYZ1"),
        (lambda bench: bench.relay("KYZ1").await_closed("K–Y", None), "'K–Y' is not a position of a form-C output"),
        (lambda bench: bench.display.await_shown("ALT", within_s=-1), "nothing comes within -1 s: give 0 or more"),
        (lambda bench: bench.display.await_shown("ALT", within_s=float("inf")), "nothing comes within inf s"),
        (lambda bench: bench.display.watch_shown("ALT", for_s=float("nan")), "the rig cannot run for nan s"),
        (lambda bench: bench.display.await_shown("ALT", item="kwh", within_s=0), 'there is no item "kwh" on a display'),
        (lambda bench: bench.rig.run(-0.1), "the rig cannot run for -0.1 s: give 0 or more"),
        (lambda bench: bench.rig.power_off(float("nan")), "the rig cannot run for nan s"),
        (lambda bench: bench.magnet.hold(float("inf")), "nothing can be held for inf s: give more than 0"),
        (lambda bench: bench.source.apply(amps=float("nan")), "give one value, or three of them, 0 or more: not nan"),
        (lambda bench: bench.source.apply(volts=(120, 120)), "give one value, or three of them, 0 or more"),
        (lambda bench: bench.source.apply(hz=0), "a line frequency is more than 0 Hz, not 0"),
        (lambda bench: bench.source.apply(pf=1.1), "a power factor is 0 to 1, not 1.1"),
        (lambda bench: bench.display.items(since=float("nan")), "there is no second nan of the meter's run"),
        (lambda bench: bench.input_contact(3), "the program does not use input 3: it has none"),
    ],
)
def test_what_an_instrument_does_not_know_is_one_sentence(counted: Bench, ask, sentence) -> None:
    seconds = counted.rig.seconds
    with pytest.raises(BenchError) as error:
        ask(counted)
    assert isinstance(error.value, RigError)
    assert isinstance(error.value, ValueError)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    assert counted.rig.seconds == seconds


def test_a_register_that_there_is_not_is_a_sentence_without_quotes(counted: Bench) -> None:
    with pytest.raises(NoSuchRegister) as error:
        counted.meter.registers["kWh"]
    assert isinstance(error.value, RigError)
    assert str(error.value).startswith("'kWh' is not a register of this meter: it has kWh delivered, ")


def test_a_meter_can_be_replaced_as_often_as_wanted(tmp_path) -> None:
    """Each has a store of its own, whose name does not grow with their number."""
    with simulated_bench(store=tmp_path / "store") as bench:
        for _ in range(11):
            bench.begin_again()
        assert bench.rig.seconds < 0.1
    assert {path.name for path in tmp_path.iterdir()} == {"store", *(f"store-{k}" for k in range(2, 13))}


def test_a_bench_of_no_store_leaves_nothing_behind() -> None:
    with simulated_bench() as bench:
        folder = bench.rig.service._store.folder
        assert folder.is_dir()
    assert not folder.parent.exists()


def test_a_bench_that_is_closed_says_so() -> None:
    with simulated_bench() as bench:
        bench.rig.stop()
    with pytest.raises(BenchError, match="the meter has stopped, and its bench is closed"):
        bench.rig.run(1)


def test_an_input_is_one_contact_and_is_pulsed_as_often_as_told() -> None:
    program = build(convert({"inputs": [{"name": "IN1", "function": "record"}]}, ProgramFile))
    with simulated_bench(program=program) as bench:
        contact = bench.input_contact(1)
        contact.pulse(3)
        assert bench.input_contact(1) is contact
        with pytest.raises(WrongArgument, match="an input cannot be given -1 pulses"):
            contact.pulse(-1)
        bench.rig.run(0.5)
        assert bench.meter.inputs == (3, 0)


def test_a_rig_without_the_simulation_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "rig.bench.simulated", None)
    with pytest.raises(NotFitted, match=r"the simulated rig needs rig\.bench\.simulated: install the extras"):
        simulated_bench().__enter__()


class Ticking:
    """A clock that only goes on when it is told."""

    def __init__(self) -> None:
        self.at_ns = 5

    def now_ns(self) -> int:
        return self.at_ns

    utc_ns = now_ns

    def wait_until(self, instant_ns: int) -> None:
        self.at_ns = instant_ns


def test_the_clock_runs_until_something_is_found_and_no_longer() -> None:
    ticking = Ticking()
    clock = RigClock(ticking, ticking.wait_until)
    assert clock.wait_for(lambda: clock.seconds if clock.seconds > 0.5 else None, 2) == pytest.approx(0.52)
    assert clock.wait_for(lambda: None, 1.01) is None
    assert clock.seconds == pytest.approx(0.52 + 1.01)
    clock.restart()
    assert clock.seconds == 0
    assert clock.wait_for(lambda: 0, 0) == 0


KEPT = 64


@pytest.mark.slow
def test_a_rig_that_runs_on_holds_no_more_than_before(tmp_path) -> None:
    """27 pulses and 60 windows a second, with a low bound so that all are reached after 5 s."""
    config, program = Config(), default_program()
    hardware, _, _ = simulated(config, 20, Applied(amps=(40, 40, 40)), 1_782_918_005 * 10**9)
    rig_ = Rig(InProcessMeter(hardware, config, program, tmp_path / "store"), kept_changes=KEPT)
    rig_.run(8)
    gc.collect()
    tracemalloc.start(1)
    try:
        rig_.run(6)
        gc.collect()
        mine = [tracemalloc.Filter(True, str(path)) for path in SOURCES]
        held = sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces(mine).traces)
    finally:
        tracemalloc.stop()
    assert held < 150_000  # all that is kept at most; 360 windows of 57 sums are 1 MB
    assert sum(isinstance(each, WindowResult) for each in gc.get_objects()) == 0
    seen, before = rig_.contacts["KYZ1"].latest(0, rig_.now_ns, 10**6)
    assert len(seen) == 2 * KEPT
    assert before + len(seen) == rig_.service.outputs.relays[OutputId.KYZ1].transitions + 1  # and open, at first
    with pytest.raises(NoLongerKept):
        list(rig_.contacts["KYZ1"].between(rig_.begin_ns, rig_.now_ns))
    rig_.stop()
    hardware.close()


def test_a_script_needs_no_pytest() -> None:
    script = ROOT / "docs" / "examples" / "bench_script.py"
    code = f"import runpy, sys; sys.modules['pytest'] = None; runpy.run_path({str(script)!r}, run_name='__main__')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=os.environ)
    assert ran.returncode == 0, ran.stderr
    first, *loads, last = ran.stdout.splitlines()
    assert first == "SIMULATED (exact)"
    assert len(loads) == 3
    assert all(line.endswith("agrees") for line in loads)
    assert last == "ALT is lit after the magnet was held for 3.1 s"


def test_the_document_shows_a_script_that_runs(capsys) -> None:
    document = (ROOT / "docs" / "choreography.md").read_text(encoding="utf-8").partition("## Without pytest")[2]
    (block,) = re.findall(r"^```python\n(.*?)^```", document, re.MULTILINE | re.DOTALL)
    exec(compile(block, "choreography.md", "exec"), {})
    pulses, counted, agrees = capsys.readouterr().out.split()
    assert int(pulses) == pytest.approx(120 * 20 * 3 * 0.8 * 4 / 3600 / 0.15, abs=1.5)
    assert float(counted) == pytest.approx(int(pulses) * 0.15)
    assert agrees == "True"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_is_asserted_and_nothing_of_pytest_is_known(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [name for name in names if "pytest" in name]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "AssertionError"]


@pytest.mark.parametrize(
    ("pulses", "uncounted", "agrees"), [(9, 0, False), (10, 0, True), (12, 0, True), (13, 0, False), (9, 1, True)]
)
def test_a_count_agrees_to_one_pulse(counted: Bench, pulses: int, uncounted: int, agrees: bool) -> None:
    """11 pulses of 0.15 Wh are due; one more or less may be on its way, and a new meter's first closing is none."""
    count = counted.counter("KYZ1").read(of="kWh delivered")
    due = replace(count.due, least_nwh=11 * 150_000_000, most_nwh=11 * 150_000_000)
    assert replace(count, pulses=pulses, uncounted=uncounted, due=due).agrees is agrees
