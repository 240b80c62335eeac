"""A client that falls silent at any instant of a session, on a meter in service, in virtual time (X-1, P-1, S-1)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from psem_client import PsemClient
from served_port import ServedPort

from rig.communication.c1218.session import SessionState
from rig.communication.c1218.settings import OPTICAL, REMOTE, LinkSettings

S = 10**9
PROGRAM = '[demand]\nquantities = ["kW delivered"]\n[security]\nlevel_2 = "222222"\n'
WAIT_S = 20
TIMING = (20, 2, 3, 2)
"""Traffic, between characters, response, retries: what the client sets up over C12.21."""


class Gone(Exception):
    """The client is there no more."""


def longest_s(settings: LinkSettings) -> float:
    """Time until the base state at most: the traffic time-out, counted from the last repetition of an answer, or the
    wait that was asked for (c12.md §1.2)."""
    timing = settings.timing
    traffic_s, response_s = timing.traffic_ns / S, timing.response_ns / S
    return max(WAIT_S, traffic_s + (1 + timing.retries) * response_s) + 1


def script(client: PsemClient, *, remote: bool) -> None:
    """A session with everything that changes what is in force."""
    client.identify()
    client.negotiate(128, 40, 0x0C)
    if remote:
        client.ask(b"\x71" + bytes(TIMING))
    client.log_on()
    client.password(b"222222")
    client.read(23)
    client.write(7, struct.pack("<HBB", 9, 3, 1))
    assert client.read(8)[3] == 0
    client.ask(b"\x70" + bytes((WAIT_S,)))
    client.read_part(1, 4, 8)
    client.log_off()
    client.log_on()
    client.terminate()


def cut_after(port: ServedPort, count: int | None) -> int:
    """Run the session until the client has sent so many bytes; how many there were."""
    line, sent = port.line, 0
    whole = type(line).write

    def write(data: bytes) -> None:
        nonlocal sent
        if count is not None and sent + len(data) >= count:
            whole(line, data[: count - sent])
            raise Gone
        sent += len(data)
        whole(line, data)

    line._coming.clear()
    port.client.restart()
    line.write = write  # type: ignore[method-assign]
    try:
        script(port.client, remote=port.port.session.settings.remote)
    except Gone:
        assert count is not None
    finally:
        del line.write  # type: ignore[method-assign]
    return sent


@pytest.fixture(scope="module", params=[OPTICAL, REMOTE], ids=["C12.18", "C12.21"])
def port(request: pytest.FixtureRequest) -> Iterator[ServedPort]:
    settings: LinkSettings = request.param
    port = ServedPort(PROGRAM, settings=settings, optical=not settings.remote)
    port.served.source = "RS-232" if settings.remote else "optical port"
    yield port
    port.close()


def _silent_at(port: ServedPort, counts: Iterator[int] | range) -> None:
    settings = port.port.session.settings
    for count in counts:
        cut_after(port, count)
        begun_ns = port.line.now_ns
        port.line.wait(longest_s(settings))
        state = port.port.session.state, port.port.level, port.baud, port.meter.lent, port.port.next_ns
        assert state == (SessionState.BASE, 0, settings.baud, 0.0, None), f"silent after {count} bytes"
        assert port.line.now_ns - begun_ns < 60 * S
        cut_after(port, None)
        port.line.wait(1)
        assert port.port.session.state is SessionState.BASE


def test_silent_here_and_there(port: ServedPort) -> None:
    bytes_of_it = cut_after(port, None)
    port.line.wait(1)
    assert bytes_of_it > 200
    _silent_at(port, range(1, bytes_of_it, 59))


@pytest.mark.slow
def test_silent_after_each_byte(port: ServedPort) -> None:
    _silent_at(port, range(1, cut_after(port, None)))
