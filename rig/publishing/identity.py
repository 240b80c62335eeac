"""Identity of a meter that is published: what it is, where its figures come from."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from rig.daemon.client import MeterClient
from rig.daemon.protocol import ProgramInForce, ReadProgram
from rig.program.schema import MeterTable
from rig.results.provenance import Provenance


@dataclass(frozen=True)
class MeterIdentity:
    """A meter, by its program's table [meter] and the provenance of its figures."""

    serial: str
    model: str
    form: str
    vt_ratio: str
    ct_ratio: str
    provenance: Provenance

    def id(self, given: str | None) -> str:
        """Return its name in topics: as given, else by its serial number."""
        return given or "meter-" + re.sub(r"[^A-Za-z0-9]+", "-", self.serial).strip("-")

    @property
    def title(self) -> str:
        """Its name for people; a simulated one says so."""
        mark = self.provenance.mark
        return f"AE-0764 {self.serial}" + (f" {mark}" if mark else "")


def identity_of(client: MeterClient) -> MeterIdentity:
    """Ask a meter what it is. Raises ClientError or RequestRefusedError."""
    answer = msgspec.convert(client.ask(ReadProgram()), ProgramInForce)
    default = MeterTable()
    table = answer.file.get("meter", {})
    serial, model, form, vt_ratio, ct_ratio = (
        str(table.get(key, getattr(default, key))) for key in ("serial", "model", "form", "vt_ratio", "ct_ratio")
    )
    provenance = msgspec.structs.replace(client.welcome.provenance, program=answer.digest)
    return MeterIdentity(serial, model, form, vt_ratio, ct_ratio, provenance)
