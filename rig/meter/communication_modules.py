"""Communication modules that each model has been approved with, and models with an autotransformer (X-4, M-2).

    module               models         the notice
    TWACS CMT-SE         S4e            "approved using the … CMT-SX and CMT-SE"
    TWACS CMT-SX         S4 and S4e     the same; Rev. 3 "approved with the S4 meter"
    STAR MTU             S4e
    SSMM                 S4e
    UtiliNet             S4e
    TS1                  S4e
    iModule              AXS4e          "The AXS4e meter is approved with a StatSignal iModule"
    TS2                  S4e            with the autotransformer, 347 to 600 V, too
    TS2 MU               S4e            with the autotransformer, 347 to 600 V, too
    Gridstream RF Mesh   S4e
    METRUM               S4e

Each is a row of rig/meter/access/modules.py, which has what it may read and ask of the meter.
"""

from __future__ import annotations

from rig.errors import RigError
from rig.meter.access.modules import MODULE_GRANTS
from rig.meter.models import MODELS, MeterModel

MODULE_MODELS: dict[str, frozenset[str]] = {
    module: frozenset(name for name, model in MODELS.items() if {name, model.family} & set(grant.models))
    for module, grant in MODULE_GRANTS.items()
}
"""The models approved with each module, by the module's name in the notice."""

AUTOTRANSFORMER_MODULES = frozenset(module for module, grant in MODULE_GRANTS.items() if grant.autotransformer)
"""Modules that the notice shows with the autotransformer, which keeps their input voltage in its limits."""


class ModuleError(RigError):
    """A module that is not known, or that a model has not been approved with: one sentence with those that are."""


def modules_of(model: MeterModel) -> tuple[str, ...]:
    """The modules that a model has been approved with."""
    return tuple(module for module, models in MODULE_MODELS.items() if model.name in models)


def check_module(model: MeterModel, module: str) -> None:
    """Raises ModuleError where the model has not been approved with the module."""
    if module not in MODULE_MODELS:
        raise ModuleError(f"module {module!r} is not known: choose {_or(list(MODULE_MODELS))}")
    if module not in modules_of(model):
        models = [name for name in MODELS if name in MODULE_MODELS[module]]
        raise ModuleError(
            f"module {module!r} is approved with {_or(models)}, not with {model.name}, which takes "
            f"{_or(list(modules_of(model)))}"
        )


def _or(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
