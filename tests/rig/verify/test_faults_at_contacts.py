"""Faults planted at the contacts of a simulated meter, found through the whole chain: pins, FPGA's counter, clients."""

from __future__ import annotations

import pytest

from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.startup import Start
from rig.hardware.config import Config
from rig.meter.contacts.outputs import OutputId
from rig.verify.measure import OutputVerification
from rig.verify.plan import Plan
from rig.verify.result import Verification

FAULTY = ("-m", "tests.rig.verify.faulty_meter")
PULSE_S = 0.2296
"""Of the lively load's first seconds, 0.15 Wh a pulse."""


def verified(fault: str, monkeypatch: pytest.MonkeyPatch) -> Verification:
    monkeypatch.setenv("FAULT", fault)
    socket = runtime_folder() / "meter.sock"
    launched = Launched(Start(Config(), str(socket), None, paced=False), FAULTY)
    with MeterClient.connect(socket, "verification", "test") as client:
        found = OutputVerification(client, OutputId.KYZ1, Plan(pulses=15), begin=launched.begin).measure()
    launched.process.kill()
    launched.wait()
    return found


def test_a_contact_that_did_not_close_is_named_with_number_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulse 8 does not close its contact, so that the counter sees the one of 7 close again at 9, and counts neither.

    By the counter 7 is number 6: the first closing of a new meter is where it begins (rig/bench/counter.py).
    """
    found = verified("broken", monkeypatch)
    missed, twice = found.kyz_order_errors
    assert (missed.fault, missed.count, missed.after) == ("missed", 2, 6)
    assert missed.from_s < 8 * PULSE_S + 0.2 < missed.to_s
    assert missed.to_s - missed.from_s == pytest.approx(3 * PULSE_S, rel=0.2)
    assert (twice.fault, twice.count) == ("both closed", 1)
    assert found.error_percent == pytest.approx(-100 * 2 / 17, rel=0.01)
    assert not found.passed
    assert "2 closures missed after number 6" in " ".join(found.reasons)


@pytest.mark.slow
def test_a_contact_that_bounced_is_named_with_number_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = verified("bounced", monkeypatch)
    faults = [(error.fault, error.count, error.after) for error in found.kyz_order_errors]
    assert sum(count for fault, count, _ in faults if fault == "doubled") == 2
    assert {after for _, _, after in faults} <= {7, 8, 9}
    assert found.error_percent == pytest.approx(100 * 2 / 13, rel=0.01)
    assert not found.passed
