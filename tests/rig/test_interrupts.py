"""Ctrl-C and SIGTERM, once and again."""

from __future__ import annotations

import signal
import time

import pytest

from rig.daemon.interrupts import HASTE_S, Interrupts


def test_ctrl_c_again_in_haste_is_the_same_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    interrupts, told = Interrupts(), []
    interrupts.told = lambda: told.append(now_s[0])
    for _ in range(3):
        interrupts.note(signal.SIGINT, None)
    assert interrupts.seen
    assert told == [100.0]
    now_s[0] += HASTE_S
    with pytest.raises(KeyboardInterrupt):
        interrupts.note(signal.SIGINT, None)


def test_a_second_sigterm_interrupts_at_once() -> None:
    interrupts = Interrupts()
    interrupts.note(signal.SIGTERM, None)
    with pytest.raises(KeyboardInterrupt):
        interrupts.note(signal.SIGTERM, None)
