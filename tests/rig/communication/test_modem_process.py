"""A real port process of a real meter behind the simulated modem over TCP: called, calling, cut off, flooded (X-3)."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from port_bench import PortBench, wait_for
from psem_client import PsemClient

from drivers.sim.hayes_modem import LineFaults, ModemIs
from drivers.sim.modem_server import ModemServer
from rig.communication.modem.settings import ModemSettings
from rig.communication.port.event_watch import EventWatch
from rig.communication.port.line import LineError, open_line
from rig.daemon.protocol import LogOn, ReadLog, ResetDemand
from rig.hardware.config import PortConfig, load

PROGRAM = '[security]\nlevel_1 = "111111"\n'
PORTS = """
[[ports]]
name = "optical"
device = "pty"
[[ports]]
name = "modem"
kind = "modem"
device = "{device}"
[ports.modem]
numbers = ["5551234"]
rings = 2
idle_s = 5
events = ["demand reset"]
"""


class Telephone:
    """A connection to the modem's telephone line, as a client's line."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, count: int, seconds: float) -> bytes:
        data, deadline = b"", time.monotonic() + seconds
        while len(data) < count and (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                piece = self.socket.recv(count - len(data))
            except TimeoutError:
                break
            if not piece:
                break
            data += piece
        return data

    def put_down(self) -> None:
        self.socket.close()


@pytest.fixture(scope="module")
def modem() -> Iterator[ModemServer]:
    server = ModemServer(LineFaults(connect_ns=200_000_000))
    yield server
    server.close()


@pytest.fixture
def bench(modem: ModemServer, tmp_path: Path) -> Iterator[PortBench]:
    bench = PortBench(tmp_path, PROGRAM, PORTS.format(device=modem.device))
    yield bench
    bench.close()


def reads(telephone: Telephone) -> bytes:
    """The model's name in ST1, as a caller with a password has it."""
    client = PsemClient(telephone)
    client.identify()
    client.log_on()
    client.password(b"111111")
    model = client.read(1)[4:12]
    client.ask(b"\x22")
    return model


def is_connected(modem: ModemServer) -> Callable[[], bool]:
    return lambda: modem.modem.state is ModemIs.CONNECTED


@pytest.mark.slow
def test_calls_in_and_out(modem: ModemServer, bench: PortBench) -> None:
    last = ModemSettings().setup[-1].removeprefix("AT")
    wait_for(lambda: last in modem.modem.commands)
    telephone = Telephone(modem.caller_address)
    wait_for(is_connected(modem))
    assert reads(telephone) == b"RXRS4e  "
    wait_for(lambda: modem.modem.state is ModemIs.ON_HOOK)  # disconnect hangs up
    assert telephone.read(100, 10.0).strip(b"+") == b"", "the line is dead; a far end hears the escape"
    telephone.put_down()

    host = Telephone(modem.called_address)
    process = next(p for p, port in zip(bench.ports, bench.config.ports, strict=True) if port.name == "modem")
    wait_for(lambda: modem.modem.commands[-1:] == [last])  # set up anew
    process.send_signal(signal.SIGUSR1)
    wait_for(is_connected(modem))
    assert modem.modem.numbers[-1] == "5551234"
    host.write(bytes(range(256)) * 40)  # a flood that is no packet
    assert reads(host) == b"RXRS4e  "
    host.put_down()
    wait_for(lambda: modem.modem.state is ModemIs.ON_HOOK)
    names = [event.name for event in bench.events]
    assert "session ended" in names


@pytest.mark.slow
def test_the_meter_calls_by_itself_for_what_its_log_has(modem: ModemServer, tmp_path: Path) -> None:
    """Nobody asks it from outside: once for the power up that was before its port was there, once for a reset.

    A meter that ran before comes up again with that event.
    """
    ports = PORTS.format(device=modem.device).replace('"demand reset"', '"power up", "demand reset"')
    PortBench(tmp_path, PROGRAM, '[[ports]]\nname = "optical"\ndevice = "pty"\n').close()
    dialled = len(modem.modem.numbers)
    bench = PortBench(tmp_path, PROGRAM, ports)
    host = Telephone(modem.called_address)
    try:
        wait_for(is_connected(modem))
        assert modem.modem.numbers[dialled:] == ["5551234"]
        assert reads(host) == b"RXRS4e  "
        host.put_down()
        wait_for(lambda: modem.modem.state is ModemIs.ON_HOOK)
        bench.meter.ask(LogOn("000000"))
        host = Telephone(modem.called_address)
        bench.meter.ask(ResetDemand())
        wait_for(is_connected(modem))
        assert modem.modem.numbers[dialled:] == ["5551234"] * 2
        assert reads(host) == b"RXRS4e  "
        host.put_down()
        assert "demand reset" in [event.name for event in bench.events]
        assert len(modem.modem.numbers) == dialled + 2, "each once"
    finally:
        host.put_down()
        bench.close()


def test_a_modem_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    port = PortConfig("modem", "modem", "socket://127.0.0.1:1")
    with pytest.raises(LineError, match=r"port modem cannot reach socket://127.0.0.1:1: start what listens there"):
        open_line(port, tmp_path / "m.sock", 9600)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('schedule = ["25:00"]', 'it must be a time of the day, such as "02:30"'),
        ('schedule = ["02:30"]', "ports.modem.numbers is missing"),
        ("call_back = true", "ports.modem.numbers is missing"),
        ('numbers = ["call me"]', "it must be a telephone number"),
        ('numbers = ["5\\u000d6"]', "it must be a telephone number"),
        (f"numbers = {['5551234'] * 100}", "modem.numbers has 100 entries, it must have at most 99"),
        (f"schedule = {['02:30'] * 9000}", "modem.schedule has 9000 entries, it must have at most 99"),
        ('setup = ["ATE0\\u000aATD911"]', "it must be a command of a Hayes modem"),
        ('answer_windows = ["08:00"]', "it must be two times of the day"),
        ('zone = "Mars/Olympus"', "it must be a zone such as"),
        ('events = ["rain"]', "ports"),
        ("rings = 0", "ports"),
        ("ringz = 1", "did you mean rings"),
    ],
)
def test_what_no_modem_can_be_set_up_with(tmp_path: Path, lines: str, said: str) -> None:
    (tmp_path / "rig.toml").write_text(
        f'[[ports]]\nname = "m"\nkind = "modem"\ndevice = "/dev/ttyUSB0"\n[ports.modem]\n{lines}\n'
    )
    with pytest.raises(Exception, match=said):
        load(tmp_path / "rig.toml")


