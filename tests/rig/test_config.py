"""rig.toml: strict, and every error says what would be right."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from rig.files.numbers import MOST, exact
from rig.files.strict_toml import ConfigError
from rig.hardware import config as module
from rig.hardware.config import Config, load
from rig.meter.billing.inputs import InputId
from rig.meter.contacts.outputs import OutputId


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rig.toml"
    path.write_text(text)
    return path


def test_no_file_is_the_simulated_rig() -> None:
    assert load(None) == Config()
    assert load(None).hardware.kind == "sim"


def test_the_documented_file_loads() -> None:
    """The example in the module's docstring, uncommented, is valid and names every key; some as a comment."""
    example = "\n".join(line[4:] for line in module.__doc__.splitlines() if line.startswith("    "))
    keys = {line.split(" =")[0].removeprefix("# ") for line in example.splitlines() if " = " in line and line[0] != "["}
    tables = (module.HardwareConfig, module.LcdConfig, module.SimulationConfig, module.MeterFiles)
    tables += (module.DaemonConfig, module.BenchConfig, module.PortConfig, module.MqttConfig, module.PrometheusConfig)
    fields = {field for table in tables for field in table.__struct_fields__}
    assert keys == fields


def test_documented_defaults_are_the_defaults(tmp_path: Path) -> None:
    example = "\n".join(line[4:] for line in module.__doc__.splitlines() if line.startswith("    "))
    loaded = load(write(tmp_path, example))
    assert loaded.hardware == Config().hardware
    board = str(tmp_path / "board.sock")
    (port,) = loaded.ports
    assert msgspec.structs.replace(port, link=None, trace=None) == module.PortConfig()
    assert loaded.simulation == msgspec.structs.replace(Config().simulation, board=board)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[hardware]\nkid = 'sim'", r"unknown key kid in \[hardware\]; did you mean kind\?"),
        ("[meters]\n", r"unknown key meters in the file; did you mean meter\?"),
        ("[hardware]\nzzz = 1", r"unknown key zzz in \[hardware\]; known are kind, spi_path"),
        ("[hardware]\nkind = 'real'", r"hardware.kind is 'real', it must be 'pi' or 'sim'"),
        ("[hardware]\nled_pin = 99", r"hardware.led_pin is 99, it must be a whole number from 0 to 27"),
        ("[hardware]\nspi_hz = 'fast'", r"hardware.spi_hz is 'fast', it must be a whole number from 100000 to 3300000"),
        ("[meter]\nform = '9S'", r"unknown key form in \[meter\]; known are program, calibration, store"),
        ("[meter]\nstore = 1.8", r"meter.store is 1.8, it must be a path as text in quotes"),
        ("[simulation]\nlot = { seed = 1, fault = 'dead' }", r"simulation.lot.fault is 'dead', it must be "),
        ("[simulation]\nlot = { meter = -1 }", r"simulation.lot.meter is -1, it must be a whole number from 0 to"),
        ("[simulation]\nlot = {}\ncomponents = 'x'", r"simulation.components and simulation.lot are both given"),
        ("[simulation]\nseed = -1", r"simulation.seed is -1, it must be a whole number from 0 on"),
        ("meter = 3", r"meter is 3, it must be a table: \[meter\]"),
        ("[hardware\n", r"is not TOML"),
        ("[hardware]\nscroll_pin = 22", r"hardware.kyz1_y_pin and hardware.scroll_pin are both 22: give each its own"),
        ("[hardware]\ninput1_pin = 9\ninput2_pin = 9", r"hardware.input1_pin is 9, which the SPI bus has: take"),
        ("[bench]\nscroll_actuator_pin = 17", r"hardware.led_pin and bench.scroll_actuator_pin are both 17: give each"),
        ("[bench]\nscrol_actuator_pin = 14", r"scrol_actuator_pin in \[bench\]; did you mean scroll_"),
        ("[hardware]\ncover_pin = 2", r"hardware.cover_pin is 2, which the I²C bus has: take another GPIO"),
        ("[hardware]\nreset_pin = '13'", r"hardware.reset_pin is '13', it must be a whole number from 0 to 27"),
        (
            "[hardware]\ngpio_chip = '0'",
            r"hardware.gpio_chip is '0', it must be \"/dev/gpiochip0\", or another number",
        ),
    ],
)
def test_errors_name_file_key_and_value(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_what_it_names_lies_beside_the_file(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, "[meter]\ncalibration = 'constants.toml'\nprogram = '/etc/meter.toml'"))
    assert loaded.meter.calibration == str(tmp_path / "constants.toml")
    assert loaded.meter.program == "/etc/meter.toml"
    assert loaded.meter.store is None


