"""A register is the same, digit for digit, on the display, in JSON, on the terminal, in the store and in the raw state.

What it should be is worked out here from the raw integers of the state, by the notice's quadrants and long division.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from rig.bench.billed_meter import NamedRegisters
from rig.cli.store import show_command
from rig.daemon.frames import FrameReader, frame
from rig.daemon.protocol import Reading
from rig.hardware.config import Config
from rig.hardware.selection import open_hardware
from rig.meter.billing.state import BillingState
from rig.meter.display.items import DemandItem, DemandOf, DisplayItem, EnergyItem
from rig.meter.display.readout import Readout
from rig.meter.meter import Meter
from rig.program.display_items import items
from rig.program.displayed_nameplate import displayed_nameplate
from rig.results.exact import ExactReading
from rig.results.exact_decoding import reading_of
from rig.results.exact_encoding import exact_reading
from rig.results.summary import Summary
from rig.service.run_accumulator import RunAccumulator
from rig.service.service import Service
from rig.store.store import Store
from rig.terminal.run_view import panel, report
from rig.terminal.show import reading_json
from tests.rig.kept_meter import KeptMeter
from tests.rig.reading.read_meters import KINDS, Step, lived, long_division, pasts, program

WH, VARH, RMS, TD = range(4)
Q1, Q2, Q3, Q4 = range(4)
REGISTERS = {
    "kwh_delivered": ("kWh delivered", [(Q1, WH), (Q4, WH)], []),
    "kwh_received": ("kWh received", [(Q2, WH), (Q3, WH)], []),
    "kwh_net": ("kWh net", [(Q1, WH), (Q4, WH)], [(Q2, WH), (Q3, WH)]),
    "kvarh_lagging": ("kvarh lagging", [(Q1, VARH), (Q3, VARH)], []),
    "kvarh_leading": ("kvarh leading", [(Q2, VARH), (Q4, VARH)], []),
    "kvarh_net": ("kvarh net", [(Q1, VARH), (Q3, VARH)], [(Q2, VARH), (Q4, VARH)]),
    "kvah_rms": ("kVAh rms", [(q, RMS) for q in range(4)], []),
    "kvah_td": ("kVAh td", [(q, TD) for q in range(4)], []),
}
"""By key of JSON: its name on the display, and which of the four energies of which quadrants it adds and subtracts."""

BY_DIRECTION = ("kvarh net", [(Q1, VARH), (Q2, VARH)], [(Q3, VARH), (Q4, VARH)])
"""What "kvarh net" is on the display of a program that nets delivered and received vars: the industrial one."""

ratios = st.sampled_from([Fraction(1), Fraction(60), Fraction(1, 3), Fraction(4200, 120), Fraction("1.7")])


def register(amounts: Sequence[int], key: str, kind: str = "") -> int:
    """By its key in JSON; with the `kind` of a program, what the display has under that name."""
    _, adds, subtracts = BY_DIRECTION if (kind, key) == ("industrial", "kvarh_net") else REGISTERS[key]
    return sum(amounts[4 * q + kind] for q, kind in adds) - sum(amounts[4 * q + kind] for q, kind in subtracts)


def raw(billing: BillingState) -> Sequence[int]:
    return billing.registers.energy if billing.registers else [0] * 16


# --- the services that summaries are made by --------------------------------------------------------------------------


class Bench:
    """A service on the simulated rig for each program, so that summaries are real; its meter is replaced."""

    def __init__(self) -> None:
        self.services: dict[str, Service] = {}

    def summary(self, kind: str, meter: Meter, vt: Fraction = Fraction(1), ct: Fraction = Fraction(1)) -> Summary:
        if kind not in self.services:
            self.services[kind] = self.begun(kind)
        service = self.services[kind]
        service.meter = meter
        return RunAccumulator(service, vt, ct).summary()

    def begun(self, kind: str) -> Service:
        programmed = program(kind)
        hardware = open_hardware(Config(), programmed.metering.current_class, paced=False)
        service = Service(hardware, Config(), programmed)
        service.begin()
        return service

    def close(self) -> None:
        for service in self.services.values():
            service.close()
            service.hardware.close()


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


# --- each rendering, read as a person or a program reads it -----------------------------------------------------------


def on_display(meter: Meter, kind: str, name: str, digits: int, decimals: int) -> str:
    programmed = program(kind)
    what = items(programmed.metering.names)[name]
    register = isinstance(what, EnergyItem | DemandItem)
    assert register
    readout = Readout(displayed_nameplate(programmed))
    return readout.show(DisplayItem(name, what, digits, decimals), meter.reading(), meter.instant).text


def dial(nano: int, digits: int, decimals: int) -> str:
    """What a dial of so many digits shows: the last of them, and the first gives way to a sign where nine are full."""
    sign, text = "", long_division(Fraction(nano, 10**12), decimals)
    if text.startswith("-"):
        sign, text = "-", text[1:]
        digits -= digits == 9
    figures = text.replace(".", "").rjust(digits, "0")[-digits:]
    whole = digits - decimals
    return sign + figures[:whole] + ("." + figures[whole:] if decimals else "")


def of_json(line: bytes) -> dict[str, Any]:
    """As any program decodes it that keeps integers whole."""
    found: dict[str, Any] = json.loads(line)
    return found


def exact_register(energy: dict[str, dict[str, int | str]], key: str) -> int:
    """From the quadrants of `exact`, by the rule that docs/json.md has."""
    kinds = ("nwh", "nvarh", "nvah_rms", "nvah_td")
    _, adds, subtracts = REGISTERS[key]
    return sum(int(energy[f"q{q + 1}"][kinds[kind]]) for q, kind in adds) - sum(
        int(energy[f"q{q + 1}"][kinds[kind]]) for q, kind in subtracts
    )


def printed(renderable: Any, width: int = 400) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def shown_by_store(folder: Path, *, as_json: bool) -> str:
    with redirect_stdout(io.StringIO()) as out:
        show_command(folder, events=0, json=as_json)
    return out.getvalue()


# --- energies ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    kind=st.sampled_from(KINDS), past=pasts, vt=ratios, ct=ratios, digits=st.integers(4, 9), decimals=st.integers(0, 4)
)
def test_energies(
    bench: Bench, kind: str, past: Sequence[Step], vt: Fraction, ct: Fraction, digits: int, decimals: int
) -> None:
    with TemporaryDirectory() as name:
        kept, _ = lived(program(kind), past, Path(name) / "store")
        try:
            check_energies(bench, kept, kind, vt * ct, bench.summary(kind, kept.meter, vt, ct), digits, decimals)
        finally:
            kept.fails()
        check_store(kept, Path(name) / "store")


def check_energies(
    bench: Bench, kept: KeptMeter, kind: str, ratio: Fraction, summary: Summary, digits: int, decimals: int
) -> None:
    billing = kept.meter.state.billing
    amounts = raw(billing)
    shown = of_json(msgspec.json.encode(summary))
    text = printed(report(summary))
    of_bench = NamedRegisters(program(kind).metering.names, kept.meter.billing.registers)
    assert Fraction(shown["constants"]["multiplier_exact"]) == ratio
    for key, (name, _, _) in REGISTERS.items():
        nano = register(amounts, key)
        assert exact_register(shown["exact"]["registers"]["energy"], key) == nano
        assert shown["registers"][key] == float(Fraction(nano, 10**12) * ratio)
        primary = long_division(Fraction(nano, 10**12) * ratio, 6)
        if "net" not in name:
            assert re.search(rf"(?<![\d.-]){re.escape(primary)} {name}\b", text), (primary, name, text)
        named = register(amounts, key, kind)
        if billing.test is None:
            assert on_display(kept.meter, kind, name, digits, decimals) == dial(named, digits, decimals)
        assert of_bench[name] == float(Fraction(named, 10**12))
    if billing.test is not None:
        nano = register(billing.test.registers.energy, "kwh_delivered")
        assert on_display(kept.meter, kind, "kWh delivered", digits, decimals) == dial(nano, digits, decimals)
        assert exact_register(shown["exact"]["test_mode"]["registers"]["energy"], "kwh_delivered") == nano
    assert billing.registers is not None
    for k, rate in enumerate("ABCD"):
        nano = register(billing.registers.rates[k], "kwh_delivered")
        assert exact_register(shown["exact"]["registers"]["energy_rates"][rate], "kwh_delivered") == nano
        if program(kind).file.tou is not None:
            assert on_display(kept.meter, kind, f"kWh delivered {rate}", digits, decimals) == dial(
                nano, digits, decimals
            )


def check_store(kept: KeptMeter, folder: Path) -> None:
    """The same of what was saved, by the command that shows it."""
    amounts = raw(kept.meter.state.billing)
    shown = of_json(shown_by_store(folder, as_json=True).encode())
    text = shown_by_store(folder, as_json=False)
    for key in REGISTERS:
        nano = register(amounts, key)
        assert exact_register(shown["exact"]["registers"]["energy"], key) == nano
        assert shown["registers"][key] == float(Fraction(nano, 10**12))
        assert re.search(rf"^  {key} +{re.escape(long_division(Fraction(nano, 10**12), 6))}$", text, re.MULTILINE)


# --- demand -----------------------------------------------------------------------------------------------------------

DEMANDS = {"kW delivered": (Q1, Q4, WH), "kvar lagging": (Q1, Q3, VARH), "kVA": None}


@pytest.mark.slow
@settings(max_examples=60)
@given(kind=st.sampled_from(["block", "sliding"]), past=pasts, ratio=ratios, decimals=st.integers(0, 4))
def test_demand(bench: Bench, kind: str, past: Sequence[Step], ratio: Fraction, decimals: int) -> None:
    """Of raw window energies and held maxima; three quantities, in total."""
    with TemporaryDirectory() as name:
        kept, _ = lived(program(kind), past, Path(name) / "store")
        try:
            summary = bench.summary(kind, kept.meter, ratio)
            check_demand(bench, kept, kind, ratio, summary, decimals)
        finally:
            kept.fails()
        shown = of_json(shown_by_store(Path(name) / "store", as_json=True).encode())
        text = shown_by_store(Path(name) / "store", as_json=False)
    live = of_json(msgspec.json.encode(summary))["exact"]
    assert shown["exact"]["registers"] == live["registers"]
    assert shown["exact"]["test_mode"] == live["test_mode"]
    assert shown["exact"]["outputs"] == live["outputs"]
    assert shown["exact"]["recorder"] == live["recorder"]
    assert shown["exact"]["closed_season"] == live["closed_season"]
    differ = {key for key in live if shown["exact"][key] != live[key]}
    assert differ <= {"interval_ends_utc_ns", "service", "faults"}, "what is not registered"
    demand = live["registers"]["demand"][0]["total"]
    assert f"  kW delivered    present {long_division(Fraction(int(demand['present_nw']), 10**12), 4)}, " in text


def check_demand(bench: Bench, kept: KeptMeter, kind: str, ratio: Fraction, summary: Summary, decimals: int) -> None:
    billing = kept.meter.state.billing
    assert billing.registers is not None
    demand = billing.registers.demand
    assert demand is not None
    assert demand.window is not None
    shown = of_json(msgspec.json.encode(summary))
    text, live = printed(report(summary)), printed(panel(Reading(summary, {}, a_face(bench, kind))))
    for q, name in enumerate(("kW delivered", "kvar lagging", "kVA td")):
        window = demand.window.running[0][q] + sum(rows[0][q] for rows in demand.window.completed)
        figures = {
            "present": window * 3600 // 900,
            "previous": demand.previous[0][q],
            "maximum": demand.maxima.held[0][q].demands[q],
            "cumulative": demand.maxima.cumulative[0][q],
        }
        floats, exact = shown["demand"][q], shown["exact"]["registers"]["demand"][q]["total"]
        assert (floats["quantity"], shown["exact"]["registers"]["demand"][q]["quantity"]) == (name, name)
        for key, nano in figures.items():
            assert floats[key] == float(Fraction(nano, 10**12) * ratio)
            found = exact["maximum"]["value_nw"] if key == "maximum" else exact[f"{key}_nw"]
            assert int(found) == nano
        said = {key: long_division(Fraction(nano, 10**12) * ratio, 4) for key, nano in figures.items()}
        expected = f"present {said['present']}, previous {said['previous']}, maximum {said['maximum']}"
        assert re.search(rf"{name} +{re.escape(expected)}(?!\d)", text)
        if q == 0:
            brief = {key: long_division(Fraction(nano, 10**12) * ratio, 3) for key, nano in figures.items()}
            assert f"{name} {brief['present']}, max {brief['maximum']}\n" in re.sub(" +\n", "\n", live)
        if billing.test is None:
            check_displayed_demand(kept, kind, name.removesuffix(" td"), figures, decimals)


def check_displayed_demand(kept: KeptMeter, kind: str, name: str, figures: dict[str, int], decimals: int) -> None:
    """A demand that its digits lack overflows; what cumulates goes round."""
    for key, of in (("present", DemandOf.PRESENT), ("previous", DemandOf.PREVIOUS), ("maximum", DemandOf.MAXIMUM)):
        there = long_division(Fraction(figures[key], 10**12), decimals).replace(".", "")
        fits = len(there.lstrip("0")) <= 9
        expected = dial(figures[key], 9, decimals) if fits else "OVERFLOW"
        assert on_display(kept.meter, kind, f"{name} {of.value}", 9, decimals) == expected
    assert on_display(kept.meter, kind, f"{name} cumulative", 9, decimals) == dial(figures["cumulative"], 9, decimals)


def a_face(bench: Bench, kind: str) -> Any:
    return bench.services[kind].face


# --- codecs -----------------------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(st.sampled_from(KINDS), pasts)
def test_a_reading_survives_json_and_msgpack(kind: str, past: Sequence[Step]) -> None:
    reading = lived(program(kind), past)[0].meter.reading()
    exact = exact_reading(reading)
    assert reading_of(exact) == reading
    assert reading_of(msgspec.json.decode(msgspec.json.encode(exact), type=ExactReading)) == reading
    assert reading_of(msgspec.msgpack.decode(msgspec.msgpack.encode(exact), type=ExactReading)) == reading
    assert reading_of(msgspec.convert(json.loads(msgspec.json.encode(exact)), ExactReading)) == reading
    check_units(of_json(msgspec.json.encode(exact)))


def check_units(value: Any, key: str = "") -> None:
    """Nothing is a float; integers beyond 64 bits with a sign are text; whatever has a unit says so in its name."""
    if isinstance(value, dict):
        for name, each in value.items():
            check_units(each, name)
    elif isinstance(value, list):
        for each in value:
            check_units(each, key)
    else:
        assert not isinstance(value, float)
        if isinstance(value, int) and not isinstance(value, bool):
            assert -(2**63) <= value < 2**63
            unit = re.search(r"_(ns|s|nw|min|bytes|pulses)$|^(nwh|nvarh|nvah_rms|nvah_td|volts)$", key)
            assert unit or key in {"season", "resets", "subintervals", "words", "overflows", "count", "pulses"}, key


@pytest.mark.parametrize("edge", [2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**64 + 1, 10**30])
def test_large_registers_travel_exactly(edge: int) -> None:
    """As integers below 2^63, as text of the same digits from there on; floats would have lost them at the first."""
    past: list[Step] = [("flow", (1, 0, edge, 0, 0, 0)), ("flow", (1, 1, edge, edge, 0, 0))]
    reading = lived(program("block"), past)[0].meter.reading()
    exact = exact_reading(reading)
    assert exact.registers.energy.q1.nwh == (edge if edge < 2**63 else str(edge))
    for decoded in (
        msgspec.json.decode(msgspec.json.encode(exact), type=ExactReading),
        msgspec.msgpack.decode(msgspec.msgpack.encode(exact), type=ExactReading),
    ):
        assert reading_of(decoded).registers.energy[0] == edge
        assert reading_of(decoded) == reading


# --- the real thing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["block", "industrial"])
def test_a_meter_that_meters(tmp_path: Path, kind: str) -> None:
    """Four seconds of the simulated rig, real records through the real service, kept in a store."""
    programmed = program(kind)
    hardware = open_hardware(Config(), programmed.metering.current_class, paced=False)
    service = Service(hardware, Config(), programmed, Store.open(tmp_path / "store"))
    accumulator = RunAccumulator(service)
    service.begin()
    for result in service.run(hardware.clock.now_ns() + 4 * 10**9):
        accumulator.add(result)
    face = service.face
    service.finish()
    summary = accumulator.summary()
    hardware.close()

    amounts = raw(service.meter.state.billing)
    delivered = register(amounts, "kwh_delivered")
    assert delivered > 10**8
    shown = of_json(msgspec.json.encode(summary))
    assert exact_register(shown["exact"]["registers"]["energy"], "kwh_delivered") == delivered
    assert shown["energy_wh"]["delivered"] == float(Fraction(delivered, 10**9))
    assert on_display(service.meter, kind, "kWh delivered", 9, 8) == dial(delivered, 9, 8)
    assert f"{long_division(Fraction(delivered, 10**12), 6)} kWh delivered" in printed(report(summary))
    assert shown["exact"]["service"]["text"] == shown["service"]

    message = Reading(summary, accumulator.recent(), face)
    sent: FrameReader[Reading] = FrameReader(Reading)
    sent.feed(frame(message))
    assert sent.take() == message
    assert reading_json(message)["exact"] == msgspec.to_builtins(summary.exact)
    kept = of_json(shown_by_store(tmp_path / "store", as_json=True).encode())
    assert kept["exact"]["registers"] == shown["exact"]["registers"]
    assert kept["exact"]["outputs"] == shown["exact"]["outputs"]
    for output in kept["exact"]["outputs"]:
        left = Fraction(output["carried_nwh"])
        assert 0 <= left < Fraction(output["constant_wh"]) * 10**9
        if output["name"] != "test_led":
            flowed = register(amounts, output["quantity"].lower().replace(" ", "_"))
            assert output["pulses"] * Fraction(output["constant_wh"]) * 10**9 + left == flowed
