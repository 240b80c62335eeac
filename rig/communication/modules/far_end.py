"""The far end of a communication module: it reads the meter as the module does, and asks what it is told to (X-4).

What goes through the air or over the line between a module and its far end is its maker's own; here both are one
client of the meter's socket, and everything that it has of the meter, the meter's door has granted the module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from rig.communication.modules.external import ExternalMeter, ExternalReading
from rig.daemon.client import MeterClient, RequestRefusedError
from rig.daemon.protocol import (
    Asked,
    ChangeSeason,
    Clear,
    ColdStart,
    EnterTest,
    LeaveTest,
    LogOn,
    MasterReset,
    OperateRelay,
    ReadLog,
    ReadParts,
    ReadProfile,
    ReadPulses,
    ReadSelf,
    ReadSnapshots,
    ResetDemand,
    SetClock,
    WriteProgram,
)
from rig.errors import RigError
from rig.meter.access.actions import MeterAction
from rig.meter.access.modules import MODULE_GRANTS, Interface, ModuleGrant
from rig.meter.access.readable import Readable
from rig.meter.billing.events import Cause
from rig.results.provenance import Provenance

SNAPSHOTS = [cause.value for cause in (Cause.SELF_READ, Cause.SWITCH, Cause.COMMUNICATION, Cause.SEASON)]
TEST_S = 1.0
"""Seconds for which an output is closed by "operate relay"."""

PULSE_OUTPUT = "KYZ1"

REQUESTS: dict[str, Callable[[str], Asked]] = {
    MeterAction.DEMAND_RESET.label: lambda _: ResetDemand(),
    MeterAction.SELF_READ.label: lambda _: ReadSelf(),
    MeterAction.SET_CLOCK.label: lambda _: SetClock(),
    MeterAction.SEASON_CHANGE.label: lambda _: ChangeSeason(),
    MeterAction.ENTER_TEST.label: lambda _: EnterTest(),
    MeterAction.LEAVE_TEST.label: lambda _: LeaveTest(),
    MeterAction.CLEAR.label: lambda _: Clear(),
    MeterAction.WRITE_PROGRAM.label: WriteProgram,
    MeterAction.OPERATE_RELAY.label: lambda output: OperateRelay(output, True, TEST_S),
    MeterAction.MASTER_RESET.label: lambda _: MasterReset(),
    MeterAction.COLD_START.label: lambda _: ColdStart(),
}
"""Requests by the action that they are; what the text is, of a program or an output's name, the action says."""


PAGES: dict[str, Asked] = {
    Readable.LOG.label: ReadLog(),
    Readable.CLOSED_PERIODS.label: ReadSnapshots(SNAPSHOTS),
    Readable.LOAD_PROFILE.label: ReadProfile(),
}
"""Requests for the newest page of the parts that have a history in the store."""


class FarEndError(RigError):
    """Something that a far end cannot be asked for: one sentence with what would be right."""


class TableOfModule(msgspec.Struct, frozen=True):
    """A table of C12.19 as its module has it: its bytes in hexadecimal, or None and why the meter does not give it."""

    table: int
    title: str
    name: str
    data: str | None
    refused: str | None = None


class ModuleReading(msgspec.Struct, frozen=True):
    """Reading of a meter by its module: parts by their labels, pulses, and what was heard beside the meter."""

    type: str
    provenance: Provenance
    module: str
    interface: str
    parts: dict[str, Any]
    pulses: dict[str, Any] | None
    external: list[ExternalReading]
    done: list[str]
    tables: list[TableOfModule] = []


def grant_of(module: str) -> ModuleGrant:
    """Give the row of a module. Raises FarEndError for a name that none has."""
    if module not in MODULE_GRANTS:
        raise FarEndError(f"{module[:40]!r} is no module of the notice: give {', '.join(MODULE_GRANTS)}")
    return MODULE_GRANTS[module]


def request_of(action: str, text: str) -> Asked:
    """Give the request that an action is. Raises FarEndError for what is none."""
    if action not in REQUESTS:
        raise FarEndError(f"{action[:40]!r} is nothing that can be asked: give {', '.join(REQUESTS)}")
    if action == MeterAction.WRITE_PROGRAM.label and not text:
        raise FarEndError("write program needs a program: give it by --program-file")
    return REQUESTS[action](text)


def read_as_module(
    client: MeterClient,
    module: str,
    *,
    parts: Sequence[str] | None = None,
    output: str | None = None,
    asked: Sequence[tuple[str, Asked]] = (),
    key: str | None = None,
    external: Sequence[ExternalMeter] = (),
    utc_ns: int = 0,
) -> ModuleReading:
    """Ask, prove a key's level before if there is one, and read.

    `parts` None: all that the module's row grants; `output` whose pulses are counted, None: KYZ1 of a module with a
    pulse interface. Raises RequestRefusedError with the meter's reason, FarEndError for external meters of a module
    that hears none.
    """
    grant = grant_of(module)
    if external and not grant.external:
        raise FarEndError(f"module {module} hears no meters beside its own: leave --external out, or fit TS2 MU")
    if key is not None:
        client.ask(LogOn(key))
    done: list[str] = []
    for label, request in asked:
        client.ask(request)
        done.append(label)
    if parts is None and not asked and output is None:
        parts = [each.label for each in Readable if each in grant.reads and grant.interface is Interface.REGISTERS]
    if output is None and parts == [] and grant.interface is Interface.PULSES:
        output = PULSE_OUTPUT
    found = _read(client, parts or [])
    return ModuleReading(
        type="module reading",
        provenance=client.welcome.provenance,
        module=module,
        interface=grant.interface.value,
        parts=found,
        pulses=None if output is None else client.ask(ReadPulses(output)),
        external=[meter.read(utc_ns) for meter in external],
        done=done,
    )


def _read(client: MeterClient, parts: Sequence[str]) -> dict[str, Any]:
    """Read parts: values of one reading, all of the same instant, and of history its newest page."""
    valued = [part for part in parts if part != Readable.LOG.label]
    values: dict[str, Any] = client.ask(ReadParts(valued)) if valued else {}
    found: dict[str, Any] = {part: values.get(part, {}) for part in parts}
    for part in found.keys() & PAGES.keys():
        found[part] |= {"page": _page(client, PAGES[part])}
    return found


def _page(client: MeterClient, asked: Asked) -> Any:
    """Read the newest page of a history; None: the meter has none, as it has no store or no recorder."""
    try:
        return client.ask(asked)
    except RequestRefusedError as error:
        if error.why is not None:
            raise
        return None
