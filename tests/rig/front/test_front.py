"""The front in people's hands, as they should use it and as they should not (D-2 to D-6, Q-5)."""

from __future__ import annotations

import pytest
from hands import SETTINGS, Hands, S, sequence

from rig.meter.billing.commands import Action
from rig.meter.display.items import DisplaySettings
from rig.meter.front.front import Front, Overlay
from rig.meter.front.modes import Mode
from rig.meter.front.switches import Change, Switch

BEGIN, END, RESET = Action.TEST_BEGIN, Action.TEST_END, Action.RESET_BY_SWITCH


def after(script: str, operated: tuple[Switch, ...] = ()) -> tuple[str, str]:
    """The mode and the item, once a script is played."""
    hands = Hands(operated)
    hands.play(script)
    return hands.front.mode.value, hands.front.item.name


def requests(script: str, operated: tuple[Switch, ...] = ()) -> list[tuple[float, Action]]:
    return [(at_ns / S, action) for at_ns, action in Hands(operated).play(script)]


# --- what covers the item -------------------------------------------------------------------------------------


def test_all_segments_stand_3_s_at_start_and_the_first_item_all_its_time_after():
    front = Front(SETTINGS, (), 100)
    assert (front.overlay, front.next_due_ns) == (Overlay(), 100 + 3 * S)
    front.advance(100 + 3 * S - 1, False)
    assert front.overlay == Overlay()
    front.advance(100 + 3 * S, False)
    assert (front.overlay, front.item.name, front.next_due_ns) == (None, "normal 0", 100 + 9 * S)


def test_an_accepted_reset_shows_all_segments_and_then_the_first_item():
    hands = Hands()
    hands.play("@10")
    assert hands.front.item.name == "normal 1"
    hands.play("R11 A11.5 r12 @14.4")
    assert hands.front.overlay == Overlay()
    hands.play("@14.5")
    assert (hands.front.overlay, hands.front.item.name) == (None, "normal 0")
    hands.play("@20.4")
    assert hands.front.item.name == "normal 0"
    hands.play("@20.5")
    assert hands.front.item.name == "normal 1"


def test_in_test_mode_the_item_stands_after_a_reset():
    """A tester resets the test's demand while counting an item's pulses."""
    assert after("C1 T2 B2 S3 s4 R5 A5.1 r6 @9") == ("test", "test 1")


def test_a_refused_reset_says_how_long_to_wait_and_the_item_stands():
    hands = Hands()
    hands.play("@10 R11")
    hands.front.reset_refused(11 * S, 42)
    assert hands.front.overlay == Overlay(42)
    hands.play("@13.9")
    assert hands.front.overlay == Overlay(42)
    hands.play("@14")
    assert (hands.front.overlay, hands.front.item.name, hands.front.next_due_ns) == (None, "normal 1", 20 * S)


def test_what_billing_tells_late_counts_as_now():
    hands = Hands()
    hands.play("@10")
    hands.front.reset_refused(9 * S, 5)
    assert hands.front.next_due_ns == 13 * S
    hands.front.reset_accepted(9 * S)
    assert (hands.front.overlay, hands.front.item.name) == (Overlay(), "normal 0")


def test_what_is_done_under_a_cover_counts():
    assert after("C0 S0.5 s1") == ("normal", "normal 1")
    assert after("C0 S0.5 s1 @8.9") == ("normal", "normal 1")
    assert after("C0 S0.5 s1 @9") == ("normal", "normal 2")


# --- presses and magnets --------------------------------------------------------------------------------------


