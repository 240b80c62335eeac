"""Where the figures of a run come from (rig/results/provenance.py)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec

from rig.hardware.config import Config
from rig.results.provenance import Provenance, commit, project_version
from rig.service.service import Service


def provenance_of(service: Service, config: Config) -> Provenance:
    """Give the provenance of a service that begins now."""
    hardware = service.hardware
    return Provenance(
        simulated=hardware.simulated,
        fidelity=hardware.fidelity,
        calibrated=hardware.calibration.calibrated,
        version=project_version(),
        commit=commit(),
        build=f"{hardware.link.identity.build:08x}",
        program=service.program.digest,
        configuration=configuration_digest(config),
        calibration=hardware.calibration.digest,
        seed=config.simulation.seed if hardware.simulated else None,
        begun_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def configuration_digest(config: Config) -> str:
    """Give 12 hexadecimal digits of what a rig.toml says, defaults included."""
    return hashlib.sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()[:12]
