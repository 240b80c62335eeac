"""The pulse inputs of a program in service: closures become commands to billing, at their instants (P-5, T-2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drivers.pulse_inputs import PulseInput
from rig.meter.billing.billing import Billing
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.inputs import InputId
from rig.meter.billing.source import Source
from rig.meter.contacts.functions import Input, RateInput, RecordedInput


class InputContacts:
    """Functions of the programmed inputs, each on its contact, which `contact` opens.

    Those that `before`, the inputs of another program, has already go on. Raises GpioError for one that cannot be had,
    and then holds none of its own.
    """

    def __init__(
        self, programmed: Sequence[Input], contact: Callable[[InputId], PulseInput], before: InputContacts | None = None
    ) -> None:
        there = {} if before is None else {each.id: contact for each, contact in before._inputs}
        self._inputs: list[tuple[Input, PulseInput]] = []
        self._opened: list[PulseInput] = []
        try:
            for each in programmed:
                if each.id not in there:
                    self._opened.append(contact(each.id))
                self._inputs.append((each, there.get(each.id) or self._opened[-1]))
        except BaseException:
            self.abandon()
            raise
        self._told = [contact.closures for _, contact in self._inputs]
        self._forcing = [each for each, c in self._inputs if isinstance(each, RateInput) and c.closed]

    def begin(self, billing: Billing) -> list[Command]:
        """As they are found: a closed contact forces its rate, and one that was closed when power failed no more."""
        if self._forcing or billing.state.forced_rate is not None:
            return [self._rate_command(billing.now_ns)]
        return []

    def poll(self, now_ns: int, utc_of: Callable[[int], int]) -> list[Command]:
        """Return the commands since the last call. `utc_of` gives the meter's time at an instant of the contacts' own.

        Closures that were lost on the way and only counted are taken to have come now. Of two closed contacts that
        force rates, the one that closed last does; when it opens, the other one.
        """
        commands: list[Command] = []
        forcing: list[tuple[int, RateInput, bool]] = []
        for k, (programmed, contact) in enumerate(self._inputs):
            settled = contact.poll(now_ns)
            if isinstance(programmed, RecordedInput):
                instants = [utc_of(change.at_ns) for change in settled if change.operated]
                lost = contact.closures - self._told[k] - len(instants)
                self._told[k] = contact.closures
                counted = [(utc_ns, 1) for utc_ns in instants] + ([(utc_of(now_ns), lost)] if lost > 0 else [])
                place = programmed.id.place
                commands += [Command(ns, Action.INPUT_PULSES, Source.INPUT, place, pulses) for ns, pulses in counted]
            else:
                forcing += [(change.at_ns, programmed, change.operated) for change in settled]
        for at_ns, programmed, closed in sorted(forcing, key=lambda each: each[0]):
            if closed:
                self._forcing.append(programmed)
            else:
                self._forcing.remove(programmed)
            commands.append(self._rate_command(utc_of(at_ns)))
        return sorted(commands, key=lambda command: command.utc_ns)

    def _rate_command(self, utc_ns: int) -> Command:
        """For the rate that is to be in force from then on."""
        if not self._forcing:
            return Command(utc_ns, Action.RELEASE_RATE, Source.INPUT)
        return Command(utc_ns, Action.FORCE_RATE, Source.INPUT, int(self._forcing[-1].rate))

    @property
    def dealt(self) -> dict[str, tuple[int, bool]]:
        """By name the number of the last edge that is decided, and the level as counted."""
        return {programmed.id.value: contact.dealt for programmed, contact in self._inputs}

    @property
    def closed(self) -> dict[str, bool]:
        """Inputs by their names in rig.toml, True for one that is closed, as counted."""
        return {programmed.id.value: contact.closed for programmed, contact in self._inputs}

    @property
    def lost_edges(self) -> int:
        """Edges that the kernel could not keep."""
        return sum(contact.lost_edges for _, contact in self._inputs)

    @property
    def in_doubt(self) -> int:
        """Number of closures, beyond those reported, that there may have been, because edges were lost."""
        return sum(contact.in_doubt for _, contact in self._inputs)

    def abandon(self) -> None:
        """Let the lines go that were opened here: those of `before` stay with it."""
        for contact in self._opened:
            contact.close()

    def close(self, after: InputContacts | None = None) -> None:
        """Let the lines go, but for those that `after` goes on with."""
        kept = [] if after is None else [contact for _, contact in after._inputs]
        for _, contact in self._inputs:
            if contact not in kept:
                contact.close()
