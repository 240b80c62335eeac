"""The connection to a broker: its table walked, users, TLS, and brokers that are none."""

from __future__ import annotations

import os
import select
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rig.files.strict_toml import ConfigError
from rig.hardware.config import load
from rig.hardware.publishing_config import MqttConfig
from rig.publishing.broker import ANSWER_S, LEAST_PAUSE_S, MOST_PAUSE_S, Broker, check_files, read_password
from rig.publishing.errors import PublishingError
from rig.publishing.messages import Message, Topics
from tests.rig.publishing.publishing_bench import Mosquitto, free_port, program, wait_for

TOPICS = Topics("ae0764/m/state", "ae0764/m/availability", "homeassistant", "m")


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def broker(config: MqttConfig, clock: Callable[[], float] | None = None) -> tuple[Broker, list[str]]:
    said: list[str] = []
    return (Broker(config, TOPICS, said.append, clock) if clock else Broker(config, TOPICS, said.append)), said


def until_connected(made: Broker) -> None:
    def connected() -> bool:
        made.step()
        return made.connected

    wait_for(connected, 10)


def test_pauses_grow_to_their_most_while_nobody_is_there() -> None:
    clock = Clock()
    made, said = broker(MqttConfig(broker="127.0.0.1", port=free_port()), clock)
    expected = LEAST_PAUSE_S
    for _ in range(10):
        made.step()
        assert made.socket is None
        tried, clock.s = made.pause_s, clock.s + expected - 1e-6
        made.step()
        assert made.pause_s == tried, "before the pause is over nothing is tried"
        clock.s += 1e-6
        expected = min(2 * expected, MOST_PAUSE_S)
        assert tried == expected
    assert expected == MOST_PAUSE_S
    assert len(said) == 1, "each cause is said once"
    assert "Connection refused" in said[0]


def test_who_accepts_and_never_answers_is_left() -> None:
    clock = Clock()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        made, said = broker(MqttConfig(broker="127.0.0.1", port=mute.getsockname()[1]), clock)
        made.step()
        assert made.socket is not None
        clock.s += ANSWER_S - 0.1
        made.step()
        assert made.socket is not None
        clock.s += 0.1
        made.step()
        assert made.socket is None
        assert made.pause_s == 2 * LEAST_PAUSE_S
        assert "does not answer" in said[0]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\x02\x00\x05", b"\xff" * 64, b""])
def test_who_answers_something_else_is_left(answer: bytes) -> None:
    """The second is a CONNACK that refuses: not authorized (MQTT 3.1.1, table 3.1)."""
    clock = Clock()
    with socket.create_server(("127.0.0.1", 0)) as other:
        made, said = broker(MqttConfig(broker="127.0.0.1", port=other.getsockname()[1]), clock)
        made.step()
        peer, _ = other.accept()
        with peer:
            peer.sendall(answer)
            peer.shutdown(socket.SHUT_WR)
            while (connection := made.socket) is not None:
                select.select([connection], [], [], 1)
                made.step()
    assert not made.connected
    assert said
    assert made.pause_s == 2 * LEAST_PAUSE_S
    assert "Traceback" not in said[0]


def test_a_broker_that_accepts_and_goes_at_once_is_tried_less_and_less_often() -> None:
    """As where two clients have one name, and end each other; one that stayed for two minutes is tried at once."""
    clock = Clock()
    pauses, lasting = [], [0, 1, 4, 30, 119, 120, 1]
    with socket.create_server(("127.0.0.1", 0)) as fickle:
        made, said = broker(MqttConfig(broker="127.0.0.1", port=fickle.getsockname()[1]), clock)
        for seconds in lasting:
            made.step()
            peer, _ = fickle.accept()
            with peer:
                peer.sendall(b"\x20\x02\x00\x00")
                until_connected(made)
                clock.s += seconds
            wait_for(lambda: made.step() or not made.connected)
            pauses.append(made.pause_s / 2)
            clock.s += made.pause_s / 2
    assert pauses == [1, 2, 4, 8, 16, 1, 2]
    assert [sentence.count("another client has the same mqtt.id") for sentence in said[1::2]] == [1, 1, 1, 0, 0, 0, 1]


