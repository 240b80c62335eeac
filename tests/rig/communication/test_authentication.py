"""Authentication of C12.21 by DES: vectors, levels, tickets, lock-out, the log, keys that are none (X-1, S-1).

The client's DES is tests/rig/communication/fips46.py, which shares nothing with the library that the meter uses.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fips46 import des
from keyed_port import KEY, PROGRAM, KeyedPort
from modem_bench import ModemBench
from psem_client import Answer, packet
from served_port import ServedPort

from rig.communication.c1218.settings import REMOTE
from rig.communication.modem.settings import ModemSettings
from rig.communication.port.serving import Serving
from rig.daemon.internal import Ask
from rig.daemon.protocol import Done, DrawTicket, LogOff, LogOnByToken, RequestRefused
from rig.daemon.requests import Requests
from rig.hardware.config import AuthenticationConfig, PortConfig, load
from rig.hardware.des_key import DesKey, DesKeyError
from rig.hardware.key_file import KeyFileError
from rig.meter.access.decision import Granted
from rig.meter.access.events import LoggedOn, LogOnFailed, LogOnLockedOut
from rig.meter.billing.source import Source
from rig.service.port_keys import PortKeys

TICKET = bytes.fromhex("0123456789ABCDEF")

ERR, ISC = "0x01", "0x03"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[KeyedPort]:
    port = KeyedPort(tmp_path)
    yield port
    port.close()


def test_the_vectors() -> None:
    """c12.md §1.6, as seen from a client of others, and FIPS 46's textbook block for the witness itself."""
    assert des(bytes.fromhex("133457799BBCDFF1"), TICKET) == bytes.fromhex("85E813540F0AB405")
    token, answer = bytes.fromhex("46A7CE2D647F39F5"), bytes.fromhex("35A1DEBF4C767D3B")
    for encrypted in (DesKey(KEY).encrypted, lambda block: des(KEY, block)):
        assert (encrypted(TICKET), encrypted(token)) == (token, answer)
    assert packet(b"\x53\x09\x01" + token).hex() == "ee0000 00000b 530901 46a7ce2d647f39f5 7702".replace(" ", "")
    assert packet(b"\x00\x09\x01" + answer).hex() == "ee0000 00000b 000901 35a1debf4c767d3b 2c88".replace(" ", "")
    key, block = os.urandom(8), os.urandom(8)
    assert DesKey(key).encrypted(block) == des(key, block)


def test_a_session_with_a_key(port: KeyedPort) -> None:
    ticket = port.begin()
    with pytest.raises(Answer, match=ISC):
        port.client.read(3)
    token = des(KEY, ticket)
    assert port.authenticate(token, 7) == des(KEY, token), "the meter has the key, too"
    assert port.port.level == 1
    assert port.client.read(3)
    port.client.write(7, struct.pack("<HBB", 9, 3, 1))
    assert port.client.read(8)[3] == 5, "a demand reset takes level 2"
    port.client.password(b"222222")
    assert port.port.level == 2, "a password still does"
    port.end()
    assert port.port.level == 0
    assert [(event.source, event.level) for event in port.log if isinstance(event, LoggedOn)] == [
        (Source.RS232, 1),
        (Source.RS232, 2),
    ]


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_it_gives_the_level_that_is_set_and_nothing_that_the_port_may_not(tmp_path: Path, level: int) -> None:
    port = KeyedPort(tmp_path, level)
    try:
        before = port.served.reading()
        port.authenticate(des(KEY, port.begin()))
        assert port.port.level == level

        def result(procedure: int, parameters: bytes) -> int:
            port.client.write(7, struct.pack("<HB", procedure, 9) + parameters)
            return port.client.read(8)[3]

        assert result(0, b"") != 0, "a cold start, which is for the optical port, and under seal for nobody"
        assert result(3, b"\x01") != 0, "clear data: the same"
        assert port.served.reading() == before
        assert (result(9, b"\x01") == 0) is (level >= 2)
        port.end()
    finally:
        port.close()


