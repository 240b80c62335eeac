"""The simulated board in a process of its own: who may have it, what it keeps for whom, and what is said when it goes.

The board is that of `rig simulate`, the meters are processes of this one's service, killed where that is asked for.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from drivers.counters import PulseCounters
from drivers.sim.board_messages import MOST_BYTES, ClaimInput, Drive, Join, Welcome
from drivers.sim.board_server import SLICE_NS
from drivers.sim.remote_board import BoardGone, RemotePins, RemoteSpi, connected
from drivers.sim.remote_edges import EdgesRefused, RemoteEdges
from drivers.spi_link import SpiLink
from drivers.switches import SwitchInput
from gateware.registers import Counter as Place
from rig.files.strict_toml import ConfigError
from rig.hardware.config import load
from rig.hardware.edge_sources import edge_sources
from rig.hardware.selection import open_hardware
from rig.verify.closures import Contact
from rig.verify.counters import GpioCounter
from rig.verify.observed import Counted
from tests.drivers.scpi_instrument import ScpiInstrument

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-W", "error", "-c", "from rig.cli.app import main; main()"]
PATIENCE_S = 240
MS = 1_000_000

RIG = """
[simulation]
board = "board.sock"
sensors = "ideal"
wires = { 14 = "kyz1_y", 15 = "kyz1_z", 18 = "led" }
[meter]
store = "store"
ring = "meter.ring"
"""

METER = """
import json, sys
from pathlib import Path
from rig.hardware.config import load
from rig.hardware.selection import open_hardware, program_of
from rig.service.service import Service
from rig.store.store import Store
config = load(Path(sys.argv[1]))
hardware = open_hardware(config, 20)
utc_ns = hardware.clock.utc_ns
hardware.clock.utc_ns = lambda: utc_ns() + int(sys.argv[3]) * 10**9
service = Service(hardware, config, program_of(config), Store.open(Path(config.meter.store)))
told = []
service.on_events = told.extend
service.begin()
before = sum(service.meter.billing.state.registers.energy)
windows = [r.window for r in service.run(hardware.clock.now_ns() + int(sys.argv[4]) * 1_000_000)]
print(json.dumps({
    "took_over": service.took_over,
    "log": [event.label for event in told if getattr(event, "code", 0) in (39, 2081, 2082, 2084)],
    "kwh": before,
    "faults": sorted({f.label for w in windows for f in w.faults}),
    "start": windows[0].tick_start, "end": windows[-1].tick_end,
}), flush=True)
if sys.argv[2] == "stay":
    sys.stdin.read()