def test_to_the_nanosecond():
    """Held for exactly 3 s is held; a ns less is a short press. So with 6 s, and with the magnet."""
    for switch, short in ((Switch.SCROLL, "normal 1"), (Switch.MAGNET, "normal 0")):
        for held_ns, mode, item in (
            (3 * S - 1, Mode.NORMAL, short),
            (3 * S, Mode.ALTERNATE, "alternate 0"),
            (6 * S - 1, Mode.ALTERNATE, "alternate 0"),
            (6 * S, Mode.NORMAL, "normal 0"),
        ):
            front = Front(SETTINGS, (Switch.COVER,), 0)
            for change in (Change(4 * S, switch, True), Change(4 * S + held_ns, switch, False)):
                assert front.change(change) == ()
            assert (front.mode, front.item.name) == (mode, item)


def test_a_short_press_acts_when_it_is_let_go():
    assert after("C1 S4 @6") == ("normal", "normal 0")
    assert after("C1 S4 s6") == ("normal", "normal 1")


def test_scroll_needs_the_cover_off():
    assert after("S4 s5") == ("normal", "normal 0")
    assert after("S4 @8") == ("normal", "normal 0")
    assert after("S4 C5 s6") == ("normal", "normal 0"), "a press that began with the cover on is void"
    assert after("S4 C5 s6 S7 s8") == ("normal", "normal 1")
    assert after("C1 S4 c5 s6") == ("normal", "normal 0"), "so is one during which it is put on"
    assert after("C1 S4 c5 C6 @8") == ("normal", "normal 0")


def test_the_magnet_works_with_the_cover_on():
    assert after("M4 m7.5") == ("alternate", "alternate 0")
    assert after("M4 @10") == ("gyrbox", "gyrbox 0")
    assert after("M4 @16") == ("gyrbox", "gyrbox 1")
    assert after("M4 @16 m17") == ("normal", "normal 0")


def test_the_alternate_sequence_goes_by_once():
    assert [after(f"M4 m7.5 @{at}") for at in (12.9, 13, 18.9, 19)] == [
        ("alternate", "alternate 0"), ("alternate", "alternate 1"),
        ("alternate", "alternate 1"), ("normal", "normal 0"),
    ]  # fmt: skip


def test_stepping_ends_the_alternate_sequence_too():
    assert after("C1 S2 s5.5 S6 s7") == ("alternate", "alternate 1")
    assert after("C1 S2 s5.5 S6 s7 S8 s9") == ("normal", "normal 0")


def test_the_way_into_gyrbox_by_scroll_as_the_notice_has_it():
    hands = Hands()
    seen = []
    for word in ["C1", "S2", "@5", "@8", "@8.6", "@9.1", "T9.2", "s10", "@15.2", "t16"]:
        assert hands.play(word) == ()
        seen.append((hands.front.mode.value, hands.front.place, hands.front.fast))
    assert seen == [
        ("normal", 0, False), ("normal", 0, False), ("alternate", 0, False), ("alternate", 0, True),
        ("alternate", 1, True), ("alternate", 0, True), ("gyrbox", 0, False), ("gyrbox", 0, False),
        ("gyrbox", 1, False), ("normal", 0, False),
    ]  # fmt: skip


def test_fast_scroll_that_is_let_go_goes_back():
    assert after("C1 S2 s9") == ("normal", "normal 0")


# --- test mode ------------------------------------------------------------------------------------------------


def test_test_mode_is_asked_for_and_shown_when_billing_has_it():
    assert requests("C1 T2 B2.5 t9") == [(2, BEGIN), (9, END)]
    assert requests("T1 C2 B2.5 c9") == [(2, BEGIN), (9, END)], "the cover does as well"
    assert after("C1 T2") == ("normal", "normal 0")
    assert after("C1 T2 B2.5") == ("test", "test 0")
    assert after("C1 T2 B2.5 t9") == ("test", "test 0")
    assert after("C1 T2 B2.5 t9 b9.5") == ("normal", "normal 0")


def test_the_test_switch_needs_the_cover_off():
    assert requests("T2 t3") == []


def test_an_item_of_the_test_sequence_stands():
    assert after("C1 T2 B2.5 @2000") == ("test", "test 0")
    assert after("C1 T2 B2.5 S3 s4 @2000") == ("test", "test 1")


