"""The meter under test, in this process: its service on its hardware, kept in a store so that it goes on when power
comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from drivers.switches import RawEdge
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.meter.meter import WindowResult
from rig.program.build import Program
from rig.service.service import Service
from rig.store.store import Store


class InProcessMeter:
    """`start`, `run`, `stop`, as often as wanted. `store` is the folder that the meter is kept in.

    `service` is there from `start` on; `new` is whether the meter that started had no store before. The hardware is
    whoever's gave it. Raises what the service raises: LinkError, GpioError, StoreError.
    """

    service: Service

    def __init__(self, hardware: Hardware, config: Config, program: Program, store: Path) -> None:
        self.hardware, self.program = hardware, program
        self._config, self._store = config, store
        self._meters = 1
        self.new = True

    def start(self, on_edge: Callable[[RawEdge], None]) -> None:
        """Give the meter power; `on_edge` gets the edges of switches and inputs."""
        folder = self._folder
        self.new = not folder.exists()
        self.service = Service(self.hardware, self._config, self.program, Store.open(folder), on_edge=on_edge)
        self.service.begin()

    def run(self, until_ns: int) -> Iterator[WindowResult]:
        """Meter up to an instant of the hardware's clock; gives each window as it comes."""
        return self.service.run(until_ns)

    def stop(self) -> None:
        """Let out the pulses that are due, save what is billed, bring contacts to rest."""
        self.service.finish()

    def replace(self) -> None:
        """Put another, new meter in its place, for the next start."""
        self._meters += 1

    @property
    def _folder(self) -> Path:
        return self._store if self._meters == 1 else self._store.with_name(f"{self._store.name}-{self._meters}")
