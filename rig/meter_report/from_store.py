"""A meter's data from its store: the last save, the history, the load profile (rig/store, rig/profile)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Context, Decimal
from pathlib import Path

import msgspec

from rig.meter.billing.events import Programmed
from rig.meter.billing.profile import MarkKind
from rig.meter.billing.quantity import NANO_PER_KILO
from rig.meter.billing.snapshot import RegisterReading, Snapshot
from rig.meter_report.meter_data import (
    RATES,
    DemandRow,
    EnergyRow,
    LoadProfile,
    LoggedLine,
    MeterData,
    Peak,
    ProfileChannel,
    ProfileLine,
    ProfileMark,
    RegisterSet,
    SetKind,
    SourceKind,
)
from rig.profile.reading import column_names, value_of
from rig.profile.stored import stored_profile
from rig.report.phrases import provenance_rows
from rig.results.summary import REGISTERS
from rig.store.contents import StoreLook, utc_text
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader
from rig.store.saved_meter import origin

MOST_EVENTS = 1000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KILO_DIGITS = len(str(NANO_PER_KILO)) - 1

_KINDS = {
    "self read": SetKind.SELF_READ,
    "season": SetKind.SEASON,
    "switch": SetKind.RESET,
    "communication": SetKind.RESET,
}
"""By the cause of a snapshot: what closed a season, what read itself, what reset demand."""


_MARKS = {MarkKind.START: "starts", MarkKind.OUTAGE: "outage", MarkKind.CLOCK_SET: "clock set"}


def kilo_decimal(nano: int) -> Decimal:
    """Return kWh of nWh, kW of nW, with all digits."""
    return Decimal(nano).scaleb(-_KILO_DIGITS, Context(prec=max(len(str(nano)), 1) + _KILO_DIGITS))


def meter_of_store(folder: Path, zone: tzinfo, zone_name: str, recording: int | None = None) -> MeterData:
    """Read a store. Raises StoreError."""
    look = StoreLook(folder, 0)
    reading, made = look.reading, origin(look.saved)
    notes = [f"{row} of the history is not as it was written: left out" for row in look.damaged]
    names = [] if reading.demand is None else [quantity.demand_name for quantity in reading.demand.quantities]
    sets = [
        RegisterSet(
            SetKind.PRESENT,
            _local(reading.utc_ns, zone),
            reading.season,
            reading.resets,
            _energy(reading.registers),
            _demand(reading.registers, names, zone),
        )
    ]
    profile = None
    try:
        _, found = stored_profile(folder, recording)
    except StoreError as error:
        if recording is not None:
            raise
        notes.append(str(error))
    else:
        channels = found.settings.channels
        profile = LoadProfile(
            found.settings.interval_min,
            tuple(
                ProfileChannel(n, c.metric.unit, c.unit_value)
                for n, c in zip(column_names(found), channels, strict=True)
            ),
            tuple(
                ProfileLine(
                    each.end,
                    each.flags.words,
                    tuple(
                        None if count is None else value_of(channel, count)
                        for channel, count in zip(channels, each.counts, strict=True)
                    ),
                )
                for each in found.intervals
            ),
            tuple(ProfileMark(_MARKS[mark.kind], mark.at, mark.until) for mark in found.marks if mark.kind in _MARKS),
            found.skipped,
            tuple(fault.text for fault in found.faults),
        )
    try:
        with HistoryReader(folder) as history:
            sets += _closed(history, names, zone)
            events = tuple(
                LoggedLine(_local(e.utc_ns, zone), e.name, msgspec.json.decode(e.details, type=dict[str, object]))
                for e in history.events(last=MOST_EVENTS)
            )
    except (sqlite3.Error, msgspec.MsgspecError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise StoreError(f"the history in {folder} is damaged ({error}): rig store check says more") from None
    owner = look.saved.owner
    return MeterData(
        kind=SourceKind.STORE,
        path=str(folder),
        mark=made.mark,
        made_utc=utc_text(look.restored.utc_ns),
        zone=zone_name,
        provenance=(*provenance_rows(made), ("save", str(look.restored.sequence))),
        plate=() if owner is None else (("serial", owner.serial),),
        sets=tuple(sets),
        peaks=tuple(Peak(kilo_decimal(p.value), _local(p.at_ns, zone)) for p in reading.registers.peaks),
        events=events,
        profile=profile,
        notes=tuple(notes),
    )


def _closed(history: HistoryReader, names: Sequence[str], zone: tzinfo) -> Iterator[RegisterSet]:
    """Give the registers that were closed, each kind with the newest last.

    Which demand is which, the history does not say of them: under an earlier program each has its number alone.
    """
    programmed = next((each.number for each in history.events(codes=(Programmed.code,), last=1)), -1)
    found: dict[SetKind, list[RegisterSet]] = {kind: [] for kind in SetKind}
    for stored in history.snapshots():
        if (kind := _KINDS.get(stored.kind)) is None:
            continue
        whole = msgspec.json.decode(stored.registers, type=Snapshot)
        known = stored.number > programmed and len(names) == len(whole.demand)
        earlier = [f"demand {k + 1} of an earlier program" for k in range(len(whole.demand))]
        found[kind].append(
            RegisterSet(
                kind,
                _local(stored.utc_ns, zone),
                whole.season,
                whole.resets,
                _energy(whole),
                _demand(whole, names if known else earlier, zone),
            )
        )
    for kind in SetKind:
        yield from found[kind]


def _energy(registers: RegisterReading) -> tuple[EnergyRow, ...]:
    return tuple(
        EnergyRow(
            quantity.value,
            kilo_decimal(registers.energy_nwh(quantity)),
            tuple(kilo_decimal(quantity.of(amounts)) for amounts in registers.rates),
        )
        for quantity in REGISTERS
    )


def _demand(registers: RegisterReading, names: Sequence[str], zone: tzinfo) -> tuple[DemandRow, ...]:
    rows = []
    for name, bins in zip(names, registers.demand, strict=True):
        for rate, bin in zip((None, *RATES), bins, strict=False):
            rows.append(
                DemandRow(
                    name,
                    rate,
                    kilo_decimal(bin.present),
                    kilo_decimal(bin.previous),
                    kilo_decimal(bin.maximum.value),
                    _local(bin.maximum.at_ns, zone),
                    kilo_decimal(bin.cumulative),
                    kilo_decimal(bin.continuous_cumulative),
                )
            )
    return tuple(rows)


def _local(utc_ns: int | None, zone: tzinfo) -> datetime | None:
    """Give an instant to the second, by the clock of a zone; None where it is in no year of the calendar."""
    if utc_ns is None:
        return None
    try:
        return (_EPOCH + timedelta(seconds=utc_ns // 10**9)).astimezone(zone).replace(tzinfo=None)
    except (OverflowError, ValueError):
        return None
