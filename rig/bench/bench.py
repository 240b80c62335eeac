"""A whole bench: the rig under test, and an instrument for everything that is done to it or seen of it.

with simulated_bench() as bench:
    bench.source.apply(amps=20)
    bench.rig.run(5)
    print(bench.counter("KYZ1").read(of="kWh delivered"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gateware.registers import Capability
from rig.bench.applied import at_first
from rig.bench.billed_meter import BilledMeter
from rig.bench.contact_drivers import Actuator, ContactDriver, SimulatedContact
from rig.bench.counter import CounterInstrument
from rig.bench.display import DisplayInstrument
from rig.bench.errors import NotFitted, WrongArgument
from rig.bench.front import Button, Cover, InputContact, Magnet, TestSwitch
from rig.bench.in_process import InProcessMeter
from rig.bench.person import Person, Prompter
from rig.bench.relay import RelayInstrument
from rig.bench.rig import Rig
from rig.bench.source import PersonAtSource, PhantomSource, SourceDriver, SourceInstrument
from rig.hardware.config import SWITCHES, Config
from rig.hardware.hardware import Hardware, raspberry_pi
from rig.program.build import Program, default_program

BEGIN_UTC_NS = 1_782_918_005 * 10**9
"""2026-07-01 15:00:05 UTC, when a simulated meter starts by itself: a demand interval has just begun."""

DriverOf = Callable[[str], ContactDriver]
"""What moves a contact, by its name: a switch, "input1" or "input2"."""


class Bench:
    """The rig under test and its instruments, all switches at rest. The rig is to be stopped by whoever made it."""

    def __init__(self, rig: Rig, source_driver: SourceDriver, driver_of: DriverOf) -> None:
        self.rig = rig
        self._source_driver, self._driver_of = source_driver, driver_of
        self._inputs: dict[int, InputContact] = {}
        self.source = SourceInstrument(rig, source_driver, at_first(rig.program))
        self.meter, self.display = BilledMeter(rig), DisplayInstrument(rig)
        self._drivers = drivers = {name: driver_of(name) for name in SWITCHES}
        self.scroll = Button(rig, drivers["scroll"], "SCROLL is pressed", "SCROLL is let go")
        self.magnet = Magnet(
            rig, drivers["magnet"], "the magnet is brought to twelve o'clock", "the magnet is taken away"
        )
        self.reset = Button(rig, drivers["reset"], "demand reset is pressed", "demand reset is let go")
        self.test_switch = TestSwitch(rig, drivers["test"], "the Test switch is opened", "the Test switch is closed")
        self.cover = Cover(rig, drivers["cover"], "the cover is taken off", "the cover is put on")
        self._come_to_rest()

    def counter(self, name: str) -> CounterInstrument:
        """The FPGA's counter of an output: "LED", "KYZ1" to "KYZ4". Raises WrongArgument, NotFitted."""
        return CounterInstrument(self.rig, name)

    def relay(self, name: str) -> RelayInstrument:
        """An output's contacts: "KYZ1" to "KYZ4". Raises WrongArgument for one that the program has not got."""
        return RelayInstrument(self.rig, name)

    def input_contact(self, number: int) -> InputContact:
        """The contact at pulse input 1 or 2. Raises WrongArgument for one that the program does not use."""
        used = {each.id.place + 1: each.id for each in self.rig.program.inputs}
        if number not in used:
            known = list(used) or "none"
            raise WrongArgument(f"the program does not use input {number}: it has {known}, see [[inputs]]")
        if number not in self._inputs:
            name, driver = f"the contact at input {number}", self._driver_of(used[number].value)
            self._inputs[number] = InputContact(self.rig, driver, f"{name} closes", f"{name} opens")
        return self._inputs[number]

    def begin_again(self) -> None:
        """Put a new meter in its place, with what is applied at first, and every switch at rest."""
        self.rig.begin_again()
        self.source.applied = applied = at_first(self.rig.program)
        self._source_driver(applied)
        self._come_to_rest()

    def _come_to_rest(self) -> None:
        """Open what is found closed; then the meter begins anew."""
        closed = [name for name in SWITCHES if self.rig.closed(name)]
        for name in closed:
            self._drivers[name].move(False)
        if closed:
            self.rig.begin_again()


@contextmanager
def simulated_bench(
    config: Config | None = None,
    program: Program | None = None,
    store: Path | None = None,
    begin_utc_ns: int = BEGIN_UTC_NS,
) -> Iterator[Bench]:
    """A bench whose rig is simulated, in virtual time; it ends with the `with`.

    By default all is as without rig.toml, the program is the plain one, and the store lasts as long as the bench.
    Raises NotFitted where the simulation is not installed, and what a rig raises that cannot be used.
    """
    try:
        from rig.bench.simulated import simulated
    except ModuleNotFoundError as error:
        raise NotFitted(f"the simulated rig needs {error.name}: install the extras [sim,gateware]") from None
    config, program = config or Config(), program or default_program()
    with ExitStack() as closing:
        folder = store or Path(closing.enter_context(TemporaryDirectory())) / "meter-store"
        hardware, source, switches = simulated(config, program.metering.current_class, at_first(program), begin_utc_ns)
        closing.callback(hardware.close)
        rig = Rig(InProcessMeter(hardware, config, program, folder))
        closing.callback(rig.stop)
        yield Bench(rig, source, lambda name: SimulatedContact(rig, switches, name))


@contextmanager
def board_bench(config: Config, program: Program, store: Path, prompter: Prompter) -> Iterator[Bench]:
    """A bench on this Raspberry Pi and its board: by actuators where they are fitted, else by a person, who is asked by
    `prompter`. Raises what a rig raises that cannot be used."""
    hardware = raspberry_pi(config, program.metering.current_class)
    with ExitStack() as closing:
        closing.callback(hardware.close)
        yield closing.enter_context(bench_on(hardware, config, program, store, prompter))


@contextmanager
def bench_on(hardware: Hardware, config: Config, program: Program, store: Path, prompter: Prompter) -> Iterator[Bench]:
    """A bench on any hardware, which is the caller's to close, whose switches and source are moved from outside."""
    with ExitStack() as closing:
        source: SourceDriver | None = None
        if Capability.PHANTOM_LOAD in hardware.link.identity.capabilities:
            source = phantom = PhantomSource(hardware.link, hardware.calibration, at_first(program))
            closing.callback(phantom.close)
        rig = Rig(InProcessMeter(hardware, config, program, store))
        closing.callback(rig.stop)
        if source is None:
            source = PersonAtSource(rig, prompter)
            source(at_first(program))
        actuators = config.bench.actuators

        def driver_of(name: str) -> ContactDriver:
            if name not in actuators:
                return Person(rig, prompter, name)
            actuator = Actuator(rig, hardware.pins, name, actuators[name])
            closing.callback(actuator.close)
            return actuator

        yield Bench(rig, source, driver_of)