def test_a_ticket_is_good_for_one_token(port: KeyedPort) -> None:
    first = port.begin()
    port.end()
    second = port.begin()
    assert first != second
    with pytest.raises(Answer, match=ERR):
        port.authenticate(des(KEY, first))
    with pytest.raises(Answer, match=ERR):
        port.authenticate(des(KEY, second))
    assert port.port.level == 0
    port.served.run(1.1)
    port.end()
    third = port.begin()
    port.authenticate(des(KEY, third))
    port.client.log_off()
    port.client.log_on()
    assert port.port.level == 0
    with pytest.raises(Answer, match=ERR):
        port.authenticate(des(KEY, third))


def test_an_identify_before_the_answer_is_acknowledged_gives_the_same_ticket_and_after_it_another(
    port: KeyedPort,
) -> None:
    tickets = []
    for acknowledged in (False, True, False):
        port.line.write(packet(b"\x20"))
        came = port.line.read(1 + 8 + 17, 1)
        tickets.append(came[14:22])
        if acknowledged:
            port.line.write(b"\x06")
    assert tickets[0] == tickets[1] != tickets[2]


def test_tokens_and_passwords_count_together(port: KeyedPort) -> None:
    for give in (lambda: port.authenticate(bytes(8)), lambda: port.client.password(b"0bad00")):
        port.begin()
        with pytest.raises(Answer):
            give()
        port.end()
    ticket = port.begin()
    with pytest.raises(Answer, match=ERR):
        port.authenticate(des(b"87654321", ticket))
    port.end()
    ticket = port.begin()
    with pytest.raises(Answer, match=ERR):
        port.authenticate(des(KEY, ticket))
    with pytest.raises(Answer, match=ISC):
        port.client.password(b"111111")
    failures = [event.failures for event in port.log if isinstance(event, LogOnFailed)]
    assert failures == [1, 2, 3], "what came during the lock was not looked at"
    assert sum(isinstance(event, LogOnLockedOut) for event in port.log) == 1
    port.served.run(1.1)
    port.end()
    port.authenticate(des(KEY, port.begin()))
    assert port.port.level == 1
    other = port.served.service.access.log_on(Source.MODEM, bytes.fromhex("111111"), port.log[-1].utc_ns)
    assert isinstance(other, Granted), "another port is not locked by it"


@pytest.mark.parametrize("token", [b"", b"1", bytes(7), bytes(9), bytes(16), b"\xff" * 40])
def test_a_token_of_another_length_is_a_wrong_one(port: KeyedPort, token: bytes) -> None:
    port.begin()
    with pytest.raises(Answer, match=ERR):
        port.authenticate(token)
    assert [event.failures for event in port.log if isinstance(event, LogOnFailed)] == [1]


def test_a_ticket_is_its_own_clients(port: KeyedPort) -> None:
    """Whoever else may open the meter's socket cannot use it, and his own needs the key as well."""
    requests = port.served.requests

    def ask(client: int, asked: Any) -> Any:
        return requests.execute(Ask(client, 0, Source.RS232.value, "", 1, asked)) or requests.settled()[0][1]

    drawn = ask(5, DrawTicket())
    assert isinstance(drawn, Done)
    token = des(KEY, bytes.fromhex(drawn.result["ticket"]))
    assert isinstance(ask(6, LogOnByToken(token.hex())), RequestRefused)
    assert ask(5, LogOnByToken(token.hex())).result == {"level": 1, "token": des(KEY, token).hex()}
    assert isinstance(ask(5, LogOnByToken(token.hex())), RequestRefused)
    ask(7, DrawTicket())
    requests.forget(7)
    assert isinstance(ask(7, LogOnByToken("no digits")), RequestRefused)
    for source in (Source.OPTICAL, Source.COMMAND_LINE):
        refused = requests.execute(Ask(8, 0, source.value, "", 1, DrawTicket()))
        assert isinstance(refused, RequestRefused)
        assert "has no key" in refused.sentence


