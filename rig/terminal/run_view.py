"""View of a run on the terminal: the meter's LCD line, the phases, the energy, the outputs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import isclose

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rig.daemon.protocol import Reading
from rig.meter.billing.quantity import Quantity
from rig.meter.reading.figures import kilo_text
from rig.results.exact_decoding import reading_of
from rig.results.registered import demand_text, energy_text, total_demands
from rig.results.summary import OutputState, Summary
from rig.terminal.face_view import FaceView
from rig.terminal.phases_view import Phases, or_dash


def panel(reading: Reading, *, keys: bool = False, trouble: str | None = None) -> RenderableType:
    """The live view: the meter's face, and below it what a bench wants to know.

    `keys`: which keys move the switches is said. `trouble` is that of the run's surroundings, in a sentence.
    """
    s = reading.summary
    face = replace(reading.face, marks=f"form {s.form}   {s.provenance.mark}")
    pulses = [f"test LED {s.pulses['test_led']} × {s.constants.ks_wh:g} Wh"]
    pulses += [f"{c.name} {c.transitions} × {c.kp_wh:g}" for c in s.outputs if c.transitions is not None]
    energy = Text(
        f"{s.seconds:.1f} s   → {s.energy_wh.delivered:.4f} Wh   ← {s.energy_wh.received:.4f} Wh   "
        f"{or_dash(s.frequency_hz, '.3f')} Hz   neutral {or_dash(s.neutral_a, '.4f')} A"
    )
    testing = "test mode: nothing is billed   " if s.exact.test_mode else ""
    billed = Text(f"{s.service or 'service not known yet'}   rate {s.rate}   {testing}{_first_demand(s)}")
    rows: list[RenderableType] = [Phases(reading.recent), energy, billed, Text("   ".join(pulses))]
    rows += [Text(said, style="bold red") for said in (troubles(s), trouble) if said]
    return Group(FaceView(face, keys), *rows)


def line(reading: Reading) -> str:
    """A reading on one line, for a pipe or a file."""
    s = reading.summary
    watts = sum(phase.p_w for phase in reading.recent.values())
    said = [s.provenance.mark, f"{s.seconds:.1f} s", f"{watts:.1f} W", f"{s.registers.kwh_delivered:.6f} kWh delivered"]
    said += [f"{s.registers.kwh_received:.6f} received", f"rate {s.rate}", s.service or "service not known yet"]
    return "   ".join(part for part in (*said, troubles(s), reading.lcd_trouble) if part)


def report(s: Summary) -> RenderableType:
    """The figures of a finished run."""
    reading, ratio = reading_of(s.exact), _ratio(s)
    apart = not all(
        isclose(run_wh, 1000 * billed_kwh, rel_tol=1e-9)
        for run_wh, billed_kwh in (
            (s.energy_wh.delivered, s.registers.kwh_delivered),
            (s.energy_wh.received, s.registers.kwh_received),
        )
    )

    def kwh(quantity: Quantity) -> str:
        return f"{energy_text(reading.registers, quantity, ratio)} {quantity.value}"

    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("metered", f"{s.seconds:.6g} s, {s.samples} samples of {s.bits} bits a channel, {s.records} records"),
        ("frequency", f"{or_dash(s.frequency_hz, '.4f')} Hz"),
        ("neutral", f"{or_dash(s.neutral_a, '.4f')} A"),
        ("delivered", f"{s.energy_wh.delivered:.6g} Wh{' in this run, in test mode too' if apart else ''}"),
        ("received", f"{s.energy_wh.received:.6g} Wh"),
        ("registers", f"{kwh(Quantity.KWH_DELIVERED)}, {kwh(Quantity.KWH_RECEIVED)}"),
        ("", f"{kwh(Quantity.KVARH_LAGGING)}, {kwh(Quantity.KVARH_LEADING)}"),
        ("", f"{kwh(Quantity.KVAH_TD)}, {kwh(Quantity.KVAH_RMS)}{_kept(s)}"),
        *([("", "what was billed, so without test mode; with a store, of all its runs")] if apart else []),
        *(
            (d.quantity, demand_text(demand, d.maximum_time, ratio))
            for d, (_, demand) in zip(s.demand, total_demands(reading), strict=True)
        ),
        ("service", f"{s.service or 'not detected'}, rate {s.rate}"),
        ("test LED", f"pulses of {s.constants.ks_wh:g} Wh{_times(s)}: {s.pulses['test_led']}"),
        *((contact.name, _contact(contact, s)) for contact in s.outputs),
        ("link", f"damaged frames: {s.crc_errors}"),
    ):
        table.add_row(Text(name, style="bold"), Text(value, overflow="fold"))
    rows: list[RenderableType] = [Text(s.provenance.mark, style="bold yellow")] if s.provenance.mark else []
    rows += [Phases(s.phases), table]
    if trouble := troubles(s):
        rows.append(Text(trouble, style="bold red"))
    return Group(*rows)


def troubles(s: Summary) -> str:
    """Name what went wrong, in one line; empty if nothing did."""
    said = [f"OVERLOAD {' '.join(s.overload_channels)}"] if s.overload else []
    if s.dead_channels:
        said.append(f"DEAD MODULATOR {' '.join(s.dead_channels)}")
    if s.timed_windows:
        said.append(f"NO ZERO CROSSING ×{s.timed_windows}")
    if s.held_edges:
        said.append(f"PULSES TOO FAST ×{s.held_edges}")
    if s.late_edges:
        said.append(f"EDGES LATE ×{s.late_edges}")
    said += [f"{name.upper()} ×{count}" for name, count in s.faults.items() if name != "merged"]
    if s.merged_windows:
        said.append(f"WINDOWS MERGED ×{s.merged_windows}")
    said += [name.upper() for name in s.diagnostics]
    if s.lost_input_edges:
        said.append(f"INPUT EDGES LOST ×{s.lost_input_edges}")
    if s.input_pulses_in_doubt:
        said.append(f"INPUT PULSES IN DOUBT ×{s.input_pulses_in_doubt}")
    if s.link_fault:
        said.append(f"FPGA NOT READ: {s.link_fault}")
    if s.clock_fault:
        said.append(f"TIME OF DAY DOUBTED: {s.clock_fault}")
    if s.trouble:
        said.append(f"STORE: {s.trouble}")
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


def _kept(s: Summary) -> str:
    return "" if s.stored else "   (not stored)"


def _ratio(s: Summary) -> Fraction:
    return Fraction(s.constants.multiplier_exact)


def _times(s: Summary) -> str:
    return f" × {s.constants.multiplier:g}" if s.constants.multiplier != 1 else ""
