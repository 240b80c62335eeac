"""Tests of a series that are no points: each kind on observations made here, right and with a fault planted."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from rig.cli.app import app
from rig.errors import RigError
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.maxima import Maximum
from rig.meter.billing.quantity import PLACES, Kind, Quadrant, Quantity
from rig.meter.billing.snapshot import DemandReading, RegisterReading
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.outputs import OutputId
from rig.meter.reading.meter_reading import InstallationReading, MeterReading
from rig.results.provenance import provenance_of_computation
from rig.verify.errors import CountLost
from rig.verify.flow import Flow
from rig.verify.kept_results import Measured
from rig.verify.kind import Finding
from rig.verify.kinds import KINDS
from rig.verify.observing import Changed, Observed, Second
from rig.verify.series import SeriesResult, read_series, series_result
from rig.verify.series_test import SeriesTest, SeriesTestResult, judged

HZ = Fraction(10_000_000, 3)
LATENCY = 400_000
DELIVERED, EITHER = Quantity.KWH_DELIVERED, Quantity.KWH_EITHER
CONSTANTS = {"LED": (EITHER.value, Fraction(9, 5)), "KYZ1": (DELIVERED.value, Fraction(3, 20))}
EPOCH_NS = 1_800_000_000 * 10**9
"""A whole hour of UTC."""


def tick(seconds: float) -> int:
    return int(Fraction(seconds) * HZ)


def bench(
    watts: float,
    seconds: int,
    *,
    constants: dict[str, tuple[str, Fraction]] = CONSTANTS,
    real: dict[str, float] | None = None,
    registers: Callable[[float], float] = lambda wh: wh,
    interval_s: int = 60,
    demand: float = 1.0,
) -> Observed:
    """A steady load from 0 on: energy is watts · seconds / 3600, and all else follows from that.

    `real` is what a pulse of an output really stands for, of its constant; `registers` what registers make of the
    energy, `demand` what demand does.
    """
    seen = Observed(HZ, LATENCY, {name.value: Flow(1 << 20) for name in (DELIVERED, EITHER)}, {}, dict(constants), [])
    nwh = [round(watts * k / 3600 * 1e9) for k in range(seconds + 1)]
    for flow in seen.flows.values():
        for k in range(seconds):
            flow.add(tick(k), tick(k + 1), nwh[k + 1] - nwh[k])
    for label, (_, constant) in constants.items():
        of = constant * Fraction((real or {}).get(label, 1.0))
        count = int(watts * (seconds - 0.2) / 3600 / of) if watts else 0
        seen.edges[label] = [Changed(k, tick(float(of) * k * 3600 / watts) + LATENCY + 1) for k in range(1, count + 1)]
    for k in range(seconds + 1):
        amounts = [0] * PLACES
        amounts[len(Kind) * Quadrant.Q1 + Kind.WH] = round(registers(nwh[k] / 1e9) * 1e9)
        seen.seconds.append(Second(tick(k), reading(amounts, k, interval_s, round(watts * demand * 1e9))))
    return seen


def reading(amounts: list[int], second: int, interval_s: int, previous_nw: int) -> MeterReading:
    now_ns = EPOCH_NS + second * 10**9
    reached = Maximum(0, None, ())
    demands = (DemandReading(0, previous_nw if second >= interval_s else 0, reached, 0, 0),)
    return MeterReading(
        utc_ns=now_ns,
        registers=RegisterReading(tuple(amounts), (), (demands,), ()),
        demand=DemandSettings(DemandKind.BLOCK, interval_s),
        rate=Rate.A,
        rate_forced=False,
        season=0,
        resets=0,
        last_reset_ns=None,
        interval_ends_ns=EPOCH_NS + (second // interval_s + 1) * interval_s * 10**9,
        next_self_read_ns=None,
        inputs=(),
        test=None,
        recorder=None,
        closed_season=None,
        outputs=(),
        installation=InstallationReading(None, ()),
        faults=(),
    )


def found(kind: str, seen: Observed, output: OutputId = OutputId.KYZ1, limit: float | None = None) -> Finding:
    return KINDS[kind].judge(seen, output, KINDS[kind].limit if limit is None else limit)


# --- register --------------------------------------------------------------------------------------------------


def test_a_register_that_moves_with_its_pulses_passes() -> None:
    result = found("register", bench(7200, 30))
    assert result.passed
    assert result.value == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("percent", [0.1, -0.1])
def test_a_register_that_gains_or_loses_fails_by_that(percent: float) -> None:
    result = found("register", bench(7200, 30, registers=lambda wh: wh * (1 + percent / 100)))
    assert not result.passed
    assert result.value == pytest.approx(percent, abs=0.02)


def test_a_register_of_a_test_that_is_too_short_to_know_fails() -> None:
    result = found("register", bench(7200, 4))
    assert result.uncertainty > 0.02
    assert not result.passed


# --- creep, starting load --------------------------------------------------------------------------------------


def test_without_load_nothing_creeps() -> None:
    result = found("creep", bench(0, 600))
    assert (result.value, result.passed) == (0, True)


@pytest.mark.parametrize(("pulses", "passed"), [(1, True), (2, False)])
def test_one_pulse_without_load_may_be_and_two_may_not(pulses: int, passed: bool) -> None:
    seen = bench(0, 600)
    seen.edges["LED"] = [Changed(7 + k, tick(100 + 50 * k)) for k in range(pulses)]
    result = found("creep", seen, OutputId.TEST_LED)
    assert (result.value, result.passed) == (pulses, passed)


def test_energy_without_load_fails_though_no_pulse_came() -> None:
    seen = bench(0.0001, 600)
    assert seen.edges == {"LED": [], "KYZ1": []}
    result = found("creep", seen)
    assert not result.passed
    assert "were registered: see that nothing is connected" in result.text


def test_a_meter_that_starts_registers_in_every_second() -> None:
    result = found("starting load", bench(1.8, 30))
    assert (result.value, result.passed) == (100, True)
    assert "1.8 W on average" in result.text


def test_one_that_stalls_does_not() -> None:
    result = found("starting load", bench(1.8, 30, registers=lambda wh: min(wh, 1.8 * 20 / 3600)))
    assert result.value == pytest.approx(100 * 14 / 24), "from second 6 to 20, of those to 30"
    assert not result.passed


# --- demand, EOI -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("demand", "passed"), [(1.0, True), (1.003, False), (0.99, False)])
def test_demand_of_each_interval_is_that_of_its_energy(demand: float, passed: bool) -> None:
    """Intervals from 60 to 120 s and to 180 s are whole."""
    result = found("demand interval", bench(7200, 200, demand=demand))
    assert result.passed is passed
    assert result.value == pytest.approx(100 * (demand - 1), abs=1e-3)


def eoi(closes_s: list[float]) -> Observed:
    seen = bench(7200, 250)
    edges = [at + later for at in closes_s for later in (0.0, 5.0)]
    seen.edges["KYZ3"] = [Changed(k + 1, tick(at)) for k, at in enumerate(edges)]
    return seen


def test_an_eoi_that_closes_each_interval_passes_and_one_that_comes_late_fails() -> None:
    assert found("eoi", eoi([60.12, 120.121, 180.12]), OutputId.KYZ3).passed
    late = found("eoi", eoi([60.12, 120.5, 180.12]), OutputId.KYZ3)
    assert late.value == pytest.approx(0.38, abs=0.001) or late.value == pytest.approx(-0.38, abs=0.001)
    assert not late.passed


def test_an_eoi_that_left_one_out_fails() -> None:
    seen = eoi([60.12, 180.12])
    assert found("eoi", seen, OutputId.KYZ3).value == pytest.approx(60)


# --- KYZ -------------------------------------------------------------------------------------------------------


def test_the_ratio_of_two_outputs_that_follow_one_load_is_one() -> None:
    result = found("kyz ratio", bench(7200, 60))
    assert result.passed
    assert result.value == pytest.approx(0, abs=1e-3)


def test_a_kp_that_is_half_a_percent_off_is_in_the_ratio() -> None:
    result = found("kyz ratio", bench(7200, 60, real={"KYZ1": 1.005}))
    assert result.value == pytest.approx(100 / 1.005 - 100, abs=0.01)
    assert not result.passed


def test_the_shortest_dwell_is_found() -> None:
    seen = bench(7200, 10)
    assert found("kyz dwell", seen).value == pytest.approx(0.075, abs=1e-6)
    edges = seen.edges["KYZ1"]
    edges[40] = Changed(41, edges[39].tick + tick(0.004))
    result = found("kyz dwell", seen)
    assert result.value == pytest.approx(0.004, abs=1e-6)
    assert not result.passed


# --- what cannot be judged -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "output", "seconds", "why"),
    [
        ("register", OutputId.KYZ2, 10, "KYZ2 does not pulse in the meter's program"),
        ("kyz ratio", OutputId.TEST_LED, 10, "give kyz1 to kyz4"),
        ("kyz ratio", OutputId.KYZ1, 1, "LED pulsed 0 times in 1 s"),
        ("kyz dwell", OutputId.KYZ3, 10, "did not change over twice running"),
        ("starting load", OutputId.KYZ1, 5, "takes more than 5 s"),
        ("demand interval", OutputId.KYZ1, 70, "no whole interval of a block demand"),
        ("eoi", OutputId.KYZ1, 10, 'give the output that has function = "eoi"'),
        ("eoi", OutputId.KYZ3, 10, "KYZ3 closed 0 times in 10 s"),
    ],
)
def test_too_little_is_a_sentence_and_no_result(kind: str, output: OutputId, seconds: int, why: str) -> None:
    with pytest.raises(CountLost, match=why):
        found(kind, bench(7200, seconds), output)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('kind = "faith"', "test 'a': kind is 'faith', it must be register, creep"),
        ('kind = "creep"\nlimit = 2', "test 'a': limit is 2, and nothing says where that comes from"),
        ('kind = "creep"\noutput = "kyz7"', "test 'a': output is 'kyz7', it must be led"),
        ('kind = "creep"\nseconds = 0', "seconds"),
        ('kind = "creep"\nlimit = -1\nsource = "x"', "limit"),
        ('kind = "creep"\npulses = 3', "pulses"),
        ('kind = "creep"\n[[tests]]\nname = "a"\nkind = "eoi"', "two points are called 'a'"),
    ],
)
def test_a_test_that_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "series.toml"
    file.write_text(f'title = "t"\n[[tests]]\nname = "a"\n{text}\n')
    with pytest.raises(RigError) as refused:
        read_series(file)
    assert why in str(refused.value)
    assert str(file) in str(refused.value)


def test_tests_are_found_again_and_count_for_the_verdict(tmp_path: Path) -> None:
    test = SeriesTest("no load", "creep")
    seen = bench(0, 600)
    seen.edges["LED"] = [Changed(k, tick(100 + k)) for k in range(3)]
    good = judged(test, "one", bench(0, 600), provenance_of_computation("exact", "abc"))
    bad = judged(SeriesTest("again", "creep"), "two", seen, provenance_of_computation("exact", "abc"))
    assert (good.limit, good.unit, good.passed, bad.passed) == (1.0, "pulses", True, False)
    assert good.source == KINDS["creep"].source
    measured = Measured(tmp_path / "made.jsonl")
    measured.add(good)
    measured.add(bad)
    again = Measured(tmp_path / "made.jsonl")
    assert (again.test_result("one"), again.test_result("two"), again.test_result("three")) == (good, bad, None)
    assert again.result("one") is None
    file = tmp_path / "series.toml"
    file.write_text(
        'title = "t"\n[[tests]]\nname = "no load"\nkind = "creep"\n[[tests]]\nname = "again"\nkind = "creep"\n'
    )
    series = read_series(file)
    assert series_result(series, [], [good]).passed
    assert not series_result(series, [], [good, bad]).passed


def test_every_kind_is_in_the_document() -> None:
    text = (Path(__file__).parents[3] / "docs" / "verification.md").read_text(encoding="utf-8")
    for name, kind in KINDS.items():
        (row,) = (line for line in text.splitlines() if line.startswith(f"| `{name}` |"))
        assert f"{kind.limit:g}" in row
    for key in SeriesTest.__struct_fields__:
        assert f"`{key}`" in text


SERIES = """
title = "tests"

