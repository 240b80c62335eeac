"""The FPGA board in service: its settings, its records from one instant on, its oscillator on the line's frequency."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from calibration.constants import Calibration
from drivers.clock import Clock
from drivers.spi_link import LinkError, SpiLink
from gateware.registers import TICK_BITS, Capability, Channel, Record, RecordFlag, configuration_digest
from rig.hardware.hardware import Hardware
from rig.meter.measuring.elements import ElementEquation
from rig.meter.measuring.measurement import Measurement
from rig.meter.measuring.oscillator import tracking_step
from rig.service.board_time import BoardTime

BEGIN_NS = 10_000_000_000
"""A board that closes no window in this time is not working, or its bus is too slow for its records."""

POLL_NS = 20_000_000
"""How often the records are read."""

RECONFIGURE_NS = 1_000_000_000
"""After the board's settings were written they are given so long to show in its records."""

SETTLING_TICKS = 1 << 15
"""After a change of the bit delays every filter holds only new bits: CIC and FIR span 16 638 ticks."""

_TICKS = 1 << TICK_BITS


class MeteringBoard:
    """A board set up for metering; `reference` is the voltage whose zero crossings make the windows.

    `measurement` takes its records in; `time` has its ticks on the service's clock; `configuration` is the digest of
    what it is set to.
    """

    def __init__(self, hardware: Hardware, equation: ElementEquation, reference: Channel) -> None:
        self._link: SpiLink = hardware.link
        self._clock: Clock = hardware.clock
        calibration: Calibration = hardware.calibration
        identity = self._link.identity
        self._settings = {"REFERENCE": int(reference)} | {
            f"DELAY_{channel.name}": constants.delay_ticks
            for channel, constants in zip(Channel, calibration.channels, strict=True)
        }
        self._configure()
        self.configuration = configuration_digest(self._link.configuration())
        self.measurement = Measurement(
            equation=equation,
            calibration=calibration,
            tick_hz=identity.tick_hz,
            ticks_per_sample=identity.ticks_per_sample,
            config_digest=self.configuration,
            quarter=identity.quarter,
        )
        self._sample_hz = identity.tick_hz / identity.ticks_per_sample
        self.time = BoardTime(self._link, self._clock, identity.tick_hz)

    def _configure(self) -> None:
        """Write the board's settings, at the start and when records were measured with others: it was reset.

        Those that it has are left alone: a board that ran on goes on undisturbed.
        """
        for name, value in self._settings.items():
            if self._link.read(name) != [value]:
                self._link.write(name, value)
        has_phasors = Capability.PHASORS in self._link.identity.capabilities
        self._oscillator_step = self._link.read("OSCILLATOR_STEP")[0] if has_phasors else None
        self._configured_ns = self._clock.now_ns()

    def await_window(self, at_tick: int | None) -> None:
        """Close a window once the filters have settled, or at the first sample later than `at_tick`; drop what was
        summed before. Raises LinkError where the board closes none."""
        link, clock = self._link, self._clock
        deadline = clock.now_ns() + BEGIN_NS
        tick = self.time.begin()
        target = tick + SETTLING_TICKS if at_tick is None else at_tick
        link.close_window_at(target)
        while True:
            for record in link.records():
                if RecordFlag.END_COMMANDED in record.flags:
                    return
                if 0 < (record.tick_end - target) % _TICKS < _TICKS // 2:
                    # The board's memory was full when it was to close, and the window went on: ask again.
                    target = record.tick_end
                    link.close_window_at(target)
                if clock.now_ns() > deadline:
                    raise LinkError(
                        f"no window could be begun in {BEGIN_NS // 10**9} s: the SPI bus is too slow for the records, "
                        "or the FPGA's modulator clock does not run"
                    )
            clock.wait_until(clock.now_ns() + POLL_NS)

    def drop_known(self, record: Record) -> bool:
        """Drop the oldest record if it is this one, registered before; whether it was there."""
        return self._link.drop_known(record.sequence, record.tick_end)

    def records(self, before_each: Callable[[], None]) -> Iterator[Record]:
        """Give the records that wait. `before_each` is called before one is read, which takes some milliseconds."""
        records = self._link.records()
        while True:
            before_each()
            record = next(records, None)
            if record is None:
                return
            yield record

    @property
    def needs_settings(self) -> bool:
        """Say of a record that was measured with other settings whether it is not one of those before a reset."""
        return self._clock.now_ns() >= self._configured_ns + RECONFIGURE_NS

    def write_settings(self) -> None:
        """Write the settings again: the board lost them."""
        self._configure()

    def steer_oscillator(self) -> None:
        """Let the phasors' oscillator follow the line, from the next record on (docs/decisions/016-oscillator.md)."""
        present, hz = self._oscillator_step, self.measurement.recent_hz
        if present is None or hz is None:
            return
        self._oscillator_step = tracking_step(present, hz, self._sample_hz)
        if self._oscillator_step != present:
            self._link.write("OSCILLATOR_STEP", self._oscillator_step)
