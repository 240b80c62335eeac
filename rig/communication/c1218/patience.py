"""The wait for a peer's reaction: as long as the settings say, or shorter for one that is seen to be quick (X-3).

    peer              sent for the    time waited
    unmeasured        1st, 2nd time   `response_ns`
    measured          1st, 2nd time   4 times its slowest, `quick_ns` to `later_ns`
    perhaps slow      1st, 2nd time   `later_ns`
    any               3rd, later      `later_ns`

Measured is the reaction to what was sent once. What was repeated may have been lost, or the peer is slow, and it is not
known to which of the two it reacted. A peer is perhaps slow from a reaction to what was repeated that came not as soon
after the repetition as all that were measured, until the next measure (as Karn has it for TCP).

Too short a wait costs a repetition, which the peer acknowledges and drops by its toggle and CRC; it changes nothing
(C12.18). Settings without `quick_ns` or `later_ns` wait `response_ns` in place of it.
"""

from __future__ import annotations

from rig.communication.c1218.settings import Timing

MARGIN = 4
"""So many times its slowest reaction is waited for a peer: one that is busy now and then is not asked twice."""


class Patience:
    """Waits for one peer, by how it has reacted."""

    def __init__(self) -> None:
        self._slowest_ns: int | None = None
        self._perhaps_slow = False

    def reacted(self, after_ns: int, *, repeated: bool) -> None:
        """Take note that the peer reacted, so long after the last byte of what was sent, or `repeated`, had gone."""
        if not repeated:
            self._slowest_ns = max(self._slowest_ns or 0, after_ns)
            self._perhaps_slow = False
        elif self._slowest_ns is None or not 0 <= after_ns <= self._slowest_ns:
            self._perhaps_slow = True

    def wait_ns(self, timing: Timing, tries: int = 0) -> int:
        """Give the time to wait for a reaction to what was sent `tries` times before."""
        later_ns = timing.response_ns if timing.later_ns is None else timing.later_ns
        if tries > 1 or self._perhaps_slow:
            return later_ns
        if timing.quick_ns is None or self._slowest_ns is None:
            return timing.response_ns
        return min(later_ns, max(timing.quick_ns, MARGIN * self._slowest_ns))
