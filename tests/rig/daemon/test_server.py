"""The server, alone with real sockets: who may connect, who is told what, who is thrown out, and at what price."""

from __future__ import annotations

import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from rig.daemon.address import Address, runtime_folder
from rig.daemon.channel import ChannelClosed
from rig.daemon.client import ClientError, MeterClient, MeterGone, RequestRefusedError
from rig.daemon.frames import FrameError, frame
from rig.daemon.internal import Answer, Ask, Farewell, Gone, Interest, Publish, Serve
from rig.daemon.peer import Peer
from rig.daemon.protocol import (
    VERSION,
    Done,
    Dropped,
    Ended,
    EventsLogged,
    Hello,
    LoggedEvent,
    ReadState,
    Request,
    RequestRefused,
    ResetDemand,
    Subscribe,
    Topic,
)
from rig.daemon.server import MOST_CLIENTS, SOURCES, Client
from rig.daemon.server_process import ServerProcess
from rig.results.provenance import Provenance

ROOT = Path(__file__).parents[3]
PROVENANCE = Provenance(True, "exact", True, "1", "abc", "00", "p", "c", "k", 1, "2026-11-29T00:00:00+00:00")


def published(number: int, text: str = "") -> EventsLogged:
    """A publication of any size with a number."""
    return EventsLogged([LoggedEvent(number, 0, text, {})])


class Metering:
    """The metering process's side: what it would hear and say."""

    def __init__(self, path: Path, *, paced: bool = True) -> None:
        self.address = Address(path)
        serve = Serve(4711, paced, msgspec.msgpack.encode(PROVENANCE), None)
        self.server = ServerProcess(self.address.listener, serve)

    def next(self) -> object:
        return self.server.channel.receive()

    def answer(self, ask: Ask, reply: Done | RequestRefused) -> None:
        self.server.channel.send(Answer(ask.client, frame(reply)))

    def publish(self, topic: Topic, message: msgspec.Struct) -> None:
        self.server.channel.send(Publish(topic, frame(message)))

    @property
    def pid(self) -> int:
        assert self.server._process is not None
        return self.server._process.pid

    def close(self) -> None:
        self.server.close()
        self.address.close()


@pytest.fixture
def path() -> Path:
    return runtime_folder() / "meter.sock"


@pytest.fixture
def metering(path: Path) -> Iterator[Metering]:
    made = Metering(path)
    yield made
    made.close()


def raw(path: Path, wait_s: float = 10.0) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(wait_s)
    client.connect(str(path))
    return client


def all_of(client: socket.socket) -> bytes:
    """What comes until the other side closes."""
    return b"".join(iter(lambda: client.recv(1 << 16), b""))


# --- what clients are for ---------------------------------------------------------------------------------------


def test_a_client_is_welcomed_asks_and_is_answered(metering: Metering, path: Path) -> None:
    with MeterClient.connect(path, "panel", "mine") as client:
        assert (client.welcome.process, client.welcome.provenance) == (4711, PROVENANCE)
        number = client.request(ResetDemand())
        ask = metering.next()
        assert isinstance(ask, Ask)
        assert (ask.uid, ask.source, ask.name, ask.asked) == (os.getuid(), "panel", "mine", ResetDemand())
        metering.answer(ask, Done(number, {"resets": 3}))
        assert client._next(time.monotonic() + 10) == Done(number, {"resets": 3})
        number = client.request(ReadState())
        ask = metering.next()
        assert isinstance(ask, Ask)
        metering.answer(ask, RequestRefused(number, "not now"))
        assert client._next(time.monotonic() + 10) == RequestRefused(number, "not now")
    assert metering.next() == Gone(ask.client)


def test_publications_go_to_those_who_subscribed(metering: Metering, path: Path) -> None:
    with MeterClient.connect(path) as one, MeterClient.connect(path) as other:
        one.subscribe(Topic.STATE)
        assert metering.next() == Interest([Topic.STATE])
        other.subscribe(Topic.STATE, Topic.EVENTS)
        assert metering.next() == Interest([Topic.EVENTS, Topic.STATE])
        metering.publish(Topic.EVENTS, published(0, "other"))
        metering.publish(Topic.STATE, published(0, "both"))
        assert one._next(time.monotonic() + 10) == published(0, "both")
        assert [other._next(time.monotonic() + 10) for _ in range(2)] == [
            published(0, "other"),
            published(0, "both"),
        ]
        other.subscribe()
        assert metering.next() == Interest([Topic.STATE])


