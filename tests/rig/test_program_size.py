"""The longest program that a meter takes: it and the longest that waits are saved, and what is longer is refused."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from rig.daemon.protocol import ClearPending, WritePending, WriteProgram
from rig.program.written import MOST_SAVED_BYTES
from rig.store.saved_meter import last_saved
from tests.rig.communication.served_tables import ServedTables

TARIFF = """
[clock]
zone = "America/Toronto"
[[tou.seasons]]
name = "summer"
begins = "05-01"
{days}
[[tou.seasons]]
name = "winter"
begins = "11-01"
{days}
[security]
level_4 = "444444"
"""
KINDS = ("weekday", "saturday", "sunday", "holiday")


def tariff(switches: int) -> str:
    """A tariff of so many switches a year, a minute or more apart."""
    each = -(-switches // (2 * len(KINDS)))
    times = [f'"{minute // 60:02}:{minute % 60:02} {"AB"[minute % 2]}"' for minute in range(each)]
    return TARIFF.format(days="\n".join(f"{kind} = [{', '.join(times)}]" for kind in KINDS))


def longest(meter: ServedTables, asked: type[WriteProgram | WritePending], begin: int) -> tuple[int, str]:
    """Write longer and longer programs, to the first that is refused: switches of the last that was not, and why."""
    for switches in count(begin, 400):
        meter.log_on("444444")
        meter.ask(ClearPending())
        refused = meter.ask(asked(tariff(switches))).refused
        if refused is not None:
            return switches - 400, refused
    raise AssertionError


def test_the_longest_program_is_saved_beside_the_longest_that_waits(tmp_path: Path) -> None:
    meter = ServedTables(tariff(4), tmp_path / "store")
    meter.run(0.2)
    written, refused = longest(meter, WriteProgram, 5600)
    assert refused.endswith(
        f"bytes as the meter saves it, which has room for {MOST_SAVED_BYTES}: give the days of tou.seasons fewer "
        "switches, or the display fewer items"
    )
    assert written > 5600
    waiting, refused = longest(meter, WritePending, 1200)
    assert "the program is too long to wait" in refused
    assert waiting > 1200
    assert meter.ask(WritePending(tariff(waiting))).refused is None
    meter.run(1.2)
    digest = meter.service.program.digest
    meter.service.finish()
    meter.hardware.close()
    saved = last_saved(tmp_path / "store")[1]
    assert saved.program == digest
    assert saved.access.pending is not None
