"""What the test LED follows: the table, for every quantity and item (P-1)."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.quantity import Quadrant, Quantity
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
from rig.meter.measuring.registration import Energies

WH = (Quantity.KWH_DELIVERED, Quantity.KWH_RECEIVED, Quantity.KWH_Q3)
VARH = (Quantity.KVARH_LAGGING, Quantity.KVARH_NET, Quantity.KVARH_Q2)
VAH = (Quantity.KVAH_RMS, Quantity.KVAH_TD_LEADING)
KW, KVAR, KVA = (
    InstantItem(i)
    for i in (InstantaneousQuantity.WATTS, InstantaneousQuantity.VARS, InstantaneousQuantity.VOLT_AMPERES)
)
PULSES: list[What] = [PulseItem(Quantity.KVARH_Q4), PulseItem(Quantity.KVAH_RMS), PulseItem(Quantity.KWH_DELIVERED)]
OTHER: tuple[What, ...] = (
    InstantItem(InstantaneousQuantity.POWER_FACTOR),
    InstantItem(InstantaneousQuantity.AMPERES, "a"),
    StatusItem(DisplayStatus.ALL_SEGMENTS),
    PulseItem(Quantity.KWH_EITHER),
)


def registers(*quantities: Quantity) -> list[What]:
    items: list[What] = []
    for quantity in quantities:
        items += [EnergyItem(quantity), DemandItem(quantity, DemandOf.MAXIMUM), PeakItem(quantity, 1)]
    return items


ITEMS: dict[str, list[What]] = {
    "anything": [*registers(*WH, *VARH, *VAH), *PULSES, KW, KVAR, KVA, *OTHER],
    "energy, demand or a peak": registers(*WH, *VARH, *VAH),
    "kW": [KW],
    "kvar": [KVAR],
    "kVA": [KVA],
    "pulse kWh or pulse kM3H": PULSES,
    "anything else": list(OTHER),
}


def rows() -> list[tuple[str, str, str]]:
    """The table in the docstring."""
    lines = lamp_module.__doc__.split("the LED follows\n")[1].split("\n\n")[0].splitlines()
    return [tuple(cell.strip() for cell in line.split("  ") if cell.strip()) for line in lines]


@pytest.mark.parametrize("row", rows(), ids=" - ".join)
def test_table(row: tuple[str, str, str]) -> None:
    """D-2, "the test LED will output the displayed quantity when in Alternate or Test mode"."""
    modes, displayed, follows = row
    flags = {
        "normal, Gyrbox": [{}],
        "alternate, test": [{"alternate": True}, {"test": True}, {"alternate": True, "test": True}],
        "test": [{"test": True}],
    }[modes]
    for what, flag, rms in product(ITEMS[displayed], flags, (False, True)):
        expected = {
            "Wh, either way": None,
            "its quantity": getattr(what, "quantity", None),
            "varh, either way": Quantity.KVARH_NET,
            "VAh, as displayed": Quantity.KVAH_RMS if rms else Quantity.KVAH_TD,
        }[follows]
        assert followed(what, **flag, apparent_rms=rms) is expected


def test_the_table_is_whole() -> None:
    tested = [what for modes, displayed, _ in rows() if "test" in modes for what in ITEMS[displayed]]
    assert len(tested) == len(set(tested))
    assert set(tested) == set(ITEMS["anything"])
    assert {modes for modes, _, _ in rows()} == {"normal, Gyrbox", "alternate, test", "test"}


@pytest.mark.parametrize("quantity", [Quantity.KWH_EITHER, Quantity.KWH_NET])
def test_net_watt_hours_are_those_of_either_way(quantity: Quantity) -> None:
    for what, test in product([*registers(quantity), PulseItem(quantity)], (False, True)):
        assert followed(what, alternate=True, test=test) is None


@given(st.lists(st.tuples(st.sampled_from(Quadrant), st.integers(0, 10**12)), max_size=20))
def test_varh_either_way_are_the_magnitudes_of_every_window(flows: list[tuple[Quadrant, int]]) -> None:
    """What kvarh net moves by, whichever way, sums to the vars of all four quadrants."""
    moved = sum(Energies(q, 0, varh, 0, 0, (0,) * 7).moves(Quantity.KVARH_NET) for q, varh in flows)
    assert moved == sum(varh for _, varh in flows)
