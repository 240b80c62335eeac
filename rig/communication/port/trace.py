"""Traces of a port's line: a file of all bytes, and the same in words (`rig port trace`).

A line of the file is an instant in ns, `>` for what came to the meter or `<` for what it sent, and the bytes in
hexadecimal. Passwords are in it as they came, so it is for its owner alone; in words there are none.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TextIO

from rig.communication.c1218.packets import Acknowledgement, Damaged, Heard, PacketReader
from rig.communication.c1218.settings import OPTICAL
from rig.communication.c1218.words import Explainer
from rig.errors import RigError

TO_METER, FROM_METER = ">", "<"

OWNERS_ALONE = stat.S_IRUSR | stat.S_IWUSR
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class TraceError(RigError):
    """A trace that cannot be read or written: one sentence with the file, its line, and what would be right."""


class TraceWriter:
    """A file of what goes over a line, written as it goes, which its owner alone can read, also one that was there.

    A FIFO that nobody reads is not waited for.
    """

    def __init__(self, path: Path) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, OWNERS_ALONE)
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and found.st_mode & OTHERS:
                os.fchmod(descriptor, OWNERS_ALONE)
        except OSError as error:
            raise TraceError(f"{path} cannot be written ({error.strerror}): give ports.trace another path") from None
        self._file: TextIO = os.fdopen(descriptor, "a", encoding="ascii")
        self._path = path

    def write(self, now_ns: int, way: str, data: bytes) -> None:
        """Write what went one way."""
        try:
            self._file.write(f"{now_ns} {way} {data.hex()}\n")
            self._file.flush()
        except OSError as error:
            raise TraceError(f"{self._path} cannot be written ({error.strerror}): make room on its disk") from None

    def close(self) -> None:
        """Close it; what a full disk did not take is lost."""
        with suppress(OSError):
            self._file.close()


def lines_of(text: Iterable[str], name: str) -> Iterator[tuple[int, str, bytes]]:
    """Read a trace's lines: instant, way, bytes. Raises TraceError."""
    for number, line in enumerate(text, 1):
        words = line.split()
        try:
            instant, way, data = int(words[0]), words[1], bytes.fromhex(words[2])
            if way not in (TO_METER, FROM_METER) or len(words) != 3:
                raise ValueError
        except (ValueError, IndexError):
            raise TraceError(
                f"{name}, line {number}: {line.strip()[:60]!r} is no line of a trace, such as 12000000 > ee000000000120"
            ) from None
        yield instant, way, data


class TraceWords:
    """A trace in words, a sentence for each packet or acknowledgement.

    A packet that breaks off is given up after the inter-character time-out of C12.18, as the meter gave it up: what
    comes later is read for itself.
    """

    def __init__(self) -> None:
        self._readers = {TO_METER: PacketReader(), FROM_METER: PacketReader()}
        self._byte_ns = {TO_METER: 0, FROM_METER: 0}
        self._explainer = Explainer()
        self._begun_ns: int | None = None

    def of(self, now_ns: int, way: str, data: bytes) -> Iterator[str]:
        """Give the sentences that some bytes complete."""
        begun_ns = self._begun_ns = now_ns if self._begun_ns is None else self._begun_ns
        reader, silent_ns = self._readers[way], now_ns - self._byte_ns[way]
        broken = reader.give_up() if reader.receiving and silent_ns >= OPTICAL.timing.inter_character_ns else None
        self._byte_ns[way] = now_ns
        for heard in chain([] if broken is None else [broken], reader.feed(data)):
            who = "client" if way == TO_METER else "meter "
            yield f"{(now_ns - begun_ns) / 1e9:9.3f} s  {who}  {self._words(heard, way)}"

    def _words(self, heard: Heard, way: str) -> str:
        match heard:
            case Acknowledgement.ACK:
                return "ACK"
            case Acknowledgement.NAK:
                return "NAK: damaged, again please"
            case Damaged(identity):
                return f"a damaged packet, as it seems to identity {identity}"
            case packet:
                return self._explainer.words(packet, to_meter=way == TO_METER)
