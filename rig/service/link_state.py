"""State of the link to the FPGA: when to try again, what to tell of it, and when energy must be taken for lost (C-2).

The FPGA goes on summing while nobody reads it, for `room_ns` at least, so a link that fails costs nothing as long. The
service does not wait for it: frames are tried again at `next_ns`, after pauses that grow, and all else goes on.

    state     answered        failed                                                  foreign
    good      .               retrying                                                foreign, told
    retrying  good, restored  . (told, once TELL_NS have passed; lost, told, at room) foreign, told
    lost      good, restored  .                                                       foreign, told
    foreign   .               .                                                       .

answered: the board was read and is the same as before, or was recognised. failed: no whole reply, or one that a board
of ours does not give. foreign: another board or design answers, and metering ends with that reason. `.`: nothing
changes. restored is told where the failing was.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

FIRST_PAUSE_NS, MOST_PAUSE_NS = 20_000_000, 500_000_000
"""After the first failure the next try waits so long, then twice as long each time, up to half a second."""

LOST_PAUSE_NS = 10_000_000_000
"""Once energy is lost anyhow, it is tried so often."""

TELL_NS = 1_000_000_000
"""A failing of less is counted, in frames, and not told: a relay that arcs must not fill the log."""


class LinkState(Enum):
    """State of the link, by its name in the log."""

    GOOD = "good"
    RETRYING = "retrying"
    LOST = "lost"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class LinkNews:
    """Something to tell of the link: its state, why in a sentence, and for how long it had failed."""

    state: LinkState
    sentence: str
    failed_ns: int


class LinkRetries:
    """The machine of the table, for an FPGA with room for `room_ns`. Time is passed in, in ns that only go forward.

    `fault` is the sentence of the present failing, told or not; None while the link is good.
    """

    def __init__(self, room_ns: int) -> None:
        self.state = LinkState.GOOD
        self.fault: str | None = None
        self.next_ns = 0
        self._room_ns = room_ns
        self._since_ns = 0
        self._pause_ns = 0
        self._told = False

    def due(self, now_ns: int) -> bool:
        """Say whether the FPGA is to be asked now."""
        return self.state is not LinkState.FOREIGN and now_ns >= self.next_ns

    def answered(self, now_ns: int) -> LinkNews | None:
        """Take in that the board was read; give what is to be told."""
        if self.state in (LinkState.GOOD, LinkState.FOREIGN):
            return None
        news = LinkNews(LinkState.GOOD, "the FPGA is read again", now_ns - self._since_ns) if self._told else None
        self.state, self.fault, self.next_ns = LinkState.GOOD, None, now_ns
        return news

    def failed(self, now_ns: int, sentence: str) -> LinkNews | None:
        """Take in that it could not be read, and why; give what is to be told."""
        if self.state is LinkState.FOREIGN:
            return None
        if self.state is LinkState.GOOD:
            self.state, self._since_ns, self._pause_ns, self._told = LinkState.RETRYING, now_ns, FIRST_PAUSE_NS, False
        self.fault = sentence
        lasted_ns = now_ns - self._since_ns
        lost = self.state is LinkState.RETRYING and lasted_ns >= self._room_ns
        if lost:
            self.state = LinkState.LOST
        self.next_ns = now_ns + (LOST_PAUSE_NS if self.state is LinkState.LOST else self._pause_ns)
        self._pause_ns = min(2 * self._pause_ns, MOST_PAUSE_NS)
        if lost or (not self._told and lasted_ns >= TELL_NS):
            self._told = True
            return LinkNews(self.state, sentence, lasted_ns)
        return None

    def foreign(self, now_ns: int, sentence: str) -> LinkNews | None:
        """Take in that another board, or another design, answers; give what is to be told."""
        if self.state is LinkState.FOREIGN:
            return None
        lasted_ns = now_ns - self._since_ns if self.fault is not None else 0
        self.state, self.fault = LinkState.FOREIGN, sentence
        return LinkNews(self.state, sentence, lasted_ns)
