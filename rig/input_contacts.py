"""The pulse inputs of a program in service: closures become commands to billing, at their instants (P-5, T-2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drivers.pulse_inputs import PulseInput
from rig.meter.billing.billing import Billing
from rig.meter.billing.commands import Action, Command
from rig.meter.contacts.functions import Input, RateInput, RecordedInput


def name_of(place: int) -> str:
    """"input1" for place 0."""
    return f"input{place + 1}"


class InputContacts:
    """What each programmed input does, on its contact, which `contact` opens by its place, 0 or 1.

    Raises GpioError for one that cannot be had, and then holds none.
    """

    def __init__(self, programmed: Sequence[Input], contact: Callable[[int], PulseInput]) -> None:
        self._inputs: list[tuple[Input, PulseInput]] = []
        try:
            for each in programmed:
                self._inputs.append((each, contact(each.place)))
        except BaseException:
            self.close()
            raise
        self._told = [0] * len(self._inputs)

    def begin(self, billing: Billing) -> list[Command]:
        """As they are found: a closed contact forces its rate, and one that was closed when power failed no more."""
        now_ns = billing.now_ns
        for programmed, contact in self._inputs:
            if isinstance(programmed, RateInput) and contact.closed:
                return [Command(now_ns, Action.FORCE_RATE, int(programmed.rate))]
        return [Command(now_ns, Action.RELEASE_RATE)] if billing.state.forced_rate is not None else []

    def poll(self, now_ns: int, utc_of: Callable[[int], int]) -> list[Command]:
        """What has come since the last call. `utc_of` gives the meter's time at an instant of the contacts' clock.

        Closures that were lost on the way and only counted are taken to have come now.
        """
        commands: list[Command] = []
        for k, (programmed, contact) in enumerate(self._inputs):
            settled = contact.poll(now_ns)
            if isinstance(programmed, RecordedInput):
                instants = [utc_of(change.at_ns) for change in settled if change.operated]
                lost = contact.closures - self._told[k] - len(instants)
                self._told[k] = contact.closures
                commands += [Command(utc_ns, Action.INPUT_PULSES, programmed.place) for utc_ns in instants]
                if lost > 0:
                    commands.append(Command(utc_of(now_ns), Action.INPUT_PULSES, programmed.place, lost))
            else:
                for change in settled:
                    action = Action.FORCE_RATE if change.operated else Action.RELEASE_RATE
                    commands.append(Command(utc_of(change.at_ns), action, int(programmed.rate)))
        return sorted(commands, key=lambda command: command.utc_ns)

    @property
    def closed(self) -> dict[str, bool]:
        """Whether each is closed, as counted, by its name as in rig.toml."""
        return {name_of(programmed.place): contact.closed for programmed, contact in self._inputs}

    @property
    def lost_edges(self) -> int:
        """Edges that the kernel could not keep."""
        return sum(contact.lost_edges for _, contact in self._inputs)

    def close(self) -> None:
        """Let the lines go."""
        for _, contact in self._inputs:
            contact.close()
