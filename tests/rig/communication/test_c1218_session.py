"""Sessions of C12.18 in virtual time, with a client that was written apart (tests/rig/communication/psem_client.py)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psem_client import Answer, LineSilent, NotAcknowledged, PsemClient, VirtualLine, packet

from rig.communication.c1218.services import (
    Authenticate,
    Code,
    GivePassword,
    Identify,
    LogOnUser,
    ReadTable,
    WriteTable,
)
from rig.communication.c1218.session import Session, SessionNews, SessionState
from rig.communication.c1218.settings import OPTICAL, REMOTE, LinkSettings

S = 1_000_000_000
TICKET = bytes.fromhex("0123456789ABCDEF")
KEYED = replace(REMOTE, authenticates=True)
PASSWORD = b"right".ljust(20, b"\x00")


class Tables:
    """A device of plain bytes behind a session: tables 1 to 3 of some lengths, and one that can be written."""

    def __init__(self, settings: LinkSettings = OPTICAL) -> None:
        self.session = Session(settings)
        self.tables = {1: bytes(range(32)), 2: bytes(k * 7 & 0xFF for k in range(5000)), 3: b"", 9: bytes(20)}
        self.asked: list[object] = []

    def serve(self, now_ns: int) -> None:
        while (asked := self.session.pending) is not None:
            self.asked.append(asked)
            self.session.answer(*self.found(asked), now_ns)

    def found(self, asked: object) -> tuple[Code, bytes]:
        match asked:
            case LogOnUser():
                return Code.OK, b""
            case Identify():
                return Code.OK, TICKET
            case Authenticate(token=token):
                return Code.OK, bytes(reversed(token))
            case GivePassword(password):
                return (Code.OK if password == PASSWORD else Code.ISC), b""
            case ReadTable(table, offset, count):
                if table not in self.tables:
                    return Code.IAR, b""
                data = self.tables[table]
                return Code.OK, data if offset is None else data[offset : offset + count]
            case WriteTable(9, data, offset):
                at, old = offset or 0, self.tables[9]
                self.tables[9] = old[:at] + data + old[at + len(data) :]
                return Code.OK, b""
            case _:
                return Code.IAR, b""


def plugged(settings: LinkSettings = OPTICAL, **faults: Callable) -> tuple[Tables, VirtualLine, PsemClient]:
    tables = Tables(settings)
    line = VirtualLine(tables.session, tables.serve, **faults)
    return tables, line, PsemClient(line)


def test_a_whole_session() -> None:
    tables, _, client = plugged()
    assert client.identify() == b"\x00\x02\x00\x00"
    assert client.negotiate(512, 20, 0x06) == b"\x02\x00\x14\x06"
    client.log_on(5)
    client.password(b"right")
    assert [client.read(table) for table in (1, 2, 3)] == [tables.tables[table] for table in (1, 2, 3)]
    assert client.read_part(2, 4990, 4) == tables.tables[2][4990:4994]
    client.write(9, b"abc")
    client.write(9, b"xyz", 17)
    assert tables.tables[9] == b"abc" + bytes(14) + b"xyz"
    with pytest.raises(Answer, match="0x05"):
        client.read(77)
    with pytest.raises(Answer, match="0x03"):
        client.password(b"wrong")
    client.log_off()
    client.terminate()
    assert tables.session.state is SessionState.BASE
    assert tables.session.take_news() == [SessionNews.BEGAN, SessionNews.LEVEL_DROPPED, SessionNews.ENDED]
    assert tables.asked[0] == LogOnUser(5, b"tester    ")


REQUESTS = {
    "identify": b"\x20",
    "terminate": b"\x21",
    "disconnect": b"\x22",
    "read": b"\x30\x00\x01",
    "write": b"\x40\x00\x09\x00\x01\x05\xfb",
    "log on": b"\x50\x00\x00" + b" " * 10,
    "security": b"\x51" + PASSWORD,
    "log off": b"\x52",
    "authenticate": b"\x53\x09\x01" + bytes(8),
    "negotiate": b"\x60\x00\x40\x01",
    "wait": b"\x70\x0a",
    "timing setup": b"\x71\x1e\x01\x04\x03",
    "any other": b"\x54",
}
TABLE = {
    "identify": "identified identified isss",
    "negotiate": "isss identified isss",
    "timing setup": "isss identified isss",
    "log on": "isss logged-on isss",
    "security": "isss isss logged-on",
    "authenticate": "isss isss logged-on",
    "read": "isss isss logged-on",
    "write": "isss isss logged-on",
    "wait": "isss identified logged-on",
    "log off": "isss isss identified",
    "terminate": "base base base",
    "disconnect": "base base base",
    "any other": "sns sns sns",
}


@pytest.mark.parametrize("settings", [OPTICAL, REMOTE, KEYED], ids=["C12.18", "C12.21", "C12.21 with a key"])
@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("name", REQUESTS)
def test_the_table_of_the_session(name: str, state: SessionState, settings: LinkSettings) -> None:
    tables, _, client = plugged(settings)
    if state is not SessionState.BASE:
        client.identify()
    if state is SessionState.LOGGED_ON:
        client.log_on()
    expected = TABLE[name].split()[list(SessionState).index(state)]
    if name in ("timing setup", "disconnect") and not settings.remote:
        expected = "sns"
    if name == "authenticate" and not settings.authenticates:
        expected = "sns"
    try:
        client.ask(REQUESTS[name])
        found = tables.session.state.value.replace(" ", "-")
    except Answer as answer:
        found = Code(answer.code).name.lower()
        assert tables.session.state is state, "a refused service leaves the state"
    assert found == expected


def test_every_service_is_in_the_table_of_the_docstring() -> None:
    from rig.communication.c1218 import session

    written = session.__doc__ or ""
    for name, row in TABLE.items():
        wanted = [name, *(each.replace("-", " ") for each in row.split())]
        names = ["read, write"] if name in ("read", "write") else [name]
        assert any(
            " ".join(line.split()).startswith(" ".join([*names, *wanted[1:]])) for line in written.splitlines()
        ), name


def test_a_ticket_and_its_token() -> None:
    """The feature and the messages of c12.md §1.6; what they are made of: test_authentication.py."""
    tables, _, client = plugged(KEYED)
    assert client.identify() == b"\x02\x02\x00" + b"\x02\x01\x00\x08" + TICKET + b"\x00"
    client.log_on()
    assert client.ask(b"\x53\x09\x07abcdefgh") == b"\x09\x07hgfedcba"
    assert tables.asked[-1] == Authenticate(7, b"abcdefgh")
    for cut in (b"\x53", b"\x53\x00", b"\x53\x09\x07abc", b"\x53\x01\x07abc"):
        with pytest.raises(Answer, match="0x01"):
            client.ask(cut)
    assert len([asked for asked in tables.asked if isinstance(asked, Authenticate)]) == 1


@pytest.mark.parametrize("size", [16, 17, 63, 64, 65, 255, 256, 512, 1024, 5011, 5012, 8191, 8192])
def test_segmentation(size: int) -> None:
    tables, _, client = plugged()
    client.identify()
    assert client.negotiate(size, 255, 0x06)[:2] == min(size, 8191).to_bytes(2, "big")
    client.log_on()
    if 5004 <= 255 * (client.size - 8):
        assert client.read(2) == tables.tables[2]
    else:
        with pytest.raises(Answer, match="0x04"):
            client.read(2)
    assert client.read(1) == tables.tables[1]
    client.write(9, b"0123456789abcdefghij")
    assert tables.tables[9] == b"0123456789abcdefghij"


@pytest.mark.slow
@pytest.mark.parametrize("low", range(16, 8192, 256))
def test_segmentation_at_every_size(low: int) -> None:
    for size in range(low, min(low + 256, 8193)):
        test_segmentation(size)


def test_what_does_not_go_into_one_packet() -> None:
    """Default of one packet of 64: 52 bytes of a table with code, count and checksum."""
    tables, _, client = plugged()
    tables.tables |= {4: bytes(52), 5: bytes(53)}
    client.identify()
    client.log_on()
    assert client.read(4) == bytes(52)
    with pytest.raises(Answer, match="0x04"):
        client.read(5)


def test_negotiate_agrees_to_no_more_than_was_offered() -> None:
    _, line, client = plugged()
    client.identify()
    assert client.ask(b"\x62\x20\x00\xff\x06\x0a") == b"\x1f\xff\xff\x0a"
    assert line.device.baud == 57600
    assert client.ask(b"\x61\x00\x40\x01\x0e") == b"\x00\x40\x01\x0a", "256000 it does not have: it stays"
    assert client.ask(b"\x60\x00\x40\x01") == b"\x00\x40\x01"
    for wrong in (b"\x60\x00\x0f\x01", b"\x60\x00\x40\x00", b"\x60\x00\x40", b"\x61\x00\x40\x01"):
        with pytest.raises(Answer, match="0x01"):
            client.ask(wrong)


def test_the_baud_changes_when_the_answer_is_acknowledged_and_goes_back() -> None:
    tables, line, client = plugged()
    client.identify()
    line.write(packet(b"\x61\x00\x40\x01\x0c", 0x20))
    assert line.read(1, 1) == b"\x06"
    line.read(13, 1)
    assert tables.session.baud == 9600
    line.write(b"\x06")
    assert tables.session.baud == 115200
    line.wait(6.1)
    assert tables.session.baud == 9600
    client.restart()
    client.identify()
    client.negotiate(64, 1, 0x0C)
    client.terminate()
    assert tables.session.baud == 9600


def test_the_traffic_time_out() -> None:
    tables, line, client = plugged()
    client.identify()
    client.log_on()
    line.wait(5.9)
    assert client.read(1) == tables.tables[1]
    line.wait(6.1)
    assert tables.session.take_news() == [SessionNews.BEGAN, SessionNews.LEVEL_DROPPED, SessionNews.BROKE_OFF]
    client.restart()
    with pytest.raises(Answer, match="0x0a"):
        client.read(1)


def test_wait_extends_it_once() -> None:
    tables, line, client = plugged()
    client.identify()
    client.log_on()
    client.ask(b"\x70\x3c")
    line.wait(59)
    assert tables.session.state is SessionState.LOGGED_ON
    client.read(1)
    line.wait(6.1)
    assert tables.session.state is SessionState.BASE


def test_timing_setup_of_c12_21() -> None:
    tables, line, client = plugged(REMOTE)
    assert client.identify() == b"\x02\x02\x00\x00"
    assert client.ask(b"\x71\x0a\x01\x04\x03") == b"\x0a\x01\x04\x03"
    line.wait(9.8)
    assert tables.session.state is SessionState.IDENTIFIED
    line.wait(0.3)
    assert tables.session.state is SessionState.BASE


def test_an_answer_that_nobody_acknowledges_is_sent_four_times() -> None:
    tables, line, _ = plugged()
    line.write(packet(b"\x20"))
    came = line.read(1000, 20)
    answer = packet(b"\x00\x00\x02\x00\x00")
    assert came == b"\x06" + answer * 4
    assert tables.session.state is SessionState.BASE
    assert tables.session.take_news() == [SessionNews.BEGAN, SessionNews.BROKE_OFF]


def test_nak_has_it_sent_again_at_once() -> None:
    _, line, _ = plugged()
    line.write(packet(b"\x20"))
    first = line.read(14, 1)[1:]
    line.write(b"\x15")
    assert line.read(13, 0.1) == first


def test_a_client_that_loses_its_last_acknowledgement() -> None:
    """termineter flushes its output after a terminate (c12.md, checklist 3): the next packet acknowledges."""
    tables, line, client = plugged()
    client.identify()
    client.log_on()
    client.send(b"\x21")
    line.read(9, 1)
    client.restart()
    assert client.identify() == b"\x00\x02\x00\x00"
    assert client.resent == 0
    assert tables.session.take_news()[-2:] == [SessionNews.ENDED, SessionNews.BEGAN]


def test_repeated_packets() -> None:
    """Checklist 5: acknowledged and left, but an identify whose answer was acknowledged is answered again."""
    tables, line, client = plugged()
    client.identify()
    client.restart()
    client.identify()
    client.log_on()
    again = packet(b"\x30\x00\x01", 0x00)
    line.write(again)
    reads = len(tables.asked)
    answer = line.read(45, 0.2)
    assert answer[0] == 0x06
    line.write(again)
    assert line.read(45, 0.2) == answer, "who did not get the acknowledgement did not get the answer"
    line.write(b"\x06")
    line.write(again)
    assert line.read(45, 0.2) == b"\x06"
    assert len(tables.asked) == reads


def test_a_client_that_starts_again_in_a_session_comes_in_once_it_is_over() -> None:
    tables, line, client = plugged()
    client.identify()
    client.log_on()
    refused = 0
    while True:
        client.restart()
        try:
            client.identify()
            break
        except Answer as answer:
            refused += answer.code == Code.ISSS
            line.wait(1)
    assert 4 <= refused <= 7
    assert tables.session.state is SessionState.IDENTIFIED


def test_a_packet_that_breaks_off_is_complained_about_after_half_a_second() -> None:
    _, line, _ = plugged()
    line.write(packet(b"\x20")[:8])
    begun = line.now_ns
    assert line.read(1, 2) == b"\x15"
    assert 0.5 * S <= line.now_ns - begun <= 0.52 * S
    line.write(b"\xee\x00")
    assert line.read(1, 2) == b"", "two bytes may be noise"


GOOD = packet(b"\x20")


@pytest.mark.parametrize(
    ("broken", "seconds"),
    [
        (b"\xee" + GOOD, 0.02),  # a byte of noise that looks like a beginning
        (GOOD[:1] + b"\x04" + GOOD[2:], 0.02),  # the identity
        (GOOD[:2] + b"\x80" + GOOD[3:], 0.02),
        (GOOD[:3] + b"\x01" + GOOD[4:], 0.02),
        (GOOD[:4] + b"\x40" + GOOD[5:], 0.52),  # the length: all that comes is part of it, until nothing comes
        (GOOD[:5] + b"\x03" + GOOD[6:], 0.52),
        (GOOD[:3], 0.52),
        (GOOD[:5], 0.52),
        (GOOD[:-1], 0.52),
    ],
)
def test_a_broken_header_is_complained_about_at_once_or_once_the_line_is_quiet(broken: bytes, seconds: float) -> None:
    """c12.md §1.2: 500 ms between characters; a client that hears nothing waits 2 s, termineter 1 s."""
    _, line, _ = plugged()
    line.write(broken)
    begun = line.now_ns
    assert line.read(1, 2) == b"\x15"
    assert line.now_ns - begun <= seconds * S
    line.wait(0.1)
    line._coming.clear()
    line.write(GOOD)
    assert line.read(1, 2) == b"\x06"


def test_a_broken_header_on_a_shared_line_may_be_anothers() -> None:
    _, line, _ = plugged(replace(REMOTE, address=7, shared_line=True))
    line.write(GOOD[:1] + b"\x04" + GOOD[2:])
    assert line.read(1, 2) == b""


def test_a_message_whose_packets_do_not_follow_each_other_is_an_error() -> None:
    for follows in ((2, 0), (1, 1, 0), (0,), (2, 3, 1, 0)):
        _, line, client = plugged()
        client.identify()
        toggle = 0x20
        for number, follow in enumerate(follows):
            control = 0x80 | toggle | (0x40 if number == 0 and len(follows) > 1 else 0)
            line.write(packet(b"\x30\x00\x01"[number : number + 1], control, follow))
            assert line.read(1, 1) == b"\x06"
            toggle ^= 0x20
        assert client.receive() == b"\x01", follows


def test_a_shared_line() -> None:
    """C12.21: a device that is not addressed is silent, and so it is to everybody (identity 0)."""
    from dataclasses import replace

    _, line, client = plugged(replace(REMOTE, address=7, shared_line=True))
    for identity in (0, 6, 8):
        line.write(packet(b"\x20", identity=identity))
        line.write(packet(b"\x20", identity=identity)[:-1] + b"\x00")
        assert line.read(1, 5) == b""
    client.identity = 7
    assert client.identify() == b"\x02\x02\x00\x00"
    line.write(packet(b"\x30\x00\x01", 0x20, identity=7))
    assert line.read(3, 1)[1:] == b"\xee\x07", "it answers with its own"


def test_what_is_no_message() -> None:
    tables, _, client = plugged()
    client.identify()
    client.log_on()
    for message, code in (
        (b"\x00", "0x02"), (b"\x1f", "0x02"), (b"\x7f", "0x02"), (b"\xff" * 20, "0x02"), (b"\x30", "0x01"),
        (b"\x30\x00", "0x01"), (b"\x30\x00\x01\x00", "0x01"), (b"\x3f\x00\x01", "0x01"), (b"\x3e", "0x02"),
        (b"\x40\x00\x09\x00\x05ab", "0x01"), (b"\x40\x00\x09\x00\x01\x05\xfa", "0x01"), (b"\x51\x00", "0x01"),
        (b"\x20\x00", "0x01"), (b"\x6c\x00\x40\x01" + bytes(12), "0x02"),
    ):  # fmt: skip
        with pytest.raises(Answer, match=code):
            client.ask(message)
    client.send(b"")
    assert client.receive() == b"\x01"
    assert client.read(1) == tables.tables[1]


def script(client: PsemClient) -> list[bytes]:
    """A session with packets of several kinds; all that it read."""
    client.identify()
    client.negotiate(32, 4, 0x06)
    client.log_on()
    client.password(b"right")
    found = [client.read(1), client.read_part(2, 100, 60)]
    client.write(9, b"written by the client")
    found.append(client.read(9))
    client.terminate()
    return found


def clean() -> tuple[list[bytes], int, int]:
    """What a session reads without any fault, and the bytes of it either way."""
    counts = [0, 0]

    def count(way: int) -> Callable[[bytes], bytes]:
        def counted(data: bytes) -> bytes:
            counts[way] += len(data)
            return data

        return counted

    _, _, client = plugged(to_device=count(0), to_client=count(1))
    return script(client), counts[0], counts[1]


def damaged(way: str, at: int, change: Callable[[int], bytes]) -> tuple[list[bytes] | None, Tables]:
    """Run the session with the byte `at` of one direction changed; what it read, None where it broke off."""
    passed = 0

    def through(data: bytes) -> bytes:
        nonlocal passed
        out = bytearray()
        for byte in data:
            out += change(byte) if passed == at else bytes((byte,))
            passed += 1
        return bytes(out)

    tables, line, client = plugged(**{way: through})
    try:
        found: list[bytes] | None = script(client)
    except (LineSilent, NotAcknowledged, Answer):
        found = None
    line.wait(20)
    assert tables.session.state is SessionState.BASE
    assert tables.session.baud == 9600
    return found, tables


def _each_byte_once(step: int) -> None:
    expected, to_device, to_client = clean()
    ended = 0
    for way, count in (("to_device", to_device), ("to_client", to_client)):
        for at in range(0, count, step):
            for change in (
                lambda byte: b"", lambda byte, at=at: bytes((byte ^ 1 << at % 8,)), lambda byte: bytes((0xEE,)),
                lambda byte: bytes((byte, byte)), lambda byte: b"\x06", lambda byte: b"\xee\xee" + bytes((byte,)),
            ):  # fmt: skip
                found, _ = damaged(way, at, change)
                assert found in (expected, None)
                ended += found is None
    assert ended == 0 or step == 1 or ended < 10


def test_one_byte_lost_changed_or_doubled_here_and_there() -> None:
    _each_byte_once(23)


@pytest.mark.slow
def test_one_byte_lost_changed_or_doubled_anywhere() -> None:
    _each_byte_once(1)


@pytest.mark.slow
def test_every_single_bit_of_a_session() -> None:
    """Corrected, or ended cleanly."""
    expected, to_device, to_client = clean()
    for way, count in (("to_device", to_device), ("to_client", to_client)):
        for at in range(count):
            for bit in range(8):
                found, _ = damaged(way, at, lambda byte, bit=bit: bytes((byte ^ 1 << bit,)))
                assert found in (expected, None)


@given(st.randoms(use_true_random=False))
def test_however_the_bytes_are_read(chance: random.Random) -> None:
    _, _, client = plugged(pieces=lambda: chance.choice((1, 2, 3, 5, 8, 40)))
    assert script(client) == clean()[0]


def _hostile(frames: int, seed: int) -> None:
    """Frames, half frames and pauses at random: no exception, no unbounded growth; then a session as ever."""
    chance = random.Random(seed)
    tables, line, client = plugged()
    session = tables.session
    for _ in range(frames):
        kind = chance.randrange(6)
        body = bytes((chance.choice((*range(0x1F, 0x74), 0, 255)),)) + chance.randbytes(chance.randrange(30))
        data = packet(body, chance.randrange(256) & 0xE0, chance.randrange(3), chance.choice((0, 0, 0, 1)))
        if kind == 0:
            data = data[: chance.randrange(len(data))]
        elif kind == 1:
            data = chance.randbytes(chance.randrange(60))
        elif kind == 2:
            data = packet(chance.choice(list(REQUESTS.values())), chance.choice((0, 0x20)))
        elif kind == 3:
            data += chance.choice((b"\x06", b"\x15"))
        line.now_ns += chance.choice((0, 1000, 10**6, 10**8, 10**9))
        session.feed(data, line.now_ns)
        tables.serve(line.now_ns)
        assert len(session.output(line.now_ns)) <= 8192
        assert len(session._link.received) <= 16
        tables.asked.clear()
        session.take_news()
        line.now_ns += chance.choice((0, 200_000, 10**7, 10**9))
        session.tick(line.now_ns)
    line.wait(60)
    tables.tables[9] = bytes(20)
    line._coming.clear()
    assert script(client)[0] == tables.tables[1]


def test_hostile_frames() -> None:
    _hostile(3000, 1)


@pytest.mark.slow
def test_a_million_hostile_frames() -> None:
    for seed in range(100):
        _hostile(10_000, seed)
