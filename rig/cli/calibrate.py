"""`rig calibrate`: constants from a unit on the bench, or of the simulated rig (docs/calibration.md)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.ask import KEY_VARIABLE, KeyOption, key_given
from rig.cli.options import ConfigOption, JsonOption, SocketOption, configuration, meter_socket
from rig.cli.result_output import print_result
from rig.plain_text import print_error

if TYPE_CHECKING:
    from calibration.constants import Calibration
    from rig.calibrate.result import CalibrationResult
    from rig.calibrate.unit import Unit
    from rig.hardware.config import Config

CRYSTAL = "30 ppm or 0.003 % of a usual one"


def calibrate(
    truth: Annotated[
        str,
        typer.Option(
            "--truth",
            help="waveform: of the simulated rig; hand: a standard that you read; visa: or pulses: and a resource.",
        ),
    ] = "waveform",
    truth_gain: Annotated[
        float, typer.Option("--truth-gain", metavar="%", min=0, max=10, help="Accuracy of its volts and amperes.")
    ] = 0.02,
    truth_phase: Annotated[
        float, typer.Option("--truth-phase", metavar="°", min=0, max=10, help="Accuracy of its angles.")
    ] = 0.003,
    truth_constant: Annotated[str | None, typer.Option("--truth-constant", help="Wh a pulse of the standard.")] = None,
    queries: Annotated[
        str | None,
        typer.Option("--queries", help="What visa: is asked for volts, amperes and watts: three, by commas; {phase}."),
    ] = None,
    sensors: Annotated[
        str,
        typer.Option(
            "--sensors", help="transformers, the default: currents have curves; or shunts.", show_default=False
        ),
    ] = "transformers",
    volts: Annotated[float, typer.Option("--volts", min=50, max=480, help="Nominal volts, of each phase.")] = 120.0,
    hz: Annotated[float, typer.Option("--hz", min=45, max=65, help="Line frequency.")] = 60.0,
    wanted: Annotated[
        float, typer.Option("--wanted", metavar="%", min=0.002, max=1, help="Uncertainty of watts to reach, k = 2.")
    ] = 0.02,
    valid_years: Annotated[
        int | None, typer.Option("--valid-years", min=1, max=20, help="Years until UNCALIBRATED is said again.")
    ] = None,
    other: Annotated[
        Path | None,
        typer.Option(
            "--other-temperature", help="Its constants at another temperature: temperature coefficients are solved."
        ),
    ] = None,
    identity: Annotated[str | None, typer.Option("--identity", help="Who it is, for the file; else the board.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure and solve; write nothing to the meter.")] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Forget what an earlier run has measured.")] = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
    key_file: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Calibrate a unit: measure it as it is found, solve its constants, measure it as it is left, and write them.

    Exit status 0: passed, and written unless --dry-run. 1: the unit is refused, or does not pass, or the meter does not
    take the constants; nothing is written. 2: it could not run.

    A run that was interrupted, however that came, goes on with the same command: each point is kept once measured.
    """
    from datetime import UTC, datetime
    from fractions import Fraction

    from msgspec.structs import replace

    from calibration.constants import years_later
    from calibration.constants_file import read_calibration
    from calibration.plan import Ratings
    from rig.calibrate.errors import CalibrateError
    from rig.calibrate.run import Job, session_path
    from rig.calibrate.run import calibrate as run
    from rig.calibrate.session import CalibrationSession, Terms
    from rig.files.claim import Claim
    from rig.files.whole import write_files
    from rig.hardware.provenance import rig_toml_digest
    from rig.hardware.selection import program_of
    from rig.plain_text import json_text

    chosen = configuration(config)
    if chosen.meter.calibration is None:
        raise CalibrateError('rig.toml names no file for the constants: give it meter.calibration = "constants.toml"')
    if sensors not in ("transformers", "shunts"):
        raise CalibrateError(f"--sensors is {sensors!r}, it must be transformers or shunts")
    if identity is not None and not (identity and identity.isprintable()):
        raise CalibrateError(f"--identity is {identity!r}, it must be one line of text")
    program = program_of(chosen)
    if program.metering.form.name not in ("9S", "16S"):
        raise CalibrateError(
            f"form {program.metering.form.name} is not calibrated: give the bench a 4-wire wye, form 9S"
        )
    constants = Path(chosen.meter.calibration)
    claim = Claim(constants.with_name(f"{constants.name}.lock"), f"the calibration of {constants}", passing=True)
    closing: list[Any] = [claim.close]
    try:
        if not constants.exists():
            if dry_run:
                chosen = replace(chosen, meter=replace(chosen.meter, calibration=None))
            else:
                _write_nominal(constants, program.metering.current_class)
        unit, again, provenance = _unit(
            chosen, config, socket, truth, truth_gain, truth_phase, truth_constant, queries, closing
        )
        terms = Terms(unit.board, rig_toml_digest(chosen), unit.calibration.digest, unit.truth.name, wanted)
        path = session_path(constants)
        if restart:
            path.unlink(missing_ok=True)
        session = CalibrationSession(path, terms)
        if session.note:
            print_error(f"note: {session.note}")
        today = datetime.now(UTC).date()
        until = "" if valid_years is None else years_later(today, valid_years)
        job = Job(
            unit,
            again,
            Ratings(volts, float(program.metering.current_class), hz, sensors == "transformers"),
            session,
            identity or unit.board or "front end without a name",
            str(today),
            str(until),
            wanted,
            provenance,
            lambda text: print_error(f"rig: {text}"),
            None if (warm := chosen.hardware.temperature_c) is None else Fraction(str(warm)),
            None if other is None else read_calibration(other),
        )
        solution, result = run(job)
        if result.passed and not dry_run:
            _write(solution.calibration, chosen, config, socket, key_file)
            result = replace(result, written=True)
        kept = constants.with_name(f"{constants.stem}.{result.after}.json")
        if not dry_run:
            write_files({kept: (json_text(result) + "\n").encode()})
        session.end()
    finally:
        for close in reversed(closing):
            close()
    print_result(result, _lines(result, truth != "waveform"), json=json)
    if not json and not dry_run:
        print_error(f"rig: the result is kept in {kept}")
    raise typer.Exit(0 if result.passed else 1)


