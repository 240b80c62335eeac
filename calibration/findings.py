"""Findings: faults of a unit or of the bench, found in observations and named before anything is solved.

    finding              how it shows
    clipped channel      the gateware's overload flag of a channel while a sample was taken
    no load              the reference's volts or amperes are next to nothing
    load not applied     the reference reads another load than the plan's, by more than 5 %
    wrong reference      all phases' volts, or all phases' amperes, are off by the same factor of 2 or more
    dead channel         less than a fifth of what the reference reads
    swapped sensors      a current's phasor is the reference's of another phase, and that one's is this one's
    reversed sensor      it is its own, turned by 180°
    wrong phase          it is neither
    wrong ratio          it is its own, but off by more than parts are
    unsteady channel     ratio of meter to reference scatters from sample to sample
    drifting channel     that ratio goes one way
    outlier              one sample is off the others' median by far more than they scatter

In this order: one fault makes others seem so, and the first is named.
"""

from __future__ import annotations

from cmath import rect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import hypot, radians, sqrt
from statistics import fmean, median, stdev

from calibration.observation import PHASES, ObservedPoint, PhaseReading, Purpose

NO_LOAD = 0.02
"""Of what the plan says."""

OTHER_LOAD = 0.05
DEAD = 0.2
"""Of what the reference reads."""

RATIO = 0.15
"""Of a channel's gain: no divider, shunt or transformer of a lot is off by as much (3 %), and the least wrong ratio of
turns or of ranges is off by more."""

SAME = 0.25
"""Two phasors are the same if they differ by less of their size: the wiring point's differ by 0.2 and 120°."""

UNSTEADY_PERCENT = 0.03
"""Standard deviation from sample to sample of a second, at a tenth of the class current and more: a sound channel, with
noise of −95 dB of full scale, has 0.001 %."""

DRIFT_PERCENT = 0.05
"""From the first sample to the last."""

OUTLIER_SPREADS = 8.0


@dataclass(frozen=True)
class Finding:
    """A finding: its name in the table, the channels, and a sentence for people."""

    name: str
    channels: tuple[str, ...]
    sentence: str


def volts_of(phase: PhaseReading) -> float:
    """Volts of a phase."""
    return phase.volts


def amperes_of(phase: PhaseReading) -> float:
    """Amperes of a phase."""
    return phase.amperes


_KINDS: tuple[tuple[str, Callable[[PhaseReading], float]], ...] = (("v", volts_of), ("i", amperes_of))


def found_in(point: ObservedPoint) -> Finding | None:
    """The first finding of a point; None: all is in order."""
    for check in (_clipped, _no_load, _other_load, _reference, _dead, _phases, _ratio, _outlier, _drift, _unsteady):
        if found := check(point):
            return found
    return None


def _clipped(point: ObservedPoint) -> Finding | None:
    channels = sorted({name for sample in point.samples for name in sample.clipped})
    if not channels:
        return None
    return Finding(
        "clipped channel",
        tuple(channels),
        f"{_listed(channels)} left the range of the front end at {point.plan.name}: apply less, or use a larger class",
    )


def _no_load(point: ObservedPoint) -> Finding | None:
    for k, reading in enumerate(point.means(of_reference=True)):
        planned = (point.plan.volts, point.plan.amperes * point.plan.shares[k])
        for (kind, value), plan in zip(_KINDS, planned, strict=True):
            if value(reading) < NO_LOAD * plan:
                name, unit = f"{kind}{k + 1}", "V" if kind == "v" else "A"
                return Finding(
                    "no load",
                    (name,),
                    f"the reference reads {value(reading):.4g} {unit} where {plan:.4g} {unit} should be, on {name}: "
                    "switch the source on, and see that the reference is in the circuit",
                )
    return None


