"""What programs come to: the packaged examples, the program of a meter without one, what names and keys mean."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from rig.files.strict_toml import ConfigError, convert
from rig.meter.billing.billing import Billing
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.holidays import holiday_dates
from rig.meter.billing.inputs import InputId
from rig.meter.billing.quantity import NANO, NANO_PER_KILO, Quantity
from rig.meter.billing.settings import SelfReadKind, SelfReads
from rig.meter.billing.tariff import DayType, Rate
from rig.meter.contacts.alerts import DemandAlert, DiagnosticAlert, PowerFactorAlert, VoltageAlert
from rig.meter.contacts.functions import PulsesOutput, RateInput, RecordedInput
from rig.meter.contacts.level_functions import EndOfIntervalOutput, LoadControlOutput
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import kyz_output
from rig.meter.display.items import GYRBOX, DemandItem, DemandOf, EnergyItem, PulseItem
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.measuring.elements import FORMS
from rig.meter.models import MODELS
from rig.program import schema
from rig.program.build import Program, build, default_program, load_program
from rig.program.check import notes, summary
from rig.program.display_items import items
from rig.program.metering import MOST_FLASHES_A_SECOND, MOST_PULSES_A_SECOND
from rig.program.names import Names
from rig.program.new import new_program
from rig.service.outputs import LED_GAP_NS, LED_WIDTH_NS, RELAY_DWELL_NS

EXAMPLES = sorted((Path(schema.__file__).parent / "examples").glob("*.toml"))
HOUR_NS = 3600 * 10**9
KWH = NANO_PER_KILO


def program(text: str) -> Program:
    return build(convert(tomllib.loads(text), schema.ProgramFile))


def example(name: str) -> Program:
    (path,) = (path for path in EXAMPLES if path.stem == name)
    return load_program(path)


# --- examples -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_run(path: Path) -> None:
    """Each loads, is described, and bills an hour."""
    made = load_program(path)
    assert len(summary(made, 2026)) > 5
    assert all(notes(made, 2026))
    now_ns = made.billing.calendar.instant_ns(datetime(2026, 7, 6, 12))
    meter, _ = Billing.begin(made.billing, now_ns)
    meter.advance(EnergyInterval(now_ns, now_ns + HOUR_NS, 0, KWH, vah_rms=KWH, vah_td=KWH))
    meter.settle()
    assert meter.registers.energy(Quantity.KWH_DELIVERED) == KWH
    for output in made.outputs:
        if isinstance(output, PulsesOutput):
            kyz_output(output.id, output.quantity, output.kp_wh, made.ks.wh)


def test_there_are_examples_of_each_kind() -> None:
    kinds = {type(contact) for path in EXAMPLES for p in [load_program(path)] for contact in (*p.outputs, *p.inputs)}
    assert kinds >= {PulsesOutput, EndOfIntervalOutput, LoadControlOutput, DemandAlert, VoltageAlert, DiagnosticAlert}
    assert kinds >= {RecordedInput, RateInput}
    demands = {load_program(path).billing.demand.kind for path in EXAMPLES}
    assert demands == set(DemandKind)


@pytest.mark.parametrize(
    ("when", "rate"),
    [
        ("2026-07-06 06:59", Rate.C),
        ("2026-07-06 07:00", Rate.B),
        ("2026-07-06 11:00", Rate.A),
        ("2026-07-06 18:59", Rate.B),
        ("2026-07-06 19:00", Rate.C),
        ("2026-12-01 08:00", Rate.A),
        ("2026-12-01 12:00", Rate.B),
        ("2026-07-04 12:00", Rate.C),  # Saturday
        ("2026-07-05 12:00", Rate.C),  # Sunday
        ("2026-07-01 12:00", Rate.C),  # Canada Day, a Wednesday
        ("2026-04-03 12:00", Rate.C),  # Good Friday
        ("2026-12-25 08:00", Rate.C),
        ("2026-12-28 08:00", Rate.C),  # for Boxing Day, a Saturday
        ("2026-12-29 08:00", Rate.A),
    ],
)
def test_time_of_use_as_in_ontario(when: str, rate: Rate) -> None:
    calendar = example("rural-4s-tou").billing.calendar
    assert calendar.span(calendar.instant_ns(datetime.fromisoformat(when))).rate is rate


def test_the_plant_has_all_that_a_meter_can() -> None:
    made = example("industrial-9s")
    assert made.billing.demand == DemandSettings(
        DemandKind.THERMAL, 900, 1, (Quantity.KWH_DELIVERED, Quantity.KVAH_RMS, Quantity.KVARH_LAGGING)
    )
    assert made.billing.test_mode.demand == DemandSettings(DemandKind.BLOCK, 300, 1, made.billing.demand.quantities)
    assert made.billing.lockout_s == 120
    assert len(made.billing.recorder.channels) == 15
    assert made.billing.recorder.memory_bytes == 131072
    assert made.billing.self_reads == SelfReads(SelfReadKind.HOURS, hours=6)
    assert made.nameplate.ratios.multiplier == 35 * 120
    assert made.outputs == (
        PulsesOutput(OutputId.KYZ1, Quantity.KWH_DELIVERED, Fraction(3, 20)),
        PulsesOutput(OutputId.KYZ2, Quantity.KVARH_LAGGING, Fraction(3, 10)),
        EndOfIntervalOutput(OutputId.KYZ3, 3),
        DemandAlert(OutputId.KYZ4, Quantity.KVAH_RMS, 12_500 * 10**9),
    )
    assert made.inputs == (RecordedInput(InputId.IN1, Fraction(1, 10)), RateInput(InputId.IN2, Rate.D))
    shown = {item.name: item for item in made.display.normal}
    assert shown["kVAh"].what == EnergyItem(Quantity.KVAH_RMS)
    assert shown["kVA max"].what == DemandItem(Quantity.KVAH_RMS, DemandOf.MAXIMUM)
    assert (shown["kVAh"].digits, shown["kVAh"].decimals) == (6, 2)
    assert (shown["kVA max"].digits, shown["kVA max"].decimals) == (6, 3)
    net = next(item.what for item in made.display.alternate if item.name == "kvarh net")
    assert net == EnergyItem(Quantity.KVARH_NET_DIRECTION)
    assert made.security.keys[3] is not None
    assert made.security.keys[3].matches(bytes.fromhex("4D5E6F"))
    assert "4D5E6F" not in repr(made.security)


# --- the plain meter ------------------------------------------------------------------------------------------


def test_without_a_file() -> None:
    made = default_program()
    assert made.file == program("[display]\nscroll_seconds = 6\nenergy_digits = 6\nenergy_decimals = 3").file
    assert (made.nameplate.type, made.nameplate.form) == ("RXRS4e", "9S")
    assert made.ks.wh == Fraction(9, 5)
    assert made.equation is FORMS["9S"].equation()
    assert made.billing.demand == DemandSettings(DemandKind.BLOCK, 900, 1, (Quantity.KWH_DELIVERED,))
    assert made.billing.recorder is None
    assert made.billing.calendar.span(0).rate is Rate.A
    assert made.outputs == (PulsesOutput(OutputId.KYZ1, Quantity.KWH_DELIVERED, Fraction(3, 20)),)
    assert [item.name for item in made.display.normal] == [
        "all segments", "kWh delivered", "kW delivered max", "reset count", "service",
    ]  # fmt: skip
    assert [item.name for item in program("").display.normal] == [
        "kWh delivered", "kW delivered max", "reset count", "service", "all segments",
    ]  # fmt: skip
    assert program("").display.scroll_s == 0
    assert default_program("2S", 200).ks.wh == Fraction(36, 5)
    with pytest.raises(ConfigError, match=r"meter\.form: form"):
        default_program("7S")
    with pytest.raises(ConfigError, match=r"meter\.current_class: current class 30 is not known"):
        default_program("9S", 30)


def test_the_digest_is_of_what_is_said() -> None:
    plain = program("")
    assert program('# comment\n[meter]\nform="9S"\n[clock]').digest == plain.digest
    assert re.fullmatch("[0-9a-f]{12}", plain.digest)
    others = ['[meter]\nform = "16S"', "[test_mode]\nminutes = 31", "[security]\nseal = true", "outputs = []"]
    assert len({plain.digest, *(program(text).digest for text in others)}) == 1 + len(others)
    with_key = program('[security]\nlevel_4 = "1"')
    assert with_key.digest == plain.digest, "a key could be found from it"
    later = ["[meter]\nrelay_board=false\n[display]\nnormal=['kWh delivered']", '[meter]\nfirmware="7.18"']
    assert len({plain.digest, *(program(text).digest for text in later)}) == 3, "keys that came later count where said"
    assert program("[meter]\nrelay_board=true").digest == plain.digest
    assert not with_key.is_same_as(plain)
    assert with_key.is_same_as(with_key.with_hashed_keys())
    assert with_key.has_keys_of(program('[security]\nlevel_4 = "000001"'))
    assert not plain.has_keys_of(with_key)


@pytest.mark.parametrize(
    "text", ["", '[[inputs]]\nname = "IN1"\nfunction = "record"', '[display]\nnormal = ["kWh delivered"]']
)
def test_the_digest_of_an_older_file_is_what_it_was_before_there_were_later_keys(text: str) -> None:
    """Meters in the field display it, and find their program by it: that of the file's JSON without those keys."""
    file = program(text).file
    bare = msgspec.structs.replace(file, security=schema.SecurityTable(seal=file.security.seal))
    said = json.loads(msgspec.json.encode(bare, order="deterministic"))
    for table, key in (
        ("meter", "firmware"),
        ("meter", "module"),
        ("meter", "relay_board"),
        ("test_mode", "pulse_kwh"),
        ("test_mode", "pulse_km3h"),
        ("inputs", "volts"),
    ):
        for each in said[table] if table == "inputs" else [said[table]]:
            each.pop(key)
    plain = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
    assert program(text).digest == hashlib.sha256(plain.encode()).hexdigest()[:12]


