"""Programs written over the optical port: read back the same, and old or new wherever the line breaks (X-2)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from broken_writes import BrokenWrites, assert_one_turn, loaded
from programmer_bench import ProgrammerBench

from rig.errors import RigError
from rig.meter.billing.source import Source
from rig.program.build import load_program
from rig.reader.connecting import Approach, WrongPassword
from rig.reader.meter import NoPassword
from rig.reader.meter_program import NotWritten, ProgramError, ProgramRefused
from rig.reader.programming import check_program
from rig.reader.reading import Extent
from rig.reader.run import MeterRun, ReadingBroke

EXAMPLES = Path(__file__).parents[3] / "rig" / "program" / "examples"


@pytest.mark.parametrize("name", [path.stem for path in sorted(EXAMPLES.glob("*.toml"))])
def test_an_example_into_a_blank_meter(tmp_path: Path, name: str) -> None:
    """Blank: it has no keys, and the factory's opens it. The sensors are of the program's class."""
    program, text = load_program(EXAMPLES / f"{name}.toml"), (EXAMPLES / f"{name}.toml").read_bytes()
    bench = ProgrammerBench(
        f"[meter]\nfirmware = '6.28'\ncurrent_class = {program.file.meter.current_class}\n", tmp_path
    )
    try:
        assert bench.write(program, text) == f"written and read back: {program.digest}"
        assert bench.digest == program.digest
        security = program.file.security
        bench.password(security.level_4)
        assert program.digest in check_program(bench.access, program)
        other, _ = loaded(tmp_path, "[meter]\nserial = '1'\n")
        with pytest.raises(NotWritten, match=rf"has program {program.digest}, this is {other.digest}: .*\[meter\]"):
            check_program(bench.access, other)
    finally:
        bench.port.close()


A = "[meter]\nfirmware = '6.28'\nserial = '1'\n"
B = "[meter]\nfirmware = '6.28'\nserial = '2'\n[security]\nlevel_4 = '444444'\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProgrammerBench]:
    bench = ProgrammerBench(A, tmp_path_factory.mktemp("programming"))
    yield bench
    bench.port.close()


def reset(bench: ProgrammerBench, folder: Path) -> None:
    """Write the first program, whatever the meter has."""
    bench.line.left = None
    bench.line.on_cut = lambda: None
    bench.line.pause(60)
    program, text = loaded(folder, A)
    for key in ("444444", "000000"):
        bench.password(key)
        try:
            bench.write(program, text)
            return
        except WrongPassword:
            bench.line.pause(60)
    raise AssertionError


@pytest.fixture
def writes(bench: ProgrammerBench, tmp_path: Path) -> BrokenWrites:
    def first_program() -> None:
        reset(bench, tmp_path)
        bench.password("000000")

    return BrokenWrites(bench, tmp_path, A, B, first_program)


@pytest.mark.parametrize("port_dies", [False, True], ids=["the line is cut", "the port dies"])
def test_old_or_new_wherever_it_breaks(writes: BrokenWrites, port_dies: bool) -> None:
    """A sample of the bytes, most of them where the program is applied."""
    whole = writes.places()
    places = [whole[20], *whole[130:330:60], whole[-30]]
    assert set(writes.broken_at(places, port_dies=port_dies)) == {"old", "new"}


@pytest.mark.slow
@pytest.mark.parametrize("port_dies", [False, True], ids=["the line is cut", "the port dies"])
def test_old_or_new_at_every_byte(writes: BrokenWrites, port_dies: bool) -> None:
    assert_one_turn(writes.broken_at(writes.places(), port_dies=port_dies))


def test_a_line_that_stays_cut(bench: ProgrammerBench, writes: BrokenWrites, tmp_path: Path) -> None:
    """Nobody can know, and that is said."""
    whole = writes.places()
    reset(bench, tmp_path)
    bench.password("000000")
    bench.line.left = whole[len(whole) // 2]

    def cut_again() -> None:
        bench.line.left = 0

    bench.line.on_cut = cut_again
    with pytest.raises(NotWritten, match="Nobody knows which of both programs"):
        bench.write(*loaded(tmp_path, B))


def test_a_third_program(bench: ProgrammerBench, writes: BrokenWrites, tmp_path: Path) -> None:
    """Somebody else wrote one while the line was broken."""
    whole = writes.places()
    reset(bench, tmp_path)
    bench.password("000000")
    bench.line.left = whole[-200]

    def another() -> None:
        bench.write_beside("444444", A.replace("'1'", "'3'"))

    bench.line.on_cut = another
    with pytest.raises(NotWritten, match="neither the new one nor the one of before"):
        bench.write(*loaded(tmp_path, B))
    bench.password("000000")


def test_what_a_meter_refuses_changes_nothing(bench: ProgrammerBench, tmp_path: Path) -> None:
    reset(bench, tmp_path)
    bench.password("000000")
    before = bench.digest
    with pytest.raises(ProgramRefused, match=r"has the program it had.*current_class is 200"):
        bench.write(*loaded(tmp_path, "[meter]\nform = '2S'\ncurrent_class = 200\n"))
    with pytest.raises(ProgramError, match="65537 bytes"):
        bench.write(loaded(tmp_path, A)[0], b"#" * 65537)
    bench.password(None)
    with pytest.raises(NoPassword, match=r"docs/reading\.md"):
        bench.write(*loaded(tmp_path, B))
    bench.password("ABCDEF")
    with pytest.raises(WrongPassword):
        bench.write(*loaded(tmp_path, B))
    assert bench.digest == before
    bench.line.pause(60)


def test_a_reader_may_not_write(bench: ProgrammerBench, tmp_path: Path) -> None:
    reset(bench, tmp_path)
    bench.password("000000")
    bench.write(*loaded(tmp_path, B.replace("level_4", "level_1 = '111111'\nlevel_4")))
    before = bench.digest
    bench.password("111111")
    with pytest.raises(RigError, match=r"isc.*has the program that it had before"):
        bench.write(*loaded(tmp_path, A))
    assert bench.digest == before


def test_over_rs_232_by_c12_21(tmp_path: Path) -> None:
    """A tariff is taken there, keys are not (docs/access.md); the time-outs are C12.21's."""
    bench = ProgrammerBench(A, tmp_path, Source.RS232)
    try:
        program, text = loaded(tmp_path, A + "[demand]\nquantities = ['kW delivered']\n")
        with bench.access.session() as meter:
            assert meter.tables.protocol == "C12.21"
            assert meter.tables.settings.timing.traffic_ns == 30 * 10**9
        assert bench.write(program, text) == f"written and read back: {program.digest}"
        assert bench.digest == program.digest
        with pytest.raises(ProgramRefused, match="not at this level"):
            bench.write(*loaded(tmp_path, B))
        assert bench.digest == program.digest
        reading = MeterRun(bench.access, None).read(Extent(frozenset({23})), lambda done, of, what: None)
        assert [table.title for table in reading.tables] == ["ST0", "ST1", "ST5", "ST21", "ST23"]
    finally:
        bench.port.close()