def test_after_its_timer_test_mode_waits_for_the_switch():
    script = "C1 T2 B2.5 b60"
    assert after(script) == ("normal", "normal 0")
    assert requests(f"{script} t70") == [(2, BEGIN)], "there is no test mode to end"
    assert requests(f"{script} t70 T71") == [(2, BEGIN), (71, BEGIN)]


def test_a_switch_closed_before_billing_knew_it_open_leaves_no_test_mode():
    assert requests("C1 T2 t2.01 B2.02") == [(2, BEGIN), (2.01, END)]
    assert requests("C1 T2 B2.1 t3 T3.01 b3.02 B3.03 t4") == [(2, BEGIN), (3, END), (3.01, BEGIN), (4, END)]


def test_test_mode_by_communication_is_shown_and_ended_by_the_switch():
    assert after("M4 m7.5 B8") == ("test", "test 0")
    assert requests("B8 C9 T10 t11") == [(10, BEGIN), (11, END)]


# --- abuse ----------------------------------------------------------------------------------------------------


def test_a_magnet_in_test_mode_does_nothing_then_or_later():
    assert after("C1 T2 B2.1 M3 @20") == ("test", "test 0")
    assert after("C1 T2 B2.1 M3 t4 b4.1 @20") == ("normal", "normal 2")
    assert after("C1 T2 B2.1 M3 t4 b4.1 m5 M6 @9") == ("alternate", "alternate 0")
    assert after("C1 T2 B2.1 M3 S4 s5") == ("test", "test 1"), "nor does it take SCROLL away"
    assert after("M1 B2 b3 @20") == ("normal", "normal 2"), "one that was there before"
    assert after("M1 B2 C3 S4 s5") == ("test", "test 1"), "nor does that one take SCROLL away"


@pytest.mark.parametrize("held", ["M4 S5", "M4 S4"])
def test_both_held_the_magnet_first(held: str):
    assert after(f"C1 {held} s5.5") == ("normal", "normal 0")
    assert after(f"C1 {held} @7") == ("alternate", "alternate 0")
    assert after(f"C1 {held} @10") == ("gyrbox", "gyrbox 0")
    assert after(f"C1 {held} @10.5 m11") == ("normal", "normal 0")
    assert after(f"C1 {held} m5.2 @8.9") == ("normal", "normal 0"), "SCROLL is void until it is let go"
    assert after(f"C1 {held} m5.2 s6 S7 s8") == ("normal", "normal 1")


@pytest.mark.parametrize("held", ["S4 M5", "S4 M4"])
def test_both_held_scroll_first(held: str):
    assert after(f"C1 {held} s5.5") == ("normal", "normal 1")
    assert after(f"C1 {held} @10") == ("alternate", "alternate 0")
    assert after(f"C1 {held} @10.5 s11 @16.9") == ("normal", "normal 0"), "the magnet is void until it is removed"
    assert after(f"C1 {held} s5.5 m6 M7 @10") == ("alternate", "alternate 0")
    assert after(f"C1 {held} @10.2 T10.3 s11 m12 M13 @30") == ("gyrbox", "gyrbox 3"), "void in this Gyrbox"
    assert after(f"C1 {held} @10.2 T10.3 s11 m12 M13 t30 @36") == ("normal", "normal 1"), "and after it"


def test_power_cut_while_held():
    """What is found operated at start must be let go first; then it is as any."""
    held = tuple(Switch)
    assert after("@20", held) == ("normal", "normal 2")
    assert requests("@20 r21 s22 m23 t24 c25", held) == []
    assert after("s5 S6 s7", (Switch.COVER, Switch.SCROLL)) == ("normal", "normal 1")
    assert after("m4 M5 @8", (Switch.MAGNET,)) == ("alternate", "alternate 0")
    assert requests("r4 R5 r6", (Switch.RESET,)) == [(5, RESET)]
    assert requests("C4", (Switch.TEST,)) == [], "the switch, found open under the cover"
    assert requests("C4 t5 T6", (Switch.TEST,)) == [(6, BEGIN)]
    assert requests("t5 T6", (Switch.COVER, Switch.TEST)) == [(6, BEGIN)]


