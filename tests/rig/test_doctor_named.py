"""`rig doctor` on what a rig.toml names (review C-3): a verdict by part, a remedy each, one exit status."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rig.hardware import doctor
from rig.hardware.config import AuthenticationConfig, Config, PortConfig, load
from rig.hardware.doctor import Check, able
from rig.hardware.doctor_named import answers, chip_select, clock, examine_named, lcd, pins, port_key, serial_port

ROOT = Path(__file__).parents[2]


def written(folder: Path, text: str) -> Config:
    (folder / "rig.toml").write_text(text)
    return load(folder / "rig.toml")


PI = """[hardware]
kind = "pi"
spi_path = "/dev/spidev250.250"
gpio_chip = "/dev/gpiochip250"
[display]
lcd = "20x4"
lcd_bus = "/dev/i2c-250"
"""


def test_a_pi_with_spi_and_i2c_off_does_not_pass(command_line: Any, tmp_path: Path) -> None:
    """The review's case: it passed, as nothing that is named was asked for."""
    written(tmp_path, PI)
    done = command_line("doctor", "--config", str(tmp_path / "rig.toml"), "--json")
    assert done.status == 1
    checks = json.loads(done.out)
    failed = {check["part"]: check for check in checks if not check["holds"]}
    assert {"spi", "fpga", "gpio", "lcd"} <= failed.keys()
    assert "/dev/spidev250.250" in failed["spi"]["found"]
    assert "/dev/gpiochip250" in failed["gpio"]["found"]
    assert all(check["remedy"] for check in checks if not check["holds"])
    assert all(not check["remedy"] for check in checks if check["holds"])
    assert [check["part"] for check in checks if check["name"] == "SPI device"] == ["spi"]  # no other device counts
    assert not any("access" in check["name"] for check in checks)
    assert {"store", "socket", "clock"} <= {check["part"] for check in checks}


def test_a_simulated_rig_is_asked_only_for_what_it_names(command_line: Any, tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text('[simulation]\nfidelity = "exact"\n')
    done = command_line("doctor", "--config", str(tmp_path / "rig.toml"), "--json")
    assert done.status == 0, done.out
    assert {"spi", "fpga", "gpio"}.isdisjoint(check["part"] for check in json.loads(done.out))


def test_a_store_that_cannot_be_written_is_1(command_line: Any, tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text('[meter]\nstore = "/proc/no/store"\n')
    assert command_line("doctor", "--config", str(tmp_path / "rig.toml")).status == 1


@pytest.mark.parametrize("ending", ["", "kind = 'pie'", "spi_hz = 1"])
def test_a_configuration_that_cannot_be_read_is_2(command_line: Any, tmp_path: Path, ending: str) -> None:
    file = tmp_path / "rig.toml"
    if ending:
        file.write_text(f"[hardware]\n{ending}\n")
    done = command_line("doctor", "--config", str(file))
    assert (done.status, done.out) == (2, "")


HOLDING = ("base", "sim", "rtl", "pi", "lcd", "spi", "fpga", "gpio", "store", "socket", "clock", "time")


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("", {"base", "sim", "store", "socket"}),
        ("[simulation]\nfidelity = 'rtl'", {"base", "sim", "rtl", "store", "socket"}),
        ("[display]\nlcd = '16x2'", {"base", "sim", "lcd", "store", "socket"}),
        ("[hardware]\nkind = 'pi'", {"base", "pi", "spi", "fpga", "gpio", "store", "socket"}),
    ],
)
def test_what_is_needed_follows_the_configuration(tmp_path: Path, text: str, needed: set[str]) -> None:
    """Each part in turn is what fails; spi, fpga and gpio are checked only where they are named."""
    config = written(tmp_path, text)
    parts = [p for p in HOLDING if p not in ("spi", "fpga", "gpio") or config.hardware.kind == "pi"]
    failing = {bad for bad in parts if not able([Check(p, "x", p != bad, "") for p in parts], config)}
    assert failing == needed


