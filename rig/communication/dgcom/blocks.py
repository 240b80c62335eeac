"""Blocks that DGCOM's read commands give, by opcode (X-1).

Energies and demands are in pulses of K, cut off: K is the nameplate's, Ks/12, in thousandths of a Wh. Only blocks whose
every byte is publicly described are there. What the meter does not have is 0: a fifth rate, power factors. Ours are the
board's revision, the type of demand, the codes of a metric that DGCOM has none for, and which error bit a faulty record
sets.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from rig.communication.c1219.facts import MeterFacts, Need
from rig.communication.dgcom.encoding import (
    REGISTER_BYTES,
    bcd,
    date_bytes,
    demand_pulses,
    energy_pulses,
    time_bytes,
    timestamp,
    u16,
)
from rig.communication.dgcom.programming import IN_FORCE, long_block
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.quantity import Kind, Quantity
from rig.meter.billing.snapshot import DemandReading
from rig.meter.billing.tariff import Rate
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.models import ModelCapability

BINS = 5
"""Rates that blocks have; the fifth is not the meter's, and 0."""

MOST_CHANNELS = 15
NO_METRIC = 0xFF

_METRICS = {Kind.WH: 0x00, Kind.VAH_RMS: 0x03, Kind.VARH: 0x06, Kind.VAH_TD: 0x11}
_RX, _OTHER = 3, 2


class BlockError(Exception):
    """A block that this meter does not have."""


@dataclass(frozen=True)
class Block:
    """A block: its name, how it is made of facts and a command's parameters, and which facts."""

    name: str
    make: Callable[[MeterFacts, bytes], bytes]
    needs: frozenset[Need] = frozenset({Need.PROGRAM})
    reader: bool = False


# --- identity --------------------------------------------------------------------------------------------------


def _version(facts: MeterFacts, _: bytes) -> bytes:
    firmware = facts.program.metering.firmware
    major, minor = (facts.software if firmware is None else firmware.version).split(".")[:2]
    family = _RX if facts.program.metering.has(ModelCapability.REACTIVE) else _OTHER
    return bytes((family << 4 | min(int(major), 15),)) + bcd(int(minor), 1)


def _serial(facts: MeterFacts, _: bytes) -> bytes:
    digits = "".join(sign for sign in facts.program.nameplate.serial if sign.isdecimal())
    return bcd(int(digits or "0"), 4) + bytes((0, 1))


def _identity(facts: MeterFacts, _: bytes) -> bytes:
    return facts.program.nameplate.serial.encode("ascii", "replace").ljust(15)[:15][::-1]


def _configuration(facts: MeterFacts, _: bytes) -> bytes:
    metering, recorder = facts.program.metering, facts.program.billing.recorder
    name = metering.model.name
    bits = (name.startswith("AXL"), name.startswith("AX"), facts.program.nameplate.phases == 1)
    large = recorder is not None and recorder.memory_bytes > 1 << 15
    return bytes((sum(bit << place for place, bit in enumerate(bits)) | large << 6,))


def _options(facts: MeterFacts, _: bytes) -> bytes:
    metering, recorder, file = facts.program.metering, facts.program.billing.recorder, facts.program.file
    bits = {
        0: facts.has_demand and file.tou is None and recorder is None,
        1: file.tou is not None,
        2: recorder is not None,
        3: metering.has(ModelCapability.RECORDER),
        4: recorder is not None and recorder.memory_bytes == 1 << 15,
        5: recorder is not None and recorder.memory_bytes == 1 << 17,
    }
    return bytes((sum(bool(bit) << place for place, bit in bits.items()), 0x12, 0x34))


# --- clock, constants ------------------------------------------------------------------------------------------


def _time(facts: MeterFacts, _: bytes) -> bytes:
    return time_bytes(facts.now.time())


def _date(facts: MeterFacts, _: bytes) -> bytes:
    return date_bytes(facts.now.date())


def k_wh(facts: MeterFacts) -> Fraction:
    """Give the Wh of a pulse: K of the nameplate, or where three BCD bytes of thousandths do not hold it, 1."""
    k = facts.program.nameplate.k_wh
    return k if (1000 * k).denominator == 1 and 0 < 1000 * k < 10**6 else Fraction(1)


