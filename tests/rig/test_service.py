"""The service on the simulated rig: pulses on the pins at their instants, nothing lost at start and finish."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from gpiozero import OutputDevice

from drivers.pins import GpioError
from drivers.sim.pins import VirtualClockMockFactory
from drivers.sim.playing import lively_load
from gateware.chain import Chain
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.hardware.selection import open_hardware
from rig.meter.billing.inputs import InputId
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.contacts.functions import PulsesOutput, RecordedInput
from rig.meter.contacts.outputs import OutputId
from rig.meter.front.switches import Switch
from rig.meter.measuring.measurement import Fault
from rig.meter.measuring.quantities import Sums
from rig.meter.meter import WindowResult
from rig.program.build import Program, default_program
from rig.service.outputs import LED_WIDTH_NS, MEMORY, RELAY_DWELL_NS
from rig.service.service import PULSE_LATENCY_NS, Service
from rig.store.errors import StoreError
from rig.store.store import Store

SECONDS = 8
CONFIG = Config()


def pulsing(ks_wh: str, kp_wh: str) -> Program:
    """The plain program with other constants; KYZ1 may then pulse faster than a program file is allowed to."""
    program = default_program()
    plate = replace(program.nameplate, ks=replace(program.ks, wh=Fraction(ks_wh)))
    kyz1 = PulsesOutput(OutputId.KYZ1, Quantity.KWH_DELIVERED, Fraction(kp_wh))
    return replace(program, metering=replace(program.metering, nameplate=plate), outputs=(kyz1,))


PROGRAM = pulsing("0.36", "0.03")


def opened() -> Hardware:
    return open_hardware(CONFIG, 20, paced=False)


def metered(program: Program) -> tuple[Service, VirtualClockMockFactory, list[WindowResult]]:
    hardware = opened()
    service = Service(hardware, CONFIG, program)
    service.begin()
    results = list(service.run(hardware.clock.now_ns() + SECONDS * 10**9))
    pins = hardware.pins
    assert isinstance(pins, VirtualClockMockFactory)
    return service, pins, results


@pytest.fixture(scope="module")
def session() -> tuple[Service, VirtualClockMockFactory, list[WindowResult]]:
    return metered(PROGRAM)


def test_registers_are_the_sum_of_the_records(session) -> None:
    service, _, results = session
    flowed = [r.window.energies for r in results if r.window.energies]
    assert sum(e.of(Quantity.KWH_DELIVERED) for e in flowed) == service.energy_of_run(Quantity.KWH_DELIVERED) > 0
    assert sum(e.of(Quantity.KVARH_LAGGING) for e in flowed) == service.energy_of_run(Quantity.KVARH_LAGGING) > 0
    assert not service.measurement.faults
    for one, following in pairwise(results):
        assert following.window.tick_start == one.window.tick_end


def test_energy_of_a_run_is_what_flowed_in_test_mode_too() -> None:
    hardware = opened()
    service = Service(hardware, CONFIG, PROGRAM)
    service.begin()
    for switch in (Switch.COVER, Switch.TEST):
        service.operate(switch, True)
    flowed = [r.window.energies for r in service.run(hardware.clock.now_ns() + 3 * 10**9) if r.window.energies]
    billing = service.meter.billing
    billing.settle()
    assert billing.test is not None
    registered = billing.registers.energy(Quantity.KWH_DELIVERED), billing.test.energy(Quantity.KWH_DELIVERED)
    assert all(registered)
    assert sum(registered) == service.energy_of_run(Quantity.KWH_DELIVERED)
    assert sum(e.of(Quantity.KWH_DELIVERED) for e in flowed) == service.energy_of_run(Quantity.KWH_DELIVERED)
    service.finish()


def test_edges_come_at_their_instants_plus_the_latency(session) -> None:
    """Constant to 2 ms: a poll's record takes 7 frames of 0.2 ms on the bus, during which no edge is made."""
    _, pins, results = session
    tick_ns = 10**9 / Chain().tick_hz
    for output, pin in ((OutputId.KYZ1, 22), (OutputId.TEST_LED, 17)):
        instants = [int(p.tick * tick_ns) for r in results for p in r.pulses if p.output is output]
        edges = [e.time_ns for e in pins.edges(pin) if output is OutputId.KYZ1 or e.high]
        assert len(edges) > 15
        delays = [edge - instant for edge, instant in zip(edges, instants, strict=False)]
        assert max(delays) - min(delays) < 2_000_000
        assert all(abs(d - PULSE_LATENCY_NS) < 2_000_000 for d in delays)


