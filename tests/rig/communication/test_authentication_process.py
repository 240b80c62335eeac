"""A real meter with an RS-232 port that has a key, on a pty: a client of our own and `rig read` prove it (X-1, X-2)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fips46 import des
from port_bench import PortBench, wait_for
from psem_client import Answer

from rig.daemon.protocol import LoggedEvent
from rig.reader.reading_file import load_reading

pytestmark = pytest.mark.slow

KEY = bytes.fromhex("5bd1e8995bd1e895")
PROGRAM = '[demand]\nquantities = ["kW delivered"]\n[security]\nlevel_1 = "0A1B2C"\n'
PORTS = """
[[ports]]
name = "line"
kind = "rs-232"
device = "pty"
link = "m.optical.pty"
trace = "line.trace"
authentication = { key_file = "line.key" }
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PortBench]:
    folder = tmp_path_factory.mktemp("keyed")
    for name, key in (("line.key", KEY), ("wrong.key", bytes(reversed(KEY)))):
        (folder / name).write_text(key.hex())
        (folder / name).chmod(0o600)
    bench = PortBench(folder, PROGRAM, PORTS)
    yield bench
    bench.close()


def logged(bench: PortBench, label: str) -> list[LoggedEvent]:
    return [event for event in bench.events if event.name == label]


def test_a_client_and_the_log(bench: PortBench) -> None:
    with bench.client() as client:
        ticket = client.identify()[7:15]
        client.log_on()
        with pytest.raises(Answer, match="0x03"):
            client.read(3)
        token = des(KEY, ticket)
        assert client.ask(b"\x53\x09\x01" + token) == b"\x09\x01" + des(KEY, token)
        assert client.read(3)
        client.terminate()
    wait_for(lambda: logged(bench, "logged on"))


def test_rig_read_with_a_key(bench: PortBench, command_line) -> None:
    folder = bench.folder
    out = folder / "reading.json"

    def read(*more: object):
        return command_line("read", bench.pty, "--tables", "ST3,ST23", "--out", out, "--force", *more)

    def refused() -> list[int]:
        return [table.table for table in load_reading(out).tables if table.refused]

    done = read()
    assert (done.status, {3, 23} <= set(refused())) == (0, True), done.err
    done = read("--port-key-file", folder / "line.key")
    assert done.status == 0, done.err
    assert refused() == []
    (folder / "ring.toml").write_text(f'[keys]\n"*" = "{KEY.hex()}"\n')
    (folder / "ring.toml").chmod(0o600)
    assert read("--keyring", folder / "ring.toml").status == 0
    assert refused() == []
    wrong = read("--port-key-file", folder / "wrong.key")
    assert (wrong.status, "the meter does not take the key" in wrong.err) == (2, True)
    wait_for(lambda: logged(bench, "log-on failed"))
    (folder / "line.key").chmod(0o640)
    others = read("--port-key-file", folder / "line.key")
    assert (others.status, f"chmod 600 {folder / 'line.key'}" in others.err) == (2, True)
    (folder / "line.key").chmod(0o600)


def test_the_key_is_in_none_of_the_meters_files(bench: PortBench, command_line) -> None:
    with bench.client() as client:
        client.identify()
        client.terminate()
    ours = {"line.key", "wrong.key", "ring.toml"}
    files = [path for path in bench.folder.rglob("*") if path.is_file() and path.name not in ours]
    assert len(files) > 5
    for path in files:
        data = path.read_bytes()
        assert KEY not in data, path
        assert KEY.hex().encode() not in data.lower(), path
    shown = command_line("port", "trace", bench.folder / "line.trace").out
    assert "ok: C12.21 2.0, a ticket to authenticate by" in shown
