"""The firmware versions of the notice, and what each enables (M-7).

    versions           family   protocol      RS-232, RS-485, LG144   protection under seal
    2.05               S4       DGCOM         .                       .
    3.00 to 3.15       S4       DGCOM         .                       .
    4.22               S4       DGCOM         x                       .
    6.02, 6.26, 6.30   S4e      ANSI C12.19   x                       .
    6.28               S4e      ANSI C12.19   x                       x
    7.03, 7.04, 7.16   S4e      DGCOM         x                       .
    7.17, 7.18         S4e      DGCOM         x                       x

"Firmware version 4.22 and any subsequently approved firmware" takes the LG144 high-speed modem, external modems by
RS-232 and an RS-485 network. Rev. 9 names 6.26 ANSI and 7.16 DGCOM, Rev. 12 7.18 DGCOM: 6.x and 7.x likewise. "The S4
meters are available with DGCOM protocol", so 6.x is of the S4e. That 7.x is too, and that all before is of the S4, goes
by the revisions' dates: the S4e came with Rev. 3. The internal modem board needs no version.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.errors import RigError
from rig.meter.access.security import SEALING_FIRMWARE
from rig.meter.models import MeterModel, ModelCapability


class FirmwareError(RigError):
    """A version that is not approved, or not in that model: one sentence with those that are."""


class PortProtocol(Enum):
    """Protocol that a meter speaks at its ports."""

    ANSI = "ANSI C12.19"
    DGCOM = "DGCOM"


class PortOption(Enum):
    """An interface that not every version takes."""

    HIGH_SPEED_MODEM = "LG144 high-speed modem"
    RS232 = "external modem by RS-232"
    RS485 = "RS-485 network of up to 32 meters"


APPROVED = (
    "2.05", "3.00", "3.01", "3.02", "3.03", "3.04", "3.05", "3.06", "3.07", "3.08", "3.09", "3.10", "3.11", "3.12",
    "3.13", "3.14", "3.15", "4.22", "6.02", "6.26", "6.28", "6.30", "7.03", "7.04", "7.16", "7.17", "7.18",
)  # fmt: skip
"""The notice's list, in its order."""

_PORTS_FROM = (4, 22)
_ANSI_MAJOR = 6
_S4E_MAJOR = 6


@dataclass(frozen=True)
class Firmware:
    """An approved version, such as "7.18"."""

    version: str

    @property
    def protocol(self) -> PortProtocol:
        """The protocol it speaks."""
        return PortProtocol.ANSI if self._number[0] == _ANSI_MAJOR else PortProtocol.DGCOM

    @property
    def port_options(self) -> frozenset[PortOption]:
        """The interfaces it takes beside the optical port and the internal modem."""
        return frozenset(PortOption) if self._number >= _PORTS_FROM else frozenset()

    @property
    def seals(self) -> bool:
        """True if it is protected against reprogramming under seal."""
        return self.version in SEALING_FIRMWARE

    @property
    def family(self) -> str:
        """The family that it came with, S4 or S4e."""
        return "S4e" if self._number[0] >= _S4E_MAJOR else "S4"

    @property
    def _number(self) -> tuple[int, int]:
        major, minor = self.version.split(".")
        return int(major), int(minor)


def firmware_named(version: str) -> Firmware:
    """An approved version. Raises FirmwareError."""
    if version not in APPROVED:
        raise FirmwareError(f"version {version!r} is not approved: choose {', '.join(APPROVED[:-1])} or {APPROVED[-1]}")
    return Firmware(version)


def firmware_of(model: MeterModel, version: str) -> Firmware:
    """An approved version in a model. Raises FirmwareError for one that speaks what the model cannot."""
    firmware = firmware_named(version)
    if firmware.protocol is PortProtocol.ANSI and model.lacks(ModelCapability.C12_19):
        dgcom = [other for other in APPROVED if Firmware(other).protocol is PortProtocol.DGCOM]
        raise FirmwareError(
            f"version {version!r} speaks ANSI C12.19, and model {model.name} is available with DGCOM: "
            f"choose {', '.join(dgcom[:-1])} or {dgcom[-1]}"
        )
    return firmware


def protocols(model: MeterModel, firmware: Firmware | None) -> frozenset[PortProtocol]:
    """Return the protocols that a model can be supplied with; with a firmware version, that version's one."""
    if firmware is not None:
        return frozenset({firmware.protocol})
    return frozenset(PortProtocol) if not model.lacks(ModelCapability.C12_19) else frozenset({PortProtocol.DGCOM})
