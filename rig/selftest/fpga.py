"""Self-test of the FPGA: which build answers, its clock, and its whole digital chain by the phantom load."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from drivers.clock import Clock
from drivers.errors import DriverError
from drivers.phantom import remove
from drivers.spi_link import SpiLink
from gateware.record_words import Record, RecordFlag
from gateware.registers import REGISTERS, TICK_BITS, Capability
from rig.meter.billing.time_units import SECOND_NS
from rig.selftest.expected_records import ExpectedRecords, compare, expected_records, sums_present
from rig.selftest.part import Part

CLOCK_S = 1
"""How long ticks are counted."""

CLOCK_PPM = 1000
"""Two crystals are within 200 ppm; the rest is that a read of the ticks takes half a millisecond on a busy host."""

MOST_RECORDS = 40
"""Until then the records that are known must have come: they end within 0.1 s."""

MOST_S = 2.0


def build(link: SpiLink, wanted: Collection[int]) -> Part:
    """Say which bitstream answers; it fails where it is none of those `wanted`, if any are."""
    identity = link.identity
    names = [each.name or "" for each in Capability if each in identity.capabilities]
    found = f"build {identity.build:08x}, {float(identity.clock_hz) / 1e6:.4f} MHz, {', '.join(names).lower()}"
    if wanted and identity.build not in wanted:
        known = " or ".join(f"{each:08x}" for each in sorted(wanted))
        return Part("build", False, f"{found}: it must be {known}; load it with rig gateware flash")
    compared = "as it was built here" if wanted else "not compared, as none was built here"
    return Part("build", True, f"{found}: {compared}")


def ticks(link: SpiLink, clock: Clock) -> Part:
    """Compare the FPGA's ticks with the host's clock over CLOCK_S."""
    begin_ns, begin = clock.now_ns(), link.ticks()
    clock.wait_until(begin_ns + CLOCK_S * SECOND_NS)
    end_ns, end = clock.now_ns(), link.ticks()
    nominal = link.identity.tick_hz
    ppm = float(((end - begin) % (1 << TICK_BITS)) * SECOND_NS / (nominal * (end_ns - begin_ns)) - 1) * 1e6
    found = f"the modulator clock is {ppm:+.0f} ppm from {float(nominal) / 1e6:.6f} MHz by this computer's"
    if abs(ppm) > CLOCK_PPM:
        return Part("clock", False, f"{found}: it must be within {CLOCK_PPM}; the bitstream is of another crystal")
    return Part("clock", True, found)


def phantom(link: SpiLink, clock: Clock) -> Part:
    """Play the phantom load, and compare its records with those that are known. The pins are measured again after."""
    if Capability.PHANTOM_LOAD not in link.identity.capabilities:
        return Part(
            "phantom load",
            None,
            "not tested: this build has none; rig gateware build --board icebreaker --self-test makes one",
        )
    known = expected_records()
    try:
        begun = _begin(link, known)
        seen = _records(link, clock)
    except DriverError as error:
        return Part("phantom load", False, f"it cannot be played: {error}")
    finally:
        with suppress(DriverError):  # a board that is gone plays nothing
            remove(link)
    places = sums_present(link.identity.capabilities)
    found = compare(seen, *begun, places, known)
    if found.difference is not None:
        return Part("phantom load", False, found.difference)
    return Part(
        "phantom load",
        True,
        f"{found.equal} records of {len(places)} sums are as they must be, the farthest off by {found.part:.0%} of "
        "what it may be",
    )


def _begin(link: SpiLink, known: ExpectedRecords) -> tuple[int, int]:
    """Switch the load on; gives two ticks between which that was."""
    remove(link)
    for register in REGISTERS:
        if register.config and register.name != "PHANTOM" and register.needs in link.identity.capabilities:
            link.write(register.name, register.reset or 0)
    link.write("OSCILLATOR_STEP", known.oscillator_step)
    link.write("PHANTOM_STEP", known.step)
    for index, value in enumerate(known.waves):
        link.write_block("PHANTOM_WAVES", index, value)
    for _ in link.records():
        pass
    before = link.ticks()
    link.write("PHANTOM", 1)
    return before, link.ticks()


def _records(link: SpiLink, clock: Clock) -> list[Record]:
    seen: list[Record] = []
    until_ns = clock.now_ns() + int(MOST_S * SECOND_NS)
    wanted = max(record.at_sample for record in expected_records().records)
    begun: int | None = None
    while len(seen) < MOST_RECORDS and clock.now_ns() < until_ns:
        for record in link.records():
            seen.append(record)
            if RecordFlag.PHANTOM in record.flags:
                begun = record.tick_start if begun is None else begun
                if (record.tick_end - begun) % (1 << TICK_BITS) > (wanted + 420) * link.identity.ticks_per_sample:
                    return seen
        clock.wait_until(clock.now_ns() + SECOND_NS // 200)
    return seen
