"""Registers by C12.19 against JSON's and the display's, in every digit (X-1, Q-2 to Q-5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from rig.communication.c1219.types import Real, TableError
from rig.meter.display.items import DisplayItem, EnergyItem
from rig.meter.display.readout import Readout
from rig.program import schema
from rig.program.build import Program, load_program
from rig.program.display_items import items
from rig.program.displayed_nameplate import displayed_nameplate
from rig.results.exact import ExactEnergy, ExactReading, ExactRegisters
from rig.results.exact_encoding import exact_reading
from tests.rig.communication import table_decoder as witness
from tests.rig.communication.table_bench import MeterTables
from tests.rig.kept_meter import KeptMeter
from tests.rig.reading.read_meters import KINDS, lived, long_division, pasts, program

EXAMPLES = sorted((Path(schema.__file__).parent / "examples").glob("*.toml"))

QUADRANTS: dict[str, tuple[str, dict[int, int]]] = {
    "kWh delivered": ("nwh", {1: 1, 4: 1}),
    "kWh received": ("nwh", {2: 1, 3: 1}),
    "kWh net": ("nwh", {1: 1, 4: 1, 2: -1, 3: -1}),
    "kWh either way": ("nwh", {1: 1, 2: 1, 3: 1, 4: 1}),
    "kvarh lagging": ("nvarh", {1: 1, 3: 1}),
    "kvarh leading": ("nvarh", {2: 1, 4: 1}),
    "kvarh net": ("nvarh", {1: 1, 3: 1, 2: -1, 4: -1}),
    "kvarh net by direction": ("nvarh", {1: 1, 2: 1, 3: -1, 4: -1}),
    "kVAh rms": ("nvah_rms", {1: 1, 2: 1, 3: 1, 4: 1}),
    "kVAh td": ("nvah_td", {1: 1, 2: 1, 3: 1, 4: 1}),
    "kVAh td lagging": ("nvah_td", {1: 1, 3: 1}),
    "kVAh td leading": ("nvah_td", {2: 1, 4: 1}),
    **{f"kWh Q{q}": ("nwh", {q: 1}) for q in (1, 2, 3, 4)},
    **{f"kvarh Q{q}": ("nvarh", {q: 1}) for q in (1, 2, 3, 4)},
    **{f"kVAh rms Q{q}": ("nvah_rms", {q: 1}) for q in (1, 2, 3, 4)},
    **{f"kVAh td Q{q}": ("nvah_td", {q: 1}) for q in (1, 2, 3, 4)},
}
"""The energies in the order of their sources, from JSON's quadrants: written from docs/metering.md."""

UNITS = {"nwh": 0, "nvarh": 1, "nvah_rms": 2, "nvah_td": 3}


def names_of(programmed: Program) -> list[str]:
    active = ["kWh delivered", "kWh received", "kWh net", "kWh either way"]
    return list(QUADRANTS) if programmed.file.meter.model.startswith("RX") else active


def nano(energy: ExactEnergy, name: str) -> int:
    kind, weights = QUADRANTS[name]
    return sum(w * int(getattr(getattr(energy, f"q{q}"), kind)) for q, w in weights.items())


def exactly(nano_units: int) -> Decimal:
    """Kilo-units of nano-units as decimal text, in twelve places, cut where 21 characters end."""
    text = long_division(Fraction(abs(nano_units), 10**12), 12)
    room = 21 - (nano_units < 0)
    text = text if len(text) <= room else text[:room]
    return Decimal(("-" if nano_units < 0 else "") + text)


class Decoded:
    """The tables of a meter, decoded by the witness."""

    def __init__(self, tables: MeterTables) -> None:
        self.ni = witness.st0(tables.data(0)).ni
        self.dims = witness.st21(tables.data(21))
        self.units = witness.st12(tables.data(12))
        self.now = witness.st23(tables.data(23), self.ni, self.dims)
        self.season = witness.st24(tables.data(24), self.ni, self.dims)


def agree(found: dict[str, Any], exact: ExactRegisters, names: list[str], zone: Any) -> None:
    blocks = [found["total"], *found["tiers"]]
    energies = [exact.energy, *exact.energy_rates.values()]
    assert [list(block["summations"]) for block in blocks] == [
        [exactly(nano(energy, name)) for name in names] for energy in energies
    ]
    for place, block in enumerate(blocks):
        bins = [[demand.total, *demand.rates.values()][place] for demand in exact.demand]
        assert [d["cumulative"] for d in block["demands"]] == [exactly(int(bin.cumulative_nw)) for bin in bins]
        assert [d["continuous"] for d in block["demands"]] == [
            exactly(int(bin.continuous_cumulative_nw)) for bin in bins
        ]
        assert [d["maxima"][0] for d in block["demands"]] == [exactly(int(bin.maximum.value_nw)) for bin in bins]
        assert [d["at"][0] for d in block["demands"]] == [local(bin.maximum.at_utc_ns, zone) for bin in bins]
        assert [c[0] for c in block["coincidents"]] == [
            exactly(int(c)) for bin in bins for c in bin.maximum.coincident_nw
        ]