# --- what keys mean -------------------------------------------------------------------------------------------


def test_days_that_are_left_out_are_as_the_ones_above() -> None:
    season = '[[tou.seasons]]\nname = "s"\nbegins = "01-01"\nweekday = ["00:00 A"]\n'
    for more, rates in {
        "": "AAAA",
        'saturday = ["00:00 B"]\n': "ABBB",
        'sunday = ["00:00 B"]\n': "AABB",
        'holiday = ["00:00 B"]\n': "AAAB",
        'saturday = ["00:00 B"]\nsunday = ["00:00 C"]\nholiday = ["00:00 D"]\n': "ABCD",
    }.items():
        (made,) = program(season + more).billing.calendar.tariff.seasons
        assert "".join(made.days[day][0].rate.name for day in DayType) == rates


def test_a_zone_by_rule_is_the_zone_by_name() -> None:
    rule = 'dst_begin = "second Sunday of March 02:00"\ndst_end = "first Sunday of November 02:00"\n'
    by_rule = program('[clock]\nstandard_offset = "-05:00"\n' + rule).billing.calendar
    by_name = program('[clock]\nzone = "America/Toronto"').billing.calendar
    for day in range(365):
        at_ns = (1_767_225_600 + day * 86400) * 10**9
        assert by_rule.local(at_ns).replace(tzinfo=None) == by_name.local(at_ns).replace(tzinfo=None)
    newfoundland = program('[clock]\nstandard_offset = "-03:30"').billing.calendar
    assert newfoundland.standard_offset_s(0) == -12600


