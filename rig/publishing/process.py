"""The process of a publisher: started with its order on a descriptor, nobody that metering waits for (C-3, X-4)."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from rig.daemon.frames import MOST_BYTES
from rig.failures import MENDABLE, refuse
from rig.hardware.own_process import leave_no_empty_log
from rig.hardware.publishing_config import MqttConfig, PrometheusConfig
from rig.plain_text import print_error, print_traceback
from rig.publishing.errors import PublishingError
from rig.publishing.publishers import Publisher

NICENESS = 5
"""Metering comes first, also where there is one core."""


class Publish(msgspec.Struct, frozen=True):
    """The order: publish the meter at this socket as one of the two says, as long as there is that meter."""

    socket: str
    mqtt: MqttConfig | None = None
    prometheus: PrometheusConfig | None = None


def publisher_of(order: Publish, report: Callable[[str], None], *, until_meter_ends: bool) -> Publisher:
    """Make ready. Raises PublishingError and ClaimError."""
    socket = Path(order.socket)
    try:
        if order.mqtt is not None:
            from rig.publishing.mqtt_outlet import MqttOutlet

            mqtt = MqttOutlet(order.mqtt, report)
            return Publisher(socket, "mqtt", mqtt, report, until_meter_ends=until_meter_ends)
        from rig.publishing.metrics_server import MetricsOutlet

        metrics = MetricsOutlet(order.prometheus or PrometheusConfig())
        return Publisher(socket, "prometheus", metrics, report, until_meter_ends=until_meter_ends)
    except ModuleNotFoundError as error:
        raise PublishingError(
            f"publishing needs the Python module {error.name}, which is missing: install the extra [publishing]"
        ) from None


def main() -> None:
    """`python -m rig.publishing.process DESCRIPTOR`: a pipe that holds the order."""
    sys.excepthook = print_traceback
    leave_no_empty_log()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reads = int(sys.argv[1])
    order = msgspec.msgpack.decode(os.read(reads, MOST_BYTES), type=Publish)
    os.close(reads)
    os.nice(NICENESS)
    try:
        publisher = publisher_of(order, print_error, until_meter_ends=True)
        signal.signal(signal.SIGTERM, lambda number, frame: setattr(publisher, "stopped", True))
        publisher.run()
    except MENDABLE as error:
        refuse(str(error))
        sys.exit(getattr(error, "status", 2))


if __name__ == "__main__":
    main()
