"""Reference standards: what their readings come to beside a flow made here, and on a real socket and pty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import floor
from random import Random

import pytest

from drivers.visa_instrument import VisaInstrumentError
from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import EnergyFlowed, Stop, Topic
from rig.daemon.startup import Start
from rig.errors import RigError
from rig.hardware.config import Config
from rig.meter.contacts.outputs import OutputId
from rig.verify.counters import GpioCounter
from rig.verify.errors import CountLost, VerifyError
from rig.verify.measure import OutputVerification
from rig.verify.plan import Plan
from rig.verify.point import Point
from rig.verify.run import Run, Timeline
from rig.verify.standard import (
    CountStandard,
    EdgeStandard,
    EnergyStandard,
    PowerStandard,
    ReferenceStandard,
    standard_named,
)
from rig.verify.standard_flow import StandardFlow
from tests.drivers.scpi_instrument import ScpiInstrument
from tests.rig.verify.count_bench import HZ, KYZ1, LATENCY, WINDOW, BenchClock, Line, LongRun, by_fpga

STANDARD_WH = Fraction(1, 1000)
"""A pulse of a standard: 2000 a second at 7.2 kW."""


class Instrument:
    """A standard on the load of a long run, read after a part of its round trip; `gain` is its error."""

    def __init__(self, long: LongRun, clock: BenchClock, chance: Random, gain: float = 1.0, step: float = 0.0) -> None:
        self.step = step
        self.long, self.clock, self.chance, self.gain = long, clock, chance, gain
        self.now = 0.0
        self.begin = 0.0

    def _at(self) -> float:
        trip = self.chance.uniform(0.002, 0.01) * float(HZ)
        at = self.now + self.chance.random() * trip
        self.now += trip
        return at

    def now_ns(self) -> int:
        return self.clock.ns(self.now)

    def wh(self) -> float:
        wh = float(self.long.wh_at(self._at())) * self.gain
        return floor(wh / self.step) * self.step if self.step else wh

    def watts(self) -> float:
        return self.long.watts_at(self._at()) * self.gain

    def read(self) -> int:
        return floor(float(self.long.wh_at(self._at())) * self.gain / float(STANDARD_WH))

    def close(self) -> None:
        pass


def made(kind: str, instrument: Instrument) -> ReferenceStandard:
    name = f"standard:{kind}"
    match kind:
        case "count":
            return CountStandard(name, instrument, STANDARD_WH, instrument.now_ns)
        case "energy":
            return EnergyStandard(name, instrument.wh, instrument.close, instrument.now_ns)
        case _:
            return PowerStandard(name, instrument.watts, instrument.close, instrument.now_ns)


def run_against(
    kind: str,
    seed: int,
    *,
    gain: float = 1.0,
    certified_percent: float = 0.0,
    pulses: int = 60,
    step: float = 0.0,
) -> Run:
    """KYZ1 by the FPGA's counter, on a load that is even, against a standard that is read 20 times a second."""
    chance, long = Random(seed), long_run()
    windows, edges = long.taken(pulses * 0.0825 + 1.5, chance)
    clock = BenchClock(chance)
    instrument = Instrument(long, clock, chance, gain, step)
    flow = StandardFlow(made(kind, instrument), certified_percent)
    run = Run(KYZ1, Plan(pulses=pulses, limit_percent=50.0), Timeline(HZ, LATENCY), lasting=flow.lasting)
    counts = by_fpga(edges, windows, WINDOW, run, chance)
    instrument.now, compared = float(windows.start * WINDOW), -float(10**9)
    for k in windows:
        end = (k + 1) * WINDOW
        if end - compared > HZ:
            clock.compare(end)
            compared = end
        while instrument.now <= end:
            flow.poll()
            instrument.now += 0.05 * float(HZ)
        for begin_tick, end_tick, nwh, half_ticks in flow.windows(clock.timeline):
            run.reference_half_wh, run.reference_scatter = flow.half_wh, flow.scatter
            run.add_window(begin_tick, end_tick, nwh, half_ticks)
        next(counts)
        if run.over:
            break
    assert run.over
    return run


