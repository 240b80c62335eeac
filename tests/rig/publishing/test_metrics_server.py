"""The address of metrics, with clients that reset, stall or crowd: nothing is logged, and others are served."""

from __future__ import annotations

import errno
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.request import urlopen

import pytest

from rig.hardware.publishing_config import PrometheusConfig
from rig.publishing import metrics_server
from rig.publishing.metrics_server import MetricsOutlet
from tests.rig.publishing.publishing_bench import free_port, wait_for

NOW = struct.pack("ii", 1, 0)
"""SO_LINGER: closing resets the connection."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = free_port()
    outlet = MetricsOutlet(PrometheusConfig(port=port))
    yield port
    outlet.close()


def client(port: int, data: bytes = b"") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), 10)
    made.sendall(data)
    return made


def scraped(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("data", [b"", b"GET /metr", b"GET /metrics HTTP/1.0\r\nAccept: x", b"\x16\x03\x01\xff\r\n"])
def test_a_client_that_resets_leaves_no_trace(port: int, data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    alone = threading.active_count()
    made = client(port, data)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)
    wait_for(lambda: threading.active_count() > alone or data.endswith(b"\n"))
    made.close()
    wait_for(lambda: threading.active_count() <= alone)
    assert "ae0764_meter_up 0.0" in scraped(port)
    assert capfd.readouterr() == ("", "")


def test_a_client_that_stalls_is_let_go(
    port: int, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert metrics_server._Handler.timeout == 10.0
    monkeypatch.setattr(metrics_server._Handler, "timeout", 0.2)
    with client(port, b"GET /metrics HTTP/1.0\r\n") as stalls:
        assert stalls.recv(100) == b""
    assert capfd.readouterr() == ("", "")


def test_a_crowd_has_no_more_threads_than_there_are_for_it(port: int) -> None:
    with ExitStack() as crowd:
        *_, last = (crowd.enter_context(client(port)) for _ in range(80))
        assert last.recv(1) == b"", "it is turned away"
        assert threading.active_count() <= 64
    wait_for(lambda: threading.active_count() < 10)
    assert "ae0764_meter_up 0.0" in scraped(port)


def test_by_the_sixth_version_too() -> None:
    port = free_port()
    with socket.socket(socket.AF_INET6) as probe:
        if probe.connect_ex(("::1", port)) == errno.EADDRNOTAVAIL:
            pytest.skip("this computer has no IPv6")
    outlet = MetricsOutlet(PrometheusConfig(address="::1", port=port))
    try:
        with urlopen(f"http://[::1]:{port}/", timeout=10) as answer:
            assert answer.read().startswith(b"# HELP ae0764_meter_up ")
    finally:
        outlet.close()
