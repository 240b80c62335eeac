"""A unit read from the gateware's model, beside the same one through its service; and the load that both are given."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import numpy as np
import pytest

from calibration.plan import Ratings, solving, verifying, wiring
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave
from rig.calibrate.bench_load import BenchLoad
from rig.calibrate.model_unit import ModelUnit
from rig.calibrate.simulated_unit import SimulatedUnit
from rig.hardware.config import Config, LotConfig, SimulationConfig
from rig.program.build import default_program

RATINGS = Ratings(120.0, 20.0, 60.0, True)
CONFIG = Config(simulation=SimulationConfig(lot=LotConfig(seed=17, meter=1)))
F_MOD = Fraction(10_000_000, 3)


def volts(rms: float) -> LoadState:
    return LoadState(tuple(Wave(rms, angle) for angle in (0.0, 240.0, 120.0)), (Wave(5.0, 0.0),) * 3, 60.0)


def measured(unit, plans, count=1):
    found = []
    for plan in plans:
        unit.apply(plan)
        found += islice(unit.samples(), count)
    return found, unit.dc_codes()


def test_the_model_alone_reads_what_the_service_does():
    """To the last bit, with curves that act, and with one point after another: what a constant is solved from."""
    plans = [verifying(RATINGS)[0], solving(RATINGS)[0]]
    units = [kind(CONFIG, default_program()) for kind in (ModelUnit, SimulatedUnit)]
    (model, its_dc), (service, dc) = (measured(unit, plans) for unit in units)
    assert model == service
    assert its_dc == dc
    assert len(set(dc)) == 6  # offsets of each channel's own, not what the constants had


def test_a_sample_has_its_own_windows_and_a_reference_of_its_own_load():
    """Errors are those of the components, within the noise of a second and the rounding of nominal full scales, 0.01 %
    each (docs/accuracy.md)."""
    from tests.proof.lot_bench import expected_percent

    plans = [verifying(RATINGS)[k] for k in (6, 3)]
    samples, _ = measured(ModelUnit(CONFIG, default_program()), plans)
    expected = expected_percent(1, "transformers")
    for plan, sample in zip(plans, samples, strict=True):
        pairs = zip(sample.meter, sample.reference, strict=True)
        errors = [100 * (meter.watts / reference.watts - 1) for meter, reference in pairs]
        assert errors == pytest.approx(expected[plan.name], abs=0.02)


def test_a_reversed_sensor_is_seen_by_its_angle():
    lot = LotConfig(seed=17, meter=1, fault="reversed polarity")
    unit = ModelUnit(Config(simulation=SimulationConfig(lot=lot)), default_program())
    (sample,), _ = measured(unit, [wiring(RATINGS)])
    assert sum(abs(reading.lag_deg) > 179 for reading in sample.meter) == 1


def test_the_load_changes_at_the_point_that_was_set_and_goes_on_in_phase():
    load, still = BenchLoad(F_MOD), SyntheticLoad(F_MOD, [Step(0.0, volts(120))])
    load.change_at(100, volts(120))
    still.read(100)
    begun = load.read(500)
    assert not begun[:100].any()
    assert np.array_equal(begun[100:], still.read(400))
    load.change_at(600, volts(240))
    across = load.read(300)
    expected = still.read(300)
    assert np.array_equal(across[:100], expected[:100])
    assert across[100:, :3] == pytest.approx(2 * expected[100:, :3], abs=1e-9)  # twice the volts, in phase
    assert across[100:, 3:] == pytest.approx(expected[100:, 3:], abs=1e-9)
    assert load.read_points == 800


def test_a_change_that_comes_too_late_or_beside_another_is_refused():
    load = BenchLoad(F_MOD)
    load.read(64)
    with pytest.raises(ValueError, match="point 10, and 64 were read"):
        load.change_at(10, volts(120))
    load.change_at(100, volts(120))
    with pytest.raises(ValueError, match="before at 100"):
        load.change_at(200, volts(240))


@pytest.mark.slow
def test_a_whole_calibration_comes_to_the_same_constants(tmp_path):
    """Bit for bit. As left they agree but for samples' rounding: the service sets the delays 6 ms after power-up, and
    what a sample's rounding carries to the next remembers that (decision 122)."""
    from tests.proof import lot_bench

    results = []
    for kind in (ModelUnit, SimulatedUnit):
        folder = tmp_path / kind.__name__
        folder.mkdir()
        results.append(lot_bench.calibrated_by(kind, 1, folder))
    (model, its), (service, found) = results
    assert model.calibration.to_toml() == service.calibration.to_toml()
    for mine, theirs in zip(its.points, found.points, strict=True):
        assert mine.as_found_percent == theirs.as_found_percent
        if mine.as_left_percent is not None:
            assert mine.as_left_percent == pytest.approx(theirs.as_left_percent, abs=2e-5)