def test_what_test_mode_leaves_out_is_as_in_demand() -> None:
    sliding = '[demand]\nmethod = "sliding"\ninterval_minutes = 30\nsubinterval_minutes = 10\n'
    for more, text in {
        "": "sliding:10x3",
        'method = "block"\n': "block:30",
        "interval_minutes = 20\n": "sliding:10x2",
        "interval_minutes = 15\nsubinterval_minutes = 5\n": "sliding:5x3",
        'method = "thermal"\ninterval_minutes = 1\n': "thermal:1",
    }.items():
        assert program(sliding + "[test_mode]\n" + more).billing.test_mode.demand.text == text
    assert program('[meter]\nmodel = "AXLS4"').billing.test_mode.demand is None


def test_holidays_move_only_where_they_are_told_to() -> None:
    season = '[[tou.seasons]]\nname = "s"\nbegins = "01-01"\nweekday = ["00:00 A"]\n'
    holiday = '[[tou.holidays]]\nname = "Canada Day"\ndate = "07-01"\nobserved = "{}"\n'
    for observed, day in {"none": 1, "nearest weekday": 2, "next Monday": 2}.items():
        tariff = program(season + holiday.format(observed)).billing.calendar.tariff
        assert holiday_dates(tariff.holidays, 2029) == {date(2029, 7, day)}  # the 1st is a Sunday


