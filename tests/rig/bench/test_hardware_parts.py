"""What stands in for simulated hands and source on hardware: actuators, the phantom load, a person at a source."""

from __future__ import annotations

import pytest
from someone import BEGIN_UTC_NS, Someone, bench_with

from drivers.pins import GpioError
from drivers.sim.pins import VirtualClockMockFactory
from rig.bench.applied import Applied
from rig.bench.contact_drivers import Actuator
from rig.bench.errors import NobodyActed
from rig.bench.in_process import InProcessMeter
from rig.bench.rig import Rig
from rig.bench.simulated import simulated
from rig.bench.source import PersonAtSource
from rig.hardware.config import BenchConfig, Config
from rig.program.build import default_program


def coupled(hardware, pin: int, switch: str) -> None:
    """An opto-coupler from an actuator's pin to a switch: without bounce, as soon as the pin goes high or low."""
    pins, hands = hardware.pins, hardware.hands
    assert isinstance(pins, VirtualClockMockFactory)
    output = pins.pin(pin)
    change = output._change_state

    def changed(value: bool) -> bool:
        moved = change(value)
        if moved:
            hands.level(switch, hardware.clock.now_ns(), bool(value))
        return moved

    output._change_state = changed


@pytest.mark.slow
def test_an_actuator_closes_the_switch_as_long_as_it_is_told(tmp_path) -> None:
    someone = Someone()
    with bench_with(someone, tmp_path, BenchConfig(magnet_actuator_pin=14)) as bench:
        coupled(someone.hardware, 14, "magnet")
        begin = bench.rig.now_ns
        bench.magnet.hold(3.1)
        assert bench.rig.actions.last.at_ns - begin == pytest.approx(3.1e9, abs=5e6)
        assert bench.display.await_shown("ALT", within_s=0.1).met
        assert someone.prompts == []
        bench.magnet.hold(6.2)
        assert bench.display.await_shown(mode="gyrbox", within_s=0).met


def test_an_actuator_lets_go_when_the_stand_is_closed(tmp_path) -> None:
    someone = Someone()
    with bench_with(someone, tmp_path, BenchConfig(cover_actuator_pin=14)) as bench:
        coupled(someone.hardware, 14, "cover")
        bench.cover.off()
        pin = bench.rig.hardware.pins.pin(14)
        assert pin.state
    assert not pin.state


def test_an_actuator_on_a_pin_in_use_is_refused(tmp_path) -> None:
    with (
        bench_with(Someone(), tmp_path) as bench,
        pytest.raises(GpioError, match="the actuator of scroll"),
    ):
        Actuator(bench.rig, bench.rig.hardware.pins, "scroll", 17)


def test_an_input_that_the_program_does_not_use(tmp_path) -> None:
    with (
        bench_with(Someone(), tmp_path) as bench,
        pytest.raises(ValueError, match="the program does not use input 2: it has none"),
    ):
        bench.input_contact(2)


def test_the_phantom_load_gives_what_is_applied(tmp_path) -> None:
    with bench_with(Someone(), tmp_path) as bench:
        bench.source.apply(volts=(118, 120, 122), amps=(4, 5, 6), pf=0.8)
        bench.rig.run(2.5)
        instant = bench.rig.service.meter.instant
        assert instant.phases.v_rms == pytest.approx((118, 120, 122), rel=1e-3)
        assert instant.phases.i_rms == pytest.approx((4, 5, 6), rel=1e-3)
        assert sum(instant.elements.p_w) == pytest.approx(bench.source.watts(), rel=1e-3)
        assert sum(instant.elements.q_var) == pytest.approx(bench.source.vars(), rel=1e-3)
        assert not bench.rig.service.meter.faults
    assert bench.rig.hardware.link.read("PHANTOM") == [0]


@pytest.fixture
def at_source(tmp_path):
    """A rig whose source a person sets."""
    config = Config()
    hardware, source_driver, _ = simulated(config, 20, Applied(), BEGIN_UTC_NS)
    rig = Rig(InProcessMeter(hardware, config, default_program(), tmp_path / "store"))
    yield rig, source_driver
    rig.stop()
    hardware.close()


def test_a_person_at_the_source_is_noticed_by_measuring(at_source) -> None:
    rig, source_driver = at_source
    wanted = Applied((120, 120, 120), (5, 5, 5), 36.87)
    asked = []

    def prompt(what) -> None:
        asked.append(what.text)
        source_driver(wanted)

    PersonAtSource(rig, prompt)(wanted)
    assert asked == ["set the source to 120 V, 5 A, lagging by 36.9°, 60 Hz now"]
    assert 0.9 < rig.seconds < 3.5


def test_a_source_that_is_not_set_is_told_with_what_is_measured(at_source) -> None:
    rig, _ = at_source
    with pytest.raises(NobodyActed, match=r"(?s)nobody did within 3 s.*the meter measures 120 V, .*A"):
        PersonAtSource(rig, lambda asked: None, patience_s=3)(Applied(amps=(5, 5, 5)))
