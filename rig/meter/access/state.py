"""State that the meter's door must remember through a power failure (S-1, S-2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.meter.access.security import Keys
from rig.meter.billing.source import Source


@dataclass
class Attempts:
    """Wrong keys of one source: how many count still, the meter's time of the last (UTC ns), and its lock-out in s."""

    failures: int
    failed_ns: int
    wait_s: int


@dataclass(frozen=True, slots=True)
class PendingProgram:
    """A program that waits: its digest, when it is to be activated (the meter's time, UTC ns; None: when that is asked
    for), when it was written, by whom and at which level.

    `file` is its file's structures as JSON text without a key, `keys` its own, hashed. `under` are the hashed keys of
    which one proved the level, and `same_keys` whether the program's are the same.
    """

    digest: str
    at_ns: int | None
    written_ns: int
    source: Source
    name: str
    level: int
    same_keys: bool
    file: str = field(repr=False)
    keys: Keys = field(repr=False)
    under: Keys = field(repr=False)


@dataclass
class AccessState:
    """Everything that outlives power cycles. It holds no key, but hashes of those of a program that waits.

    `attempts` are by the value of their source. `seal_broken` counts where the program seals; `seal_changed_ns` is when
    (UTC ns) the seal was last broken or made, None: never. `term` counts programs and broken seals: a level that was
    proven in an earlier term is over. `pending` is the program that waits, `activated_ns` when one was activated last.
    """

    attempts: dict[str, Attempts] = field(default_factory=dict)
    seal_broken: bool = False
    seal_changed_ns: int | None = None
    term: int = 0
    pending: PendingProgram | None = None
    activated_ns: int | None = None