def test_contacts() -> None:
    text = """
        inputs = [{ name = "IN2", function = "record" }]
        [[outputs]]
        name = "KYZ4"
        function = "pf threshold"
        below = "0.9"
        [[outputs]]
        name = "KYZ2"
        function = "pulses"
        quantity = "kVAh td leading"
        kp_wh = "0"
        [[outputs]]
        name = "KYZ1"
        function = "diagnostic"
        [[outputs]]
        name = "KYZ3"
        function = "voltage threshold"
        above_v = "131.1"
    """
    assert program(text).outputs == (
        DiagnosticAlert(OutputId.KYZ1, tuple(Diagnostic)),
        PulsesOutput(OutputId.KYZ2, Quantity.KVAH_TD_LEADING, Fraction(0)),
        VoltageAlert(OutputId.KYZ3, None, Fraction(1311, 10)),
        PowerFactorAlert(OutputId.KYZ4, Fraction(9, 10), Quantity.KVAH_TD, Fraction(5, 1000)),
    )
    assert program(text).inputs == (RecordedInput(InputId.IN2, Fraction(1)),)
    assert program("outputs = []").outputs == ()


def test_pulse_outputs_follow_what_the_meter_offers() -> None:
    """The seven of P-2."""
    offered = ["kWh delivered", "kWh received", "kvarh lagging", "kvarh leading"]
    offered += ["kVAh td lagging", "kVAh td leading", "kVAh rms"]
    assert set(offered) <= {quantity.value for quantity in Quantity}
    for quantity in Quantity:
        text = f'[[outputs]]\nname = "KYZ1"\nfunction = "pulses"\nquantity = "{quantity.value}"'
        if quantity.value in offered:
            assert program(text).outputs == (PulsesOutput(OutputId.KYZ1, quantity, Fraction(3, 20)),)
        else:
            with pytest.raises(ConfigError, match=r"outputs\[0\]\.quantity"):
                program(text)


def test_no_output_is_faster_than_its_contact() -> None:
    """Each state of a relay stands twice its dwell, and the LED is dark between flashes."""
    assert MOST_PULSES_A_SECOND * 2 * RELAY_DWELL_NS <= 10**9
    assert MOST_PULSES_A_SECOND * (LED_WIDTH_NS + LED_GAP_NS) <= 10**9
    for form in FORMS:
        for current_class in (10, 20, 200, 320):
            default_program(form, current_class)  # Ks/12 at MAX is refused nowhere


# --- display --------------------------------------------------------------------------------------------------


def test_the_gyrbox_has_nineteen_items() -> None:
    assert len(GYRBOX) == len(set(GYRBOX)) == 19
    assert set(GYRBOX) <= items(Names()).keys()


@pytest.mark.parametrize(
    ("digits", "decimals", "in_test"),
    [(5, 0, (8, 3)), (4, 0, (7, 3)), (9, 0, (8, 3)), (6, 2, (7, 3)), (9, 4, (9, 4)), (8, 3, (8, 3))],
)
def test_energy_is_shown_to_the_watt_hour_in_test_mode(digits: int, decimals: int, in_test: tuple[int, int]) -> None:
    shown = program(f"[display]\nenergy_digits = {digits}\nenergy_decimals = {decimals}").display
    of = {(i.digits, i.decimals) for i in shown.test if i.name == "kWh delivered"}
    assert of == {in_test}
    assert {(i.digits, i.decimals) for i in shown.normal if i.name == "kWh delivered"} == {(digits, decimals)}


def test_a_program_has_the_last_word_on_digits_in_test_mode() -> None:
    own = '[display]\ntest = [{ item = "kWh delivered", digits = 6, decimals = 1 }]'
    assert [(i.digits, i.decimals) for i in program(own).display.test] == [(6, 1)]


