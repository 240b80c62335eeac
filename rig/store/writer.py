"""Saving beside the metering thread: a sync may take long on an SD card, and metering waits for none."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress

from rig.store.errors import StoreError
from rig.store.items import Item
from rig.store.outbox import Outbox
from rig.store.store import MOST_WAITING, Store

RETRY_S = 1.0
"""A state that could not be saved is tried again after this, unless a newer one comes before."""


class StoreWriter:
    """A thread that owns a Store. All methods are for the metering thread, and only flush and close wait.

    Of the states handed over while a save runs, only the newest is saved, with the items of all. A state and its items
    are taken together: no item is ever saved with a state that is older than it.

    `trouble`, a sentence, is what could not be written last time; the thread goes on. `notes` are the store's.
    `saved_utc_ns` is the time of the newest state on the disk, None before the first.
    """

    def __init__(self, store: Store, retry_s: float = RETRY_S) -> None:
        self.trouble: str | None = store.trouble
        self.saved_utc_ns: int | None = store.restored.utc_ns if store.restored else None
        self._store = store
        self._retry_s = retry_s
        self._changed = threading.Condition()
        self._state: tuple[bytes, int] | None = None
        self._items = Outbox(MOST_WAITING)
        self._submitted = 0  # states so far; below, up to which one of them
        self._tried = 0  # an attempt has been made
        self._saved = 0  # all are on the disk
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    @property
    def fast(self) -> bool:
        """True if an FRAM has the saves."""
        return self._store.fast

    @property
    def dropped(self) -> dict[str, int]:
        """Items that will never be in the history, by kind."""
        return self._store.dropped

    @property
    def notes(self) -> tuple[str, ...]:
        return self._store.notes

    def submit(self, payload: bytes, utc_ns: int, items: Iterable[Item] = ()) -> None:
        """Hand over the meter's state and the items since the last. StoreError for an item that no record can hold."""
        with self._changed:
            self._items.put(*items)
            self._state = payload, utc_ns
            self._submitted += 1
            self._changed.notify_all()

    @property
    def submitted(self) -> int:
        """Number of states that were handed over."""
        return self._submitted

    def saved(self, number: int) -> bool:
        """Say whether the state handed over as this one, or a newer one, is on the disk."""
        return self._saved >= number

    def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until all that was submitted has been tried; whether it is on the disk."""
        with self._changed:
            aim = self._submitted
            self._changed.wait_for(lambda: self._tried >= aim, timeout_s)
            return self._saved >= aim

    def close(self, timeout_s: float | None = None) -> bool:
        """Flush, end the thread, close the store; whether all that was submitted is on the disk."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return self._saved >= self._submitted

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closing or self._tried < self._submitted,
                    self._retry_s if self._saved < self._tried else None,
                )
                if self._closing and self._tried >= self._submitted:
                    break
                aim, state = self._submitted, self._state
                items, self._items = self._items, Outbox(MOST_WAITING)
            assert state is not None, "nothing is tried before it is submitted"
            saved = self._write(items, *state)
            with self._changed:
                self._tried = aim
                if saved:
                    self._saved = aim
                    self.saved_utc_ns = state[1]
                self._changed.notify_all()
        with suppress(StoreError):  # it is saved all the same
            self._store.settle()
        self._store.close()

    def _write(self, items: Outbox, payload: bytes, utc_ns: int) -> bool:
        saved = False
        try:
            self._store.miss(items.dropped)
            self._store.append(*(numbered.item for numbered in items.items))
            self._store.save(payload, utc_ns)
            saved = True
            self._store.drain()
            self.trouble = self._store.trouble
        except StoreError as error:
            self.trouble = str(error)
        except Exception as error:  # whatever it is, the thread must be there for the next state
            self.trouble = f"the store failed: {error!r}"
        return saved
