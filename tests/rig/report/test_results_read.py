"""Results read again: all of a file is known and shown, or it is refused in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rig.errors import RigError
from rig.report.comparison import compare
from rig.report.reading import MOST_JSON_BYTES, read_result
from rig.verify.result import MOST_EDGES
from tests.rig.report.report_results import accuracy, agreement, selftest, series, verification


def altered(path: tuple[str | int, ...], value: Any, of: Any = None) -> bytes:
    raw = msgspec.to_builtins(of or verification())
    place = raw
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return msgspec.json.encode(raw)


RESULTS = [
    verification(), series(0.0, 0.1), agreement(), agreement(11.0), selftest(), accuracy(),
    compare(selftest(), selftest()),
]  # fmt: skip


@pytest.mark.parametrize("found", RESULTS)
def test_what_was_printed_is_read_again(tmp_path: Path, found: Any) -> None:
    file = tmp_path / "result.json"
    file.write_bytes(msgspec.json.encode(found) + b"\n")
    assert read_result(file) == found


def test_a_result_of_before_setups_were_stated_is_read(tmp_path: Path) -> None:
    raw = msgspec.to_builtins(verification())
    del raw["setup"]
    file = tmp_path / "result.json"
    file.write_bytes(msgspec.json.encode(raw))
    assert read_result(file).setup.meter == {}


REFUSED = {
    "key of a later version": (altered(("humidity",), 1), r"has \$\.humidity, which this version does not know"),
    "its version": (altered(("humidity",), 1), r"made by version 0\.1\.0"),
    "key deep inside": (altered(("edges", 3, "colour"), "red"), r"has \$\.edges\[3\]\.colour"),
    "key in a series": (altered(("points", 1, "verification", "witness"), 1, series(0, 0)), r"\$\.points\[1\]"),
    "text for a number": (altered(("pulses",), "many"), r"\$\.pulses"),
    "null for a number": (altered(("error_percent",), None), r"\$\.error_percent"),
    "number beyond floats": (altered(("seconds",), 0).replace(b'"seconds":0', b'"seconds":1e999'), "result"),
    "another command's": (b'{"provenance": {"version": "9.9"}, "form": "9S"}', "version 9.9"),
    "list": (b"[]", "is no result"),
    "nothing": (b"", "is no result"),
    "half": (msgspec.json.encode(verification())[:700], "is no result"),
    "no UTF-8": (b'{"output": "\xff"}', "is no result"),
    "lone surrogate": (altered(("counter",), "x").replace(b'"counter":"x"', b'"counter":"\\ud800"'), "is no result"),
    "deep": (b"[" * 100_000, "is no result"),
    "edges without end": (
        altered(("edges",), [{"number": 1, "at_s": 0, "late_pulses": 0, "contact": None}] * (MOST_EDGES + 1)),
        f"{MOST_EDGES + 1} edges",
    ),
    "key in a statement": (altered(("timeline", 0, "colour"), 1, agreement()), r"\$\.timeline\[0\]\.colour"),
    "statements without end": (
        altered(("timeline",), msgspec.to_builtins(agreement().timeline) * 1001, agreement()),
        "3003 statements",
    ),
    "a part without a verdict": (altered(("parts", 0), {"part": "LED", "sentence": ""}, selftest()), "passed"),
    "a basis that is none": (altered(("compared", 0, "basis"), "hope", compare(selftest(), selftest())), "hope"),
    "points that are none": (b'{"points": [7], "title": "t"}', "is no result"),
    "points without points": (b'{"points": {}, "title": "t"}', "is no result"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_none_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    content, why = REFUSED[name]
    file = tmp_path / "result.json"
    file.write_bytes(content)
    with pytest.raises(RigError, match=why) as refused:
        read_result(file)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("path", ["/dev/zero", "/proc/self/mem", "/", "nowhere.json"])
def test_a_path_that_is_no_such_file_is_refused(path: str) -> None:
    with pytest.raises(RigError, match="cannot be read") as refused:
        read_result(Path(path))
    assert path != "/dev/zero" or str(MOST_JSON_BYTES) in str(refused.value)


WHOLE = msgspec.json.encode(verification())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_a_damaged_byte_is_refused_or_read_never_a_traceback(tmp_path: Path, at: int, byte: int) -> None:
    file = tmp_path / "result.json"
    file.write_bytes(WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :])
    refused = ""
    try:
        read_result(file)
    except RigError as error:
        refused = str(error)
    assert "\n" not in refused