def local(utc_ns: int | str | None, zone: Any) -> tuple[int, ...] | None:
    if utc_ns is None:
        return None
    at = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(utc_ns) // 10**9)).astimezone(zone)
    return at.year, at.month, at.day, at.hour, at.minute


def agrees(kept: KeptMeter) -> ExactReading:
    exact = exact_reading(kept.meter.reading())
    decoded = Decoded(MeterTables(kept))
    names, zone = names_of(kept.program), kept.program.billing.calendar.zone
    agree(decoded.now, exact.registers, names, zone)
    demands = len(exact.registers.demand)
    assert decoded.now["resets"] == (int(exact.resets) % 256 if demands else None)
    for name, unit in zip(names, decoded.units[demands:], strict=False):
        kind, weights = QUADRANTS[name]
        assert (unit["id"], unit["quadrants"], unit["power"]) == (UNITS[kind], set(weights), 3)
        assert unit["net"] == (-1 in weights.values())
    if exact.closed_season is not None:
        agree(decoded.season, exact.closed_season.registers, names, zone)
        assert decoded.season["season"] == exact.closed_season.season
        assert decoded.season["end"] == local(exact.closed_season.utc_ns, zone)
    else:
        assert decoded.season["end"] is None
        assert set(decoded.season["total"]["summations"]) == {Decimal(0)}
    return exact


@pytest.mark.parametrize("kind", KINDS)
@given(past=pasts)
@settings(max_examples=12)
def test_registers_equal_json_whatever_happened(kind: str, past: list[Any]) -> None:
    kept, _ = lived(program(kind), past)
    agrees(kept)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_programs(path: Path) -> None:
    energies = [("flow", (1800, q, 7 * 10**13 + q, 3 * 10**12 + 1, 8 * 10**13, 9 * 10**13)) for q in range(4)]
    kept, _ = lived(load_program(path), [*energies, ("reset", ()), *energies, ("idle", (5000,))])
    exact = agrees(kept)
    assert int(exact.registers.energy.q1.nwh) > 10**14


def test_a_season_that_closed_is_in_st24() -> None:
    energies = [("flow", (3600, 0, 10**13 + 7, 10**12, 10**13, 10**13))] * 9
    exact = agrees(lived(program("block"), energies)[0])
    assert exact.closed_season is not None


def test_present_demand_is_jsons() -> None:
    kept, _ = lived(program("sliding"), [("flow", (1000, 0, 10**12, 10**11, 10**12, 10**12))])
    exact = exact_reading(kept.meter.reading())
    tables = MeterTables(kept)
    read = witness.Reader(tables.data(28), (13, 13))
    left_s = (int(exact.interval_ends_utc_ns or 0) - int(exact.utc_ns)) // 10**9
    for demand in exact.registers.demand:
        hours, minutes, seconds = read.raw(3)
        assert 3600 * hours + 60 * minutes + seconds == left_s
        assert read.number(2) == exactly(int(demand.total.present_nw))
    assert [read.number(1) for _ in exact.registers.demand] == [
        exactly(int(demand.total.previous_nw)) for demand in exact.registers.demand
    ]
    read.end()
    assert left_s == 5 * 60 - 1000 % 300


def test_a_meter_without_demand_says_nothing_of_it() -> None:
    """Neither a count of resets, nor cumulative demand, nor the rest of an interval: ST21, and ST23 by it."""
    kept, _ = lived(program("no demand"), [])
    tables = MeterTables(kept)
    functions, dims = tables.data(21)[0], tables.data(21)[2:]
    assert functions == 0b11, "seasons and times of what closed"
    summations, demands, _, _, tiers, present, values = dims[1:]
    assert (demands, present, values) == (0, 0, 0)
    assert len(tables.data(23)) == 21 * summations * (1 + tiers)
    assert len(tables.data(24)) == 5 + 1 + 21 * summations * (1 + tiers)


def test_constants_are_the_ratios() -> None:
    kept, _ = lived(program("industrial"), [])
    tables = MeterTables(kept)
    sources = tables.data(11)[7]
    constants = witness.st15(tables.data(15), (13, 13), sources)
    assert {(c["multiplier"], c["offset"], c["flags"]) for c in constants} == {(1, 0, 0)}
    ids = [unit["id"] for unit in witness.st12(tables.data(12))]
    assert {0, 1, 10, 14, 34} <= set(ids)
    for unit, constant in zip(ids, constants, strict=True):
        # What is before the transformers of 600:5 and 4200:120: power has both, V² and A² one of them twice, another
        # meter's pulses none.
        before = {10: (1, 35 * 35), 14: (120 * 120, 1), 34: (1, 1)}.get(unit, (120, 35))
        assert (constant["f"], constant["p"]) == before, f"unit {unit}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "00000000.000000000000"),
        (Fraction(-1, 10**12), "-0000000.000000000001"),
        (Fraction(10**20 - 1, 10**12), "99999999.999999999999"),
        (Fraction(10**20 + 1, 10**12), "100000000.00000000000"),
        (Fraction(-(10**19), 10**12), "-10000000.00000000000"),
        (Fraction(2, 3), "00000000.666666666666"),
        (Fraction(10**19), "10000000000000000000."),
    ],
)
def test_numbers_are_21_characters(value: Fraction, text: str) -> None:
    data = Real("NI_FORMAT1").encode(value)
    assert (data.decode(), len(data)) == (text, 21)