def test_a_meter_on_hardware_is_stored_though_nobody_says_so(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, "[hardware]\nkind = 'pi'"))
    assert loaded.meter.store == str(tmp_path / "meter-store")


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load(tmp_path / "none.toml")


def test_pins_of_a_function_are_given_together(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, "[hardware]\nkyz2_z_pin = 18\nmagnet_pin = 25\ngpio_chip = '/dev/gpiochip4'"))
    assert loaded.hardware.contacts(OutputId.KYZ2) == (24, 18)
    assert loaded.hardware.switches == {"scroll": 5, "magnet": 25, "reset": 13, "test": 19, "cover": 26}
    assert loaded.hardware.inputs == {InputId.IN1: 20, InputId.IN2: 21}
    assert loaded.hardware.gpio_chip == "/dev/gpiochip4"


def test_two_functions_may_change_places(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, "[hardware]\nkyz1_y_pin = 23\nkyz1_z_pin = 22"))
    assert loaded.hardware.contacts(OutputId.KYZ1) == (23, 22)


def test_numbers_are_exact() -> None:
    assert exact("1.8") == Fraction(9, 5)
    assert exact(" 3/20 ") == Fraction(3, 20)
    assert [exact(wrong) for wrong in ("-1", "x", "1/0", "nan", f"{MOST + 1}")] == [None] * 5


@pytest.mark.parametrize("path", ["", "a\\u0000b", "a" * 5000])
@pytest.mark.parametrize(
    "key", ["meter.store", "meter.program", "meter.calibration", "daemon.socket", "hardware.spi_path"]
)
def test_a_path_that_is_none_is_refused_in_a_sentence(tmp_path: Path, key: str, path: str) -> None:
    """An empty one would be the configuration's own folder (review H-10)."""
    table, name = key.split(".")
    file = tmp_path / "rig.toml"
    file.write_text(f'[{table}]\n{name} = "{path}"\n')
    with pytest.raises(ConfigError, match=rf"{name} is '.*', it must be a path as text in quotes, not empty"):
        load(file)


def test_a_link_to_the_fpgas_device_is_no_chip_select_for_the_fram(tmp_path: Path) -> None:
    """Review B-1: links are followed before devices are compared."""
    (tmp_path / "fpga").symlink_to("/dev/spidev0.1")
    text = f"[hardware]\nkind = 'pi'\nfram = 'MB85RS2MT'\nspi_path = '{tmp_path / 'fpga'}'\n"
    (tmp_path / "rig.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"are both /dev/spidev0\.1: give the FRAM its own chip select"):
        load(tmp_path / "rig.toml")
    (tmp_path / "rig.toml").write_text(text + "fram_path = '/dev/meter-fram'\n")
    assert load(tmp_path / "rig.toml").hardware.fram_path == "/dev/meter-fram"


def test_the_spi_clock_leaves_the_wires_what_the_document_says(tmp_path: Path) -> None:
    """E-6: 105 ns at 3.00 MHz, the default, and 75 ns at 3.30 MHz, the most: a period's difference, to 1 ns."""
    document = (Path(__file__).parents[2] / "docs" / "hardware.md").read_text(encoding="utf-8")
    words = r"(\d\.\d\d) MHz, which leaves (\d+) ns for wires and\s+buffers .*?\((\d\.\d\d) MHz: (\d+) ns\)"
    found = re.search(words, document)
    assert found is not None
    usual_mhz, usual_ns, most_mhz, most_ns = map(float, found.groups())
    assert Config().hardware.spi_hz == usual_mhz * 1e6
    assert usual_ns - most_ns == pytest.approx(1000 / usual_mhz - 1000 / most_mhz, abs=1)
    with pytest.raises(ConfigError):
        load(write(tmp_path, f"[hardware]\nspi_hz = {most_mhz * 1e6 + 1:.0f}"))
