"""What the metering process and whoever shows it say to each other (rig/daemon/channel.py)."""

from __future__ import annotations

import msgspec

from drivers.switches import RawEdge
from rig.face.face import Face
from rig.hardware.config import Config
from rig.meter.front.switches import Switch
from rig.results.summary import Phase, Summary

# --- orders ---------------------------------------------------------------------------------------------------


class Start(msgspec.Struct, frozen=True, tag="start"):
    """The first order: meter for so many seconds, or until told to stop. `paced` holds a simulated rig to real time.

    `record`: tell of the raw edges of its contacts. `hands`: a file of such edges for a simulated rig to have again.
    """

    config: Config
    seconds: float | None
    paced: bool
    record: bool = False
    hands: str | None = None


class Operate(msgspec.Struct, frozen=True, tag="operate"):
    """A hand operates a switch of a simulated rig, or lets it go, now."""

    switch: Switch
    operated: bool


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End cleanly: let out the pulses that are due, save, say what it came to."""


Order = Start | Operate | Stop

# --- what is said ---------------------------------------------------------------------------------------------


class Moment(msgspec.Struct, frozen=True, tag="moment"):
    """Each second of the rig's time: the run so far, the phases over the last second, and the meter's face.

    `lcd_trouble` is added by whoever shows it: why the character display cannot be written.
    """

    summary: Summary
    recent: dict[str, Phase]
    face: Face
    lcd_trouble: str | None = None


class Shown(msgspec.Struct, frozen=True, tag="shown"):
    """The meter's face has changed."""

    face: Face


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """The first word of a run that is recorded: what meters, and which contacts were found closed."""

    fidelity: str
    program: str
    found: list[str]


class Edges(msgspec.Struct, frozen=True, tag="edges"):
    """Raw edges of the contacts in order of time, in ns from the begin."""

    edges: list[RawEdge]


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The last word of a run: what it came to, and the sentence of the failure that ended it, if one did."""

    summary: Summary
    failure: str | None = None


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The last word of what could not run, or ran into what should not happen: the sentence, and the exit status."""

    sentence: str
    status: int = 2


Said = Moment | Shown | Begun | Edges | Ended | Refused
