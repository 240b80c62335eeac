"""What of a program stands on the display as it is, and the version of the firmware (D-7)."""

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
    nameplate = program.nameplate
    return DisplayedNameplate(
        firmware=version(DISTRIBUTION),
        program=program.digest,
        serial=nameplate.serial,
        ks=_number(nameplate.ks.wh),
        multiplier=_number(nameplate.ratios.multiplier),
        calendar=program.billing.calendar,
        reactive=not program.metering.model.lacks(ModelCapability.REACTIVE),
        apparent_rms=program.file.meter.apparent == "rms",
    )


def _number(value: Fraction) -> str:
    """With as many digits as the display has places for."""
    texts = (f"{float(value):.{digits}g}" for digits in range(TEXT_PLACES, 0, -1))
    return next(text for text in texts if places(text) <= TEXT_PLACES)