def test_the_last_word_reaches_everybody_also_what_waited_before_it(path: Path) -> None:
    metering = Metering(path)
    with MeterClient.connect(path) as client:
        client.subscribe(Topic.STATE)
        metering.next()
        for k in range(20):
            metering.publish(Topic.STATE, published(k, "x" * 10_000))
        metering.server.channel.send(Farewell(frame(Ended(None, "the link", 1))))
        closing = threading.Thread(target=metering.close)
        closing.start()
        heard = list(client.messages())
        closing.join(20)
    assert heard[-1] == Ended(None, "the link", 1)
    assert [message.events[0].utc_ns for message in heard[:-1]] == list(range(20))
    assert not path.exists()


def test_who_does_not_read_is_told_what_was_dropped_and_nobody_else_loses_anything(
    metering: Metering, path: Path
) -> None:
    with MeterClient.connect(path) as slow, MeterClient.connect(path) as quick:
        slow.subscribe(Topic.STATE)
        metering.next()
        quick.subscribe(Topic.STATE)
        got: list[object] = []
        for k in range(300):
            metering.publish(Topic.STATE, published(k, "x" * 10_000))
            got.append(quick._next(time.monotonic() + 10))
        assert [message.events[0].utc_ns for message in got] == list(range(300))
        heard: list[object] = []
        while len(heard) == 0 or not (isinstance(heard[-1], EventsLogged) and heard[-1].events[0].utc_ns == 300):
            if (message := slow.poll()) is None:
                metering.publish(Topic.STATE, published(300))
                message = slow._next(time.monotonic() + 10)
            heard.append(message)
        numbers = [message.events[0].utc_ns for message in heard if isinstance(message, EventsLogged)]
        (dropped,) = [message for message in heard if isinstance(message, Dropped)]
        assert numbers == sorted(numbers)
        assert dropped.count == 300 - len([k for k in numbers if k < 300]) > 100


def test_a_run_at_full_speed_waits_for_who_must_lose_nothing_and_only_while_it_lives(path: Path) -> None:
    metering = Metering(path, paced=False)
    try:
        with MeterClient.connect(path) as client:
            client.subscribe(Topic.STATE, lossless=True)
            metering.next()
            sent = 0
            while metering.server.channel.offer(Publish(Topic.STATE, frame(published(sent, "x" * 10_000)))):
                sent += 1
                time.sleep(0.001)
                assert sent < 1000, "it took everything"
            assert [client._next(time.monotonic() + 10).events[0].utc_ns for _ in range(sent)] == list(range(sent))
            while metering.server.channel.offer(Publish(Topic.STATE, frame(published(0, "x" * 10_000)))):
                time.sleep(0.001)
        metering.publish(Topic.STATE, published(0))  # it is gone: this returns
    finally:
        metering.close()


# --- who breaks the rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "a frame of 1195725856 bytes came"),
        (b"\0\0\0\0", "a frame of 0 bytes came"),
        (struct.pack(">I", 3) + b"abc", "a frame came that is not a message"),
        (frame(Subscribe([Topic.STATE])), "the first message must be Hello"),
        (frame(Request(1, ReadState())), "the first message must be Hello"),
        (frame(Hello(VERSION, "panel")) * 2, "Hello was sent twice"),
        (frame(Hello(VERSION + 1, "panel")), "version 2 is not supported, only 1: use the same release"),
        (frame(Hello(VERSION, "front")), "nobody can ask as 'front'"),
        (frame(Hello(VERSION, "calendar")), "nobody can ask as 'calendar'"),
        (frame(Hello(VERSION, "\x1b[2Jx" * 50)), "nobody can ask as '\\x1b[2Jx"),
        (frame(Hello(VERSION, "panel")) + frame(Request(1, ReadState())) * 9000, "more was sent than one request"),
    ],
)
def test_who_breaks_the_rules_is_told_and_closed(metering: Metering, path: Path, data: bytes, sentence: str) -> None:
    with raw(path) as client:
        try:
            client.sendall(data)
            said = all_of(client)
        except (BrokenPipeError, ConnectionResetError):
            said = b""
        assert sentence.encode() in said or (len(data) > 100_000 and not said)
    with MeterClient.connect(path) as after:
        assert after.welcome.process == 4711


def test_a_frame_that_never_ends_costs_one_frame_of_memory(metering: Metering, path: Path) -> None:
    with raw(path) as client:
        client.sendall(struct.pack(">I", 1 << 17) + b"x" * 1000)
        for _ in range(50):
            client.sendall(b"\0")
        with MeterClient.connect(path) as other:
            assert other.welcome.process == 4711


def test_there_is_a_most_of_clients_and_one_more_is_told(metering: Metering, path: Path) -> None:
    clients = [MeterClient.connect(path) for _ in range(MOST_CLIENTS)]
    with pytest.raises(MeterGone, match=f"{MOST_CLIENTS} clients are connected already"):
        MeterClient.connect(path)
    clients.pop().close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            clients.append(MeterClient.connect(path))
            break
        except (MeterGone, ClientError):
            pass
    assert len(clients) == MOST_CLIENTS
    for client in clients:
        client.close()


