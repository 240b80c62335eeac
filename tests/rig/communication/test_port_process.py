"""The process of a port beside a real meter: killed, hung, flooded, left alone by its line or its meter (X-1, P-1)."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from dgcom_host import Host, over
from port_bench import PortBench, TtyLine, wait_for
from psem_client import Answer, LineSilent, NotAcknowledged, PsemClient, packet

from rig.communication.port import meter_link
from rig.communication.port.launch import deaths_of
from rig.communication.port.line import LineError, SerialLine
from rig.communication.port.serving import Serving
from rig.communication.port.trace import TraceError, TraceWriter
from rig.daemon.client import MeterClient
from rig.daemon.protocol import LogOn, PulsesCounted, Reading, ReadState, Stop, Topic, WriteProgram
from rig.hardware.config import PortConfig, load
from rig.meter.billing.source import Source
from rig.reader.reading_file import load_reading

PORTS = """
[simulation.load]
amps = 40
[[ports]]
name = "optical"
device = "pty"
trace = "optical.trace"
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortBench]:
    bench = PortBench(tmp_path_factory.mktemp("port"), '[demand]\nquantities = ["kW delivered"]\n', PORTS)
    yield bench
    bench.close()


@pytest.fixture
def port(bench: PortBench) -> PortBench:
    """The bench with a port that runs."""
    if bench.ports[0].poll() is not None:
        bench.start_ports()
    wait_for(lambda: identifies(bench))
    return bench


def identifies(bench: PortBench) -> bool:
    """Whether a client is answered; it says goodbye."""
    try:
        with bench.client() as client:
            client.identify()
            client.terminate()
    except (LineSilent, NotAcknowledged, Answer, AssertionError):  # what was for a client before comes, too
        return False
    except OSError:  # the link to the pty of a port that was killed, until the next one has its own
        return False
    return True


def in_session(client: PsemClient) -> None:
    client.identify()
    client.log_on()
    assert client.read(1)[4:12] == b"RXRS4e  "


def pulses(client: MeterClient) -> int:
    """What the FPGA has counted at the LED's pin, as the next publication has it."""
    return client.await_message(PulsesCounted).pulses


def registered(bench: PortBench) -> int:
    """Energy so far, whatever the ports do."""
    return bench.meter.ask(ReadState())["registers"]["energy"]["q1"]["nwh"]


def test_the_led_is_dark_in_a_session_and_free_soon_after_the_port_was_killed(port: PortBench) -> None:
    """40 A give 2.2 flashes a second."""
    with MeterClient.connect(port.socket, "verification") as counter, port.client() as client:
        counter.subscribe(Topic.LED_PULSES)
        in_session(client)
        pulses(counter)
        begun, until = pulses(counter), time.monotonic() + 3
        while time.monotonic() < until:
            client.read_part(1, 0, 4)
            assert pulses(counter) - begun <= 1, "one that was counted before and published after"
        assert deaths_of(port.config.ports, port.ports) == []
        port.ports[0].kill()
        port.ports[0].wait()
        (death,) = deaths_of(port.config.ports, port.ports)
        assert death.startswith("port optical was ended by SIGKILL: ")
        begun = pulses(counter)
        wait_for(lambda: pulses(counter) >= begun + 2, 10)


def test_metering_goes_on_while_the_port_hangs_or_is_flooded(port: PortBench) -> None:
    process = port.ports[0]
    process.send_signal(signal.SIGSTOP)
    before = registered(port)
    wait_for(lambda: registered(port) > before, 5)
    process.send_signal(signal.SIGCONT)
    line = TtyLine(port.pty)
    os.set_blocking(line.descriptor, False)
    noise = packet(b"\x30\x00\x01") + os.urandom(40) + packet(b"\x20", 0x20)
    with MeterClient.connect(port.socket) as watcher:
        watcher.subscribe(Topic.READINGS)
        first = watcher.await_message(Reading).summary
        until = time.monotonic() + 2
        while time.monotonic() < until:
            try:
                line.write(noise)
            except BlockingIOError:
                line.read(4096, 0.001)
        last = watcher.await_message(Reading).summary
    line.close()
    assert last.seconds > first.seconds
    wait_for(lambda: identifies(port))


