"""One recording through the whole chain: source, front end, gateware, link, meter, outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from drivers.sim.channels import is_between_lines
from drivers.sim.frontend import delay_ticks
from drivers.sim.interpolate import RecordingSource
from drivers.sim.recording import Recording
from drivers.sim.sensors import FULL_SCALE_DENSITY, Sensor, peak_densities
from gateware.chain import Chain
from gateware.record_words import RecordFlag
from gateware.registers import BY_NAME, Channel
from rig.errors import RigError
from rig.hardware.components_file import components_of
from rig.hardware.config import Config
from rig.hardware.selection import program_of
from rig.hardware.simulation import sensors_of, simulated_hardware, true_tick_hz
from rig.meter.measuring.elements import PHASES, Form, form_named
from rig.program.build import Program, default_program
from rig.results.summary import Summary
from rig.service.run_accumulator import RunAccumulator
from rig.service.service import Service

SETTLING_TICKS = 1 << 16
"""Modulator ticks played before the recording begins (20 ms): filters settle, the service sets itself up."""

FLUSHING_TICKS = 1 << 15
"""Modulator ticks played after its end, so that its last sample has passed the filters and the link."""


BEGIN_UTC_NS = 946_684_800 * 10**9
"""A replay's clock begins with 2000-01-01: when something was recorded changes nothing of what it comes to."""


class ReplayError(RigError):
    """A recording that cannot be played this way: one sentence with what would be right."""


@dataclass(frozen=True)
class Playback:
    """Playback of a recording. `form` None: 1S when only phase a is there, else 9S, to which absent phases are zero.
    Ratios divide going in and multiply coming out. `start_s` and `seconds` select a part; `loop` repeats it for
    `seconds`."""

    recording: Recording
    assignment: Mapping[str, int]
    form: str | None = None
    vt_ratio: Fraction = Fraction(1)
    ct_ratio: Fraction = Fraction(1)
    start_s: Fraction = Fraction(0)
    seconds: Fraction | None = None
    loop: bool = False

    @property
    def phases(self) -> str:
        """The phases whose voltage and current are there."""
        return "".join(p for p in PHASES if f"v{p}" in self.assignment and f"i{p}" in self.assignment)


def replay(playback: Playback, config: Config, progress: Callable[[float], None] = lambda done: None) -> Summary:
    """Play the recording; every sample of it counts, none before or after.

    `progress` is called with the share done, 0 to 1. Raises ReplayError before anything runs.
    """
    if playback.form is not None:
        _check_phases(playback, form_named(playback.form))
    program = _program(playback, config)
    current_class = program.metering.current_class
    chain = Chain()
    components = components_of(config, current_class)
    sensors, tick_hz = sensors_of(config, current_class, chain), true_tick_hz(components, chain)

    # A sample whose bits ended at tick T stands for the source at T − delay and half a sample to either side.
    late = max(round(s.delay_s * chain.tick_hz) for s in sensors)
    delay = chain.delay_ticks + delay_ticks(sensors, tick_hz) + late
    half = chain.ticks_per_sample // 2
    begin = SETTLING_TICKS
    source = RecordingSource(
        playback.recording,
        playback.assignment,
        tick_hz,
        loop=playback.loop,
        start_s=playback.start_s,
        seconds=None if playback.loop else playback.seconds,
        lead_in_ticks=begin + half - math.floor(delay),
        lead_out_ticks=FLUSHING_TICKS,
        vt_ratio=playback.vt_ratio,
        ct_ratio=playback.ct_ratio,
    )
    length = _length(playback, source, chain, tick_hz)
    _check_range(playback, source, sensors)
    end = begin + round(length / chain.ticks_per_sample) * chain.ticks_per_sample

    hardware, _, _ = simulated_hardware(config, current_class, source, begin_utc_ns=BEGIN_UTC_NS)
    service = Service(hardware, config, program, reference=Channel(PHASES.index(playback.phases[0])))
    accumulator = RunAccumulator(service, playback.vt_ratio, playback.ct_ratio)
    try:
        service.begin(begin)
        hardware.link.close_window_at(end)
        for result in service.run(until_ns=int((end + FLUSHING_TICKS) / chain.tick_hz * 10**9)):
            accumulator.add(result)
            progress((result.window.tick_end - begin) / (end - begin))
            if RecordFlag.END_COMMANDED in result.window.record.flags:
                break
        service.finish()
    finally:
        hardware.close()
    return accumulator.summary(playback.phases)


