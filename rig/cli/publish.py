"""`rig publish`: the figures of a running meter, to an MQTT broker or for Prometheus (docs/publishing.md)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import typer

from rig.cli.group import CommandGroup
from rig.cli.options import ConfigOption, SocketOption, configuration, meter_socket
from rig.plain_text import print_error

if TYPE_CHECKING:
    from rig.publishing.process import Publish

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The figures of a running meter for others: MQTT, Prometheus.",
)


@app.command("mqtt", epilog="Example: rig publish mqtt --config rig.toml")
def mqtt(config: ConfigOption = None, socket: SocketOption = None) -> None:
    """Publish a meter that runs, or will, to the broker of [mqtt] in rig.toml, until Ctrl-C or SIGTERM.

    rig run and rig serve do it by themselves where mqtt.enabled is true.
    """
    from rig.publishing.process import Publish

    chosen = configuration(config)
    _publish(Publish(str(meter_socket(config, chosen, socket)), mqtt=chosen.mqtt))


@app.command("prometheus", epilog="Example: rig publish prometheus --config rig.toml")
def prometheus(config: ConfigOption = None, socket: SocketOption = None) -> None:
    """Serve the metrics of a meter that runs, or will, at the address of [prometheus] in rig.toml, until Ctrl-C or
    SIGTERM.

    rig run and rig serve do it by themselves where prometheus.enabled is true.
    """
    from rig.publishing.process import Publish

    chosen = configuration(config)
    served = chosen.prometheus
    print_error(f"metrics: http://{f'[{served.address}]' if ':' in served.address else served.address}:{served.port}/")
    _publish(Publish(str(meter_socket(config, chosen, socket)), prometheus=served))


def _publish(order: Publish) -> None:
    from rig.publishing.process import publisher_of

    publisher = publisher_of(order, print_error, until_meter_ends=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: setattr(publisher, "stopped", True))
    publisher.run()