def test_rig_read_at_a_real_port(port: PortBench, command_line) -> None:
    """The same bytes as another client; all of it against another decoder is a slow proof of the reader."""
    done = command_line("read", port.pty, "--out", port.folder / "meter.json", "--force")
    assert done.status == 0, done.err
    tables = {table.table: table.bytes for table in load_reading(port.folder / "meter.json").tables}
    with port.client() as client:
        client.identify()
        client.negotiate(8191, 200)
        client.log_on()
        still = (0, 1, 5, 12, 16, 21, 22)
        assert {table: tables[table] for table in still} == {table: client.read(table) for table in still}
        client.terminate()


@pytest.mark.slow
def test_a_port_whose_meters_server_died_comes_back(port: PortBench) -> None:
    with port.client() as client:
        in_session(client)
        for child in (
            Path(f"/proc/{port.meter.welcome.process}/task/{port.meter.welcome.process}/children").read_text().split()
        ):
            if b"rig.daemon.server" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
        wait_for(lambda: identifies(port))
    port.reconnect()


def test_the_trace_in_words(port: PortBench, command_line) -> None:
    with port.client() as client:
        in_session(client)
        with pytest.raises(Answer, match="0x03"):
            client.password(b"00A5F1")
        client.terminate()
    out = command_line("port", "trace", port.folder / "optical.trace").out
    for words in (
        "identify",
        "log on, user 0 'tester'",
        "read ST1",
        "ok: 32 bytes",
        "security, with a password",
        "terminate",
    ):
        assert words in out
    assert b"00A5F1".hex(" ") not in out
    assert "00A5F1" not in out
    assert (port.folder / "optical.trace").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("broken", ["ee", "ee000000ff00", "ee000000000320", "ee000000ffff30"])
def test_what_follows_a_broken_packet_in_a_trace(tmp_path: Path, command_line, broken: str) -> None:
    asked = packet(b"\x20").hex()
    (tmp_path / "t").write_text(f"0 > {broken}\n499999999 > 00\n1000000000 > {asked}\n1001000000 > {asked}\n")
    lines = command_line("port", "trace", tmp_path / "t").out.splitlines()
    assert [line.split("client")[1].strip() for line in lines if "identify" in line] == ["identify"] * 2


@pytest.mark.parametrize("text", ["what?\n", "1 > zz\n", "1 ? ee\n", "1 > ee 9\n", "x > ee\n", "\xff\n"])
def test_what_is_no_trace(tmp_path: Path, command_line, text: str) -> None:
    (tmp_path / "t").write_text(text, encoding="latin-1")
    ended = command_line("port", "trace", tmp_path / "t")
    assert (ended.status, ended.out) == (2, "")
    assert "line 1" in ended.err


TWO = "[[ports]]\nname = 'a'\nkind = 'rs-232'\n"


def test_what_can_be_no_port(tmp_path: Path, command_line) -> None:
    (tmp_path / "mine.toml").symlink_to("elsewhere.toml")
    os.mkfifo(tmp_path / "fifo")
    for text, why in (
        ("", "no port is configured"),
        (
            "[[ports]]\nname = 'a'\ndevice = '/dev/no-such-tty'\n",
            "cannot have /dev/no-such-tty (No such file or directory)",
        ),
        ("[[ports]]\nname = 'a'\ndevice = '/dev/null'\n", "cannot have /dev/null"),
        ("[[ports]]\nname = 'a'\n[[ports]]\nname = 'a'\n", "ports.name is 'a' twice"),
        ("[[ports]]\nname = 'a'\n[[ports]]\nname = 'b'\n", 'two ports have kind "optical"'),
        (
            "[[ports]]\nname = 'a'\n[[ports]]\nname = 'b'\nkind = 'rs-232'\n",
            "several ports are configured: give a or b",
        ),
        ("[[ports]]\nkind = 'rs-485'\n", "must be 1 to 255"),
        ("[[ports]]\ndevice = '/dev/ttyS0'\nlink = 'x'\n", "leave it out"),
        ("[[ports]]\ndevice = 'COM1'\n", "or another serial port"),
        ("[[ports]]\nname = 'a b'\n", "up to 20 letters"),
        ("[[ports]]\nmost_baud = 1200\n", "most_baud"),
        ("[[ports]]\nlink = 'rig.toml'\n", "give ports.link another path"),
        ("[[ports]]\nlink = 'mine.toml'\n", "give ports.link another path"),
        ("[[ports]]\ntrace = 'fifo'\n", "give ports.trace another path"),
        ("[[ports]]\nname = 'mqtt'\n", "ports.name is 'mqtt', as a publisher of figures is called"),
        (f"{TWO}link = 'x'\n[[ports]]\nlink = './x'\n", "ports.link of a and ports.link of optical are both ./x"),
        (f"{TWO}trace = 'x'\n[[ports]]\ntrace = 'x'\n", "ports.trace of a and ports.trace of optical are both x"),
        (f"{TWO}trace = 'x'\n[[ports]]\nlink = 'x'\n", "ports.trace of a and ports.link of optical are both x"),
        ("[[ports]]\ntrace = '/nowhere/x'\n", "give ports.trace another path"),
    ):
        (tmp_path / "rig.toml").write_text(text)
        ended = command_line("port", "serve", "--socket", tmp_path / "m.sock")
        assert (ended.status, why in ended.err, ended.err.count("\n")) == (2, True, 1), ended.err
    assert command_line("port", "serve", "nobody").status == 2
    assert os.readlink(tmp_path / "mine.toml") == "elsewhere.toml", "a link that is no port's stays"
    left = {path.name for path in tmp_path.iterdir()} - {"rig.toml", "mine.toml", "fifo"}
    assert not left, "whoever was refused leaves nothing behind"


