"""`rig doctor` on [mqtt] and [prometheus]: a verdict and a remedy each, only where they are enabled."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from rig.hardware.config import Config, load
from rig.hardware.doctor_publishing import examine_publishing


def written(folder: Path, text: str) -> Config:
    (folder / "rig.toml").write_text(text)
    return load(folder / "rig.toml")


def failed(config: Config, *, runs: bool = False) -> dict[str, str]:
    checks = examine_publishing(config, runs)
    assert all(bool(check.remedy) is not check.holds for check in checks)
    return {f"{check.part} {check.name}": check.found for check in checks if not check.holds}


def test_what_is_off_is_not_looked_at(tmp_path: Path) -> None:
    assert examine_publishing(Config(), False) == []
    assert examine_publishing(written(tmp_path, "[mqtt]\nbroker = 'no.such.x'\n[prometheus]\nport = 1\n"), False) == []


def test_what_listens_and_what_is_free_holds(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("x")
    (tmp_path / "p").chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as there, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        config = written(
            tmp_path,
            f"[mqtt]\nenabled = true\nbroker = '127.0.0.1'\nport = {there.getsockname()[1]}\nuser = 'u'\n"
            f"password_file = 'p'\n[prometheus]\nenabled = true\nport = {port}\n",
        )
        assert failed(config) == {}


@pytest.mark.parametrize(
    ("text", "which", "found"),
    [
        ("[mqtt]\nenabled = true\nbroker = '127.0.0.1'\nport = {free}", "mqtt broker", "Connection refused"),
        ("[mqtt]\nenabled = true\nbroker = 'no.such.invalid'\nport = 1", "mqtt broker", "no.such.invalid"),
        ("[mqtt]\nenabled = true\nport = {taken}\nbroker = '127.0.0.1'\nuser = 'u'\npassword_file = 'none'",
         "mqtt password", "is not there"),
        ("[mqtt]\nenabled = true\nport = {taken}\nbroker = '127.0.0.1'\nuser = 'u'\npassword_file = 'rig.toml'",
         "mqtt password", "can be read by others"),
        ("[prometheus]\nenabled = true\nport = {taken}", "prometheus address", "Address already in use"),
        ("[prometheus]\nenabled = true\naddress = '192.0.2.1'", "prometheus address", "Cannot assign"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(tmp_path: Path, text: str, which: str, found: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        said = failed(written(tmp_path, text.format(taken=taken.getsockname()[1], free=port)))
    assert list(said) == [which]
    assert found in said[which]


def test_a_port_that_the_meters_own_publisher_has_is_no_fault(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = written(tmp_path, f"[prometheus]\nenabled = true\nport = {taken.getsockname()[1]}")
        assert failed(config, runs=True) == {}