def test_who_leaves_in_order_reports_nothing() -> None:
    clock = Clock()
    with socket.create_server(("127.0.0.1", 0)) as other:
        made, said = broker(MqttConfig(broker="127.0.0.1", port=other.getsockname()[1]), clock)
        made.step()
        peer, _ = other.accept()
        with peer:
            peer.sendall(b"\x20\x02\x00\x00")
            until_connected(made)
            peer.sendall(b"\x40\x02\x00\x01")  # its last message will be acknowledged
            made.close(Message("ae0764/m/availability", b"offline"))
    assert not made.connected
    assert [sentence.split()[0] for sentence in said] == ["connected"]


def test_a_broker_that_takes_nothing_gets_nothing_more(tmp_path: Path) -> None:
    real = Mosquitto(tmp_path)
    try:
        made, _ = broker(MqttConfig(broker="127.0.0.1", port=real.port))
        until_connected(made)
        assert made.take_new()
        assert not made.take_new()
        made.publish(Message("ae0764/m/state", b"1"))
        assert made.behind
        wait_for(lambda: made.step() or not made.behind)
        made.close(Message("ae0764/m/availability", b"offline"))
        assert made.socket is None
    finally:
        real.close()


def test_a_user_is_accepted_with_the_password_of_its_file_and_not_with_another(tmp_path: Path) -> None:
    users = tmp_path / "users"
    subprocess.run([program("mosquitto_passwd"), "-c", "-b", str(users), "meter", "sésame 1"], check=True)
    real = Mosquitto(tmp_path, "allow_anonymous false", f"password_file {users}")
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    for file, text in ((right, "sésame 1\n"), (wrong, "sesame")):
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
    try:
        base = MqttConfig(broker="127.0.0.1", port=real.port, user="meter", password_file=str(right))
        made, _ = broker(base)
        until_connected(made)
        made.close(Message("ae0764/m/availability", b"offline"))
        for refused in (MqttConfig(broker="127.0.0.1", port=real.port, user="meter", password_file=str(wrong)),
                        MqttConfig(broker="127.0.0.1", port=real.port)):  # fmt: skip
            made, said = broker(refused)
            wait_for(lambda made=made, said=said: made.step() or said)
            assert "Not authorized" in said[0]
            assert "sesame" not in said[0]
    finally:
        real.close()


def certificates(folder: Path) -> None:
    """Make an authority, and its certificate for "localhost", by openssl; and another authority."""
    openssl = program("openssl")

    def run(*words: str) -> None:
        subprocess.run([openssl, *words], check=True, cwd=folder, capture_output=True)

    for name in ("ca", "other"):
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")  # fmt: skip
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "server.key", "-out",
        "server.csr", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")  # fmt: skip
    run("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
        "server.pem", "-days", "2", "-copy_extensions", "copy")  # fmt: skip