def test_only_the_newest_ticket_and_only_once(port: KeyedPort) -> None:
    """Three clients draw, try, give up and leave at random; the oracle is what each of them drew last."""
    requests, chance = port.served.requests, random.Random(1)
    drawn: dict[int, list[bytes]] = {1: [], 2: [], 3: []}
    good: dict[int, bytes] = {}

    def ask(client: int, asked: Any) -> Any:
        return requests.execute(Ask(client, 0, Source.RS232.value, "", 1, asked)) or requests.settled()[0][1]

    granted = 0
    for _ in range(400):
        client = chance.choice((1, 2, 3))
        port.served.service.access.state.attempts.clear()
        match chance.randrange(8):
            case 0 | 1:
                good[client] = bytes.fromhex(ask(client, DrawTicket()).result["ticket"])
                drawn[client].append(good[client])
            case 2:
                requests.forget(client)
                good.pop(client, None)
            case 3:
                assert isinstance(ask(client, LogOff()), Done)
            case kind:
                known = [ticket for tickets in drawn.values() for ticket in tickets]
                newest = good.pop(client, None)  # any token uses it up
                ticket = chance.choice(known or [bytes(8)]) if kind == 4 or newest is None else newest
                token = des(KEY, ticket) if kind < 7 else chance.randbytes(8)
                reply = ask(client, LogOnByToken(token.hex()))
                right = kind < 7 and ticket == newest
                assert isinstance(reply, Done) is right
                granted += right
    assert granted > 20


def test_through_a_modem(tmp_path: Path) -> None:
    """A call that is cut takes the level with it; the next has another ticket."""
    bench = ModemBench(PROGRAM, ModemSettings())
    try:
        (tmp_path / "key").write_text(KEY.hex())
        (tmp_path / "key").chmod(0o600)
        config = PortConfig(name="", kind="modem", authentication=AuthenticationConfig(str(tmp_path / "key")))
        service = bench.served.service
        bench.served.requests = Requests(service, service.program, port_keys=PortKeys([config]))
        bench.link = replace(bench.link, authenticates=True)
        bench.plug_in(ModemSettings())
        tickets = []
        for _ in range(2):
            assert bench.call_in()
            tickets.append(bench.client.identify()[7:15])
            bench.client.log_on()
            token = des(KEY, tickets[-1])
            assert bench.client.ask(b"\x53\x09\x01" + token) == b"\x09\x01" + des(KEY, token)
            assert bench.client.read(3)
            assert bench.port.port.level == 1
            bench.put_down()
            bench.wait(5)
            assert bench.port.port.level == 0
        assert tickets[0] != tickets[1]
    finally:
        bench.close()


def test_another_key_in_the_file_is_in_force_from_the_next_identify_on(port: KeyedPort) -> None:
    ticket = port.begin()
    port.write(b"AnOtHeR!")
    port.authenticate(des(KEY, ticket))
    port.end()
    port.authenticate(des(b"AnOtHeR!", port.begin()))
    port.end()
    unused = port.begin()
    port.end()
    port.file.chmod(0o644)
    port.client.restart()
    assert port.client.identify() == b"\x02\x02\x00\x00", "a key that others can read is none"
    port.client.log_on()
    with pytest.raises(Answer, match=ERR):
        port.authenticate(des(b"AnOtHeR!", unused))
    port.client.password(b"111111")
    port.end()


def test_without_a_key_nothing_is_offered() -> None:
    port = ServedPort(PROGRAM, settings=REMOTE, optical=False)
    try:
        assert port.client.identify() == b"\x02\x02\x00\x00"
        port.client.log_on()
        with pytest.raises(Answer, match="0x02"):
            port.client.ask(b"\x53\x09\x01" + bytes(8))
    finally:
        port.close()


WEAK = "one of the sixteen weak keys"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "sixteen hexadecimal digits"), ("31323334353637", "sixteen"), ("12345678", "sixteen"),
        ("3132333435363738 ff", "sixteen"), ("\n\n", "sixteen"), ("\xff" * 16, "no text"), ("31" * 40, "sixteen"),
        ("3132333435363738" + " " * 60 + "and more", "sixteen"),
        ("0" * 16, WEAK), ("0101010101010101", WEAK), ("fefefefefefefefe", WEAK), ("FFFFFFFFFFFFFFFF", WEAK),
        ("1f1f1f1f0e0e0e0e", WEAK), ("01fe01fe01fe01fe", WEAK),
    ],
)  # fmt: skip
def test_what_is_no_key(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "key").write_text(text, encoding="latin-1")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(KeyFileError, match=why) as found:
        _serve(tmp_path)
    assert "ports.authentication.key_file of line: " in str(found.value)
    said = str(found.value).replace(str(tmp_path), "")
    assert not text.strip() or text not in said


