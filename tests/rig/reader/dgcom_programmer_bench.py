"""A programmer at the DGCOM port of a meter on the simulated rig, all in this process and in virtual time (X-2)."""

from __future__ import annotations

from pathlib import Path

from cut_line import CutLine
from own_file import own_file
from psem_client import VirtualLine
from served_port import ServedMeter
from served_tables import ServedTables

from rig.communication.port.dgcom_port import DgcomPort
from rig.daemon.protocol import LogOn, ReadProgram, WriteProgram
from rig.meter.billing.source import Source
from rig.program.build import Program
from rig.reader.connecting import Approach
from rig.reader.meter import MeterAccess
from rig.reader.passwords import Passwords
from rig.reader.programming import write_program


class DgcomProgrammerBench:
    """A meter with a program, its optical port, which speaks DGCOM, and a programmer at it."""

    def __init__(self, toml: str, folder: Path, store: Path | None = None) -> None:
        self.tables = ServedTables(toml, store)
        self.tables.run(0.2)
        self.folder = folder
        self.restart_port()
        self.line = CutLine(VirtualLine(self.port, self.serve))
        self.password("000000")
        self.staged_at: int | None = None

    def restart_port(self) -> None:
        """Its process is killed, and another serves the port."""
        self.meter = ServedMeter(self.tables)
        self.port = DgcomPort(self.meter, "0.9.1", shares_light=True)
        if hasattr(self, "line"):
            self.line.line.device = self.port

    def serve(self, now_ns: int) -> None:
        if not self.port.speaks:
            self.port.carry_out(now_ns)

    def password(self, text: str) -> None:
        own_file(self.folder / "password", text)
        passwords = Passwords(self.folder / "password")
        self.access = MeterAccess("optical", Approach(), passwords, self.line.open, self.line.pause)

    @property
    def digest(self) -> str:
        """Of the program in the meter, by its own interface and not by its port."""
        return str(self.tables.ask(ReadProgram()).result["digest"])

    def write_beside(self, key: str, text: str) -> None:
        """Write a program as the command line does."""
        source, self.tables.source = self.tables.source, Source.COMMAND_LINE.value
        for asked in (LogOn(key), WriteProgram(text)):
            assert self.tables.ask(asked).refused is None
        self.tables.source = source

    def write(self, program: Program, text: bytes) -> str:
        self.staged_at = None

        def progress(at: int, of: int) -> None:
            self.staged_at = self.line.passed if self.staged_at is None else self.staged_at

        return write_program(self.access, program, text, progress)

    def close(self) -> None:
        self.tables.close()