[[tests]]
name = "ratio"
kind = "kyz ratio"
load = "40 A"
seconds = 4
limit = 0.1
source = "a short test"
"""

LONG_SERIES = """
title = "tests"

[[tests]]
name = "no load"
kind = "creep"
load = "0 A"
seconds = 30

[[tests]]
name = "starts"
kind = "starting load"
load = "0.05 A"
seconds = 15

[[tests]]
name = "dwell"
kind = "kyz dwell"
load = "20 A"
seconds = 5

[[tests]]
name = "dial"
kind = "register"
load = "20 A"
seconds = 20

[[tests]]
name = "demand"
kind = "demand interval"
load = "20 A"
seconds = 190

[[tests]]
name = "ends"
kind = "eoi"
output = "kyz3"
load = "20 A"
seconds = 190
"""

PROGRAM = """
[meter]
model = "RXRS4e"
form = "9S"
current_class = 200

[demand]
method = "block"
interval_minutes = 1
quantities = ["kW delivered"]
allow_short_interval = true

[[outputs]]
name = "KYZ1"
function = "pulses"
quantity = "kWh delivered"
kp_wh = "1.8"

[[outputs]]
name = "KYZ3"
function = "eoi"
closed_seconds = 5
"""


def made(folder: Path, text: str) -> SeriesResult:
    (folder / "s.toml").write_text(text)
    ran = CliRunner().invoke(app, ["verify", "--series", "s.toml", "--resume", "s.jsonl", "--json"])
    assert ran.stdout, ran.output
    return msgspec.json.decode(ran.stdout, type=SeriesResult)


def test_a_series_of_a_test_runs_on_a_simulated_meter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = made(tmp_path, SERIES)
    (ratio,) = whole.tests
    assert ratio.passed, ratio.text
    assert ratio.source == "a short test"
    assert ratio.simulated
    assert msgspec.json.decode(Path("s.jsonl").read_bytes(), type=SeriesTestResult) == ratio
    assert made(tmp_path, SERIES) == whole, "made before"


@pytest.mark.slow
def test_every_kind_passes_on_a_simulated_meter_that_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meter.toml").write_text(PROGRAM)
    (tmp_path / "rig.toml").write_text('[meter]\nprogram = "meter.toml"\n')
    whole = made(tmp_path, LONG_SERIES)
    assert [(test.name, test.text) for test in whole.tests if not test.passed] == []
    assert whole.passed
