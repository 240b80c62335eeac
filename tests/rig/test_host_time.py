"""Wild clocks of the computer, and what they must not do to a meter (H-8)."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from link_bench import BEGIN_UTC_NS, Rig

from rig.files.strict_toml import convert
from rig.meter.access.decision import Asker
from rig.meter.billing.events import ClockSetTo, SelfReadTaken
from rig.meter.billing.source import Source
from rig.program.build import Program, build
from rig.program.schema import ProgramFile
from rig.service import host_time
from rig.service.door import MeterDoor
from rig.service.door_error import DoorError
from rig.service.events import HostTimeBelieved, HostTimeDoubted
from rig.service.host_time import HostTime
from rig.store.store import Store

DAY_NS = 86_400 * 10**9


def ns(year: int, month: int = 1, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 10**9


WILD = {
    "1677, where 64 bits of ns begin": -(2**63),
    "1970, no battery": 5 * 10**9,
    "2025, before this version": ns(2025, 6, 1),
    "a day and an hour back": BEGIN_UTC_NS - 25 * 3600 * 10**9,
    "93 days ahead": BEGIN_UTC_NS + 93 * DAY_NS,
    "2029, a bit that flipped": BEGIN_UTC_NS + 2**56,
    "2100": ns(2100),
    "2262, where 64 bits of ns end": 2**63 - 1,
}
"""What the computer's clock shows beside a meter that has BEGIN_UTC_NS."""


def some(*places: int) -> dict[str, int]:
    """A few of them, where a whole service is run."""
    return {name: value for k, (name, value) in enumerate(WILD.items()) if k in places}


FINE = {
    "the same": BEGIN_UTC_NS,
    "23 hours back": BEGIN_UTC_NS - 23 * 3600 * 10**9,
    "91 days ahead": BEGIN_UTC_NS + 91 * DAY_NS,
}


@pytest.mark.parametrize("shown", WILD.values(), ids=WILD)
def test_what_is_doubted(shown: int) -> None:
    time = HostTime()
    assert not time.judge(shown, BEGIN_UTC_NS)
    assert time.doubt is not None
    assert "the computer's clock says " in time.doubt
    assert time.doubt.endswith("confirm it with rig ask set-clock")


@pytest.mark.parametrize("shown", FINE.values(), ids=FINE)
def test_what_is_believed(shown: int) -> None:
    assert HostTime().judge(shown, BEGIN_UTC_NS)


@pytest.mark.parametrize(("shown", "believed"), [(ns(2026, 10, 31), False), (ns(2026, 11, 1), True), (ns(2099), True)])
def test_a_new_meter_takes_what_is_not_before_this_version(shown: int, believed: bool) -> None:
    assert HostTime().judge(shown, None) is believed


def table() -> dict[tuple[str, str], str]:
    """The table of the docstring, by state and what came."""
    lines = (host_time.__doc__ or "").splitlines()
    head = next(k for k, line in enumerate(lines) if line.split()[:2] == ["state", "plausible"])
    names = ("plausible", "implausible", "confirmed")
    columns = [lines[head].index(name) for name in names] + [None]
    return {
        (line.split()[0], name): line[begin:end].strip()
        for line in lines[head + 1 : head + 3]
        for name, begin, end in zip(names, columns, columns[1:], strict=False)
    }


@pytest.mark.parametrize(("state", "came"), table())
def test_the_table(state: str, came: str) -> None:
    wild, time = ns(2262), HostTime()
    if state == "doubted":
        time.judge(wild, BEGIN_UTC_NS)
    assert (time.doubt is None) == (state == "believed")
    if came == "confirmed":
        time.confirm()
    time.judge(BEGIN_UTC_NS if came == "plausible" else wild, BEGIN_UTC_NS)
    cell = table()[state, came]
    target = state if cell == "." else cell.partition(",")[0]
    assert (time.doubt is None) == (target == "believed")


@given(st.integers(-(2**63), 2**63 - 1), st.none() | st.integers(ns(2000), ns(2100)))
def test_any_time_is_believed_or_doubted_in_one_sentence(shown: int, meter: int | None) -> None:
    time = HostTime()
    if not time.judge(shown, meter):
        assert time.doubt is not None
        assert "\n" not in time.doubt
        time.confirm()
        assert time.judge(shown, meter)
        time.followed()
        assert not time.judge(shown, meter)


SELF_READING = """
[self_read]
schedule = "monthly"
day = 1
"""


def program() -> Program:
    """A self-read on the first of each month: in 92 days or years, some are passed."""
    return build(convert(tomllib.loads(SELF_READING), ProgramFile))


