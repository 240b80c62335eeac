"""A meter that speaks DGCOM, found, read and reset over its port in virtual time; damage and breaks (X-2, M-7)."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from cut_line import CutLine
from dgcom_host import digits
from own_file import own_file
from port_bench import PortBench
from programmer_bench import ProgrammerBench
from psem_client import VirtualLine
from served_port import ServedMeter
from served_tables import ServedTables

from rig.communication.port.dgcom_port import DgcomPort
from rig.daemon.protocol import ReadProfile
from rig.reader.actions import ActionError, act
from rig.reader.blocks_shown import block_values
from rig.reader.connecting import Approach, WrongPassword
from rig.reader.dgcom_conversation import BLOCKS, DgcomRefused
from rig.reader.line import MeterLineError
from rig.reader.meter import MeterAccess, NoTables
from rig.reader.partial import PartialReading
from rig.reader.passwords import Passwords
from rig.reader.reading import Extent, OtherMeter
from rig.reader.reading_file import encoded, load_reading
from rig.reader.run import MeterRun, ReadingBroke
from rig.reader.shown import lines

PROGRAM = """
[meter]
firmware = "7.16"
serial = "12 345 678"
[clock]
zone = "America/Toronto"
[demand]
quantities = ["kW delivered", "kvar lagging"]
[security]
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""


class Bench:
    """A DGCOM port and a reader at its line."""

    def __init__(self, folder: Path, program: str = PROGRAM) -> None:
        self.tables = ServedTables(program)
        self.tables.run(0.5)
        self.port = DgcomPort(ServedMeter(self.tables), "0.9.1", shares_light=True)
        self.line = CutLine(VirtualLine(self.port, self.serve))
        self.folder = folder
        self.password("222222")

    def close(self) -> None:
        self.tables.close()

    def serve(self, now_ns: int) -> None:
        if not self.port.speaks:
            self.port.carry_out(now_ns)

    def password(self, text: str) -> None:
        own_file(self.folder / "password", text)
        self.access = MeterAccess(
            "optical", Approach(), Passwords(self.folder / "password"), self.line.open, self.line.pause
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("dgcom"))
    yield made
    made.close()


@pytest.fixture
def bench(made: Bench) -> Bench:
    made.line.left = None
    made.line.line.to_client = lambda data: data
    made.line.pause(60)
    made.password("222222")
    return made