service.finish()
hardware.close()
"""


def comes(that: Callable[[], bool], within_s: float = 30) -> bool:
    until = time.monotonic() + within_s
    while not (true := that()) and time.monotonic() < until:
        time.sleep(0.01)
    return true


@dataclass
class Board:
    """A board that lives on, and its folder."""

    folder: Path
    process: subprocess.Popen[str]

    @property
    def path(self) -> str:
        return str(self.folder / "board.sock")

    def pins(self) -> RemotePins:
        return RemotePins(connected(self.path))

    def meter(self, *, kill: bool, ahead_s: int = 0, ms: int = 700) -> dict:
        """What a metering process says of itself after so many ms, that is then killed, or ends. `ahead_s`: by so much
        is the computer's time of day wrong."""
        end = "stay" if kill else "end"
        words = [sys.executable, "-c", METER, str(self.folder / "rig.toml"), end, str(ahead_s), str(ms)]
        with subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
        ) as process:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            if kill:
                process.kill()
        return said


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def start(folder: Path, text: str | None = RIG) -> Board:
    if text is not None:
        (folder / "rig.toml").write_text(text)
    process = subprocess.Popen(
        [*COMMAND, "simulate", "--config", str(folder / "rig.toml")],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith(f"rig: the simulated board runs at {folder / 'board.sock'}")
    return Board(folder, process)


@pytest.fixture(scope="module")
def board(tmp_path_factory) -> Iterator[Board]:
    board = start(tmp_path_factory.mktemp("b"))
    yield board
    board.process.send_signal(signal.SIGTERM)
    _, said = board.process.communicate(timeout=PATIENCE_S)
    assert (board.process.returncode, said) == (0, "")
    assert not Path(board.path).exists()


def test_spi_is_answered_to_any_number_of_processes_and_pins_are_one_s(board: Board) -> None:
    links = [SpiLink(RemoteSpi(connected(board.path))) for _ in range(3)]
    ticks = [link.ticks() for link in (*links, *links)]
    assert ticks == sorted(ticks)
    pins = board.pins()
    with pytest.raises(BoardGone, match=rf"^process {os.getpid()} meters on the simulated board: end it first"):
        board.pins()
    pins.close()
    board.pins().close()
    for link in links:
        link.close()


def test_edges_are_numbered_and_kept_for_who_comes_next(board: Board) -> None:
    pins = board.pins()
    magnet = SwitchInput("magnet", 6, pins=pins)
    first = magnet.first_number
    now_ns = time.monotonic_ns() - pins.begun_ns
    for k, closed in enumerate((True, False, True)):
        pins.move("magnet", now_ns + (50 + 10 * k) * MS, closed, False)
    seen: list[tuple[int, bool]] = []

    def three() -> bool:
        pins.collect()
        seen.extend(magnet.drain())
        return len(seen) == 3

    assert comes(three)
    assert seen == [(now_ns + (50 + 10 * k) * MS, closed) for k, closed in enumerate((True, False, True))]
    pins._connection.close()  # as when the process dies: nothing is released
    later = board.pins()
    later.resume = {6: first + 1}
    again = SwitchInput("magnet", 6, pins=later)
    assert (again.first_number, again.initial) == (first + 1, True)
    found: list[tuple[int, bool]] = []

    def two() -> bool:
        later.collect()
        found.extend(again.drain())
        return len(found) == 2

    assert comes(two)
    assert found == seen[1:]
    later.move("magnet", 0, False, False)  # long past: now
    later.close()


def test_edges_at_a_counter_s_pins_are_those_of_the_outputs_wired_to_them(board: Board) -> None:
    """Each stamped between the instants at which it was asked for and seen, numbered from 1, and as many as the FPGA's
    counter has, which sees the output's pins by itself."""
    link = SpiLink(RemoteSpi(connected(board.path)))
    fpga = PulseCounters(link)
    fpga.clear()
    fpga.open()
    counter = GpioCounter("gpio:14,15", RemoteEdges(board.path, [14, 15]).lines.values())
    assert [each.pulses for each in counter.poll()] == [0]
    pins = board.pins()
    relays = {Contact.KY: pins.pin(22), Contact.KZ: pins.pin(23)}
    for pin in relays.values():
        pin.function = "output"
    sent: list[tuple[Contact, int, int]] = []
    for k in range(8):
        contact = list(Contact)[k % 2]
        relays[contact.other].state = False
        before = time.monotonic_ns()
        relays[contact].state = True
        high = pins.counts()  # answered once all before it is done
        sent.append((contact, before, time.monotonic_ns()))
        assert high.edges[22] + high.edges[23] >= k + 1
    seen: list[Counted] = []

    def all_of_them() -> bool:
        seen.extend(counter.poll())
        return len(seen) >= 8

    assert comes(all_of_them)
    assert [each.pulses for each in seen] == list(range(1, 9))
    for each, (contact, before, after) in zip(seen, sent, strict=True):
        assert each.contact is contact
        assert before - SLICE_NS <= each.earliest == each.latest <= after
    assert comes(lambda: fpga.read_one(Place.KYZ1).pulses in (7, 8))  # its first closing of all is no pulse
    for pin in relays.values():
        pin.state = False
    pins.close()
    counter.close()
    link.close()


def test_a_counter_at_a_pin_that_nothing_is_wired_to_is_refused(board: Board) -> None:
    with pytest.raises(EdgesRefused, match=r"^GPIO 0 of the simulated board is wired to nothing$"):
        RemoteEdges(board.path, [14, 0])
    with pytest.raises(ConfigError, match=r"GPIO 0 of the simulated board is wired to nothing: name the contact"):
        edge_sources(load(board.folder / "rig.toml"), [14, 0])
    with pytest.raises(BoardGone, match="no simulated board answers at"):
        RemoteEdges(board.path + "x", [14])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wired", "faults"), [('"kyz1_z"', set()), ('"kyz2_z"', {"missed"})], ids=["both contacts", "one contact"]
)
def test_an_output_is_verified_by_a_counter_at_pins_of_the_simulated_board(
    tmp_path: Path, wired: str, faults: set[str]
) -> None:
    """A KYZ output of whose two contacts one is not connected loses every other pulse."""
    wires = 'wires = { 14 = "kyz1_y", 15 = ' + wired + " }"
    (tmp_path / "rig.toml").write_text(f'[simulation]\nboard = "board.sock"\n{wires}\n[simulation.load]\namps = 20\n')
    board = start(tmp_path, None)
    words = ["verify", "--config", str(tmp_path / "rig.toml"), "--counter", "gpio:14,15", "--pulses", "40", "--json"]
    words += ["--limit", "0.5"]  # at a busy computer edges may be some ms late
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=environment(), timeout=PATIENCE_S)
    board.process.send_signal(signal.SIGTERM)
    board.process.communicate(timeout=PATIENCE_S)
    found = json.loads(done.stdout)
    assert (found["counter"], found["simulated"]) == ("gpio:14,15", True)
    assert {error["fault"] for error in found["kyz_order_errors"]} == faults
    assert (done.returncode, found["passed"]) == ((1, False) if faults else (0, True)), done.stdout
    assert "comparison of clocks" in [part["source"] for part in found["budget"]]
    contacts = [edge["contact"] for edge in found["edges"]]
    assert set(contacts) == ({"K-Y"} if faults else {"K-Y", "K-Z"})
    assert faults or all(a != b for a, b in pairwise(contacts))