def line_notes(playback: Playback, config: Config) -> list[str]:
    """Give notes on voltages that are between lines by their names, where the form has them against a neutral."""
    equation = form_named(playback.form).equation() if playback.form else _program(playback, config).equation
    if equation.service == "3-wire delta":
        return []
    names = {slot: playback.recording.names[column] for slot, column in playback.assignment.items() if slot[0] == "v"}
    return [
        f"{slot}: {name} is between lines by its name, and a {equation.service} has its voltages against the neutral: "
        "energies and angles are wrong if it is"
        for slot, name in names.items()
        if is_between_lines(name)
    ]


def _program(playback: Playback, config: Config) -> Program:
    """Return the program of the form asked for, or else the one that the configuration names, or a plain one."""
    if playback.form is None and config.meter.program:
        program = program_of(config)
        _check_phases(playback, program.metering.form)
        return program
    program = default_program(playback.form or ("1S" if playback.phases == "a" else "9S"))
    # A recording is short, and at its own voltages: the form's usual service, whatever the voltages say.
    metering = replace(program.metering, service=program.equation.service)
    return replace(program, metering=metering)


def _check_phases(playback: Playback, form: Form) -> None:
    """Refuse a form one of whose elements stands on a phase that is not there.

    A phase that is the common point has no voltage: on a 3-wire delta va is Vab, vc is Vcb, and there is no vb.
    """
    equation = form.equation()
    common = dict(zip(PHASES, (phasor is None for phasor in equation.service_type.voltages), strict=True))
    for element in equation.elements:
        for quantity, weights in (("v", element.volt_weights), ("i", element.ampere_weights)):
            for phase, weight in zip(PHASES, weights, strict=True):
                if not weight or f"{quantity}{phase}" in playback.assignment or (quantity == "v" and common[phase]):
                    continue
                point = next((p for p in PHASES if common[p]), None) if equation.service == "3-wire delta" else None
                against = f" (against phase {point}, the common point of a {equation.service})" if point else ""
                raise ReplayError(
                    f"{playback.recording.path}: form {form.name} meters {quantity}{phase}{against}, which is not "
                    f"among the channels ({', '.join(playback.assignment)}): name it with --channels or choose "
                    f"another --form"
                )


def _length(playback: Playback, source: RecordingSource, chain: Chain, tick_hz: Fraction) -> Fraction:
    """Modulator ticks to be metered."""
    length = source.signal_ticks
    if playback.loop:
        if playback.seconds is None:
            raise ReplayError("--loop plays without end: say for how long with --seconds")
        length = playback.seconds * tick_hz
    window = (BY_NAME["WINDOW_MAX"].reset or 0) * chain.ticks_per_sample
    if length < window:
        raise ReplayError(
            f"{playback.recording.path}: {float(length / tick_hz) * 1000:.3g} ms to play are less than one "
            f"window of {float(window / tick_hz) * 1000:.3g} ms: give more, or repeat it for longer with --loop"
        )
    return length


def _check_range(playback: Playback, source: RecordingSource, sensors: tuple[Sensor, ...]) -> None:
    """Refuse ratios with which the front end would leave its specified range."""
    densities = peak_densities(source.peaks, sensors)
    beyond, proposals = [], []
    for name, unit, option, ratio, channels in (
        ("v", "V", "--vt-ratio", playback.vt_ratio, range(3)),
        ("i", "A", "--ct-ratio", playback.ct_ratio, range(3, 6)),
    ):
        worst = max(channels, key=lambda c: densities[c])
        excess = densities[worst] / FULL_SCALE_DENSITY
        if excess > 1:
            slot = f"{name}{PHASES[worst % 3]}"
            peak = source.peaks[worst]
            beyond.append(
                f"{slot} peaks at {peak:.4g} {unit} at the meter, {excess:.3g} times the front end's "
                f"{peak / excess:.4g} {unit}"
            )
            proposals.append(f"{option} {_proposal(playback, slot, float(ratio) * excess)}")
    if beyond:
        raise ReplayError(f"{playback.recording.path}: {' and '.join(beyond)}; {' '.join(proposals)} would fit")


def _proposal(playback: Playback, slot: str, least: float) -> str:
    """A ratio that fits: the recording's own transformer ratio if it does, else the next round number."""
    own = playback.recording.ratio(playback.assignment[slot])
    if own is not None and own >= least:
        return f"{float(own):g} (the recording's own)"
    decade = 10.0 ** math.floor(math.log10(least))
    return f"{next(m * decade for m in (1, 1.5, 2, 3, 5, 10) if m * decade >= least):g}"
