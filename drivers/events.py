"""The FPGA's event log: sag, swell, loss of phase, overload, dead modulators, missing crossings, stage overruns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from drivers.spi_link import LinkError
from gateware.frames import MAX_COUNT, Op
from gateware.registers import EVENT_LOG_ENTRIES, NO_CHANNEL, Channel, EventKind

_AT_ONCE = MAX_COUNT[Op.READ] // 2
_COUNT = 1 << 32


class EventLink(Protocol):
    """Part of drivers.spi_link.SpiLink that the log needs."""

    def read(self, name: str, count: int = 1) -> list[int]: ...

    def read_block(self, name: str, index: int, count: int) -> list[int]: ...


@dataclass(frozen=True)
class LineEvent:
    """Begin or end of an event with the tick of the sample set that decided it; no channel when it is of the whole."""

    kind: EventKind
    channel: Channel | None
    begin: bool
    tick: int


class EventLog:
    """Reads each entry once, in order. `lost` counts those written over before they were read.

    LinkError when the FPGA was reset in between.
    """

    def __init__(self, link: EventLink) -> None:
        self._link = link
        self._next = self._written()
        self.lost = 0

    def new(self) -> list[LineEvent]:
        """The entries made since the last call, or since the log was opened."""
        events: list[LineEvent] = []
        written = self._written()
        while (waiting := (written - self._next) % _COUNT) > 0:
            if waiting > _COUNT // 2:
                raise LinkError("the FPGA's event log has fewer entries than before: it was reset meanwhile")
            if (gone := waiting - EVENT_LOG_ENTRIES) > 0:
                self.lost += gone
                self._next = (self._next + gone) % _COUNT
                continue
            place = self._next % EVENT_LOG_ENTRIES
            count = min(waiting, _AT_ONCE, EVENT_LOG_ENTRIES - place)
            words = self._link.read_block("EVENT_LOG", 2 * place, 2 * count)
            present = self._written()
            for k in range(count):
                if (present - self._next) % _COUNT < EVENT_LOG_ENTRIES:
                    events.append(_decoded(*words[2 * k : 2 * k + 2]))
                else:
                    self.lost += 1  # its place was, or was just being, written again
                self._next = (self._next + 1) % _COUNT
        return events

    def _written(self) -> int:
        (written,) = self._link.read("EVENTS")
        return written


def _decoded(low: int, high: int) -> LineEvent:
    channel = high >> 21 & 7
    return LineEvent(
        EventKind(high >> 16 & 0x1F),
        None if channel == NO_CHANNEL else Channel(channel),
        bool(high >> 24 & 1),
        (high & 0xFFFF) << 32 | low,
    )
