"""docs/load.md, held to what is read."""

from __future__ import annotations

import re
from math import sqrt
from pathlib import Path

import pytest

from rig.hardware.config import load
from rig.load.connected import MeteringPoint, connected
from rig.load.description import LoadDescription
from rig.load.metered import active_power_w
from rig.load.profile import read_shape
from rig.load.spelling import read_load
from rig.meter.measuring.elements import FORMS

PAGE = (Path(__file__).parents[3] / "docs" / "load.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return re.split(r"^## ", PAGE.partition(f"## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_every_key_is_there_in_order() -> None:
    keys = re.findall(r"^\| `(\w+)` \|", section("`[simulation.load]`"), re.MULTILINE)
    assert tuple(keys) == LoadDescription.__struct_fields__


def test_every_part_is_understood() -> None:
    rows = re.findall(r"^\| (`.*?) \|", section("In words"), re.MULTILINE)
    parts = [part for row in rows for part in re.findall(r"`([^`]+)`", row)]
    assert len(parts) > 15
    for part in parts:
        needed = ", profile house" if part.startswith("day ") else ""
        assert read_load(part + needed) != LoadDescription()


def test_the_table_and_the_shape_are_read(tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text(block("toml"), encoding="utf-8")
    described = load(tmp_path / "rig.toml").simulation.load
    assert active_power_w(connected(described, MeteringPoint()).state, FORMS["9S"].equation()) == pytest.approx(
        (120 + 118 + 121) * 5 * 0.8
    )
    (tmp_path / "day.csv").write_text(block("csv"), encoding="utf-8")
    assert len(read_shape(tmp_path / "day.csv")) == 5


def test_the_powers_are_those_of_the_page() -> None:
    said = dict(
        re.findall(r"^\| ([\w, -]+?) \| ([^|]*U · I · PF) \|$", section("What the meter is to find"), re.MULTILINE)
    )
    assert len(said) == 5
    numbers = {"": 1.0, "2": 2.0, "3": 3.0, "√3": sqrt(3), "√3 · 2U": 2 * sqrt(3)}
    found = 0
    for services, formula in said.items():
        factor = numbers[re.sub(r"( · )?(?<!2)U · I · PF$| · I · PF$", "", formula)]
        for service in services.split(", "):
            for form in FORMS.values():
                if service in form.services:
                    at = connected(read_load(f"{service}, 100 V, 3 A, pf 0.5 lag"), MeteringPoint(20, form.name))
                    assert active_power_w(at.state, at.equation) == pytest.approx(factor * 100 * 3 * 0.5)
                    found += 1
    assert found == sum(len(form.services) for form in FORMS.values())
