"""Constants through the meter's door: who may write them, what is refused, and when they are in force."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from calibration.constants import Calibration, nominal
from calibration.constants_file import read_calibration, write_calibration
from calibration.errors import CalibrationError
from rig.files.strict_toml import convert
from rig.hardware.config import Config, load
from rig.hardware.selection import open_hardware
from rig.meter.access.decision import Asker, Granted
from rig.meter.billing.source import Source
from rig.program import schema
from rig.program.build import Program, build
from rig.service.door import MeterDoor
from rig.service.door_error import DoorError
from rig.service.events import ConstantsWritten
from rig.service.running import BoardRun
from rig.service.service import Service
from rig.store.store import Store

SEALED = '[security]\nseal = true\nlevel_4 = "444444"\n'
BEFORE = nominal(Fraction(1088), Fraction(181, 2))
AFTER = replace(
    BEFORE,
    identity="unit 1",
    date="2026-11-30",
    calibrated=True,
    board="lot 7, meter 12, transformers",
    current_class=20,
)
KEYLESS = Asker(Source.VERIFICATION, "test")


def program(text: str = "") -> Program:
    return build(convert(tomllib.loads(text), schema.ProgramFile))


class Metering:
    """A simulated meter of a lot in service, and its door."""

    def __init__(self, folder: Path, program: Program) -> None:
        self.path = folder / "constants.toml"
        self.config: Config = load(folder / "rig.toml")
        self.hardware = open_hardware(self.config, 20, paced=False)
        self.service = Service(self.hardware, self.config, program, Store.open(folder / "store"))
        self.seen: list[object] = []
        self.service.on_events = self.seen.extend
        self.service.begin()
        self.door = MeterDoor(self.service, program)

    def asker(self, key: str) -> Asker:
        return replace(KEYLESS, proven=self.granted(key))

    def granted(self, key: str) -> Granted:
        return self.door.log_on(KEYLESS, key)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_calibration(tmp_path / "constants.toml", BEFORE)
    (tmp_path / "rig.toml").write_text(
        '[simulation]\nlot = { seed = 7, meter = 12 }\n[meter]\ncalibration = "constants.toml"\n'
    )
    return tmp_path


@pytest.fixture
def metering(folder: Path) -> Iterator[Metering]:
    made = Metering(folder, program())
    yield made
    made.service.finish()
    made.hardware.close()


def test_constants_are_written_by_level_4_logged_and_in_force_at_the_next_start(metering: Metering) -> None:
    with pytest.raises(DoorError, match="calibrate needs level 4") as refused:
        metering.door.write_constants(KEYLESS, AFTER.to_toml())
    assert refused.value.needs_key
    assert read_calibration(metering.path) == BEFORE
    asker = metering.asker("000000")
    assert metering.door.write_constants(asker, AFTER.to_toml()) == AFTER.digest
    assert read_calibration(metering.path) == AFTER
    (event,) = [each for each in metering.seen if isinstance(each, ConstantsWritten)]
    assert (event.before, event.after, event.source) == (BEFORE.digest, AFTER.digest, Source.VERIFICATION)
    assert metering.service.provenance.calibration == BEFORE.digest, "in force until the next start"
    again = open_hardware(metering.config, 20, paced=False)
    assert again.calibration == AFTER
    again.close()


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (AFTER.to_toml()[:400], r"not TOML|crc32"),
        (AFTER.to_toml().replace('"0"', '"1"', 1), r"crc32 is"),
        (replace(AFTER, board="lot 7, meter 13").to_toml(), r"board is \"lot 7, meter 13\", and the front end here is"),
        (replace(AFTER, current_class=200).to_toml(), r"current_class is 200, and the meter's is 20"),
        ("", r"identity is missing"),
        ("x" * 100, r"not TOML"),
    ],
)
def test_what_is_wrong_with_constants_changes_nothing(metering: Metering, toml: str, said: str) -> None:
    asker = metering.asker("000000")
    with pytest.raises(CalibrationError, match=said):
        metering.door.write_constants(asker, toml)
    assert read_calibration(metering.path) == BEFORE
    assert not [each for each in metering.seen if isinstance(each, ConstantsWritten)]


def test_a_sealed_meter_takes_no_constants_at_any_level(folder: Path) -> None:
    metering = Metering(folder, program(SEALED))
    try:
        with pytest.raises(DoorError, match="calibrate is refused while the meter is sealed: break the seal first"):
            metering.door.write_constants(metering.asker("444444"), AFTER.to_toml())
        assert read_calibration(metering.path) == BEFORE
    finally:
        metering.service.finish()
        metering.hardware.close()


def test_a_configuration_without_a_file_is_told_so(folder: Path) -> None:
    (folder / "rig.toml").write_text("")
    metering = Metering(folder, program())
    try:
        with pytest.raises(CalibrationError, match=r"rig\.toml names no file for the constants"):
            metering.door.write_constants(metering.asker("000000"), AFTER.to_toml())
    finally:
        metering.service.finish()
        metering.hardware.close()


@pytest.mark.parametrize(
    ("calibration", "lot", "said"),
    [
        (AFTER, "meter = 13", 'the front end here is "lot 7, meter 13, transformers"'),
        (replace(AFTER, current_class=200), "meter = 12", "calibrate it for that one"),
    ],
)
def test_a_meter_does_not_start_with_constants_of_another(
    folder: Path, calibration: Calibration, lot: str, said: str
) -> None:
    write_calibration(folder / "constants.toml", calibration)
    (folder / "rig.toml").write_text(
        f'[simulation]\nlot = {{ seed = 7, {lot} }}\n[meter]\ncalibration = "constants.toml"\n'
    )
    with pytest.raises(CalibrationError, match=said):
        open_hardware(load(folder / "rig.toml"), 20, paced=False)


def test_expired_constants_meter_on_uncalibrated_and_warm_ones_have_other_gains(folder: Path) -> None:
    channels = tuple(replace(channel, ppm_per_k=Fraction(20)) for channel in AFTER.channels)
    expired = replace(AFTER, channels=channels, date="2020-01-01", valid_until="2021-01-01")
    write_calibration(folder / "constants.toml", expired)
    hardware = open_hardware(load(folder / "rig.toml"), 20, paced=False)
    assert not hardware.calibration.calibrated
    hardware.close()
    text = (folder / "rig.toml").read_text()
    (folder / "rig.toml").write_text(f"{text}[hardware]\ntemperature_c = 48.0\n")
    warm = open_hardware(load(folder / "rig.toml"), 20, paced=False)
    assert warm.calibration.channels[0].gain / hardware.calibration.channels[0].gain == 1 + Fraction(500, 10**6)
    warm.close()


@pytest.mark.parametrize(("today", "calibrated"), [("2031-12-30", False), ("2031-12-31", True), ("2032-01-01", True)])
def test_constants_of_the_future_are_uncalibrated(today: str, calibrated: bool) -> None:
    """A day is let pass: it is tomorrow in places."""
    assert replace(AFTER, date="2032-01-01").in_force(today).calibrated is calibrated


def test_a_process_with_other_constants_does_not_go_on_where_the_one_before_was(metering: Metering) -> None:
    """Parts of a nWh are kept in units that are the gains': with others they would be other energy."""
    identity = metering.hardware.link.identity
    runs = [BoardRun.of("boot 1", identity, 17, digest) for digest in (BEFORE.digest, AFTER.digest, AFTER.digest)]
    assert runs[0] != runs[1] == runs[2]
