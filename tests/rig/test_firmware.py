"""Firmware of the notice: the docstring's table, versions as the notice prints them, what is refused (D-7, M-7)."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from rig.meter import firmware as firmware_module
from rig.meter.access.access import Access
from rig.meter.display.items import StatusItem
from rig.meter.firmware import (
    APPROVED,
    Firmware,
    FirmwareError,
    PortOption,
    PortProtocol,
    firmware_named,
    firmware_of,
    protocols,
)
from rig.meter.models import MODELS
from rig.program.check import notes
from rig.program.displayed_nameplate import displayed_nameplate
from tests.rig.display.shown_meters import new_meter, program, show

PRINTED = (
    "2.05, 3.00, 3.01, 3.02, 3.03, 3.04, 3.05, 3.06, 3.07, 3.08, 3.09, 3.10, 3.11, 3.12, 3.13, 3.14, 3.15, 4.22, 6.02, "
    "6.26, 6.28, 6.30, 7.03, 7.04, 7.16, 7.17 and 7.18"
)
"""The notice, "Firmware Versions"."""


def test_d7_the_approved_list() -> None:
    assert ", ".join(APPROVED[:-1]) + f" and {APPROVED[-1]}" == PRINTED


def rows() -> dict[str, list[str]]:
    """Version → the other cells of the table in the docstring."""
    assert firmware_module.__doc__ is not None
    lines = firmware_module.__doc__.split("under seal\n")[1].split("\n\n")[0].splitlines()
    found: dict[str, list[str]] = {}
    for line in lines:
        versions, *cells = (cell.strip() for cell in line.split("  ") if cell.strip())
        first, to, last = versions.partition(" to ")
        every = [f"3.{k:02}" for k in range(int(first[2:]), int(last[2:]) + 1)] if to else versions.split(", ")
        found |= dict.fromkeys(every, cells)
    return found


def test_the_table_has_every_version() -> None:
    assert sorted(rows()) == sorted(APPROVED)


@pytest.mark.parametrize("name", APPROVED)
def test_d7_what_a_version_enables(name: str) -> None:
    family, protocol, ports, protection = rows()[name]
    found = firmware_named(name)
    assert (found.family, found.protocol.value) == (family, protocol)
    assert found.port_options == (set(PortOption) if ports == "x" else set())
    assert found.seals == (protection == "x")


@pytest.mark.parametrize(
    ("name", "protocol", "ports", "seals"),
    [
        ("3.15", PortProtocol.DGCOM, False, False),
        ("4.22", PortProtocol.DGCOM, True, False),  # "Firmware version 4.22 and any subsequently approved firmware"
        ("6.26", PortProtocol.ANSI, True, False),  # Rev. 9, "6.26 (ANSI) and 7.16 (DGCOM)"
        ("7.16", PortProtocol.DGCOM, True, False),
        ("6.28", PortProtocol.ANSI, True, True),  # "with firmware versions 6.28, 7.17 and 7.18"
        ("7.17", PortProtocol.DGCOM, True, True),
        ("7.18", PortProtocol.DGCOM, True, True),  # Rev. 12, "revision 7.18 of DGCOM protocol"
        ("6.30", PortProtocol.ANSI, True, False),
    ],
)
def test_d7_as_the_notice_has_it(name: str, protocol: PortProtocol, ports: bool, seals: bool) -> None:
    found = Firmware(name)
    assert (found.protocol, bool(found.port_options), found.seals) == (protocol, ports, seals)


def test_d7_what_is_refused() -> None:
    for name in ("7.2", "7.20", "", "3.16", "4.21", "07.18", "7.18 ", "VII"):
        with pytest.raises(FirmwareError, match=r"is not approved: choose 2\.05, .* or 7\.18"):
            firmware_named(name)
    for model in MODELS.values():
        for name in APPROVED:
            ansi = name.startswith("6.")
            if ansi and model.family == "S4":
                with pytest.raises(FirmwareError, match=f"{model.name} is available with DGCOM: choose 2.05"):
                    firmware_of(model, name)
            else:
                assert protocols(model, firmware_of(model, name)) == {PortProtocol.ANSI if ansi else PortProtocol.DGCOM}


def test_d7_what_a_model_can_be_supplied_with() -> None:
    """ "The S4e meters can be supplied with ANSI C12.19 or DGCOM protocol. The S4 meters are available with DGCOM"."""
    assert protocols(MODELS["AXS4"], None) == {PortProtocol.DGCOM}
    assert protocols(MODELS["AXS4e"], None) == {PortProtocol.DGCOM, PortProtocol.ANSI}


def test_d7_the_version_on_the_display_beside_the_rigs_own() -> None:
    """ "The firmware version can be displayed on the LCD"."""
    own = version("ae0764-rig")
    emulated, plain = program('[meter]\nfirmware = "7.18"'), program("")
    meter = new_meter().meter
    plate = displayed_nameplate(emulated)
    assert (show(meter, "firmware", plate=plate).text, show(meter, "software", plate=plate).text) == ("7.18", own)
    assert show(meter, "firmware", plate=displayed_nameplate(plain)).text == own
    names = [[i.name for i in p.display.alternate if isinstance(i.what, StatusItem)] for p in (emulated, plain)]
    assert [("software" in n, "firmware" in n) for n in names] == [(True, True), (False, True)]
    assert emulated.markings.rows()[-1] == ("Right-hand side", "FIRMWARE 7.18")


def test_d7_the_seal_goes_by_the_version() -> None:
    for name in APPROVED:
        made = program(f'[meter]\nfirmware = "{name}"\nmodel = "RXRS4e"')
        assert made.security.firmware == name
        assert not Access.begin(made.security, 0).sealed
    sealed = program('[meter]\nfirmware = "6.28"\n[security]\nseal = true')
    assert Access.begin(sealed.security, 0).sealed


@pytest.mark.parametrize(
    ("model", "name", "told"),
    [
        ("RXS4", "4.22", ""),
        ("RXS4", "7.17", "S4e"),
        ("RXS4e", "7.17", ""),
        ("RXS4e", "3.15", "S4"),
        ("RXS4e", "6.30", ""),
    ],
)
def test_d7_a_version_of_the_other_family_runs_and_is_told(model: str, name: str, told: str) -> None:
    said = [n for n in notes(program(f'[meter]\nmodel = "{model}"\nfirmware = "{name}"'), 2026) if "firmware" in n]
    came = f"firmware {name} came with the {told}: the notice does not show it in an {model[2:]}"
    assert said == ([came] if told else [])