def test_it_is_found_and_read(bench: Bench, tmp_path: Path) -> None:
    """C12.18's identify first, which it does not hear."""
    MeterRun(bench.access, tmp_path / "r.json").read(Extent(), lambda done, of, what: None)
    reading = load_reading(tmp_path / "r.json")
    assert (reading.protocol, reading.identity, reading.tables) == ("DGCOM", None, [])
    assert {block.opcode for block in reading.blocks} == {block.opcode for block in BLOCKS}
    found = dict(zip((b.opcode for b in reading.blocks), block_values(reading.blocks), strict=True))
    data = {block.opcode: block.bytes for block in reading.blocks}
    assert found[0x6F] == {"serial": "12 345 678"}
    assert found[0x08] == {"firmware": "7.16", "family": "RX"}
    kwh = digits(data[0xA0][30:36]) * digits(data[0x1F]) / 10**6
    assert float(found[0xA0]["kWh delivered total"]) == pytest.approx(kwh)
    registered = bench.tables.reading().registers.energy
    assert kwh == pytest.approx(sum(registered[place] for place in (0, 12)) / 10**12, abs=digits(data[0x1F]) / 10**6)
    said = "\n".join(lines(reading))
    assert "DGCOM · SIMULATED" in said
    assert "serial 12 345 678" in said


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ["Billing", "kWh delivered", "energy alone"]), ("fr", ["kWh fournie", "que l&#x27;énergie"])],
)
def test_a_report_has_its_energies_digit_for_digit(
    bench: Bench, tmp_path: Path, command_line, language: str, words: list[str]
) -> None:
    reading = MeterRun(bench.access, tmp_path / "r.json").read(Extent(), lambda done, of, what: None)
    data = {block.opcode: block.bytes or b"" for block in reading.blocks}
    done = command_line("report", "r.json", "--out", "r.html", "--out", "r.csv", "--language", language)
    assert done.status == 0, done.err
    page = (tmp_path / "r.html").read_text()
    assert all(word in page for word in [*words, "12 345 678", "7.16"])
    rows = [line.split(",") for line in (tmp_path / "r.csv").read_text().splitlines() if not line.startswith("#")]
    table = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    for place, name in ((0, "kWh delivered"), (36, None)):
        quantity = name or next(row["quantity"] for row in table if row["quantity"] != "kWh delivered")
        found = {row["rate"]: Fraction(row["value"]) for row in table if row["quantity"] == quantity}
        bins = dict(zip(["A", "B", "C", "D"], range(0, 24, 6), strict=True)) | {"": 30}
        pulses = {rate: digits(data[0xA0][place + at : place + at + 6]) for rate, at in bins.items()}
        assert found == {rate: Fraction(count * digits(data[0x1F][:3]), 10**6) for rate, count in pulses.items()}

    begun = datetime.fromisoformat(next(block.read_utc for block in reading.blocks if block.opcode == 0x01))
    blocks = [
        msgspec.structs.replace(block, read_utc=str(begun - timedelta(days=2))) if block.opcode == 0xA0 else block
        for block in reading.blocks
    ]
    (tmp_path / "old.json").write_bytes(encoded(msgspec.structs.replace(reading, blocks=blocks)))
    assert command_line("report", "old.json", "--out", "old.csv").status == 0
    at = []
    for name in ("r.csv", "old.csv"):
        row = next(line for line in (tmp_path / name).read_text().splitlines() if line.startswith("present"))
        at.append(datetime.fromisoformat(row.split(",")[1]))
    earlier = at[0] - at[1]
    assert timedelta(days=1, hours=23, minutes=59) < earlier <= timedelta(days=2), "two days before the clock"


def test_no_step_waits_for_a_time_out(bench: Bench) -> None:
    """After the four seconds in which C12.18 is not answered: 19 blocks of a few dozen bytes, 0.1 s each."""
    begun_ns = bench.line.now_ns()
    MeterRun(bench.access, None).read(Extent(), lambda done, of, what: None)
    assert bench.line.now_ns() - begun_ns < 7 * 10**9


def test_damage_is_repaired(bench: Bench, tmp_path: Path) -> None:
    dice = random.Random(3)

    def spoil(data: bytes) -> bytes:
        return data[:-1] + bytes((data[-1] ^ 4,)) if len(data) > 4 and dice.random() < 0.3 else data

    bench.line.line.to_client = spoil
    damaged = MeterRun(bench.access, None).read(Extent(), lambda done, of, what: None)
    bench.line.line.to_client = lambda data: data
    whole = MeterRun(bench.access, None).read(Extent(), lambda done, of, what: None)
    still = {0x08, 0x0F, 0x1F, 0x5A, 0x6D, 0x6F, 0x87, 0x8A, 0x8F, 0xC4}
    assert [b.data for b in damaged.blocks if b.opcode in still] == [b.data for b in whole.blocks if b.opcode in still]


def test_it_goes_on_after_a_break(bench: Bench, tmp_path: Path) -> None:
    """Each break brings something; none is asked for twice."""
    out = tmp_path / "r.json"
    breaks = 0
    for _ in range(8):
        bench.line.left = 700
        bench.line.on_cut = lambda: setattr(bench.line, "left", 0)
        try:
            MeterRun(bench.access, out).read(Extent(), lambda done, of, what: None)
            break
        except (ReadingBroke, MeterLineError):
            breaks += 1
            bench.line.left = None
            bench.line.pause(20)
            partial = PartialReading(out.with_name("r.json.part"))
            assert partial.blocks
            partial.close()
    assert breaks
    assert len(load_reading(out).blocks) == len(BLOCKS)


