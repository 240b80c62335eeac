"""termineter against a meter on the simulated rig, over a pty: what it reads, sets and is refused (X-1, S-1, S-2)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from port_bench import PortBench, wait_for
from psem_client import Answer
from termineter_environment import python, termineter

from rig.communication.c1219.session_tables import STAGED_PROGRAM
from rig.daemon.protocol import ReadState

PROGRAM = """
[demand]
quantities = ["kW delivered"]
[security]
seal = true
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""
PORTS = "[[ports]]\nname = 'optical'\ndevice = 'pty'\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortBench]:
    bench = PortBench(tmp_path_factory.mktemp("termineter"), PROGRAM, PORTS)
    yield bench
    bench.close()


def typed(bench: PortBench, *commands: str, key: str = "111111") -> str:
    return termineter(bench.pty, *commands, home=bench.folder, password=key)


def own_read(bench: PortBench, *tables: int, key: bytes = b"111111") -> dict[int, bytes]:
    """What our own client reads."""
    with bench.client() as client:
        client.identify()
        client.negotiate(8191, 200)
        client.log_on()
        client.password(key)
        found = {table: client.read(table) for table in tables}
        client.terminate()
    return found


def test_it_connects_without_a_password_and_looks(bench: PortBench) -> None:
    """CLI "connect" logs on with none; get_identification leaves without a terminate, twice."""
    out = typed(
        bench, "connect", "use get_info", "run", "use get_identification", "run", "run",
        "use get_local_display_info", "run",
    )  # fmt: skip
    assert out.count("Successfully connected and the device is responding") >= 2, out
    shown = {
        name.removeprefix("[*]").strip(): value
        for name, dots, value in (line.partition("...") for line in out.splitlines())
    }
    found = {name: shown[name].lstrip(".") for name in ("Device Type", "Mode Flags", "Manufacturer", "Model")}
    assert list(found.values()) == ["Electric", "Metering", "AE07", "RXRS4e"]
    assert out.count("ANSI C12.18") == 2
    assert "Caught" not in out, out


def test_tables_that_it_dumps_are_those_that_another_client_reads(bench: PortBench) -> None:
    out = typed(bench, "connect", "use dump_tables", "set UPPER 80", "run")
    assert "Successfully copied" in out, out
    rows = list(csv.reader((bench.folder / "smart_meter_tables.csv").read_text().splitlines()))
    dumped = {int(row[0]): bytes.fromhex(row[-1]) for row in rows if row and row[0].isdigit()}
    assert {0, 1, 3, 5, 12, 16, 21, 22} <= dumped.keys(), out
    assert dumped.keys().isdisjoint({42, 45}), "secrets"
    still = (0, 1, 3, 5, 12, 16, 21, 22)
    assert {table: dumped[table] for table in still} == own_read(bench, *still)


@pytest.mark.slow
def test_it_finds_out_which_tables_there_are(bench: PortBench) -> None:
    """Each table that is refused costs it a new connection."""
    out = typed(bench, "connect", "use enum_tables", "set LOWER 3", "set UPPER 6", "run")
    assert [number in out for number in ("ID: 3 ", "ID: 5 ")] == [True, True], out


def resets(bench: PortBench) -> int:
    return bench.meter.ask(ReadState())["resets"]


def test_it_resets_demand_only_with_the_key(bench: PortBench) -> None:
    before = resets(bench)
    reset = ("connect", "use remote_reset", "set DEMAND true", "run")
    typed(bench, *reset, key="111111")  # it prints "Successfully" whatever the answer is
    assert resets(bench) == before
    out = typed(bench, *reset, key="222222")
    assert "Successfully Reset The Meter" in out, out
    assert resets(bench) == before + 1


@pytest.mark.slow
def test_it_enters_and_leaves_test_mode(bench: PortBench) -> None:
    def test_mode() -> bool:
        return bench.meter.ask(ReadState())["test_mode"] is not None

    typed(bench, "connect", "use set_meter_mode", "set MODE TEST", "run", key="222222")
    assert not test_mode()
    out = typed(bench, "connect", "use set_meter_mode", "set MODE TEST", "run", "use get_info", "run", key="333333")
    assert test_mode(), out
    typed(bench, "connect", "use set_meter_mode", "set MODE METERING", "run", key="333333")
    assert not test_mode()


def test_it_writes_a_table_and_reads_it_back(bench: PortBench) -> None:
    """The program that a client stages; its own check, "verify", reads what it wrote."""
    text = b"# staged by termineter\n".hex()
    out = typed(
        bench, "connect", "use write_table", f"set TABLE_ID {STAGED_PROGRAM}", f"set DATA {text}", "run", key="333333"
    )  # fmt: skip
    assert "Successfully Wrote Data" in out, out
    assert "Table Write Verification Passed" in out, out


def test_under_the_seal_a_cold_start_fails_at_any_level(bench: PortBench) -> None:
    """ "Cold Start failed" is what the notice verifies the seal by."""
    before = bench.meter.ask(ReadState())["resets"]
    code, text = json.loads(python(COLD_START, bench.pty))
    assert (code, text) == (5, "Cold Start failed"), "no authorization"
    assert bench.meter.ask(ReadState())["resets"] == before


