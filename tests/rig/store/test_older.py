"""A save that an older version wrote is read: what it lacks is what it must have been (S-3).

tests/rig/store/older/ has the state that the version before commands had a source left, with one of each waiting: while
in test mode, rate D forced, a season closed, an hour's clock set behind it.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rig.meter.billing.billing import Billing
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.events import DemandWasReset, RateForced, SelfReadTaken, TestModeBegan, TestModeEnded
from rig.meter.billing.log import LogEvent
from rig.meter.billing.source import Source
from rig.program.build import load_program
from rig.service.persistence import Persistence
from rig.store.items import EventItem
from rig.store.older import add_sources
from rig.store.saved_meter import decode_saved
from rig.store.store import Store
from rig.store.writer import StoreWriter

OLDER = Path(__file__).parent / "older"
PAYLOAD = (OLDER / "state.json").read_bytes().strip()
PLAIN = json.loads(PAYLOAD)
NOW = 1_793_497_500_000_000_000
SECOND = 10**9


def test_who_asked_is_added_and_nothing_else_is_changed() -> None:
    saved = decode_saved(PAYLOAD)
    assert saved.meter.billing.waiting == [
        Command(NOW + 1 * SECOND // 10, Action.RESET_BY_SWITCH, Source.FRONT, 0),
        Command(NOW + 2 * SECOND // 10, Action.RESET, Source.COMMAND_LINE, 0),
        Command(NOW + 3 * SECOND // 10, Action.SELF_READ, Source.COMMAND_LINE, 0),
        Command(NOW + 4 * SECOND // 10, Action.TEST_BEGIN, Source.FRONT, 0),
        Command(NOW + 5 * SECOND // 10, Action.TEST_END, Source.FRONT, 0),
        Command(NOW + 6 * SECOND // 10, Action.FORCE_RATE, Source.INPUT, 1),
        Command(NOW + 7 * SECOND // 10, Action.RELEASE_RATE, Source.INPUT, 0),
        Command(NOW + 8 * SECOND // 10, Action.INPUT_PULSES, Source.INPUT, 1, 4),
    ]
    again = json.loads(msgspec.json.encode(saved))
    for command in again["meter"]["billing"]["waiting"]:
        del command["source"]
    assert known(again, PLAIN) == PLAIN


def known(new: Any, old: Any) -> Any:
    """Of the new only what the old has, too."""
    if isinstance(old, dict):
        return {key: known(new[key], value) for key, value in old.items()}
    if isinstance(old, list):
        return [known(one, other) for one, other in zip(new, old, strict=True)]
    return new


def test_the_meter_goes_on_from_it_and_the_log_has_who_asked(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    writer = StoreWriter(store)
    writer.submit(PAYLOAD, NOW, [])
    writer.close()
    program = load_program(OLDER / "program.toml")
    assert program.digest == PLAIN["program"], "the same program is the same still"
    persistence = Persistence(Store.open(tmp_path / "store"), program, "window", NOW + 60 * SECOND)
    billing = persistence.billing
    assert billing.registers.amounts()[0] == tuple(PLAIN["meter"]["billing"]["registers"]["energy"])
    assert (billing.inputs, billing.resets, billing.rate_forced) == ((7, 4), 3, False)
    assert json.loads(msgspec.json.encode(billing.closed_season)) == PLAIN["meter"]["billing"]["closed_season"]
    lines = [item for item in persistence._items if isinstance(item, EventItem)]
    sources = {line.name: json.loads(line.details).get("source") for line in lines}
    assert sources["test mode end"] == "front"
    assert sources["self read"] == "command line"
    assert sources["rate forced"] == "input"
    assert persistence._writer is not None
    persistence._writer.close()


def test_billing_carries_them_out_in_order() -> None:
    saved = decode_saved(PAYLOAD)
    billing = Billing(load_program(OLDER / "program.toml").billing, saved.meter.billing)
    told = billing.flush_pending(NOW + SECOND)
    kinds = [type(each) for each in told if isinstance(each, LogEvent)]
    assert kinds.count(TestModeBegan) == 0, "it is in test mode"
    assert kinds.index(TestModeEnded) < kinds.index(SelfReadTaken) < kinds.index(RateForced)
    assert DemandWasReset not in kinds, "both were asked for in test mode"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), []),
        ((), 7),
        (("meter",), None),
        (("meter", "billing"), "waiting"),
        (("meter", "billing", "waiting"), {"action": "test mode"}),
        (("meter", "billing", "waiting"), 5),
        (("meter", "billing", "waiting"), [None]),
        (("meter", "billing", "waiting"), [{"utc_ns": 1}]),
        (("meter", "billing", "waiting"), [{"action": ["test mode"], "utc_ns": 1}]),
        (("meter", "billing", "waiting"), [{"utc_ns": 1, "action": "fly", "value": 0, "pulses": 1}]),
        (("meter", "billing", "waiting"), [{"utc_ns": 1, "action": "test mode", "source": "nobody"}]),
        (("meter", "billing", "waiting"), [{"utc_ns": 1, "action": "forced rate", "value": 9, "pulses": 1}]),
        (("meter", "outputs"), {"kyz9": {"count": 1, "carried": 0}}),
        (("meter", "billing", "asked_season"), {"season": 1}),
    ],
)
def test_what_is_no_save_is_said_to_be_none(path: tuple[str, ...], value: object) -> None:
    saved: Any = deepcopy(PLAIN)
    if path:
        place = saved
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
    else:
        saved = value
    with pytest.raises(msgspec.ValidationError):
        decode_saved(json.dumps(saved).encode())


def test_a_command_that_says_who_asked_is_left_as_it_is() -> None:
    saved = deepcopy(PLAIN)
    saved["meter"]["billing"]["waiting"] = [{"action": "test mode", "source": "modem"}]
    add_sources(saved)
    assert saved["meter"]["billing"]["waiting"] == [{"action": "test mode", "source": "modem"}]
