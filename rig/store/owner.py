"""Owner of a store: the meter that its figures are of, so that no other continues from them (S-3, review H-3)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rig.meter.nameplate import Nameplate
from rig.store.errors import StoreError


@dataclass(frozen=True)
class StoreOwner:
    """Owner of a store, as nothing programmed changes it: the approval's number, the serial number and the form."""

    ae_number: str
    serial: str
    form: str

    @property
    def text(self) -> str:
        """For a sentence: "serial number 12 345 678 (AE-0764, form 9S)"."""
        return f"serial number {self.serial!r} (AE-{self.ae_number}, form {self.form})"


def owner_of(plate: Nameplate) -> StoreOwner:
    """Name the meter of a nameplate."""
    return StoreOwner(plate.ae_number, plate.serial, plate.form)


def check_owner(found: StoreOwner | None, meter: StoreOwner, folder: Path) -> None:
    """Refuse a store of another meter with a StoreError. A save of before stores knew (None) is anybody's."""
    if found is not None and found != meter:
        raise StoreError(
            f"the store {folder} is of the meter with {found.text}, and the program is of {meter.text}: give this "
            f"meter a store of its own, or hand that one over with rig store adopt {folder}"
        )
