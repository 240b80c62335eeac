"""The pulse counters in plain integers: changes of the contacts in, counts and stamps out, exact to the tick."""

from __future__ import annotations

from dataclasses import dataclass

from gateware.registers import GATE_PLACE, PULSE_PINS, TICK_BITS, Counter, CounterState, GateWord

_RING = 1 << TICK_BITS
_LONG = 0xFFFF_FFFF

_EDGES = {Counter.LED: 0, Counter.SPARE1: 9, Counter.SPARE2: 10}
_CONTACTS = {Counter.KYZ1: (1, 2), Counter.KYZ2: (3, 4), Counter.KYZ3: (5, 6), Counter.KYZ4: (7, 8)}


@dataclass
class _Results:
    """Results of one counter."""

    count: int = 0
    first: int = 0
    last: int = 0
    shortest: int = _LONG
    longest: int = 0
    illegal: int = 0

    def pulse(self, stamp: int) -> None:
        if self.count:
            interval = min((stamp - self.last) % _RING, _LONG)
            self.shortest = min(self.shortest, interval)
            self.longest = max(self.longest, interval)
        else:
            self.first = stamp
        self.last = stamp
        self.count = (self.count + 1) & _LONG


class PulseCountersModel:
    """Equal to the component once that has settled: 300 ticks and the filter after the last change or command.

    A stamp is the tick count as it reads after the strobe at which the change was seen. Calls come in order of
    time. There is no queue that could overflow: what the component counts after its overflow flag is not modelled.
    """

    def __init__(self) -> None:
        self.filter_ticks = 0
        self.gate_counter = 0
        self._levels = 0
        self._since = [0] * PULSE_PINS  # stamps of the inputs' last changes
        self._unsure: set[int] = set()  # inputs whose last change has not lasted yet
        self._steady = [0] * PULSE_PINS
        self._alone: dict[Counter, str] = {}
        self._armed: dict[int, bool] = {GateWord.OPEN_LO: False, GateWord.CLOSE_LO: False}
        self.clear()

    def clear(self) -> None:
        """COUNTER_CLEAR: the gate closed and disarmed, all words at zero."""
        self._results = [_Results() for _ in Counter]
        self._gate = [0] * len(GateWord)
        self._open = False
        self._armed = dict.fromkeys(self._armed, False)

    def change(self, stamp: int, levels: int) -> None:
        """The contacts read `levels` from `stamp` on."""
        self.run(stamp)
        for pin in range(PULSE_PINS):
            if (levels ^ self._levels) >> pin & 1:
                self._since[pin] = stamp
                self._unsure.add(pin)
        self._levels = levels

    def run(self, now: int) -> None:
        """Time passes to `now`: what has lasted counts, and the gate moves if it is due."""
        while self._unsure:
            stamp = min((self._since[pin] for pin in self._unsure), key=lambda s: (s - now - 1) % _RING)
            if (now - stamp) % _RING < self.filter_ticks:
                break
            moved = {pin for pin in self._unsure if self._since[pin] == stamp}
            self._unsure -= moved
            self._edge(stamp, moved)
        if not self._unsure:
            self._judge(now)

    def write(self, index: int, value: int, now: int) -> None:
        """A word of the GATE, by its index at the host's port, when the tick count was `now`."""
        self.run(now)
        word = GateWord(index - GATE_PLACE)
        self._gate[word] = value
        if word in (GateWord.OPEN_LO, GateWord.CLOSE_LO):
            self._armed[word] = False
        elif word in (GateWord.OPEN_HI, GateWord.CLOSE_HI):
            low = word - 1
            if low == GateWord.OPEN_LO or self._open or self._armed[GateWord.OPEN_LO]:
                if self._passed(low, now):
                    self._set(low, now)
                self._armed[low] = True

    def read(self, index: int) -> int:
        """A word, by its index at the host's port."""
        if index >= GATE_PLACE:
            return self._gate[index - GATE_PLACE]
        r = self._results[index // 8]
        low, high = _LONG, 32
        return (
            r.count, r.first & low, r.first >> high, r.last & low, r.last >> high, r.shortest, r.longest, r.illegal
        )[index % 8]  # fmt: skip

    @property
    def state(self) -> CounterState:
        """As the register COUNTER_STATE; busy only while a change waits for the filter."""
        return CounterState(
            self._open * CounterState.OPEN
            | self._armed[GateWord.OPEN_LO] * CounterState.OPENING
            | self._armed[GateWord.CLOSE_LO] * CounterState.CLOSING
            | bool(self._unsure) * CounterState.BUSY
        )

    def _passed(self, low: int, stamp: int) -> bool:
        return 0 < (stamp - (self._gate[low] | self._gate[low + 1] << 32)) % _RING <= _RING // 2

    def _set(self, low: int, stamp: int) -> None:
        self._gate[low], self._gate[low + 1] = stamp & _LONG, stamp >> 32

    def _judge(self, stamp: int) -> None:
        if self._armed[GateWord.OPEN_LO] and self._passed(GateWord.OPEN_LO, stamp):
            self._open, self._armed[GateWord.OPEN_LO] = True, False
        if (
            self._armed[GateWord.CLOSE_LO]
            and not self._armed[GateWord.OPEN_LO]
            and self._passed(GateWord.CLOSE_LO, stamp)
        ):
            self._open, self._armed[GateWord.CLOSE_LO] = False, False

    def _edge(self, stamp: int, moved: set[int]) -> None:
        """Inputs that took a new level at `stamp` and kept it."""
        before = list(self._steady)
        for pin in moved:
            self._steady[pin] = self._levels >> pin & 1
        self._judge(stamp)
        pulses = [c for c, pin in _EDGES.items() if self._steady[pin] > before[pin]]
        for counter, (y, z) in _CONTACTS.items():
            was, now = (before[y], before[z]), (self._steady[y], self._steady[z])
            alone = {(1, 0): "Y", (0, 1): "Z"}.get(now)
            last = self._alone.get(counter)
            if was != now and alone and last:
                if alone != last:
                    pulses.append(counter)
                elif was == (0, 0):
                    self._results[counter].illegal += self._open
            if was != now == (1, 1):
                self._results[counter].illegal += self._open
            if alone:
                self._alone[counter] = alone
        if not self._open:
            return
        for counter in pulses:
            self._results[counter].pulse(stamp)
        left = self._gate[GateWord.PULSES]
        if left and self.gate_counter in pulses:
            self._gate[GateWord.PULSES] = left - 1
            if left == 1:
                self._open, self._armed[GateWord.CLOSE_LO] = False, False
                self._set(GateWord.CLOSE_LO, stamp)
