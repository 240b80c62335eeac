"""Changes that a new program makes, as requests at the meter's door (S-1, S-2).

    differs                             is asked as, besides write program
    [meter]                             change metrology
    [meter] service                     change service type
    [meter] firmware                    upgrade
    [meter] relay_board                 change relays
    [demand]                            change metrology
    [recorder]                          change metrology
    [display]                           change metrology
    [[outputs]]                         change relays
    [[outputs]] pulses                  change metrology
    [[inputs]] record                   change metrology
    [security]                          change security
    [security] seal from true to false  change metrology
    [[inputs]] force rate               -
    [clock]                             -
    [test_mode]                         -
    [tou]                               -
    [self_read]                         -

Metrology is what accuracy, or the data presented, depend on (S-EG-02): so digits on the display are, and a tariff,
whose switching the notice leaves unspecified, is not. What a row within a table says comes on top of the table's.
Compared is what the files say, defaults filled in: "1.8" and "9/5" differ.
"""

from __future__ import annotations

from collections.abc import Iterable

from rig.meter.access.actions import MeterAction
from rig.program import schema

_METROLOGY = ("meter", "demand", "recorder", "display")


def actions_of(
    old: schema.ProgramFile, new: schema.ProgramFile, same_keys: bool | None = None
) -> tuple[MeterAction, ...]:
    """Return the requests that writing `new` over `old` amounts to, all of which must be allowed.

    `same_keys`: whether both have the same keys, where that is known otherwise, as the meter keeps hashes only; with
    None the files have them.
    """
    found = {MeterAction.WRITE_PROGRAM}
    if any(getattr(old, table) != getattr(new, table) for table in _METROLOGY):
        found.add(MeterAction.CHANGE_METROLOGY)
    if old.meter.service != new.meter.service:
        found.add(MeterAction.CHANGE_SERVICE)
    if old.meter.firmware != new.meter.firmware:
        found.add(MeterAction.UPGRADE)
    if old.meter.relay_board != new.meter.relay_board:
        found.add(MeterAction.CHANGE_RELAYS)
    if _by_name(old.output_tables) != _by_name(new.output_tables):
        found.add(MeterAction.CHANGE_RELAYS)
    if _measuring_contacts(old) != _measuring_contacts(new):
        found.add(MeterAction.CHANGE_METROLOGY)
    same = old.security == new.security if same_keys is None else same_keys and old.security.seal == new.security.seal
    if not same:
        found.add(MeterAction.CHANGE_SECURITY)
    if old.security.seal and not new.security.seal:
        found.add(MeterAction.CHANGE_METROLOGY)
    return tuple(action for action in MeterAction if action in found)


ContactTable = schema.OutputTable | schema.InputTable


def _by_name(tables: Iterable[ContactTable]) -> dict[str, ContactTable]:
    return {table.name: table for table in tables}


def _measuring_contacts(file: schema.ProgramFile) -> dict[str, ContactTable]:
    """Outputs that pulse and inputs that record."""
    tables = (*file.output_tables, *file.inputs)
    return _by_name(table for table in tables if isinstance(table, schema.PulsesTable | schema.RecordInputTable))
