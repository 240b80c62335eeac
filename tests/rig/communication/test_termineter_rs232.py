"""termineter at the RS-232 port, by C12.21: what its library and its console read there (X-1, X-3)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from port_bench import PortBench
from psem_client import Answer
from table_decoder import st21, st23
from termineter_environment import python, termineter

from rig.daemon.protocol import ReadState

pytestmark = pytest.mark.slow

PROGRAM = """
[meter]
firmware = "6.28"
serial = "12 345 678"
[demand]
quantities = ["kW delivered"]
[security]
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
"""
PORTS = "[[ports]]\nname = 'optical'\nkind = 'rs-232'\ndevice = 'pty'\n"


@pytest.fixture(scope="module", params=["", "authentication = { key_file = 'key' }\n"], ids=["no key", "a key"])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortBench]:
    """A meter whose port has no key, or has one, which termineter passes over."""
    folder = tmp_path_factory.mktemp("termineter")
    (folder / "key").write_text("3132333435363738")
    (folder / "key").chmod(0o600)
    bench = PortBench(folder, PROGRAM, PORTS + request.param)
    yield bench
    bench.close()


LIBRARY = """
import json, sys
from c1218.connection import Connection
from c1219.access.general import C1219GeneralAccess
connection = Connection(sys.argv[1], {"baudrate": 9600, "timeout": 2})
connection.start()
assert connection.login("reader", 2, sys.argv[2].encode())
general = C1219GeneralAccess(connection)
tables = {table: connection.get_table_data(table).hex() for table in (0, 1, 5, 21)}
whole = b""  # it negotiates two packets of 512 bytes, which registers do not fit into
while len(part := connection.get_table_data(23, 800, len(whole))) == 800:
    whole += part
tables[23] = (whole + part).hex()
print(json.dumps([str(general.ed_model), tables]))
connection.stop()
"""


def test_its_library_reads_with_the_key_of_level_1(bench: PortBench) -> None:
    """The same bytes that a client of ours reads, and registers between two readings of the meter itself."""
    before = bench.meter.ask(ReadState())["registers"]["energy"]
    model, tables = json.loads(python(LIBRARY, bench.pty, "111111"))
    after = bench.meter.ask(ReadState())["registers"]["energy"]
    assert model.strip() == "RXRS4e"
    data = {int(number): bytes.fromhex(text) for number, text in tables.items()}
    assert data[5].rstrip() == b"12 345 678"
    kwh = st23(data[23], (13, 13), st21(data[21]))["total"]["summations"][0]
    assert delivered(before) <= kwh * 10**12 <= delivered(after)
    with bench.client() as client:
        assert client.identify()[0] == 2, "C12.21"
        client.negotiate(8191, 200)
        client.log_on()
        client.password(b"111111")
        assert {table: client.read(table) for table in (0, 1, 5, 21)} == {n: data[n] for n in (0, 1, 5, 21)}
        client.terminate()


def delivered(energy: dict[str, dict[str, int]]) -> int:
    return energy["q1"]["nwh"] + energy["q4"]["nwh"]


def test_its_console_connects_without_a_password_and_reads_with_one(bench: PortBench) -> None:
    """Its "connect" reads ST0 before it proves anything: over RS-232 the meter gives that and ST1, and no more."""
    with bench.client() as client:
        client.identify()
        client.log_on()
        assert client.read(0)[3:6] == b"AE0"
        assert client.read(1)[4:12] == b"RXRS4e  "
        for table in (2, 3, 5, 21, 23, 52, 71, 2049):
            with pytest.raises(Answer) as refused:
                client.read(table)
            assert refused.value.code == 3, table
        client.terminate()
    out = termineter(
        bench.pty, "connect", "use get_info", "run", "use get_local_display_info", "run",
        home=bench.folder, password="111111",
    )  # fmt: skip
    assert "Successfully connected and the device is responding" in out, out
    assert "12 345 678" in out, out
    assert "RXRS4e" in out, out
