"""Quantities as the notice has them, quadrant by quadrant (Q-2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.billing.quantity import KINDS, PLACES, Kind, Quadrant, Quantity

Q1, Q2, Q3, Q4 = Quadrant

BY_QUADRANT = {
    "kWh delivered": (Kind.WH, +1, 0, 0, +1),
    "kWh received": (Kind.WH, 0, +1, +1, 0),
    "kWh net": (Kind.WH, +1, -1, -1, +1),
    "kWh either way": (Kind.WH, +1, +1, +1, +1),
    "kvarh lagging": (Kind.VARH, +1, 0, +1, 0),
    "kvarh leading": (Kind.VARH, 0, +1, 0, +1),
    "kvarh net": (Kind.VARH, +1, -1, +1, -1),
    "kvarh net by direction": (Kind.VARH, +1, +1, -1, -1),
    "kVAh rms": (Kind.VAH_RMS, +1, +1, +1, +1),
    "kVAh td": (Kind.VAH_TD, +1, +1, +1, +1),
    "kVAh td lagging": (Kind.VAH_TD, +1, 0, +1, 0),
    "kVAh td leading": (Kind.VAH_TD, 0, +1, 0, +1),
    "kWh Q1": (Kind.WH, +1, 0, 0, 0),
    "kWh Q2": (Kind.WH, 0, +1, 0, 0),
    "kWh Q3": (Kind.WH, 0, 0, +1, 0),
    "kWh Q4": (Kind.WH, 0, 0, 0, +1),
    "kvarh Q1": (Kind.VARH, +1, 0, 0, 0),
    "kvarh Q2": (Kind.VARH, 0, +1, 0, 0),
    "kvarh Q3": (Kind.VARH, 0, 0, +1, 0),
    "kvarh Q4": (Kind.VARH, 0, 0, 0, +1),
}
"""What a unit of its kind counts for, in Q1 to Q4."""


def test_every_quantity_is_here():
    assert [quantity.value for quantity in Quantity] == list(BY_QUADRANT)


@pytest.mark.parametrize("name", BY_QUADRANT)
def test_each_place_counts_as_it_should(name):
    quantity, (kind, *signs) = Quantity(name), BY_QUADRANT[name]
    for place in range(PLACES):
        amounts = [0] * PLACES
        amounts[place] = 7
        quadrant, of_kind = divmod(place, KINDS)
        assert quantity.of(amounts) == (7 * signs[quadrant] if of_kind == kind else 0)
    assert sorted(quantity.adds + quantity.subtracts) == [KINDS * q + kind for q in Quadrant if signs[q]]
    assert quantity.net == (-1 in signs)
    assert quantity.unit == name.split()[0]
    assert quantity.demand_unit == {"kWh": "kW", "kvarh": "kvar", "kVAh": "kVA"}[quantity.unit]
    assert quantity.reactive == (name not in ("kWh delivered", "kWh received", "kWh net", "kWh either way"))


@given(st.lists(st.integers(0, 10**18), min_size=PLACES, max_size=PLACES))
def test_quadrants_add_up_to_totals(amounts):
    read = {quantity: quantity.of(amounts) for quantity in Quantity}
    wh = [read[Quantity(f"kWh Q{k}")] for k in (1, 2, 3, 4)]
    varh = [read[Quantity(f"kvarh Q{k}")] for k in (1, 2, 3, 4)]
    assert read[Quantity.KWH_DELIVERED] + read[Quantity.KWH_RECEIVED] == sum(wh) == read[Quantity.KWH_EITHER]
    assert read[Quantity.KWH_DELIVERED] - read[Quantity.KWH_RECEIVED] == read[Quantity.KWH_NET]
    assert read[Quantity.KVARH_LAGGING] + read[Quantity.KVARH_LEADING] == sum(varh)
    assert read[Quantity.KVARH_LAGGING] - read[Quantity.KVARH_LEADING] == read[Quantity.KVARH_NET]
    assert read[Quantity.KVAH_TD_LAGGING] + read[Quantity.KVAH_TD_LEADING] == read[Quantity.KVAH_TD]


@pytest.mark.parametrize(
    ("p", "q", "quadrant"),
    [(5, 5, Q1), (-5, 5, Q2), (-5, -5, Q3), (5, -5, Q4), (0, 0, Q1), (0, 5, Q1), (0, -5, Q4), (5, 0, Q1), (-5, 0, Q2)],
)
def test_quadrant_of_signs(p, q, quadrant):
    assert Quadrant.of(p, q) is quadrant
