"""Files for results: where none can be written, whoever would measure for it is told before it begins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rig.cli.app import app
from rig.errors import RigError
from rig.files.whole import FileError, check_free

NAME_MAX = 255
"""Bytes of a name, on the file systems of Linux."""


def test_a_place_that_is_free_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"signed")
    check_free([tmp_path / "a.html", tmp_path / "b.pdf"], force=True)
    check_free([tmp_path / "b.pdf"], force=False)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.html": b"signed"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("folder", "is a folder: choose another name"),
        ("/dev/null", "is no file, but a device or a pipe"),
        ("pipe", "is no file, but a device or a pipe"),
        ("/proc/a.html", r"cannot be written \(No such file or directory\): choose a writable folder"),
        ("/sys/a.html", "cannot be written"),
        ("gone/a.html", "the folder .* does not exist"),
        ("a.html/b.html", "the folder .* does not exist"),
        ("a\0.html", "contains a NUL"),
        ("x" * NAME_MAX, r"cannot be written \(File name too long\)"),
        ("x" * (NAME_MAX + 1), r"cannot be written \(File name too long\)"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_refused_even_when_forced(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.html").write_bytes(b"signed")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match=why) as refused:
        check_free([tmp_path / name], force=True)
    assert "\n" not in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "folder", "pipe"]
    assert (tmp_path / "a.html").read_bytes() == b"signed"


def test_one_name_for_two_results_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").symlink_to(tmp_path)
    for again in ("a.xml", "./a.xml", "other/a.xml", str(tmp_path / "a.xml")):
        with pytest.raises(FileError, match=r"a\.xml is to be written twice"):
            check_free([Path("a.xml"), Path(again)], force=True)


def test_a_full_disk_is_told_before_anything_is_counted(tmp_path: Path) -> None:
    """A limit on the size of files is met as a full disk is: a write that is refused in the middle."""
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
        "from rig.cli.entry import main; sys.argv = ['rig', 'verify', '--report', 'a.html']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr == ("rig: a.html cannot be written (File too large): choose a writable folder with room\n")
    assert list(tmp_path.iterdir()) == []


SERIES = 'title = "t"\n[[points]]\nname = "a"\n'

BEGUN_FOR_NOTHING = (
    "verify --report /proc/a.html", "verify --junit /proc/a.xml", "verify --report a.html --junit a.html",
    "verify --witness --report /proc/a.html", "verify --witness --junit /proc/a.xml",
    "verify --series s.toml --report /proc/a.html", "verify --series s.toml --junit /proc/a.xml",
    "verify --series s.toml --resume /proc/a.jsonl", "verify --series s.toml --resume folder",
    "verify --series s.toml --resume a.html --report a.html",
    "selftest --report /proc/a.html", "accuracy --standard iec62053-22 --class 0.2S --report /proc/a.json",
    "scope --csv /proc/a.csv", "scope --comtrade /proc/a.cfg", "report compare a.json b.json --report /proc/a.html",
)  # fmt: skip


REASONS = ("cannot be written", "to be written twice", "would be written over --resume", "(Is a directory)")


@pytest.mark.parametrize("line", BEGUN_FOR_NOTHING)
def test_no_command_begins_what_it_could_not_write(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "s.toml").write_text(SERIES)
    refused = CliRunner().invoke(app, line.split())
    assert isinstance(refused.exception, RigError)
    assert any(word in str(refused.exception) for word in REASONS)
    assert refused.stdout == ""
    assert "no meter runs" not in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "s.toml"]