@pytest.mark.parametrize("lines", ['device = "socket://localhost:4000"', "[ports.modem]"])
def test_a_port_that_is_no_modem_has_none(tmp_path: Path, lines: str) -> None:
    (tmp_path / "rig.toml").write_text(f'[[ports]]\nname = "m"\nkind = "rs-232"\n{lines}\n')
    with pytest.raises(Exception, match='are of kind "modem": leave them out for port m'):
        load(tmp_path / "rig.toml")


def test_events_of_before_are_noticed_once_and_published_ones_not_again(bench: PortBench) -> None:
    """The log is looked at once for a connection: what was logged in the minute before, and was not published to it."""
    bench.meter.ask(LogOn("000000"))
    bench.meter.ask(ResetDemand())
    wait_for(lambda: [line for line in bench.meter.ask(ReadLog())["events"] if line["name"] == "demand reset"])
    watch = EventWatch(bench.socket, {"demand reset"}, look_s=0.0)
    quiet = EventWatch(bench.socket, {"season change"}, look_s=0.0)
    try:
        assert watch.happened(), "the one of before"
        assert not quiet.happened()
        assert not watch.happened()
        bench.meter.ask(ResetDemand())
        wait_for(watch.happened)
        assert not watch.happened()
        wait_for(lambda: len([e for e in bench.meter.ask(ReadLog())["events"] if e["name"] == "demand reset"]) == 2)
        watch.close()  # and connects again, as after a restart of the meter's server
        watch._again_s = 0.0
        assert not watch.happened(), "it was published"
    finally:
        watch.close()
        quiet.close()
