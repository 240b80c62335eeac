"""Two ports of a real meter at once, processes with ptys: the same procedures, and a client that never leaves (X-1).

Each port has answers, levels, staged programs and time-outs of its own; what they ask of the meter is done one by one.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zlib import crc32

import pytest
from port_bench import PortBench, TtyLine, wait_for
from psem_client import Answer, NotAcknowledged, PsemClient

from rig.daemon.client import MeterClient
from rig.daemon.protocol import PulsesCounted, ReadProgram, ReadState, Topic
from rig.program.build import load_program

pytestmark = pytest.mark.slow

KEYS = '[security]\nlevel_1 = "111111"\nlevel_2 = "222222"\nlevel_3 = "333333"\nlevel_4 = "444444"\n'
PROGRAM = '[demand]\nquantities = ["kW delivered"]\n' + KEYS
PORTS = """
[simulation.load]
amps = 40
[[ports]]
name = "optical"
[[ports]]
name = "line"
kind = "rs-232"
"""
DEMAND_RESET, MODE, DONE = 9, 6, 0
ISSS = 0x0A
ROUNDS = 6
TRAFFIC_S = 6.0
"""The traffic time-out at an optical port (c12.md §1.2)."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortBench]:
    bench = PortBench(tmp_path_factory.mktemp("two"), PROGRAM, PORTS)
    wait_for((bench.folder / "m.line.pty").exists)
    yield bench
    bench.close()


@contextmanager
def at(bench: PortBench, name: str, password: bytes | None = None) -> Iterator[PsemClient]:
    """A client in a session at a port, which it ends."""
    line = TtyLine(bench.folder / f"m.{name}.pty")
    try:
        client = PsemClient(line)
        client.identify()
        client.negotiate(1024, 20)
        client.log_on()
        if password is not None:
            client.password(password)
        yield client
        client.terminate()
    finally:
        line.close()


def procedure(client: PsemClient, number: int, sequence: int, parameters: bytes) -> int:
    """Invoke one; its result. The answer must be this one's."""
    client.write(7, struct.pack("<HB", number, sequence) + parameters)
    answer = client.read(8)
    assert answer[:3] == struct.pack("<HB", number, sequence), "another's answer"
    return answer[3]


def both(at_once: Callable[[str], None]) -> None:
    """Do something at both ports at once."""
    failed: list[BaseException] = []

    def run(name: str) -> None:
        try:
            at_once(name)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("optical", "line")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failed, failed


def test_the_same_procedure_at_both(bench: PortBench) -> None:
    """Each gets the answer to its own, and every demand reset that was answered as done is counted, none twice."""
    before = bench.meter.ask(ReadState())["resets"]
    together = threading.Barrier(2, timeout=60)

    def resets(name: str) -> None:
        with at(bench, name, b"222222") as client:
            for number in range(ROUNDS):
                together.wait()
                assert procedure(client, DEMAND_RESET, 100 * (name == "line") + number, b"\x01") == DONE

    both(resets)
    assert bench.meter.ask(ReadState())["resets"] == before + 2 * ROUNDS


def test_two_programs_at_once(bench: PortBench) -> None:
    """Each port stages its own; the meter has one of both, whole, and who was told that his is in force was told the
    truth, as far as nobody came after."""
    programs = {
        "optical": PROGRAM + '[meter]\nserial = "1111"\n',
        "line": PROGRAM + '[meter]\nserial = "2222"\n[test_mode]\nminutes = 7\n',
    }
    digests = {}
    for name, text in programs.items():
        (bench.folder / f"{name}.toml").write_text(text)
        digests[name] = load_program(bench.folder / f"{name}.toml").digest
    together = threading.Barrier(2, timeout=60)
    results: dict[str, int] = {}

    def write(name: str) -> None:
        text = programs[name].encode()
        with at(bench, name, b"444444") as client:
            together.wait()
            half = len(text) // 2
            client.write(2048, text[:half], 0)
            together.wait()
            client.write(2048, text[half:], half)
            assert client.read(2048) == text, "what the other stages is its own"
            together.wait()
            results[name] = procedure(client, 1 << 11, 7, struct.pack("<II", len(text), crc32(text)))

    both(write)
    in_force = bench.meter.ask(ReadProgram())["digest"]
    assert in_force in {digests[name] for name, result in results.items() if result == DONE}
    with at(bench, "optical", b"444444"):
        pass  # keys stay


def test_a_client_that_never_logs_off(bench: PortBench) -> None:
    """Another port is served meanwhile; its own is free after the traffic time-out, whoever knocks; its level and the
    light are given back, and test mode, which it entered, stays until its own time is over."""
    line = TtyLine(bench.pty)
    lost = PsemClient(line)
    with MeterClient.connect(bench.socket, "verification") as counter:
        counter.subscribe(Topic.LED_PULSES)
        lost.identify()
        lost.log_on()
        lost.password(b"333333")
        assert procedure(lost, MODE, 1, b"\x02") == DONE
        silent_s = time.monotonic()
        with at(bench, "line", b"111111") as client:
            assert client.read(23)
            assert client.read(3)[0] == 2, "test mode"
            client.write(7, struct.pack("<HBB", MODE, 9, 1))
            assert client.read(8)[3] == 5, "the level of the other port is not this one's"
        refused = 0
        next_one = PsemClient(line)
        while True:
            next_one.restart()
            try:
                next_one.identify()
                break
            except Answer as error:
                if error.code != ISSS:
                    raise
                refused += 1
            except NotAcknowledged:
                refused += 1
            finally:
                assert time.monotonic() - silent_s < 5 * TRAFFIC_S, "locked out"
        took_s = time.monotonic() - silent_s
        assert took_s > TRAFFIC_S - 1.5, "a packet of the client's own can have been a second earlier"
        assert refused > 0
        next_one.log_on()
        assert next_one.read(3)[0] == 2, "test mode is nobody's session"
        assert procedure(next_one, MODE, 2, b"\x01") == 5, "and its level is gone"
        next_one.terminate()
        begun = counter.await_message(PulsesCounted).pulses
        wait_for(lambda: counter.await_message(PulsesCounted).pulses >= begun + 2, 20)
    line.close()
    with at(bench, "optical", b"333333") as client:
        assert procedure(client, MODE, 3, b"\x01") == DONE
        assert client.read(3)[0] == 1


def test_a_client_that_never_stops_talking(bench: PortBench) -> None:
    """It holds its own port as long as it talks, and no other; metering goes on."""
    with at(bench, "optical") as busy, at(bench, "line", b"111111") as other:
        before = bench.meter.ask(ReadState())["registers"]["energy"]["q1"]["nwh"]
        for _ in range(20):
            busy.read(23)
            other.read(23)
        assert bench.meter.ask(ReadState())["registers"]["energy"]["q1"]["nwh"] > before
