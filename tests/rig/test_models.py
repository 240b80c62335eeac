"""The ten models of the notice, and what each can do (M-1)."""

from __future__ import annotations

from itertools import product

import pytest

from rig.meter.models import MODELS, ModelCapability, ModelError, model_named

ENHANCED = {ModelCapability.C12_19, ModelCapability.TEST_MODE_BY_COMMUNICATION, ModelCapability.AUTOTRANSFORMER}

# M-1 row by row: demand and time of use, reactive energy, recorder.
TABLE = {
    "AXLS4": (False, False, False),
    "AXS4": (True, False, False),
    "AXRS4": (True, False, True),
    "RXS4": (True, True, False),
    "RXRS4": (True, True, True),
}


@pytest.mark.parametrize(("name", "e"), list(product(TABLE, ("", "e"))))
def test_what_a_model_can_do(name: str, e: str) -> None:
    demand, reactive, recorder = TABLE[name]
    model = model_named(name + e)
    can = {
        ModelCapability.DEMAND: demand,
        ModelCapability.TIME_OF_USE: demand,
        ModelCapability.REACTIVE: reactive,
        ModelCapability.RECORDER: recorder,
        **dict.fromkeys(ENHANCED, bool(e)),
    }
    assert can.keys() == set(ModelCapability)
    assert model.capabilities == {c for c, yes in can.items() if yes}
    assert set(model.lacks(*ModelCapability)) == {c for c, yes in can.items() if not yes}
    assert model.quadrants == (4 if reactive else 2)
    assert model.family == "S4" + e


def test_there_are_no_others() -> None:
    assert list(MODELS) == [name + e for name in TABLE for e in ("", "e")]


def test_models_are_found_in_either_case() -> None:
    assert model_named("rxrs4E") is MODELS["RXRS4e"]
    with pytest.raises(ModelError, match=r'^model "S4" is not known: choose AXLS4, AXLS4e, .*, RXRS4 or RXRS4e$'):
        model_named("S4")


def test_axls4_has_no_demand_to_ask_for() -> None:
    with pytest.raises(ModelError) as error:
        MODELS["AXLS4"].require(ModelCapability.DEMAND, "demand.method")
    assert str(error.value) == (
        "demand.method asks for demand, which model AXLS4 has not: "
        "choose AXS4, AXS4e, AXRS4, AXRS4e, RXS4, RXS4e, RXRS4 or RXRS4e"
    )
    MODELS["AXS4"].require(ModelCapability.DEMAND, "demand.method")
