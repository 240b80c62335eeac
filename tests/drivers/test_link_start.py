"""A start on a board that is not there yet, or never: five seconds by the clock, then one sentence (H-2)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest
from test_spi_link import Rewritten, board

from drivers.link_start import started_link
from drivers.spi_link import ForeignBoard, NoReply, SpiBus

START_S = 5
"""As docs/link.md has it."""


class Watch:
    """A clock that goes only when it is waited for."""

    def __init__(self) -> None:
        self.ns = 10**12

    def now_ns(self) -> int:
        return self.ns

    def utc_ns(self) -> int:
        return self.ns

    def wait_until(self, instant_ns: int) -> None:
        self.ns = max(self.ns, instant_ns)


class Late:
    """A board that answers from an instant on; before, `how` does."""

    def __init__(self, clock: Watch, from_s: float, how: Callable[[int], list[int]]) -> None:
        self._clock, self._from_ns, self._how = clock, clock.ns + round(from_s * 1e9), how
        self._board: SpiBus = board()
        self.closed = False

    def xfer2(self, data: list[int]) -> list[int]:
        return self._board.xfer2(data) if self._clock.ns >= self._from_ns else self._how(len(data))

    def close(self) -> None:
        self.closed = True


def silent(count: int) -> list[int]:
    return [0xFF] * count


def failing(count: int) -> list[int]:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("how", [silent, failing])
def test_a_board_that_comes_up_late_is_waited_for(how: Callable[[int], list[int]]) -> None:
    clock = Watch()
    bus = Late(clock, START_S - 0.2, how)
    assert started_link(bus, clock).identity.build
    assert not bus.closed


@pytest.mark.parametrize(("how", "said"), [(silent, "CIPO stays high"), (failing, "Input/output error")])
def test_one_that_never_comes_is_one_sentence_after_five_seconds(how: Callable[[int], list[int]], said: str) -> None:
    clock = Watch()
    bus = Late(clock, START_S + 0.2, how)
    with pytest.raises(NoReply, match=said):
        started_link(bus, clock)
    assert START_S * 10**9 <= clock.ns - 10**12 < (START_S + 0.1) * 10**9
    assert bus.closed


def test_another_design_is_not_waited_for() -> None:
    clock = Watch()
    with pytest.raises(ForeignBoard, match="another design"):
        started_link(Rewritten([0x1234, 0, 0, 0, 1, 1, 0]), clock)
    assert clock.ns == 10**12
