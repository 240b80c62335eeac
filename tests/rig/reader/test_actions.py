"""What a meter does when it is asked over its port: seen at the meter, and said in a sentence (X-2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from programmer_bench import ProgrammerBench

from rig.meter.billing.source import Source
from rig.reader.actions import ACTIONS, ActionError, act
from rig.reader.connecting import Approach, WrongPassword
from rig.reader.meter import MeterAccess, NoPassword
from rig.reader.passwords import Passwords
from rig.reader.procedures import ProcedureRefused

PROGRAM = """
[meter]
firmware = "6.28"
[clock]
zone = "America/Toronto"
[demand]
quantities = ["kW delivered"]
[tou]
seasons = [
    { name = "winter", begins = "11-01", weekday = ["00:00 A"] },
    { name = "summer", begins = "05-01", weekday = ["00:00 B"] },
]
[security]
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProgrammerBench]:
    bench = ProgrammerBench(PROGRAM, tmp_path_factory.mktemp("actions"))
    yield bench
    bench.port.close()


@pytest.fixture(autouse=True)
def _at_level_4(bench: ProgrammerBench) -> None:
    bench.line.pause(60)
    bench.password("444444")


def test_demand_reset_and_self_read(bench: ProgrammerBench) -> None:
    before = bench.state["resets"]
    assert bench.act("reset") == "demand reset: done"
    assert bench.state["resets"] == before + 1
    assert bench.act("self-read") == "self-read: done"


def test_a_season_begins(bench: ProgrammerBench) -> None:
    season = bench.state["season"]
    assert bench.act("season", str(2 - season)) == f"season {2 - season}: done"
    assert bench.state["season"] == 1 - season
    with pytest.raises(ProcedureRefused, match="refused"):
        bench.act("season", "4")


def test_test_mode(bench: ProgrammerBench) -> None:
    assert bench.act("test", "on") == "test mode on: done"
    assert bench.state["test_mode"] is not None
    assert bench.act("status").startswith("test mode;")
    assert bench.act("test", "off") == "test mode off: done"
    assert bench.state["test_mode"] is None
    assert bench.act("status").startswith("metering;")


def test_the_clock_is_set_as_it_shows_and_by_the_computers(bench: ProgrammerBench) -> None:
    """Toronto is five hours behind UTC in winter, four in summer."""
    for local, utc in (("2026-12-01T08:00:00", 13), ("2026-07-01T08:00:00", 12)):
        assert re.fullmatch(rf"clock set to {local.replace('T', ' ')}, it showed .*: done", bench.act("clock", local))
        at = datetime.fromtimestamp(bench.state["utc_ns"] // 10**9, UTC)
        assert abs((at - datetime.fromisoformat(local).replace(hour=utc, tzinfo=UTC)).total_seconds()) < 10
    assert bench.act("clock", "host").startswith("clock set to ")
    off_s = bench.state["utc_ns"] / 1e9 - datetime.now(UTC).timestamp()
    assert abs(off_s) < 10
    assert re.fullmatch(r"the meter's clock shows 20\S+ \S+, [+-]\d s to this computer's", bench.act("clock"))


def test_what_is_cleared(bench: ProgrammerBench) -> None:
    bench.port.served.run(1)
    for action, sentence in (("clear", "clear data"), ("master-reset", "master reset"), ("cold-start", "cold start")):
        assert bench.act(action) == f"{sentence}: done"
    assert bench.act("mark-read") == "all lists marked as read: done"
    assert bench.act("clear-status") == "status flags cleared: done"


def test_a_relay(bench: ProgrammerBench) -> None:
    with pytest.raises(ProcedureRefused, match="KYZ1 closed: refused"):
        bench.act("relay", "KYZ1:closed:5")  # it pulses


def test_levels(bench: ProgrammerBench) -> None:
    before = bench.state["resets"]
    bench.password("111111")
    with pytest.raises(ProcedureRefused, match="demand reset: refused: not at this level"):
        bench.act("reset")
    bench.password("222222")
    with pytest.raises(ProcedureRefused, match="clear data: refused: not at this level"):
        bench.act("clear")
    bench.password(None)
    with pytest.raises(NoPassword):
        bench.act("reset")
    bench.password("999999")
    with pytest.raises(WrongPassword):
        bench.act("reset")
    assert bench.state["resets"] == before


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("explode", None, "is no action: give one of status, clock"),
        ("reset", "now", "takes no value"),
        ("season", None, "needs a value: 1 to 4"),
        ("season", "5", "must be 1 to 4"),
        ("season", "²", "must be 1 to 4"),
        ("test", "maybe", "must be on or off"),
        ("clock", "noon", "must be host, or"),
        ("clock", "2026-12-01T08:00:00+01:00", "must be host, or"),
        ("clock", "1999-12-01T08:00:00", "no year that two digits have"),
        ("relay", "KYZ9:closed:5", "such as KYZ2:closed:5"),
        ("relay", "KYZ1:closed:0", "such as KYZ2:closed:5"),
        ("relay", "KYZ1:closed:61", "up to 60 seconds"),
    ],
)
def test_what_is_no_action(bench: ProgrammerBench, name: str, value: str | None, sentence: str) -> None:
    with pytest.raises(ActionError, match=sentence):
        bench.act(name, value)


def test_over_rs_232_without_a_password_it_says_what_would_be_right_and_ends_its_session(tmp_path: Path) -> None:
    """What the meter is, ST0 and ST1, it says there to anybody, so the keyring finds the password by serial number."""
    bench = ProgrammerBench(PROGRAM.replace("[meter]", '[meter]\nserial = "12 345 678"'), tmp_path, Source.RS232)
    try:
        bench.password(None)
        with pytest.raises(NoPassword, match=r"refused to give table 3: isc .* so it takes the password .* --prompt"):
            bench.act("status")
        bench.password("999999")
        with pytest.raises(WrongPassword):
            bench.act("status")
        assert [note.ended for note in bench.port.meter.notes] == [True, True]
        bench.password(None)
        with bench.access.session() as session:
            assert session.serial == "12 345 678"
            assert session.tables.read(1)[4:12] == b"RXRS4e  "
        keyring = tmp_path / "keyring.toml"
        keyring.write_text('[passwords]\n"12 345 678" = "111111"\n')
        keyring.chmod(0o600)
        access = MeterAccess("line", Approach(), Passwords(None, keyring), bench.line.open, bench.line.pause)
        with access.session() as session:
            assert act(session, "status", None).startswith("metering; ")
    finally:
        bench.port.close()


def test_under_the_seal_a_cold_start_fails_in_the_notices_words(tmp_path: Path) -> None:
    bench = ProgrammerBench(PROGRAM.replace("[security]", "[security]\nseal = true"), tmp_path)
    try:
        bench.password("444444")
        with pytest.raises(ProcedureRefused, match=r"not under the seal \(Cold Start failed\)"):
            bench.act("cold-start")
    finally:
        bench.port.close()


def test_every_action_is_in_the_modules_table() -> None:
    from rig.reader import actions

    assert actions.__doc__ is not None
    for name in ACTIONS:
        assert re.search(rf"^    {name} ", actions.__doc__, re.MULTILINE), name
