"""Items on their way into the history: numbered, in order, and no more than fit a journal record."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from rig.store.errors import StoreError
from rig.store.items import Item, Numbered, kind_of, size_of

DROPPED_FIRST = ("event", "words", "recording", "snapshot")
"""What has to go if the history cannot be written for long: the log first, billing's own snapshots last."""

STRIDE = 1 << 32
"""If it is not known how far the history has come, numbers go on from the next multiple of this, to be surely new."""


class Outbox:
    """At most `limit` bytes of items. `next_number` is the next item's; `dropped` counts by kind what did not fit."""

    def __init__(
        self,
        limit: int,
        items: Iterable[Numbered] = (),
        next_number: int = 1,
        dropped: Mapping[str, int] | None = None,
    ) -> None:
        self.next_number = next_number
        self.dropped = dict(dropped or {})
        self._limit = limit
        self._items = deque((numbered, size_of(numbered)) for numbered in items)
        self._size = sum(size for _, size in self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> list[Numbered]:
        """All of them, oldest first."""
        return [numbered for numbered, _ in self._items]

    def put(self, *items: Item) -> None:
        """Number and keep them; the oldest of what matters least go if there is no room.

        StoreError for what no record can hold; then none of them is kept.
        """
        numbered = [Numbered(number, item) for number, item in enumerate(items, self.next_number)]
        sizes = [size_of(n) for n in numbered]
        if sizes and max(sizes) > self._limit // 4:
            raise StoreError(f"an item of {max(sizes)} bytes cannot be stored, it must have at most {self._limit // 4}")
        self.next_number += len(items)
        self._items.extend(zip(numbered, sizes, strict=True))
        self._size += sum(sizes)
        for kind in DROPPED_FIRST:
            while self._size > self._limit and self._drop_oldest(kind):
                self.dropped[kind] = self.dropped.get(kind, 0) + 1

    def miss(self, dropped: Mapping[str, int]) -> None:
        """Items that were dropped before they came here have their numbers, too."""
        for kind, count in dropped.items():
            self.dropped[kind] = self.dropped.get(kind, 0) + count
            self.next_number += count

    def forget(self, until: int) -> None:
        """Those with a number below `until` are in the history."""
        while self._items and self._items[0][0].number < until:
            _, size = self._items.popleft()
            self._size -= size

    def _drop_oldest(self, kind: str) -> bool:
        for place, (numbered, size) in enumerate(self._items):
            if kind_of(numbered.item) == kind:
                del self._items[place]
                self._size -= size
                return True
        return False
