"""An RS-232 port with a DES key in a file, on a meter in service, in virtual time (X-1)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from served_port import ServedPort

from rig.communication.c1218.settings import REMOTE
from rig.daemon.requests import Requests
from rig.hardware.config import AuthenticationConfig, PortConfig
from rig.meter.billing.source import Source
from rig.service.port_keys import PortKeys

KEY = b"12345678"
PROGRAM = """
[demand]
quantities = ["kW delivered"]
[security]
seal = true
level_1 = "111111"
level_2 = "222222"
"""


class KeyedPort(ServedPort):
    """An RS-232 port with a key in a file, on a meter in service."""

    def __init__(self, folder: Path, level: int = 1) -> None:
        super().__init__(PROGRAM, settings=replace(REMOTE, authenticates=True), optical=False)
        self.served.source = Source.RS232.value
        self.file = folder / "key"
        self.write(KEY)
        config = PortConfig(name="", kind="rs-232", authentication=AuthenticationConfig(str(self.file), level))
        service = self.served.service
        self.served.requests = Requests(service, service.program, port_keys=PortKeys([config]))
        self.log: list[Any] = []
        service.on_events = self.log.extend

    def write(self, key: bytes) -> None:
        self.file.write_text(key.hex() + "\n")
        self.file.chmod(0o600)

    def begin(self) -> bytes:
        """Begin a session; its ticket."""
        self.client.restart()
        answer = self.client.identify()
        assert (answer[:7], answer[15:]) == (bytes.fromhex("02020002010008"), b"\0")
        self.client.log_on()
        return answer[7:15]

    def authenticate(self, token: bytes, key_id: int = 1) -> bytes:
        """Send a token; what comes back for it, after the key's number."""
        answer = self.client.ask(bytes((0x53, 1 + len(token), key_id)) + token)
        assert answer[:2] == bytes((9, key_id))
        return answer[2:]

    def end(self) -> None:
        self.client.terminate()
        self.line.wait(0.1)
