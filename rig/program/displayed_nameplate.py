"""Nameplate data of a program for the display, the emulated firmware, and the rig's own version (D-7, M-7)."""

from __future__ import annotations

from fractions import Fraction
from importlib.metadata import version

from rig.meter.display.fitting import places
from rig.meter.display.lcd import TEXT_PLACES
from rig.meter.display.statuses import DisplayedNameplate
from rig.meter.models import ModelCapability
from rig.program.build import Program

DISTRIBUTION = "ae0764-rig"


def displayed_nameplate(program: Program) -> DisplayedNameplate:
    """The plate of a programmed meter."""
    nameplate, metering, own = program.nameplate, program.metering, version(DISTRIBUTION)
    reactive = metering.has(ModelCapability.REACTIVE)
    return DisplayedNameplate(
        firmware=metering.firmware.version if metering.firmware else own,
        software=own,
        program=program.digest,
        serial=nameplate.serial,
        ks=_number(nameplate.ks.wh),
        multiplier=_number(nameplate.ratios.multiplier),
        calendar=program.billing.calendar,
        reactive=reactive,
        apparent_rms=not reactive or program.file.meter.apparent == "rms",
    )


def _number(value: Fraction) -> str:
    """With as many digits as the display has places for."""
    texts = (f"{float(value):.{digits}g}" for digits in range(TEXT_PLACES, 0, -1))
    return next(text for text in texts if places(text) <= TEXT_PLACES)
