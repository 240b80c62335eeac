"""DGCOM by a host written from its public description: link, registers against JSON, a load profile, levels (X-1)."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from dgcom_host import Host, Refused, digits
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.communication.c1219.outcome import Outcome, carry_out
from rig.communication.dgcom import link as dgcom_link
from rig.communication.dgcom.blocks import BLOCKS
from rig.communication.dgcom.device import DgcomDevice
from rig.communication.dgcom.link import MOST_AGAIN, WAKE_S, DgcomLink, DgcomLinkState, packets
from rig.daemon.protocol import Asked, SetClock
from rig.meter.billing.profile_reading import read_profile
from rig.profile.reading import csv_bytes
from rig.profile.stored import stored_profile
from rig.results.exact_encoding import exact_reading
from tests.rig.communication.served_tables import ServedTables
from tests.rig.communication.table_bench import MeterTables
from tests.rig.communication.test_profile_tables import program as recording_program
from tests.rig.communication.test_profile_tables import year
from tests.rig.kept_meter import KeptMeter
from tests.rig.reading.read_meters import lived, program

FLOW = [("flow", (900, q % 4, 10**13 + 7 * q, 10**12 + q, 2 * 10**13, 3 * 10**13)) for q in range(23)]


class Line:
    """A meter's link and device, and a host at the other end."""

    def __init__(self, ask: Any, level: int = 4, spoilt: int = 0) -> None:
        self.link, self.device, self.level, self._ask = DgcomLink(), DgcomDevice("0.9.1"), level, ask
        self.host = Host(self.exchange, spoilt)

    def exchange(self, data: bytes) -> bytes:
        sent, command = self.link.feed(data, 0.0)
        if command is None:
            return sent
        reply = carry_out(self.device.carry_out(command, level=self.level), self._ask)
        return sent + self.link.answer(reply.status, reply.packets)


def line(kept: KeptMeter, folder: Path | None = None, **other: Any) -> Line:
    return Line(MeterTables(kept, folder)._ask, **other)


# --- registers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["block", "sliding", "thermal", "industrial"])
def test_registers_are_jsons_in_pulses_of_k(kind: str) -> None:
    kept, _ = lived(program(kind), [*FLOW, ("reset", ()), *FLOW, ("idle", (200,))])
    exact = exact_reading(kept.meter.reading())
    host = line(kept).host
    k = Fraction(digits(host.command(0x1F)), 1000)
    assert k == kept.program.ks.wh / 12 == Fraction(digits(host.command(0x6D)), 12000)

    def pulses(nano: int) -> int:
        return int(Fraction(nano, 10**9) / k)

    data = host.command(0xA0)
    found = [digits(data[at : at + 6]) for at in range(0, 72, 6)]
    assert len(data) == 72
    delivered = [
        int(e.q1.nwh) + int(e.q4.nwh) for e in [*exact.registers.energy_rates.values(), exact.registers.energy]
    ]
    assert found[:6] == [*map(pulses, delivered[:4]), 0, pulses(delivered[4])]
    minutes = 15

    def of_demand(nano: int | str) -> int:
        return min(65535, int(Fraction(int(nano), 10**9) / k * Fraction(minutes, 60)))

    previous = struct.unpack("<5H", host.command(0xC6))
    totals = [demand.total for demand in exact.registers.demand]
    assert [previous[0], previous[1], previous[4]] == [of_demand(total.previous_nw) for total in totals]
    data = host.command(0xAC)
    assert len(data) == 100
    for place, rate in enumerate("ABCD"):
        part = data[20 * place : 20 * place + 20]
        kw, km = (demand.rates[rate].maximum for demand in exact.registers.demand[:2])
        assert struct.unpack_from("<H", part, 6)[0] == of_demand(kw.value_nw)
        assert struct.unpack_from("<H", part, 14)[0] == of_demand(km.value_nw)
        assert struct.unpack_from("<H", part, 16)[0] == of_demand(kw.coincident_nw[0])
        if kw.at_utc_ns is None:
            assert part[:6] == bytes(6)
        else:
            at = kept.program.billing.calendar.local(int(kw.at_utc_ns))
            minute, hour, weekday, yy, day, month = (digits(part[n : n + 1]) for n in range(6))
            assert (minute, hour, yy, day, month) == (at.minute, at.hour, at.year - 2000, at.day, at.month)
            assert weekday == at.isoweekday() % 7 + 1
    assert data[80:] == bytes(20), "a fifth rate that the meter does not have"


