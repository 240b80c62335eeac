"""Programs written over the optical port to wait, shown and cleared there; where the line breaks, said (X-2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from programmer_bench import ProgrammerBench
from psem_device import st0

from rig.communication.c1219.pending_event import PendingEvent
from rig.program.build import Program, load_program
from rig.reader import pending as pending_module
from rig.reader.decoded import Decoded
from rig.reader.pending import NothingWaits, event_at, write_pending
from rig.reader.procedures import ProcedureRefused
from rig.reader.programming import NotWritten, ProgramError

A = "[meter]\nfirmware = '6.28'\nserial = '1'\n"
B = "[meter]\nfirmware = '6.28'\nserial = '2'\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProgrammerBench]:
    bench = ProgrammerBench(A, tmp_path_factory.mktemp("pending"))
    bench.port.served.service.watch = bench.port.served.requests.activate_due
    yield bench
    bench.port.close()


def loaded(folder: Path, text: str = B) -> tuple[Program, bytes]:
    path = folder / "program.toml"
    path.write_text(text)
    return load_program(path), path.read_bytes()


def write(bench: ProgrammerBench, program: Program, text: bytes, event: PendingEvent) -> str:
    return write_pending(bench.access, program, text, event, lambda at, of: None)


def test_written_shown_cleared_activated(bench: ProgrammerBench, tmp_path: Path) -> None:
    program, text = loaded(tmp_path)
    before = bench.digest
    assert bench.act("pending") == "nothing waits"
    waits = f"program {program.digest} waits until 2031-05-01 00:00:00"
    assert write(bench, program, text, event_at("2031-05-01T00:00")) == f"written: {waits}"
    assert bench.act("pending") == waits
    with pytest.raises(ProcedureRefused, match="a program waits already: clear it first"):
        write(bench, program, text, event_at("asked"))
    assert bench.act("clear-pending") == "clearing what waits: done"
    assert bench.act("pending") == "nothing waits"
    with pytest.raises(NothingWaits, match="activation of what waits: nothing waits") as none:
        bench.act("activate-pending")
    assert none.value.status == 1, "a script learns it"
    assert bench.act("clear-pending") == "clearing what waits: nothing waits"
    assert write(bench, program, text, event_at("asked")).endswith("waits until its activation is asked for")
    assert bench.digest == before
    assert bench.act("activate-pending") == "activation of what waits: done"
    assert bench.digest == program.digest
    assert bench.act("pending").startswith("nothing waits; last activation 20")


def test_a_mistake_comes_back_in_the_meters_own_words(bench: ProgrammerBench, tmp_path: Path) -> None:
    program, text = loaded(tmp_path)
    with pytest.raises(ProcedureRefused, match=r"the program does not wait.*past by the meter's clock"):
        write(bench, program, text, event_at("2020-01-01T00:00"))
    with pytest.raises(ProcedureRefused, match="current_class is 200"):
        write(bench, *loaded(tmp_path, B + "current_class = 200\n"), event_at("asked"))
    with pytest.raises(ProgramError, match="a meter takes 65530: shorten it"):
        write(bench, program, text + b"#" * 65536, event_at("asked"))
    assert bench.act("pending").startswith("nothing waits")


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2027-01-01T00:00:30", "2027-01-01T00:00+01:00", "1999-01-01T00:00", "2027-02-30T00:00"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ProgramError, match="it must be asked, or to the minute"):
        event_at(text)


@pytest.mark.parametrize("left", [0, 40, 200, -90, -40, -1])
def test_a_line_that_breaks(bench: ProgrammerBench, tmp_path: Path, left: int) -> None:
    """Wherever it does, the program waits whole or not at all, and nobody is told that it does not where it may."""
    line = bench.line
    program, text = loaded(tmp_path)
    line.pause(60)
    begun = line.passed
    write(bench, program, text, event_at("asked"))
    whole = line.passed - begun
    bench.act("clear-pending")
    line.left = left if left >= 0 else whole + left
    try:
        said = write(bench, program, text, event_at("asked"))
    except NotWritten as error:
        said = str(error)
    except Exception as error:  # the line's own: before the meter was asked
        said = f"before: {error}"
    line.left = None
    line.pause(60)
    waits = bench.act("pending").startswith(f"program {program.digest} waits")
    assert waits or bench.act("pending").startswith("nothing waits")
    if said.startswith("before"):
        assert not waits
    elif not said.startswith("written"):
        assert "Nobody knows whether the program waits" in said
    bench.act("clear-pending")


def test_what_waits_in_another_makers_meter() -> None:
    """ST4 made here, of a meter with two tables that wait: by a date, and by a trigger of its own."""
    head = bytearray(st0((0, 4)))
    head[18] = 2
    data = (
        bytes(13) + b"\x08\0\0\0" + bytes((26, 5, 1, 12, 30)) + b"\x02"
        + bytes((0, 27, 1, 1, 0, 0)) + (54 | 1 << 12).to_bytes(2, "little")
        + b"\x02ACME\x07" + (3 | 1 << 11 | 1 << 12).to_bytes(2, "little")
    )  # fmt: skip
    found = Decoded({0: bytes(head), 4: data})
    status: dict[str, Any] = found.values(4)
    assert list(pending_module._entries(status)) == [
        "ST54 waits until 2027-01-01 00:00", "MT3 waits for event 2 41434d4507",
    ]  # fmt: skip
    assert status["LAST_ACTIVATION_DATE_TIME"] == datetime(2026, 5, 1, 12, 30)
