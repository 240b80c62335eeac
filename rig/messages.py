"""What the metering process and whoever shows it say to each other (rig/conduit.py)."""

from __future__ import annotations

import msgspec

from rig.config import Config
from rig.face.face import Face
from rig.meter.front.switches import Switch
from rig.results import Phase, Summary

# --- orders ---------------------------------------------------------------------------------------------------


class Start(msgspec.Struct, frozen=True, tag="start"):
    """The first order: meter for so many seconds, or until told to stop. `paced` holds a simulated rig to real time."""

    config: Config
    seconds: float | None
    paced: bool


class Operate(msgspec.Struct, frozen=True, tag="operate"):
    """A hand operates a switch of a simulated rig, or lets it go, now."""

    switch: Switch
    operated: bool


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End cleanly: let out the pulses that are due, save, say what it came to."""


Order = Start | Operate | Stop

# --- what is said ---------------------------------------------------------------------------------------------


class Moment(msgspec.Struct, frozen=True, tag="moment"):
    """Each second of the rig's time: the run so far, the phases over the last second, and the meter's face."""

    summary: Summary
    recent: dict[str, Phase]
    face: Face


class Shown(msgspec.Struct, frozen=True, tag="shown"):
    """The meter's face has changed."""

    face: Face


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The last word of a run: what it came to, and the sentence of the failure that ended it, if one did."""

    summary: Summary
    failure: str | None = None


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The last word of what could not run, or ran into what should not happen: the sentence, and the exit status."""

    sentence: str
    status: int = 2


Said = Moment | Shown | Ended | Refused
