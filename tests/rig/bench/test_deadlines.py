"""A deadline that is past is an error, whatever was seen before it (review A-13); one that is to come is awaited.

Times are those of the notice and of the program below: 3 s of all segments, intervals of one minute.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.bench.bench import Bench, simulated_bench
from rig.bench.errors import DeadlinePast, WrongArgument
from rig.bench.expectation import ExpectationResult
from rig.bench.states import ContactState, ShownFrame
from rig.program import schema
from rig.program.build import build


@pytest.fixture
def bench() -> Iterator[Bench]:
    with simulated_bench() as found:
        yield found


def refused(act: object) -> str:
    with pytest.raises(DeadlinePast) as past:
        act()  # type: ignore[operator]
    assert "\n" not in str(past.value)
    return str(past.value)


def test_a_deadline_that_is_past_is_an_error_that_says_so(bench: Bench) -> None:
    bench.rig.run(2)
    assert bench.display.mode == "normal"
    # It stood there all the time, so history alone would meet it.
    said = refused(lambda: bench.display.await_shown(mode="normal", within_s=1))
    assert said == (
        "within 1 s of 0.000 s, when the meter starts, is past: the rig ran to 2.000 s before the normal sequence was "
        "expected; give at least 2 s, or expect it earlier"
    )
    assert bench.display.await_shown(mode="normal", within_s=2.5).met
    assert bench.display.await_shown(mode="normal", within_s=None).met


def test_what_comes_after_a_run_is_awaited_with_a_time_that_counts_it_in(bench: Bench) -> None:
    bench.rig.run(1)
    found = bench.display.await_shown(mode="alternate", within_s=1.5)
    assert not found.met
    assert found.until_ns - bench.rig.begin_ns == 1_500_000_000
    refused(lambda: bench.display.await_shown(mode="normal", within_s=1.4))


def test_the_contacts_of_the_review(bench: Bench) -> None:
    """After 11 s a contact that closed at 0.122 s does not satisfy `within=1` (review A-13)."""
    bench.source.apply(amps=20)
    bench.rig.run(11)
    relay = bench.relay("KYZ1")
    refused(lambda: relay.await_closed("K-Z", within_s=1))
    refused(lambda: relay.await_closed("K-Y", within_s=10.9))
    assert relay.await_closed("K-Y", within_s=12).met
    assert relay.await_closed("K-Z", within_s=12.5).met


def closed_within(seconds: float) -> ExpectationResult[ContactState]:
    """Outcome of waiting for a contact on a rig that begins."""
    with simulated_bench() as bench:
        bench.source.apply(amps=20)
        return bench.relay("KYZ1").await_closed("K-Z", within_s=seconds)


def test_what_comes_just_before_the_deadline_is_found_and_just_after_it_is_not() -> None:
    """1 ms before and after: a fraction of the 40 ms at which the rig is looked at."""
    found = closed_within(3)
    assert found.decided_by is not None
    after_ns = found.decided_by.since_ns - found.from_ns
    assert closed_within((after_ns + 1_000_000) / 1e9).met
    assert not closed_within((after_ns - 1_000_000) / 1e9).met


def shown_within(seconds: float) -> ExpectationResult[ShownFrame]:
    """Outcome of waiting for the first item of a display, which begins with all segments for 3 s."""
    program = build(schema.ProgramFile(display=schema.DisplayTable(normal=("kWh delivered",))))
    with simulated_bench(program=program) as bench:
        return bench.display.await_shown(text="00000", within_s=seconds)


def test_what_is_shown_just_before_the_deadline_is_found_in_the_last_stretch_of_the_run() -> None:
    """What a display shows is not known ahead, as the contacts of a pulse under way are."""
    found = shown_within(4)
    assert found.decided_by is not None
    after_ns = found.decided_by.since_ns - found.from_ns
    assert after_ns > 2_900_000_000
    assert shown_within((after_ns + 1_000_000) / 1e9).met
    assert not shown_within((after_ns - 1_000_000) / 1e9).met


@pytest.mark.slow
def test_several_things_are_expected_in_one_time(bench: Bench) -> None:
    """Up to the deadline, at which the rig stops, one question does not make the next one late."""
    bench.magnet.hold(3.1)
    assert not bench.display.await_shown(mode="gyrbox", within_s=0.1).met
    assert bench.display.await_shown("ALT", within_s=0.1).met
    assert bench.display.await_shown(mode="alternate", within_s=0.1).met


def test_watching_is_running(bench: Bench) -> None:
    assert bench.display.watch_shown(mode="normal", for_s=1).met
    refused(lambda: bench.display.await_shown(mode="normal", within_s=0.5))


def test_an_act_begins_a_new_time(bench: Bench) -> None:
    bench.rig.run(2)
    bench.cover.off()
    assert bench.display.await_shown(mode="normal", within_s=0.1).met
    bench.rig.run(2)
    bench.rig.power_off(5)
    assert bench.display.await_shown(text="all segments", within_s=0.1).met


def test_items_since_a_second_that_has_not_been(bench: Bench) -> None:
    bench.rig.run(4)
    assert [name for name, _ in bench.display.items(since=4)] == [bench.display.item]
    for since in (4.5, -1, float("inf")):
        with pytest.raises(
            WrongArgument, match=r"there is no second .* of the meter's run yet: give one from 0 to 4\."
        ):
            bench.display.items(since=since)
