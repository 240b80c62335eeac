"""A programmer at the optical port of a meter on the simulated rig, all in this process and in virtual time (X-2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cut_line import CutLine
from own_file import own_file
from served_port import ServedPort

from rig.communication.c1218.settings import OPTICAL, REMOTE
from rig.communication.port.port import Port
from rig.daemon.protocol import Asked, LogOn, ReadProgram, ReadState, WriteProgram
from rig.meter.billing.source import Source
from rig.program.build import Program
from rig.reader.actions import act, action_of
from rig.reader.connecting import Approach
from rig.reader.meter import MeterAccess
from rig.reader.passwords import Passwords
from rig.reader.programming import write_program


class ProgrammerBench:
    """A meter with a program, its optical port or another `source` in virtual time, and a programmer at it."""

    def __init__(self, toml: str, folder: Path, source: Source = Source.OPTICAL) -> None:
        optical = source is Source.OPTICAL
        self.port = ServedPort(toml, settings=OPTICAL if optical else REMOTE, optical=optical)
        self.port.served.source = source.value
        self.folder = folder
        self.line = CutLine(self.port.line)
        self.password("000000")

    def close(self) -> None:
        self.port.close()

    def password(self, text: str | None) -> None:
        file = None if text is None else self.folder / "password"
        if file is not None:
            own_file(file, text or "")
        self.access = MeterAccess("optical", Approach(), Passwords(file), self.line.open, self.line.pause)

    @property
    def digest(self) -> str:
        """Of the program in the meter, by its own interface and not by its port."""
        return str(self._beside(ReadProgram())["digest"])

    def write(self, program: Program, text: bytes) -> str:
        self.staged_at: int | None = None

        def progress(at: int, of: int) -> None:
            self.staged_at = self.line.passed if self.staged_at is None else self.staged_at

        return write_program(self.access, program, text, progress)

    def restart_port(self) -> None:
        """Its process is killed, and another serves the port."""
        self.port.port = Port(OPTICAL, self.port.meter, "0.9.1", shares_light=True)

    def act(self, name: str, value: str | None = None) -> str:
        """Have it done in a session of its own."""
        needs = action_of(name, value).needs_password
        with self.access.session(needs_password=needs) as session:
            return act(session, name, value)

    @property
    def state(self) -> dict[str, Any]:
        """The meter's exact reading, by its own interface."""
        return self._beside(ReadState())

    def write_beside(self, key: str, text: str) -> None:
        """Write a program as the command line does."""
        self._beside(LogOn(key))
        self._beside(WriteProgram(text))

    def _beside(self, asked: Asked) -> dict[str, Any]:
        """Ask as the command line does, whatever the port's own source may."""
        served, source = self.port.served, self.port.served.source
        served.source = Source.COMMAND_LINE.value
        found: dict[str, Any] = served.ask(asked).result
        served.source = source
        return found
