"""Sessions of peers who want something that is not theirs, in virtual time, on a meter in service (X-1, S-1).

A peer is a client that gets as far as it can: it identifies, logs on, negotiates, reads, writes and invokes procedures,
and at any point repeats, damages, breaks off, does not acknowledge, falls silent or guesses keys. Half of them know the
key of level 1. Keys are hashed with scrypt's least N, a setting of each hash: what follows from a right or a wrong
key is as with any.
"""

from __future__ import annotations

import random
import resource
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cheap_security import SALTS, cheap_security
from fips46 import des
from keyed_port import KEY, KeyedPort
from psem_client import packet
from served_port import ServedPort

from rig.communication.c1218.session import SessionState
from rig.daemon.protocol import LogOn

KEYS = ("a5f1c3", "b2c3d4", "c3d4e5", "d4e5f6")
READER = KEYS[0].encode()
PROGRAM = """
[demand]
quantities = ["kW delivered"]
[security]
seal = true
""" + "".join(f'level_{level} = "{key}"\n' for level, key in enumerate(KEYS, 1))

ROUND = 50
"""Sessions after which the meter is looked at, and must answer an honest client."""

KIB_OF_NOISE = 4096
"""What an allocator may take more of in 90 000 sessions; an object of 64 bytes kept in each would be 5760."""

TABLES = (*range(0, 98), *range(2048, 2060), 4096 + 6, 4096 + 42, 0xFFFF)
PROCEDURES = (*range(0, 28), *(1 << 11 | number for number in range(8)))


class Peer:
    """One hostile peer at a port. It keeps to the order of a session as often as not, else it would get nowhere."""

    def __init__(self, port: ServedPort, chance: random.Random, *, knows_a_key: bool) -> None:
        self.port, self.chance, self.knows_a_key = port, chance, knows_a_key
        self.toggle = 0
        self.sent: Counter[int] = Counter()
        self.answers: Counter[int] = Counter()

    def session(self) -> None:
        """From a client that has just been started, to whatever comes of it."""
        chance = self.chance
        self.toggle = 0
        for message in (b"\x20", b"\x50\x00\x02" + b"x" * 10):
            if chance.random() < 0.95:
                self._send(message)
            if chance.random() < 0.1:
                self._send(b"\x61" + struct.pack(">HB", chance.choice((0, 15, 16, 64, 512, 8191, 65535)), 9) + b"\x06")
        if chance.random() < 0.5:
            self._send(b"\x51" + self._password())
        for _ in range(chance.randrange(8)):
            self._send(self._message())
        if chance.random() < 0.3:
            self._send(chance.choice((b"\x21", b"\x52", b"\x22")))
        if chance.random() < 0.1:
            self.port.line.wait(chance.choice((0.3, 2, 7)))

    def _password(self) -> bytes:
        if self.knows_a_key:
            return READER.ljust(20, b"\x00 "[self.chance.random() < 0.5 :][:1])
        return self.chance.choice((self.chance.randbytes(20), b"%06x" % self.chance.randrange(1 << 24) + bytes(14)))

    def _message(self) -> bytes:
        chance = self.chance
        table = struct.pack(">H", chance.choice(TABLES))
        match chance.randrange(10):
            case 0 | 1:
                return b"\x30" + table
            case 2:
                return b"\x3f" + table + chance.randbytes(chance.choice((5, 5, 5, 3)))
            case 3:
                indices = chance.randrange(1, 10)
                return bytes((0x30 + indices,)) + table + bytes(chance.choices((0, 1, 2, 255), k=2 * indices + 2))
            case 4 | 5:
                procedure = struct.pack("<HB", chance.choice(PROCEDURES), chance.randrange(256))
                parameters = chance.choice((b"", b"\x01", b"\x02", b"\x04", chance.randbytes(chance.randrange(12))))
                return b"\x40\x00\x07" + self._data(procedure + parameters)
            case 6:
                where = b"" if chance.random() < 0.5 else chance.randbytes(3)
                return (
                    (b"\x4f" if where else b"\x40") + table + where + self._data(chance.randbytes(chance.randrange(40)))
                )
            case 7:
                return chance.choice((b"\x30\x00\x08", b"\x53\x09\x01" + chance.randbytes(8)))
            case 8:
                return bytes(
                    (chance.choice((0x20, 0x21, 0x22, 0x50, 0x51, 0x52, 0x53, 0x70, 0x71)),)
                ) + chance.randbytes(chance.choice((0, 1, 4, 9, 12, 20)))
            case _:
                return chance.randbytes(chance.randrange(1, 40))

    def _data(self, data: bytes) -> bytes:
        cut = self.chance.random() < 0.1
        return struct.pack(">H", len(data)) + data[cut:] + bytes((-sum(data) & 0xFF,))

    def _send(self, message: bytes) -> None:
        """Send a message, in one packet or several, whole or not; hear what comes, and acknowledge it or not."""
        chance, line = self.chance, self.port.line
        self.sent[message[0]] += 1
        parts = [message]
        if len(message) > 3 and chance.random() < 0.1:
            cut = chance.randrange(1, len(message))
            parts = [message[:cut], message[cut:]]
        for number, part in enumerate(parts):
            control = self.toggle | (0x80 | 0x40 * (number == 0)) * (len(parts) > 1)
            data = packet(part, control, len(parts) - 1 - number)
            fault = chance.random()
            if fault < 0.02:
                data = data[: chance.randrange(len(data))]
            elif fault < 0.04:
                at = chance.randrange(len(data))
                data = data[:at] + bytes((data[at] ^ 1 << chance.randrange(8),)) + data[at + 1 :]
            if fault > 0.03:
                self.toggle ^= 0x20
            line.write(data if fault < 0.95 else data + data)
            if number < len(parts) - 1:
                line.read(1, 0.05)
        came = line.read(1 + 8 + chance.choice((1, 1, 80, 80)), 0.06)
        if len(came) > 7:
            self.answers[came[7]] += 1
        line.write(chance.choices((b"\x06", b"", b"\x15", b"\x06\x06", b"\x00"), (80, 8, 4, 4, 4))[0])