def test_a_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "key"
    with pytest.raises(KeyFileError, match="cannot be read"):
        _serve(tmp_path)
    file.write_text(KEY.hex())
    for mode in (0o640, 0o604, 0o620, 0o602, 0o644):
        file.chmod(mode)
        with pytest.raises(KeyFileError, match=f"chmod 600 {file}"):
            _serve(tmp_path)
    file.chmod(0o400)
    _serve(tmp_path)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to("elsewhere")
    with pytest.raises(KeyFileError, match="symbolic link"):
        _serve(tmp_path)
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(KeyFileError, match="FIFO"):
        _serve(tmp_path)


def _serve(folder: Path) -> None:
    """Start a port with the key in this folder, and end it."""
    (folder / "rig.toml").write_text(
        "[[ports]]\nname = 'line'\nkind = 'rs-232'\nauthentication = { key_file = 'key' }\n"
    )
    serving = Serving(load(folder / "rig.toml").ports[0], folder / "m.sock", "0", print)
    serving.stopped = True
    serving.run()


def test_what_can_be_no_authentication(tmp_path: Path, command_line) -> None:
    for text, why in (
        ("authentication = { key_file = 'k' }\n", "authentication is of C12.21: leave it out for port optical"),
        ("kind = 'rs-232'\nauthentication = { level = 1 }\n", "key_file"),
        ("kind = 'rs-232'\nauthentication = { key_file = 'k', level = 0 }\n", "level"),
        ("kind = 'rs-232'\nauthentication = { key_file = 'k', level = 5 }\n", "level"),
        ("kind = 'rs-232'\nauthentication = { key_file = 'k' }\n", "k cannot be read (No such file"),
        ("kind = 'rs-232'\nauthentication = { key = '3132333435363738' }\n", "key"),
    ):
        (tmp_path / "rig.toml").write_text("[[ports]]\n" + text)
        ended = command_line("port", "serve", "--socket", tmp_path / "m.sock")
        assert (ended.status, why in ended.err, ended.err.count("\n")) == (2, True, 1), ended.err
        assert "3132333435363738" not in ended.err


def test_the_weak_keys_are_weak() -> None:
    """Each turns DES, or DES by its partner, into its own inverse; so does no key that is taken."""
    for text in ("0101010101010101", "FEFEFEFEFEFEFEFE", "E0E0E0E0F1F1F1F1", "1F1F1F1F0E0E0E0E"):
        key = bytes.fromhex(text)
        assert des(key, des(key, TICKET)) == TICKET
        with pytest.raises(DesKeyError):
            DesKey(key)
    assert des(KEY, des(KEY, TICKET)) != TICKET
    assert "31323334" not in repr(DesKey(KEY))
    assert "12345678" not in repr(DesKey(KEY))


def test_a_keyring_with_keys_that_are_none(tmp_path: Path, command_line) -> None:
    for text, why in (
        ('[keys]\n"*" = "12"\n', "the key of '*' must be sixteen hexadecimal digits"),
        ('[keys]\n"*" = 12\n', "the key of '*' is no text"),
        ("keys = 3\n", "other tables than [passwords] and [keys]"),
        ("", "other tables"),
        ('[keys]\n"*" = "0101010101010101"\n', "weak"),
    ):
        (tmp_path / "ring.toml").write_text(text)
        (tmp_path / "ring.toml").chmod(0o600)
        ended = command_line("read", "/dev/none", "--keyring", tmp_path / "ring.toml")
        assert (ended.status, why in ended.err, ended.err.count("\n")) == (2, True, 1), ended.err
