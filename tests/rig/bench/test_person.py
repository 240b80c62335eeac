"""A person is asked, and the rig sees by itself what was done and when; this one is simulated, late and inexact."""

from __future__ import annotations

import pytest
from someone import Someone, bench_with

from rig.bench.errors import HoldMissed, NobodyActed
from rig.bench.front import allowed


def test_instants_are_those_of_the_switch_not_of_the_asking(tmp_path) -> None:
    someone = Someone(late_s=1.5)
    with bench_with(someone, tmp_path) as bench:
        asked_ns = bench.rig.now_ns
        bench.cover.off()
        assert someone.texts == ["take the cover off now"]
        assert bench.rig.actions.last.at_ns == pytest.approx(asked_ns + 1.5e9, abs=1e6)
        assert bench.rig.actions.last.text == "the cover is taken off"
        bench.test_switch.open()
        assert bench.display.await_shown("TEST", within_s=3.5).met


def test_what_is_so_already_is_not_asked_for(tmp_path) -> None:
    someone = Someone()
    with bench_with(someone, tmp_path) as bench:
        bench.cover.off()
        bench.cover.off()
        assert len(someone.prompts) == 1


def test_a_hold_is_counted_down_and_the_display_judged_by_the_stamps(tmp_path) -> None:
    someone = Someone(delays_s=[0.9, 0.3])
    with bench_with(someone, tmp_path) as bench:
        begin = bench.rig.now_ns
        bench.magnet.hold(3.1)
        assert someone.texts == [
            "bring the magnet to twelve o'clock now, and keep on for 3.6 s: time is counted down",
            "3 …",
            "2 …",
            "1 …",
            "take the magnet away now",
        ]
        held = bench.rig.actions.last.at_ns - begin - 0.9e9
        assert 3.85e9 < held < 3.9e9  # 3.575 s and 0.3 s of reaction
        assert bench.display.await_shown("ALT", within_s=0.1).met


@pytest.mark.parametrize(("seconds", "found"), [(2.0, "2.00"), (4.4, "4.40")])
def test_a_hold_that_is_missed_must_be_done_again(tmp_path, seconds, found) -> None:
    someone = Someone(delays_s=[0.5, None])
    someone.sooner_s = seconds
    with bench_with(someone, tmp_path) as bench:
        with pytest.raises(HoldMissed, match=rf"MAGNET was held for {found} s, it must be 3.05 to 4.10 s"):
            bench.magnet.hold(3.1)
        assert ("take the magnet away now" in someone.texts) is (seconds > 4)


def test_a_person_who_does_nothing(tmp_path) -> None:
    with bench_with(Someone(late_s=1e6), tmp_path) as bench:
        bench._drivers["reset"]._patience_s = 3
        with pytest.raises(NobodyActed) as failure:
            bench.reset.press()
    assert "asked to press demand reset, nobody did within 3 s, or the wire of RESET is off" in str(failure.value)


def test_a_switch_found_operated_is_let_go_before_the_test_begins(tmp_path) -> None:
    someone = Someone()
    with bench_with(someone, tmp_path) as bench:
        bench.cover.off()
        bench.rig.run(0.1)
        bench.begin_again()
        assert someone.texts[-1] == "put the cover on now"
        assert not bench.rig.closed("cover")
        assert bench.rig.seconds < 0.1


@pytest.mark.parametrize(
    ("seconds", "limits"),
    [
        (3.1, (3.05, 4.1)),
        (2.5, (1.5, 2.95)),
        (2.98, (1.98, 2.98)),
        (4.5, (3.5, 5.5)),
        (6.5, (6.05, 7.5)),
        (0.2, (0.2, 1.2)),
    ],
)
def test_what_a_hold_may_be_means_the_same_to_the_meter(seconds, limits) -> None:
    assert allowed(seconds) == pytest.approx(limits)
