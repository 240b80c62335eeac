"""termineter 1.0.6, a client of C12.18 that nobody here wrote, unmodified, in an environment of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "build" / "termineter"
INSTALL_S = 180


@cache
def environment() -> Path:
    """Make the environment if it is not there, and give its folder; without a package index the test is skipped."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["termineter"]
    stamp = FOLDER / "installed"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes test at once
        if stamp.exists() and stamp.read_text() == "\n".join(wanted):
            return FOLDER / "venv"
        shutil.rmtree(FOLDER / "venv", ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(FOLDER / "venv")], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(FOLDER / "venv" / "bin" / "python"), "install", "--quiet"]
        try:
            found = subprocess.run(
                [*pip, "--retries", "1", "--no-deps", *wanted],
                capture_output=True, text=True, timeout=INSTALL_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            pytest.skip(f"termineter could not be installed in {INSTALL_S} s")
        if found.returncode:
            pytest.skip(f"termineter could not be installed: {found.stderr.strip().splitlines()[-1][:200]}")
        stamp.write_text("\n".join(wanted))
    return FOLDER / "venv"


def python(code: str, *arguments: object, seconds: float = 60) -> str:
    """Run a program in that environment, and give what it prints."""
    words = [str(environment() / "bin" / "python"), "-W", "ignore", "-c", code, *map(str, arguments)]
    found = subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


def termineter(device: Path, *commands: str, home: Path, seconds: float = 60, password: str = "000000") -> str:
    """Type commands into its console, after those that name the port and the password; what it prints."""
    typed = [
        f"set SERIAL_CONNECTION {device}", "set PASSWORD_HEX false", f"set PASSWORD {password}", *commands, "exit",
    ]  # fmt: skip
    found = subprocess.run(
        [str(environment() / "bin" / "termineter")], input="\n".join(typed) + "\n", cwd=home, timeout=seconds,
        env=os.environ | {"HOME": str(home), "TERM": "dumb"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return found.stdout
