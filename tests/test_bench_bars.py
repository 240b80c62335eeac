"""Bars of `make bench` move with the computer, so that a slower one passes what is as good (review C-12)."""

from __future__ import annotations

import pytest

from tests.bench import YARDSTICK_S, scaled


@pytest.mark.parametrize("slower", [0.5, 1.0, 2.0, 7.3])
def test_a_speed_or_a_duration_is_judged_by_the_computer(slower: float) -> None:
    """The same program takes `slower` times as long everywhere: what held at the bar holds, and 1 % worse does not."""
    speed, duration = scaled(YARDSTICK_S * slower)
    assert speed("exact_realtime", 20 / slower * 1.0001, "x", 20)["holds"]
    assert not speed("exact_realtime", 20 / slower * 0.99, "x", 20)["holds"]
    assert duration("year_s", 30 * slower * 0.9999, "s", 30)["holds"]
    assert not duration("year_s", 30 * slower * 1.01, "s", 30)["holds"]
