"""Files of a person in another encoding than UTF-8 are refused by line and byte, not in a codec's words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from rig.errors import RigError
from rig.files.text import NotUtf8Error, utf8_text
from rig.hardware.config import load
from rig.hardware.hands_file import read_hands
from rig.load.profile import read_shape
from rig.meter_report.from_profile_file import meter_of_profile_file
from rig.program.build import load_program
from rig.report.reading import read_result
from rig.verify.kept_results import Measured
from rig.verify.series import read_series


class Case(msgspec.Struct, frozen=True):
    encoding: str
    text: str
    line: int
    byte: int
    value: int


CASES = [
    Case("latin-1", "# one\n# Zähler\n", 2, 10, 0xE4),
    Case("latin-1", "é", 1, 1, 0xE9),
    Case("cp1252", 'a = 1\r\ntitle = "5 €"\r\n', 2, 19, 0x80),
    Case("utf-16", "a = 1\n", 1, 1, 0xFF),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.encoding} {case.byte}")
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "marked"])
def test_the_first_byte_that_is_wrong_is_named(case: Case, mark: bytes) -> None:
    data = mark + case.text.encode(case.encoding)
    at = case.byte + len(mark)
    assert data[at - 1] == case.value
    with pytest.raises(NotUtf8Error) as caught:
        utf8_text(data)
    assert str(caught.value) == (
        f"is not in UTF-8: its line {case.line} has the byte 0x{case.value:02x} (byte {at} of the file), as files in "
        "another encoding have; save it in UTF-8"
    )


def test_text_in_utf8_is_read_with_a_mark_and_without() -> None:
    assert utf8_text("Zähler".encode()) == utf8_text("Zähler".encode("utf-8-sig")) == "Zähler"


READERS: dict[str, Callable[[Path], object]] = {
    "rig.toml": load,
    "meter.toml": load_program,
    "a.series.toml": read_series,
    "hands.csv": read_hands,
    "shape.csv": read_shape,
    "profile.csv": lambda path: meter_of_profile_file(path.read_bytes(), path),
}


@pytest.mark.parametrize("name", READERS)
def test_every_reader_says_so_with_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes("# one\n# Zähler\n".encode("latin-1"))
    with pytest.raises(RigError) as caught:
        READERS[name](path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path} is not in UTF-8: its line 2 has the byte 0xe4 (byte 10 of the file)"), sentence
    assert "codec" not in sentence


@pytest.mark.parametrize("reader", [read_result, Measured], ids=["result", "resumed"])
def test_results_in_another_encoding_are_refused(reader: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "results"
    path.write_bytes('{"name":"Zähler","digest":"0"}\n'.encode("latin-1"))
    with pytest.raises(RigError, match=r"results .*is not in UTF-8: .*byte 0xe4") as caught:
        reader(path)
    assert "codec" not in str(caught.value)
