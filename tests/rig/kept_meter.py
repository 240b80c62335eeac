"""A meter with a persistence, which takes in portions of energy instead of records."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from calibration.constants import nominal
from rig.meter.billing.billing import MeterEvent
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.source import Source
from rig.meter.measuring.measurement import Measurement
from rig.meter.meter import Meter
from rig.program.build import Program
from rig.service.persistence import Persistence, program_in_force
from rig.store.disk import Disk
from rig.store.slots import Slots
from rig.store.store import Store
from rig.store.writer import StoreWriter

SECOND = 10**9
MINUTE = 60 * SECOND
KWH = 10**12


class KeptMeter:
    """A meter of 6 kW from when power is back at `utc_ns` until it fails; each minute, or so many seconds, a portion.

    `flushes`: it waits for the disk each time, so that what is saved does not hang on the machine's speed.
    """

    def __init__(
        self,
        folder: Path | None,
        program: Program,
        utc_ns: int,
        fidelity: str = "window",
        disk: Disk | None = None,
        flushes: bool = False,
        fast: Slots | None = None,
    ) -> None:
        self.configured = program
        self.program, written = program_in_force(program, folder)
        store = None if folder is None else Store.open(folder, disk, fast)
        self.restored = None if store is None else store.restored
        self.persistence = Persistence(store, self.program, fidelity, utc_ns, written)
        self._flushes = flushes
        self._build()

    def _build(self) -> None:
        installation = self.persistence.installation
        tick_hz = Fraction(1000)
        measurement = Measurement(
            equation=installation.equation,
            calibration=nominal(Fraction(1), Fraction(1)),
            tick_hz=tick_hz,
            ticks_per_sample=1,
            config_digest=0,
        )
        self.meter = Meter(measurement, self.persistence.billing, installation, tick_hz, self.persistence.outputs)

    @property
    def writer(self) -> StoreWriter:
        assert self.persistence._writer is not None
        return self.persistence._writer

    @property
    def now_ns(self) -> int:
        return self.meter.billing.now_ns

    def meters(self, portions: int, seconds: int = 60, milliseconds: int = 0) -> KeptMeter:
        for _ in range(portions):
            now, ns = self.now_ns, milliseconds * 10**6 or seconds * SECOND
            self._keep(self.meter.billing.advance(EnergyInterval(now, now + ns, 0, ns * KWH // (10 * MINUTE))))
        return self

    def does(
        self,
        action: Action,
        value: int | None = None,
        pulses: int = 1,
        after_ns: int = 0,
        source: Source = Source.COMMAND_LINE,
    ) -> KeptMeter:
        self._keep(self.meter.billing.command(Command(self.now_ns + after_ns, action, source, value, pulses)))
        return self

    def set_clock(self, utc_ns: int) -> KeptMeter:
        self._keep(self.meter.billing.set_clock(utc_ns, Source.SERVICE_CLOCK))
        return self

    def writes(self, program: Program) -> int:
        """Another program; what `persistence.saved` is asked with."""
        events = self.persistence.write_program(program, self.configured, self.meter.state, Source.COMMAND_LINE)
        self.program = program
        self._build()
        self._keep(events)
        return self.persistence.ticket

    def fails(self) -> None:
        """After the last save."""
        self.persistence.finish(self.meter)

    def _keep(self, events: list[MeterEvent]) -> None:
        self.persistence.keep(self.meter, events)
        if self._flushes:
            self.writer.flush()
