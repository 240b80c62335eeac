"""The largest state that a program can come to, and the largest numbers in one, are saved as any other (S-3, Q-4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import pytest
from kept_meter import MINUTE, KeptMeter

from rig.meter.billing.commands import Action
from rig.meter.billing.demand import DemandSettings
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import Cause
from rig.meter.billing.quantity import Quantity
from rig.program import schema
from rig.program.build import Program, load_program
from rig.store.saved_meter import SavedMeter
from rig.store.saved_settings import saved_settings
from rig.store.store import MOST_PAYLOAD, MOST_WAITING

T0 = int(datetime(2026, 5, 1, 10, tzinfo=UTC).timestamp()) * 10**9
MOST_KW = 460
"""Three elements of 480 V and 320 A."""


def industrial(demand: str) -> Program:
    """Fifteen channels and three demand quantities, in test mode too."""
    program = load_program(Path(schema.__file__).parent / "examples" / "industrial-9s.toml")
    billing = program.billing
    assert billing.demand is not None
    settings = DemandSettings.parse(demand, billing.demand.quantities)
    test_mode = replace(billing.test_mode, demand=settings, minutes=255)
    return replace(program, billing=replace(billing, demand=settings, test_mode=test_mode))


def ripe(program: Program) -> KeptMeter:
    """After ten hours and four more in test mode: five peaks need 477 candidates where an hour slides by minutes."""
    meter, rng = KeptMeter(None, program, T0), Random(1)

    def meters(minutes: int) -> None:
        for _ in range(minutes):
            now_ns = meter.now_ns
            energies = [MOST_KW * 10**12 // 60 - rng.randrange(10**12) for _ in range(4)]
            meter.meter.billing.advance(EnergyInterval(now_ns, now_ns + MINUTE, 0, *energies))

    meters(600)
    meter.meter.billing.state.closed_season = meter.meter.billing.snapshot(Cause.SEASON)
    meter.does(Action.TEST_BEGIN)
    meters(240)
    return meter


@pytest.mark.parametrize(
    "demand",
    [
        "block:15",
        "thermal:15",
        "sliding:5x12",
        "sliding:1x30",
        "sliding:1x60",
    ],
)
def test_it_fits_a_save_and_a_snapshot(demand: str) -> None:
    """A snapshot, as another program leaves one: else that program cannot be begun."""
    meter = ripe(industrial(demand))
    settings = saved_settings(meter.meter.billing.settings, meter.meter.outputs.values())
    save = msgspec.json.encode(SavedMeter("window", "0" * 12, 1, meter.meter.state, settings))
    assert len(save) <= MOST_PAYLOAD
    assert len(save) + 1024 <= MOST_WAITING // 4


def test_registers_beyond_64_bits(tmp_path: Path) -> None:
    meter = KeptMeter(tmp_path, industrial("block:15"), T0)
    large = (10**21, 10**22, 10**23, 10**24)
    meter.meter.billing.advance(EnergyInterval(T0, T0 + MINUTE, 0, *large, (10**25,) * 7))
    meter.fails()
    after = KeptMeter(tmp_path, industrial("block:15"), T0 + 2 * MINUTE)
    registers, recorder = after.meter.billing.registers, after.meter.billing.recorder
    assert registers.amounts()[0][:4] == large
    assert registers.energy(Quantity.KVAH_TD) == 10**24
    assert recorder is not None
    assert max(recorder.state.carried) > 1 << 64
    after.fails()