@pytest.mark.parametrize("shown", some(0, 4, 5).values(), ids=some(0, 4, 5))
def test_a_clock_that_goes_wild_in_service_moves_nothing(shown: int) -> None:
    rig = Rig(program=program())
    rig.run(1.5)
    rig.clock.ahead_ns = shown - rig.clock.utc_ns()
    rig.run(4.5)
    assert len(rig.told(HostTimeDoubted)) == 1
    assert not rig.told(ClockSetTo)
    assert not rig.told(SelfReadTaken)
    assert abs(rig.service.meter.billing.now_ns - BEGIN_UTC_NS - 4.5e9) < 0.1e9
    assert rig.service.host_time.doubt is not None
    rig.clock.ahead_ns = 500_000_000  # set right, but for half a second
    rig.run(6.0)
    assert len(rig.told(HostTimeBelieved)) == 1
    assert rig.service.host_time.doubt is None
    assert not rig.told(ClockSetTo)  # slewed


def test_who_may_can_confirm_it() -> None:
    rig = Rig(program=program())
    rig.run(1.5)
    rig.clock.ahead_ns = 200 * DAY_NS
    rig.run(3.0)
    assert not rig.told(SelfReadTaken)
    door = MeterDoor(rig.service, rig.service.program)
    asker = Asker(Source.COMMAND_LINE, "uid 0")
    granted = door.log_on(asker, "000000")
    door.set_clock(Asker(Source.COMMAND_LINE, "uid 0", granted), None)
    rig.run(4.5)
    assert len(rig.told(HostTimeBelieved)) == len(rig.told(ClockSetTo)) == 1
    assert abs(rig.service.meter.billing.now_ns - rig.clock.utc_ns()) < 0.1e9
    assert rig.told(SelfReadTaken)
    rig.clock.ahead_ns = 0  # and back again: that is the wild one now
    rig.run(6.0)
    assert len(rig.told(HostTimeDoubted)) == 2


@pytest.mark.parametrize("shown", [-(2**63), 2**63 - 1])
def test_what_no_calendar_has_cannot_be_confirmed(shown: int) -> None:
    rig = Rig()
    rig.clock.ahead_ns = shown - rig.clock.utc_ns()
    door = MeterDoor(rig.service, rig.service.program)
    asker = Asker(Source.COMMAND_LINE, "uid 0", door.log_on(Asker(Source.COMMAND_LINE, "uid 0"), "000000"))
    with pytest.raises(DoorError, match="which is not a plausible time for a meter: correct it first"):
        door.set_clock(asker, None)
    door.set_clock(asker, BEGIN_UTC_NS + 60 * 10**9)
    rig.run(2.5)
    assert abs(rig.service.meter.billing.now_ns - BEGIN_UTC_NS - 62.4e9) < 0.1e9
    assert rig.service.host_time.doubt is None


@pytest.mark.parametrize("shown", some(3, 7).values(), ids=some(3, 7))
def test_a_start_with_a_wild_clock_goes_on_from_the_last_save(shown: int, tmp_path: Path) -> None:
    first = Rig(program=program(), store=Store.open(tmp_path / "store"))
    first.run(1.5)
    first.service.finish()
    left_ns = first.service.meter.billing.now_ns
    second = Rig(program=program(), store=Store.open(tmp_path / "store"), ahead_ns=shown - BEGIN_UTC_NS)
    second.run(2.5)
    second.service.finish()
    assert second.service.host_time.doubt is not None
    assert abs(second.service.meter.billing.now_ns - left_ns - 2.4e9) < 0.1e9
    assert not second.told(SelfReadTaken)
    third = Rig(program=program(), store=Store.open(tmp_path / "store"), ahead_ns=60 * 10**9)
    third.run(1.5)
    third.service.finish()
    assert third.service.host_time.doubt is None
    assert third.service.meter.billing.now_ns - BEGIN_UTC_NS > 60 * 10**9
    assert not third.told(SelfReadTaken)


def test_a_new_meter_with_a_wild_clock_begins_when_this_version_did() -> None:
    rig = Rig(ahead_ns=ns(1999) - BEGIN_UTC_NS)
    rig.run(1.5)
    assert rig.service.meter.billing.now_ns // 10**9 == ns(2026, 11, 1) // 10**9 + 1
    rig.clock.ahead_ns = 0
    rig.run(3.0)
    assert abs(rig.service.meter.billing.now_ns - rig.clock.utc_ns()) < 0.1e9