COLD_START = """
import json, sys
from c1218.connection import Connection
connection = Connection(sys.argv[1], {"baudrate": 9600, "timeout": 2})
connection.start()
assert connection.login("factory", 2, b"444444")
code, data = connection.run_procedure(0, False, b"")
print(json.dumps([code, data.decode()]))
connection.stop()
"""

LIBRARY = """
import json, sys
from c1218.connection import Connection
from c1218.errors import C1218ReadTableError
from c1219.access.general import C1219GeneralAccess
connection = Connection(sys.argv[1], {"baudrate": 9600, "timeout": 2})
connection.start()
assert connection.login("factory", 2, b"444444")
general = C1219GeneralAccess(connection)
secrets = []
for table in (42, 45):
    try:
        secrets.append(connection.get_table_data(table).hex())
    except C1218ReadTableError as error:
        secrets.append(error.code)
print(json.dumps({
    "model": str(general.ed_model), "standard": general.std_version_no, "secrets": secrets,
    "permissions": connection.get_table_data(41).hex(),
}))
connection.stop()
"""


def test_its_library_where_its_console_does_not_run(bench: PortBench) -> None:
    """get_log_info, get_security_info and get_modem_info stop on any Python 3: their classes do not."""
    found = json.loads(python(LIBRARY, bench.pty))
    assert found["standard"] == 1
    assert "RXRS4e" in found["model"]
    assert found["secrets"] == [3, 3], "insufficient security clearance, at level 4 too"
    assert len(found["permissions"]) >= 12


PENDING = """
import json, struct, sys, zlib
from c1218.connection import Connection
from c1218.errors import C1218ReadTableError
connection = Connection(sys.argv[1], {"baudrate": 9600, "timeout": 2})
connection.start()
assert connection.login("tariff", 2, b"333333")
data = b"\\x02" + bytes(5) + sys.argv[2].encode()
for begin in range(0, len(data), 200):
    connection.set_table_data(6144, data[begin:begin + 200], begin)
check = struct.pack("<II", len(data), zlib.crc32(data))
found = {"written": [connection.run_procedure(0, True, check)[0]]}
found["waits"] = connection.get_table_data(4).hex()
found["second"] = [connection.run_procedure(number, False, parameters)[0] for number, parameters in (
    (13, b"\\0" * 6), (15, b"\\x02" + bytes(5)), (14, b""), (12, b"")
)]
found["cleared"] = connection.get_table_data(4).hex()
for table, size in (73, 60), (75, 60), (76, 11 + 16 * 256):
    parts = [connection.get_table_data(table, 900, begin) for begin in range(0, size, 900)]
    found[str(table)] = b"".join(parts).hex()
print(json.dumps(found))
connection.stop()
"""


@pytest.mark.slow
def test_its_library_has_a_program_wait_and_reads_both_logs(bench: PortBench) -> None:
    tariff = "[tou]\nseasons = [{ name = 'all', begins = '01-01', weekday = ['00:00 B'] }]\n"
    found = json.loads(python(PENDING, bench.pty, PROGRAM + tariff))
    assert found["written"] == [0]
    event, table = "020000000000", "0018"
    assert found["waits"].endswith("01" + event + table), "one, until it is asked for: MT0, pending"
    assert found["second"] == [2, 0, 0, 0], "for another EVENT; cleared; nothing left to clear or activate"
    assert found["cleared"].endswith("00" * 9)
    log = bytes.fromhex(found["76"])
    valid = int.from_bytes(log[1:3], "little")
    codes = [int.from_bytes(log[11 + 16 * n + 10 :][:2], "little") for n in range(valid)]
    assert len(log) == 11 + 16 * 256
    audited = {n for n in range(64) if bytes.fromhex(found["75"])[n // 8] >> n % 8 & 1}
    assert {code for code in codes if code < 64} <= audited < {
        n for n in range(64) if bytes.fromhex(found["73"])[n // 8] >> n % 8 & 1
    }  # fmt: skip
    wait_for(lambda: {"pending written", "pending cleared"} <= {event.name for event in bench.events})


@pytest.mark.slow
def test_its_list_of_passwords(bench: PortBench) -> None:
    """A dozen of its own list: all refused in like words, in the log; what is locked is the port, and for seconds."""
    words = Path(python("import termineter, os; print(os.path.dirname(termineter.__file__))").strip())
    some = (words / "data" / "smeter_passwords.txt").read_text().split()
    assert len(some) == 777
    (bench.folder / "some.txt").write_text("\n".join(some[5:17]) + "\n")
    out = typed(bench, "connect", "use brute_force_login", f"set DICTIONARY {bench.folder / 'some.txt'}", "run")
    assert "Successfully logged in" not in out, out
    names = {"log-on failed", "log-on during lock-out", "session ended"}
    wait_for(lambda: names <= {event.name for event in bench.events})
    failed = [event for event in bench.events if event.name == "log-on failed"]
    assert [event.details["source"] for event in failed] == ["optical port"] * len(failed)
    assert 3 <= len(failed) <= 8, "of the others, most came during a lock"
    wait_for(lambda: proves(bench, b"444444"), failed[-1].details["seconds left"] + 3)


def proves(bench: PortBench, key: bytes) -> bool:
    """Whether a key is right, now."""
    with bench.client() as client:
        client.identify()
        client.log_on()
        try:
            client.password(key)
        except Answer:
            return False
        finally:
            client.terminate()
        return True