@cache
def long_run() -> LongRun:
    return LongRun(300.0, 31, swing=0.02)


@pytest.mark.parametrize("kind", ["count", "energy", "power"])
@pytest.mark.parametrize("runs", [pytest.param(30), pytest.param(1000, marks=pytest.mark.slow)])
def test_a_standard_on_a_bus_knows_the_error_within_its_uncertainty(kind: str, runs: int) -> None:
    """Read within 2 to 10 ms, so known to ±5 ms at either end of 4.5 s: ±0.2 %. 95 ± 2 of 100 is the issue's figure;
    of 30 no fewer than 25. Power is on the safe side: the cycles that were read are themselves part of what flowed."""
    inside = 0
    for seed in range(runs):
        run = run_against(kind, seed)
        assert run.faults == []
        inside += abs(run.error_percent) <= run.budget.expanded_percent
        assert run.budget.expanded_percent < 0.4
    assert inside >= 25
    if runs > 30:
        assert 0.93 <= inside / runs <= (1.0 if kind == "power" else 0.97), f"{inside} of {runs}"


@pytest.mark.parametrize("gain", [1.02, 0.98])
def test_an_error_of_the_meter_against_the_standard_is_found(gain: float) -> None:
    run = run_against("energy", 3, gain=gain)
    assert run.error_percent == pytest.approx(100 / gain - 100, abs=run.budget.expanded_percent)


def test_the_certificate_is_in_the_budget_as_half_of_its_expanded_uncertainty() -> None:
    without, certified = run_against("energy", 4), run_against("energy", 4, certified_percent=0.5)
    (part,) = (part for part in certified.budget.components if part.source.startswith("certificate"))
    assert part.standard_percent == 0.25
    assert certified.budget.expanded_percent == pytest.approx((without.budget.expanded_percent**2 + 0.5**2) ** 0.5)
    repeated = Run(KYZ1, Plan(pulses=10), Timeline(HZ, LATENCY), lasting=certified.budget.components)
    assert repeated.repeats == []


def test_pulses_of_a_standard_at_a_pin_are_windows_from_edge_to_edge() -> None:
    """Edges at 10 ms and 30 ms of the clock, which is the FPGA's tick by tick: 1 mWh from tick 33333 to 100000."""
    line, now = Line(), [0]
    flow = StandardFlow(
        EdgeStandard("standard:gpio:16", GpioCounter("gpio:16", [line], lambda: now[0]), STANDARD_WH), 0
    )
    chance = Random(1)
    clock = BenchClock(chance)
    clock.timeline.compare(0, 0, 0)
    flow.poll()
    line.put(10_000_000, True)
    line.put(15_000_000, False)
    line.put(30_000_000, True)
    now[0] = 40_000_000
    flow.poll()
    flow.poll()
    windows = list(flow.windows(clock.timeline))
    assert [window[:3] for window in windows] == [(33333, 100_000, 1_000_000)], "nothing is known before the first edge"
    assert flow.half_wh == 0


def test_a_standard_that_is_not_on_this_load_ends_the_count() -> None:
    flow = StandardFlow(EnergyStandard("standard:energy:X", lambda: 5.0, lambda: None), 0)
    for second in range(60):
        flow.poll()
        flow.registered(2_000_000, int(second * HZ), tick_hz=HZ)
    with pytest.raises(CountLost, match="has measured nothing for 60 s while the meter registers energy"):
        flow.registered(2_000_000, int(61 * HZ), tick_hz=HZ)


def test_one_whose_cable_comes_off_is_found_in_10_s_or_three_of_its_steps() -> None:
    for step, after in ((0.01, 10), (10.0, 15)):  # of 2 Wh a second: 3 · 10 Wh take 15 s
        readings = iter([0.0, step])
        flow = StandardFlow(EnergyStandard("standard:energy:X", lambda: next(readings, step), lambda: None), 0)  # noqa: B023
        for second in range(after + 1):
            flow.poll()
            flow.registered(2 * 10**9 if second else 0, int(second * HZ), tick_hz=HZ)
        with pytest.raises(CountLost, match="has measured nothing for 10 s"):
            flow.registered(2 * 10**9, int((after + 2) * HZ), tick_hz=HZ)


