"""State of a meter whose process has died and whose board has not, in the ring of states (rig/store/ring.py).

    a start finds                                                it
    no ring, or another program's, board's or boot's             begins a window anew; an outage since the last save
    a ring older than the store's last save, or of another one   the same
    a board that was reset, or whose count did not run on        the same
    a board that ran on longer than its sums are sure to hold    the same
    all as it was left                                           takes over: registers the records that wait, goes on in
                                                                 the board's ticks, shows what outputs owe; no outage

"Ran on" is that the board's ticks since the last comparison are the clock's time since: within CRYSTALS_PPM for two
crystals, and BUS_NS for how long the two comparisons can have taken.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import msgspec

from drivers.spi_link import Identity
from gateware.record_words import SAFE_SAMPLES, Record
from gateware.registers import TICK_BITS
from rig.meter.contacts.outputs import OutputId
from rig.meter.meter import RunningState
from rig.service.front_panel import PanelState
from rig.store.items import Item
from rig.store.ring import default_ring, newest_state
from rig.store.saved_meter import SavedMeter

CRYSTALS_PPM = 200
"""Two crystals of ±50 ppm each, temperature and ageing: half of it is ample."""

BUS_NS = 50_000_000
"""Two comparisons, each up to 20 ms long (rig/service/board_time.py), and what the line drawn through them is off."""

_TICKS = 1 << TICK_BITS


class BoardRun(msgspec.Struct, frozen=True):
    """Board and its run: what names the time for which clock and board go on (a boot of the computer), build and
    capabilities, the digest of its configuration, and that of the constants: parts of a nWh are of their gains."""

    epoch: str
    build: int
    capabilities: int
    configuration: int
    constants: str = ""

    @classmethod
    def of(cls, epoch: str, identity: Identity, configuration: int, constants: str) -> BoardRun:
        """The run that is now."""
        return cls(epoch, identity.build, int(identity.capabilities), configuration, constants)


class Running(msgspec.Struct, frozen=True):
    """All of it. `compared` is a tick of the meter's timeline, and the clock's ns at it; `polled_ns` when contacts were
    last looked at. `dealt` has by switch and input the number of the last edge that counted, and the level then;
    `asked` the pulses that each output was ever asked for. `items` wait for the disk, by batch; `stored` says whether
    that has any save of the meter; `host_time` is what was thought of the computer's time of day.
    """

    board: BoardRun
    compared: tuple[int, int]
    polled_ns: int
    dealt: dict[str, tuple[int, bool]]
    asked: dict[OutputId, int]
    saved: SavedMeter
    meter: RunningState
    panel: PanelState
    items: list[tuple[int, list[Item]]]
    stored: bool
    host_time: tuple[str | None, bool] = (None, False)

    @property
    def last(self) -> Record:
        """The last record that is registered."""
        return Record.from_words(self.meter.measurement.last)

    def is_of(self, board: BoardRun, program: str, fidelity: str) -> bool:
        """Return whether it is of this run of this board, of a meter with this program and fidelity."""
        return (self.board, self.saved.program, self.saved.fidelity) == (board, program, fidelity)

    def timeline(self, board_tick: int) -> int:
        """The board's count, not long after the last record, on the meter's timeline."""
        return self.meter.measurement.tick + (board_tick - self.last.tick_end) % _TICKS

    def ran_on(self, board_tick: int, now_ns: int, tick_hz: Fraction, ticks_per_sample: int) -> bool:
        """Return whether the board's count now is that of a board that has run all the time, and forgot nothing."""
        tick, then_ns = self.compared
        now_tick = self.timeline(board_tick)
        passed_ns = now_ns - then_ns
        ticks_ns = int((now_tick - tick) * 1_000_000_000 / tick_hz)
        allowed_ns = BUS_NS + abs(passed_ns) * CRYSTALS_PPM // 1_000_000
        waits = now_tick - self.meter.measurement.tick
        return passed_ns >= 0 and abs(ticks_ns - passed_ns) <= allowed_ns and waits < SAFE_SAMPLES * ticks_per_sample


DECODER: msgspec.json.Decoder[Running] = msgspec.json.Decoder(Running)


def running_at(path: str | None, store: Path) -> Running | None:
    """Read the last state in a store's ring, at `path` or where it is without one; None where there is none of ours."""
    state = newest_state(default_ring(store) if path is None else Path(path))
    return None if state is None else decoded_running(state)


def decoded_running(state: bytes) -> Running | None:
    """Read a state of the ring; None for one that another version wrote."""
    try:
        return DECODER.decode(state)
    except (msgspec.MsgspecError, ValueError):
        return None