def _write_nominal(path: Path, current_class: int) -> None:
    """Give a new meter constants that count as UNCALIBRATED, so that it can run at all."""
    from calibration.constants import nominal
    from calibration.constants_file import write_calibration
    from rig.hardware.hardware import NOMINAL_CREST, NOMINAL_VOLTS

    write_calibration(path, nominal(NOMINAL_VOLTS, NOMINAL_CREST * current_class))
    print_error(f"note: {path} was not there: it has nominal constants now, UNCALIBRATED")


def _unit(
    config: Config,
    path: Path | None,
    socket: Path | None,
    truth: str,
    gain_percent: float,
    phase_deg: float,
    constant: str | None,
    queries: str | None,
    closing: list[Any],
) -> tuple[Unit, Any, Any]:
    """The unit, what gives it with other constants, and the provenance of what it measures."""
    from rig.calibrate.errors import CalibrateError
    from rig.hardware.selection import program_of

    program = program_of(config)
    if truth == "waveform":
        if config.hardware.kind != "sim":
            raise CalibrateError("--truth waveform is of the simulated rig: on hardware give hand, visa: or pulses:")
        from rig.calibrate.simulated_unit import SimulatedUnit

        simulated = SimulatedUnit(config, program)
        return simulated, lambda calibration: SimulatedUnit(config, program, calibration), simulated.provenance
    from calibration.solve import Truth
    from rig.calibrate.predicted import PredictedUnit
    from rig.calibrate.running_unit import RunningUnit
    from rig.calibrate.truths import truth_named
    from rig.daemon.client import MeterClient
    from rig.hardware.hardware import calibration_of, front_end_of

    current_class = program.metering.current_class
    client = MeterClient.connect(meter_socket(path, config, socket), "verification", "rig calibrate")
    closing.append(client.close)
    source = truth_named(truth, constant, queries, config.hardware.gpio_chip, lambda text: _asked(text))
    made = Truth(truth, gain_percent, phase_deg)
    calibration = calibration_of(config, current_class)
    unit = RunningUnit(client, calibration, front_end_of(config, current_class), source, made)
    return unit, lambda solved: PredictedUnit(unit, solved), client.welcome.provenance


