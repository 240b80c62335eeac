"""The power-fail input in the service, and an FRAM's saves at each record: when the state is handed over (S-3)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rig.files.strict_toml import ConfigError
from rig.hardware.config import Config, HardwareConfig, load
from rig.hardware.doctor_store import examine_store, mount_of
from rig.hardware.memory import fram_slots
from rig.hardware.selection import open_hardware
from rig.program.build import default_program
from rig.service.service import Service
from rig.store.saved_meter import last_saved
from rig.store.store import Store

PIN = 18
POLL_MS, HAND_OVER_MS = 20, 5
"""As docs/store.md has them."""


class Run:
    """The plain meter on the simulated rig in virtual time; `submitted` are the instants of its saves, in ms."""

    def __init__(self, folder: Path, hardware: HardwareConfig) -> None:
        config = msgspec.structs.replace(Config(), hardware=hardware)
        self._hardware = open_hardware(config, 20, paced=False)
        self.service = Service(self._hardware, config, default_program(), Store.open(folder, fast=fram_slots(config)))
        self.service.begin()
        writer = self.service._persistence._writer
        assert writer is not None
        self.submitted: list[float] = []
        submit = writer.submit

        def noted(payload: bytes, utc_ns: int, *rest: object) -> None:
            self.submitted.append(self.now_ms)
            submit(payload, utc_ns, *rest)  # type: ignore[arg-type]

        writer.submit = noted  # type: ignore[method-assign]
        self.writer = writer

    @property
    def now_ms(self) -> float:
        return self._hardware.clock.now_ns() / 1e6

    def goes_on(self, ms: float) -> None:
        for _ in self.service.run(self._hardware.clock.now_ns() + round(ms * 1e6)):
            pass

    def pin(self, low: bool) -> None:
        pin = self._hardware.pins.pin(PIN)
        pin.drive_low() if low else pin.drive_high()

    def finish(self) -> None:
        self.service.finish()
        self._hardware.close()


def test_power_that_fails_saves_within_a_poll_and_then_at_each_record(tmp_path: Path) -> None:
    run = Run(tmp_path / "s", HardwareConfig(power_fail_pin=PIN))
    run.goes_on(1200)
    assert 1 <= len(run.submitted) <= 3, "one in 0.95 s"
    saves = len(run.submitted)
    failed_ms = run.now_ms
    run.pin(low=True)
    run.goes_on(100)
    assert run.submitted[saves] - failed_ms <= POLL_MS + HAND_OVER_MS
    assert len(run.submitted) - saves >= 5, "60 records a second"
    assert run.writer.flush(60)
    assert last_saved(tmp_path / "s")[0].utc_ns == run.service.meter.billing.now_ns
    run.pin(low=False)
    saves = len(run.submitted)
    run.goes_on(500)
    assert len(run.submitted) - saves <= 1, "power is back"
    run.finish()


def test_power_that_fails_does_not_wait_for_a_record(tmp_path: Path) -> None:
    """There may be none any more: the sensors' supply is the first to go."""
    run = Run(tmp_path / "s", HardwareConfig(power_fail_pin=PIN))
    run.goes_on(1200)
    saves = len(run.submitted)
    run.service._persistence.power_fails(True, run.service.meter)
    assert len(run.submitted) == saves + 1
    run.service._persistence.power_fails(True, run.service.meter)
    assert len(run.submitted) == saves + 1, "nothing new"
    run.finish()


def test_a_meter_without_the_input_does_not_touch_the_pin(tmp_path: Path) -> None:
    run = Run(tmp_path / "s", HardwareConfig())
    run.goes_on(50)
    run.pin(low=True)
    saves = len(run.submitted)
    run.goes_on(300)
    assert len(run.submitted) - saves <= 1
    run.finish()


def test_with_an_fram_each_record_is_saved(tmp_path: Path) -> None:
    run = Run(tmp_path / "s", HardwareConfig(fram="MB85RS2MT"))
    run.goes_on(200)
    assert run.writer.flush(60)
    saves = len(run.submitted)
    run.goes_on(500)
    assert len(run.submitted) - saves >= 25
    assert run.service.trouble is None
    run.finish()


