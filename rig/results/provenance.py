"""Provenance of a figure: one structure, and one mark, in every result, file and reply (C-5)."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[2]

BOARD = "board"
"""The fidelity of hardware; any other is how it is simulated."""


class Provenance(msgspec.Struct, frozen=True):
    """Provenance of a result.

    `fidelity` is "board", or how it was simulated ("exact", "rtl", "window"). `commit` is of the checkout that ran,
    with "+" where files were changed; "" outside a checkout. `build` is the bitstream's. `program`, `configuration` and
    `calibration` are digests. `seed` is of the simulated noise, None on hardware. `begun_utc` is ISO 8601.
    """

    simulated: bool
    fidelity: str
    calibrated: bool
    version: str
    commit: str
    build: str
    program: str
    configuration: str
    calibration: str
    seed: int | None
    begun_utc: str

    @property
    def line(self) -> str:
        """Say all of it in one line, for the head of a file."""
        said = {
            "build": self.build, "program": self.program, "configuration": self.configuration,
            "calibration": self.calibration, "seed": self.seed, "begun": self.begun_utc,
        }  # fmt: skip
        known = [f"{name} {value}" for name, value in said.items() if value not in ("", None)]
        return ", ".join([f"AE-0764 rig {self.version} {self.commit}".rstrip(), self.fidelity, *known])

    @property
    def mark(self) -> str:
        """Say what every result must say of itself: "SIMULATED (exact)  UNCALIBRATED", or nothing."""
        return mark(self.fidelity, self.calibrated)


def provenance_of_computation(fidelity: str, program: str) -> Provenance:
    """Give the provenance of what is computed now without any hardware, simulated or real."""
    return Provenance(
        simulated=True,
        fidelity=fidelity,
        calibrated=True,
        version=project_version(),
        commit=commit(),
        build="",
        program=program,
        configuration="",
        calibration="",
        seed=None,
        begun_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def mark(fidelity: str, calibrated: bool = True) -> str:
    """Say of a result what a person must not overlook."""
    said = [] if fidelity == BOARD else [f"SIMULATED ({fidelity})"]
    return "  ".join([*said, *([] if calibrated else ["UNCALIBRATED"])])


def project_version() -> str:
    """Give the version of the project, as installed."""
    return version("ae0764-rig")


@cache
def commit() -> str:
    """Give the commit of the checkout that runs, 12 digits, "+" after it where files were changed; "" outside one."""
    if not (ROOT / ".git").exists():
        return ""
    git = ["git", "-C", str(ROOT)]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD"], capture_output=True, check=False).returncode
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if changed else "")