def test_the_gyrbox_is_in_every_display() -> None:
    made = program("")
    assert tuple(item.name for item in made.display.gyrbox) == GYRBOX
    assert [item.what for item in made.display.gyrbox] == [items(Names())[name] for name in GYRBOX]
    assert [item.ident for item in made.display.gyrbox] == [f"{k:02}" for k in range(1, 20)]


def test_ids_are_places_or_programmed() -> None:
    made = program(
        """
        [display]
        normal = ["date", { item = "time", id = "A.1" }, { item = "kWh delivered", digits = 6, id = "7" }, "Hz"]
        test = [{ item = "test left", id = "T" }]
        """
    )
    assert [item.ident for item in made.display.normal] == ["01", "A.1", "7", "04"]
    assert [item.ident for item in made.display.test] == ["T"]
    assert {len(item.ident) for item in made.display.alternate} == {2}


def test_items_are_named_once() -> None:
    """No two different things have one name, and what programs call by two names is one thing."""
    for names in (Names(), Names(Quantity.KVAH_RMS, net_by_direction=True)):
        known = items(names)
        assert known["kVAh"] == EnergyItem(names.apparent)
        assert known["kVA max B"] == DemandItem(names.apparent, DemandOf.MAXIMUM, Rate.B)
        plain = [
            name for name in known if name.split()[0] in ("kVAh", "kVA") and name.split()[1:2] not in (["td"], ["rms"])
        ]
        by_direction = [name for name in known if "net by direction" in name]
        others = [known[n] for n in known.keys() - plain if not (names.net_by_direction and n in by_direction)]
        assert len(set(others)) == len(others)


@pytest.mark.parametrize("model", MODELS)
def test_usual_sequences_show_what_the_model_has(model: str) -> None:
    """For every model, with all that it can be programmed for: nothing is refused, and test mode can pulse."""
    text = new_program(model, "9S", 20)
    made = program(re.sub(r"^( *)#(?=\[|\w+ =|    \{|\])", r"\1", text, flags=re.MULTILINE))
    file = made.file
    made = build(schema.ProgramFile(meter=file.meter, demand=file.demand, tou=file.tou))
    for sequence in (made.display.normal, made.display.alternate, made.display.test):
        assert 1 <= len(sequence) <= schema.MOST_ITEMS
        assert len({item.name for item in sequence}) == len(sequence)
    pulses = [item.what for item in made.display.test if isinstance(item.what, PulseItem)]
    either, lagging = PulseItem(Quantity.KWH_EITHER), PulseItem(Quantity.KVARH_LAGGING)
    assert pulses == ([either, lagging] if model.startswith("RX") else [either])
    assert ("kWh delivered A" in {item.name for item in made.display.normal}) == (not model.startswith("AXL"))


