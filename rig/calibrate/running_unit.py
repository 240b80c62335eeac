"""A meter that runs, on a bench whose source a person sets, against a reference standard."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from calibration.constants import Calibration
from calibration.observation import PhaseReading, PointPlan, Readings, Sample
from calibration.solve import Truth
from rig.calibrate.errors import CalibrateError
from rig.calibrate.truths import TruthSource
from rig.daemon.client import MeterClient
from rig.daemon.protocol import Ended, EnergyFlowed, Reading, Topic
from rig.verify.listening import heard

SAMPLES = 8
"""Seconds of the meter that one reading of the reference stands beside."""

SETTLING = 2
"""Seconds that are dropped once the load is steady."""


class RunningUnit:
    """The meter behind `client`, whose constants in force are `calibration`. Raises CalibrateError where it meters with
    others."""

    def __init__(
        self, client: MeterClient, calibration: Calibration, board: str, source: TruthSource, truth: Truth
    ) -> None:
        self._client, self._source = client, source
        self.calibration, self.board, self.truth = calibration, board, truth
        self._plan: PointPlan | None = None
        in_force = client.welcome.provenance.calibration
        if in_force != calibration.digest:
            raise CalibrateError(
                f"the meter meters with the constants {in_force}, and the file has {calibration.digest}: start the "
                "meter anew, so that it has the file's"
            )
        self.tick_hz = _tick_hz(client)

    def apply(self, plan: PointPlan) -> None:
        """Have a person apply a load."""
        self._plan = plan

    def samples(self) -> Iterator[Sample]:
        """Measure: each time the reference is read once, beside SAMPLES seconds of the meter, one sample a second."""
        assert self._plan is not None
        while True:
            self._source.begin(self._plan)
            found = self._read()
            reference = self._source.end(self._plan)
            for meter, clipped in found:
                yield Sample(meter, reference, clipped)

    def _read(self) -> list[tuple[Readings, tuple[str, ...]]]:
        """The meter's readings of SAMPLES seconds, and what left its range since the load is steady."""
        self._client.subscribe(Topic.READINGS)
        messages: list[Reading] = []
        for message in heard(self._client, lambda: len(messages) >= SETTLING + SAMPLES, "the calibration"):
            if isinstance(message, Ended):
                raise CalibrateError("the meter has ended: start it, and go on with the same command")
            if isinstance(message, Reading):
                messages.append(message)
        self._client.subscribe()
        before = set(messages[SETTLING - 1].summary.overload_channels)
        return [
            (_phases(each), tuple(sorted({*each.summary.overload_channels} - before))) for each in messages[SETTLING:]
        ]

    def dc_codes(self) -> tuple[Fraction, ...] | None:
        """DC is not published: what the constants in force have stays."""
        return None

    def close(self) -> None:
        """Let the reference go; the meter goes on."""
        self._source.close()


def _tick_hz(client: MeterClient) -> Fraction:
    """The rate of the board's modulators, which the meter says with what flows."""
    client.subscribe(Topic.ENERGY)
    found: list[Fraction] = []
    for message in heard(client, lambda: bool(found), "the calibration"):
        if isinstance(message, EnergyFlowed):
            found.append(Fraction(message.tick_hz))
    client.subscribe()
    return found[0]


def _phases(message: Reading) -> Readings:
    if len(message.recent) != 3:
        raise CalibrateError("three phases are calibrated at once: give the meter a form of three phases, such as 9S")
    a, b, c = (
        PhaseReading(phase.v_rms, phase.i_rms, phase.p_w, phase.q_var or 0.0) for phase in message.recent.values()
    )
    return a, b, c
