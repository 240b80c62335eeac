"""The meter that is tested, as plain data: its program's ratings, its front end, its constants, and seeds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from calibration.constants_file import parse_calibration
from drivers.sim.components import Components
from drivers.sim.waves import Course
from gateware.chain import Chain
from rig.accuracy.ratings import Ratings, ratings_of
from rig.accuracy.run import Run, course_data
from rig.hardware.components_file import components_of
from rig.hardware.config import Config
from rig.hardware.hardware import calibration_of
from rig.hardware.provenance import rig_toml_digest
from rig.meter.billing.demand import DemandSettings
from rig.program.build import Program
from rig.results.provenance import Provenance, commit, project_version


@dataclass(frozen=True)
class MeterUnderTest:
    """A simulated meter. `calibration` is the text of its constants, "" for those that its sensors have in truth."""

    ratings: Ratings
    form: str
    sensors: Literal["typical", "ideal"]
    components: Components | None
    calibration: str
    seed: int
    demand: DemandSettings | None
    fidelity: Literal["exact", "rtl"] = "exact"

    def run(
        self,
        course: Course,
        segments: int,
        cycles: int,
        *,
        repeat: int = 0,
        from_s: float = 0.0,
        components: Components | None = None,
        demand: str = "",
    ) -> Run:
        """Give a run of a course. Each `repeat` has noise and phase of its own; so has each seed."""
        digits = hashlib.sha256(f"{self.seed}/{repeat}/{course!r}".encode()).digest()
        phase = 0 if len(course.steps) > 1 else int.from_bytes(digits[:8], "big")
        return Run(
            sensors=self.sensors,
            components=components or self.components,
            calibration=self.calibration,
            seed=int.from_bytes(digits[8:14], "big"),
            form=self.form,
            service=self.ratings.equation.service,
            current_class=self.ratings.current_class,
            constant_wh=str(self.ratings.constant_wh),
            steps=course_data(course),
            repeat_s=course.repeat_s,
            phase=str(phase),
            segments=segments,
            cycles=cycles,
            from_s=from_s,
            fidelity=self.fidelity,
            demand=demand,
        )


def meter_under_test(program: Program, config: Config) -> MeterUnderTest:
    """Give the meter of a program on the front end of a configuration. Raises what its files raise."""
    current_class = program.metering.current_class
    components = components_of(config, current_class)
    calibration = ""
    if config.meter.calibration or components is not None:
        calibration = calibration_of(config, current_class).to_toml()
    return MeterUnderTest(
        ratings_of(program),
        program.metering.form.name,
        config.simulation.sensors,
        components,
        calibration,
        config.simulation.seed,
        program.billing.demand,
        config.simulation.fidelity,
    )


def meter_texts(program: Program, meter: MeterUnderTest) -> dict[str, str]:
    """Give what a certificate states of the meter: nameplate, front end, constants."""
    plate = dict(program.nameplate.rows())
    if meter.components is not None:
        front_end = meter.components.identity
    else:
        front_end = "without error" if meter.sensors == "ideal" else "typical, -100 dB of noise"
    line = [phasor for phasor in meter.ratings.line.voltages if phasor is not None]
    return {
        **plate,
        "tested at": f"{line[0][0]:g} V, {meter.ratings.hertz:g} Hz, In {meter.ratings.nominal_a:g} A, "
        f"TA {meter.ratings.test_a:g} A, Imax {meter.ratings.current_class} A",
        "front end": front_end,
        "constants": _constants_text(meter),
    }


def _constants_text(meter: MeterUnderTest) -> str:
    if not meter.calibration:
        return "known by construction"
    found = parse_calibration(meter.calibration)
    return f"{found.identity}, {found.source}"


def provenance_of_test(program: Program, config: Config, meter: MeterUnderTest) -> Provenance:
    """Give the provenance of a test that begins now."""
    constants = parse_calibration(meter.calibration) if meter.calibration else None
    return Provenance(
        simulated=True,
        fidelity=meter.fidelity,
        calibrated=constants is None or constants.calibrated,
        version=project_version(),
        commit=commit(),
        build=f"{Chain().digest:08x}",
        program=program.digest,
        configuration=rig_toml_digest(config),
        calibration="" if constants is None else constants.digest,
        seed=meter.seed,
        begun_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
