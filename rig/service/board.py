"""The FPGA board in service: its settings, its records from one instant on, its oscillator on the line's frequency.

Nothing here waits for a link that fails: it is tried again as rig/service/link_state.py has it, and until then there
are no records. A board that was reset, reloaded or changed is recognised before any record of it is given:

    what differs                                                     metering
    nothing, and the count ran on                                    goes on with the records that waited
    the count began anew or jumped; the build's digest               begins anew: settings, filters, a window of its own
    capabilities, clock, decimation, delay of the td products        ends with the reason
    another design, or another major version of the register map     ends with the reason

A record that does not follow the one before, one that was gone before it was dropped, a count that is not what the
clock says, a refusal, and every failing of the link raise the doubt. A beginning has three phases: the settings are
written; a window is to close once the filters have settled, and records are dropped until it has; from there on records
are given. What the board before had summed, and what flowed until the first new window, is missing: `take_missed` says
how long that was by the computer's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from typing import TypeVar

from calibration.constants import Calibration
from drivers.clock import Clock
from drivers.link_start import patiently
from drivers.spi_link import ForeignBoard, LinkError, SpiLink
from gateware.record_words import SAFE_SAMPLES, Record, RecordFlag
from gateware.registers import TICK_BITS, Capability, Channel, configuration_digest
from rig.hardware.hardware import Hardware
from rig.meter.billing.log import LogEvent
from rig.meter.billing.time_units import SECOND_NS
from rig.meter.measuring.elements import ElementEquation
from rig.meter.measuring.measurement import Measurement
from rig.meter.measuring.oscillator import tracking_step
from rig.service.board_identity import change, difference
from rig.service.board_time import BoardTime
from rig.service.events import BoardChanged
from rig.service.link_news import event_of
from rig.service.link_state import LinkNews, LinkRetries, LinkState
from rig.service.tick_count import TickCount, Verdict

BEGIN_NS = 10_000_000_000
"""A board that closes no window in this time is not working, or its bus is too slow for its records."""

POLL_NS = 20_000_000
"""How often the records are read."""

RECONFIGURE_NS = 1_000_000_000
"""After the board's settings were written they are given so long to show in its records."""

SETTLING_TICKS = 1 << 15
"""After a change of the bit delays every filter holds only new bits: CIC and FIR span 16 638 ticks."""

_TICKS = 1 << TICK_BITS
_SEQUENCES = 1 << 32

Result = TypeVar("Result")


_NO_WINDOW = (
    f"no window could be begun in {BEGIN_NS // 10**9} s: the SPI bus is too slow for the records, or the FPGA's "
    "modulator clock does not run"
)


class _Phase(Enum):
    SETTING = "settings are to be written"
    CLOSING = "the window before the first is to close"
    METERING = "records are given"


