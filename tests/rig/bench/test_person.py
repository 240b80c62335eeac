"""A person is asked, and the rig sees by itself what was done and when; this one is simulated, late and inexact."""

from __future__ import annotations

import pytest
from someone import Someone, stand_with

from rig.bench.failures import BenchFailure, HoldMissed
from rig.bench.front import allowed


def test_instants_are_those_of_the_switch_not_of_the_asking(tmp_path) -> None:
    someone = Someone(late_s=1.5)
    with stand_with(someone, tmp_path) as stand:
        asked_ns = stand.rig.now_ns
        stand.cover.off()
        assert someone.texts == ["take the cover off now"]
        assert stand.rig.acts.last.at_ns == pytest.approx(asked_ns + 1.5e9, abs=1e6)
        assert stand.rig.acts.last.text == "the cover is taken off"
        stand.test_switch.open()
        stand.display.expect("TEST", within=3.5)


def test_what_is_so_already_is_not_asked_for(tmp_path) -> None:
    someone = Someone()
    with stand_with(someone, tmp_path) as stand:
        stand.cover.off()
        stand.cover.off()
        assert len(someone.asked) == 1


def test_a_hold_is_counted_down_and_the_display_judged_by_the_stamps(tmp_path) -> None:
    someone = Someone(delays_s=[0.9, 0.3])
    with stand_with(someone, tmp_path) as stand:
        begin = stand.rig.now_ns
        stand.magnet.hold(3.1)
        assert someone.texts == [
            "bring the magnet to twelve o'clock now, and keep on for 3.6 s: time is counted down",
            "3 …",
            "2 …",
            "1 …",
            "take the magnet away now",
        ]
        held = stand.rig.acts.last.at_ns - begin - 0.9e9
        assert 3.85e9 < held < 3.9e9  # 3.575 s and 0.3 s of reaction
        stand.display.expect("ALT", within=0.1)


@pytest.mark.parametrize(("seconds", "found"), [(2.0, "2.00"), (4.4, "4.40")])
def test_a_hold_that_is_missed_must_be_done_again(tmp_path, seconds, found) -> None:
    someone = Someone(delays_s=[0.5, None])
    someone.sooner_s = seconds
    with stand_with(someone, tmp_path) as stand:
        with pytest.raises(HoldMissed, match=rf"MAGNET was held for {found} s, it must be 3.05 to 4.10 s"):
            stand.magnet.hold(3.1)
        assert ("take the magnet away now" in someone.texts) is (seconds > 4)


def test_a_person_who_does_nothing(tmp_path) -> None:
    with stand_with(Someone(late_s=1e6), tmp_path) as stand:
        stand._by_name["reset"]._patience_s = 3
        with pytest.raises(BenchFailure) as failure:
            stand.reset.press()
    assert "asked to press demand reset, nobody did within 3 s, or the wire of RESET is off" in str(failure.value)


def test_a_switch_found_operated_is_let_go_before_the_test_begins(tmp_path) -> None:
    someone = Someone()
    with stand_with(someone, tmp_path) as stand:
        stand.cover.off()
        stand.rig.run(0.1)
        stand.begin_again()
        assert someone.texts[-1] == "put the cover on now"
        assert not stand.rig.operated("cover")
        assert stand.rig.seconds < 0.1


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
