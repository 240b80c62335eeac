"""The source follows the meter's form, tells what it leaves out, refuses what would clip (review A-14, C-1, C-2)."""

from __future__ import annotations

from contextlib import ExitStack
from math import sqrt

import pytest
from someone import Someone, open_bench

from rig.bench.applied import Applied, applied_load, at_first
from rig.bench.bench import simulated_bench
from rig.bench.errors import NotFitted, WrongArgument
from rig.meter.measuring.elements import FORMS
from rig.program.build import Program, build, default_program
from rig.program.schema import MeterTable, ProgramFile
from rig.pytest_plugin.failures import BenchFailure
from rig.pytest_plugin.words import CounterWords


def of_form(form: str, service: str = "auto") -> Program:
    return build(ProgramFile(meter=MeterTable(form=form, service=service)))


@pytest.mark.parametrize(
    ("form", "service", "text"),
    [
        ("9S", "auto", "120 V, 0 A, 60 Hz"),
        ("1S", "auto", "120 V, 0 A, 60 Hz on 1-phase 2-wire"),
        ("45S", "3-wire network", "120 V, 0 A, 60 Hz on 3-wire network"),
        ("8S", "auto", "120/207.8/120 V, 0 A, 60 Hz on 4-wire delta"),
    ],
)
def test_at_first_there_is_the_service_of_the_program(form: str, service: str, text: str) -> None:
    assert at_first(of_form(form, service)).text == text


def test_a_network_meter_finds_its_network_and_no_fault_of_phase_c() -> None:
    """Three values are given, as of a wye; C is left out, and told (review C-2)."""
    with simulated_bench(program=of_form("45S", "3-wire network")) as bench:
        bench.source.apply(volts=(120, 118, 121), amps=(5, 4, 3), pf=0.8)
        assert bench.source.applied.text == (
            "120/118 V, 5/4 A, lagging by 36.9°, 60 Hz on 3-wire network "
            "(V of C and A of C left out: the form does not measure it)"
        )
        bench.rig.run(4)
        meter = bench.rig.service.meter
        assert meter.reading().installation.service.text == "NET 120 ABC"
        assert meter.instant.phases.v_rms[2] == pytest.approx(0, abs=0.1)
        assert bench.source.watts() == pytest.approx((120 * 5 + 118 * 4) * 0.8)
        assert bench.source.vars() == pytest.approx((120 * 5 + 118 * 4) * 0.6)
        assert sum(meter.instant.elements.p_w) == pytest.approx((120 * 5 + 118 * 4) * 0.8, rel=1e-3)


def test_half_an_element_registers_half_of_the_sums() -> None:
    """2S: a coil across both lines, and the currents of both: (118 + 122) / 2 · (10 + 6) W at unity."""
    with simulated_bench(program=of_form("2S")) as bench:
        bench.source.apply(volts=(118, 122, 0), amps=(10, 6, 0), reverse=True)
        bench.rig.run(2)
        assert bench.source.watts() == pytest.approx(-120 * 16)
        assert sum(bench.rig.service.meter.instant.elements.p_w) == pytest.approx(-120 * 16, rel=1e-3)
        assert "left out" not in bench.source.applied.text


def test_a_delta_is_given_line_voltages() -> None:
    """5S, 3-wire delta: √3 · 240 V · 5 A · 0.6, by two elements."""
    with simulated_bench(program=of_form("5S")) as bench:
        bench.source.apply(volts=240, amps=5, pf=0.6)
        bench.rig.run(4)
        assert bench.source.watts() == pytest.approx(sqrt(3) * 240 * 5 * 0.6)
        elements = bench.rig.service.meter.instant.elements
        assert sum(elements.p_w) == pytest.approx(sqrt(3) * 240 * 5 * 0.6, rel=1e-3)
        assert sum(elements.q_var) == pytest.approx(sqrt(3) * 240 * 5 * 0.8, rel=1e-3)
        assert bench.rig.service.meter.reading().installation.service.text == "3WD 240 ABC"


WORDS = "120 V, 5 A, pf 1, h3 V 4 %, h3 A 20 % 60°, h5 A 10 %"
WATTS = 3 * (120 * 5 + 120 * 0.04 * 5 * 0.2 * 0.5)
"""The third harmonics are 60° apart, and the fifth meets no voltage."""


