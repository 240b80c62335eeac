"""A test in a series that is no comparison of pulses with energy (kinds.py): what is asked, and what came of it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rig.meter.contacts.outputs import OutputId
from rig.results.provenance import Provenance
from rig.verify.errors import VerifyError
from rig.verify.kind import Kind
from rig.verify.kinds import KINDS
from rig.verify.observing import Observed
from rig.verify.point import OUTPUTS

MOST_SECONDS = 1e7


class SeriesTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A test: `kind` of KINDS, on `output`, for `seconds` of the meter's time, with a load where one is given.

    `limit` is in the kind's unit, `source` says where it comes from; without them the kind's own.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    kind: str
    output: str = "kyz1"
    load: str | None = None
    seconds: Annotated[float, msgspec.Meta(gt=0, le=MOST_SECONDS)] | None = None
    limit: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None

    def check(self) -> None:
        """Raise VerifyError for what cannot be."""
        _ = self.output_id
        if self.kind not in KINDS:
            raise VerifyError(f"kind is {self.kind!r}, it must be {', '.join(KINDS)}")
        if self.limit is not None and self.source is None:
            raise VerifyError(f"limit is {self.limit:g}, and nothing says where that comes from: give its source")

    @property
    def output_id(self) -> OutputId:
        """Output that it is of."""
        for output in OutputId:
            if self.output.lower() == output.label.lower():
                return output
        raise VerifyError(f"output is {self.output!r}, it must be {OUTPUTS}")

    @property
    def of(self) -> Kind:
        """Its kind."""
        return KINDS[self.kind]

    @property
    def length_s(self) -> float:
        """Its length."""
        return self.of.seconds if self.seconds is None else self.seconds


class SeriesTestResult(msgspec.Struct, frozen=True):
    """Result of a test; `digest` is of what was asked."""

    name: str
    digest: str
    kind: str
    output: str
    value: float
    unit: str
    uncertainty: float
    limit: float
    source: str
    passed: bool
    text: str
    seconds: float
    simulated: bool
    fidelity: str
    provenance: Provenance


def judged(test: SeriesTest, digest: str, seen: Observed, provenance: Provenance) -> SeriesTestResult:
    """Give the result of a test from what was observed. Raises CountLost where that is too little."""
    kind = test.of
    limit = kind.limit if test.limit is None else test.limit
    found = kind.judge(seen, test.output_id, limit)
    return SeriesTestResult(
        name=test.name,
        digest=digest,
        kind=kind.name,
        output=test.output_id.label,
        value=found.value,
        unit=found.unit,
        uncertainty=found.uncertainty,
        limit=limit,
        source=test.source or kind.source,
        passed=found.passed,
        text=found.text,
        seconds=seen.length_s,
        simulated=provenance.simulated,
        fidelity=provenance.fidelity,
        provenance=provenance,
    )
