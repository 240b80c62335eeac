"""Programs written to a running meter under load: energy goes on to the unit, pulses are owed and paid, refusals change
nothing. The witness of pulses is the FPGA's counters, which know nothing of programs."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from drivers.counters import PulseCounters
from drivers.gpio import Position
from gateware.registers import Counter
from rig.errors import RigError
from rig.hardware.config import Config
from rig.hardware.selection import open_hardware
from rig.meter.billing.quantity import PLACES
from rig.meter.billing.source import Source
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId
from rig.program.build import Program, build
from rig.program.schema import (
    ChannelTable,
    DemandTable,
    DisplayTable,
    EndOfIntervalTable,
    MeterTable,
    ProgramFile,
    PulsesTable,
    RecorderTable,
    RecordInputTable,
    SecurityTable,
    TestModeTable,
)
from rig.service.service import Service
from rig.store.saved_meter import last_saved
from rig.store.store import Store

SECOND_NS = 10**9
QUANTITIES = ("kWh delivered", "kWh received", "kvarh lagging", "kVAh rms", "kVAh td")
DEMANDS = ("kW delivered", "kW received", "kvar lagging", "kVA rms", "kVA td")
NAMES = ("KYZ1", "KYZ2", "KYZ3", "KYZ4")


def random_program(chance: random.Random, *, level_outputs: bool) -> ProgramFile:
    """A program that may well be wrong: some have a class, a form or constants that cannot be."""
    outputs: list[object] = []
    for name in NAMES:
        match chance.randrange(5 if level_outputs else 4):
            case 0:
                pass
            case 4:
                outputs.append(EndOfIntervalTable(name=name))
            case _:
                kp = chance.choice(
                    ["0.15", "0.3", "0.45", "1.8", "0.0001"] if chance.random() < 0.1 else ["0.15", "0.3", "0.9"]
                )
                outputs.append(PulsesTable(name=name, quantity=chance.choice(QUANTITIES), kp_wh=kp))
    kind = chance.choice(["block", "block", "sliding", "thermal"])
    return ProgramFile(
        meter=MeterTable(
            form=chance.choice(["9S", "9S", "16S", "2S", "45S"]),
            current_class=200 if chance.random() < 0.2 else 20,
            apparent=chance.choice(["td", "rms"]),
        ),
        demand=DemandTable(
            method=kind,
            interval_minutes=chance.choice([15, 30]),
            subinterval_minutes=5 if kind == "sliding" else None,
            quantities=tuple(chance.sample(DEMANDS, chance.randrange(1, 4))),
        ),
        test_mode=TestModeTable(minutes=chance.randrange(1, 255)),
        recorder=RecorderTable(channels=(ChannelTable(metric="kWh delivered", pulse="1.8"),))
        if chance.random() < 0.3
        else None,
        display=DisplayTable(energy_decimals=chance.randrange(3)),
        outputs=tuple(outputs),
        inputs=tuple(RecordInputTable(name=name) for name in ("IN1", "IN2") if chance.random() < 0.4),
        security=SecurityTable(),
    )


class Bench:
    """A meter under load in virtual time, and an account of all that flowed and pulsed."""

    def __init__(self, folder: Path, program: Program) -> None:
        self.hardware = open_hardware(Config(), 20, paced=False)
        self.folder = folder
        self.counters = PulseCounters(self.hardware.link)
        self.counters.clear()
        self.counters.open()
        self.service = Service(self.hardware, Config(), program, Store.open(folder))
        self.service.begin()
        self.configured = program
        self.flowed = [0] * PLACES
        self.pulses = dict.fromkeys(OutputId, 0)

    def run(self, seconds: float) -> None:
        for result in self.service.run(self.hardware.clock.now_ns() + round(seconds * SECOND_NS)):
            if result.window.energies is not None:
                result.window.energies.add_to(self.flowed)
            for pulse in result.pulses:
                self.pulses[pulse.output] += 1

    @property
    def energy(self) -> list[int]:
        billing = self.service.meter.billing
        billing.settle()
        assert billing.registers.state is not None
        return list(billing.registers.state.energy)


@pytest.mark.parametrize("pairs", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_energy_goes_on_to_the_unit_and_refusals_leave_all_as_it_was(tmp_path: Path, pairs: int) -> None:
    chance = random.Random(pairs)
    bench = Bench(tmp_path / "store", build(ProgramFile()))
    bench.run(1)
    written = refused = 0
    while written < pairs:
        before = bench.energy
        program, digest = bench.service.program, bench.service.program.digest
        relays, inputs = dict(bench.service.outputs.relays), bench.service.program.inputs
        bench.run(chance.uniform(0.02, 0.7))
        energy = bench.energy
        assert energy == bench.flowed, "what flowed is what is registered, whatever was programmed"
        assert all(a <= b for a, b in zip(before, energy, strict=True))
        try:
            new = build(random_program(chance, level_outputs=True))
            bench.service.write_program(new, bench.configured, Source.COMMAND_LINE)
        except RigError:
            refused += 1
            assert bench.service.program is program
            assert (bench.service.program.digest, bench.service.program.inputs) == (digest, inputs)
            assert bench.service.outputs.relays == relays
        else:
            written += 1
            assert bench.service.program.digest == new.digest
            assert set(bench.service.outputs.relays) == {output.id for output in new.outputs}
        assert bench.energy == energy, "writing registers nothing"
    assert refused > pairs // 40
    bench.run(1)
    digest = bench.service.program.digest
    energy = bench.flowed
    bench.service.finish()
    saved = last_saved(bench.folder)[1]
    assert saved.program == digest
    assert saved.meter.billing.registers is not None
    assert saved.meter.billing.registers.energy == energy
    bench.hardware.close()


def test_a_program_for_other_sensors_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store", build(ProgramFile()))
    before = bench.service.program
    other = build(ProgramFile(meter=MeterTable(current_class=200)))
    with pytest.raises(RigError, match=r"meter\.current_class is 200, and the sensors fitted are of class 20: write"):
        bench.service.write_program(other, bench.configured, Source.COMMAND_LINE)
    assert bench.service.program is before
    bench.run(0.2)
    assert bench.energy == bench.flowed
    bench.service.finish()
    bench.hardware.close()


def test_an_output_that_pulses_is_not_operated_for_a_test(tmp_path: Path) -> None:
    """Whoever counts its pulses would count the test as energy."""
    bench = Bench(
        tmp_path / "store", build(ProgramFile(outputs=(PulsesTable(name="KYZ1"), EndOfIntervalTable(name="KYZ2"))))
    )
    bench.run(0.2)
    with pytest.raises(RigError, match="KYZ1 is a pulse output, whose counter would count the test as energy"):
        bench.service.test_relay("KYZ1", True, 0.5, Source.COMMAND_LINE)
    with pytest.raises(RigError, match="KYZ3 is not an output of the program: there are KYZ1, KYZ2"):
        bench.service.test_relay("KYZ3", True, 0.5, Source.COMMAND_LINE)
    bench.service.test_relay("KYZ2", True, 0.5, Source.COMMAND_LINE)
    bench.run(0.2)
    bench.service.finish()
    bench.hardware.close()


@pytest.mark.slow
def test_every_pulse_that_was_owed_as_a_program_went_still_leaves(tmp_path: Path) -> None:
    """Outputs that pulse, in whatever programs: the FPGA counts what the records came to, and no edge more."""
    chance = random.Random(4)
    bench = Bench(tmp_path / "store", build(ProgramFile(outputs=(PulsesTable(name="KYZ1"),))))
    written = 0
    while written < 15:
        bench.run(chance.uniform(0.05, 2.0))
        try:
            bench.service.write_program(
                build(random_program(chance, level_outputs=False)), bench.configured, Source.COMMAND_LINE
            )
            written += 1
        except RigError:
            continue
    bench.run(2)
    bench.service.finish()
    counted = bench.counters.read()
    for output in KYZ_OUTPUTS:
        found = counted[Counter[output.label]]
        assert bench.pulses[output] - found.pulses in (0, 1), (
            "the first closing of a new meter is where counting begins"
        )
        assert found.illegal == 0
    assert sum(bench.pulses[output] for output in KYZ_OUTPUTS) > 50
    assert counted[Counter.LED].pulses == bench.pulses[OutputId.TEST_LED] > 1
    assert all(relay.position is Position.OPEN for relay in bench.service.outputs.relays.values())
    bench.hardware.close()
