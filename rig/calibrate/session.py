"""The session of a calibration: what has been measured so far, in a file that is whole after each point.

A session goes on where it stopped, however it stopped: killed between two points it loses the one that was being
measured. One of another unit, other constants or other ratings is not gone on with.

    file there                     then
    none                           a new session
    of this unit and these terms   its points are measured, and are not again
    of others, or damaged          a new session in its place, and why
"""

from __future__ import annotations

import zlib
from fractions import Fraction
from pathlib import Path

import msgspec

from calibration.observation import ObservedPoint, PhaseReading, PointPlan, Purpose, Readings, Sample
from rig.calibrate.result import MeasuredPoint, PhasePair
from rig.files.bounded import TooLongError, read_bounded
from rig.files.whole import write_files

MOST_BYTES = 1 << 22


class Terms(msgspec.Struct, frozen=True):
    """Terms of a session: it is gone on with under the same ones only."""

    board: str
    configuration: str
    constants: str
    truth: str
    wanted_percent: float


class _File(msgspec.Struct, frozen=True):
    terms: Terms
    points: list[MeasuredPoint]
    left: list[MeasuredPoint]
    dc_codes: list[str] | None = None


class CalibrationSession:
    """Points that are measured, by name: as the unit was `found`, and as it was `left`. `note` says why one that was
    there is not gone on with."""

    def __init__(self, path: Path, terms: Terms) -> None:
        self.path, self.terms = path, terms
        self.found: dict[str, ObservedPoint] = {}
        self.left: dict[str, ObservedPoint] = {}
        self.dc_codes: tuple[Fraction, ...] | None = None
        self.note: str | None = None
        try:
            data = read_bounded(path, MOST_BYTES)
        except FileNotFoundError:
            return
        except (OSError, TooLongError) as error:
            self.note = f"{path} cannot be read ({error}): the calibration starts over"
            return
        crc, _, text = data.partition(b"\n")
        try:
            if crc != _crc(text):
                raise ValueError("its CRC is wrong")
            file = msgspec.json.decode(text, type=_File)
            dc = None if file.dc_codes is None else tuple(map(Fraction, file.dc_codes))
            found, left = ([_result(point) for point in points] for points in (file.points, file.left))
        except ValueError as error:
            self.note = f"{path} is damaged ({error}): the calibration starts over"
            return
        if file.terms != terms:
            differ = [name for name in Terms.__struct_fields__ if getattr(file.terms, name) != getattr(terms, name)]
            self.note = f"{path} is of another {' and '.join(differ)}: the calibration starts over"
            return
        self.found = {result.plan.name: result for result in found}
        self.left = {result.plan.name: result for result in left}
        self.dc_codes = dc

    def add(self, result: ObservedPoint, *, left: bool = False, dc_codes: tuple[Fraction, ...] | None = None) -> None:
        """Keep a point, and the channels' DC in sample codes where it is known, in the file too. Raises FileError."""
        self.dc_codes = dc_codes or self.dc_codes
        (self.left if left else self.found)[result.plan.name] = result
        dc = None if self.dc_codes is None else [str(each) for each in self.dc_codes]
        found, lefts = ([_measured(each) for each in kept.values()] for kept in (self.found, self.left))
        file = _File(self.terms, found, lefts, dc)
        text = msgspec.json.encode(file)
        write_files({self.path: _crc(text) + b"\n" + text})

    def end(self) -> None:
        """Take the file away: all is done."""
        self.path.unlink(missing_ok=True)


def _crc(text: bytes) -> bytes:
    return f"{zlib.crc32(text):08x}".encode()


def _measured(result: ObservedPoint) -> MeasuredPoint:
    plan = result.plan
    return MeasuredPoint(
        plan.name,
        plan.purpose.value,
        plan.volts,
        plan.amperes,
        plan.lag_deg,
        plan.hz,
        plan.shares,
        [
            [PhasePair(_four(m), _four(r)) for m, r in zip(sample.meter, sample.reference, strict=True)]
            for sample in result.samples
        ],
        [list(sample.clipped) for sample in result.samples],
    )


def _result(point: MeasuredPoint) -> ObservedPoint:
    plan = PointPlan(
        point.name, Purpose(point.purpose), point.volts, point.amperes, point.lag_deg, point.hz, point.shares
    )
    samples = [
        Sample(
            _three([PhaseReading(*pair.meter) for pair in pairs]),
            _three([PhaseReading(*pair.reference) for pair in pairs]),
            tuple(clipped),
        )
        for pairs, clipped in zip(point.samples, point.clipped, strict=True)
    ]
    if not samples:
        raise ValueError(f"the point {point.name} has no samples")
    return ObservedPoint(plan, tuple(samples))


def _three(readings: list[PhaseReading]) -> Readings:
    a, b, c = readings
    return a, b, c


def _four(reading: PhaseReading) -> tuple[float, float, float, float]:
    return reading.volts, reading.amperes, reading.watts, reading.vars
