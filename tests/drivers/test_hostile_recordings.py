"""Files that are large, or meant ill (H-9; issue 13, item 3): refused in a sentence, within 1 GiB and ten seconds.

Each is read by a process of its own with 1 GiB of address space. The mutated ones have their own page
(recording_mutations.py); 300 of them run here, 10 000 in `make proof`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from recording_mutations import TRUTH, wrong_scale
from recordings_made import Comtrade

from drivers.sim.recording import RecordedChannel, Recording

HERE = Path(__file__).parent
SECONDS = 10
"""Of processor time for one file, the issue's bound."""

READER = """
import os, resource, sys, time
os.environ["OPENBLAS_NUM_THREADS"] = "1"
from pathlib import Path
from drivers.sim.reading import read_recording
from drivers.sim.recording import RecordingError
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
begun = time.process_time()
try:
    found = "read {}x{}".format(*read_recording(Path(sys.argv[1])).values.shape)
except RecordingError as error:
    found = str(error)
print(f"{time.process_time() - begun:.2f} {found}")
"""


def read_in_a_gibibyte(path: Path) -> str:
    """What reading a file comes to, in a process that may take a gibibyte and not long."""
    done = subprocess.run(
        [sys.executable, "-c", READER, str(path)], cwd=HERE.parents[1], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seconds, found = done.stdout.strip().split(" ", 1)
    assert float(seconds) < SECONDS
    assert "\n" not in found
    return found


def sparse(path: Path, head: bytes, size: int) -> Path:
    """A file of `size` bytes, zeros after its head; it takes no room on the disk."""
    path.write_bytes(head)
    with path.open("r+b") as file:
        file.truncate(size)
    return path


def cfg(folder: Path, **changes: object) -> Path:
    return Comtrade().but(**changes).write(folder)


def huge_counts(folder: Path) -> Path:
    return cfg(folder, counts="400000002,2A,400000000D")


def huge_analog(folder: Path) -> Path:
    return cfg(folder, counts="999999999,999999999A,0D")


def many_rates(folder: Path) -> Path:
    return cfg(folder, rates=("400000000", "1920,192"))


def zeros_csv(folder: Path) -> Path:
    return sparse(folder / "made.csv", b"t,va,ia\n0,1,2\n", 120 << 20)


def too_large_csv(folder: Path) -> Path:
    return sparse(folder / "made.csv", b"t,va,ia\n0,1,2\n", 10 << 30)


def too_large_cfg(folder: Path) -> Path:
    return sparse(cfg(folder), Comtrade().cfg(), 10 << 30)


def too_large_dat(folder: Path) -> Path:
    path = cfg(folder)
    sparse(path.with_suffix(".dat"), b"", 10 << 30)
    return path


def many_short_rows(folder: Path) -> Path:
    path = folder / "made.csv"
    path.write_bytes(b"va,ia\n" + b"1,2\n" * (25 << 20))
    return path


def rows_of_commas(folder: Path) -> Path:
    path = folder / "made.csv"
    path.write_bytes(b"t,va,ia\n0,1,2\n" + b",,\n" * (6 << 20))
    return path


def one_line(folder: Path) -> Path:
    path = folder / "made.csv"
    path.write_bytes(b"1," * (50 << 20))
    return path


def commas_for_a_cfg(folder: Path) -> Path:
    path = cfg(folder)
    path.write_bytes(b"," * (6 << 20))
    return path


def lines_for_a_cfg(folder: Path) -> Path:
    path = cfg(folder)
    path.write_bytes(b"\n" * (6 << 20))
    return path


def large_binary(folder: Path) -> Path:
    path = cfg(folder, rates=("1", f"1920,{20 << 20}"))
    sparse(path.with_suffix(".dat"), b"", 12 * (20 << 20))
    return path


def short_ascii(folder: Path) -> Path:
    path = cfg(folder, data_type="ASCII", rates=("1", f"1920,{14 << 20}"))
    path.with_suffix(".dat").write_bytes(b"1,0,1,1\n" * (14 << 20))
    return path


def sections(folder: Path) -> Path:
    path = folder / "made.cff"
    path.write_bytes(b"--- file type: HDR ---\n" * (1 << 20))
    return path


def bytes_above_127(folder: Path) -> Path:
    path = folder / "made.csv"
    path.write_bytes(bytes(range(128, 256)) * (1 << 19) + b"\n1,2\n")
    return path


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (huge_counts, "line 2 counts 2 analog and 400000000 status channels, and the file has"),
        (huge_analog, "line 2 counts 999999999 analog"),
        (many_rates, "the number of sampling rates is '400000000'"),
        (zeros_csv, "characters: this is no CSV of numbers"),
        (too_large_csv, "too large, at most 128 MiB can be read"),
        (too_large_cfg, "too large, at most 16 MiB can be read"),
        (too_large_dat, "too large, at most 256 MiB can be read"),
        (many_short_rows, "52.4 million values, at most 33.6 million can be read"),
        (commas_for_a_cfg, "not well-formed COMTRADE"),
        (lines_for_a_cfg, "not well-formed COMTRADE"),
        (large_binary, "41.9 million values"),
        (sections, "it has no line '--- file type: CFG ---'"),
    ],
    ids=lambda made: getattr(made, "__name__", ""),
)
def test_hostile_files(tmp_path: Path, made: object, told: str) -> None:
    assert told in read_in_a_gibibyte(made(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("made", [rows_of_commas, short_ascii, one_line, bytes_above_127])
def test_memory_holds_at_the_limits(tmp_path: Path, made: object) -> None:
    """These are read, or refused late; so they may take longer than the ten seconds."""
    done = subprocess.run(
        [sys.executable, "-c", READER, str(made(tmp_path))], cwd=HERE.parents[1], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def mutated(count: int, seed: int) -> dict:
    done = subprocess.run(
        [sys.executable, str(HERE / "recording_mutations.py"), str(count), str(seed)], capture_output=True, text=True
    )
    assert done.stdout, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_mutated_recordings() -> None:
    found = mutated(300, 1)
    assert found["findings"] == []
    assert sum(found["counted"].values()) == 300


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20261129, 7])
def test_ten_thousand_mutated_recordings(seed: int) -> None:
    """10 000 files for each seed: no traceback, no hang, no memory over 1 GiB, no silent change of scale."""
    found = mutated(10_000, seed)
    print(found["counted"], found["longest_s"], "s at most")
    assert found["findings"] == []
    assert found["counted"]["read"] > 2000


@pytest.mark.parametrize(("factor", "rate"), [(1000.0, 1920), (0.001, 1920), (10.0, 1920), (2.0, 1920), (1.0, 1.92)])
def test_the_witness_knows_a_wrong_scale(factor: float, rate: float) -> None:
    values = np.stack(TRUTH, axis=1)
    channels = (RecordedChannel("va", "V"), RecordedChannel("ia", "A"))
    right = Recording(Path("x.csv"), channels, values, Fraction(1920))
    assert wrong_scale(right) is None
    assert wrong_scale(replace(right, values=values * factor, rate_hz=Fraction(rate))) is not None