def test_identity_clock_and_settings() -> None:
    kept, _ = lived(program("industrial"), [])
    host = line(kept).host
    assert host.command(0x08) == b"\x37\x18", "RX, 7.18"
    assert host.command(0x6F)[::-1].decode().rstrip() == "87 654 322"
    assert digits(host.command(0x87)[:4]) == 87654322
    assert host.command(0x0F) == bytes((15, 1, 0)), "thermal, 15 min"
    assert host.command(0xC4) == bytes((0x03, 0x00, 0x06)), "kM kVA rms, billing kW, kM3 kvar"
    local = kept.program.billing.calendar.local(kept.now_ns)
    assert [digits(host.command(0x01)[n : n + 1]) for n in range(3)] == [local.second, local.minute, local.hour]
    assert [digits(host.command(0x02)[n : n + 1]) for n in (1, 2, 3)] == [local.year - 2000, local.day, local.month]
    assert host.command(0xA6) == bytes((0, 1, 6, 7, 3, 17, 18, 8, 9, 10, 12, 13, 14, 11, 15))
    assert host.command(0x83) == bytes((0, 0, 0xFF, 0xFF, 0, 0, 0))


@pytest.mark.parametrize("opcode", [0x00, 0x04, 0x55, 0xAA, 0xA8, 0xC1, 0xFE])
def test_what_is_not_there_is_refused(opcode: int) -> None:
    kept, _ = lived(program("no demand"), [])
    with pytest.raises(Refused):
        line(kept).host.command(opcode)


def test_a_meter_without_demand_or_recorder_refuses_them() -> None:
    host = line(lived(program("no demand"), [])[0]).host
    for opcode in (0x0F, 0xC6, 0xAC, 0x99, 0xC3, 0xA6, 0x03):
        with pytest.raises(Refused):
            host.command(opcode, b"\x01")
    assert len(host.command(0xA0)) == 72


# --- load profile ---------------------------------------------------------------------------------------------


