"""A rig put together for one test: hardware, meter, source, and who moves each contact."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from gateware.registers import Capability
from rig.bench.billed import BilledMeter
from rig.bench.contact_drivers import Actuator, ContactDriver, SimulatedContact
from rig.bench.front import Button, Cover, InputContact, Magnet, TestSwitch
from rig.bench.observed import DisplayInstrument
from rig.bench.person import Person, Prompter
from rig.bench.rig import Rig
from rig.bench.source import Applied, PersonAtSource, PhantomSource, SourceDriver, SourceInstrument
from rig.files.strict_toml import ConfigError
from rig.hardware.config import SWITCHES, Config
from rig.hardware.hardware import Hardware, raspberry_pi
from rig.program.build import Program

APPLIED = Applied()
"""What the source gives when a test begins."""

DriverOf = Callable[[Rig, str], ContactDriver]
"""Who moves a contact, by its name: a switch, "input1" or "input2"."""


class Bench:
    """The rig under test, and everything that tests speak of. The rig is to be stopped by whoever made it."""

    def __init__(self, rig: Rig, source_driver: SourceDriver, driver_of: DriverOf) -> None:
        self.rig = rig
        self._source_driver, self._driver_of = source_driver, driver_of
        self.source = SourceInstrument(rig, source_driver, APPLIED)
        self.meter, self.display = BilledMeter(rig), DisplayInstrument(rig)
        moved = {name: driver_of(rig, name) for name in SWITCHES}
        self._by_name = moved
        self.scroll = Button(rig, moved["scroll"], "SCROLL is pressed", "SCROLL is let go")
        self.magnet = Magnet(
            rig, moved["magnet"], "the magnet is brought to twelve o'clock", "the magnet is taken away"
        )
        self.reset = Button(rig, moved["reset"], "demand reset is pressed", "demand reset is let go")
        self.test_switch = TestSwitch(rig, moved["test"], "the Test switch is opened", "the Test switch is closed")
        self.cover = Cover(rig, moved["cover"], "the cover is taken off", "the cover is put on")
        self._come_to_rest()

    def input_contact(self, number: int) -> InputContact:
        """What is at pulse input 1 or 2. Raises ValueError for one that the program does not use."""
        places = [each.place + 1 for each in self.rig.program.inputs]
        if number not in places:
            raise ValueError(f"the program does not use input {number}: it has {places or 'none'}, see [[inputs]]")
        name = f"the contact at input {number}"
        return InputContact(self.rig, self._driver_of(self.rig, f"input{number}"), f"{name} closes", f"{name} opens")

    def begin_again(self) -> None:
        """A new meter, with what is applied at the beginning, and every switch at rest."""
        self.rig.begin_again()
        self._source_driver(APPLIED)
        self.source.applied = APPLIED
        self._come_to_rest()

    def _come_to_rest(self) -> None:
        """What is found operated is let go, and the meter begins anew."""
        closed = [name for name in SWITCHES if self.rig.closed(name)]
        for name in closed:
            self._by_name[name].move(False)
        if closed:
            self.rig.begin_again()


def simulated_bench(config: Config, program: Program, store: Path, begin_utc_ns: int, closing: ExitStack) -> Bench:
    """On the simulated rig: everything by simulated hands, time virtual. `closing` closes what was opened."""
    try:
        from rig.bench.simulated import simulated
    except ModuleNotFoundError as error:
        raise ConfigError(f"the simulated rig needs {error.name}: install the extras [sim,gateware]") from None
    hardware, source_driver = simulated(config, program.metering.current_class, APPLIED, begin_utc_ns)
    closing.callback(hardware.close)
    hands = hardware.hands
    assert hands is not None
    rig = Rig(hardware, config, program, store)
    closing.callback(rig.stop)
    return Bench(rig, source_driver, lambda rig, name: SimulatedContact(rig, hands, name))


def board_bench(config: Config, program: Program, store: Path, prompter: Prompter, closing: ExitStack) -> Bench:
    """On a Raspberry Pi with its board: by actuators where they are fitted, else by a person."""
    hardware = raspberry_pi(config, program.metering.current_class)
    closing.callback(hardware.close)
    return bench_of(hardware, config, program, store, prompter, closing)


def bench_of(
    hardware: Hardware, config: Config, program: Program, store: Path, prompter: Prompter, closing: ExitStack
) -> Bench:
    """On any hardware that has no hands of its own."""
    source_driver: SourceDriver | None = None
    if Capability.PHANTOM_LOAD in hardware.link.identity.capabilities:
        source_driver = phantom = PhantomSource(hardware.link, hardware.calibration, APPLIED)
        closing.callback(phantom.close)
    rig = Rig(hardware, config, program, store)
    closing.callback(rig.stop)
    if source_driver is None:
        source_driver = PersonAtSource(rig, prompter)
        source_driver(APPLIED)
    actuators = config.bench.actuators

    def driver(rig: Rig, name: str) -> ContactDriver:
        if name in actuators:
            actuator = Actuator(rig, hardware.pins, name, actuators[name])
            closing.callback(actuator.close)
            return actuator
        return Person(rig, prompter, name)

    return Bench(rig, source_driver, driver)
