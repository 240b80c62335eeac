"""Starting the publishers of a meter, each a process of its own that ends with the meter (C-3, X-4)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec

from rig.daemon.address import beside
from rig.hardware.config import Config
from rig.hardware.own_process import new_log, start_process
from rig.publishing.errors import PublishingError
from rig.publishing.process import Publish


def launch_publishers(config: Config, socket: Path) -> list[subprocess.Popen[bytes]]:
    """Start a process for each publisher that is enabled; what they report goes to a file beside the meter's socket.

    One that cannot publish says so there; the meter does not depend on it.
    """
    orders: dict[str, Publish] = {}
    if config.mqtt.enabled:
        orders["mqtt"] = Publish(str(socket), mqtt=config.mqtt)
    if config.prometheus.enabled:
        orders["prometheus"] = Publish(str(socket), prometheus=config.prometheus)
    started = []
    for name, order in orders.items():
        reads, writes = os.pipe()
        os.write(writes, msgspec.msgpack.encode(order))
        os.close(writes)
        log = beside(socket, f"{name}.log")
        try:
            with new_log(log) as file:
                started.append(start_process(("-m", "rig.publishing.process"), [reads], file))
        except OSError as error:
            raise PublishingError(
                f"{log} cannot be written ({error.strerror}): give a --socket in a folder of yours"
            ) from None
        finally:
            os.close(reads)
    return started