class MeteringBoard:
    """A board set up for metering; `reference` is the voltage whose zero crossings make the windows.

    `measurement` takes its records in; `time` has its ticks on the service's clock; `configuration` is the digest of
    what it is set to. Raises LinkError where the board does not answer for a while (drivers/link_start.py).
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
        patiently(self._configure, self._clock)
        self.configuration = configuration_digest(patiently(self._link.configuration, self._clock))
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
        self.retries = LinkRetries(int(SAFE_SAMPLES * SECOND_NS / self._sample_hz))
        self._count = TickCount(identity.tick_hz)
        self._phase = _Phase.SETTING
        self._target: int | None = None
        self._deadline_ns = 0
        self._last: Record | None = None
        self._counted = 0
        self._reading: Iterator[Record] = iter(())
        self._doubted = False
        self._questioned: Record | None = None
        self._missed: int | None = None
        self._news: list[Callable[[int], LogEvent]] = []

    def _configure(self) -> None:
        """Write the board's settings, at a beginning and when records were measured with others.

        Those that it has are left alone: a board that ran on goes on undisturbed.
        """
        for name, value in self._settings.items():
            if self._link.read(name) != [value]:
                self._link.write(name, value)
        has_phasors = Capability.PHASORS in self._link.identity.capabilities
        self._oscillator_step = self._link.read("OSCILLATOR_STEP")[0] if has_phasors else None
        self._configured_ns = self._clock.now_ns()

    # --- the beginning ----------------------------------------------------------------------------------------

    def await_window(self, at_tick: int | None) -> None:
        """Close a window once the filters have settled, or at the first sample later than `at_tick`; drop what was
        summed before. Raises LinkError where the board closes none."""
        deadline = self._clock.now_ns() + BEGIN_NS
        self._count.follow(*patiently(self.time.read, self._clock))
        patiently(lambda: self._ask_to_close(self.time.begin(), at_tick), self._clock)
        while not self._begun:
            try:
                self._close()
            except ForeignBoard:
                raise
            except LinkError:
                if self._clock.now_ns() > deadline:
                    raise
            if self._clock.now_ns() > deadline:
                raise LinkError(_NO_WINDOW)
            if not self._begun:
                self._clock.wait_until(self._clock.now_ns() + POLL_NS)
        self._missed = None

    def _ask_to_close(self, tick: int, at_tick: int | None = None) -> None:
        """Let a window close once the filters have settled, or after a tick. The board's count is `tick` now."""
        self._target = tick + SETTLING_TICKS if at_tick is None else at_tick
        self._link.close_window_at(self._target)
        self._phase = _Phase.CLOSING

    def _close(self) -> None:
        """Drop records until the window that was asked for has closed; after it, records are given."""
        assert self._target is not None
        for record in self._link.dropped_records():
            next_sample = record.tick_end + self._link.identity.ticks_per_sample
            if not 0 < (next_sample - self._target) % _TICKS < _TICKS // 2:
                continue  # from before, perhaps with an end that someone else asked for
            if RecordFlag.END_COMMANDED in record.flags:
                self._phase, self._last = _Phase.METERING, record
                self._place(record.tick_end)
                return
            # The board's memory was full when it was to close, and the window went on: ask again.
            self._target = record.tick_end
            self._link.close_window_at(self._target)

    @property
    def _begun(self) -> bool:
        return self._phase is _Phase.METERING

    def _place(self, board_tick: int) -> None:
        """Records are given from a tick of the board on: how far that is on the meter's timeline from the last one."""
        end, at_ns = self.measurement.tick, self._count.instant_ns(board_tick)
        if end is None:
            self.time.begin_at(board_tick, at_ns)
        else:
            self._missed = max(0, self.time.tick_at(at_ns) - end)

    # --- records ----------------------------------------------------------------------------------------------

    def go_on(self, tick: int, now_ns: int, timeline_tick: int) -> None:
        """Go on with a board that ran on since a process that died: its count is `tick` now, which is a tick of the
        meter's timeline."""
        self.time.go_on(timeline_tick, now_ns)
        self._count.follow(tick, now_ns)
        self._phase = _Phase.METERING

    def drop_known(self, record: Record) -> bool:
        """Drop the oldest record if it is this one, registered before; whether it was there."""
        self._last = record
        return self._link.drop_known(record.sequence, record.tick_end)

    def records(self, before_frame: Callable[[], None]) -> Iterator[Record]:
        """Give the records that wait, none while the link fails. `before_frame` is called before each of
        the frames that they are read by. Raises ForeignBoard where metering cannot go on with what answers."""
        self._reading = self._link.records(before_frame)
        while True:
            before_frame()
            record = self._attempt(self._next) if self.retries.due(self._clock.now_ns()) else None
            if record is None:
                return
            yield record

    def _attempt(self, act: Callable[[], Result]) -> Result | None:
        """Do something with the board; None where that failed, which is taken down."""
        try:
            result = act()
        except ForeignBoard as error:
            self._tell(self.retries.foreign(self._clock.now_ns(), str(error)))
            raise
        except LinkError as error:
            self._doubted = True
            self._tell(self.retries.failed(self._clock.now_ns(), str(error)))
            return None
        self._tell(self.retries.answered(self._clock.now_ns()))
        return result

    def _next(self) -> Record | None:
        """Give the next record that is this meter's, in a board that is known."""
        if self._doubted or self._link.record_vanished:
            self._recognise()
        if self._phase is _Phase.SETTING:
            self._set()
        if self._phase is _Phase.CLOSING:
            self._begin_again()
            return None
        record, self._questioned = self._questioned, None
        record = record or next(self._reading, None)
        if record is not None and record == self._last:
            # It was not dropped by the sequence that it has, and nothing was reset: that word of it is damaged.
            self._link.drop(self._counted + 1)
            self._last, self._reading = replace(record, sequence=self._counted + 1), iter(())
            return None
        if record is not None and not self._follows(record):
            self._questioned, self._doubted = record, True
            self._recognise()
            record, self._questioned = self._questioned, None
        if record is not None:
            self._counted = record.sequence if self._last is None else self._last.sequence
            self._last = record
        return record

    def _set(self) -> None:
        """Write the settings, and ask for a window to close; from now on the board's count is judged anew."""
        self._configure()
        tick, now_ns = self.time.read()
        self._count.follow(tick, now_ns)
        self._ask_to_close(tick)

    def _begin_again(self) -> None:
        """Go on with a beginning in service: from its first phase, where the count was cut once more. Raises LinkError
        where it takes longer than BEGIN_NS."""
        now_ns = self._clock.now_ns()
        tick, at_ns = self.time.read()
        if self._count.judge(tick, at_ns, self._clock.now_ns() - now_ns) is Verdict.RAN_ON:
            self._close()
        else:
            self._phase = _Phase.SETTING
        if not self._begun and now_ns > self._deadline_ns:
            raise LinkError(_NO_WINDOW)

    def _follows(self, record: Record) -> bool:
        """Say whether a record is the next of the board's count."""
        last = self._last
        return last is None or (
            record.sequence == (last.sequence + 1) % _SEQUENCES and record.tick_start == last.tick_end
        )

    def _recognise(self) -> None:
        """Look which board answers. Where it begins anew, nothing is given of what was in question."""
        before_ns = self._clock.now_ns()
        identity = self._link.read_identity()
        known = self._link.identity
        if (reason := difference(known, identity)) is not None:
            raise ForeignBoard(reason)
        tick, at_ns = self.time.read()
        verdict = self._count.judge(tick, at_ns, self._clock.now_ns() - before_ns)
        self._doubted = False
        if verdict is Verdict.RAN_ON and identity == known:
            self._link.record_vanished = False
            return
        self._news.append(lambda utc_ns: BoardChanged(utc_ns, change(known, identity, verdict)))
        self._questioned = None
        if self._phase is _Phase.METERING:
            self._deadline_ns = before_ns + BEGIN_NS
        self._phase = _Phase.SETTING
        self._link.begin_anew(identity)

    @property
    def latest_tick(self) -> int:
        """The tick of the meter's timeline that it is now at most, by the computer's clock."""
        return self.time.latest_tick(self._clock.now_ns())

    # --- what the service asks of it --------------------------------------------------------------------------

    def compare(self) -> tuple[int, int, int] | None:
        """The board's tick count, the clock, and the time of day at one instant; None where nothing is known of it:
        the link fails, the reading took long, the board begins anew, or its count is not what the clock says."""
        if self.retries.state is not LinkState.GOOD or self._phase is not _Phase.METERING or self._doubted:
            return None
        compared = self._attempt(self.time.compare)
        if compared is None:
            return None
        tick, now_ns, _ = compared
        if self._count.judge(tick, now_ns) is not Verdict.RAN_ON:
            self._doubted = True
            return None
        self._count.follow(tick, now_ns)
        return compared

    def take_missed(self) -> int | None:
        """Give the ticks that are missing between the last record and the next, of a board that began anew; once."""
        missed, self._missed = self._missed, None
        return missed

    def take_events(self, utc_ns: Callable[[], int]) -> list[LogEvent]:
        """Give what happened to link and board since the last call, as of the time that it is."""
        news, self._news = self._news, []
        return [make(utc_ns()) for make in news]

    @property
    def fault(self) -> str | None:
        """Reason why the FPGA is not read at present, in a sentence; None while all is well."""
        return self.retries.fault

    @property
    def needs_settings(self) -> bool:
        """Say of a record that was measured with other settings whether it is not one of those before a reset."""
        return self._clock.now_ns() >= self._configured_ns + RECONFIGURE_NS

    def write_settings(self) -> None:
        """Write the settings again: the board lost them."""
        if self.retries.state is LinkState.GOOD:
            self._attempt(self._configure)

    def steer_oscillator(self) -> None:
        """Let the phasors' oscillator follow the line, from the next record on (docs/decisions/016-oscillator.md)."""
        present, hz = self._oscillator_step, self.measurement.recent_hz
        if present is None or hz is None or self.retries.state is not LinkState.GOOD:
            return
        step = tracking_step(present, hz, self._sample_hz)
        if step != present:
            self._attempt(lambda: self._turn_by(step))

    def _turn_by(self, step: int) -> None:
        self._link.write("OSCILLATOR_STEP", step)
        self._oscillator_step = step

    def _tell(self, news: LinkNews | None) -> None:
        if news is not None:
            self._news.append(lambda utc_ns: event_of(news, utc_ns))
