"""The FPGA's counters and the energy, as clients have them: by a real daemon, against counting and adding up here."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from drivers.spi_link import LinkError
from gateware.registers import Capability
from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import EnergyFlowed, PulsesCounted, Reading, Topic
from rig.daemon.pulse_feed import PulseFeed
from rig.daemon.startup import Start
from rig.hardware.config import Config, MeterFiles

PROGRAM = """
[demand]
interval_minutes = 15
quantities = ["kW delivered"]
[[outputs]]
name = "KYZ1"
function = "pulses"
kp_wh = "0.15"
[[outputs]]
name = "KYZ2"
function = "eoi"
"""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[MeterClient]:
    file, socket = tmp_path / "meter.toml", runtime_folder() / "meter.sock"
    file.write_text(PROGRAM)
    launched = Launched(Start(Config(meter=MeterFiles(program=str(file))), str(socket), 6, paced=False))
    with MeterClient.connect(socket, "verification", "test") as client:
        topics = [Topic.ENERGY, Topic.READINGS, Topic.KYZ1_PULSES, Topic.KYZ2_PULSES]
        client.subscribe(*topics, lossless=True)
        launched.begin()
        yield client
    launched.wait()


def test_pulses_are_at_the_ticks_at_which_their_energy_had_flowed(client: MeterClient) -> None:
    """0.15 Wh each, 0.12 s later, to the tick but for what the simulated board takes to make an edge."""
    windows, counts, others, reading = [], [], [], None
    latency = Fraction()
    for message in client.messages():
        match message:
            case EnergyFlowed(tick_hz, latency_ns, flowed):
                windows += flowed
                latency = Fraction(tick_hz) * latency_ns / 10**9
            case PulsesCounted(output="KYZ1"):
                counts.append(message)
            case PulsesCounted():
                others.append(message)
            case Reading():
                reading = message
    assert all(a.end_tick == b.begin_tick for a, b in pairwise(windows))
    assert reading is not None
    total = sum(window.nano["kWh delivered"] for window in windows)
    assert total == pytest.approx(reading.summary.energy_wh.delivered * 1e9, rel=1e-6)

    assert {(each.run, each.illegal, each.quantity, each.constant_wh) for each in counts} == {
        (1, 0, "kWh delivered", "3/20")
    }
    ticks = {each.pulses: each.last_tick for each in counts if each.pulses}
    assert list(ticks) == list(range(1, len(ticks) + 1))
    assert len(ticks) > 15
    energy = []
    for tick in ticks.values():
        assert tick is not None
        instant, sum_nwh = tick - latency, Fraction(0)
        for window in windows:
            share = Fraction(instant - window.begin_tick) / (window.end_tick - window.begin_tick)
            sum_nwh += min(max(share, 0), 1) * window.nano["kWh delivered"]
        energy.append(sum_nwh)
    for k, nwh in enumerate(energy[:-1]):  # the energy of the last pulse's instant may be still to come
        assert float(nwh - energy[0]) == pytest.approx(150_000_000 * k, abs=150_000_000 * 1e-3)

    assert {(each.pulses, each.quantity, each.constant_wh, each.fault) for each in others} == {(0, None, None, None)}
    read = [each.read_tick for each in others if each.read_tick is not None]
    assert len(read) >= 4
    for a, b in pairwise(read):
        assert (b - a) / 3_333_333 == pytest.approx(1.0, abs=0.05), "once a second"


class NoCounters:
    """A board whose build has none, at a tick that rises by a million each time that it is read."""

    identity = SimpleNamespace(capabilities=Capability.PHASORS, tick_hz=Fraction(10_000_000, 3))
    tick = 0

    fails = False

    def ticks(self) -> int:
        if self.fails:
            raise LinkError("no answer")
        self.tick += 1_000_000
        return self.tick


def test_a_build_without_counters_says_so_once_a_second_and_what_tick_it_is() -> None:
    """Counters beside the FPGA's need its ticks all the same."""
    service = SimpleNamespace(
        link_fault=None,
        polled_ns=0,
        hardware=SimpleNamespace(link=NoCounters()),
        meter=SimpleNamespace(outputs={}),
        make_room=lambda: None,
    )
    told: list[PulsesCounted] = []
    wanted = {Topic.KYZ1_PULSES}
    feed = PulseFeed(service, wanted.__contains__, lambda topic, message: told.append(message))  # type: ignore[arg-type]
    feed.add(SimpleNamespace(record=SimpleNamespace(tick_end=500), tick_end=2500, energies=None))  # type: ignore[arg-type]
    for k in range(101):
        service.polled_ns = 20_000_000 * k
        feed.poll()
    assert [each.read_tick for each in told] == [1_002_000, 2_002_000, 3_002_000]
    assert all(each.fault is not None and "has no pulse counters" in each.fault for each in told)
    assert all(each.read_from_ns <= each.read_to_ns for each in told)
    service.hardware.link.fails = True
    service.polled_ns += 2 * 10**9
    feed.poll()
    assert len(told) == 3, "metering finds a link that fails by its own frames"