def test_a_meter_that_does_not_answer_has_not_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that ends with its meter waits for one that has stalled."""
    monkeypatch.setattr(meter_link, "ANSWER_S", 0.2)
    path = tmp_path / "m.sock"
    link = meter_link.MeterLink(path, Source.OPTICAL, "optical", print)
    with socket.socket(socket.AF_UNIX) as stalled:
        stalled.bind(str(path))
        stalled.listen()
        assert not link.has_ended(), "it accepts, and says nothing"
    assert link.has_ended(), "nobody listens"
    path.unlink()
    assert link.has_ended()


def test_a_link_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    """Such as where what is old in /tmp is cleared away; what somebody else has put there stays."""
    said: list[str] = []
    link = tmp_path / "meter.optical.pty"
    serving = Serving(PortConfig(), tmp_path / "meter.sock", "0", said.append)
    try:
        pty = os.readlink(link)
        serving._step()
        assert not said
        link.unlink()
        serving._step()
        assert os.readlink(link) == pty
        assert said == [f"port optical: {link} had been removed, and is there again"]
        link.unlink()
        link.write_text("mine")
        serving._step()
    finally:
        serving.stopped = True
        serving.run()
    assert link.read_text() == "mine"
    assert len(said) == 1


def test_a_trace_is_for_its_owner_alone_whoever_made_the_file(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text("12000000 > 06\n")
    path.chmod(0o644)
    writer = TraceWriter(path)
    writer.write(13, "<", b"\x06")
    writer.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == "12000000 > 06\n13 < 06\n"


def test_a_serial_port_that_goes_and_comes() -> None:
    """The other end of a pty is a serial port like any other; when its master closes, it is gone."""
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    os.close(theirs)
    line = SerialLine(PortConfig(device=name), 9600)
    line.set_baud(115200)
    os.write(ours, b"\xee\x00")
    wait_for(lambda: line.read() == b"\xee\x00")
    assert line.read() == b""
    line.write(b"\x06")
    assert os.read(ours, 9) == b"\x06"
    line.write(bytes(1 << 20))
    assert line.waiting
    line.write(bytes(1 << 20))
    os.close(ours)

    def read_on() -> None:
        while True:
            line.read()

    with pytest.raises(LineError, match="plug it in again"):
        read_on()
    line.close()


def test_a_device_that_comes_later_is_served_for_a_meter_that_runs(bench: PortBench, tmp_path: Path) -> None:
    """The other end of a pty by a name that is made while the port waits: an adapter that is plugged in."""
    device = tmp_path / "adapter"
    port, said = PortConfig("line", "rs-232", str(device)), list[str]()
    with pytest.raises(LineError, match=r"port line cannot have .*adapter \(No such file or directory\): plug"):
        Serving(port, bench.socket, "0", said.append)
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    serving = Serving(port, bench.socket, "0", said.append, until_meter_ends=True)
    thread = threading.Thread(target=serving.run)
    thread.start()
    try:
        assert len(said) == 1
        assert said[0].endswith("plug the adapter in, or give another device; it is looked for each second")
        device.symlink_to(os.ttyname(theirs))
        os.close(theirs)
        wait_for(lambda: said[1:] == [f"port line: {device} is there"])
        os.write(ours, packet(b"\x20"))
        assert select.select([ours], [], [], 10)[0]
        assert os.read(ours, 1) == b"\x06", "an identification is acknowledged"
        device.unlink()
        os.close(ours)
        wait_for(lambda: len(said) == 3)
        assert said[2].startswith(f"port line has lost {device}")
    finally:
        serving.stopped = True
        thread.join()


@pytest.mark.slow
def test_the_firmware_decides_what_the_port_speaks(tmp_path: Path) -> None:
    """7.16 speaks DGCOM; with a program of 6.28 written, the same port speaks C12.18."""
    bench = PortBench(tmp_path, '[meter]\nfirmware = "7.16"\n', "[[ports]]\nname = 'optical'\n")
    try:
        with bench.client() as client:
            assert Host(over(client.line)).command(0x08)[0] >> 4 == 3
        bench.meter.ask(LogOn("000000"))
        bench.meter.ask(WriteProgram('[meter]\nfirmware = "6.28"\n'))
        wait_for(lambda: identifies(bench))
    finally:
        bench.close()


def test_a_port_without_a_meter_is_silent_and_ends_when_it_is_to(tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text("[[ports]]\nname = 'optical'\n")
    said: list[str] = []
    config = load(tmp_path / "rig.toml").ports[0]
    serving = Serving(config, tmp_path / "m.sock", "0", said.append)
    client = PsemClient(TtyLine(tmp_path / "m.optical.pty"))
    client.line.write(packet(b"\x20"))

    def reported() -> list[str]:
        serving._step()
        return said

    wait_for(reported)
    assert client.line.read(1, 0.1) == b""
    assert "no meter runs at" in said[0]
    serving.stopped = True
    serving.run()
    assert not (tmp_path / "m.optical.pty").is_symlink()
    assert isinstance(client.line, TtyLine)
    client.line.close()


def test_a_port_is_served_once(port: PortBench) -> None:
    with pytest.raises(LineError, match=f"port optical is in use by process {port.ports[0].pid}: end it first"):
        Serving(port.config.ports[0], port.socket, "0", print)
    assert identifies(port)


def test_a_full_disk_ends_the_trace_and_not_the_port(port: PortBench) -> None:
    """A trace on a device that takes nothing."""
    config = PortConfig(link=str(port.folder / "other.pty"), trace="/dev/full")
    said: list[str] = []
    serving = Serving(config, port.socket, "0", said.append)
    client = PsemClient(TtyLine(port.folder / "other.pty"))
    client.line.write(packet(b"\x20"))
    until = time.monotonic() + 20
    came = b""
    while len(came) < 14 and time.monotonic() < until:
        serving._step()
        came += client.line.read(14, 0.01)
    assert came[:2] == b"\x06\xee"
    assert "the trace ends here" in said[0]
    serving.stopped = True
    serving.run()
    assert isinstance(client.line, TtyLine)
    client.line.close()
    with pytest.raises(TraceError):
        Serving(PortConfig(link=str(port.folder / "other.pty"), trace="/nowhere/trace"), port.socket, "0", said.append)


NOWHERE = "[[ports]]\nname = 'gone'\nkind = 'rs-232'\ndevice = '/dev/ttyNOSUCH'\n"


@pytest.mark.slow
def test_rig_run_starts_its_ports(tmp_path: Path) -> None:
    """With the command line: it says where the pty is, a client is answered, all ends with the meter, and what another
    port could not do is said in the end."""
    import sys

    (tmp_path / "rig.toml").write_text("[daemon]\nsocket = 'm.sock'\n[[ports]]\nname = 'optical'\n" + NOWHERE)
    command = [sys.executable, "-c", "from rig.cli.app import main; main()", "run", "--for", "300", "--json"]
    root = str(Path(__file__).parents[3])
    with (tmp_path / "out").open("wb") as out:
        running = subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": root}, stdout=out, stderr=out)
    pty = tmp_path / "m.optical.pty"
    wait_for(pty.exists)
    line = TtyLine(pty)

    def answered() -> bool:
        line.write(packet(b"\x20"))
        return line.read(1, 1.0) == b"\x06"

    wait_for(answered)
    line.close()
    with MeterClient.connect(tmp_path / "m.sock") as meter:
        meter.ask(Stop())
    assert running.wait(60) == 0
    wait_for(lambda: not pty.is_symlink())
    said = [line for line in (tmp_path / "out").read_text().splitlines() if line.startswith("rig: ")]
    assert len(said) == 3, said
    assert said[0].endswith("m.optical.pty; what it reports is in m.optical.log")
    assert said[1].startswith("rig: port gone: /dev/ttyNOSUCH; ")
    assert said[2].startswith("rig: port gone cannot have /dev/ttyNOSUCH (No such file or directory): ")
