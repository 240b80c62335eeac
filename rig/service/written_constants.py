"""Constants written to a running meter: checked, brought to their file, in force from its next start on."""

from __future__ import annotations

from pathlib import Path

from calibration.constants import Calibration
from calibration.constants_file import write_calibration
from calibration.errors import CalibrationError
from rig.hardware.hardware import front_end_of
from rig.meter.billing.source import Source
from rig.service.events import ConstantsWritten
from rig.service.service import Service


def write_constants(service: Service, calibration: Calibration, source: Source) -> None:
    """Write the file of the constants, whole or not at all, and log it; they are in force from the next start on, when
    the delays can be written too. Raises CalibrationError, and then changes nothing."""
    config, current_class = service.config, service.program.metering.current_class
    path = config.meter.calibration
    if path is None:
        raise CalibrationError(
            'rig.toml names no file for the constants: give meter.calibration = "constants.toml", and start anew'
        )
    calibration.check_use(front_end_of(config, current_class), current_class)
    write_calibration(Path(path), calibration)
    before = service.hardware.calibration.digest
    service.log(ConstantsWritten(service.meter.billing.now_ns, before, calibration.digest, source))