def _other_load(point: ObservedPoint) -> Finding | None:
    """A load that reference and meter agree on, and that is another than asked for."""
    for k, (reference, meter) in enumerate(zip(point.means(of_reference=True), point.means(), strict=True)):
        planned = (point.plan.volts, point.plan.amperes * point.plan.shares[k])
        for (kind, value), plan in zip(_KINDS, planned, strict=True):
            off, agree = value(reference) / plan - 1, abs(value(meter) / value(reference) - 1) < RATIO
            if abs(off) > OTHER_LOAD and agree:
                unit = "V" if kind == "v" else "A"
                return Finding(
                    "load not applied",
                    (f"{kind}{k + 1}",),
                    f"{value(reference):.4g} {unit} flow at {kind}{k + 1} where the point {point.plan.name} asks for "
                    f"{plan:.4g} {unit}: set the source, and measure the point again",
                )
    return None


def _reference(point: ObservedPoint) -> Finding | None:
    pairs = list(zip(point.means(), point.means(of_reference=True), strict=True))
    for kind, value in _KINDS:
        factors = [value(reference) / max(value(meter), 1e-12) for meter, reference in pairs]
        plan = point.plan.volts if kind == "v" else point.plan.amperes
        planned = [value(reference) / (plan * (1 if kind == "v" else share)) for (_, reference), share in
                   zip(pairs, point.plan.shares, strict=True)]  # fmt: skip
        alike = max(factors) < min(factors) * (1 + RATIO)
        if alike and not 0.5 < fmean(factors) < 2 and not 0.5 < fmean(planned) < 2:
            what = "volts" if kind == "v" else "amperes"
            return Finding(
                "wrong reference",
                tuple(f"{kind}{k + 1}" for k in range(PHASES)),
                f"the reference's {what} are {fmean(factors):.4g} times the meter's on every phase: see its range, its "
                "ratio and its constant",
            )
    return None


def _dead(point: ObservedPoint) -> Finding | None:
    for k, (meter, reference) in enumerate(zip(point.means(), point.means(of_reference=True), strict=True)):
        for kind, value in _KINDS:
            if value(meter) < DEAD * value(reference):
                name = f"{kind}{k + 1}"
                return Finding(
                    "dead channel",
                    (name,),
                    f"{name} reads {value(meter):.4g} where the reference reads {value(reference):.4g}: its sensor, "
                    "its wire or its modulator is open",
                )
    return None


def _phases(point: ObservedPoint) -> Finding | None:
    """Currents as phasors, at 120° from phase to phase: whose each of them is."""
    meter, reference = (_phasors(point, of_reference=each) for each in (False, True))
    owners: list[tuple[int, bool] | None] = []
    for k, current in enumerate(meter):
        candidates = [(k, False), (k, True)]
        if point.plan.purpose is Purpose.WIRING:
            candidates += [(other, turned) for other in range(PHASES) if other != k for turned in (False, True)]

        def distance(candidate: tuple[int, bool], current: complex = current) -> float:
            other = reference[candidate[0]] * (-1 if candidate[1] else 1)
            return abs(current / abs(current) - other / abs(other))

        best = min(candidates, key=distance)
        owners.append(best if distance(best) < SAME else None)
    if finding := _swapped_volts(owners, meter, reference):
        return finding
    for k, owner in enumerate(owners):
        if owner == (k, False):
            continue
        name = f"i{k + 1}"
        if owner is None:
            sentence = f"the current of {name} is turned against its voltage by no angle that a wrong connection makes"
            return Finding("wrong phase", (name,), f"{sentence}: see the wiring of phase {k + 1}")
        if owner[0] == k:
            return Finding("reversed sensor", (name,), f"{name} is reversed against v{k + 1}: change its two wires")
        other = f"i{owner[0] + 1}"
        pair = sorted((name, other))
        return Finding(
            "swapped sensors",
            tuple(pair),
            f"{name} has the current of {other}: {pair[0]} and {pair[1]} are swapped",
        )
    return None


def _swapped_volts(
    owners: Sequence[tuple[int, bool] | None], meter: Sequence[complex], reference: Sequence[complex]
) -> Finding | None:
    """Voltages that have each other's wires: the currents of both are where the third's is, or all have their own size
    and another's angle."""
    places = [owner[0] if owner else -1 for owner in owners]
    for k, other, third in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        if places[k] == places[other] == third:
            names = (f"v{k + 1}", f"v{other + 1}")
            return Finding("swapped sensors", names, f"{names[0]} and {names[1]} are swapped")
    own_size = all(abs(abs(m) / abs(r) - 1) < RATIO for m, r in zip(meter, reference, strict=True))
    if own_size and sorted(places) == list(range(PHASES)) and all(place != k for k, place in enumerate(places)):
        return Finding("swapped sensors", ("v1", "v2", "v3"), "v1, v2 and v3 each have another's wire")
    return None


