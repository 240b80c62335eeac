"""An exact reading of another program: what is wrong in it is said in one sentence, never taken for something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from rig.results.exact import ExactReading
from rig.results.exact_decoding import ReadingError, reading_of
from rig.results.exact_encoding import exact_reading
from tests.rig.phasor_readings import lagging, readings
from tests.rig.reading.read_meters import lived, program

S = 10**9


def sound() -> dict[str, Any]:
    """In test mode, with a service and everything else that is not always there."""
    past = [("flow", (900, 0, 10**13, 10**12, 0, 10**13)), ("idle", (8 * 3600,)), ("test", ()), ("pulses", (1, 7))]
    kept, _ = lived(program("block"), past)
    for second in range(20):
        volts = [lagging(120, 120 * k) for k in range(3)]
        kept.meter.installation.advance(readings(volts), second * S, kept.now_ns)
    found: dict[str, Any] = json.loads(msgspec.json.encode(exact_reading(kept.meter.reading())))
    assert None not in [found[key] for key in ("test_mode", "recorder", "closed_season", "service")]
    return found


def test_a_sound_one_reads() -> None:
    assert reading_of(msgspec.convert(sound(), ExactReading)).inputs == (0, 7)


Change = Callable[[dict[str, Any]], Any]

UGLY: dict[str, Change] = {
    "a rate that is none": lambda x: x.update(rate="E"),
    "rates with a gap": lambda x: x["registers"]["energy_rates"].pop("B"),
    "a rate too many": lambda x: x["registers"]["energy_rates"].update(E=x["registers"]["energy"]),
    "demand of a rate too many": lambda x: x["registers"]["demand"][0]["rates"].update(
        E=x["registers"]["demand"][0]["total"]
    ),
    "demand of no rates": lambda x: x["registers"]["demand"][0].update(rates={}),
    "demand of fewer rates": lambda x: x["registers"]["demand"][0]["rates"].pop("D"),
    "demand of another thing": lambda x: x["registers"]["demand"][1].update(quantity="kW of cheese"),
    "demand twice": lambda x: x["registers"]["demand"].append(x["registers"]["demand"][0]),
    "no demand, but averaging": lambda x: x["registers"].update(demand=[]),
    "an averaging that is none": lambda x: x["averaging"].update(method="mean"),
    "seven minutes": lambda x: x["averaging"].update(subinterval_s=420),
    "words for an integer": lambda x: x["registers"]["energy"]["q1"].update(nwh="many"),
    "an integer with spaces": lambda x: x["registers"]["energy"]["q1"].update(nwh=" 12"),
    "an integer with underscores": lambda x: x["registers"]["energy"]["q1"].update(nwh="1_000"),
    "digits of another script": lambda x: x["registers"]["energy"]["q1"].update(nwh="١٢"),
    "a fraction for an integer": lambda x: x["test_mode"].update(ends_utc_ns="1/2"),
    "a constant over nothing": lambda x: x["outputs"][0].update(constant_wh="1/0"),
    "a constant that is none": lambda x: x["outputs"][0].update(constant_wh=""),
    "a quantity that is none": lambda x: x["outputs"][0].update(quantity="kWh"),
    "a part of the recorder's unit": lambda x: x["recorder"]["channels"][0].update(carried_pulses="1/999999999999989"),
    "a recorder without channels": lambda x: x["recorder"].update(channels=[]),
    "a metric that is none": lambda x: x["recorder"]["channels"][0].update(metric="sunshine"),
    "a cause that is none": lambda x: x["closed_season"].update(cause="boredom"),
    "a service that is none": lambda x: x["service"].update(type="5-wire"),
    "a rotation that is none": lambda x: x["service"].update(rotation="ACB"),
    "a diagnostic that is none": lambda x: x["diagnostics"][0].update(diagnostic="phase d out"),
    "a fault that is none": lambda x: x.update(faults=["sabotage"]),
}


@pytest.mark.parametrize("what", UGLY)
def test_what_is_wrong_is_said(what: str) -> None:
    found = sound()
    UGLY[what](found)
    with pytest.raises(ReadingError, match=r"what came is not a meter's reading \(.+\): use the version that gave it"):
        reading_of(msgspec.convert(found, ExactReading))


MISTYPED: dict[str, Change] = {
    "a float": lambda x: x["registers"]["energy"]["q1"].update(nwh=1.5),
    "a truth for an integer": lambda x: x.update(utc_ns=True),
    "nothing for registers": lambda x: x["test_mode"].update(registers=None),
    "a key that is missing": lambda x: x["registers"]["energy"].pop("q3"),
}


@pytest.mark.parametrize("what", MISTYPED)
def test_what_has_another_type_is_refused(what: str) -> None:
    found = sound()
    MISTYPED[what](found)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(found, ExactReading)


def test_text_of_a_small_integer_is_one() -> None:
    """Another program may give every integer as text."""
    found = sound()
    delivered = found["registers"]["energy"]["q1"]["nwh"]
    found["registers"]["energy"]["q1"]["nwh"] = str(delivered)
    assert reading_of(msgspec.convert(found, ExactReading)).registers.energy[0] == delivered


def test_rationals_are_exact_text() -> None:
    found = sound()
    outputs = {output["name"]: output for output in found["outputs"]}
    assert outputs["kyz2"]["constant_wh"] == "1/3"
    assert Fraction(outputs["kyz1"]["constant_wh"]) == Fraction(7, 10)
    assert found["recorder"]["channels"][0]["pulse"] == "3/7"


def test_what_an_output_carries_is_exact() -> None:
    """Of a constant of 1/3 Wh the energy since the last pulse is in thirds of a nWh."""
    kept, _ = lived(program("block"), [])
    reading = kept.meter.reading()
    carried = tuple(replace(output, carried_nwh=Fraction(10, 3)) for output in reading.outputs)
    found = exact_reading(replace(reading, outputs=carried))
    assert {output.carried_nwh for output in found.outputs} == {"10/3"}
    assert reading_of(found).outputs == carried
