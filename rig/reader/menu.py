"""A menu by numbers for a person at the bench, in lines of text, as 1132COM is used (X-2).

It needs nothing of a terminal but lines, so it works over ssh, with TERM=dumb and with a reader of screens. Each choice
is a session of its own: while somebody thinks, the meter would end one by its time-out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rig.errors import RigError
from rig.files.whole import check_free
from rig.program.build import program_to_write
from rig.reader.actions import ACTIONS, act
from rig.reader.connecting import WrongPassword
from rig.reader.meter import MeterAccess
from rig.reader.programming import write_program
from rig.reader.reading import Extent
from rig.reader.run import MeterRun
from rig.reader.shown import lines

REGISTERS = frozenset({1, 5, 12, 22, 23, 52, 2048 + 2})
"""Tables that the registers are shown of."""

LASTING = frozenset({"clear", "cold-start", "master-reset"})
"""Actions that nothing undoes: they are asked for twice."""

YES = "yes"
_LEAVE = "0"


@dataclass(frozen=True)
class MenuEntry:
    """An entry: its words, and what it does; the lines that it says."""

    words: str
    run: Callable[[], list[str]]


class Menu:
    """The menu of one meter. `ask` puts a question and gives the line that is typed, `say` prints a line."""

    def __init__(self, access: MeterAccess, ask: Callable[[str], str], say: Callable[[str], None]) -> None:
        self._access, self._ask, self._say = access, ask, say
        self._entries = [
            MenuEntry("registers", self._registers),
            *(MenuEntry(f"{name}: {action.words}", self._action(name)) for name, action in ACTIONS.items()),
            MenuEntry("read: everything into a file", self._read),
            MenuEntry("write: a program into the meter", self._write),
        ]

    def run(self) -> None:
        """Show the menu until it is left. Raises EOFError where nobody types any more."""
        self._show()
        while (typed := self._ask("number, or 0 to leave").strip()) != _LEAVE:
            if not typed.isdecimal() or not 1 <= int(typed) <= len(self._entries):
                self._say(f"{typed!r} is not in the menu: 1 to {len(self._entries)}, or 0")
                self._show()
                continue
            try:
                for line in self._entries[int(typed) - 1].run():
                    self._say(line)
            except WrongPassword as error:
                self._access.passwords.forget()
                self._say(str(error))
            except RigError as error:
                self._say(str(error))

    def _show(self) -> None:
        self._say(f"meter at {self._access.device}")
        for number, entry in enumerate(self._entries, 1):
            self._say(f"{number:3}  {entry.words}")
        self._say("  0  leave")

    def _action(self, name: str) -> Callable[[], list[str]]:
        def run() -> list[str]:
            action = ACTIONS[name]
            value = (
                self._ask(f"{name}: {action.value}{', nothing to show it' if action.optional else ''}").strip()
                if (action.value)
                else ""
            )
            if name in LASTING and self._ask(f"{name}: {action.words}; type {YES} to do it").strip() != YES:
                return ["nothing was done"]
            needs = action.needs_password and not (action.optional and not value)
            with self._access.session(needs_password=needs) as session:
                return [act(session, name, value or None)]

        return run

    def _registers(self) -> list[str]:
        reading = MeterRun(self._access, None).read(Extent(REGISTERS), lambda done, of, what: None)
        return list(lines(reading))

    def _read(self) -> list[str]:
        path = Path(self._ask("file").strip())
        profile = self._ask(f"load profile too, {YES} or no").strip() == YES
        check_free([path], force=False)
        reading = MeterRun(self._access, path).read(Extent(profile=profile), lambda done, of, what: None)
        return [f"{len(reading.tables) + len(reading.blocks)} tables → {path}"]

    def _write(self) -> list[str]:
        path = Path(self._ask("program").strip())
        program, text = program_to_write(path)
        if self._ask(f"write {path}, program {program.digest}; type {YES} to do it").strip() != YES:
            return ["nothing was done"]
        return [write_program(self._access, program, text.encode(), lambda at, of: None)]