def fingerprint(port: ServedPort) -> bytes:
    """All that a meter is and has registered, but for its log."""
    service = port.served.service
    state = service.reading(), service.program.digest, sorted(service.contacts.closed), service.conditions.test_mode
    offset_ns = service._persistence.clock_offset_ns
    return msgspec.json.encode((*state, offset_ns, service.access.sealed, id(service.access.security)), order="sorted")


def secrets() -> list[bytes]:
    """Keys as text, and what the meter keeps of them; three bytes come about by chance."""
    digests = [key.digest for key in cheap_security(True, [bytes.fromhex(key) for key in KEYS]).keys if key is not None]
    return [key.encode() for key in KEYS] + [key.upper().encode() for key in KEYS] + SALTS + digests


@pytest.fixture
def port() -> Iterator[ServedPort]:
    served = ServedPort(PROGRAM)
    served.served.service.access.reprogram(cheap_security(True, [bytes.fromhex(key) for key in KEYS]), 0)
    yield served
    served.close()


def besiege(port: ServedPort, sessions: int, seed: int, *, knows_a_key: bool) -> Peer:
    """Have a peer at a port for so many sessions, and look after each round at what it has brought about."""
    peer = Peer(port, random.Random(seed), knows_a_key=knows_a_key)
    before, hidden, door = fingerprint(port), secrets(), port.served.service.access
    line, level, heard = port.line, int(knows_a_key), bytearray()

    def listening(data: bytes) -> bytes:
        heard.extend(data)
        return data

    line.to_client = listening
    tried = highest = 0
    for _ in range(sessions // ROUND):
        for _ in range(ROUND):
            port.client.restart()
            line._coming.clear()
            peer.session()
            highest = max(highest, port.port.level)
            assert highest <= level
        assert not [secret for secret in hidden if secret in heard]
        heard.clear()
        assert fingerprint(port) == before, f"seed {seed}"
        assert port.longest_ns <= 400_000_000, "what is asked of the meter for one request"
        line.wait(260)  # a wait that was asked for is over, too
        assert port.port.session.state is SessionState.BASE
        assert port.meter.lent == 0.0, "the LED has its light back"
        assert port.port.next_ns is None, "nothing more is to be done"
        line._coming.clear()
        port.client.restart()
        port.client.identify()
        port.client.log_on()
        assert port.client.read(1)[4:12] == b"RXRS4e  "
        port.client.terminate()
        line.wait(1)
        tried += sum(isinstance(asked, LogOn) for asked in port.meter.asked)
        if not knows_a_key:
            assert not door.state.attempts or tried, "nothing counts that was not tried"
        door.state.attempts.clear()  # as after fifteen hours
        for list_of in (port.meter.asked, port.meter.notes, port.served.asked):
            list_of.clear()
    assert tried > sessions / 50, "keys were tried"
    assert highest == level, "who has a key has got its level"
    assert peer.answers[0] > sessions // 2, "it got somewhere"
    assert {0x00, 0x01, 0x03, 0x05, 0x0A} <= peer.answers.keys()
    return peer


@pytest.mark.parametrize("knows_a_key", [False, True], ids=["stranger", "reader"])
def test_hostile_sessions(port: ServedPort, knows_a_key: bool) -> None:
    besiege(port, 200, 1, knows_a_key=knows_a_key)


def test_hostile_sessions_at_a_port_with_a_key(tmp_path: Path) -> None:
    """Tokens of tickets, of none, and of tickets that are used up; no session has DES of one but by chance of 2⁻⁶⁴."""
    keyed = KeyedPort(tmp_path, level=4)
    try:
        keyed.served.service.access.reprogram(cheap_security(True, [bytes.fromhex(key) for key in KEYS]), 0)
        besiege(keyed, 400, 7, knows_a_key=False)
        keyed.authenticate(des(KEY, keyed.begin()))
        assert keyed.port.level == 4, "who has the key comes in as ever"
    finally:
        keyed.close()


@pytest.mark.slow
@pytest.mark.parametrize("knows_a_key", [False, True], ids=["stranger", "reader"])
def test_a_hundred_thousand_hostile_sessions(port: ServedPort, knows_a_key: bool) -> None:
    """Half of them with each."""
    early = 0
    for batch in range(100):
        besiege(port, 500, 1000 * knows_a_key + batch, knows_a_key=knows_a_key)
        if batch == 9:
            early = resident_kib()
    late = resident_kib()
    used_s = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    print(f"resident after 5000 sessions {early} KiB, after 50 000 {late} KiB; {used_s:.0f} s of CPU in this process")
    assert late < early + KIB_OF_NOISE, "memory stays as it is"


def resident_kib() -> int:
    """Memory that this process has now, not its peak."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024
