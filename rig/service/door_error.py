"""The error of a request that the meter's door refuses."""

from __future__ import annotations

from rig.errors import RigError
from rig.meter.access.decision import Refusal


class DoorError(RigError):
    """Error of a request that is refused, nothing being changed: one sentence. `needs_key`: a key could help; `why`:
    the decision's reason, None for any other."""

    def __init__(self, sentence: str, needs_key: bool = False, why: Refusal | None = None) -> None:
        super().__init__(sentence)
        self.needs_key, self.why = needs_key, why