# --- notes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no legible plate has form 9S in class 20: Ks, K and MAX follow their rule"),
        ('[meter]\nform = "6S"', "form 6S on a 4-wire wye service is exact when Va + Vb + Vc = 0"),
        ('[meter]\nct_ratio = "40"', "all readings are at the meter: multiply them by 40"),
        ("[demand]\nallow_short_interval = true\ninterval_minutes = 5", "the demand interval is less than 15 min"),
        ('[clock]\nzone = "America/Regina"', "the clock keeps standard time all year"),
        # 99 999 kWh at 192 kW
        ('[meter]\nform = "12S"\ncurrent_class = 200', "5 digits with 0 decimals turn over after 521 h at MAX"),
        ("", "the seal is off"),
        ('[security]\nlevel_2 = "2"', "levels 1, 3, 4: still the factory key 000000"),
        ('[security]\nlevel_4 = "0"\nlevel_1 = "1"\nlevel_2 = "2"\nlevel_3 = "3"', "level 4: still the factory key"),
        (
            '[security]\nseal = true\nlevel_2 = "2"',
            "levels 1, 3, 4: no key is set, and the factory key is not accepted under seal: nobody has that level",
        ),
        ('[security]\nlevel_2 = "0a"\nlevel_4 = "00000A"', "levels 2, 4 have one key: it proves level 4"),
        (
            '[[outputs]]\nname = "KYZ1"\nfunction = "demand threshold"\nabove = "17"',
            "KYZ1 closes above MAX: never in a meter within its rating",
        ),
        (
            '[[tou.seasons]]\nname = "s"\nbegins = "01-01"\nweekday = ["00:00 B", "08:00 A"]\n'
            '[[outputs]]\nname = "KYZ2"\nfunction = "load control"\nrates = ["A", "B"]',
            "KYZ2 closes in every rate of the program: it opens in test mode only",
        ),
        (
            '[[outputs]]\nname = "KYZ1"\nfunction = "pf threshold"\nbelow = "1"',
            "KYZ1 closes below a power factor of 1",
        ),
        (
            '[[outputs]]\nname = "KYZ1"\nfunction = "voltage threshold"\nabove_v = "480.1"',
            "KYZ1 closes above 480.1 V: never in a meter within its rating, 480 V",
        ),
        (
            '[[outputs]]\nname = "KYZ1"\nfunction = "voltage threshold"\nbelow_v = "300"\n'
            '[meter]\nservice = "4-wire wye"',
            "KYZ1 closes below 300 V: always, the service has 120 and 240 and 277 V",
        ),
        (
            '[[outputs]]\nname = "KYZ1"\nfunction = "voltage threshold"\nabove_v = "119"',
            "KYZ1 closes above 119 V: always, the service has 120 and 208 and 240 and 277 and 416 V",
        ),
        (
            "[recorder]\ninterval_minutes = 5\nchannels = ["
            + 15 * '{ metric = "I2h A", pulse = "1" },'
            + "]",
            # 16384 words, 15 · 288 + 1 a day
            "the recorder goes back 3.8 days",
        ),
        (
            '[[tou.seasons]]\nname = "s"\nbegins = "01-01"\nweekday = ["00:00 A"]\n'
            '[[tou.holidays]]\nname = "Jubilee"\ndate = "2027-05-05"',
            "Jubilee: there is none in 2026",
        ),
    ],
)  # fmt: skip
def test_notes(text: str, said: str) -> None:
    found = notes(program(text), 2026)
    assert [note for note in found if said in note]


def test_levels_that_can_be_reached_are_not_noted() -> None:
    """Levels at the bounds of what can come, and a rate that an input forces."""
    text = """
        inputs = [{ name = "IN1", function = "force rate", rate = "C" }]
        [meter]
        service = "4-wire wye"
        [[tou.seasons]]
        name = "s"
        begins = "01-01"
        weekday = ["00:00 B", "08:00 A"]
        [[outputs]]
        name = "KYZ1"
        function = "load control"
        rates = ["A", "B"]
        [[outputs]]
        name = "KYZ2"
        function = "voltage threshold"
        below_v = "277"
        above_v = "480"
        [[outputs]]
        name = "KYZ3"
        function = "pf threshold"
        below = "0.999"
        [[outputs]]
        name = "KYZ4"
        function = "demand threshold"
        above = "16.62"
    """
    assert not [note for note in notes(program(text), 2026) if note.startswith("KYZ")]


def test_outputs_follow_all_that_a_program_may_ask_for() -> None:
    """At 120 % of MAX every state of a contact and every flash still has its time; no closing outlasts an interval."""
    overload = Fraction(6, 5)
    assert overload * MOST_PULSES_A_SECOND * RELAY_DWELL_NS < NANO
    assert overload * MOST_FLASHES_A_SECOND * (LED_WIDTH_NS + LED_GAP_NS) < NANO
    with pytest.raises(ConfigError, match="closed_seconds is 31, it must be a whole number from 1 to 30"):
        program('[[outputs]]\nname = "KYZ1"\nfunction = "eoi"\nclosed_seconds = 31')
    with pytest.raises(ConfigError, match="interval_minutes is 0, it must be"):
        program("[test_mode]\ninterval_minutes = 0")


def test_a_quiet_program() -> None:
    """The apartment's meter has one note: nobody has seen its plate."""
    assert [note.split(":")[0] for note in notes(example("apartment-25s"), 2026)] == [
        "no legible plate has form 25S in class 200"
    ]