def test_a_load_in_words() -> None:
    with simulated_bench() as bench:
        bench.source.apply_load(WORDS)
        assert bench.source.applied.text == "120 V, 5 A, 60 Hz, h3 V 4 %, h3 A 20 %, h5 A 10 %"
        bench.rig.run(2)
        assert bench.source.watts() == pytest.approx(WATTS)
        assert sum(bench.rig.service.meter.instant.elements.p_w) == pytest.approx(WATTS, rel=1e-3)
        bench.source.off()
        assert bench.source.watts() == 0


def test_the_phantom_load_plays_the_same_words(tmp_path) -> None:
    with ExitStack() as closing:
        bench = open_bench(Someone(), tmp_path, closing)
        bench.source.apply_load("120 V, 5 A, pf 0.8 lag, h3 V 4 %, h3 A 20 % 60°, h7 V 5 %, h7 A 20 % -30°")
        bench.rig.run(2)
        found = sum(bench.rig.service.meter.instant.elements.p_w)
        assert found == pytest.approx(bench.source.watts(), rel=1e-3)
        assert abs(bench.source.watts() - 1440) > 10, "the harmonics are seen in it"
        with pytest.raises(NotFitted, match="orders are 1 to 7, got 11; a source with more has to be set by a person"):
            bench.source.apply_load("5 A, h11 A 3 %")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("lively", "the source: 'lively' changes by itself: give volts, amps"),
        ("5 A, profile house", "changes by itself"),
        ("5 B", "the source: '5 B' is not understood"),
        ("100 A", "the source: amps: ia peaks at 141.4 A"),
        ("5/5 A", "the source: amps has 2 values, and on 4-wire wye the form measures amps of A B C"),
        ("3-wire delta", 'the source: service: form 9S does not meter the service "3-wire delta"'),
    ],
)
def test_words_that_are_no_steady_load(words: str, said: str) -> None:
    with pytest.raises(WrongArgument) as refused:
        applied_load(words, default_program())
    assert said in str(refused.value)


def test_what_would_clip_is_refused() -> None:
    """5/200/5 A on class 20: 24 600 W flow, 10 027 W were registered, and nobody heard of it."""
    with simulated_bench() as bench:
        before = bench.source.applied
        with pytest.raises(WrongArgument, match=r"the source: amps: ib peaks at 282\.8 A, and .* takes 70\.71 A"):
            bench.source.apply(amps=(5, 200, 5))
        with pytest.raises(WrongArgument, match=r"the source: volts: va peaks at 989\.9 V, and .* takes 850 V"):
            bench.source.apply(volts=700)
        assert bench.source.applied is before


def test_an_overload_fails_the_count() -> None:
    """A source outside the bench's hands: pulses agree with what was measured, and that is not what flowed."""
    with simulated_bench() as bench:
        bench.source._driver(Applied(amps=(5, 200, 5)))
        bench.rig.run(1)
        counter = CounterWords(bench.rig, "KYZ1")
        count = counter.read(of="kWh delivered")
        assert (count.clipped, count.agrees) == (("i2",), False)
        with pytest.raises(BenchFailure, match="the meter was overloaded: i2 clipped, so more flowed than it measured"):
            counter.expect(of="kWh delivered")
        bench.source.apply(amps=5)
        bench.rig.run(0.5)
        counter.zero()
        bench.rig.run(1)
        counter.expect(of="kWh delivered")


def test_every_form_can_be_given_each_of_its_services() -> None:
    for form in FORMS.values():
        for service in form.services:
            applied = at_first(of_form(form.name, service))
            assert applied.equation == form.equation(service)
            assert isinstance(applied.watts, float)


def test_a_current_that_leads_takes_vars_the_other_way() -> None:
    """720 VA at 0.6: 576 var, received where the current leads; and what is received turns both."""
    with simulated_bench(program=of_form("1S")) as bench:
        found = []
        for words in ({}, {"lead": True}, {"reverse": True}, {"lead": True, "reverse": True}):
            bench.source.apply(volts=120, amps=6, pf=0.6, **words)
            found.append((round(bench.source.watts(), 6), round(bench.source.vars(), 6)))
        assert found == [(432, 576), (432, -576), (-432, -576), (-432, 576)]


def test_a_phase_that_is_not_measured_has_nothing() -> None:
    with simulated_bench(program=of_form("1S")) as bench:
        bench.source.apply(volts=120, amps=6)
        assert (bench.source.applied.volts, bench.source.applied.amps) == ((120, 0, 0), (6, 0, 0))
