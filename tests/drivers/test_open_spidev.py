"""Opening the SPI device with the distribution's py-spidev, which has no `open_path` (review B-1).

`Distributions` stands in for the module: it has exactly the names that `dir(spidev.SpiDev())` gives of version 3.5,
Debian bookworm's, and refuses every other; 3.6, trixie's, has `read0` besides. The last test takes the real module,
where one is installed: `PYTHONPATH=<folder with spidev 3.5> pytest tests/drivers/test_open_spidev.py`.
"""

from __future__ import annotations

import errno
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from drivers.spi_link import LinkError, open_spidev

NAMES = [
    "bits_per_word",
    "close",
    "cshigh",
    "fileno",
    "loop",
    "lsbfirst",
    "max_speed_hz",
    "mode",
    "no_cs",
    "open",
    "readbytes",
    "threewire",
    "writebytes",
    "writebytes2",
    "xfer",
    "xfer2",
    "xfer3",
]


def distributions(there: set[tuple[int, int]], error: int | None = None) -> tuple[Any, list[Any]]:
    """Give a module with the interface of py-spidev 3.5 and the list of what was made of its SpiDev."""
    made: list[Any] = []

    class SpiDev:
        __slots__ = (*(name for name in NAMES if name not in ("open", "close")), "log")

        def __init__(self) -> None:
            self.log: list[Any] = []
            made.append(self)

        def open(self, bus: int, device: int) -> None:
            self.log.append(("open", bus, device))
            if (bus, device) not in there:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if error is not None:
                raise OSError(error, os.strerror(error))

        def close(self) -> None:
            self.log.append("close")

    module = types.ModuleType("spidev")
    module.SpiDev = SpiDev  # type: ignore[attr-defined]
    return module, made


def test_the_stand_in_has_the_interface_of_3_5() -> None:
    module, _ = distributions(set())
    assert sorted(n for n in dir(module.SpiDev) if not n.startswith("__") and n != "log") == NAMES


def test_a_device_is_opened_by_bus_and_device(monkeypatch: pytest.MonkeyPatch) -> None:
    module, made = distributions({(10, 12)})
    monkeypatch.setitem(sys.modules, "spidev", module)
    bus: Any = open_spidev("/dev/spidev10.12", 3_000_000)
    assert bus is made[0]
    assert (bus.log, bus.max_speed_hz, bus.mode) == ([("open", 10, 12)], 3_000_000, 0)


def test_a_link_to_a_link_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, made = distributions({(0, 1)})
    monkeypatch.setitem(sys.modules, "spidev", module)
    (tmp_path / "fpga").symlink_to("/dev/spidev0.1")
    (tmp_path / "meter").symlink_to("fpga")
    open_spidev(str(tmp_path / "meter"), 3_000_000)
    assert made[0].log == [("open", 0, 1)]


@pytest.mark.parametrize(
    ("path", "error", "said"),
    [
        ("/dev/spidev0.0", None, r"/dev/spidev0\.0 does not exist: enable SPI \(sudo raspi-config nonint do_spi 0\)"),
        ("/dev/spidev4.2", errno.EACCES, r"no permission for /dev/spidev4\.2: sudo adduser \$USER spi"),
        ("/dev/spidev4.2", errno.EBUSY, r"/dev/spidev4\.2 cannot be used: Device or resource busy"),
        ("/dev/null", None, r"/dev/null is no SPI device: it must be /dev/spidevX\.Y, or a link to one"),
        ("/dev/fpga_meter", None, r"/dev/fpga_meter does not exist: .* udev rule"),
        ("spidev0.0", None, r"spidev0\.0 does not exist: give /dev/spidev0\.0"),
        ("", None, r"is no SPI device"),
        ("/dev/spidev0", None, r"/dev/spidev0 does not exist"),
    ],
)
def test_what_cannot_be_opened_has_a_remedy(
    monkeypatch: pytest.MonkeyPatch, path: str, error: int | None, said: str
) -> None:
    module, made = distributions({(4, 2)}, error)
    monkeypatch.setitem(sys.modules, "spidev", module)
    with pytest.raises(LinkError, match=said):
        open_spidev(path, 3_000_000)
    assert all(each.log[-1] == "close" for each in made)


def test_a_link_whose_device_is_gone_names_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, _ = distributions(set())
    monkeypatch.setitem(sys.modules, "spidev", module)
    (tmp_path / "fpga").symlink_to("/dev/spidev7.7")
    with pytest.raises(LinkError, match=r"fpga \(a link to /dev/spidev7\.7\) does not exist: enable SPI"):
        open_spidev(str(tmp_path / "fpga"), 3_000_000)


def test_another_module_of_that_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spidev", types.ModuleType("spidev"))
    with pytest.raises(LinkError, match=r"is not py-spidev, but .*: sudo apt install python3-spidev"):
        open_spidev("/dev/spidev0.0", 3_000_000)


def test_the_real_module_is_called_as_it_wants() -> None:
    pytest.importorskip("spidev", reason="spidev is not installed here")
    if os.path.exists("/dev/spidev250.250"):
        pytest.skip("this machine has the device that should be absent")
    with pytest.raises(LinkError, match=r"/dev/spidev250\.250 does not exist: enable SPI"):
        open_spidev("/dev/spidev250.250", 3_000_000)