def test_a_number_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 21"):
        Real("NI_FORMAT1").encode(10**20)


@pytest.mark.parametrize(
    "data", [b" " * 21, b"-".ljust(21), b"1E".ljust(21), b"nan".ljust(21), b"0x10".ljust(21), b"\xff" * 21]
)
def test_what_is_no_number_is_refused(data: bytes) -> None:
    with pytest.raises(TableError, match="no number"):
        Real("NI_FORMAT1").decode(data)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_display_shows_the_same_digits(path: Path) -> None:
    """With as many digits and decimals as a display has: those of the table, the others not shown."""
    made = load_program(path)
    flows = [("flow", (900, q, 10**14 + 7**q, 10**13 + q, 2 * 10**14, 3 * 10**14)) for q in range(4)]
    kept, _ = lived(made, [*flows, ("reset", ()), *flows])
    tables = MeterTables(kept)
    decoded = Decoded(tables)
    readout, meter = Readout(displayed_nameplate(made)), kept.meter
    names = names_of(made)

    def shown(name: str) -> str:
        found = items(made.metering.names)[name]
        return readout.show(DisplayItem(name, found, 9, 4), meter.reading(), meter.instant).text

    def dial(value: Decimal) -> str:
        """Nine digits, four of them behind the point; a sign takes the place of one."""
        whole, _, decimals = f"{abs(value):f}".partition(".")
        digits = (whole.rjust(9, "0") + decimals[:4])[-9 + (value < 0) :]
        return ("-" if value < 0 and digits.strip("0") else "") + digits[:-4] + "." + digits[-4:]

    checked = 0
    for place, name in enumerate(names):
        found = items(made.metering.names).get(name)
        if not isinstance(found, EnergyItem) or found.quantity.value != name:
            continue  # VA-hours by quadrant are on no display; "kvarh net" there is as the program has it
        for rate, block in zip(
            ("", " A", " B", " C", " D"), [decoded.now["total"], *decoded.now["tiers"]], strict=True
        ):
            assert shown(name + rate) == dial(block["summations"][place]), name + rate
            checked += 1
    for place, quantity in enumerate(made.billing.demand.quantities if made.billing.demand else ()):
        demand = decoded.now["total"]["demands"][place]
        assert shown(f"{quantity.demand_name} max") == dial(demand["maxima"][0])
        assert shown(f"{quantity.demand_name} cumulative") == dial(demand["cumulative"])
        checked += 2
    assert checked > 10


@pytest.mark.parametrize("kind", KINDS)
@given(past=pasts)
@settings(max_examples=8)
def test_what_no_standard_table_has_equals_json_too(kind: str, past: list[Any]) -> None:
    kept, _ = lived(program(kind), past)
    exact = exact_reading(kept.meter.reading())
    tables = MeterTables(kept)
    found = witness.mt3(tables.data(2048 + 3), (13, 13), witness.st21(tables.data(21)))
    zone = kept.program.billing.calendar.zone
    bins = [[demand.total, *demand.rates.values()] for demand in exact.registers.demand]
    assert found["demands"] == [
        [(exactly(int(bin.present_nw)), exactly(int(bin.previous_nw))) for bin in row] for row in bins
    ]
    assert found["peaks"] == [
        (local(peak.at_utc_ns, zone), exactly(int(peak.value_nw)), [exactly(int(c)) for c in peak.coincident_nw])
        for peak in exact.registers.peaks
    ]
    assert found["inputs"] == [int(pulses) for pulses in exact.input_pulses]
    assert [(quantity, pulses) for _, quantity, _, pulses, _ in found["outputs"]] == [
        (output.quantity, int(output.pulses)) for output in exact.outputs
    ]
    for (name, _, constant, _, carried), output in zip(found["outputs"], exact.outputs, strict=True):
        assert name.lower() in (output.name, "led")
        assert constant == Decimal(long_division(Fraction(output.constant_wh), 12))
        assert carried == Decimal(long_division(Fraction(output.carried_nwh) / 10**9, 12))
    if exact.test_mode is None:
        assert found["test"] is None
    else:
        names, registers = names_of(kept.program), exact.test_mode.registers
        assert found["test"]["summations"] == [exactly(nano(registers.energy, name)) for name in names]
        assert [d["maxima"][0] for d in found["test"]["demands"]] == [
            exactly(int(demand.total.maximum.value_nw)) for demand in registers.demand
        ]