def _phasors(point: ObservedPoint, of_reference: bool) -> list[complex]:
    return [
        rect(reading.amperes, -radians(reading.lag_deg + 120 * k))
        for k, reading in enumerate(point.means(of_reference=of_reference))
    ]


def _ratio(point: ObservedPoint) -> Finding | None:
    for k, (meter, reference) in enumerate(zip(point.means(), point.means(of_reference=True), strict=True)):
        for kind, value in _KINDS:
            ratio = value(meter) / value(reference)
            if abs(ratio - 1) > RATIO:
                name = f"{kind}{k + 1}"
                return Finding(
                    "wrong ratio",
                    (name,),
                    f"{name} reads {ratio:.4g} times the reference: its ratio is not that of the design, and more than "
                    f"{RATIO:.0%} is not calibrated away",
                )
    return None


def _series(point: ObservedPoint) -> list[tuple[str, list[float]]]:
    """By channel the ratios of meter to reference, sample by sample."""
    return [
        (f"{kind}{k + 1}", [value(sample.meter[k]) / value(sample.reference[k]) for sample in point.samples])
        for kind, value in _KINDS
        for k in range(PHASES)
    ]


def _steady_enough(point: ObservedPoint) -> bool:
    """Noise of a sound front end hides below this."""
    return point.plan.purpose is Purpose.WIRING and len(point.samples) >= 4


def _outlier(point: ObservedPoint) -> Finding | None:
    if len(point.samples) < 4:
        return None
    for name, ratios in _series(point):
        middle = median(ratios)
        spread = 1.4826 * median(abs(ratio - middle) for ratio in ratios)
        worst = max(ratios, key=lambda ratio: abs(ratio - middle))
        rest = [ratio for ratio in ratios if ratio is not worst]
        calm = stdev(rest) < UNSTEADY_PERCENT / 100
        if calm and abs(worst - middle) > max(OUTLIER_SPREADS * spread, 3 * UNSTEADY_PERCENT / 100):
            return Finding(
                "outlier",
                (name,),
                f"sample {ratios.index(worst) + 1} of {name} at {point.plan.name} is off the others by "
                f"{100 * (worst / middle - 1):.3g} %: something disturbed it, so measure the point again",
            )
    return None


def _drift(point: ObservedPoint) -> Finding | None:
    if not _steady_enough(point):
        return None
    for name, ratios in _series(point):
        slope, left = line_through(ratios)
        whole = 100 * slope * (len(ratios) - 1)
        if abs(whole) > DRIFT_PERCENT and abs(slope) > 4 * left:
            return Finding(
                "drifting channel",
                (name,),
                f"{name} drifts by {whole:.3g} % in {len(ratios)} samples: let it warm up, change its reference, or "
                "see whether the source drifts while the reference is read once",
            )
    return None


def _unsteady(point: ObservedPoint) -> Finding | None:
    if not _steady_enough(point):
        return None
    for name, ratios in _series(point):
        spread = 100 * stdev(ratios)
        if spread > UNSTEADY_PERCENT:
            return Finding(
                "unsteady channel",
                (name,),
                f"{name} scatters by {spread:.2g} % from sample to sample, a sound one by less than "
                f"{UNSTEADY_PERCENT:g} %: its reference is noisy",
            )
    return None


def line_through(values: Sequence[float]) -> tuple[float, float]:
    """Slope of the line through values at 0, 1, 2 …, and its standard deviation."""
    n = len(values)
    middle, mean = (n - 1) / 2, fmean(values)
    squares = sum((k - middle) ** 2 for k in range(n))
    slope = sum((k - middle) * (value - mean) for k, value in enumerate(values)) / squares
    left = [value - mean - slope * (k - middle) for k, value in enumerate(values)]
    return slope, hypot(*left) / sqrt(max(n - 2, 1)) / sqrt(squares)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
