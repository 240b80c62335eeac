"""The address at which Prometheus asks for metrics (X-4)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from rig.daemon.protocol import Reading
from rig.hardware.publishing_config import PrometheusConfig
from rig.publishing.errors import PublishingError
from rig.publishing.figures import Figure
from rig.publishing.identity import MeterIdentity
from rig.publishing.metrics import Metrics

PATIENCE_S = 10.0
"""A client that has sent nothing for so long, and has no answer yet, is let go."""

MOST_THREADS = 64
"""Threads of the process, each a client's but two: who comes when all are taken is turned away."""


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_S

    def log_message(self, *words: object) -> None:
        """Log nothing: who asks is no news."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = MOST_THREADS

    def __init__(self, address: str, port: int) -> None:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family = found[0][0]
        super().__init__((address, port), _Handler)

    def verify_request(self, *client: object) -> bool:
        return threading.active_count() < MOST_THREADS

    def handle_error(self, *client: object) -> None:
        """Do nothing: a client has gone or stalls, and that is its own affair."""


class MetricsOutlet:
    """A server of metrics, in threads of its own. Raises PublishingError for an address that cannot be had."""

    def __init__(self, config: PrometheusConfig) -> None:
        self._metrics = Metrics()
        registry = CollectorRegistry()
        registry.register(self._metrics)
        try:
            self._server = _Server(config.address, config.port)
        except (OSError, OverflowError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise PublishingError(
                f"prometheus.address {config.address}, prometheus.port {config.port} cannot be served ({why}): give an "
                "address of this computer, and a port that no other process has"
            ) from None
        self._server.set_app(make_wsgi_app(registry))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

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
