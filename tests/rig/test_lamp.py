"""What the test LED follows: the table, for every quantity and item (P-1)."""

from __future__ import annotations

from itertools import product

import pytest

from rig.meter.billing.quantity import Quantity
from rig.meter.display.items import (
    DemandItem,
    DemandOf,
    DisplayStatus,
    EnergyItem,
    InstantaneousQuantity,
    InstantItem,
    PeakItem,
    PulseItem,
    StatusItem,
    What,
)
from rig.meter.front import lamp as lamp_module
from rig.meter.front.lamp import followed

DEMANDS = (Quantity.KWH_DELIVERED, Quantity.KVAH_RMS, Quantity.KVARH_LAGGING)
WH = (Quantity.KWH_DELIVERED, Quantity.KWH_RECEIVED, Quantity.KWH_Q3)
VARH = (Quantity.KVARH_LAGGING, Quantity.KVARH_NET, Quantity.KVARH_Q2)
VAH = (Quantity.KVAH_RMS, Quantity.KVAH_TD_LEADING)
OTHER: tuple[What, ...] = (InstantItem(InstantaneousQuantity.VARS), StatusItem(DisplayStatus.ALL_SEGMENTS))


def registers(*quantities: Quantity) -> list[What]:
    items: list[What] = []
    for quantity in quantities:
        items += [EnergyItem(quantity), DemandItem(quantity, DemandOf.MAXIMUM), PeakItem(quantity, 1)]
    return items


ITEMS: dict[str, list[What]] = {
    "anything": [*registers(*WH, *VARH, *VAH), PulseItem(False), PulseItem(True), *OTHER],
    "energy, demand or a peak": registers(*WH, *VARH, *VAH),
    "energy, demand or a peak, of Wh": registers(*WH),
    "energy, demand or a peak, of varh": registers(*VARH),
    "energy, demand or a peak, of VAh": registers(*VAH),
    "pulse kWh": [PulseItem(False)],
    "pulse kM3H": [PulseItem(True)],
    "anything else": list(OTHER),
}


def rows() -> list[tuple[str, str, str]]:
    """The table in the docstring."""
    lines = lamp_module.__doc__.split("the LED follows\n")[1].split("\n\n")[0].splitlines()
    return [tuple(cell.strip() for cell in line.split("  ") if cell.strip()) for line in lines]


@pytest.mark.parametrize("row", rows(), ids=" - ".join)
def test_table(row: tuple[str, str, str]) -> None:
    mode, displayed, follows = row
    flags = [{"alternate": mode == "alternate", "test": mode == "test"}]
    if mode == "test":
        flags.append({"alternate": True, "test": True})
    for what, flag in product(ITEMS[displayed], flags):
        expected = {
            "Wh, either way": None,
            "its quantity": getattr(what, "quantity", None),
            "the third demand quantity": DEMANDS[2],
        }[follows]
        assert followed(what, DEMANDS, **flag) is expected


def test_the_table_is_whole() -> None:
    assert {mode for mode, _, _ in rows()} == {"normal, Gyrbox", "alternate", "test"}
    tested = {what for mode, displayed, _ in rows() if mode == "test" for what in ITEMS[displayed]}
    assert tested == set(ITEMS["anything"])


@pytest.mark.parametrize("quantity", [Quantity.KWH_EITHER, Quantity.KWH_NET])
def test_net_watt_hours_are_those_of_either_way(quantity: Quantity) -> None:
    for what, test in product(registers(quantity), (False, True)):
        assert followed(what, DEMANDS, alternate=True, test=test) is None
    assert followed(PulseItem(True), (*DEMANDS[:2], quantity), test=True) is None


def test_without_a_third_metric_it_is_watt_hours() -> None:
    assert followed(PulseItem(True), DEMANDS[:2], test=True) is None
