"""Markings of a meter beside its nameplate, from what it is programmed for (M-5, M-6).

The notice shows two labels of the relay board, on the left-hand side of the meter as viewed from the front:

    KYZ - OUTPUTS
    1-Kp ____ FUNCTION ____  …  4-Kp ____ FUNCTION ____
    EXTERNAL INPUTS
    #1 FUNCTION ____ PPUT ____ VOLTAGE ____  …  #2

A meter without the board has neither, so that whether it is fitted can be seen. On the front stand what kind of meter
it is, AUTO SERVICE DETECT where it finds its service itself, and "2 Element Network Meter" as on the plate of form 12S;
on the right-hand side the version of the firmware. The notice does not say what PPUT is: here pulses per unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rig.meter.billing.inputs import InputId
from rig.meter.contacts.functions import Input, Output, PulsesOutput, RecordedInput, number_text
from rig.meter.contacts.outputs import KYZ_OUTPUTS
from rig.meter.measuring.elements import ElementEquation, Form

KIND = "SOLID STATE ELECTRICITY METER"
AUTO_SERVICE_DETECT = "AUTO SERVICE DETECT"
TWO_ELEMENT_NETWORK = "2 Element Network Meter"


@dataclass(frozen=True)
class OutputMarking:
    """A line of KYZ - OUTPUTS: `number` 1 to 4; Kp in Wh (varh, VAh), "" of what does not pulse; "" for no function."""

    number: int
    kp: str = ""
    function: str = ""


@dataclass(frozen=True)
class InputMarking:
    """A line of EXTERNAL INPUTS: `number` 1 or 2, function, pulses per unit, volts of its circuit; "": none."""

    number: int
    function: str = ""
    pput: str = ""
    voltage: str = ""


@dataclass(frozen=True)
class RelayBoardMarking:
    """The label of the relay board: four outputs, two inputs."""

    outputs: tuple[OutputMarking, ...]
    inputs: tuple[InputMarking, ...]

    def lines(self) -> tuple[str, ...]:
        """As it is printed."""
        kyz = (f"{o.number}-Kp {o.kp or '-'} {o.function or '-'}" for o in self.outputs)
        external = (
            f"#{i.number} {i.function} PPUT {i.pput or '-'} {i.voltage}" if i.function else f"#{i.number} -"
            for i in self.inputs
        )
        return ("KYZ - OUTPUTS", *kyz, "EXTERNAL INPUTS", *external)


@dataclass(frozen=True)
class Markings:
    """All of it: words on the front; the relay board's label, None without the board; the firmware's version, None
    where none is emulated."""

    front: tuple[str, ...] = ()
    relay_board: RelayBoardMarking | None = None
    firmware: str | None = None

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Label and text of every line, as a person reads them."""
        rows = [("Front", words) for words in self.front]
        if self.relay_board is None:
            rows.append(("Relay board", "none"))
        else:
            rows += [("Left-hand side", line) for line in self.relay_board.lines()]
        if self.firmware is not None:
            rows.append(("Right-hand side", f"FIRMWARE {self.firmware}"))
        return tuple(rows)


UNMARKED = Markings()


def front_markings(form: Form, equation: ElementEquation, *, detected: bool) -> tuple[str, ...]:
    """Words on the front of a form on a service: the programmed one, or where it is `detected` the form's usual one."""
    network = form.elements == 2 and equation.service == "3-wire network"
    return (
        KIND,
        *([TWO_ELEMENT_NETWORK] if network else []),
        *([AUTO_SERVICE_DETECT] if detected else []),
    )


def relay_board_marking(outputs: Sequence[Output], inputs: Sequence[Input]) -> RelayBoardMarking:
    """The label of a board with these functions."""
    by_output, by_input = {o.id: o for o in outputs}, {i.id: i for i in inputs}
    return RelayBoardMarking(
        tuple(_output(number, by_output.get(id)) for number, id in enumerate(KYZ_OUTPUTS, 1)),
        tuple(_input(number, by_input.get(id)) for number, id in enumerate(InputId, 1)),
    )


def _output(number: int, output: Output | None) -> OutputMarking:
    match output:
        case None:
            return OutputMarking(number)
        case PulsesOutput():
            return OutputMarking(number, number_text(output.kp_wh), output.marking)
        case _:
            return OutputMarking(number, "", output.marking)


def _input(number: int, found: Input | None) -> InputMarking:
    if found is None:
        return InputMarking(number)
    per_unit = number_text(Fraction(1) / found.weight) if isinstance(found, RecordedInput) else ""
    return InputMarking(number, found.marking, per_unit, f"{number_text(found.volts)} V")
