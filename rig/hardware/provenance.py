"""Provenance of figures that are measured on a piece of hardware (rig/results/provenance.py)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec

from rig.hardware.config import Config
from rig.hardware.hardware import Hardware
from rig.results.provenance import Provenance, commit, project_version


def provenance_of(hardware: Hardware, config: Config, program: str) -> Provenance:
    """Give the provenance of what begins now on the hardware that a configuration opened, with a program's digest."""
    return Provenance(
        simulated=hardware.simulated,
        fidelity=hardware.fidelity,
        calibrated=hardware.calibration.calibrated,
        version=project_version(),
        commit=commit(),
        build=f"{hardware.link.identity.build:08x}",
        program=program,
        configuration=rig_toml_digest(config),
        calibration=hardware.calibration.digest,
        seed=config.simulation.seed if hardware.simulated else None,
        begun_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def rig_toml_digest(config: Config) -> str:
    """Give 12 hexadecimal digits of what a rig.toml says, defaults included."""
    return hashlib.sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()[:12]
