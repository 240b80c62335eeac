"""Tables of rig.toml that say where a running meter's figures are published: [mqtt] and [prometheus].

Both are off by default (docs/publishing.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from rig.files.strict_toml import ConfigError

_Host = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9._:%-]{1,253}$(?!\n)",
        extra={"rule": 'the name or the address of a computer, such as "localhost" or "192.168.1.20"'},
    ),
]
_Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
_Path = Annotated[
    str,
    msgspec.Meta(pattern=r"^[^\x00]{1,4000}$(?!\n)", extra={"rule": "a path as text in quotes, not empty"}),
]
_Id = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,40}$(?!\n)", extra={"rule": "up to 40 letters, digits, _ or -"})
]
_Topic = Annotated[
    str,
    msgspec.Meta(pattern=r"^[A-Za-z0-9_/-]{1,80}$(?!\n)", extra={"rule": "up to 80 letters, digits, _, - or /"}),
]
"""A topic's beginning, without the wildcards # and +, and without the $ of a broker's own topics (MQTT 3.1.1, 4.7)."""

_User = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f]{1,200}$(?!\n)", extra={"rule": "up to 200 characters"})]

NONE = "none"
"""As `mqtt.discovery`: no discovery."""

MQTT_PORT, MQTT_TLS_PORT = 1883, 8883
"""As registered with IANA: mqtt and secure-mqtt."""


class MqttConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A broker that a meter's figures are published to; `port` None: MQTT_PORT, or with TLS MQTT_TLS_PORT.

    `id` is the meter's name in topics and at Home Assistant; None: by its serial number. `discovery` NONE: Home
    Assistant learns nothing.
    """

    enabled: bool = False
    broker: _Host = "localhost"
    port: _Port | None = None
    id: _Id | None = None
    topic: _Topic = "ae0764"
    discovery: _Topic = "homeassistant"
    every_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 10
    user: _User | None = None
    password_file: _Path | None = None
    tls: bool = False
    ca_file: _Path | None = None
    certificate_file: _Path | None = None
    key_file: _Path | None = None

    @property
    def port_number(self) -> int:
        """The broker's port."""
        return self.port or (MQTT_TLS_PORT if self.tls else MQTT_PORT)


class PrometheusConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Address at which Prometheus finds a meter's figures."""

    enabled: bool = False
    address: _Host = "127.0.0.1"
    port: _Port = 9764


def check_mqtt(config: MqttConfig) -> None:
    """Refuse keys that need another. Raises ConfigError, without the file's name."""
    if config.password_file is not None and config.user is None:
        raise ConfigError("mqtt.password_file needs mqtt.user: give the user whose password it is")
    if (config.certificate_file is None) != (config.key_file is None):
        raise ConfigError("mqtt.certificate_file and mqtt.key_file go together: give both, or neither")
    for key in ("ca_file", "certificate_file"):
        if getattr(config, key) is not None and not config.tls:
            raise ConfigError(f"mqtt.{key} needs mqtt.tls = true")


def mqtt_beside(config: MqttConfig, folder: Path) -> MqttConfig:
    """Give the paths from the folder of rig.toml."""
    keys = ("password_file", "ca_file", "certificate_file", "key_file")
    paths = {key: str(folder / path) for key in keys if (path := getattr(config, key)) is not None}
    return msgspec.structs.replace(config, **paths)
