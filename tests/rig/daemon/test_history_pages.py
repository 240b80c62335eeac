"""Pages of history from a running daemon, and every table of a meter through a real client (C-3, X-1)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.communication.c1219.codes import ResponseCode
from rig.communication.c1219.device import TableDevice
from rig.communication.c1219.outcome import Outcome, carry_out
from rig.communication.c1219.tables import TABLES
from rig.daemon.client import MeterClient, RequestRefusedError
from rig.daemon.history_pages import PageError, page
from rig.daemon.protocol import Asked, LogOn, ReadLog, ReadProfile, ReadSelf, ReadSnapshots, ResetDemand
from tests.rig.communication import table_decoder as witness
from tests.rig.daemon.test_requests import PROGRAM, Running
from tests.rig.kept_meter import KeptMeter
from tests.rig.reading.read_meters import T0, program

RECORDER = """
[recorder]
interval_minutes = 1
channels = [{ metric = "kWh delivered", pulse = "0.6" }]
"""
PATIENCE_S = 60


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path, PROGRAM + RECORDER)
    yield made
    if made.launched.process.poll() is None:
        made.kill()


def test_history_is_read_while_the_meter_runs(running: Running) -> None:
    client = running.client
    client.ask(ReadSelf())
    client.ask(ResetDemand())
    deadline = time.monotonic() + PATIENCE_S
    while not (found := client.ask(ReadSnapshots(["communication"], 3))["snapshots"]):
        assert time.monotonic() < deadline
    assert [each["cause"] for each in found] == ["communication"]
    assert [each["cause"] for each in client.ask(ReadSnapshots(["self read"]))["snapshots"]] == ["self read"]
    events = client.ask(ReadLog(100))["events"]
    assert {"logged on", "self read", "demand reset"} <= {event["name"] for event in events}
    assert [event["number"] for event in events] == sorted(event["number"] for event in events)
    assert client.ask(ReadLog(1))["events"] == events[-1:]
    assert client.ask(ReadLog(2, events[-1]["number"]))["events"] == events[-3:-1]
    profile = client.ask(ReadProfile())
    assert (profile["ended_utc_ns"], profile["next"]) == (None, None)
    for wrong, sentence in (
        (ReadLog(0), "give 1 to 512"),
        (ReadLog(513), "give 1 to 512"),
        (ReadProfile(99), "no recording 99"),
    ):
        with pytest.raises(RequestRefusedError, match=sentence):
            client.ask(wrong)
    with MeterClient.connect(running.socket, "RS-485", "far away") as far:
        with pytest.raises(RequestRefusedError) as refused:
            far.ask(ReadLog())
        assert (refused.value.needs_key, refused.value.why) == (True, "level too low")
        far.ask(LogOn(running.key))
        assert far.ask(ReadLog(1))["events"]


def test_every_table_through_a_client_and_within_200_ms(running: Running) -> None:
    """The quickest of nine reads: how much later others come on a busy machine says nothing of the meter."""
    with MeterClient.connect(running.socket, "optical port") as port:

        def ask(asked: Asked) -> Outcome:
            try:
                return Outcome(port.ask(asked))
            except RequestRefusedError as error:
                return Outcome(None, str(error), error.needs_key, error.why)

        device = TableDevice("1.0")
        used = witness.st0(_data(carry_out(device.read(0, level=0), ask)))
        wanted = TABLES.keys() - {7, 8, 2048} - {90, 91, 92, 93, 94, 95, 97}  # a port without a modem has no telephone
        assert wanted == (used.standard | {2048 + n for n in used.manufacturers}) - {7, 8, 2048}
        for number in sorted(wanted):
            data = _data(carry_out(device.read(number, level=1), ask))
            assert data or number == 64, "no interval has ended yet"
        assert carry_out(device.read(74, level=0), ask) is ResponseCode.INSUFFICIENT_SECURITY
        taken = []
        for _ in range(9):
            begin = time.perf_counter()
            _data(carry_out(device.read(23, level=0), ask))
            taken.append(time.perf_counter() - begin)
        assert min(taken) < 0.2


def _data(found: bytes | ResponseCode) -> bytes:
    assert isinstance(found, bytes), found
    return found


def test_a_meter_without_a_store_has_no_pages() -> None:
    with pytest.raises(PageError, match="no store"):
        page(None, ReadLog())


def test_numbers_that_no_history_can_have_are_refused(tmp_path: Path) -> None:
    """The server reads what any client asks for: no number may end it."""
    kept = KeptMeter(tmp_path / "store", program("block"), T0).meters(5)
    kept.writer.flush()
    folder = tmp_path / "store"
    for asked in (
        ReadLog(1, 1 << 63),
        ReadLog(1, -(1 << 63) - 1),
        ReadLog(-1),
        ReadSnapshots([]),
        ReadSnapshots(["x"] * 17),
        ReadSnapshots(["self read"], 17),
        ReadProfile(1 << 63),
    ):
        with pytest.raises(PageError):
            page(folder, asked)
    for fine in (ReadLog(1, -5), ReadProfile(None, -5), ReadProfile(None, 1 << 70), ReadSnapshots(["\0", "'; --"])):
        assert page(folder, fine) is not None


def test_a_store_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="does not exist"):
        page(tmp_path, ReadLog())
    (tmp_path / "history.sqlite").write_bytes(b"nothing of the kind")
    with pytest.raises(PageError):
        page(tmp_path, ReadLog())