def _asked(text: str) -> str:
    return str(typer.prompt(text, default="", show_default=False, err=True))


def _write(
    calibration: Calibration, config: Config, path: Path | None, socket: Path | None, key_file: Path | None
) -> None:
    """Write constants through the door of the meter that runs, or of a simulated one for as long as this takes."""
    from rig.cli.verified_meter import verified_meter
    from rig.daemon.client import RequestRefusedError
    from rig.daemon.protocol import LogOn, Reading, Topic, WriteConstants
    from rig.verify.listening import heard

    key, toml = key_given(key_file), WriteConstants(calibration.to_toml())
    with verified_meter(path, config, socket, own=None, paced=True) as (client, begin):
        client.subscribe(Topic.READINGS)
        begin()
        meters: list[bool] = []
        for message in heard(client, lambda: bool(meters), "writing the constants"):
            if isinstance(message, Reading):
                meters.append(True)
        client.subscribe()
        if key is not None:
            client.ask(LogOn(key))
        try:
            client.ask(toml)
        except RequestRefusedError as error:
            if key is not None or not error.needs_key:
                raise
            if not sys.stdin.isatty():
                raise RequestRefusedError(f"{error}, by --key-file or ${KEY_VARIABLE}", True) from None
            client.ask(LogOn(typer.prompt("key", hide_input=True, err=True)))
            client.ask(toml)


def _lines(result: CalibrationResult, computed: bool) -> list[str]:
    """The result for people. `computed`: what is left was not measured under the new constants, but computed."""
    lines = [result.provenance.mark] if result.provenance.mark else []
    lines.append(f"{result.board or 'front end without a name'}, against {result.truth}")
    lines.append(f"{'watts, error in %':26}{'as found':^27}{'as left':^27}  U    limit")
    for point in result.points:
        if point.limit_percent is None or point.as_found_percent is None or point.as_left_percent is None:
            continue
        found, left = (
            "".join(f"{error:9.4f}" for error in errors) for errors in (point.as_found_percent, point.as_left_percent)
        )
        verdict = "" if point.passed else "  FAILED"
        lines.append(
            f"{point.name:26}{found}{left} {point.uncertainty_percent:6.4f} {point.limit_percent:5.2f}{verdict}"
        )
    lines.append(f"{'constant':16}{'before':>22}{'after':>22}{'change':>12}  U")
    for change in result.constants:
        if change.before == change.after:
            continue
        unit = {"gain": " %", "turn": "°"}.get(change.constant, "")
        known = "" if change.uncertainty_percent is None else f"  {change.uncertainty_percent:.4f} %"
        before, after = (_short(text) for text in (change.before, change.after))
        name = f"{change.channel} {change.constant}"
        lines.append(f"{name:16}{before:>22}{after:>22}{change.difference:>11.4f}{unit}{known}")
    if computed:
        lines.append("as left is computed for the new constants, from readings under the old ones")
    lines.append(f"energy has the error of the meter's crystal besides, {CRYSTAL}, which no constant takes away")
    if not result.passed:
        lines.append("FAILED: a point is outside its limit, and nothing is written")
    elif result.written:
        lines.append(f"passed: the meter has the constants {result.after}: start it anew, so that it meters with them")
    else:
        lines.append(f"passed: the constants would be {result.after}; nothing is written")
    return lines


def _short(text: str) -> str:
    from fractions import Fraction

    return text if text.isdigit() else f"{float(Fraction(text)):.9g}"
