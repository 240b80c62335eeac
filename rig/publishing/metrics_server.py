"""The address at which Prometheus asks for metrics (X-4)."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, start_http_server

from rig.daemon.protocol import Reading
from rig.hardware.publishing_config import PrometheusConfig
from rig.publishing.errors import PublishingError
from rig.publishing.figures import Figure
from rig.publishing.identity import MeterIdentity
from rig.publishing.metrics import Metrics


class MetricsOutlet:
    """A server of metrics, in threads of its own. Raises PublishingError for an address that cannot be had."""

    def __init__(self, config: PrometheusConfig) -> None:
        self._metrics = Metrics()
        registry = CollectorRegistry()
        registry.register(self._metrics)
        try:
            self._server, self._thread = start_http_server(config.port, config.address, registry)
        except (OSError, OverflowError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise PublishingError(
                f"prometheus.address {config.address}, prometheus.port {config.port} cannot be served ({why}): give an "
                "address of this computer, and a port that no other process has"
            ) from None

    def descriptors(self) -> list[int]:
        """Give none: the server has threads."""
        return []

    def show(self, identity: MeterIdentity, reading: Reading, figures: Sequence[Figure]) -> None:
        """Take a new reading, for whoever asks next."""
        self._metrics.shown = identity, list(figures)

    def hide(self) -> None:
        """Show no figures: the meter is not there."""
        self._metrics.shown = None

    def step(self) -> None:
        """Do nothing: the server has threads."""

    def close(self) -> None:
        """Let the address go."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
