"""What is wrong with units and benches is named, row by row of the table, and nothing is said of sound ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench_of_phasors import WIRING, PhasorUnit, solving

from calibration import findings
from calibration.findings import found_in
from calibration.observation import ObservedPoint
from calibration.plan import Ratings, between, verifying, wiring
from calibration.plan import solving as solving_points

SOUND = PhasorUnit([1.03, 0.97, 1.0], [lambda _: (0.99, -0.3), lambda _: (1.01, 0.3), lambda _: (1.0, 0.0)])


def spoiled(point: ObservedPoint, at: int, factor: float) -> ObservedPoint:
    samples = list(point.samples)
    meter = samples[at].meter
    samples[at] = replace(samples[at], meter=(replace(meter[0], volts=meter[0].volts * factor), *meter[1:]))
    return ObservedPoint(point.plan, tuple(samples))


def clipped(point: ObservedPoint) -> ObservedPoint:
    return ObservedPoint(point.plan, (*point.samples[:-1], replace(point.samples[-1], clipped=("i2", "i3"))))


CASES = {
    "clipped channel": (clipped(SOUND.measure(WIRING)), ("i2", "i3"), "apply less"),
    "no load": (PhasorUnit(applied=(1.0, 1e-6)).measure(WIRING), ("i1",), "switch the source on"),
    "load not applied": (PhasorUnit(applied=(1.0, 0.8)).measure(WIRING), ("i1",), "set the source"),
    "wrong reference": (PhasorUnit(reference=(1.0, 10.0)).measure(WIRING), ("i1", "i2", "i3"), "10 times"),
    "dead channel": (PhasorUnit([1.0, 1.0, 1e-5]).measure(WIRING), ("v3",), "is open"),
    "swapped sensors": (PhasorUnit(owner=[1, 0, 2]).measure(WIRING), ("i1", "i2"), "i1 and i2 are swapped"),
    "reversed sensor": (PhasorUnit(turned=[False, True, False]).measure(WIRING), ("i2",), "change its two wires"),
    "wrong phase": (
        PhasorUnit(amperes=[lambda _: (1.0, 40.0)] + [lambda _: (1.0, 0.0)] * 2).measure(WIRING),
        ("i1",),
        "see the wiring of phase 1",
    ),
    "wrong ratio": (
        PhasorUnit(amperes=[lambda _: (1.0, 0.0)] * 2 + [lambda _: (2.0, 0.0)]).measure(WIRING),
        ("i3",),
        "reads 2 times",
    ),
    "unsteady channel": (PhasorUnit(noise={"v2": 1.6e-3}).measure(WIRING), ("v2",), "its reference is noisy"),
    "drifting channel": (PhasorUnit(drift={"i3": 2e-4}).measure(WIRING), ("i3",), "let it warm up"),
    "outlier": (
        spoiled(PhasorUnit(noise={"v1": 1e-5}).measure(solving(5.0)), 4, 1.01),
        ("v1",),
        "measure the point again",
    ),
}


def test_each_row_of_the_table_has_a_case() -> None:
    table = [line.strip().split("  ")[0] for line in (findings.__doc__ or "").splitlines() if line.startswith("    ")]
    assert table[1:] == list(CASES)


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_named(name: str) -> None:
    point, channels, said = CASES[name]
    finding = found_in(point)
    assert finding is not None
    assert (finding.name, finding.channels) == (name, channels)
    assert said in finding.sentence


@pytest.mark.parametrize(
    "unit",
    [
        SOUND,
        PhasorUnit(noise=dict.fromkeys(("v1", "v2", "v3", "i1", "i2", "i3"), 1e-05)),
        PhasorUnit(applied=(1.03, 0.97)),
        PhasorUnit(drift={"v1": 2e-5}),
    ],
)
def test_nothing_is_said_of_what_is_in_order(unit: PhasorUnit) -> None:
    assert found_in(unit.measure(WIRING)) is None
    assert found_in(unit.measure(solving(5.0))) is None


@pytest.mark.parametrize("turned", range(3))
@pytest.mark.parametrize("owner", [[0, 2, 1], [2, 1, 0], [1, 0, 2]])
def test_every_swap_is_seen_with_a_reversal_too(owner: list[int], turned: int) -> None:
    moved = [k for k in range(3) if owner[k] != k]
    unit = PhasorUnit(owner=owner, turned=[k == turned for k in range(3)])
    finding = found_in(unit.measure(WIRING))
    assert finding is not None
    if turned in moved or turned > moved[0]:
        assert finding.name == "swapped sensors"
        assert finding.channels == tuple(f"i{k + 1}" for k in moved)
    else:
        assert finding.name == "reversed sensor"


@pytest.mark.parametrize("owner", [[0, 2, 1], [2, 1, 0], [1, 0, 2], [1, 2, 0], [2, 0, 1]])
def test_swapped_volts_are_told_from_swapped_amperes(owner: list[int]) -> None:
    moved = tuple(f"{{}}{k + 1}" for k in range(3) if owner[k] != k)
    volts = found_in(PhasorUnit(volts_owner=owner).measure(WIRING))
    assert volts is not None
    assert (volts.name, volts.channels) == ("swapped sensors", tuple(name.format("v") for name in moved))
    amperes = found_in(PhasorUnit(owner=owner).measure(WIRING))
    assert amperes is not None
    assert amperes.name == "swapped sensors"
    assert {name[0] for name in amperes.channels} == {"i"}


def test_a_reference_that_is_off_by_a_tenth_on_volts_is_seen() -> None:
    finding = found_in(PhasorUnit(reference=(0.1, 1.0)).measure(WIRING))
    assert finding is not None
    assert finding.name == "wrong reference"


def test_points_that_verify_are_not_those_that_solve() -> None:
    for transformers in (True, False):
        ratings = Ratings(120.0, 20.0, 60.0, transformers)
        solve = {(p.amperes, p.lag_deg) for p in (*solving_points(ratings), wiring(ratings))}
        assert not solve & {(p.amperes, p.lag_deg) for p in verifying(ratings)}


def test_a_curve_gets_a_point_where_going_straight_could_be_wrong() -> None:
    ratings = Ratings(120.0, 20.0, 60.0, True)
    flat = between(ratings, [0.04, 5.0, 20.0], [[1.0]] * 3, [[0.1]] * 3, 0.01)
    assert flat == []
    # 0.1 % between the first two: a quarter of it, 0.025 %, is more than 0.01 %; 0.02 % between the others is not.
    (point,) = between(ratings, [0.04, 5.0, 20.0], [[1.001], [1.0], [0.9998]], [[0.1]] * 3, 0.01)
    assert point.amperes == pytest.approx((0.04 * 5.0) ** 0.5, rel=1e-3)
    # 0.05° is 0.151 % of the watts at 60°: a quarter of it is 0.038 %.
    assert len(between(ratings, [0.04, 5.0, 20.0], [[1.0]] * 3, [[0.15], [0.1], [0.1]], 0.04)) == 0
    assert len(between(ratings, [0.04, 5.0, 20.0], [[1.0]] * 3, [[0.15], [0.1], [0.1]], 0.03)) == 1
