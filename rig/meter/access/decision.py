"""Parties to a decision of the meter's door: who asks, the meter's state then, and the possible answers (S-1, S-2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.meter.billing.source import Source

MOST_NAME = 40


@dataclass(frozen=True, slots=True)
class Granted:
    """A level that a key proved at a source. It is over when a program is written or the seal is broken."""

    source: Source
    level: int
    term: int


@dataclass(frozen=True, slots=True)
class WrongKey:
    """A key that proves nothing; the next one is looked at after `wait_s`."""

    wait_s: int

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        return "the key is wrong" + (f": try again in {self.wait_s} s" if self.wait_s else "")


@dataclass(frozen=True, slots=True)
class LockedOut:
    """Keys are not looked at for `wait_s` more, right ones neither."""

    wait_s: int

    @property
    def sentence(self) -> str:
        """One sentence for people."""
        return f"too many wrong keys came from here: try again in {self.wait_s} s"


@dataclass(frozen=True, slots=True)
class Asker:
    """Asker of a request: where it comes from, its name there (a module's, "uid 1000"; "" if the source says all), and
    the level proven, None: none. Raises ValueError for a name longer than 40 characters, or not printable.
    """

    source: Source
    name: str = ""
    proven: Granted | None = None

    def __post_init__(self) -> None:
        if len(self.name) > MOST_NAME or not self.name.isprintable():
            shown = self.name[:MOST_NAME]
            raise ValueError(f"an asker is named {shown!r}: give at most {MOST_NAME} printable characters")


@dataclass(frozen=True, slots=True)
class Conditions:
    """State of the meter when a request reaches it.

    `override_done`: the sequence of rig/meter/front/override.py has just been completed. `demand`: it has demand to
    reset. `test_by_communication`: it is an S4e, which takes test mode by communication (D-5). `module`: the
    communication module that is fitted, None: there is none.
    """

    cover_off: bool
    test_mode: bool
    demand: bool
    test_by_communication: bool
    override_done: bool = False
    module: str | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """The action may be done, now."""


class Refusal(Enum):
    """Reason for which an action is refused, by its name in the log."""

    SOURCE = "not from there"
    NOT_FITTED = "module not fitted"
    MODULE = "not granted to the module"
    SEALED = "sealed"
    LEVEL = "level too low"
    NO_DEMAND = "no demand"
    NO_TEST_BY_COMMUNICATION = "no test mode by communication"
    IN_TEST = "test mode"
    NOT_IN_TEST = "not in test mode"
    COVER_ON = "cover on"
    NO_OVERRIDE = "no override sequence"
    NO_SEAL = "not sealed"
    PENDING = "a program waits"
    NO_PENDING = "no program waits"
    PAST = "time is past"
    OTHER_KEYS = "keys have changed"


@dataclass(frozen=True, slots=True)
class Refused:
    """The action must not be done: why, and in one sentence for people what would be right."""

    why: Refusal
    sentence: str


Decision = Allowed | Refused
