"""Plugin of the rig for pytest: options, a marker and fixtures, for tests in the bench's words.

How they are used is in docs/choreography.md. Every pytest loads this where the rig is installed, so nothing else of the
rig is imported before a test asks for it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from rig.bench.bench import Bench
    from rig.bench.billed_meter import BilledMeter
    from rig.bench.front import Button, Cover, InputContact, Magnet, TestSwitch
    from rig.bench.person import Prompt
    from rig.bench.rig import Rig
    from rig.bench.source import SourceInstrument
    from rig.hardware.config import Config
    from rig.program.build import Program
    from rig.pytest_plugin.words import CounterWords, DisplayWords, RelayWords

BEGINS = "2026-07-01 15:00:05"
"""When a simulated meter starts, UTC, if its test does not say: a demand interval has just begun."""

ATTEMPTS = 3
"""How often a test begins, if a person's hold is missed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("rig", "the rig under test")
    group.addoption("--rig", choices=("sim", "pi"), default="sim", help="the simulated rig, or the hardware of this Pi")
    group.addoption("--rig-config", metavar="FILE", type=Path, help="rig.toml of the rig under test")
    group.addoption("--rig-resume", metavar="FILE", type=Path, help="a series goes on: points are kept there")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "program(toml, at=None): the meter's program, a file beside the test or its text; a simulated meter starts at "
        f'this UTC time, by default "{BEGINS}"',
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A series of verifications is a TOML file that is given by its name, or is called so."""
    if file_path.suffix != ".toml":
        return None
    from rig.pytest_plugin.series import SUFFIX, SeriesFile

    if file_path.name.endswith(SUFFIX) or parent.session.isinitpath(file_path):
        found: pytest.Collector = SeriesFile.from_parent(parent, path=file_path)
        return found
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test in which a person misses a hold begins again: what the meter made of it cannot be undone."""
    if "rig_bench" not in pyfuncitem.funcargs:
        return None
    from rig.bench.bench import Bench
    from rig.bench.errors import HoldMissed, NotFitted

    bench = pyfuncitem.funcargs["rig_bench"]
    if not isinstance(bench, Bench):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    for attempt in range(1, ATTEMPTS + 1):
        try:
            pyfuncitem.obj(**arguments)
            break
        except HoldMissed as missed:
            if attempt == ATTEMPTS:
                raise
            say(pyfuncitem.config, f"{missed}: once more, from the beginning")
            bench.begin_again()
        except NotFitted as missing:
            pytest.skip(str(missing))
    return True


def say(config: pytest.Config, text: str) -> None:
    """A line on the terminal, whatever pytest captures."""
    from rig.plain_text import print_line

    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
        print_line(f"  {text}")


def program_of(request: pytest.FixtureRequest, config: Config) -> Program:
    """Return the program that the test is marked with, else the configured one. Raises ConfigError."""
    from rig.files.strict_toml import convert
    from rig.hardware.selection import program_of as configured
    from rig.program import schema
    from rig.program.build import build, load_program

    mark = request.node.get_closest_marker("program")
    if mark is None or not mark.args:
        return configured(config)
    text: str = mark.args[0]
    if "\n" not in text and "=" not in text:
        return load_program(request.path.parent / text)
    return build(convert(tomllib.loads(text), schema.ProgramFile))


def begins_ns(request: pytest.FixtureRequest) -> int:
    """Return when a simulated meter starts, UTC."""
    mark = request.node.get_closest_marker("program")
    text = (mark.kwargs.get("at") if mark is not None else None) or BEGINS
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture
def rig_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Everything that the other fixtures are of."""
    from rig.bench.bench import board_bench, simulated_bench
    from rig.failures import MENDABLE
    from rig.hardware.config import load

    def show(prompt: Prompt) -> None:
        say(request.config, prompt.text if prompt.closed is None else f"\a>> {prompt.text}")

    with ExitStack() as closing:
        try:
            config = load(request.config.getoption("--rig-config"))
            program = program_of(request, config)
            store = tmp_path / "meter-store"
            if request.config.getoption("--rig") == "pi":
                wired = msgspec.structs.replace(config.hardware, kind="pi")
                config = msgspec.structs.replace(config, hardware=wired)
                found = closing.enter_context(board_bench(config, program, store, show))
            else:
                found = closing.enter_context(simulated_bench(config, program, store, begins_ns(request)))
        except MENDABLE as error:
            pytest.fail(f"the rig cannot be used: {error}", pytrace=False)
        yield found


@pytest.fixture
def rig(rig_bench: Bench) -> Rig:
    """The rig under test: time, and power failures."""
    return rig_bench.rig


@pytest.fixture
def source(rig_bench: Bench) -> SourceInstrument:
    """The voltages and currents that the meter is given."""
    return rig_bench.source


@pytest.fixture
def meter(rig_bench: Bench) -> BilledMeter:
    """Registers of the meter."""
    return rig_bench.meter


@pytest.fixture
def display(rig_bench: Bench) -> DisplayWords:
    """The meter's display."""
    from rig.pytest_plugin.words import DisplayWords

    return DisplayWords(rig_bench.rig)


@pytest.fixture
def magnet(rig_bench: Bench) -> Magnet:
    """The magnet for twelve o'clock."""
    return rig_bench.magnet


@pytest.fixture
def scroll(rig_bench: Bench) -> Button:
    """The SCROLL button, under the cover."""
    return rig_bench.scroll


@pytest.fixture
def reset(rig_bench: Bench) -> Button:
    """The demand-reset button."""
    return rig_bench.reset


@pytest.fixture
def test_switch(rig_bench: Bench) -> TestSwitch:
    """The Test switch, under the cover."""
    return rig_bench.test_switch


@pytest.fixture
def cover(rig_bench: Bench) -> Cover:
    """The meter's cover."""
    return rig_bench.cover


@pytest.fixture
def pulse_input(rig_bench: Bench) -> Callable[[int], InputContact]:
    """The contact at pulse input 1 or 2."""
    return rig_bench.input_contact


@pytest.fixture
def counter(rig_bench: Bench) -> Callable[[str], CounterWords]:
    """The FPGA's counter of an output, by its name: "LED", "KYZ1" to "KYZ4"."""
    from rig.pytest_plugin.words import CounterWords

    return lambda name: CounterWords(rig_bench.rig, name)


@pytest.fixture
def relay(rig_bench: Bench) -> Callable[[str], RelayWords]:
    """An output's contacts, by its name: "KYZ1" to "KYZ4"."""
    from rig.pytest_plugin.words import RelayWords

    return lambda name: RelayWords(rig_bench.rig, name)
