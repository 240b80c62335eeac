"""The process of a publisher: started with its order on a descriptor, nobody that metering waits for (C-3, X-4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from rig.daemon.client_process import run_client
from rig.hardware.publishing_config import MqttConfig, PrometheusConfig
from rig.plain_text import print_error
from rig.publishing.errors import PublishingError
from rig.publishing.publishers import Publisher


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
    run_client(Publish, lambda order: publisher_of(order, print_error, until_meter_ends=True))


if __name__ == "__main__":
    main()