@pytest.mark.parametrize("name", [path.stem for path in sorted(EXAMPLES.glob("*.toml"))])
def test_an_example_by_c12_21(tmp_path: Path, name: str) -> None:
    """At RS-232 keys, seal and firmware are not accepted (docs/access.md): they are written at the optical port."""
    example = tomllib.loads((EXAMPLES / f"{name}.toml").read_text())
    full = (EXAMPLES / f"{name}.toml").read_text().replace('firmware = "7.18"', 'firmware = "6.28"')
    text = re.sub(r"^\[security\]\n(?:[^\[\n].*\n|\n)*", "", full, flags=re.MULTILINE)
    firmware = "firmware = '6.28'\n" if "firmware" in example["meter"] else ""
    blank = f"[meter]\n{firmware}current_class = {example['meter']['current_class']}\n"
    bench = ProgrammerBench(blank, tmp_path, Source.RS232)
    try:
        if "security" in example:
            with pytest.raises(ProgramRefused, match="not at this level"):
                bench.write(*loaded(tmp_path, full))
        program, written = loaded(tmp_path, text)
        assert "security" not in tomllib.loads(text)
        assert bench.write(program, written) == f"written and read back: {program.digest}"
        assert bench.digest == program.digest
    finally:
        bench.port.close()


def test_a_line_that_breaks_once_is_taken_up_in_the_same_run(bench: ProgrammerBench, tmp_path: Path) -> None:
    reset(bench, tmp_path)
    bench.password("000000")
    bench.line.left = 3000
    reading = MeterRun(bench.access, tmp_path / "r.json").read(Extent(frozenset({12, 15, 23})), lambda *_: None)
    assert reading.sessions == 2
    assert [table.table for table in reading.tables if table.data] == [0, 1, 5, 11, 12, 15, 21, 23]
    assert not (tmp_path / "r.json.part").exists()


def test_at_9600_baud_reading_is_the_wires_own_time(bench: ProgrammerBench, tmp_path: Path) -> None:
    """Ten bits a byte of the tables, and an eighth for packets, questions and the meter's own polls."""
    reset(bench, tmp_path)
    bench.password("000000")
    access = replace(bench.access, approach=Approach(most_baud=9600))
    begun_ns = bench.line.now_ns()
    tables = frozenset({*range(4), 5, 10, 11, 12, 13, 15, 16, *range(20, 26), 28, *range(30, 35), 44, *range(50, 57)})
    reading = MeterRun(access, None).read(Extent(tables), lambda done, of, what: None)
    size = sum(len(table.bytes or b"") for table in reading.tables)
    assert size > 5_000
    assert bench.line.now_ns() - begun_ns < size * 10 * 10**9 // 9600 * 9 // 8 + 10**9, "with a second to begin and end"


KW_FIRST = """
[meter]
serial = "12"
[demand]
quantities = ["kW delivered", "kvar lagging"]
[recorder]
interval_minutes = 1
channels = [{ metric = "kWh delivered", pulse = "1" }]
"""
KVAR_FIRST = KW_FIRST.replace('"kW delivered", "kvar lagging"', '"kvar lagging", "kW delivered"')


@pytest.mark.parametrize("times", [1, 9])
def test_a_meter_that_is_programmed_while_it_is_read_is_read_anew(tmp_path: Path, times: int) -> None:
    """Somebody else swaps kW and kvar between ST23 and ST24, once or in every session."""
    bench = ProgrammerBench(KW_FIRST, tmp_path)
    out = tmp_path / "r.json"
    programs = [text for _ in range(9) for text in (KVAR_FIRST, KW_FIRST)][:times]

    def beside(done: int, of: int, what: str) -> None:
        if what == "ST24" and programs:
            bench.write_beside("000000", programs.pop(0))

    try:
        if times > 1:
            with pytest.raises(ReadingBroke, match=r"programmed while it was read.*0 tables are in"):
                MeterRun(bench.access, out).read(Extent(), beside)
            assert not out.exists()
            programs.clear()
        reading = MeterRun(bench.access, out).read(Extent(), beside)
        digest = bench.digest
    finally:
        bench.close()
    tables = {table.table: table.bytes or b"" for table in reading.tables}
    assert f"program {digest}".encode() in tables[6]
    assert tables[2049].startswith(digest.encode())
    assert reading.sessions == (2 if times == 1 else 4)
    assert not (tmp_path / "r.json.part").exists()
