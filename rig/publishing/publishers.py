"""Publishers: a meter's readings to a broker, or to whoever asks for metrics (X-4).

A publisher is a client like any other: a meter waits for none, and what this one is too slow for is dropped.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from rig.daemon.address import beside
from rig.daemon.protocol import Reading
from rig.files.claim import Claim
from rig.meter.models import ModelError, model_named
from rig.publishing.figures import Figure, figures_of
from rig.publishing.identity import MeterIdentity
from rig.publishing.meter_feed import MeterFeed
from rig.results.exact_decoding import ReadingError

STEP_S = 0.25
"""The longest wait for something to come."""

START_S = 60.0
"""A meter that has not come in this time has not started."""


class Outlet(Protocol):
    """Way out of the rig for figures."""

    def descriptors(self) -> list[int]:
        """Give what is readable when something has come that `step` takes in."""
        ...

    def show(self, identity: MeterIdentity, reading: Reading, figures: Sequence[Figure]) -> None:
        """Take a new reading of a meter."""
        ...

    def hide(self) -> None:
        """Show that no meter is there."""
        ...

    def step(self) -> None:
        """Do what is due."""
        ...

    def close(self) -> None:
        """Leave."""
        ...


class Publisher:
    """The loop between a meter at a socket and an outlet, until `stopped` says so.

    With `until_meter_ends` it ends with the meter that it was started for. `report` takes a sentence for whoever looks
    after it. Raises ClaimError where another process publishes this meter there: they would take its name from each
    other.
    """

    def __init__(
        self, socket: Path, name: str, outlet: Outlet, report: Callable[[str], None], *, until_meter_ends: bool = False
    ) -> None:
        self.stopped = False
        self._outlet, self._report, self._until_meter_ends = outlet, report, until_meter_ends
        self._claim = Claim(beside(socket, f"{name}.lock"), f"what publishes {socket} by {name}", passing=True)
        self._feed = MeterFeed(socket, f"rig publish {name}", report)
        self._reported: str | None = None

    def run(self) -> None:
        """Publish."""
        met, begun_s = False, time.monotonic()
        try:
            while not self.stopped:
                reading = self._feed.newest()
                if self._feed.connected:
                    met = True
                else:
                    self._outlet.hide()
                    late = met or time.monotonic() > begun_s + START_S
                    if self._until_meter_ends and late and self._feed.gone:
                        return
                if reading is not None:
                    self._show(reading)
                self._outlet.step()
                heard = self._outlet.descriptors()
                if (descriptor := self._feed.descriptor) is not None:
                    heard.append(descriptor)
                with suppress(InterruptedError):
                    select.select(heard, [], [], STEP_S)
        finally:
            self._feed.close()
            self._outlet.close()
            self._claim.close()

    def _show(self, reading: Reading) -> None:
        identity = self._feed.identity
        assert identity is not None
        try:
            self._outlet.show(identity, reading, figures_of(reading, model_named(identity.model)))
        except (ReadingError, ModelError) as error:
            if str(error) != self._reported:
                self._reported = str(error)
                self._report(str(error))
