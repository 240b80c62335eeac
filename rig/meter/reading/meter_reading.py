"""Everything a meter has registered, at one instant, exactly: the read model.

Display, JSON, terminal, `rig store show`, tables and bills are renderings of it, so a figure is the same wherever it
appears. It is plain data, in integers and rationals, of the meter itself: no VT or CT ratio is in it. Energy is in nWh
(nvarh, nVAh), demand in nW (nvar, nVA), times are UTC in ns. What is measured and not registered, volts and amperes, is
apart (rig/meter/reading/instantaneous.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rig.meter.billing.demand import DemandSettings
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.recorder import RecorderSettings
from rig.meter.billing.snapshot import DemandReading, RegisterReading, Snapshot
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.outputs import OutputId
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.installation.service_detection import FoundService, UnknownService
from rig.meter.measuring.measurement import Fault


@dataclass(frozen=True, slots=True)
class TestModeReading:
    """Test mode (D-5): its own registers, and what their demand is of; when it began, and when it and its running
    demand interval will end."""

    __test__ = False  # no test class, whatever its name

    registers: RegisterReading
    demand: DemandSettings | None
    began_ns: int
    ends_ns: int
    interval_ends_ns: int | None


@dataclass(frozen=True, slots=True)
class RecorderReading:
    """The load-profile recorder (T-4): when its running interval began, words written and counts that did not fit one;
    of each channel the pulses written so far, and in `carried` what has flowed beyond them, in units of
    1/denominator of the channel's nano_pulse."""

    settings: RecorderSettings
    began_ns: int
    words: int
    overflows: int
    counted: tuple[int, ...]
    carried: tuple[int, ...]

    def carried_pulses(self, channel: int) -> Fraction:
        """Return the flow beyond the pulses written, in pulses: with them it is what has flowed, exactly."""
        return Fraction(self.carried[channel], self.settings.channels[channel].nano_pulse.numerator)


@dataclass(frozen=True, slots=True)
class PulseReading:
    """An output that pulses, the test LED among them (P-1, P-2): pulses so far, each `constant_wh` of its quantity (0:
    none ever comes), and the energy registered since the last."""

    id: OutputId
    quantity: Quantity
    constant_wh: Fraction
    count: int
    carried_nwh: Fraction


@dataclass(frozen=True, slots=True)
class DiagnosticReading:
    """A diagnostic (P-3): whether it is on, the phases that failed last, and how often it came on, 0 to 255."""

    diagnostic: Diagnostic
    on: bool
    phases: str
    count: int


@dataclass(frozen=True, slots=True)
class InstallationReading:
    """Findings of the meter about its installation (M-4, P-3): the service, None while nobody knows and without
    voltage, and every diagnostic."""

    service: FoundService | UnknownService | None
    diagnostics: tuple[DiagnosticReading, ...]

    @property
    def active(self) -> dict[Diagnostic, str]:
        """The diagnostics that are on, and the phases they are of."""
        return {each.diagnostic: each.phases for each in self.diagnostics if each.on}


@dataclass(frozen=True, slots=True)
class MeterReading:
    """A meter as it stands at `utc_ns`, settled: whatever has flowed until then is in all of it.

    `registers` are billing's, `demand` says what their demand is of; test mode's own are in `test`, None outside it.
    `season` counts from 0. `last_reset_ns` is None before the first demand reset. `interval_ends_ns` is when billing's
    running demand interval, in sliding demand the sub-interval, will end; None without demand, in test mode, and where
    none runs, as in what a store holds. `next_self_read_ns` is None where none is programmed, and in the past while it
    waits for the end of test mode. `inputs` are pulses. `closed_season` is None before a season of this program closed.
    `faults` are those of the records of the last seconds.
    """

    utc_ns: int
    registers: RegisterReading
    demand: DemandSettings | None
    rate: Rate
    rate_forced: bool
    season: int
    resets: int
    last_reset_ns: int | None
    interval_ends_ns: int | None
    next_self_read_ns: int | None
    inputs: tuple[int, ...]
    test: TestModeReading | None
    recorder: RecorderReading | None
    closed_season: Snapshot | None
    outputs: tuple[PulseReading, ...]
    installation: InstallationReading
    faults: tuple[Fault, ...]

    @property
    def active(self) -> MeterReading | TestModeReading:
        """Reading whose registers and demand now take the energy: test mode's during test mode."""
        return self.test or self


def demand_bin(
    registers: RegisterReading, demand: DemandSettings | None, quantity: Quantity, rate: int | None = None
) -> DemandReading | None:
    """The demand registers of a quantity, in total or of a rate; None where there is no such demand."""
    if demand is None or quantity not in demand.quantities:
        return None
    return registers.demand[demand.quantities.index(quantity)][0 if rate is None else 1 + rate]
