"""Faces for the tests of the sinks: some that stand for all, and any there can be."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from drivers.gpio import Position
from rig.face.face import Face
from rig.meter.display.lcd import IDENT_PLACES, POINTS, TEXT_PLACES, UNIT_PLACES, Annunciator, Lcd
from rig.meter.front.switches import Switch

PRINTED = string.digits + string.ascii_letters + string.punctuation + " °–█"
NAMED = PRINTED + "Éçßλ日"
"""Every character that the meter itself puts on the glass, and some that people give names of."""

A = Annunciator
USUAL = Lcd(
    "03", "00123.4", "kWh", frozenset({A.PHASE_A, A.PHASE_B, A.PHASE_C, A.DELIVERED, A.LAGGING, A.RATE_B, A.ALT, A.EOI})
)
PLATE = (("Type", "RXRS4e"), ("AE", "0764"), ("Form", "FM 9S"), ("Ks", "1.8 (inferred)"), ("Serial", "<&\"40'>"))
CONTACTS = (("KYZ 1", Position.KY), ("KYZ 2", Position.KZ), ("KYZ 3", Position.OPEN))
FACE = Face(USUAL, True, CONTACTS, frozenset({Switch.MAGNET}), PLATE, "SIMULATED (exact)")

_ident, _unit = (st.text(alphabet=NAMED, max_size=n) for n in (IDENT_PLACES, UNIT_PLACES))
_text = st.lists(
    st.one_of(st.sampled_from(NAMED), st.text(alphabet=POINTS, max_size=TEXT_PLACES)), max_size=TEXT_PLACES
).map("".join)

lcds = st.builds(Lcd, _ident, _text, _unit, st.frozensets(st.sampled_from(Annunciator)))
faces = st.builds(
    Face,
    lcds,
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(["KYZ 1", "KYZ 2"]), st.sampled_from(Position)), max_size=4).map(tuple),
    st.frozensets(st.sampled_from(Switch)),
    st.just(PLATE),
    st.sampled_from(["", "SIMULATED", "SIMULATED (exact)  UNCALIBRATED"]),
)