def test_times_written_lazily_are_advice() -> None:
    rest = [Check(part, "x", True, "") for part in ("base", "sim")]
    assert able([*rest, Check("store", "times written lazily", False, "", "x")], Config())
    assert not able([*rest, Check("store", "store folder", False, "", "x")], Config())


@pytest.mark.parametrize(
    ("device", "model", "shown", "verdicts"),
    [
        ("/dev/spidev0.0", "Raspberry Pi 5 Model B", " 8: op -- pu | hi // GPIO8 = output\n", [True]),
        ("/dev/spidev0.0", "Raspberry Pi 5 Model B", " 8: a0    pn | hi // GPIO8 = SPI0_CSn[0]\n", [False]),
        ("/dev/spidev0.1", "Raspberry Pi 5 Model B", " 7: ip    pu | hi // GPIO7 = input\n", [False]),
        ("/dev/spidev0.0", "Raspberry Pi 5 Model B", "", [False]),
        ("/dev/spidev0.0", "Raspberry Pi 4 Model B", "", []),
        ("/dev/spidev1.0", "Raspberry Pi 5 Model B", "", []),
    ],
)
def test_the_chip_select_of_a_pi_5_is_an_output(device: str, model: str, shown: str, verdicts: list[bool]) -> None:
    """Review E-2. The lines are as pinctrl of raspberrypi/utils prints them."""
    checks = chip_select(device, model, shown)
    assert [check.holds for check in checks] == verdicts
    assert all("dtoverlay=spi0-1cs" in check.remedy for check in checks if not check.holds)


class Table:
    """Stands in for a gpiod.Chip of version 2: the lines of a header, of which some are used."""

    def __init__(self, used: dict[int, str], most: int = 27) -> None:
        self._used, self._most = used, most

    def get_line_info(self, line: int) -> SimpleNamespace:
        if line > self._most:
            raise ValueError("line offset out of range")
        return SimpleNamespace(used=line in self._used, consumer=self._used.get(line))


def test_each_pin_that_is_named_has_a_verdict(tmp_path: Path) -> None:
    config = written(tmp_path, "[hardware]\nkind = 'pi'\npower_fail_pin = 18\n[bench]\nmagnet_actuator_pin = 1\n")
    checks = {check.name: check for check in pins(config, Table({17: "led1", 22: ""}, most=26), runs=False)}
    assert set(checks) == {*(f"hardware.{key}" for key in KEYS), "hardware.power_fail_pin", "bench.magnet_actuator_pin"}
    failing = {name: check for name, check in checks.items() if not check.holds}
    assert set(failing) == {"hardware.led_pin", "hardware.kyz1_y_pin", "hardware.kyz3_y_pin"}
    assert failing["hardware.led_pin"].found == "GPIO 17, used by led1"
    assert failing["hardware.kyz1_y_pin"].found == "GPIO 22, used by the kernel"
    assert failing["hardware.kyz3_y_pin"].remedy == "there is no line 27: give hardware.kyz3_y_pin another"
    assert all(check.holds for check in pins(config, Table({17: "lg", 22: "lg"}), runs=True))


KEYS = [
    *("led_pin", "scroll_pin", "magnet_pin", "reset_pin", "test_pin", "cover_pin", "input1_pin", "input2_pin"),
    *(f"kyz{k}_{contact}_pin" for k in range(1, 5) for contact in "yz"),
]


def test_a_running_meter_is_found_by_its_socket(tmp_path: Path) -> None:
    address = tmp_path / "meter.sock"
    assert not answers(address)
    config = written(tmp_path, "")
    (before,) = (check for check in examine_named(config, address) if check.part == "socket")
    assert (before.holds, before.found) == (True, str(address))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        assert not answers(address)  # nobody listens: a socket left over
        server.listen()
        assert answers(address)
        (now,) = (check for check in examine_named(config, address) if check.part == "socket")
        assert now.found == f"a meter runs at {address}"
    (tmp_path / "file").touch()
    (nowhere,) = (check for check in examine_named(config, tmp_path / "file" / "meter.sock") if check.part == "socket")
    assert not nowhere.holds


