"""Identity of a pulse input of the meter, one for program, service, bench and stores (P-5).

It stands beside what counts the pulses, below the contacts, so that billing can use it too.
"""

from __future__ import annotations

from enum import Enum


class InputId(Enum):
    """A form-A pulse input.

    The value is its name in recordings of switches and in the keys of rig.toml; `label` the one that programs and
    people use; `place`, from 0, where its count stands among those of all inputs.
    """

    IN1 = "input1"
    IN2 = "input2"

    @property
    def label(self) -> str:
        """IN1 or IN2."""
        return self.name

    @property
    def place(self) -> int:
        """0 or 1."""
        return (InputId.IN1, InputId.IN2).index(self)
