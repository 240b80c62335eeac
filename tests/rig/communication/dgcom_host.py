"""A host of DGCOM for tests, from the public description (facts: meter-domain.md §1.5), on any line of psem_client."""

from __future__ import annotations

from psem_client import Line

DONE, NEXT, AGAIN = 0x33, 0x66, 0x99


class DgcomHost:
    """A host: `command` wakes the meter, sends, and gives its status and the data of a read."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def command(self, opcode: int, parameters: bytes = b"") -> tuple[int, bytes]:
        for byte in (b"\x55", b"\xaa"):
            self.line.write(byte)
            echo = self.line.read(1, 2.0)
            assert echo == byte, f"{echo!r} for {byte!r}"
        body = bytes((opcode,)) + parameters.ljust(8, b"\x00")
        self.line.write(body + (sum(body) & 0xFFFF).to_bytes(2, "little"))
        status = self.line.read(1, 5.0)
        assert status, "no status"
        return status[0], self._blocks() if status[0] == DONE else b""

    def _blocks(self) -> bytes:
        data = b""
        while head := self.line.read(1, 0.3):
            body = head + self.line.read(head[0] + 2, 2.0)
            assert (sum(body[:-2]) & 0xFFFF).to_bytes(2, "little") == body[-2:]
            data += body[1:-2]
            self.line.write(bytes((NEXT if len(body) - 3 == 128 else DONE,)))
        return data
