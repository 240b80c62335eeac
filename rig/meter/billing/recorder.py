"""The load-profile recorder: pulses of up to 15 channels counted by the interval of the local clock (T-4).

It makes words of 16 bits (rig.meter.billing.profile_words); the store keeps the newest of them. What it writes,
where COUNTS is one word of each channel:

    | what happens                            | words written                        | the running interval         |
    |-----------------------------------------|--------------------------------------|------------------------------|
    | recording begins                        | DATE TIME                            | begins, to the next boundary |
    | interval ends                           | COUNTS                               | ends whole                   |
    | interval ends at midnight               | COUNTS DATE                          | ends whole                   |
    | outage inside an interval               | TIME TIME                            | goes on to its boundary      |
    | outage over a boundary                  | COUNTS TIME TIME                     | ends short                   |
    | outage over midnight                    | COUNTS TIME DATE TIME                | ends short                   |
    | clock set inside the interval           | DATE TIME DATE TIME                  | goes on to its boundary      |
    | clock set out of the interval           | COUNTS DATE TIME DATE TIME           | ends short                   |
    | clock set out of an interval just begun | DATE TIME DATE TIME                  | begins at the new time       |
    | daylight saving on a boundary           | DATE TIME DATE TIME                  | begins at the new time       |
    | daylight saving inside the interval     | DATE TIME DATE TIME                  | goes on to its boundary      |
    | daylight saving out of the interval     | COUNTS DATE TIME DATE TIME           | ends short                   |
    | outage with daylight saving in it       | COUNTS TIME TIME DATE TIME DATE TIME | ends short                   |

Boundaries are multiples of the interval on the local wall clock. Down comes before up, the old time before the new one;
a TIME without a DATE is of the day that runs. Intervals wholly inside an outage have no words. An outage over a
boundary writes the running interval even if it has only just begun: else its marks at midnight would read as a clock
set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rig.meter.billing.metric import Metric, RecorderChannel, RecorderError, RecorderSettings
from rig.meter.billing.profile_words import MOST_PULSES, encode_count, encode_date, encode_time
from rig.meter.billing.quantity import NANO
from rig.meter.billing.time_units import DAY_NS, MINUTE_NS

__all__ = ["Metric", "Recorder", "RecorderChannel", "RecorderError", "RecorderSettings", "RecorderState"]


_EPOCH = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)


@dataclass
class RecorderState:
    """State that the recorder carries on, channel by channel where lists.

    `counted`: pulses written so far. `carried`: what has flowed beyond them, in units of 1/denominator of the pulse
    constant (of energies and squares in 10⁻⁹, RecorderChannel.nano_pulse), so that it is an integer, and

        counted · pulse + carried = what has flowed, exactly.

    `began_ns`: when the running interval began, by the clock as it is now. `written`: words in all, which is the
    absolute index of the next. `overflows`: counts that did not fit a word, whose excess went into the next interval.
    """

    counted: list[int] = field(default_factory=list)
    carried: list[int] = field(default_factory=list)
    began_ns: int = 0
    written: int = 0
    overflows: int = 0


class Recorder:
    """Counts pulses and writes words. `local` gives the local time of a UTC instant in nanoseconds.

    The caller ends an interval before whatever else happens at the same instant, and first of all has `take` what
    flowed until then. Each method that returns words has them counted as written.
    """

    def __init__(
        self, settings: RecorderSettings, local: Callable[[int], datetime], state: RecorderState | None = None
    ) -> None:
        channels = len(settings.channels)
        self.settings = settings
        self.state = state or RecorderState([0] * channels, [0] * channels)
        if len(self.state.counted) != channels or len(self.state.carried) != channels:
            raise RecorderError(
                f"the recorder's state has {len(self.state.counted)} channels, its program {channels}: "
                "begin a new recording"
            )
        self._local = local
        self._length_ns = settings.interval_min * MINUTE_NS
        self._pulses: list[int] = []
        self._energies: list[tuple[int, tuple[int, ...], int]] = []
        self._squares: list[tuple[int, int, int]] = []
        self._inputs: list[tuple[int, int, int]] = []
        for place, channel in enumerate(settings.channels):
            metric = channel.metric
            pulse = channel.nano_pulse
            self._pulses.append(pulse.numerator)
            if metric.quantity is not None:
                self._energies.append((place, metric.quantity.adds, pulse.denominator))
            elif metric.square is not None:
                self._squares.append((place, metric.square, pulse.denominator))
            elif metric.input is not None:
                self._inputs.append((place, metric.input, pulse.denominator))

    def begin(self, now_ns: int) -> tuple[int, ...]:
        """Open a recording: its first words. The first interval is the rest of the clock's present one."""
        self.state.began_ns = now_ns
        wall = self._wall_ns(now_ns)
        return self._write([_date(wall), _time(wall)])

    def take(self, amounts: Sequence[int], squares: Sequence[int], inputs: Sequence[int]) -> None:
        """Accumulate what flowed since the last time: amounts; squares, or none; pulses at both inputs, or none."""
        carried = self.state.carried
        for place, adds, denominator in self._energies:
            for index in adds:
                carried[place] += amounts[index] * denominator
        if squares:
            for place, index, denominator in self._squares:
                carried[place] += squares[index] * denominator
        if inputs:
            for place, index, denominator in self._inputs:
                carried[place] += inputs[index] * denominator

    @property
    def running(self) -> tuple[int, ...]:
        """Pulses of the running interval so far, channel by channel."""
        return tuple(carried // pulse for carried, pulse in zip(self.state.carried, self._pulses, strict=True))

    def next_end_ns(self, now_ns: int) -> int:
        """Return when the interval that runs at `now_ns` ends, unless the clock is set before: then ask again."""
        return now_ns + self._length_ns - self._wall_ns(now_ns) % self._length_ns

    def end_interval(self, at_ns: int) -> tuple[int, ...]:
        """The interval's counts, and at midnight the new date. Raises ValueError off the local clock's boundaries."""
        wall = at_ns + self._offset_ns(at_ns - 1)  # the clock that ran, should it jump at this very instant
        if wall % self._length_ns:
            raise ValueError(f"an interval of {self.settings.interval_min} min cannot end at {self._local(at_ns)}")
        words = self._counts()
        if not wall % DAY_NS:
            words.append(_date(wall))
        self.state.began_ns = at_ns
        return self._write(words)

    def outage(self, down_ns: int, up_ns: int) -> tuple[int, ...]:
        """Power was off. If the wall clock jumped meanwhile, marks of that follow: clock_change is not for it then."""
        offset = self._offset_ns(down_ns)
        down, up, now = down_ns + offset, up_ns + offset, self._wall_ns(up_ns)
        words = []
        if not self._same_interval(down, up):
            words += self._counts()
            self.state.began_ns = up_ns
        words.append(_time(down))
        if down // DAY_NS != up // DAY_NS:
            words.append(_date(up))
        words.append(_time(up))
        if now != up:
            words += self._moved(up, now, up_ns, up_ns)
        return self._write(words)

    def clock_set(self, old_ns: int, new_ns: int) -> tuple[int, ...]:
        """The clock was `old_ns` and from now on is `new_ns`."""
        return self._write(self._moved(self._wall_ns(old_ns), self._wall_ns(new_ns), old_ns, new_ns))

    def clock_change(self, at_ns: int) -> tuple[int, ...]:
        """The local wall clock jumped at this instant: daylight saving begins or ends."""
        return self._write(self._moved(at_ns + self._offset_ns(at_ns - 1), self._wall_ns(at_ns), at_ns, at_ns))

    def _moved(self, old_wall: int, new_wall: int, old_ns: int, new_ns: int) -> list[int]:
        words = []
        if self._same_interval(old_wall, new_wall):
            self.state.began_ns += new_ns - old_ns
        else:
            if self.state.began_ns != old_ns:
                words += self._counts()
            self.state.began_ns = new_ns
        return [*words, _date(old_wall), _time(old_wall), _date(new_wall), _time(new_wall)]

    def _same_interval(self, wall: int, other: int) -> bool:
        return wall // self._length_ns == other // self._length_ns

    def _counts(self) -> list[int]:
        """A word of each channel; what does not fill a pulse, or does not fit the word, stays."""
        words = []
        counted, carried = self.state.counted, self.state.carried
        for place, pulse in enumerate(self._pulses):
            count = carried[place] // pulse
            if count > MOST_PULSES:
                count = MOST_PULSES
                self.state.overflows += 1
            counted[place] += count
            carried[place] -= count * pulse
            words.append(encode_count(count))
        return words

    def _write(self, words: list[int]) -> tuple[int, ...]:
        self.state.written += len(words)
        return tuple(words)

    def _wall_ns(self, utc_ns: int) -> int:
        """Return the local clock's time, in nanoseconds since its 1970."""
        return utc_ns + self._offset_ns(utc_ns)

    def _offset_ns(self, utc_ns: int) -> int:
        offset = self._local(utc_ns).utcoffset()
        if offset is None:
            raise ValueError("the recorder needs local times with their offset from UTC")
        return offset // _MICROSECOND * 1000


def _date(wall_ns: int) -> int:
    return encode_date(date.fromordinal(_EPOCH + wall_ns // DAY_NS))


def _time(wall_ns: int) -> int:
    return encode_time(wall_ns % DAY_NS // NANO)
