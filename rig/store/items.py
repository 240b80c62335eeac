"""Items that go from the meter into the history: events, snapshots, recordings and the words of the load profile."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rig.store.errors import StoreError

Int64 = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Index = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Capacity = Annotated[int, msgspec.Meta(ge=1, le=(1 << 31) - 1)]
Settings = Annotated[str, msgspec.Meta(max_length=1 << 13)]
Word = Annotated[int, msgspec.Meta(ge=0, le=(1 << 16) - 1)]


class EventItem(msgspec.Struct, frozen=True, tag="event", array_like=True):
    """A line of the event log: UTC in ns, the code and name of the event, and JSON text of what belongs to it."""

    utc_ns: Int64
    code: Int64
    name: str
    details: str = "{}"


class SnapshotItem(msgspec.Struct, frozen=True, tag="snapshot", array_like=True):
    """All registers at an instant (demand reset, self-read, close of a season) as JSON text. `kind` is its cause."""

    utc_ns: Int64
    kind: str
    registers: str


class RecordingItem(msgspec.Struct, frozen=True, tag="recording", array_like=True):
    """A load profile begins: its own number, its settings as JSON text, and how many of its words are kept."""

    id: Int64
    utc_ns: Int64
    capacity: Capacity
    settings: Settings


class WordsItem(msgspec.Struct, frozen=True, tag="words", array_like=True):
    """Words of 16 bits for a recording's profile; the first has absolute index `first`, counted from its beginning."""

    recording: Int64
    first: Index
    words: tuple[Word, ...]


Item = EventItem | SnapshotItem | RecordingItem | WordsItem


class Numbered(msgspec.Struct, frozen=True, array_like=True):
    """An item and its place in all that the store was ever given, from 1."""

    number: Index
    item: Item


def kind_of(item: Item) -> str:
    """Its tag: "event", "snapshot", "recording" or "words"."""
    return str(item.__struct_config__.tag)


def size_of(numbered: Numbered) -> int:
    """Bytes it takes in a journal record. StoreError for what could not be read back from one.

    Structs do not check what they are made with, and one bad item would make a whole record unreadable.
    """
    try:
        data = msgspec.msgpack.encode(numbered)
        msgspec.msgpack.decode(data, type=Numbered)
    except (msgspec.ValidationError, OverflowError, TypeError, ValueError) as error:
        raise StoreError(f"{numbered.item!r:.200} cannot be stored: {error}") from None
    return len(data)
