"""The models of the notice as sets of what they can do (M-1, D-5, X-1).

All measure active energy both ways. AX models know demand and time of use, RX models reactive energy as well, and an
inner R is a recorder; AXLS4 has energy alone. The "e" at the end is the S4e.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rig.errors import RigError


class ModelError(RigError):
    """An unknown model, or something it cannot do: one sentence with the models that can."""


class ModelCapability(Enum):
    """Something that not every model can do, by its name in sentences."""

    DEMAND = "demand"
    TIME_OF_USE = "time of use"
    REACTIVE = "reactive energy"
    RECORDER = "load-profile recorder"
    C12_19 = "ANSI C12.18 and C12.19"
    TEST_MODE_BY_COMMUNICATION = "test mode by communication"
    AUTOTRANSFORMER = "autotransformer"


@dataclass(frozen=True)
class MeterModel:
    """One model: its name as on the nameplate, and what it can do beyond active energy."""

    name: str
    capabilities: frozenset[ModelCapability]

    @property
    def family(self) -> str:
        """S4 or S4e."""
        return "S4e" if self.name.endswith("e") else "S4"

    @property
    def quadrants(self) -> int:
        """4 where reactive energy is measured, else 2: delivered and received."""
        return 4 if ModelCapability.REACTIVE in self.capabilities else 2

    def lacks(self, *wanted: ModelCapability) -> tuple[ModelCapability, ...]:
        """Those of `wanted` that it cannot do."""
        return tuple(w for w in wanted if w not in self.capabilities)

    def require(self, wanted: ModelCapability, by: str) -> None:
        """Raises ModelError where the model lacks what `by` (a key of a program, a command) asks for."""
        if self.lacks(wanted):
            able = [m.name for m in MODELS.values() if not m.lacks(wanted)]
            raise ModelError(f"{by} asks for {wanted.value}, which model {self.name} has not: choose {_or(able)}")


_S4E = frozenset({ModelCapability.C12_19, ModelCapability.TEST_MODE_BY_COMMUNICATION, ModelCapability.AUTOTRANSFORMER})
_AX = frozenset({ModelCapability.DEMAND, ModelCapability.TIME_OF_USE})
_RX = _AX | {ModelCapability.REACTIVE}
_BY_NAME = {
    "AXLS4": frozenset[ModelCapability](),
    "AXS4": _AX,
    "AXRS4": _AX | {ModelCapability.RECORDER},
    "RXS4": _RX,
    "RXRS4": _RX | {ModelCapability.RECORDER},
}

MODELS: dict[str, MeterModel] = {
    model.name: model
    for name, capabilities in _BY_NAME.items()
    for model in (MeterModel(name, capabilities), MeterModel(name + "e", capabilities | _S4E))
}
"""The ten models of the notice."""


def model_named(text: str) -> MeterModel:
    """A model by its name, upper or lower case, such as "RXRS4e". Raises ModelError."""
    for name, model in MODELS.items():
        if name.upper() == text.upper():
            return model
    raise ModelError(f'model "{text}" is not known: choose {_or(list(MODELS))}')


def _or(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
