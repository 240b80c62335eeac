"""Compiled code is kept and loaded only where nobody else can have put any (review H-10)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gateware.cache import cache_folder, is_private, sources_folder

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "gateware" / "model"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RIG_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    tmp_path.chmod(0o755)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_for_us_alone(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        assert cache_folder() == tmp_path / "home/.cache/ae0764-rig"
        loops = Path(sources_folder(SOURCES))
    finally:
        os.umask(mask)
    assert loops.parent == cache_folder()
    assert mode(cache_folder()) == mode(loops) == mode(tmp_path / "home/.cache") == 0o700


def test_a_folder_open_to_others_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for bits, at in ((0o777, "open"), (0o775, "open/inside"), (0o1777, "sticky")):
        folder = tmp_path / at
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(bits)
        monkeypatch.setenv("RIG_CACHE", str(folder))
        assert cache_folder() != folder
        assert mode(cache_folder()) == 0o700
        assert Path(sources_folder(SOURCES)).is_relative_to(cache_folder())
    inside = tmp_path / "sticky" / "ours"
    monkeypatch.setenv("RIG_CACHE", str(inside))
    assert cache_folder() == inside, "what is ours in a sticky folder stays ours, as in /tmp"
    monkeypatch.setenv("RIG_CACHE", str(tmp_path / "open" / "below"))
    assert cache_folder() != tmp_path / "open" / "below", "somebody could put another in its place"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_somebody_elses_folder_is_not_taken(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    os.chown(folder, 65534, 65534)
    assert not is_private(folder)
    assert not is_private(folder / "below")
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert not is_private(link)
    os.lchown(link, 65534, 65534)
    (tmp_path / "ours").mkdir(mode=0o700)
    link.unlink()
    link.symlink_to(tmp_path / "ours")
    assert is_private(link)
    os.lchown(link, 65534, 65534)
    assert not is_private(link), "they could lead it elsewhere"


def test_our_own_folder_that_was_open_is_closed_and_emptied(tmp_path: Path) -> None:
    folder = tmp_path / "home/.cache/ae0764-rig"
    (folder / "loops-1").mkdir(parents=True)
    (folder / "loops-1" / "planted.nbc").write_text("")
    (folder / "twin-native-1.so").write_text("planted")
    (folder / "other").write_text("")
    for level in (folder.parent, folder.parent.parent):
        level.chmod(0o700)
    folder.chmod(0o777)
    assert cache_folder() == folder
    assert mode(folder) == 0o700
    assert [path.name for path in folder.iterdir()] == ["other"]


@pytest.mark.parametrize("wanted", ["", "/proc/nowhere"])
def test_without_a_folder_there_is_a_private_one_for_the_process(wanted: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "RIG_CACHE")}
    code = "import pathlib, gateware.cache as c\n"
    if wanted:
        environment["RIG_CACHE"] = wanted
    else:
        code += "pathlib.Path.home = classmethod(lambda cls: (_ for _ in ()).throw(RuntimeError()))\n"
    code += "print(c.cache_folder(), oct(c.cache_folder().stat().st_mode & 0o777))"
    words = [sys.executable, "-c", code]
    environment |= {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    folder, bits = done.stdout.split()
    assert Path(folder).parent == tmp_path
    assert bits == "0o700"
    assert not Path(folder).exists(), "gone at the end"
