"""The ring of states of a meter in service: the one that a start takes over, and each of the meter as it runs."""

from __future__ import annotations

from pathlib import Path

import msgspec

from rig.hardware.hardware import Hardware
from rig.service.board import MeteringBoard
from rig.service.persistence import follows
from rig.service.running import BoardRun, Running, decoded_running
from rig.store.ring import StateRing, default_ring
from rig.store.store import Store


class RunningRing:
    """The ring beside a store, at `path` or where it is without one, of a meter with the program of this digest.

    `found` is the last state in it, where board and clock ran on since: the board then goes on from there, and the
    meter is to. None: the meter begins anew.
    """

    def __init__(self, hardware: Hardware, board: MeteringBoard, program: str, store: Store, path: str | None) -> None:
        self._ring = StateRing(default_ring(store.folder) if path is None else Path(path))
        identity, constants = hardware.link.identity, hardware.calibration.digest
        self.board_run = BoardRun.of(hardware.epoch, identity, board.configuration, constants)
        self.found: Running | None = None
        try:
            self._take_over(hardware, board, program, store)
        except BaseException:
            self.close()
            raise

    def _take_over(self, hardware: Hardware, board: MeteringBoard, program: str, store: Store) -> None:
        running = None if self._ring.newest is None else decoded_running(self._ring.newest)
        if running is None or not running.is_of(self.board_run, program, hardware.fidelity):
            return
        if not follows(running.saved, running.stored, store.restored):
            return
        identity = hardware.link.identity
        tick, now_ns = board.time.read()
        if running.ran_on(tick, now_ns, identity.tick_hz, identity.ticks_per_sample):
            self.found = running
            board.go_on(tick, now_ns, running.timeline(tick))

    def write(self, running: Running) -> None:
        """Bring a state to where it outlives this process."""
        self._ring.write(msgspec.json.encode(running))

    @property
    def fault(self) -> str | None:
        """Reason why it cannot be written, in a sentence."""
        return self._ring.fault

    def close(self) -> None:
        """Let it go; the states stay."""
        self._ring.close()
