"""Commands to contacts, as the log has them (S-1; from 2048 on codes of our own)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.meter.billing.log import AskedEvent
from rig.meter.billing.source import Source
from rig.meter.contacts.outputs import OutputId


@dataclass(frozen=True, slots=True)
class RelayOperated(AskedEvent):
    """An output was closed to a contact for a test of its wiring, for so many milliseconds."""

    label = "relay operated"
    code = 2070

    output: OutputId
    contact: str
    for_ms: int
    source: Source
