"""`rig doctor` on where figures are published: [mqtt] and [prometheus], where they are enabled."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import closing
from importlib import metadata
from pathlib import Path

from rig.hardware.config import Config
from rig.hardware.doctor import PIP, Check
from rig.hardware.publishing_config import MqttConfig, PrometheusConfig

CONNECT_S = 3.0


def examine_publishing(config: Config, runs: bool) -> list[Check]:
    """Check both, where they are enabled; `runs`: the configuration's meter does, and may be published already."""
    checks: list[Check] = []
    if config.mqtt.enabled:
        checks += [_library("mqtt", "paho-mqtt"), *_password(config.mqtt), broker(config.mqtt)]
    if config.prometheus.enabled:
        checks += [_library("prometheus", "prometheus-client"), metrics_address(config.prometheus, runs)]
    return checks


def _library(part: str, name: str) -> Check:
    try:
        return Check(part, name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(part, name, False, "not installed", f"{PIP} -e '.[publishing]'")


def _password(config: MqttConfig) -> list[Check]:
    if config.password_file is None:
        return []
    path = Path(config.password_file)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except (OSError, ValueError):
        return [Check("mqtt", "password", False, f"{path} is not there", "write the password into it, and chmod 600")]
    if mode & 0o077:
        return [Check("mqtt", "password", False, f"{path} can be read by others", f"chmod 600 {path}")]
    if not path.is_file() or not os.access(path, os.R_OK):
        return [Check("mqtt", "password", False, f"{path} cannot be read", "give this user a file that it can read")]
    return [Check("mqtt", "password", True, str(path))]


def broker(config: MqttConfig) -> Check:
    """Check that something listens at the broker's address; what, it is not asked."""
    where = f"{config.broker}, port {config.port_number}"
    try:
        with socket.create_connection((config.broker, config.port_number), CONNECT_S):
            return Check("mqtt", "broker", True, where)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        remedy = "start the broker, or correct mqtt.broker and mqtt.port"
        return Check("mqtt", "broker", False, f"{where}: {why}", remedy)


def metrics_address(config: PrometheusConfig, runs: bool) -> Check:
    """Check that the address is one of this computer's, and its port free, or served while the meter runs."""
    where = f"{config.address}, port {config.port}"
    try:
        found = socket.getaddrinfo(config.address, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
        return Check("prometheus", "address", True, where)
    except (OSError, UnicodeError) as error:
        if runs and isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            return Check("prometheus", "address", True, f"{where}: in use while the meter runs")
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        remedy = "give prometheus.address of this computer, and a prometheus.port that is free"
        return Check("prometheus", "address", False, f"{where}: {why}", remedy)
