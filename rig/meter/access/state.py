"""State that the meter's door must remember through a power failure (S-1, S-2)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Attempts:
    """Wrong keys of one source: how many count still, the meter's time of the last (UTC ns), and its lock-out in s."""

    failures: int
    failed_ns: int
    wait_s: int


@dataclass
class AccessState:
    """Everything that outlives power cycles. It holds no key.

    `attempts` are by the value of their source. `seal_broken` counts where the program seals; `seal_changed_ns` is when
    (UTC ns) the seal was last broken or made, None: never. `term` counts programs and broken seals: a level that was
    proven in an earlier term is over.
    """

    attempts: dict[str, Attempts] = field(default_factory=dict)
    seal_broken: bool = False
    seal_changed_ns: int | None = None
    term: int = 0
