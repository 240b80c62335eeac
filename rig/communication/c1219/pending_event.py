"""EVENT records of C12.19's pending tables: when what waits is to be activated (facts: C12.19 §2.2; X-1).

    byte 0   bits 0–3 EVENT_CODE, bit 4 SELF_READ_FLAG, bit 5 DEMAND_RESET_FLAG
    1 to 5   EVENT_CODE 0: STIME_DATE, by the local clock
             1: weeks, days, hours, minutes, seconds from when it was written, a byte each
             2: zeros, at no time: when it is asked for; other meters have triggers of their own there

Both flags are refused: a program's registers begin anew, and those of before stay in the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rig.communication.c1219.layout import Bit, BitField, Field, Layout
from rig.communication.c1219.types import STIME, Binary, TableError

EVENT_SIZE = 6
ABSOLUTE, RELATIVE, NO_TIME = 0, 1, 2

_CODE = 0x0F
_SECONDS = (7 * 86400, 86400, 3600, 60, 1)
"""Of a week, a day, an hour, a minute, a second."""


@dataclass(frozen=True)
class PendingEvent:
    """Time at which a program is to be activated: a local time, so many seconds from now, or none, both None."""

    local: datetime | None = None
    after_s: int | None = None

    @classmethod
    def decoded(cls, data: bytes) -> PendingEvent:
        """Decode an EVENT record. Raises TableError, with what would be right."""
        if len(data) != EVENT_SIZE:
            raise TableError(f"EVENT has {len(data)} bytes, it must have {EVENT_SIZE}")
        selector, storage = data[0], data[1:]
        if selector & ~_CODE:
            raise TableError("EVENT asks for a self-read or a demand reset too: ask for them by procedure 9")
        match selector:
            case 0:
                local = STIME.decode(storage)
                if local is None:
                    raise TableError("EVENT has no date: give one, or EVENT_CODE 2 for none")
                return cls(local=local)
            case 1:
                return cls(after_s=sum(count * unit for count, unit in zip(storage, _SECONDS, strict=True)))
            case 2 if not any(storage):
                return cls()
        raise TableError("EVENT is none that is known: EVENT_CODE 0, a date; 1, a time from now; 2 and zeros, none")

    @property
    def record(self) -> bytes:
        """Its EVENT record, as ST4 has it: a time is to the minute."""
        if self.local is None:
            return bytes((NO_TIME, 0, 0, 0, 0, 0))
        return bytes((ABSOLUTE,)) + STIME.encode(self.local)


EVENT = Layout(
    (
        Field(
            "EVENT_SELECTOR",
            BitField(
                1,
                (
                    Bit("EVENT_CODE", 0, 3, lambda record: record[0] & _CODE, "0 at a date, 2 at no time"),
                    Bit("SELF_READ_FLAG", 4, 4, lambda record: record[0] >> 4 & 1),
                    Bit("DEMAND_RESET_FLAG", 5, 5, lambda record: record[0] >> 5 & 1),
                ),
            ),
        ),
        Field("EVENT_STORAGE", Binary(EVENT_SIZE - 1), lambda record: record[1:], "a date as STIME_DATE, or zeros"),
    )
)