def test_contacts_of_form_c_are_never_both_closed(session) -> None:
    _, pins, _ = session
    y, z = pins.edges(22), pins.edges(23)
    assert len(y) > 100
    assert y[0].high  # both are open at the start, the first pulse closes K–Y
    assert [e.time_ns for e in y[1:]] == [e.time_ns for e in z]
    assert all(a.high != b.high for a, b in zip(y[1:], z, strict=True))


def test_flashes_have_their_width(session) -> None:
    _, pins, _ = session
    edges = pins.edges(17)
    widths = [off.time_ns - on.time_ns for on, off in zip(edges[::2], edges[1::2], strict=False)]
    assert all(LED_WIDTH_NS <= width < LED_WIDTH_NS + 2_000_000 for width in widths)


def test_finish_lets_every_pulse_out() -> None:
    service, pins, results = metered(PROGRAM)
    service.finish()
    assert service.outputs.relays[OutputId.KYZ1].transitions == service.meter.outputs[OutputId.KYZ1].count
    assert service.outputs.led.flashes == service.meter.outputs[OutputId.TEST_LED].count
    assert sum(e.high for e in pins.edges(17)) == service.outputs.led.flashes
    delivered = Fraction(service.energy_of_run(Quantity.KWH_DELIVERED), NANO)
    assert 0 <= delivered - service.outputs.relays[OutputId.KYZ1].transitions * Fraction("0.03") < Fraction("0.03")
    outputs = service.outputs
    assert sum(len(r.pulses) for r in results) == outputs.relays[OutputId.KYZ1].transitions + outputs.led.flashes
    for pin in (22, 23):  # the last closure is as long as any
        closing, opening = pins.edges(pin)[-2:]
        assert (closing.high, opening.high) == (True, False)
        assert opening.time_ns - closing.time_ns >= RELAY_DWELL_NS


def test_the_lively_load_is_what_the_meter_reads() -> None:
    """Power of a second in the middle of the first step against the source's own, from its grid points."""
    chain = Chain()
    source = lively_load(chain.tick_hz)
    grid_hz = float(chain.tick_hz) / 64
    values = source.read(int(4 * grid_hz))[int(2 * grid_hz) :]
    true_w = float((values[:, :3] * values[:, 3:]).mean(axis=0).sum())
    service, _, results = metered(default_program())
    rate = chain.tick_hz
    windows = [r.window for r in results]
    chosen = sum((w.sums for w in windows if 2 * rate < w.tick_start and w.tick_end < 4 * rate), Sums())
    measured_w = sum(service.measurement.readings(chosen).p_w)
    # The DC in the load's current meets no DC in the voltage; 1e-5 is the filter's ripple to 3 kHz, twice.
    assert measured_w == pytest.approx(true_w, rel=5e-5)


def test_begins_on_a_board_that_has_long_been_running() -> None:
    """Its memory is full of records, and windows are being merged: a closing asked for now would be merged too.

    One that someone else asked for is among the records, and is not the one that metering begins with.
    """
    hardware = opened()
    hardware.clock.wait_until(5 * 10**9)
    service = Service(hardware, CONFIG, PROGRAM)
    hardware.link.close_window_at(hardware.link.ticks() + 1)
    hardware.clock.wait_until(8 * 10**9)  # the ring holds 4.3 s
    began_tick = hardware.link.ticks()
    service.begin()
    results = list(service.run(hardware.clock.now_ns() + 10**9))
    windows = [result.window.record for result in results]
    assert windows[0].tick_start >= began_tick
    seconds = (windows[-1].tick_end - windows[0].tick_start) / hardware.link.identity.tick_hz
    assert 1 <= seconds <= 2, "a second, and what waited while older records were read"
    assert len(windows) == pytest.approx(60 * seconds, abs=2)
    assert not service.measurement.faults


