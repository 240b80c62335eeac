"""Agreement of the witnesses of one load, as `rig verify --witness --json` prints it (docs/json.md)."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from rig.meter.billing.quantity import NANO
from rig.results.provenance import Provenance
from rig.verify.errors import VerifyError
from rig.verify.result import Setup
from rig.verify.witness import MOST_LINES, Compared, Witness
from rig.verify.witnessing import Witnessing

LEAST_WITNESSES = 2
"""One alone agrees with itself."""


class Parting(msgspec.Struct, frozen=True):
    """Doubt of a witness: where it first said what cannot be and where it was farthest off; `text` is the sentence."""

    at_s: float
    difference_wh: float
    tolerance_wh: float
    worst_at_s: float
    worst_wh: float
    text: str


class WitnessLine(msgspec.Struct, frozen=True):
    """A witness: what it said last beside the reference, from its first statement on, in Wh (varh, VAh).

    `unit_wh` is the least that it can tell apart; `tolerance_percent` of the energy that flowed is how fine a fault it
    would have shown.
    """

    witness: str
    kind: str
    quantity: str
    unit_wh: float
    statements: int
    stated_wh: float
    reference_wh: float
    difference_wh: float
    tolerance_wh: float
    tolerance_percent: float | None
    agrees: bool
    parting: Parting | None


class TimelineLine(msgspec.Struct, frozen=True):
    """A statement on the timeline, in seconds from its beginning."""

    at_s: float
    witness: str
    quantity: str
    stated_wh: float
    reference_wh: float
    difference_wh: float
    tolerance_wh: float


class Agreement(msgspec.Struct, frozen=True):
    """The result: they agree where all do, and there are two at least."""

    seconds: float
    energy_wh: dict[str, float]
    witnesses: list[WitnessLine]
    absent: list[str]
    passed: bool
    reasons: list[str]
    timeline: list[TimelineLine]
    simulated: bool
    fidelity: str
    provenance: Provenance
    setup: Setup = Setup()


def agreement(found: Witnessing, provenance: Provenance, setup: Setup) -> Agreement:
    """Give the result of what was heard on the rig of a setup. Raises VerifyError where one witness was heard alone."""
    lines = [_line(witness, found) for witness in found.witnesses]
    reasons = [line.parting.text for line in lines if line.parting is not None]
    if len(lines) < LEAST_WITNESSES:
        raise VerifyError(
            f"{lines[0].witness} alone was heard, and one witness agrees with itself: {'; '.join(found.absent)}"
        )
    return Agreement(
        seconds=found.seconds,
        energy_wh={name: found.energy_nwh(name) / NANO for name in found.quantities},
        witnesses=lines,
        absent=found.absent,
        passed=not reasons,
        reasons=reasons,
        timeline=_timeline(found),
        simulated=provenance.simulated,
        fidelity=provenance.fidelity,
        provenance=provenance,
        setup=setup,
    )


def _line(witness: Witness, found: Witnessing) -> WitnessLine:
    last = witness.final
    return WitnessLine(
        witness=witness.name,
        kind=witness.kind.value,
        quantity=witness.quantity,
        unit_wh=_wh(witness.unit_nwh),
        statements=len(witness.compared) + 1,
        stated_wh=_wh(last.stated_nwh),
        reference_wh=_wh(last.reference_nwh),
        difference_wh=_wh(last.difference_nwh),
        tolerance_wh=_wh(last.tolerance_nwh),
        tolerance_percent=float(100 * last.tolerance_nwh / last.reference_nwh) if last.reference_nwh else None,
        agrees=witness.parted is None,
        parting=_parting(witness, found),
    )


def _parting(witness: Witness, found: Witnessing) -> Parting | None:
    first, worst = witness.parted, witness.worst
    if first is None or worst is None:
        return None
    unit = witness.quantity.split()[0].removeprefix("k")
    much = "more" if first.difference_nwh > 0 else "less"
    at_s, worst_s = _at_s(first, found), _at_s(worst, found)
    text = (
        f"{witness.name} parts from the rest at {at_s:.3f} s: it has {abs(_wh(first.difference_nwh)):.6g} {unit} "
        f"{much} than flowed, and could be {_wh(first.tolerance_nwh):.6g} {unit} off"
    )
    if worst is not first:
        text += f"; farthest at {worst_s:.3f} s, by {_wh(worst.difference_nwh):+.6g} {unit}"
    return Parting(at_s, _wh(first.difference_nwh), _wh(first.tolerance_nwh), worst_s, _wh(worst.difference_nwh), text)


def _timeline(found: Witnessing) -> list[TimelineLine]:
    """Give statements of all witnesses in order; of too many every second, third … one of each witness."""
    every = 1 + sum(len(witness.compared) for witness in found.witnesses) // MOST_LINES
    lines = [
        TimelineLine(
            _at_s(each, found),
            witness.name,
            witness.quantity,
            _wh(each.stated_nwh),
            _wh(each.reference_nwh),
            _wh(each.difference_nwh),
            _wh(each.tolerance_nwh),
        )
        for witness in found.witnesses
        for each in witness.compared[::every]
    ]
    return sorted(lines, key=lambda line: line.at_s)


def _at_s(each: Compared, found: Witnessing) -> float:
    return float((each.at_tick - found.begin_tick) / found.tick_hz)


def _wh(nwh: Fraction) -> float:
    return float(nwh / NANO)
