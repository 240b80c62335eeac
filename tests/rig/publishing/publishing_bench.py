"""A meter on the simulated rig in real time, a real Mosquitto broker and a real Prometheus server."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import pytest

from rig.daemon.client import MeterClient
from rig.daemon.launch import Launched
from rig.daemon.protocol import Reading, Stop, Topic
from rig.daemon.startup import Start
from rig.hardware.config import load

PATIENCE_S = 30


def program(name: str) -> str:
    """Give where a Debian package has put a program, or skip the test."""
    found = shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: it is in a Debian package")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(there: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """Wait until something is so; give what it is."""
    deadline = time.monotonic() + seconds
    while not (found := there()):
        assert time.monotonic() < deadline, f"not so in {seconds} s: {there}"
        time.sleep(0.02)
    return found


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Meter:
    """A daemon in `folder`, with `tables` in its rig.toml, and its client."""

    def __init__(self, folder: Path, tables: str, program: str = "") -> None:
        folder.mkdir(exist_ok=True)
        (folder / "meter.toml").write_text(program)
        self.file = folder / "rig.toml"
        self.file.write_text(f"[meter]\nprogram = 'meter.toml'\nstore = 'store'\n[daemon]\nsocket = 'm.sock'\n{tables}")
        self.folder, self.config, self.socket = folder, load(self.file), folder / "m.sock"
        self.start()

    def start(self) -> None:
        self._launched = Launched(Start(self.config, str(self.socket)))
        self.client = MeterClient.connect(self.socket)
        self.client.subscribe(Topic.READINGS)
        self._launched.begin()
        self.client.await_message(Reading)
        self.client.subscribe()

    def stop(self) -> None:
        try:
            self.client.ask(Stop())
            self.client.close()
            self._launched.wait()
        finally:
            self._launched.process.kill()


class Mosquitto:
    """A broker on a port of this computer, with lines of its configuration."""

    def __init__(self, folder: Path, *lines: str, port: int | None = None) -> None:
        mosquitto, self.port = program("mosquitto"), port or free_port()
        folder.mkdir(exist_ok=True)
        file = folder / f"mosquitto-{self.port}.conf"
        text = "\n".join(lines or ("allow_anonymous true",))
        # Started by root it would become a user that cannot read a test's files.
        file.write_text(f"user {getpass.getuser()}\nlistener {self.port} 127.0.0.1\n{text}\n")
        self._log = (folder / "mosquitto.log").open("ab")
        self.process = subprocess.Popen([mosquitto, "-c", str(file)], stdout=self._log, stderr=self._log)
        wait_for(lambda: listens(self.port) or self.process.poll() is not None)

    def subscriber(self, *topics: str, extra: Sequence[str] = ()) -> Subscriber:
        return Subscriber(self.port, topics, extra)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self._log.close()


class Subscriber:
    """Mosquitto's own subscriber: what it printed so far, (topic, payload, retained)."""

    def __init__(self, port: int, topics: Sequence[str], extra: Sequence[str]) -> None:
        words = [program("mosquitto_sub"), "-h", "localhost", "-p", str(port), "-F", "%r %t %p", *extra]
        for topic in topics:
            words += ["-t", topic]
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(words, stdout=self._file, stderr=subprocess.STDOUT)

    @property
    def messages(self) -> list[tuple[str, str, bool]]:
        lines = so_far(self._file).decode().split("\n")[:-1]
        return [(topic, payload, kept == "1") for kept, topic, payload in (line.split(" ", 2) for line in lines)]

    def of(self, topic: str) -> list[str]:
        return [payload for its, payload, _ in self.messages if its == topic]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._file.close()


class Prometheus:
    """A server that scrapes an address each second."""

    def __init__(self, folder: Path, target: int) -> None:
        self.port = free_port()
        folder.mkdir(exist_ok=True)
        (folder / "prometheus.yml").write_text(
            "scrape_configs:\n- job_name: meter\n  scrape_interval: 1s\n  scrape_timeout: 1s\n"
            f"  static_configs:\n  - targets: ['127.0.0.1:{target}']\n"
        )
        with (folder / "prometheus.log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    program("prometheus"),
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log,
                stderr=log,
            )
        wait_for(self._ready)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Give the result of an expression, of a range as `values`."""
        address = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(address, timeout=10) as answer:
            found = json.load(answer)
        assert found["status"] == "success"
        return list(found["data"]["result"])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


class Watch:
    """`rig watch --follow --json` of a meter: the readings printed so far, by their instants."""

    def __init__(self, meter: Meter) -> None:
        rig = Path(sys.executable).with_name("rig")
        words = [str(rig), "watch", "--follow", "--json", "--config", str(meter.file)]
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = subprocess.Popen(words, stdout=self._file)

    @property
    def readings(self) -> dict[int, dict[str, Any]]:
        printed = [json.loads(line) for line in so_far(self._file).split(b"\n")[:-1]]
        return {raw["exact"]["utc_ns"]: raw for raw in printed if raw["type"] == "reading"}

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._file.close()


def so_far(file: IO[bytes]) -> bytes:
    """Read what another process has written."""
    return os.pread(file.fileno(), 1 << 26, 0)


REGISTERS = {
    "kwh_delivered": lambda q: q["q1"]["nwh"] + q["q4"]["nwh"],
    "kwh_received": lambda q: q["q2"]["nwh"] + q["q3"]["nwh"],
    "kvarh_lagging": lambda q: q["q1"]["nvarh"] + q["q3"]["nvarh"],
    "kvarh_leading": lambda q: q["q2"]["nvarh"] + q["q4"]["nvarh"],
    "kvah_rms": lambda q: sum(q[k]["nvah_rms"] for k in q),
    "kvah_td": lambda q: sum(q[k]["nvah_td"] for k in q),
}
"""Registers of the quadrants of `rig watch --json` (shared REQUIREMENTS Q-2), in nWh."""


def kilo_digits(nano: int) -> str:
    """Write nWh in kWh with all digits, by text alone."""
    digits = f"{abs(nano):013d}"
    return f"{'-' * (nano < 0)}{digits[:-12]}.{digits[-12:]}"


def unit_float(nano: int) -> float:
    return float(Fraction(nano, 10**9))
