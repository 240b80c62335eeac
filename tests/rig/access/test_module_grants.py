"""Each module × each part of the readings × each action, against the notice's words typed by hand (X-4)."""

from __future__ import annotations

from itertools import product

import pytest
from cheap_security import cheap_security
from module_grants import MAY_DO, MAY_READ, ONLY_UNSEALED

from rig.meter.access.access import Access
from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Allowed, Asker, Conditions, Granted, Refusal, Refused
from rig.meter.access.events import ActionRefused, ReadingRefused
from rig.meter.access.modules import MODULE_GRANTS, Interface
from rig.meter.access.readable import IN_STATE, PULSES, REGISTERS, Readable, pulses_of
from rig.meter.access.state import AccessState
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.source import Source

NOW_NS = 1_800_000_000 * 10**9
KEYS = (b"\x11\x11\x11", b"\x22\x22\x22", b"\x33\x33\x33", b"\x44\x44\x44")


def door(*, sealed: bool = False) -> Access:
    return Access(cheap_security(sealed, KEYS), AccessState())


def conditions(fitted: str | None, *, test_mode: bool = False) -> Conditions:
    return Conditions(cover_off=False, test_mode=test_mode, demand=True, test_by_communication=True, module=fitted)


def test_every_module_of_the_notice_has_a_row_and_no_other() -> None:
    assert set(MAY_READ) == set(MODULE_GRANTS)


@pytest.mark.parametrize(("module", "part"), list(product(MAY_READ, Readable)), ids=str)
def test_a_part_is_read_where_the_notice_grants_it(module: str, part: Readable) -> None:
    access, asker = door(), Asker(Source.MODULE, module, Granted(Source.MODULE, 4, 0))
    decision = access.decide_reading([part], asker, conditions(module), NOW_NS)
    events = access.take_events()
    if part.value in MAY_READ[module]:
        assert isinstance(decision, Allowed)
        assert events == []
    else:
        assert isinstance(decision, Refused), "whatever the key"
        assert decision.sentence.startswith(f"module {module} is not granted {part.value}: it may read ")
        assert events == [ReadingRefused(NOW_NS, Source.MODULE, module, part, Refusal.MODULE)]


@pytest.mark.parametrize(("module", "sealed"), list(product(MAY_READ, [False, True])))
@pytest.mark.parametrize("action", MeterAction, ids=lambda action: action.label)
def test_an_action_is_done_where_the_notice_grants_it(module: str, action: MeterAction, sealed: bool) -> None:
    """With a key of level 4, so that nothing but the row refuses."""
    access, asker = door(sealed=sealed), Asker(Source.MODULE, module, Granted(Source.MODULE, 4, 0))
    decision = access.decide(action, asker, conditions(module, test_mode=action is MeterAction.LEAVE_TEST), NOW_NS)
    granted = action.value in MAY_DO.get(module, set()) or (action.value == "read" and module != "SSMM")
    if sealed and action.value in ONLY_UNSEALED.get(module, set()):
        granted = False
    assert isinstance(decision, Allowed) is granted
    logged = [event.name for event in access.take_events() if isinstance(event, ActionRefused)]
    assert logged == ([] if granted else [module])


@pytest.mark.parametrize("module", MAY_READ)
def test_a_module_that_is_not_fitted_has_nothing(module: str) -> None:
    asker = Asker(Source.MODULE, module, Granted(Source.MODULE, 4, 0))
    for fitted in (None, *(other for other in MAY_READ if other != module)):
        for part in Readable:
            access = door()
            decision = access.decide_reading([part], asker, conditions(fitted), NOW_NS)
            assert isinstance(decision, Refused)
            assert decision.why is Refusal.NOT_FITTED
            assert [type(event) for event in access.take_events()] == [ReadingRefused]
        for action in MAY_DO.get(module, set()):
            refused = door().decide(MeterAction(action), asker, conditions(fitted), NOW_NS)
            assert isinstance(refused, Refused)
            assert "is not fitted to this meter" in refused.sentence


@pytest.mark.parametrize("name", ["", "ts2", "TS2 ", "METRUM 2", "CMT-SX", "x" * 40])
def test_a_misspelt_module_is_refused_with_the_names_that_there_are(name: str) -> None:
    decision = door().decide_reading([Readable.KWH_DELIVERED], Asker(Source.MODULE, name), conditions(name), NOW_NS)
    assert isinstance(decision, Refused)
    assert "TWACS CMT-SE, TWACS CMT-SX, STAR MTU" in decision.sentence


def test_of_several_parts_the_first_that_is_not_granted_is_named() -> None:
    asker = Asker(Source.MODULE, "UtiliNet")
    wanted = [Readable.KWH_NET, Readable.DEMAND, Readable.LOG]
    decision = door().decide_reading(wanted, asker, conditions("UtiliNet"), NOW_NS)
    assert isinstance(decision, Refused)
    assert "not granted demand: it may read kWh delivered, kWh received, kWh net" in decision.sentence


def test_others_read_all_parts_alike_or_none() -> None:
    for part in Readable:
        assert isinstance(door().decide_reading([part], Asker(Source.OPTICAL), conditions(None), NOW_NS), Allowed)
        refused = door().decide_reading([part], Asker(Source.MODEM), conditions(None), NOW_NS)
        assert isinstance(refused, Refused)
        assert refused.why is Refusal.LEVEL


def test_a_module_refused_over_and_over_does_not_flood_the_log() -> None:
    access, asker = door(), Asker(Source.MODULE, "SSMM")
    for k in range(1000):
        access.decide_reading([Readable.DEMAND], asker, conditions("SSMM"), NOW_NS + k)
    assert len(access.take_events()) == 1


def test_ssmm_has_pulses_of_active_energy_and_one_way_modules_ask_nothing() -> None:
    """ "Landis+Gyr EMS SSMM is only used to read kW·h", by pulses; SSMM and TS1 are one-way."""
    assert {pulses_of(quantity) for quantity in Quantity if quantity.value.startswith("kWh")} == {Readable.KWH_PULSES}
    others = [quantity for quantity in Quantity if not quantity.value.startswith("kWh")]
    assert {pulses_of(quantity) for quantity in (*others, None)} == {Readable.OTHER_PULSES}
    assert {name for name, grant in MODULE_GRANTS.items() if grant.one_way} == {"SSMM", "TS1"}
    assert {name for name, grant in MODULE_GRANTS.items() if grant.interface is Interface.PULSES} == {"SSMM"}
    assert all(grant.actions <= {MeterAction.READ} for grant in MODULE_GRANTS.values() if grant.one_way)
    assert {name for name, grant in MODULE_GRANTS.items() if grant.external} == {"TS2 MU"}


def test_the_parts_are_registers_or_pulses() -> None:
    assert REGISTERS | PULSES == frozenset(Readable)
    assert frozenset({Readable.LOG}) == REGISTERS - IN_STATE