def test_cover_put_on_in_gyrbox():
    assert after("C1 S2 T8.1 s9 c10") == ("normal", "normal 0")
    assert requests("C1 S2 T8.1 s9 c10 C11") == [(11, BEGIN)], "taken off again, the open switch asks for test mode"
    assert after("C1 M2 @8 c9 @14") == ("gyrbox", "gyrbox 1"), "to the magnet the cover is nothing"


def test_cover_put_on_in_test_mode():
    assert requests("C1 T2 B2.1 c3") == [(2, BEGIN), (3, END)]
    assert after("C1 T2 B2.1 S2.5 c3 b3.1 C4 s5") == ("normal", "normal 0"), "and SCROLL, held meanwhile, is void"


def test_scroll_held_over_the_end_of_gyrbox_is_void():
    assert after("C1 S2 T8.2 s9 S10 t11 s12") == ("normal", "normal 0")
    assert after("C1 S2 T8.2 s9 S10 t11 @16.9") == ("normal", "normal 0")
    assert after("C1 S2 T8.2 s9 S10 t11 s12 S13 s14") == ("normal", "normal 1")


def test_cover_put_on_in_fast_scroll():
    assert after("C1 S2 c8.2 C8.3 @9") == ("normal", "normal 0")
    assert requests("C1 S2 @8.1 c8.2 T8.3") == []


def test_a_held_reset_is_one_reset():
    assert requests("R4 @3000 r3001 R3002") == [(4, RESET), (3002, RESET)]
    assert requests("R4 R5 R6 r7 r8") == [(4, RESET)], "told again, nothing changes"


def test_reset_works_in_every_mode_and_under_the_cover():
    for script in ("@1", "M4 m7.5", "M4 @10", "C1 S2 @8.2", "C1 S2 T8.2 s9", "B2"):
        assert requests(f"{script} R20") == [(20, RESET)]


def test_a_magnet_kept_over_an_accepted_reset_is_void():
    assert after("M4 @10 R11 A11.1 @14") == ("normal", "normal 0")
    assert after("M4 @10 R11 A11.1 m14 M15 @18") == ("alternate", "alternate 0")
    assert after("M4 @7 R8 A8.1 @10.5") == ("normal", "normal 0")
    assert after("C1 S4 R5 A5.1 s6") == ("normal", "normal 0"), "and so is SCROLL"


def test_a_sequence_of_one_item():
    one = DisplaySettings(6, sequence("n", 1), sequence("a", 1), sequence("g", 1), sequence("t", 1))
    hands = Hands((Switch.COVER,), one)
    hands.play("@9 S10 s11 S12 @15")
    assert (hands.front.mode, hands.front.place) == (Mode.ALTERNATE, 0)
    hands.play("@18.7")
    assert (hands.front.mode, hands.front.place, hands.front.fast) == (Mode.ALTERNATE, 0, True)
    hands.play("s19 M20 m23.5 @29")
    assert hands.front.mode is Mode.NORMAL


@pytest.mark.parametrize("late", [
    lambda front: front.advance(4, False),
    lambda front: front.change(Change(4, Switch.RESET, True)),
])  # fmt: skip
def test_time_does_not_go_back(late):
    front = Front(SETTINGS, (), 0)
    front.advance(5, False)
    with pytest.raises(ValueError, match="happens at 4 ns, but time has come to 5 ns"):
        late(front)


def test_a_press_asks_once():
    front = Front(SETTINGS, (), 0)
    assert front.change(Change(123_456_789, Switch.RESET, True)) == (RESET,)
    assert front.change(Change(123_456_789, Switch.RESET, True)) == ()