def test_a_standard_that_moves_in_steps_of_many_pulses_has_no_false_alarm() -> None:
    """1 Wh a step, and 0.15 Wh a pulse: 200 pulses are known to ±0.5 Wh of 30 at either end, 2.7 % with k = 2."""
    for seed in range(10):
        run = run_against("energy", seed, step=1.0, pulses=200)
        assert run.faults == []
        assert run.budget.expanded_percent == pytest.approx(200 * 2**0.5 * 0.5 / 3**0.5 / 30, rel=0.2)
        assert abs(run.error_percent) < 5


def test_one_whose_energy_falls_ends_the_count() -> None:
    readings = iter([5.0, 6.0, 0.0])
    flow = StandardFlow(EnergyStandard("standard:energy:X", lambda: next(readings), lambda: None), 0)
    flow.poll()
    flow.poll()
    with pytest.raises(CountLost, match="has 0 Wh and had 6: it was reset, or its energy flows backwards"):
        flow.poll()


@pytest.mark.parametrize("over", ["socket", "pty"])
@pytest.mark.parametrize("kind", ["energy", "power"])
def test_it_is_asked_over_a_real_bus(over: str, kind: str) -> None:
    question = {"energy": "FETC:ENER?", "power": "MEAS:POW?"}[kind]
    replies = iter(["7200.0", "7.2E+3", "7200"])
    with ScpiInstrument(over=over, answers={question: lambda: next(replies)}) as instrument:
        standard = standard_named(f"standard:{kind}:{instrument.resource}")
        readings = [reading for _ in range(3) for reading in standard.poll()]
        standard.close()
    for before, after in pairwise(readings):
        assert before.at_ns < after.at_ns
    if kind == "energy":
        assert {reading.wh for reading in readings} == {7200}
    else:
        elapsed = Fraction(readings[-1].at_ns - readings[0].at_ns, 3600 * 10**9)
        assert readings[-1].wh == 7200 * elapsed


Misbehaviour = Callable[[str, bytes], bytes | None]


@pytest.mark.parametrize("over", ["socket", "pty"])
@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"OVLD\n", "'OVLD', which is no energy in Wh: give what it is asked with --standard-query"),
        (b"\n", "which is no energy in Wh"),
        (b"9.91E37\n", "which is no energy in Wh"),
        (b"1,2\n", "which is no energy in Wh"),
        (b"\xff\xfe\n", "did not answer|which is no energy in Wh"),
        (b"nan\n", "which is no energy in Wh"),
    ],
)
def test_what_is_no_energy_ends_the_count_with_a_sentence(over: str, reply: bytes, why: str) -> None:
    with ScpiInstrument(over=over, answers={"FETC:ENER?": lambda: "1"}, misbehave=lambda *_: reply) as instrument:
        standard = standard_named(f"standard:energy:{instrument.resource}")
        with pytest.raises(CountLost, match=why) as lost:
            standard.poll()
        assert "nothing is known of the rest" in str(lost.value)
        assert "\n" not in str(lost.value)
        standard.close()


def test_one_that_is_unplugged_in_mid_count_ends_it_with_a_sentence() -> None:
    instrument = ScpiInstrument(answers={"FETC:ENER?": lambda: "1"})
    standard = standard_named(f"standard:energy:{instrument.resource}")
    assert len(standard.poll()) == 1
    instrument.close()
    with pytest.raises(CountLost, match="the count broke off, and nothing is known of the rest"):
        standard.poll()
    standard.close()