def test_a_socket_whose_address_is_too_long_does_not_pass(tmp_path: Path) -> None:
    config = written(tmp_path, "")
    for extra, holds in ((0, True), (1, False)):
        address = tmp_path / ("s" * (107 + extra - len(str(tmp_path)) - 1))
        (check,) = (check for check in examine_named(config, address) if check.part == "socket")
        assert check.holds is holds
        if holds:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(str(address))  # the system's own limit


def test_a_store_that_is_a_file_is_1(command_line: Any, tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    (tmp_path / "rig.toml").write_text('[meter]\nstore = "store"\n')
    assert command_line("doctor", "--config", str(tmp_path / "rig.toml")).status == 1


def test_a_display_that_is_not_there_has_a_remedy() -> None:
    found = lcd("/dev/i2c-250", 0x27)
    assert not found.holds
    assert "do_i2c 0" in found.remedy or "luma.lcd is not installed" in found.remedy


def test_a_serial_port_has_a_verdict_and_is_not_opened() -> None:
    ours, theirs = os.openpty()
    try:
        there, gone, pty = (
            serial_port(PortConfig(device=device)) for device in (os.ttyname(theirs), "/dev/ttyNONE0", "pty")
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert [check.part for check in (there, gone, pty)] == ["ports"] * 3
    assert [check.holds for check in (there, gone, pty)] == [True, False, True]
    assert "/dev/ttyNONE0 is no device" in gone.found
    assert "plug the adapter in" in gone.remedy


def test_a_ports_key_has_a_verdict(tmp_path: Path) -> None:
    file = tmp_path / "key"
    port = PortConfig(kind="rs-232", authentication=AuthenticationConfig(str(file)))
    assert port_key(PortConfig()) is None
    verdicts = [port_key(port)]
    file.write_text("3132333435363738")
    file.chmod(0o644)
    verdicts.append(port_key(port))
    file.chmod(0o600)
    verdicts.append(port_key(port))
    assert [check.holds for check in verdicts if check is not None] == [False, False, True]
    assert verdicts[1] is not None
    assert verdicts[1].remedy.endswith(f"chmod 600 {file}")


def test_a_port_that_is_not_there_fails_the_rig_that_names_it(tmp_path: Path) -> None:
    config = written(tmp_path, "[[ports]]\ndevice = '/dev/ttyNONE0'\n")
    checks = examine_named(config, tmp_path / "m.sock")
    assert [check.name for check in checks if check.part == "ports" and not check.holds] == ["port optical"]
    assert not able([Check("base", "x", True, ""), Check("sim", "x", True, ""), *checks[:1]], config)


def test_the_clock_has_a_verdict_and_is_read_only() -> None:
    found = clock()
    assert found.holds is (not found.remedy)
    assert found.found.startswith("synchronised" if found.holds else "not synchronised")


def test_an_older_module_is_not_the_one_that_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Bookworm's own gpiod is version 1, without request_lines; it was said to be there."""
    (tmp_path / "gpiod.py").write_text("class Chip: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "gpiod", raising=False)
    (check,) = (check for check in doctor.examine() if check.name == "gpiod")
    assert (check.holds, check.found) == (False, "without request_lines")
    assert check.remedy.startswith(".venv/bin/pip install gpiod==")
    monkeypatch.delitem(sys.modules, "gpiod")


def test_no_remedy_has_a_bare_pip() -> None:
    """In no text of any module: here most of what a remedy is for is installed."""
    sources = [path for folder in ("drivers", "rig") for path in (ROOT / folder).rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    assert sum(text.count(".venv/bin/pip install") for text in texts) >= 5
    bare = [path for path, text in zip(sources, texts, strict=True) if re.search(r"(?<!\.venv/bin/)pip install", text)]
    assert bare == []
