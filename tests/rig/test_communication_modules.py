"""Modules by model, and the autotransformer: the table of the docstring, and the notice's words (D-8, X-4, M-2)."""

from __future__ import annotations

import pytest

from rig.meter import communication_modules
from rig.meter.access.modules import MODULE_GRANTS
from rig.meter.communication_modules import (
    AUTOTRANSFORMER_MODULES,
    MODULE_MODELS,
    ModuleError,
    check_module,
    modules_of,
)
from rig.meter.models import MODELS
from rig.program.check import notes
from tests.rig.display.shown_meters import program

S4E = {"AXLS4e", "AXS4e", "AXRS4e", "RXS4e", "RXRS4e"}
NAMED = {"S4e": S4E, "S4 and S4e": S4E | {name[:-1] for name in S4E}, "AXS4e": {"AXS4e"}}


def rows() -> list[list[str]]:
    assert communication_modules.__doc__ is not None
    lines = communication_modules.__doc__.split("the notice\n")[1].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]


def test_d8_the_table() -> None:
    assert {module: NAMED[models] for module, models, *_ in rows()} == MODULE_MODELS
    assert MODULE_MODELS.keys() == MODULE_GRANTS.keys()
    assert {module for module, _, *words in rows() if "autotransformer" in "".join(words)} == AUTOTRANSFORMER_MODULES


def test_d8_as_the_notice_has_it() -> None:
    """ "The AXS4e meter is approved with a StatSignal iModule"; Rev. 3: "CMT-SX being approved with the S4 meter"."""
    assert [name for name in MODELS if "iModule" in modules_of(MODELS[name])] == ["AXS4e"]
    assert modules_of(MODELS["AXS4"]) == modules_of(MODELS["RXRS4"]) == ("TWACS CMT-SX",)
    assert set(MODULE_MODELS) - set(modules_of(MODELS["RXRS4e"])) == {"iModule"}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("module", MODULE_MODELS)
def test_d8_a_model_takes_what_it_was_approved_with(model: str, module: str) -> None:
    if model in NAMED[dict(row[:2] for row in rows())[module]]:
        assert program(f'[meter]\nmodel = "{model}"\nmodule = "{module}"').metering.module == module
    else:
        with pytest.raises(ModuleError, match=f"not with {model}, which takes"):
            check_module(MODELS[model], module)


@pytest.mark.parametrize(("module", "told"), [(None, True), ("TS1", True), ("TS2", False), ("TS2 MU", False)])
def test_d8_the_autotransformer_is_shown_with_ts2(module: str | None, told: bool) -> None:
    """ "To keep the input voltage of the TS2 module in its limits", 347 to 600 V."""
    fitted = "" if module is None else f'module = "{module}"\n'
    made = program(f'[meter]\n{fitted}autotransformer = "600/480"')
    assert made.nameplate.volts == "347-600 V"
    assert any("autotransformer with module TS2" in note for note in notes(made, 2026)) == told