@pytest.mark.parametrize(
    ("name", "constant", "why"),
    [
        ("standard:", None, "after standard: comes gpio:PIN"),
        ("standard:energy:", None, "after standard: comes"),
        ("standard:faith:X", None, "after standard: comes"),
        ("standard:visa:", None, "after standard: comes"),
        ("standard:visa:TCPIP::127.0.0.1::1::SOCKET", None, "say with --standard-constant how many Wh each is"),
        ("standard:gpio:16", None, "say with --standard-constant"),
        ("standard:power:X", "0.001", "--standard-constant is for pulses"),
        ("standard:power:nonsense", None, "nonsense cannot be opened"),
    ],
)
def test_standards_that_cannot_be_are_refused(name: str, constant: str | None, why: str) -> None:
    with pytest.raises((VerifyError, VisaInstrumentError), match=why):
        standard_named(name, constant_wh=None if constant is None else Fraction(constant))


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"reference": "standard:power:X", "load": "5 A"}, "--load is for a simulated meter"),
        ({"reference": "standard:power:X", "standard_uncertainty_percent": float("nan")}, "it must be 0 to 100"),
        ({"standard_uncertainty_percent": -1.0}, "--standard-uncertainty is -1, it must be 0 to 100 percent"),
        ({"standard_query": "W?"}, "--standard-query is for --reference standard:"),
        ({"standard_constant_wh": "0.1"}, "--standard-constant is for --reference standard:"),
        ({"reference": "source", "standard_uncertainty_percent": 0.1}, "--standard-uncertainty is for --reference"),
        ({"reference": "standard:gpio:1", "standard_constant_wh": "x"}, "standard_constant_wh is"),
    ],
)
def test_points_that_mix_references_are_refused(asked: dict[str, str], why: str) -> None:
    with pytest.raises(RigError, match=why):
        Point("p", **asked).check()  # type: ignore[arg-type]


class Follower:
    """Energy that the meter has published, as a standard on the same load would have it."""

    def __init__(self, client: MeterClient) -> None:
        self.client, self.wh = client, 0.0
        client.subscribe(Topic.ENERGY)

    def __call__(self) -> str:
        while (message := self.client.poll()) is not None:
            if isinstance(message, EnergyFlowed):
                self.wh += sum(window.nano.get("kWh delivered", 0) for window in message.windows) / 1e9
        return f"{self.wh:.9E}"


@pytest.fixture
def paced() -> Iterator[MeterClient]:
    socket = runtime_folder() / "meter.sock"
    launched = Launched(Start(Config(), str(socket), None, paced=True))
    try:
        with MeterClient.connect(socket, "verification", "test") as client:
            launched.begin()
            yield client
            client.ask(Stop())
        launched.wait()
    finally:
        launched.process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("over", ["socket", "pty"])
def test_a_meter_in_real_time_against_a_standard_on_a_bus(over: str, paced: MeterClient) -> None:
    """The standard has the energy that is published each tenth of a second: in 20 s ±0.1 s are 0.5 %."""
    with MeterClient.connect(paced.path, "verification", "follower") as client:
        follower = Follower(client)
        with ScpiInstrument(over=over, answers={"FETC:ENER?": follower}) as instrument:
            standard = standard_named(f"standard:energy:{instrument.resource}")
            plan = Plan(pulses=80, limit_percent=2.0)
            found = OutputVerification(paced, OutputId.KYZ1, plan, standard=standard, certified_percent=0.02).measure()
            standard.close()
    assert found.reference == standard.name
    assert abs(found.error_percent) < 1.0
    assert "certificate of the standard" in {part.source for part in found.budget}


@pytest.mark.slow
def test_a_standard_that_is_unplugged_leaves_no_result(paced: MeterClient) -> None:
    with MeterClient.connect(paced.path, "verification", "follower") as client:
        follower = Follower(client)
        instrument = ScpiInstrument(answers={"FETC:ENER?": follower})
        standard = standard_named(f"standard:energy:{instrument.resource}")

        def unplug(progress: object) -> None:
            if getattr(progress, "pulses", 0) >= 3:
                instrument.close()

        measurement = OutputVerification(paced, OutputId.KYZ1, Plan(pulses=200), standard=standard, progress=unplug)
        with pytest.raises(CountLost, match="the count broke off, and nothing is known of the rest"):
            measurement.measure()
        standard.close()