@pytest.mark.slow
def test_pulses_keep_their_latency_when_the_crystals_differ() -> None:
    """The board's clock 200 ppm off ours, far more than crystals are: the latency settles, it does not run away."""
    hardware = opened()

    class Slow:
        """The board's clock as a computer sees it whose own goes 200 ppm slow."""

        def now_ns(self) -> int:
            return hardware.clock.now_ns() * 9998 // 10_000

        def utc_ns(self) -> int:
            return self.now_ns()

        def wait_until(self, instant_ns: int) -> None:
            hardware.clock.wait_until(-(-instant_ns * 10_000 // 9998))

        def meet(self, instant_ns: int) -> None:
            self.wait_until(instant_ns)

    service = Service(replace(hardware, clock=Slow()), CONFIG, PROGRAM)
    service.begin()
    results = list(service.run(20 * 10**9))
    pins = hardware.pins
    assert isinstance(pins, VirtualClockMockFactory)
    tick_ns = 10**9 / Chain().tick_hz
    instants = [int(p.tick * tick_ns) for r in results for p in r.pulses if p.output is OutputId.KYZ1]
    delays = [e.time_ns - i for e, i in zip(pins.edges(22), instants, strict=False)]
    assert len(delays) > 400
    # In the board's time. Without following, 20 s × 200 ppm = 4 ms would have gathered by the end.
    assert abs(delays[-1] - delays[len(delays) // 2]) < 1_500_000
    assert abs(delays[-1] - PULSE_LATENCY_NS) < 3_000_000


def test_an_output_that_cannot_follow_says_so_and_ends() -> None:
    hardware = opened()
    service = Service(hardware, CONFIG, pulsing("0.012", "0.001"))
    service.begin()
    list(service.run(hardware.clock.now_ns() + 3 * 10**9))
    ended = hardware.clock.now_ns()
    service.finish()
    assert service.outputs.held > 100
    assert service.outputs.waiting > 100
    assert hardware.clock.now_ns() - ended < 3 * 10**9


def test_the_oscillator_follows_the_line() -> None:
    """The lively load's line is not at 60 Hz all the time: the step of each record is near where the line then was."""
    service, _, results = metered(default_program())
    rate = service.hardware.link.identity.tick_hz / service.hardware.link.identity.ticks_per_sample
    windows = [r.window for r in results]
    off = [
        abs(w.record.oscillator_step / 2**32 * float(rate) / w.frequency_hz - 1)
        for w in windows[10:]
        if w.frequency_hz is not None
    ]
    assert len(off) > 100
    assert max(off) < 1e-3
    assert Fraction(sum(w.sums.fundamental.samples for w in windows), sum(w.sums.samples for w in windows)) > 0.95
    assert not service.measurement.faults  # it is no part of the configuration digest


def nothing_is_held(hardware: Hardware) -> bool:
    pins = hardware.pins
    assert isinstance(pins, VirtualClockMockFactory)
    return not any(pins._reservations.values())


def test_what_cannot_begin_holds_neither_pins_nor_its_store(tmp_path: Path) -> None:
    """A pin of an input that another has, a board that does not run, a store of another meter: each lets go of all."""
    program = replace(PROGRAM, inputs=(RecordedInput(InputId.IN1, Fraction(1)),))
    hardware = opened()
    taken = OutputDevice(CONFIG.hardware.inputs[InputId.IN1], pin_factory=hardware.pins)
    with pytest.raises(GpioError, match="pulse input 1"):
        Service(hardware, CONFIG, program, Store.open(tmp_path))
    taken.close()
    assert nothing_is_held(hardware)

    service = Service(hardware, CONFIG, program, Store.open(tmp_path))
    assert not nothing_is_held(hardware)
    service.begin()
    list(service.run(hardware.clock.now_ns() + 10**9))
    service.finish()
    assert nothing_is_held(hardware)

    on_hardware = replace(hardware, fidelity="board", hands=None)
    foreign = Service(on_hardware, CONFIG, replace(program, inputs=()), Store.open(tmp_path))
    with pytest.raises(StoreError, match="the store is of a meter on a simulated rig"):
        foreign.begin()
    assert nothing_is_held(hardware)
    Store.open(tmp_path).close()


def test_contacts_are_remembered_with_the_meter_and_without_its_store_nowhere(tmp_path: Path) -> None:
    """A replay runs by the configuration of a meter in service, beside it: that meter's contacts are not its own."""
    named = msgspec.structs.replace(CONFIG, meter=msgspec.structs.replace(CONFIG.meter, store=str(tmp_path / "meter")))
    hardware = opened()
    service = Service(hardware, named, PROGRAM)
    service.begin()
    service.finish()
    assert not (tmp_path / "meter").exists()
    kept = Service(hardware, named, PROGRAM, Store.open(tmp_path / "other"))
    kept.begin()
    kept.finish()
    assert (tmp_path / "other" / MEMORY).exists()
    assert not (tmp_path / "meter").exists()


def test_settings_that_the_board_lost_are_written_again() -> None:
    """As after a reset of the board: windows by another voltage, bits not delayed. It is in the log, and soon over."""
    hardware = opened()
    service = Service(hardware, CONFIG, default_program())
    wanted = hardware.link.configuration()
    service.begin()
    list(service.run(hardware.clock.now_ns() + 2 * 10**9))
    assert not service.measurement.faults
    hardware.link.write("REFERENCE", 2)
    hardware.link.write("DELAY_V1", 7)
    list(service.run(hardware.clock.now_ns() + 10**9))
    wrong = service.measurement.faults[Fault.CONFIGURATION]
    assert 1 <= wrong <= 12  # those measured meanwhile: a poll, and what waited in the board
    assert hardware.link.configuration() == wanted
    list(service.run(hardware.clock.now_ns() + 2 * 10**9))
    assert service.measurement.faults[Fault.CONFIGURATION] == wrong
    service.finish()
