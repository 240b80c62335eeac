"""Files that never end, peers that flood or drip: refused in a sentence, in bounded memory and time (review H-9).

Each command is a process of its own with RLIMIT_AS, so that what takes more memory than it may ends otherwise.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from hostile_peer import Act, drips, floods, hostile_peer, sends
from test_terminal_safety import WELCOME

from rig.daemon.client import MOST_KEPT_BYTES, ClientError, MeterClient
from rig.daemon.frames import frame
from rig.daemon.protocol import Dropped, Reading, ResetDemand, Topic
from rig.files.bounded import MOST_KEYS_DEEP, TooLongError, parse_toml
from rig.store.digests import row_digest
from rig.store.errors import StoreError
from rig.store.history import NAME, SCHEMA
from rig.store.items import EventItem
from rig.store.reading import MOST_VALUE_BYTES, HistoryReader
from rig.store.store import Store

ROOT = Path(__file__).parents[2]
MOST_MEMORY = 1 << 30
"""Bytes of address space; without the limits each of these commands takes more, or never ends."""

LONGEST_S = 120
"""A command takes a second or two; so long on the busiest machine."""


def limited(folder: Path, *words: str) -> tuple[int, str]:
    """Exit status and standard error of a command that may have MOST_MEMORY."""
    done = subprocess.run(
        [sys.executable, "-c", "from rig.cli.entry import main; main()", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY)),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    return done.returncode, done.stderr


ENDLESS = {
    "program check /dev/zero": "/dev/zero has more than 262144 bytes",
    "watch --config /dev/zero": "/dev/zero has more than 262144 bytes",
    "run --hands /dev/zero --for 1 --speed max": "/dev/zero has more than 16777216 bytes",
    "ask demand-reset --key-file /dev/zero": "give a file with a key of up to six hexadecimal digits",
    "run --config calibrated.toml --for 1 --speed max": "/dev/zero: has more than 65536 characters",
    "program check deep.toml": f"line 2 has more than {MOST_KEYS_DEEP} keys joined by dots",
}


@pytest.mark.parametrize("line", ENDLESS)
def test_a_file_that_never_ends_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "calibrated.toml").write_text('[meter]\ncalibration = "/dev/zero"\n')
    (tmp_path / "deep.toml").write_text("[meter]\n" + ".".join("a" * 100_000) + " = 1\n")
    status, errors = limited(tmp_path, *line.split())
    assert (status, errors.count("\n")) == (2, 1), errors
    assert ENDLESS[line] in errors


def test_keys_of_ours_are_not_deep_and_texts_with_dots_are_none() -> None:
    assert parse_toml("x = [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5]\n")
    assert parse_toml(
        'x = "................................ and so on ... 1. 2. 3. 4. 5. 6. 7. 8. 9. 10. 11. 12. 13."\n'
    )
    for deep in (".".join("a" * 17), " . ".join("a" * 17), '"a".' * 16 + "'b'", "[" + ".".join("a" * 20) + "]"):
        with pytest.raises(TooLongError):
            parse_toml(deep if deep.startswith("[") else f"{deep} = 1")
    began = time.process_time()
    with pytest.raises(ValueError, match="Invalid initial character"):
        parse_toml("a" * 200_000 + "." * 100)
    assert time.process_time() - began < 5


# --- peers ----------------------------------------------------------------------------------------------------

PUBLICATION = frame(Dropped(Topic.EDGES, 1))
PEERS: dict[str, Act] = {
    "floods with frames": sends(WELCOME, then=floods(PUBLICATION * 500)),
    "floods with zeros": floods(bytes(1 << 16)),
    "an endless frame": sends(WELCOME, b"\x00\x01\xff\xff", then=floods(bytes(1 << 16))),
    "drips": drips(WELCOME, 0.2),
    "is silent": sends(),
    "is silent after its welcome": sends(WELCOME),
}


def look(path: Path) -> None:
    with MeterClient.connect(path, wait_s=1.0) as client:
        client.subscribe(Topic.READINGS)
        client.await_message(Reading, 1.0)


@pytest.mark.parametrize("peer", PEERS)
def test_a_look_at_a_peer_ends(tmp_path: Path, peer: str) -> None:
    """In the time that it may take, which is shortened here, and with a sentence."""
    with hostile_peer(tmp_path / "m.sock", PEERS[peer]) as path:
        began = time.monotonic()
        with pytest.raises(ClientError) as ended:
            look(path)
        assert time.monotonic() - began < LONGEST_S
    assert str(path) in str(ended.value)


def test_what_a_peer_sends_in_place_of_an_answer_is_bounded(tmp_path: Path) -> None:
    with hostile_peer(tmp_path / "m.sock", sends(WELCOME, then=floods(PUBLICATION * 500))) as path:
        with MeterClient.connect(path) as client:
            client_most, client_module = MOST_KEPT_BYTES, sys.modules["rig.daemon.client"]
            client_module.MOST_KEPT_BYTES = 1 << 18  # type: ignore[attr-defined]
            try:
                with pytest.raises(ClientError, match="it sends without answering"):
                    client.ask(ResetDemand())
            finally:
                client_module.MOST_KEPT_BYTES = client_most  # type: ignore[attr-defined]
            assert len(client._waiting) < 40_000


def test_a_flood_is_watched_in_bounded_memory(tmp_path: Path) -> None:
    """The command itself, with what it may take of memory and until it gives up."""
    junk = floods(b"\x00\x01\x00\x00" + bytes(1 << 16) * 4)
    with hostile_peer(tmp_path / "m.sock", sends(WELCOME, then=junk)):
        status, errors = limited(tmp_path, "watch", "m.sock")
    assert status == 2
    assert "is not a meter's daemon: a frame came that is not a message" in errors


# --- stores ---------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Path:
    opened = Store.open(tmp_path / "store")
    opened.append(EventItem(1, 1, "one"))
    opened.save(b"{}", 1)
    opened.drain()
    opened.close()
    return tmp_path / "store"


def test_no_value_of_a_history_is_read_that_is_longer_than_any_of_ours(store: Path) -> None:
    with closing(sqlite3.connect(store / NAME, isolation_level=None)) as database:
        details = "x" * (MOST_VALUE_BYTES + 1)
        digest = row_digest("events", 2, 2, 2, "two", details)
        database.execute("INSERT INTO events VALUES (2, 2, 2, 'two', ?, ?)", (details, digest))
    with HistoryReader(store) as history, pytest.raises(sqlite3.DataError, match="too big"):
        list(history.events())
    status, errors = limited(store.parent, "store", "check", "store")
    assert (status, errors) == (1, "")


def test_a_table_that_is_a_view_without_end_is_not_read(store: Path) -> None:
    with closing(sqlite3.connect(store / NAME, isolation_level=None)) as database:
        database.execute("DROP TABLE events")
        database.execute(
            "CREATE VIEW events AS WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n) "
            "SELECT k AS number, 0 AS utc_ns, 0 AS code, '' AS name, '' AS details, x'' AS digest FROM n"
        )
    with pytest.raises(StoreError, match="its tables are not what they were"):
        HistoryReader(store)
    status, errors = limited(store.parent, "store", "check", "store")
    assert (status, errors) == (1, "")
    assert len(SCHEMA) == 3
