"""The energy measured up to a tick of the board, which the pulses of a counter are compared with; memory is bounded.

Kept are the last KEPT_WINDOWS windows, and what had flowed up to the mark: the tick from which on is counted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from gateware.registers import TICK_BITS
from rig.bench.errors import NoLongerKept
from rig.meter.billing.quantity import PLACES, Quantity
from rig.meter.measuring.measurement import Window
from rig.meter.measuring.registration import Energies

KEPT_WINDOWS = 256
"""4 s at 60 windows a second. Windows are asked for that are as old as a pulse's latency, 0.12 s."""

_RING = 1 << TICK_BITS

_NET = tuple(quantity for quantity in Quantity if quantity.net)


@dataclass(frozen=True, slots=True)
class MeasuredWindow:
    """The energy that flowed between two ticks of the meter's timeline."""

    begin_tick: int
    end_tick: int
    energies: Energies


class _Dropped:
    """The energy of windows that are kept no more: what adds up by place, and net quantities, which move either way."""

    def __init__(self) -> None:
        self._places = [0] * PLACES
        self._net = dict.fromkeys(_NET, 0)

    def add(self, energies: Energies) -> None:
        energies.add_to(self._places)
        for quantity in _NET:
            self._net[quantity] += energies.moves(quantity)

    def of(self, quantity: Quantity) -> int:
        return self._net[quantity] if quantity.net else quantity.of(self._places)


class EnergyLedger:
    """Energy in nWh (nvarh, nVAh) that has flowed up to a tick, of every quantity; a window cut counts in part.

    Ticks are given as the board counts them, modulo 2**48, and taken to be near the last window's end.
    """

    def __init__(self, kept: int = KEPT_WINDOWS) -> None:
        self._kept = kept
        self.clear()

    def clear(self) -> None:
        """Begin anew, with a meter that starts: everything counts, until a mark is set."""
        self._windows: deque[MeasuredWindow] = deque()
        self._dropped = _Dropped()
        self._mark_tick: int | None = None
        self._marked: dict[Quantity, int] | None = dict.fromkeys(Quantity, 0)

    def add(self, window: Window) -> None:
        """Take in the next window; one that registers nothing is passed over."""
        if window.energies is None:
            return
        self._windows.append(MeasuredWindow(window.flowed_from, window.tick_end, window.energies))
        if self._marked is None and self._mark_tick is not None and window.tick_end >= self._mark_tick:
            self._marked = {quantity: self._total(quantity, self._mark_tick) for quantity in Quantity}
        if len(self._windows) > self._kept:
            self._dropped.add(self._windows.popleft().energies)

    def mark(self, board_tick: int) -> None:
        """Count from a tick on. Raises NoLongerKept for one that is older than the windows kept."""
        self._mark_tick = tick = self._unwrapped(board_tick)
        self._marked = None
        if self._windows and tick <= self._windows[-1].end_tick:
            self._marked = {quantity: self._total(quantity, tick) for quantity in Quantity}

    def since_mark(self, quantity: Quantity, board_tick: int) -> int:
        """Give what flowed from the mark to a tick; up to the last window, where that is later. Without a mark, from
        the meter's start on. Raises NoLongerKept for a tick older than the windows kept."""
        if self._marked is None:
            return 0  # the window in which the mark lies has not come yet
        return max(self._total(quantity, self._unwrapped(board_tick)) - self._marked[quantity], 0)

    def _total(self, quantity: Quantity, tick: int) -> int:
        total = self._dropped.of(quantity)
        if self._windows and tick < self._windows[0].begin_tick and total:
            raise NoLongerKept(
                f"what had flowed up to tick {tick} is no longer known: kept are the last {self._kept} windows, "
                f"from tick {self._windows[0].begin_tick} on"
            )
        for window in self._windows:
            if tick >= window.end_tick:
                total += window.energies.moves(quantity)
            elif tick > window.begin_tick:
                length = window.end_tick - window.begin_tick
                total += window.energies.moves(quantity) * (tick - window.begin_tick) // length
        return total

    def _unwrapped(self, board_tick: int) -> int:
        """On the meter's timeline, which does not wrap, where it is nearest to the last window's end."""
        if not self._windows:
            return board_tick
        end = self._windows[-1].end_tick
        return end + (board_tick - end + _RING // 2) % _RING - _RING // 2