def _k_factor(facts: MeterFacts, _: bytes) -> bytes:
    return bcd(int(1000 * k_wh(facts)), 3)


def _kh(facts: MeterFacts, _: bytes) -> bytes:
    return bcd(int(1000 * facts.program.ks.wh), 3)


def _scale(facts: MeterFacts, _: bytes) -> bytes:
    return b"\0"


def _demand_settings(facts: MeterFacts) -> DemandSettings:
    demand = facts.program.billing.demand
    if demand is None:
        raise BlockError("the meter has no demand")
    return demand


def _demand(facts: MeterFacts, _: bytes) -> bytes:
    demand = _demand_settings(facts)
    return bytes((demand.subinterval_s // 60, demand.kind is DemandKind.THERMAL, demand.subintervals - 1))


def _metrics(facts: MeterFacts) -> list[Quantity | None]:
    """Billing metric, selectable metric, third metric."""
    demand = facts.program.billing.demand
    quantities: list[Quantity | None] = [] if demand is None else list(demand.quantities)
    return (quantities + [None] * 3)[:3]


def _code(quantity: Quantity | None) -> int:
    return NO_METRIC if quantity is None else _METRICS[Kind(quantity.adds[0] % len(Kind))]


def _units(facts: MeterFacts, _: bytes) -> bytes:
    billing, selectable, third = _metrics(facts)
    return bytes((_code(selectable), _code(billing), _code(third)))


# --- registers -------------------------------------------------------------------------------------------------


def _energies(facts: MeterFacts, quantity: Quantity | None) -> bytes:
    if quantity is None:
        return bytes(REGISTER_BYTES * (BINS + 1))
    registers, k = facts.reading.registers, k_wh(facts)
    rates = [registers.energy_nwh(quantity, rate) for rate in Rate]
    found = [*rates, *[0] * (BINS - len(rates)), registers.energy_nwh(quantity)]
    return b"".join(bcd(energy_pulses(nano, k), REGISTER_BYTES) for nano in found)


def _energy(facts: MeterFacts, _: bytes) -> bytes:
    return _energies(facts, Quantity.KWH_DELIVERED) + _energies(facts, _metrics(facts)[1])


class _Demands:
    """Demand registers in pulses; place 0 billing metric, 1 selectable, 2 third."""

    def __init__(self, facts: MeterFacts) -> None:
        demand = _demand_settings(facts)
        self._facts, self._k = facts, k_wh(facts)
        self._minutes = demand.subinterval_s * demand.subintervals // 60
        self._places = len(demand.quantities)

    def pulses(self, nano: int) -> bytes:
        """Two bytes of a demand."""
        return u16(demand_pulses(nano, self._k, self._minutes))

    def bin(self, place: int, rate: int | None) -> DemandReading | None:
        """Registers of a metric in total or of a rate; None where there is none."""
        if place >= self._places or (rate is not None and rate >= len(Rate)):
            return None
        return self._facts.reading.registers.demand[place][0 if rate is None else 1 + rate]

    def maximum(self, place: int, rate: int | None) -> bytes:
        """Time and value of a maximum."""
        bin = self.bin(place, rate)
        if bin is None:
            return bytes(8)
        return timestamp(self._facts.local(bin.maximum.at_ns)) + self.pulses(bin.maximum.value)

    def coincident(self, place: int, of: int, rate: int | None) -> bytes:
        """Another metric's demand at a maximum; `of` counts the others."""
        bin = self.bin(place, rate)
        values = () if bin is None else bin.maximum.coincident
        return self.pulses(values[of]) if of < len(values) else bytes(2)


def _previous(facts: MeterFacts, _: bytes) -> bytes:
    demands = _Demands(facts)
    found = [
        bytes(2) if (bin := demands.bin(place, None)) is None else demands.pulses(bin.previous) for place in range(3)
    ]
    return found[0] + found[1] + bytes(4) + found[2]


def _rates(facts: MeterFacts, _: bytes) -> bytes:
    demands = _Demands(facts)
    return b"".join(
        demands.maximum(0, rate) + demands.maximum(1, rate) + demands.coincident(0, 0, rate) + bytes(2)
        for rate in range(BINS)
    )


def _third(facts: MeterFacts, _: bytes) -> bytes:
    demands = _Demands(facts)
    third = _metrics(facts)[2]
    energy = 0 if third is None else facts.reading.registers.energy_nwh(third)
    return (
        demands.maximum(2, None)
        + bytes(2)
        + demands.coincident(2, 0, None)
        + bcd(energy_pulses(energy, k_wh(facts)), REGISTER_BYTES)
    )


# --- errors ----------------------------------------------------------------------------------------------------

_PHASE_BITS = {
    Diagnostic.PHASE_C_OUT: 0,
    Diagnostic.PHASE_B_OUT: 1,
    Diagnostic.PHASE_A_OUT: 3,
    Diagnostic.UNKNOWN_SERVICE: 7,
}
_PHASE_ERROR, _MEASUREMENT_ERROR, _OVERRUN = 1 << 2, 1 << 5, 1 << 3


def _errors(facts: MeterFacts, _: bytes) -> bytes:
    active = facts.reading.installation.active
    phases = sum(1 << bit for diagnostic, bit in _PHASE_BITS.items() if diagnostic in active)
    faulty = bool(facts.reading.faults)
    second = (_PHASE_ERROR if phases else 0) | (_MEASUREMENT_ERROR if faulty else 0)
    return bytes((0, second, 0xFF, 0xFF, 0, phases, _OVERRUN if faulty else 0))


# --- load profile ----------------------------------------------------------------------------------------------

_INTERVAL_BITS = {15: 1 << 1, 30: 1 << 2, 5: 1 << 5, 1: 1 << 6}
KILOBYTE = 1024


def _profile_options(facts: MeterFacts, _: bytes) -> bytes:
    recording = facts.recording
    if recording is None:
        raise BlockError("the meter has no recorder")
    settings = recording.profile.settings
    return (
        bytes((_INTERVAL_BITS.get(settings.interval_min, 0), len(settings.channels)))
        + bcd(settings.interval_min, 1)
        + u16(len(recording.profile.intervals))
        + bytes(2)
    )


def _profile_metrics(facts: MeterFacts, _: bytes) -> bytes:
    recorder = facts.program.billing.recorder
    if recorder is None:
        raise BlockError("the meter has no recorder")
    codes = [channel.metric.code for channel in recorder.channels]
    return bytes(codes + [NO_METRIC] * (MOST_CHANNELS - len(codes)))


def _profile(facts: MeterFacts, parameters: bytes) -> bytes:
    """The newest words, as many as so many kilobytes have."""
    if facts.recording is None or not parameters[0]:
        raise BlockError("the meter has no recorder, or nothing was asked for")
    words = facts.recording.words[-parameters[0] * KILOBYTE // 2 :]
    return struct.pack(f"<{len(words)}H", *words)


def _program(facts: MeterFacts, _: bytes) -> bytes:
    """The program in force, as MT1 of C12.19 has it: digest, then tables as JSON, without keys."""
    return long_block(facts.digest.encode("ascii") + msgspec.json.encode(facts.tables))


_READING = frozenset({Need.READING, Need.PROGRAM})
_PROFILE = _READING | {Need.PROFILE}

BLOCKS: Mapping[int, Block] = {
    0x01: Block("time", _time, _READING),
    0x02: Block("date", _date, _READING),
    0x03: Block("load profile, the newest kilobytes", _profile, _PROFILE, reader=True),
    0x08: Block("version", _version),
    0x0F: Block("demand interval", _demand),
    0x1F: Block("K factor", _k_factor),
    0x5A: Block("options", _options),
    0x6D: Block("Kh", _kh),
    0x6F: Block("device identity", _identity),
    0x83: Block("errors", _errors, _READING),
    0x87: Block("serial number", _serial),
    0x8A: Block("scale factor", _scale),
    0x8F: Block("configuration", _configuration),
    0x99: Block("third metric", _third, _READING),
    0xA0: Block("energies by rate", _energy, _READING),
    0xA6: Block("load profile metrics", _profile_metrics),
    0xAC: Block("maxima by rate", _rates, _READING),
    0xC3: Block("load profile options", _profile_options, _PROFILE, reader=True),
    0xC4: Block("metrics", _units),
    0xC6: Block("demand of the previous interval", _previous, _READING),
    IN_FORCE: Block("program in force", _program, reader=True),
}
"""By opcode. Reading a load profile or the program takes level 1, as by C12.19; the last one is our own."""
