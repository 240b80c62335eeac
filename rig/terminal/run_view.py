"""What a person sees of a run on the terminal: the meter's LCD line, the phases, the energy, the outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from rig.daemon.messages import Moment
from rig.meter.billing.quantity import Quantity
from rig.meter.reading.figures import kilo_text
from rig.results.exact_decoding import reading_of
from rig.results.registered import demand_text, energy_text, total_demands
from rig.results.summary import OutputState, Phase, Summary
from rig.terminal.face_view import WIDTH, FaceView


def marks(summary: Summary) -> str:
    """What every result must say of itself."""
    said = [f"SIMULATED ({summary.fidelity})"] if summary.simulated else []
    if not summary.calibrated:
        said.append("UNCALIBRATED")
    return "  ".join(said)


def panel(moment: Moment, *, keys: bool = False, trouble: str | None = None) -> RenderableType:
    """The live view: the meter's face, and below it what a bench wants to know.

    `keys`: which keys move the switches is said. `trouble` is that of the run's surroundings, in a sentence.
    """
    s = moment.summary
    face = replace(moment.face, marks=f"form {s.form}   {marks(s)}")
    pulses = [f"test LED {s.pulses['test_led']} × {s.constants.ks_wh:g} Wh"]
    pulses += [f"{c.name} {c.transitions} × {c.kp_wh:g}" for c in s.outputs if c.transitions is not None]
    energy = Text(
        f"{s.seconds:.1f} s   → {s.energy_wh.delivered:.4f} Wh   ← {s.energy_wh.received:.4f} Wh   "
        f"{_or_dash(s.frequency_hz, '.3f')} Hz   neutral {_or_dash(s.neutral_a, '.4f')} A"
    )
    billed = Text(f"{s.service or 'service not known yet'}   rate {s.rate}   {_first_demand(s)}")
    rows: list[RenderableType] = [Phases(moment.recent), energy, billed, Text("   ".join(pulses))]
    rows += [Text(said, style="bold red") for said in (troubles(s), trouble) if said]
    return Group(FaceView(face, keys), *rows)


@dataclass(frozen=True)
class Phases:
    """A column for each phase, as wide as there is room for."""

    values: dict[str, Phase]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield phases(self.values, whole=options.max_width >= WIDTH)


def phases(values: dict[str, Phase], *, whole: bool = True) -> Table:
    """A column for each phase: volts and amperes with their angle lagging from Va, as meters show it, and distortion;
    watts; vars by quarter cycle, and φ, the fundamental current's lag behind its voltage; volt-amperes and PF. What is
    not `whole` has no distortion and no φ."""

    def thd(percent: float | None) -> str:
        return f" {_field(percent, 6, 2)}%" if whole else ""

    def lag(p: Phase) -> str:
        return f" φ{_field(_lag_deg(p), 7, 2)}°" if whole else ""

    table = Table(expand=True, box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for name in values:
        table.add_column(f"{name.upper():>8}", no_wrap=True)
    for label, cell in (
        ("V", lambda p: f"{p.v_rms:8.2f} ∠{_field(p.angle_deg, 5, 1)}°{thd(p.thd_v_pct)}"),
        ("A", lambda p: f"{p.i_rms:8.4f} ∠{_field(p.i_angle_deg, 5, 1)}°{thd(p.thd_i_pct)}"),
        ("W", lambda p: f"{p.p_w:8.2f}"),
        ("var", lambda p: f"{_field(p.q_var, 8, 2)}{lag(p)}"),
        ("VA", lambda p: f"{p.s_va:8.2f}" + (f" PF {_power_factor(p)}" if whole else "")),
        ("PF", lambda p: "" if whole else f"  {_power_factor(p)}"),
    ):
        if any(cells := [cell(phase) for phase in values.values()]):
            table.add_row(label, *cells)
    return table


def _lag_deg(p: Phase) -> float | None:
    if p.p1_w is None or p.q1_var is None or not (p.p1_w or p.q1_var):
        return None
    return math.degrees(math.atan2(p.q1_var, p.p1_w))


def _power_factor(p: Phase) -> str:
    """P/S, with lag (quadrants 1 and 3) or lead (2 and 4) where the fundamental says so."""
    if p.pf is None:
        return "–"
    lag = _lag_deg(p)
    sense = "" if lag is None or f"{abs(p.pf):.4f}" == "1.0000" else " lag" if lag % 180 < 90 else " lead"
    return f"{p.pf:.4f}{sense}"


def report(s: Summary) -> RenderableType:
    """The figures of a finished run."""
    reading, ratio = reading_of(s.exact), _ratio(s)

    def kwh(quantity: Quantity) -> str:
        return f"{energy_text(reading.registers, quantity, ratio)} {quantity.value}"

    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("metered", f"{s.seconds:.6g} s, {s.samples} samples of {s.bits} bits a channel, {s.records} records"),
        ("frequency", f"{_or_dash(s.frequency_hz, '.4f')} Hz"),
        ("neutral", f"{_or_dash(s.neutral_a, '.4f')} A"),
        ("delivered", f"{s.energy_wh.delivered:.6g} Wh"),
        ("received", f"{s.energy_wh.received:.6g} Wh"),
        ("registers", f"{kwh(Quantity.KWH_DELIVERED)}, {kwh(Quantity.KWH_RECEIVED)}"),
        ("", f"{kwh(Quantity.KVARH_LAGGING)}, {kwh(Quantity.KVARH_LEADING)}"),
        ("", f"{kwh(Quantity.KVAH_TD)}, {kwh(Quantity.KVAH_RMS)}{_kept(s)}"),
        *(
            (d.quantity, demand_text(demand, d.maximum_time, ratio))
            for d, (_, demand) in zip(s.demand, total_demands(reading), strict=True)
        ),
        ("service", f"{s.service or 'not detected'}, rate {s.rate}"),
        ("test LED", f"pulses of {s.constants.ks_wh:g} Wh{_times(s)}: {s.pulses['test_led']}"),
        *((contact.name, _contact(contact, s)) for contact in s.outputs),
        ("link", f"damaged frames: {s.crc_errors}"),
    ):
        table.add_row(Text(name, style="bold"), value)
    rows: list[RenderableType] = [Text(marks(s), style="bold yellow")] if marks(s) else []
    rows += [Phases(s.phases), table]
    if trouble := troubles(s):
        rows.append(Text(trouble, style="bold red"))
    return Group(*rows)


def troubles(s: Summary) -> str:
    """What went wrong, in one line; empty if nothing did."""
    said = [f"OVERLOAD {' '.join(s.overload_channels)}"] if s.overload else []
    if s.dead_channels:
        said.append(f"DEAD MODULATOR {' '.join(s.dead_channels)}")
    if s.timed_windows:
        said.append(f"NO ZERO CROSSING ×{s.timed_windows}")
    if s.held_edges:
        said.append(f"PULSES TOO FAST ×{s.held_edges}")
    if s.late_edges:
        said.append(f"EDGES LATE ×{s.late_edges}")
    said += [f"{name.upper()} ×{count}" for name, count in s.faults.items()]
    said += [name.upper() for name in s.diagnostics]
    if s.lost_input_edges:
        said.append(f"INPUT EDGES LOST ×{s.lost_input_edges}")
    if s.input_pulses_in_doubt:
        said.append(f"INPUT PULSES IN DOUBT ×{s.input_pulses_in_doubt}")
    if s.trouble:
        said.append(f"NOT STORED: {s.trouble}")
    return "   ".join(said)


def _contact(c: OutputState, s: Summary) -> str:
    if c.transitions is None or c.kp_wh is None:
        return c.does
    unit = c.does.partition(" ")[0].removeprefix("k")  # of "kvarh lagging", varh
    return f"{c.does}, transitions of {c.kp_wh:g} {unit}{_times(s)}: {c.transitions}"


def _first_demand(s: Summary) -> str:
    """The first quantity's, in total."""
    found = total_demands(reading_of(s.exact))[:1]
    return "".join(
        f"{quantity.demand_name} {kilo_text(demand.present, 3, _ratio(s))}, "
        f"max {kilo_text(demand.maximum.value, 3, _ratio(s))}"
        for quantity, demand in found
    )


def _ratio(s: Summary) -> Fraction:
    return Fraction(s.constants.multiplier_exact)


def _kept(s: Summary) -> str:
    return "" if s.stored else "   (not stored)"


def _field(value: float | None, width: int, decimals: int) -> str:
    return f"{_or_dash(value, f'.{decimals}f'):>{width}}"


def _times(s: Summary) -> str:
    return f" × {s.constants.multiplier:g}" if s.constants.multiplier != 1 else ""


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