def test_a_load_profile_is_what_is_exported(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    kept = year(recording_program(7, 15, 32), folder, 24 * 30, 2)
    kept.fails()
    made, profile = stored_profile(folder)
    dial = line(kept, folder, spoilt=4)
    data = dial.host.command(0x03, b"\x20")
    words = struct.unpack(f"<{len(data) // 2}H", data)
    assert len(data) > 16384
    newest = datetime.fromtimestamp(kept.now_ns / 10**9 + 86400, UTC).date()
    again = read_profile(words, profile.settings, newest)
    assert csv_bytes(again, made) == csv_bytes(profile, made)
    assert dial.host.command(0x03, b"\x01") == data[-1024:]
    options = dial.host.command(0xC3)
    assert (options[0], options[1], digits(options[2:3])) == (2, 7, 15)
    assert struct.unpack_from("<H", options, 3)[0] == len(profile.intervals)
    for refused in (line(kept, folder, level=0), line(kept)):
        with pytest.raises(Refused):
            refused.host.command(0x03, b"\x20")
    with pytest.raises(Refused):
        dial.host.command(0x03, b"\x00")


@pytest.mark.slow
@pytest.mark.parametrize(("channels", "minutes", "memory"), [(7, 60, 128), (2, 15, 32)])
def test_a_year(channels: int, minutes: int, memory: int, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    kept = year(recording_program(channels, minutes, memory), folder, 24 * 366, 3)
    kept.fails()
    made, profile = stored_profile(folder)
    data = line(kept, folder).host.command(0x03, bytes((memory,)))
    words = struct.unpack(f"<{len(data) // 2}H", data)
    newest = datetime.fromtimestamp(kept.now_ns / 10**9 + 86400, UTC).date()
    assert csv_bytes(read_profile(words, profile.settings, newest), made) == csv_bytes(profile, made)


# --- levels ---------------------------------------------------------------------------------------------------

KEYS = '[demand]\n[security]\nlevel_1 = "111111"\nlevel_2 = "A2B2C2"\nlevel_3 = "333333"\nlevel_4 = "444444"\n'


@pytest.mark.parametrize("hour_utc", [5, 6])
def test_in_a_doubled_hour_a_clock_that_is_corrected_stays_in_its_pass(hour_utc: int) -> None:
    """Toronto, 7 November 2027: 01:30 is at 05:30 UTC, and at 06:30 again. DGCOM cannot say which."""
    served = ServedTables(KEYS + '[clock]\nzone = "America/Toronto"\n')
    try:
        served.run(1)
        served.log_on("A2B2C2")
        begun = datetime(2027, 11, 7, hour_utc, 30, tzinfo=UTC).timestamp()
        for opcode, parameters, moved_s in ((0x22, b"\x01\x27\x07\x11", 0), (0x21, b"\x10\x31\x01", 70)):
            assert served.ask(SetClock(int(begun) * 10**9)).refused is None
            assert Line(served.ask).host.command(opcode, parameters) == b""
            assert abs(served.reading().utc_ns / 1e9 - begun - moved_s) < 1
    finally:
        served.close()


def test_what_changes_the_meter_takes_its_level() -> None:
    served = ServedTables(KEYS)
    try:
        served.run(1)
        dial = Line(served.ask)
        host = dial.host
        for opcode, parameters in ((0x2B, b""), (0x21, b"\x00\x30\x12"), (0x22, b"\x05\x27\x01\x07")):
            with pytest.raises(Refused):
                host.command(opcode, parameters)
        with pytest.raises(Refused):
            host.command(0xFF, bytes.fromhex("A2B2C3"))
        assert host.command(0xFF, bytes.fromhex("A2B2C2")) == b"\xdd"
        resets = served.reading().resets
        assert host.command(0x2B) == b""
        assert served.reading().resets == resets + 1
        assert host.command(0x22, b"\x05\x27\x01\x07") == b"", "1 July 2027"
        assert host.command(0x21, b"\x00\x30\x12") == b""
        wanted = int(datetime(2027, 7, 1, 12, 30, tzinfo=UTC).timestamp()) * 10**9
        assert abs(served.reading().utc_ns - wanted) < 10**9
        for wrong in (b"\x00\x61\x12", b"\x00\x0a\x12", b"\x00\x30\x24"):
            with pytest.raises(Refused):
                host.command(0x21, wrong)
        for wrong in (b"\x05\x27\x30\x02", b"\x00\x27\x02\x07", b"\x08\x27\x02\x07"):
            with pytest.raises(Refused):
                host.command(0x22, wrong)
        assert host.command(0x79) == b""
        with pytest.raises(Refused):
            host.command(0x2B)
    finally:
        served.close()


# --- link -----------------------------------------------------------------------------------------------------

COMMAND = bytes((0x1F,)) + bytes(8)
SUM = b"\x1f\x00"


def in_state(state: DgcomLinkState) -> DgcomLink:
    link = DgcomLink()
    reached = {
        DgcomLinkState.ASLEEP: b"",
        DgcomLinkState.WOKEN: b"\x55",
        DgcomLinkState.COMMAND: b"\x55\xaa",
        DgcomLinkState.ASKED: b"\x55\xaa" + COMMAND + SUM,
        DgcomLinkState.SENT: b"\x55\xaa" + COMMAND + SUM,
    }[state]
    link.feed(reached, 0.0)
    if state is DgcomLinkState.SENT:
        link.answer(0x33, packets(bytes(300)))
    assert link.state is state
    return link


def rows() -> list[tuple[DgcomLinkState, str, str, DgcomLinkState]]:
    """The table of the link's docstring."""
    states = {state.value: state for state in DgcomLinkState}
    found = []
    for text in (dgcom_link.__doc__ or "").splitlines():
        cells = [text[4:13].strip(), text[13:40].strip(), text[40:60].strip(), text[60:].strip()]
        if text.startswith("    ") and cells[0] in states and cells[3] in states:
            found.append((states[cells[0]], cells[1], cells[2], states[cells[3]]))
    return found


@pytest.mark.parametrize(("state", "byte", "sends", "following"), rows())
def test_the_links_table(state: DgcomLinkState, byte: str, sends: str, following: DgcomLinkState) -> None:
    link = in_state(state)
    if byte.startswith("of 11"):
        wrong = byte.endswith("or not")
        sent, command = link.feed(COMMAND + (b"\x00\x1f" if wrong else SUM), 0.1)
        assert (sent, command is None) == ((b"\x99", True) if wrong else (b"", False))
    else:
        if byte == "66, none is left":
            link.feed(b"\x66\x66", 0.1)
        if byte == "55, once too often":
            assert link.feed(b"\x55" * MOST_AGAIN, 0.1)[0] == b"\x55" * MOST_AGAIN
        number = {"any": 0x55, "any other": 0x00}.get(byte)
        sent, _ = link.feed(bytes((int(byte[:2], 16) if number is None else number,)), 0.1)
        block = packets(bytes(300))
        expected = {"-": b"", "the next packet": block[1], "the packet again": block[0]}
        assert sent == expected.get(sends, bytes.fromhex(sends) if len(sends) == 2 else b"")
    assert link.state is following


def test_the_table_is_whole() -> None:
    assert {state for state, *_ in rows()} == set(DgcomLinkState)
    assert len(rows()) == 13


def test_silence_and_repetitions_end_it() -> None:
    link = in_state(DgcomLinkState.COMMAND)
    link.feed(b"\x1f", 1.0)
    assert link.feed(b"\x00", 1.1 + WAKE_S) == (b"", None)
    assert link.state is DgcomLinkState.ASLEEP
    link = in_state(DgcomLinkState.SENT)
    for _ in range(MOST_AGAIN):
        assert link.feed(b"\x99", 0.1)[0]
    assert link.feed(b"\x99", 0.1)[0] == b""
    assert link.state is DgcomLinkState.ASLEEP
    assert link.answer(0x33) == b"", "nobody asked"


def test_a_head_that_reflects_ends_it() -> None:
    link, sent = DgcomLink(), b"\x55"
    for _ in range(100):
        sent, _ = link.feed(sent, 0.1)
        if not sent:
            break
    assert link.state is DgcomLinkState.ASLEEP
    assert link.feed(b"\x55\xaa", 0.2)[0] == b"\x55\xaa", "it wakes as ever"


@given(st.lists(st.binary(max_size=30) | st.just(b"\x55\xaa" + COMMAND + SUM), max_size=12))
@settings(max_examples=200)
def test_noise_never_holds_a_line(noise: list[bytes]) -> None:
    def ask(_: Asked) -> Outcome:
        return Outcome(None, "no")

    dial = Line(ask)
    for n, data in enumerate(noise):
        _, command = dial.link.feed(data, 0.01 * n)
        if command is not None:
            reply = carry_out(dial.device.carry_out(command, level=0), ask)
            dial.link.answer(reply.status, reply.packets)
    _, command = dial.link.feed(b"\x55\xaa" + COMMAND + SUM, 100.0)
    assert command is not None
    assert command.opcode == 0x1F


def test_every_block_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "dgcom.md").read_text(encoding="utf-8")
    named = {
        code
        for row in text.splitlines()
        if row.startswith("| ")
        for code in row.split("|")[1].replace(",", " ").split()
    }
    assert {f"{opcode:02X}" for opcode in BLOCKS} <= named