# --- configuration and doctor ---------------------------------------------------------------------------------


def written(folder: Path, text: str) -> Config:
    (folder / "rig.toml").write_text(text)
    return load(folder / "rig.toml")


def test_the_configuration_names_the_file_of_a_simulated_fram(tmp_path: Path) -> None:
    config = written(tmp_path, '[hardware]\nfram = "MB85RS2MT"\n[simulation]\nfram_file = "cells"\n')
    for k in range(2):
        slots = fram_slots(config)
        assert slots is not None
        assert slots.read()[3][:4] == (b"kept" if k else bytes(4))
        slots.write(3, b"kept")
        slots.close()
    assert (tmp_path / "cells").stat().st_size >= 3 * 4096


def test_doctor_checks_each_part_that_is_named(tmp_path: Path) -> None:
    assert examine_store(Config()) == []
    config = written(
        tmp_path,
        '[hardware]\nfram = "MB85RS2MT"\n[simulation]\nfram_file = "cells"\n[meter]\nstore = "not/yet"\n',
    )
    checks = {check.name: check for check in examine_store(config)}
    assert checks["store folder"].holds
    assert checks["room for the store"].holds
    assert checks["FRAM"].found == "MB85RS2MTA simulated"
    (tmp_path / "cells").unlink()
    (tmp_path / "cells").mkdir()
    fram = {check.name: check for check in examine_store(config)}["FRAM"]
    assert not fram.holds
    assert f"{tmp_path / 'cells'} cannot be used (Is a directory)" in fram.remedy


def test_doctor_tells_of_hardware_that_is_not_there(tmp_path: Path) -> None:
    config = written(
        tmp_path,
        '[hardware]\nkind = "pi"\nfram = "MB85RS2MT"\nfram_path = "/dev/spidev9.9"\npower_fail_pin = 18\n'
        'gpio_chip = "/dev/gpiochip99"\n',
    )
    checks = {check.name: check for check in examine_store(config)}
    for name in ("FRAM", "power-fail input"):
        assert not checks[name].holds
        assert checks[name].remedy


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("36 1 {} / / rw,noatime shared:1 - ext4 /dev/root rw,lazytime", ("ext4", "rw,lazytime")),
        ("36 1 {} / / rw - tmpfs tmpfs rw,size=3072k", ("tmpfs", "rw,size=3072k")),
        ("36 1 0:1 / / rw - ext4 /dev/root rw", ("", "")),
        ("", ("", "")),
    ],
)
def test_the_mount_that_a_folder_is_on(tmp_path: Path, line: str, found: tuple[str, str]) -> None:
    """As /proc/self/mountinfo has it: proc(5)."""
    device = tmp_path.stat().st_dev
    table = tmp_path / "mountinfo"
    table.write_text("7 1 0:2 / /proc rw - proc proc rw\n" + line.format(f"{device >> 8}:{device & 0xFF}") + "\n")
    assert device >> 8 < 1 << 12
    assert mount_of(tmp_path, table) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[hardware]\nfram = 'FM25V20'", r"hardware.fram is 'FM25V20', it must be 'MB85RS2MT' or 'none'"),
        (
            "[hardware]\nfram_path = 'spidev'",
            r'hardware.fram_path is \'spidev\', it must be "/dev/spidev0.1", or another',
        ),
        ("[hardware]\nfram_hz = 1", "hardware.fram_hz is 1, it must be a whole number from 100000 to 25000000"),
        ("[hardware]\npower_fail_pin = 17", "hardware.led_pin and hardware.power_fail_pin are both 17"),
        ("[hardware]\npower_fail_pin = 7", "hardware.power_fail_pin is 7, which the SPI bus has"),
        (
            "[hardware]\nfram = 'MB85RS2MT'\nfram_path = '/dev/spidev0.0'",
            "hardware.spi_path and hardware.fram_path are",
        ),
    ],
)
def test_mistakes_in_the_configuration(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        written(tmp_path, text)
