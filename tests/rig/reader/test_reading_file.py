"""The file of a reading: whole or refused, whatever became of it; and an example that is read (X-2)."""

from __future__ import annotations

import hashlib
import json
import resource
from pathlib import Path

import pytest

from rig.files.whole import FileError, write_files
from rig.reader.decoded import Decoded
from rig.reader.reading_file import Identity, MeterReadout, ReadingFileError, TableRead, encoded, load_reading

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "reading.json"

READOUT = MeterReadout(
    version="0.1.0",
    commit="",
    begun_utc="2026-11-30T02:00:00.000+00:00",
    ended_utc="2026-11-30T02:00:10.000+00:00",
    protocol="C12.18",
    port="/dev/ttyUSB0",
    address=0,
    simulated=False,
    password=False,
    sessions=1,
    identity=Identity(0, 2, 0, "00"),
    tables=[
        TableRead(1, "ST1", "2026-11-30T02:00:01.000+00:00", "00ff"),
        TableRead(42, "ST42", "2026-11-30T02:00:02.000+00:00", None, "isc (insufficient security clearance)"),
    ],
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "reading.json"
    path.write_bytes(encoded(READOUT))
    found = load_reading(path)
    assert [table.bytes for table in found.tables] == [b"\x00\xff", None]
    assert found == MeterReadout(
        **{**{f: getattr(READOUT, f) for f in READOUT.__struct_fields__}, "sha256": found.sha256}
    )


def test_its_digest_is_anybodys_to_compute(tmp_path: Path) -> None:
    """As docs/reading.md says it."""
    data = encoded(READOUT)
    digest = json.loads(data)["sha256"]
    assert hashlib.sha256(data.replace(digest.encode(), b"0" * 64)).hexdigest() == digest


def test_a_byte_changed_or_a_file_cut_off_is_refused(tmp_path: Path) -> None:
    data, path = encoded(READOUT), tmp_path / "reading.json"
    for at in range(0, len(data), 9):
        path.write_bytes(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
        with pytest.raises(ReadingFileError, match=str(path)):
            load_reading(path)
    for end in range(0, len(data), 9):
        path.write_bytes(data[:end])
        with pytest.raises(ReadingFileError, match=str(path)):
            load_reading(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no whole reading"),
        (b"[1, 2]", "no whole reading"),
        (b"{}", "no reading: give a file of rig read"),
        (b"\xff\xfe\x00", "no whole reading"),
        (b"[" * 100_000, "no whole reading"),
        (b'{"format": "ae0764-reading", "file_version": 7}', "has file_version 7, this rig reads 1"),
        (b'{"format": "ae0764-reading", "file_version": 1, "sha256": "00"}', "damaged or edited"),
        (b" " * ((1 << 25) + 1), "more than"),
    ],
    ids=range(8),
)
def test_what_is_no_reading(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ReadingFileError, match=sentence):
        load_reading(path)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "directory"), (tmp_path / "none", "No such"), (Path("a\0b"), "name")):
        with pytest.raises(ReadingFileError, match=why):
            load_reading(path)


def test_one_that_fits_its_digest_and_no_schema(tmp_path: Path) -> None:
    for before, after in ((b'"data": "00ff"', b'"data": "00fg"'), (b'"table": 1,', b'"table": "x",')):
        data = encoded(READOUT)
        digest = json.loads(data)["sha256"].encode()
        data = data.replace(digest, b"0" * 64).replace(before, after)
        data = data.replace(b"0" * 64, hashlib.sha256(data).hexdigest().encode())
        (tmp_path / "r").write_bytes(data)
        with pytest.raises(ReadingFileError, match="is no reading"):
            load_reading(tmp_path / "r")


def test_the_example_has_every_table_decoded() -> None:
    """A plant's meter on the simulated rig."""
    reading = load_reading(EXAMPLE)
    assert reading.simulated
    decoded = Decoded({each.table: each.bytes for each in reading.tables if each.bytes is not None})
    assert len(decoded.numbers) > 40
    for number in decoded.numbers:
        decoded.values(number)
    assert decoded.values(1)["ED_MODEL"] == "RXRS4e"
    assert len(decoded.values(64)["LP_DATA_SET1"]) == decoded.values(63)["NBR_VALID_BLOCKS"] > 1


def test_a_file_that_there_is_no_room_for_is_named_and_not_there(tmp_path: Path) -> None:
    """The kernel's own refusal of more bytes, as of a full disk, names no file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(FileError, match=r"r\.html cannot be written \(File too large\): choose a writable folder"):
            write_files({tmp_path / "a.csv": b"small", tmp_path / "r.html": bytes(5000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
