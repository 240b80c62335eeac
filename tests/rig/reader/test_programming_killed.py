"""The metering process killed while a program is written to it, with a real store: old or new, and said (X-2, R-2)."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from own_file import own_file
from port_bench import PortBench

from rig.daemon.protocol import ReadProgram
from rig.program.build import load_program
from rig.reader.connecting import Approach
from rig.reader.meter import MeterAccess
from rig.reader.meter_program import NotWritten
from rig.reader.passwords import Passwords
from rig.reader.programming import check_program, write_program

pytestmark = pytest.mark.slow

OLD = "[meter]\nfirmware = '{}'\nserial = '1'\n"
NEW = "[meter]\nfirmware = '{}'\nserial = '2'\n[demand]\nquantities = ['kW delivered']\n"
PORTS = "[[ports]]\nname = 'optical'\ndevice = 'pty'\n"


@pytest.mark.parametrize("firmware", ["6.28", "7.16"], ids=["C12.18", "DGCOM"])
@pytest.mark.parametrize("after_ms", [0, 10, 25, 45, 80, 250])
def test_killed_so_long_after_all_was_staged(tmp_path: Path, after_ms: int, firmware: str) -> None:
    """The text is applied at once after that: the meter checks, saves and applies it within two polls of 20 ms."""
    old_text, new_text = OLD.format(firmware), NEW.format(firmware)
    (tmp_path / "new.toml").write_text(new_text)
    (tmp_path / "old.toml").write_text(old_text)
    own_file(tmp_path / "password", "000000")
    new, old = load_program(tmp_path / "new.toml"), load_program(tmp_path / "old.toml")
    bench = PortBench(tmp_path, old_text, PORTS)
    access = MeterAccess(str(bench.pty), Approach(), Passwords(tmp_path / "password"), pause=lambda seconds: None)
    killed = threading.Timer(after_ms / 1000, os.kill, (bench.meter.welcome.process, signal.SIGKILL))

    def progress(at: int, of: int) -> None:
        if at == of:
            killed.start()

    try:
        said = write_program(access, new, new_text.encode(), progress)
    except NotWritten as error:
        said = str(error)
    killed.join()
    bench.meter.close()
    for process in (bench._launched.process, *bench.ports):
        process.wait(30)
    again = PortBench(tmp_path, old_text, PORTS)
    try:
        digest = again.meter.ask(ReadProgram())["digest"]
        assert digest in (old.digest, new.digest)
        checked = MeterAccess(str(again.pty), Approach(), Passwords(tmp_path / "password"))
        if digest == new.digest:
            assert "which of both" in said or new.digest in said
            assert new.digest in check_program(checked, new)
        else:
            assert "which of both" in said or "that it had before" in said, said
            assert old.digest in check_program(checked, old)
    finally:
        again.close()