class Totaliser:
    """What an instrument on both contacts counts: edges that the board stamps, of which it loses number `lost` or
    bounces at number `doubled`."""

    def __init__(self, path: str, lost: int | None, doubled: int | None) -> None:
        self.lines = list(RemoteEdges(path, [14, 15]).lines.values())
        self.lost, self.doubled, self.closings = lost, doubled, 0

    def __call__(self) -> int:
        self.closings += sum(edge.closed for line in self.lines for edge in line.drain())
        gone = self.lost is not None and self.closings >= self.lost
        more = self.doubled is not None and self.closings >= self.doubled
        return self.closings - gone + more

    def close(self) -> None:
        for line in self.lines:
            line.close()


@pytest.mark.slow
@pytest.mark.parametrize("bus", ["socket", "pty"])
@pytest.mark.parametrize("load", ["", "[simulation.load]\namps = 20\n"], ids=["lively", "20 A"])
@pytest.mark.parametrize(("lost", "doubled", "missing"), [(None, None, 0.0), (12, None, -2.5), (None, 12, 2.5)])
def test_an_instrument_on_a_bus_counts_a_meter_in_real_time(
    tmp_path: Path, bus: str, load: str, lost: int | None, doubled: int | None, missing: float
) -> None:
    """It counts what is at the contacts, whatever the meter says of itself."""
    wires = 'wires = { 14 = "kyz1_y", 15 = "kyz1_z" }'
    (tmp_path / "rig.toml").write_text(f'[simulation]\nboard = "board.sock"\n{wires}\n{load}')
    board = start(tmp_path, None)
    totaliser = Totaliser(board.path, lost, doubled)
    with closing(totaliser), ScpiInstrument(over=bus, count=totaliser) as instrument:
        words = ["verify", "--config", str(tmp_path / "rig.toml"), "--counter", f"visa:{instrument.resource}"]
        words += ["--pulses", "40", "--limit", "2", "--json"]
        done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=environment(), timeout=PATIENCE_S)
    board.process.send_signal(signal.SIGTERM)
    board.process.communicate(timeout=PATIENCE_S)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["counter"] == f"visa:{instrument.resource}"
    assert found["error_percent"] == pytest.approx(missing, abs=found["uncertainty_percent"] + 0.1)
    faults = [(error["fault"], error["count"]) for error in found["kyz_order_errors"]]
    assert faults == [("missed", 1)] * (lost is not None) + [("doubled", 1)] * (doubled is not None)