# Paho leaves a connection whose handshake fails to Python's collection.
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_tls_is_to_the_broker_that_the_authority_vouches_for(tmp_path: Path) -> None:
    certificates(tmp_path)
    real = Mosquitto(
        tmp_path,
        "allow_anonymous true",
        f"certfile {tmp_path / 'server.pem'}",
        f"keyfile {tmp_path / 'server.key'}",
    )
    try:
        base = {"broker": "localhost", "port": real.port, "tls": True}
        made, _ = broker(MqttConfig(**base, ca_file=str(tmp_path / "ca.pem")))
        until_connected(made)
        made.close(Message("ae0764/m/availability", b"offline"))
        for refused in (MqttConfig(**base, ca_file=str(tmp_path / "other.pem")),
                        MqttConfig(**{**base, "broker": "127.0.0.1"}, ca_file=str(tmp_path / "ca.pem")),
                        MqttConfig(**base)):  # fmt: skip
            made, said = broker(refused)
            wait_for(lambda made=made, said=said: made.step() or said)
            assert "certificate verify failed" in said[0].lower()
            assert not made.connected
    finally:
        real.close()


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (b"secret\n", 0o640, "can be read by others (mode 0640): chmod 600"),
        (b"", 0o600, "is not one line of text"),
        (b"a\nb\n", 0o600, "is not one line of text"),
        (b"a\x1b[2J", 0o600, "is not one line of text"),
        (b"x" * 2000, 0o600, "is not one line of text"),
        (b"\xff\xfe", 0o600, "is not one line of text"),
    ],
)
def test_a_password_file_that_is_none_is_refused(tmp_path: Path, content: bytes, mode: int, said: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    file.chmod(mode)
    with pytest.raises(PublishingError) as refused:
        read_password(file)
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("key", ["password_file", "ca_file", "certificate_file", "key_file"])
def test_a_file_that_could_hold_up_a_start_is_refused(tmp_path: Path, key: str) -> None:
    """A FIFO that nobody writes; a link to a file, as secrets are mounted, is followed."""
    (tmp_path / "real").write_text("secret")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "password").symlink_to("real")
    assert read_password(tmp_path / "password") == "secret"
    os.mkfifo(tmp_path / "fifo", 0o600)
    others = {"certificate_file": "/etc/hostname", "key_file": "/etc/hostname"} if key[0] in "ck" else {}
    config = MqttConfig(user="u", tls=True, **{**others, key: str(tmp_path / "fifo")})
    with pytest.raises(PublishingError, match=f"mqtt.{key} .*it is a FIFO"):
        check_files(config)


@pytest.mark.parametrize(("key", "config"), [
    ("password_file", {"user": "u", "password_file": "/nowhere"}),
    ("password_file", {"user": "u", "password_file": "/"}),
    ("ca_file", {"tls": True, "ca_file": "/nowhere"}),
    ("ca_file", {"tls": True, "ca_file": "/etc/hostname"}),
    ("certificate_file", {"tls": True, "certificate_file": "/etc/hostname", "key_file": "/etc/hostname"}),
])  # fmt: skip
def test_files_that_cannot_be_used_are_named_before_there_is_a_meter(key: str, config: dict) -> None:
    with pytest.raises(PublishingError, match=f"mqtt.{key}") as refused:
        check_files(MqttConfig(**config))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[mqtt]\nbrokr = 'x'", "did you mean broker"),
        ("[mqtt]\nbroker = ''", "mqtt.broker is '', it must be the name or the address of a computer"),
        ("[mqtt]\nbroker = 'a b'", "mqtt.broker"),
        ("[mqtt]\nport = 0", "mqtt.port is 0, it must be a whole number from 1 to 65535"),
        ("[mqtt]\nid = 'a/b'", "mqtt.id"),
        ("[mqtt]\ntopic = 'a/#'", "mqtt.topic"),
        ("[mqtt]\ntopic = '$SYS'", "mqtt.topic"),
        ("[mqtt]\nevery_s = 0", "mqtt.every_s"),
        ("[mqtt]\npassword_file = 'p'", "mqtt.password_file needs mqtt.user"),
        ("[mqtt]\nca_file = 'p'", "mqtt.ca_file needs mqtt.tls = true"),
        ("[mqtt]\ntls = true\nkey_file = 'p'", "mqtt.certificate_file and mqtt.key_file go together"),
        ("[mqtt]\nenabled = 'yes'", "mqtt.enabled"),
        ("[prometheus]\naddress = 'a b'", "prometheus.address"),
        ("[prometheus]\nport = 70000", "prometheus.port"),
    ],
)
def test_mistakes_in_rig_toml_are_said(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rig.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load(file)
    assert said in str(refused.value)


def test_an_address_that_cannot_be_had_is_said(tmp_path: Path, command_line) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for address, why in (
            ("127.0.0.1", "Address already in use"),
            ("192.0.2.1", "Cannot assign"),
            ("no.such.x", ""),
        ):
            (tmp_path / "rig.toml").write_text(
                f"[daemon]\nsocket = 'm.sock'\n[prometheus]\naddress = '{address}'\nport = {port}\n"
            )
            refused = command_line("publish", "prometheus")
            assert refused.status == 2
            assert f"prometheus.address {address}, prometheus.port {port} cannot be served" in refused.err
            assert why in refused.err
