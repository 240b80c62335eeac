"""The reader of an output's contacts: which of them is closed (P-2 to P-4)."""

from __future__ import annotations

from drivers.gpio import Position
from rig.bench.errors import WrongArgument
from rig.bench.expectation import ExpectationResult, await_state, watch_state
from rig.bench.rig import Rig
from rig.bench.states import ContactState


class RelayInstrument:
    """The contacts of one output, by its name: "KYZ1". Raises WrongArgument for one that the program has not got, and
    for a position that is none."""

    def __init__(self, rig: Rig, name: str) -> None:
        if name not in rig.contacts:
            raise WrongArgument(
                f"{name!r} is not an output of this program: there are {', '.join(rig.contacts) or 'none'}"
            )
        self._rig, self.name = rig, name

    @property
    def closed(self) -> str:
        """Contact that is closed: "K-Y", "K-Z", or "open" for none."""
        return self._rig.contacts[self.name].last.state.position.value

    def await_closed(self, closed: str, within_s: float | None) -> ExpectationResult[ContactState]:
        """Run the rig until this contact is closed, at most until so many seconds after the last action; None: look
        now."""
        expected = self._state(closed)
        history = self._rig.contacts[self.name]
        return await_state(self._rig, history, lambda state: state == expected, within_s, expected.text)

    def watch_closed(self, closed: str, for_s: float) -> ExpectationResult[ContactState]:
        """Run the rig for so long, and see whether this contact is closed all the time."""
        expected = self._state(closed)
        history = self._rig.contacts[self.name]
        return watch_state(self._rig, history, lambda state: state == expected, for_s, expected.text)

    def _state(self, closed: str) -> ContactState:
        try:
            return ContactState(self.name, Position(closed))
        except ValueError:
            known = ", ".join(position.value for position in Position)
            raise WrongArgument(f"{closed!r} is not a position of a form-C output: there are {known}") from None