@pytest.mark.slow
def test_an_output_is_verified_against_a_standard_by_its_pulses_at_a_pin(tmp_path: Path) -> None:
    """The test LED is the standard, 1.8 Wh a flash: what flowed before its first flash is not known to anyone."""
    wires = 'wires = { 14 = "kyz1_y", 15 = "kyz1_z", 18 = "led" }'
    (tmp_path / "rig.toml").write_text(f'[simulation]\nboard = "board.sock"\n{wires}\n[simulation.load]\namps = 20\n')
    board = start(tmp_path, None)
    words = ["verify", "--config", str(tmp_path / "rig.toml"), "--counter", "gpio:14,15", "--seconds", "10", "--json"]
    words += ["--reference", "standard:gpio:18", "--standard-constant", "1.8", "--limit", "1"]
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=environment(), timeout=PATIENCE_S)
    board.process.send_signal(signal.SIGTERM)
    board.process.communicate(timeout=PATIENCE_S)
    found = json.loads(done.stdout)
    assert found["kyz_order_errors"] == []
    assert found["passed"], found["reasons"]


@pytest.mark.slow
def test_a_simulated_board_that_ends_in_mid_count_ends_the_count_in_a_sentence(tmp_path: Path) -> None:
    board = start(tmp_path)
    with subprocess.Popen(
        [*COMMAND, "verify", "--config", str(tmp_path / "rig.toml"), "--counter", "gpio:14,15", "--pulses", "4000"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(),
    ) as process:  # fmt: skip
        edges = RemoteEdges(board.path, [14])
        assert comes(lambda: len(edges.lines[14].drain()) > 0, PATIENCE_S)
        edges.lines[14].close()
        board.process.kill()
        board.process.communicate(timeout=PATIENCE_S)
        out, error = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (2, "")
    assert "the count broke off, and nothing is known of the rest: " in error or "has ended" in error
    assert "Traceback" not in error


def test_outputs_stay_as_a_dead_process_left_them_and_what_it_sent_is_done(board: Board) -> None:
    pins = board.pins()
    before = pins.counts().edges.get(22, 0)
    pin = pins.pin(22)
    pin.function = "output"
    for high in (True, False, True):
        pin.state = high
    pins._connection.close()
    later = board.pins()
    assert later.counts().edges[22] == before + 3
    again = later.pin(22)
    again.function = "output"
    assert again.state
    again.state = False
    later.close()


@pytest.mark.parametrize(
    "message",
    [b"", b"\xff", b"garbage" * 100, msgspec.msgpack.encode(Drive(22, True)), msgspec.msgpack.encode(ClaimInput(99))],
)
def test_whoever_talks_nonsense_is_dropped_and_hurts_nobody(board: Board, message: bytes) -> None:
    link = SpiLink(RemoteSpi(connected(board.path)))
    for joined in (False, True):
        bad = connected(board.path)
        bad.settimeout(PATIENCE_S)
        if joined:
            bad.send(msgspec.msgpack.encode(Join("pins", 1)))
            assert bad.recv(1 << 16)
        bad.send(message)
        if not joined or message[:1] != b"\x83":
            bad.shutdown(socket.SHUT_WR)
        while bad.recv(1 << 16):
            pass
        bad.close()
    assert link.ticks() > 0
    link.close()


def test_a_meter_takes_over_from_one_that_was_killed_or_ended(board: Board) -> None:
    first = board.meter(kill=True)
    assert (first["took_over"], first["faults"], first["log"]) == (False, [], [])
    second = board.meter(kill=False)
    assert (second["took_over"], second["faults"], second["log"]) == (True, [], ["metering taken over"])
    third = board.meter(kill=True)  # an orderly end is no outage either
    assert (third["took_over"], third["faults"]) == (True, [])
    assert first["start"] < second["start"] < third["start"]


@pytest.mark.parametrize("damage", ["removed", "noise"])
def test_contacts_lost_while_nobody_meters_are_told(board: Board, damage: str) -> None:
    """How many pulses are then owed: tests/rig/test_outputs_resume.py."""
    board.meter(kill=True, ms=2000)
    memory = board.folder / "store" / "contacts"
    if damage == "removed":
        memory.unlink()
    else:
        memory.write_bytes(os.urandom(memory.stat().st_size))
    said = board.meter(
        kill=True,
    )
    assert (said["took_over"], said["log"]) == (True, ["metering taken over", "memory error"])


def test_a_doubt_about_the_time_of_day_is_taken_over_and_ended(board: Board) -> None:
    board.meter(kill=True)
    wild = board.meter(kill=True, ahead_s=200 * 86400, ms=2500)
    assert wild["log"] == ["metering taken over", "time of day doubted"]
    still = board.meter(kill=True, ahead_s=200 * 86400, ms=2500)
    assert still["log"] == ["metering taken over"]  # it is in the log already
    right = board.meter(kill=True, ms=2500)
    assert right["log"] == ["metering taken over", "time of day believed"]


def test_a_ring_that_is_damaged_or_another_program_s_is_an_outage(board: Board) -> None:
    ring = board.folder / "meter.ring"
    ring.write_bytes(os.urandom(2 << 18))
    assert not board.meter(kill=True)["took_over"]
    (board.folder / "meter.toml").write_text('[meter]\nks_wh = "1.2"\n')
    other = RIG.replace("[meter]", '[meter]\nprogram = "meter.toml"')
    try:
        (board.folder / "rig.toml").write_text(other)
        assert not board.meter(kill=True)["took_over"]
    finally:
        (board.folder / "rig.toml").write_text(RIG)


def test_a_store_that_was_taken_away_is_a_new_meter_whatever_the_ring_has(board: Board) -> None:
    (board.folder / "store").rename(board.folder / "away")
    said = board.meter(kill=False)
    assert (said["took_over"], said["kwh"]) == (False, 0)


def test_a_board_as_another_configuration_has_it_is_refused(board: Board, tmp_path: Path) -> None:
    other = tmp_path / "rig.toml"
    other.write_text(f'[hardware]\nled_pin = 14\n[simulation]\nboard = "{board.path}"\n')
    with pytest.raises(
        ConfigError, match=r"the simulated board at .* is exact, of class 20, and its pins are as another"
    ):
        open_hardware(load(other), 20)
    with pytest.raises(ConfigError, match="start rig simulate with this configuration"):
        open_hardware(load(board.folder / "rig.toml"), 10)
    other.write_text('[simulation]\nboard = "nowhere.sock"\n')
    with pytest.raises(BoardGone, match=r"no simulated board answers at .*nowhere.sock \(No such file"):
        open_hardware(load(other), 20)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", 'rig: rig simulate needs a rig.toml with hardware.kind = "sim" and simulation.board'),
        (
            '[hardware]\nkind = "pi"\n[simulation]\nboard = "x"\n',
            "rig: rig simulate needs a rig.toml with hardware.kind",
        ),
        (f'[simulation]\nboard = "{"x" * 200}"\n', "cannot be a socket"),
        ('[simulation]\nboard = "no/such/folder.sock"\n', "must be in a folder that this user may write"),
    ],
)
def test_what_cannot_be_simulated_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "rig.toml").write_text(text)
    done = subprocess.run(
        [*COMMAND, "simulate"], cwd=tmp_path, capture_output=True, text=True, env=environment(), timeout=PATIENCE_S
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_second_board_at_one_socket_is_refused_with_its_process(board: Board) -> None:
    done = subprocess.run(
        [*COMMAND, "simulate", "--config", str(board.folder / "rig.toml")],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=PATIENCE_S,
    )
    assert done.returncode == 2
    assert f"the simulated board {board.path} is in use by process {board.process.pid}" in done.stderr


def test_a_board_that_is_killed_is_one_sentence(tmp_path: Path) -> None:
    board = start(tmp_path)
    pins = board.pins()
    magnet = SwitchInput("magnet", 6, pins=pins)
    link = SpiLink(RemoteSpi(connected(board.path)))
    board.process.kill()
    board.process.communicate()
    with pytest.raises(BoardGone, match="the process of the simulated board has ended"):
        link.ticks()
    with pytest.raises(BoardGone, match="the process of the simulated board has ended"):
        comes(lambda: pins.collect() is not None)
    magnet.close()
    pins.close()
    link.close()


def test_what_falls_due_while_the_board_has_not_answered_is_done_meanwhile() -> None:
    """An edge does not wait for the process that simulates an FPGA: here it answers after three things were due."""
    here, board = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with board:
        board.send(msgspec.msgpack.encode(Welcome("", 0, 0, b"")))
        spi, done = RemoteSpi(here), []
        board.recv(MOST_BYTES)

        def meanwhile() -> int | None:
            done.append(len(done))
            if len(done) == 3:
                board.send(board.recv(MOST_BYTES)[::-1])
                return None
            return 1_000_000

        spi.meanwhile = meanwhile
        assert spi.xfer2([1, 2, 3]) == [3, 2, 1]
        assert done == [0, 1, 2]
        spi.close()