@pytest.mark.skipif(os.getuid() != 0, reason="another user can be had by root only")
def test_another_user_may_not_connect_unless_of_the_group(path: Path, tmp_path: Path) -> None:
    """nobody (65534), in a process of its own; the socket's mode is opened so that the check itself is met."""
    code = (
        "import os, socket, sys\nos.setgroups([]); os.setgid(int(sys.argv[2])); os.setuid(65534)\n"
        "client = socket.socket(socket.AF_UNIX); client.connect(sys.argv[1])\n"
        "print(client.recv(1000)[4:].decode('utf-8', 'replace'))"
    )

    def as_nobody(group: int) -> str:
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, str(path), str(group)],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.stdout + done.stderr

    for folder in (path.parent, path.parent.parent):
        folder.chmod(0o711)
    metering = Metering(path)
    try:
        assert path.stat().st_mode & 0o777 == 0o600
        assert "PermissionError" in as_nobody(65534), "the file's mode is the first lock"
        path.chmod(0o666)
        assert "user 65534 may not connect" in as_nobody(65534), "the kernel's word on who it is the second"
    finally:
        metering.close()
    assert Peer(1, 65534, 4242).may_connect(0, 4242)
    assert not Peer(1, 65534, 4242).may_connect(0, 4243)
    assert not Peer(1, 65534, 4242).may_connect(0, None)
    assert Peer(1, 0, 0).may_connect(1000, None)


def test_a_client_cannot_say_that_it_is_the_meter_itself() -> None:
    assert not SOURCES & {"front", "input", "calendar", "service clock"}


def test_the_log_has_a_line_of_each_kind_and_not_of_each_client(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    metering = Metering(path)
    for _ in range(50):
        for data in (b"\0\0\0\0", struct.pack(">I", 1) + b"\xc1"):
            with raw(path) as client:
                client.sendall(data)
                all_of(client)
    metering.close()
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2, lines
    assert sorted("(length)" in line for line in lines) == [False, True]


@pytest.mark.parametrize("frames", [30_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_frames_that_are_none(frames: int) -> None:
    """Fed to what judges a connection, without sockets: errors of known kinds, never anything else."""
    chance = random.Random(7)
    good = [frame(Hello(VERSION, "panel")), frame(Subscribe([Topic.STATE])), frame(Request(3, ResetDemand()))]
    peer, kinds, passed = Peer(1, 1, 1), set(), 0
    for count in range(frames):
        data = bytearray(good[count % 3])
        match count % 5:
            case 0:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 1:
                del data[chance.randrange(len(data)) :]
            case 2:
                data[:4] = chance.randrange(1 << 32).to_bytes(4, "big")
            case 3:
                data = bytearray(chance.randbytes(chance.randrange(1, 40)))
            case 4:
                data += bytearray(good[chance.randrange(3)])
        client = Client(1, peer)
        try:
            client.feed(bytes(data))
            while client.take() is not None:
                passed += 1
        except FrameError as error:
            kinds.add(error.kind)
    assert kinds >= {"length", "message", "hello", "source"}
    assert passed > 1000


# --- a server that dies -----------------------------------------------------------------------------------------


def test_a_server_that_is_killed_has_a_successor_on_the_same_socket(metering: Metering, path: Path) -> None:
    with MeterClient.connect(path) as client:
        os.kill(metering.pid, 9)
        with pytest.raises(MeterGone, match="has ended without a word"):
            client._next(time.monotonic() + 10)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            metering.server.channel.poll()
        except ChannelClosed:
            if metering.server.restart():
                break
    with MeterClient.connect(path) as after:
        assert after.welcome.process == 4711


def test_nobody_there_is_said(path: Path) -> None:
    with pytest.raises(ClientError, match=r"no meter runs at .*meter\.sock: start one with rig run or rig serve"):
        MeterClient.connect(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(str(path))
    with pytest.raises(ClientError, match=r"no meter runs at .* \(nothing answers\)"):
        MeterClient.connect(path)


def test_what_is_no_daemon_is_said(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(path))
        other.listen()

        def serve(data: bytes) -> None:
            connection, _ = other.accept()
            with connection:
                connection.sendall(data)
                all_of(connection)

        for data in (b"HTTP/1.1 400 Bad Request\r\n", frame(published(0))):
            thread = threading.Thread(target=serve, args=(data,))
            thread.start()
            with pytest.raises(ClientError, match=r"what answers at .* is not a meter's daemon"):
                MeterClient.connect(path, wait_s=5)
            thread.join()


def test_an_answer_that_does_not_come_is_said(metering: Metering, path: Path) -> None:
    with MeterClient.connect(path) as client:
        with pytest.raises(MeterGone, match="does not answer"):
            client.ask(ReadState(), wait_s=0.2)
    assert RequestRefusedError.status == 1
