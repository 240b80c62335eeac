"""Connection to an MQTT broker: one thread, never waited for by a meter, made again with growing pauses (X-4).

| state | event | then |
|---|---|---|
| apart | the pause is over | connects: asked, or apart with a pause twice as long |
| asked | the broker accepts | connected |
| asked | it refuses, or ANSWER_S are over | apart, with a pause twice as long |
| connected | it closes, or does not answer for a keep-alive | apart, likewise; after MOST_PAUSE_S the pause is least |
| any | `close` | apart, for good; whoever was connected says so |

Nothing is published while the broker has not acknowledged what was published before: one that hangs costs no memory.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from rig.files.own import open_regular
from rig.hardware.publishing_config import MqttConfig
from rig.publishing.errors import PublishingError
from rig.publishing.messages import OFFLINE, Message, Topics

LEAST_PAUSE_S, MOST_PAUSE_S = 1.0, 120.0
SOON_S = 5.0
"""A broker that goes so soon after it accepted has somebody else of this name, or minds what it is sent."""

CONNECT_S = 5.0
ANSWER_S = 10.0
KEEP_ALIVE_S = 30
FAREWELL_S = 2.0
"""At the end a broker has so long to take what is still to go."""

MOST_PASSWORD_BYTES = 1000
AT_LEAST_ONCE = 1


class Broker:
    """A broker as configured, at which `topics.availability` becomes "offline" when the connection breaks.

    `report` takes a sentence for whoever looks after the publisher, once for each cause. `now_s` is time.monotonic.
    """

    def __init__(
        self,
        config: MqttConfig,
        topics: Topics,
        report: Callable[[str], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make ready. Raises PublishingError for files that cannot be used."""
        self._config, self._report, self._now_s = config, report, now_s
        self._where = f"{config.broker}, port {config.port_number}"
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"ae0764-{topics.id}")
        self._client.will_set(topics.availability, OFFLINE, AT_LEAST_ONCE, retain=True)
        self._client.max_queued_messages_set(1000)
        self._client.connect_timeout = CONNECT_S
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        if config.user is not None:
            password = None if config.password_file is None else read_password(Path(config.password_file))
            self._client.username_pw_set(config.user, password)
        if config.tls:
            self._client.tls_set_context(_tls(config))
        self.pause_s = LEAST_PAUSE_S
        """How long it waits before it connects again."""
        self._next_s = now_s()
        self._answer_s: float | None = None
        self._accepted_s = 0.0
        self._connected = self._new = False
        self._refused: str | None = None
        self._reported: str | None = None
        self._underway: list[paho.MQTTMessageInfo] = []

    @property
    def connected(self) -> bool:
        """True while the broker has accepted the connection."""
        return self._connected

    @property
    def socket(self) -> socket.socket | None:
        """The connection, for select; None: there is none."""
        found = self._client.socket()
        return found if isinstance(found, socket.socket) else None

    @property
    def waits(self) -> bool:
        """True while something is to go out."""
        return bool(self._client.want_write())

    @property
    def behind(self) -> bool:
        """True while the broker has not acknowledged all that was published."""
        self._underway = [info for info in self._underway if not info.is_published()]
        return bool(self._underway)

    def take_new(self) -> bool:
        """Return whether it has been connected since this was asked last: then it knows nothing."""
        new, self._new = self._new, False
        return new and self._connected

    def publish(self, message: Message) -> None:
        """Publish a retained message; nothing while there is no connection."""
        if self._connected:
            info = self._client.publish(message.topic, message.payload, AT_LEAST_ONCE, retain=True)
            if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._underway.append(info)

    def step(self) -> None:
        """Do what is due: connect, read, write, keep alive."""
        now_s = self._now_s()
        if self.socket is None:
            if now_s >= self._next_s:
                self._connect()
            return
        if self._answer_s is not None and now_s >= self._answer_s:
            self._lose("it does not answer as an MQTT broker does")
            return
        if (connection := self.socket) is not None:
            readable, writable, _ = select.select([connection], [connection] if self.waits else [], [], 0)
            if readable:
                self._client.loop_read()
            if writable and self.socket is not None:
                self._client.loop_write()
        self._client.loop_misc()
        refused, self._refused = self._refused, None
        if refused is not None:
            self._lose(refused)
        elif self.socket is None and self._answer_s is not None:
            self._lose("it closed the connection without accepting it")

    def close(self, last: Message) -> None:
        """Publish a last message, and leave."""
        if self._connected:
            self.publish(last)
            until_s = self._now_s() + FAREWELL_S
            while self.behind and self._connected and (left_s := until_s - self._now_s()) > 0:
                if (connection := self.socket) is None:
                    break
                select.select([connection], [connection] if self.waits else [], [], min(left_s, 0.1))
                self.step()
            self._connected = False  # it ends as it should, and that is nothing to report
            self._client.disconnect()
            if self.socket is not None:
                self._client.loop_write()

    def _connect(self) -> None:
        self._underway = []
        try:
            self._client.connect(self._config.broker, self._config.port_number, KEEP_ALIVE_S)
            self._answer_s = self._now_s() + ANSWER_S
        except (OSError, ValueError) as error:  # a name that cannot be one is a ValueError of the resolver's encoding
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self._lose(why)

    def _lose(self, why: str) -> None:
        """Part, and wait longer than the last time."""
        self._connected, self._answer_s = False, None
        if self.socket is not None:
            with suppress(OSError):
                self._client.disconnect()
                self._client.loop_write()
        if (connection := self.socket) is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            self._client.loop_read()
        self._once(
            f"the broker at {self._where} cannot be used ({why.strip('[]').rstrip('.')}): it is tried again; "
            "mqtt.broker, mqtt.port, mqtt.user and mqtt.tls say which one, and how"
        )
        self._rest()

    def _rest(self) -> None:
        """Connect again after a pause, the next one twice as long."""
        self._next_s = self._now_s() + self.pause_s
        self.pause_s = min(2 * self.pause_s, MOST_PAUSE_S)

    def _on_connect(
        self,
        client: paho.Client,
        data: object,
        flags: paho.ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._answer_s = None
        if code.is_failure:
            self._refused = f"it refuses: {code}"  # paho can do nothing else while it calls this
            return
        self._connected = self._new = True
        self._accepted_s = self._now_s()
        self._once(f"connected to the broker at {self._where}")

    def _on_disconnect(
        self,
        client: paho.Client,
        data: object,
        flags: paho.DisconnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self._connected:
            self._connected = False
            lasted_s = self._now_s() - self._accepted_s
            if lasted_s >= MOST_PAUSE_S:  # shorter ones make pauses grow: two of one name end each other without end
                self.pause_s = LEAST_PAUSE_S
            another = "" if lasted_s >= SOON_S else "; at once, as where another client has the same mqtt.id"
            self._once(f"the broker at {self._where} has gone ({code}{another}): it is tried again")
            self._rest()

    def _once(self, sentence: str) -> None:
        if sentence != self._reported:
            self._reported = sentence
            self._report(sentence)


def check_files(config: MqttConfig) -> None:
    """Read the files that are named, before there is a meter. Raises PublishingError."""
    if config.password_file is not None:
        read_password(Path(config.password_file))
    if config.tls:
        _tls(config)


def read_password(path: Path) -> str:
    """Read a password: a file's one line, which its owner alone may read. Raises PublishingError."""
    try:
        with open_regular(path) as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(MOST_PASSWORD_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise PublishingError(
            f"mqtt.password_file {path} cannot be read ({why}): give a file that holds the password in one line"
        ) from None
    if mode & 0o077:
        raise PublishingError(f"mqtt.password_file {path} can be read by others (mode {mode:04o}): chmod 600 {path}")
    lines = text.decode("utf-8", "surrogateescape").splitlines()
    if len(text) > MOST_PASSWORD_BYTES or len(lines) != 1 or not lines[0].isprintable():
        raise PublishingError(
            f"mqtt.password_file {path} is not one line of text: it must hold the password and no more"
        )
    return lines[0]


def _tls(config: MqttConfig) -> ssl.SSLContext:
    """Make TLS that checks who the broker is. Raises PublishingError."""
    key = "ca_file"
    try:
        for key in ("ca_file", "certificate_file", "key_file"):
            if (path := getattr(config, key)) is not None:
                open_regular(Path(path)).close()
        key = "ca_file"
        context = ssl.create_default_context(cafile=config.ca_file)
        if config.certificate_file is not None:
            key = "certificate_file"
            context.load_cert_chain(config.certificate_file, config.key_file)
    except (OSError, ValueError) as error:
        raise PublishingError(
            f"mqtt.{key} {getattr(config, key)} cannot be used ({error.strerror or error}): "  # type: ignore[union-attr]
            "give a file of certificates in PEM"
        ) from None
    return context
