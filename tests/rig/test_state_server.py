"""The state for other programs: real sockets, clients that come, stall and go."""

from __future__ import annotations

import json
import select
import socket
import threading
from pathlib import Path

import pytest

from rig.daemon.state_server import StateServer, read_state
from rig.files.strict_toml import ConfigError


def serve_while(server: StateServer, client: threading.Thread, state: object) -> None:
    client.start()
    while client.is_alive():
        if select.select([server], [], [], 0.02)[0]:
            server.serve(state)
    client.join()


def test_each_client_gets_one_line(tmp_path: Path) -> None:
    server, got = StateServer(tmp_path / "rig.sock"), []
    state = {"kwh": 1.5, "long": "x" * 100_000}
    for _ in range(3):
        serve_while(server, threading.Thread(target=lambda: got.append(read_state(tmp_path / "rig.sock"))), state)
    server.close()
    assert [json.loads(line) for line in got] == [state] * 3
    assert not (tmp_path / "rig.sock").exists()


def test_a_client_that_leaves_or_never_reads_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "rig.sock"
    server = StateServer(path)
    gone, silent = (socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(2))
    gone.connect(str(path))
    gone.close()
    silent.connect(str(path))
    server.serve({"x": "y" * 10_000_000})
    server.serve({})
    silent.close()
    server.close()


def test_a_socket_that_a_killed_run_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "rig.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    StateServer(path).close()


def test_what_is_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"notes\.txt is there and no socket"):
        StateServer(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(ConfigError, match=r"cannot be a socket"):
        StateServer(tmp_path / "none" / "rig.sock")
    with pytest.raises(ConfigError, match=r"too long for a socket"):
        StateServer(tmp_path / ("x" * 120))
    server = StateServer(tmp_path / "rig.sock")
    with pytest.raises(ConfigError, match=r"is served by another run"):
        StateServer(tmp_path / "rig.sock")
    server.close()


def test_nobody_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not exist: start `rig run --serve"):
        read_state(tmp_path / "rig.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(tmp_path / "rig.sock"))
    with pytest.raises(ConfigError, match=r"nothing answers at"):
        read_state(tmp_path / "rig.sock")
