"""Outputs and inputs have one identity each, and keep their spelling in files, stores and JSON (F-5)."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec

from rig.hardware.config import HardwareConfig
from rig.hardware.hands_file import CONTACTS
from rig.meter.billing import time_units
from rig.meter.billing.billing import Billing
from rig.meter.billing.inputs import InputId
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId
from rig.meter.contacts.pulses import PulseState
from rig.program import schema
from rig.program.build import default_program
from rig.store.saved_meter import SavedMeter

ROOT = Path(__file__).parents[2]
T0 = 1_793_489_400_000_000_000


def test_how_each_is_spelled() -> None:
    """As every rig.toml, program, recording and store since the first has them."""
    assert [(each.value, each.label) for each in OutputId] == [
        ("test_led", "LED"),
        ("kyz1", "KYZ1"),
        ("kyz2", "KYZ2"),
        ("kyz3", "KYZ3"),
        ("kyz4", "KYZ4"),
    ]
    assert [(each.value, each.label, each.place) for each in InputId] == [("input1", "IN1", 0), ("input2", "IN2", 1)]
    assert list(OutputId) == [OutputId.TEST_LED, *KYZ_OUTPUTS]


def test_a_program_file_knows_the_same_by_their_labels() -> None:
    tables = [schema.PulsesTable, schema.ForceRateTable]
    names = [msgspec.json.schema(table)["$defs"][table.__name__]["properties"]["name"]["enum"] for table in tables]
    assert names == [[each.label for each in KYZ_OUTPUTS], [each.label for each in InputId]]


def test_the_pins_of_rig_toml_and_the_contacts_of_a_recording() -> None:
    wired = HardwareConfig()
    assert [wired.contacts(each) for each in KYZ_OUTPUTS] == [(22, 23), (24, 25), (27, 4), (12, 16)]
    assert wired.inputs == {InputId.IN1: 20, InputId.IN2: 21}
    assert set(CONTACTS) == {"scroll", "magnet", "reset", "test", "cover", "input1", "input2"}


def test_a_stored_state_has_them_by_value_and_is_read_by_value() -> None:
    billing, _ = Billing.begin(default_program().billing, T0)
    plain = {
        "fidelity": "window",
        "program": "626fd34c251e",
        "recording": 0,
        "meter": {
            "billing": msgspec.to_builtins(billing.state),
            "outputs": {"test_led": {"count": 7, "carried": 5}, "kyz3": {"count": 9, "carried": 0}},
            "installation": {"service": None, "diagnostics": {"each": []}},
        },
    }
    saved = msgspec.json.decode(msgspec.json.encode(plain), type=SavedMeter)
    assert saved.meter.outputs == {OutputId.TEST_LED: PulseState(7, 5), OutputId.KYZ3: PulseState(9, 0)}
    again = msgspec.json.decode(msgspec.json.encode(saved))
    assert again["meter"]["outputs"] == plain["meter"]["outputs"]


def test_a_unit_of_time_is_told_once() -> None:
    """It was six times (F-12)."""
    units = ("MILLISECOND_NS", "SECOND_NS", "MINUTE_S", "HOUR_S", "DAY_S", "MINUTE_NS", "HOUR_NS", "DAY_NS")
    found = [
        (node.targets[0].id, path.name)
        for path in (ROOT / "rig").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in units
    ]
    assert sorted(found) == sorted((unit, "time_units.py") for unit in units)
    plain = (10**6, 10**9, 60, 3600, 86_400, 60 * 10**9, 3600 * 10**9, 86_400 * 10**9)
    assert tuple(getattr(time_units, unit) for unit in units) == plain