@pytest.mark.parametrize(
    ("before", "after"),
    [("12 345 678", "12 345 679"), ('"kW delivered", ', '"kVA", '), ("7.16", "7.17"), ("7.16", "6.28")],
    ids=["another meter", "other metrics", "other firmware", "another protocol"],
)
def test_another_meter_is_not_joined_to_the_first(bench: Bench, tmp_path: Path, before: str, after: str) -> None:
    bench.line.left = 700  # of 733: all but the last block
    bench.line.on_cut = lambda: setattr(bench.line, "left", 0)
    with pytest.raises((ReadingBroke, MeterLineError)):
        MeterRun(bench.access, tmp_path / "r.json").read(Extent(), lambda done, of, what: None)
    if "6.28" in after:
        other = ProgrammerBench(PROGRAM.replace(before, after), tmp_path)
        other.password("222222")
    else:
        other = Bench(tmp_path, PROGRAM.replace(before, after))
    try:
        for _ in range(2):  # what another meter gave is not taken for what is to be as before
            with pytest.raises(OtherMeter, match="of another meter, or of another program: delete"):
                MeterRun(other.access, tmp_path / "r.json").read(Extent(), lambda done, of, what: None)
            other.line.pause(60)
    finally:
        other.close()
    assert not (tmp_path / "r.json").exists()


def test_what_it_does_and_what_it_cannot(bench: Bench) -> None:
    before = bench.tables.reading().resets
    with bench.access.session(needs_password=True) as meter:
        assert act(meter, "reset", None) == "demand reset: done"
        assert act(meter, "clock", "2026-12-01T08:00:00") == "clock set to 2026-12-01 08:00:00: done"
        for name, value in (("self-read", None), ("test", "on"), ("cold-start", None), ("status", None)):
            with pytest.raises(NoTables, match="speaks DGCOM, which has no command for this"):
                act(meter, name, value)
        with pytest.raises(ActionError, match="DGCOM does not say the meter's time zone"):
            act(meter, "clock", "host")
    assert bench.tables.reading().resets == before + 1
    at = datetime.fromtimestamp(bench.tables.reading().utc_ns // 10**9, UTC)
    assert abs((at - datetime(2026, 12, 1, 13, tzinfo=UTC)).total_seconds()) < 10
    bench.password("111111")
    bench.line.pause(20)
    with bench.access.session(needs_password=True) as meter, pytest.raises(DgcomRefused, match="not at this level"):
        act(meter, "reset", None)


@pytest.mark.parametrize("password", ["999999", "no hexadecimal", "1234567"])
def test_a_wrong_password(bench: Bench, password: str) -> None:
    bench.password(password)
    with pytest.raises(WrongPassword), bench.access.session():
        pass


@pytest.mark.slow
def test_the_load_profile_of_a_real_port(tmp_path: Path, command_line) -> None:
    """Its words are those that the meter gives by C12.19's MT5 and its own interface (docs/metering.md)."""
    recorder = '[recorder]\ninterval_minutes = 1\nchannels = [{ metric = "kWh delivered", pulse = "1" }]\n'
    bench = PortBench(tmp_path, PROGRAM + recorder, "[[ports]]\nname = 'optical'\ndevice = 'pty'\n")
    try:
        own_file(tmp_path / "level-1", "111111")
        done = command_line("read", bench.pty, "--out", "r.json", "--profile", "--password-file", "level-1")
        assert done.status == 0, done.err
        assert "0 refused" in done.err
        blocks = {block.opcode: block.bytes for block in load_reading(tmp_path / "r.json").blocks}
        words = struct.unpack(f"<{len(blocks[0x03]) // 2}H", blocks[0x03])
        page = bench.meter.ask(ReadProfile())
        own = struct.unpack(f"<{len(page['runs'][0]['words']) // 2}H", page["runs"][0]["words"])
        assert words == own[: len(words)]
        assert words[0] >> 14 == 2, "a date comes first"
        without = command_line("read", bench.pty, "--json")
        assert {each["data"] for each in json.loads(without.out)["blocks"] if each["opcode"] == 0xC3} == {None}
    finally:
        bench.close()
