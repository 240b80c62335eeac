"""A meter that is nothing but a count, to see what a store makes of it: state k comes with the items of k.

State k is JSON with k and filler of a length that goes with k. Its items are an event with code k, a word k at index k,
and with every seventh a snapshot. So a state tells what the history must hold, item by item, once each.
"""

from __future__ import annotations

import json
from pathlib import Path

from rig.store.items import EventItem, Item, RecordingItem, SnapshotItem, WordsItem
from rig.store.reading import HistoryReader, Run
from rig.store.store import Store

SECOND_NS = 1_000_000_000
RECORDING = RecordingItem(1, 0, 1 << 20, "{}")


def payload(k: int) -> bytes:
    return json.dumps({"k": k, "filler": f"{k} " * (k * 37 % 400)}).encode()


def count_of(state: bytes) -> int:
    """Which state it is; AssertionError for one that no meter ever gave out."""
    k = int(json.loads(state)["k"])
    assert state == payload(k), "a mix of states"
    return k


def items(k: int) -> list[Item]:
    found: list[Item] = [EventItem(k * SECOND_NS, k, "count", "{}"), WordsItem(1, k, (k % 65536,))]
    if k == 1:
        found.insert(0, RECORDING)
    if k % 7 == 0:
        found.append(SnapshotItem(k * SECOND_NS, "count", f"[{k}]"))
    return found


def restored_count(store: Store) -> int:
    return count_of(store.restored.payload) if store.restored else 0


def assert_history(folder: Path, k: int) -> None:
    """The history has just what belongs to states 1 to k."""
    with HistoryReader(folder) as history:
        assert [e.code for e in history.events()] == list(range(1, k + 1))
        assert [s.registers for s in history.snapshots()] == [f"[{j}]" for j in range(7, k + 1, 7)]
        assert history.words(1) == ([Run(1, tuple(j % 65536 for j in range(1, k + 1)))] if k else [])
        assert history.gaps() == []
        assert history.faults() == []
