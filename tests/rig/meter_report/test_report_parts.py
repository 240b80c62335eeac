"""Words, curves and charts of a meter's report, and sources that are none."""

from __future__ import annotations

import csv
import importlib
import json
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import RigError
from rig.meter.billing.log import LogEvent
from rig.meter_report import french_log
from rig.meter_report import words as words_module
from rig.meter_report.charts import MOST_DAYS, charts_of, rate_chart
from rig.meter_report.content import meter_page
from rig.meter_report.files import report_files
from rig.meter_report.load_curves import begin_of, days_of, gaps_of, last_whole_day, months_of, repeats_of, summary_of
from rig.meter_report.meter_data import (
    DemandRow,
    EnergyRow,
    LoadProfile,
    LoggedLine,
    MeterData,
    Peak,
    ProfileChannel,
    ProfileLine,
    ProfileMark,
    RegisterSet,
    SetKind,
    SourceKind,
)
from rig.meter_report.records import Part
from rig.meter_report.sources import read_meter
from rig.meter_report.words import Language, Words
from rig.reader.reading_file import TableRead, encoded, load_reading
from rig.report.chart import WIDTH, Bar, Chart, Line, Mark
from rig.report.chart import Words as Label
from rig.report.html import html_of
from rig.report.page import Heading
from rig.report.pdf import pdf_of
from tests.rig.meter_report.page_reader import PageReader

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "reading.json"


@pytest.fixture(autouse=True)
def long_names() -> Iterator[None]:
    """Names of 100 000 characters are among the hostile ones."""
    before = csv.field_size_limit(1 << 24)
    yield
    csv.field_size_limit(before)


EN, FR = Words(Language.EN), Words(Language.FR)

CHANNEL = ProfileChannel("kWh delivered", "kWh")

HOSTILE = [
    "<script>alert(1)</script>", "a & <b> \"c\" 'd'", "</td></table>", "\x1b[2J\x07\x00", "\u202egnp.exe", "שלום عربى",
    "電力計 счётчик ✓", "n" * 80, "x" * 100_000, "%s {0} {} $(reboot)", "=cmd|' /C calc'!A0", "\n\n\r\t", "",
]  # fmt: skip


def profile_of(values: list[str | None], minutes: int = 15, begin: datetime = datetime(2026, 3, 1)) -> LoadProfile:
    lines = [
        ProfileLine(begin + timedelta(minutes=minutes * (k + 1)), (), (None if v is None else Decimal(v),))
        for k, v in enumerate(values)
    ]
    return LoadProfile(minutes, (CHANNEL,), tuple(lines))


def meter_of(profile: LoadProfile | None = None, name: str = "kWh delivered", text: str = "plain") -> MeterData:
    energy = (EnergyRow(name, Decimal("-12.3456"), (Decimal(1), Decimal(2), Decimal(3), Decimal(-4))),)
    demand = (DemandRow(name, None, None, None, Decimal(1), None, None, None),)
    at = datetime(2026, 3, 1, 14, 5, 9)
    sets = tuple(RegisterSet(kind, at, 0, 1, energy, demand) for kind in SetKind)
    return MeterData(
        SourceKind.READING, text, "SIMULATED (exact)  UNCALIBRATED", "2026-11-30T00:00:00+00:00", text, ((text, text),),
        (("serial", text),), sets, (Peak(Decimal(1), at),),
        (LoggedLine(at, text, {text: text}), LoggedLine(None, "power up", {"seconds": 1})), profile, (text,),
    )  # fmt: skip


# --- words ------------------------------------------------------------------------------------------------------


def test_every_phrase_of_a_report_is_there_in_french(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    say = Words.say

    def heard(self: Words, phrase: str, *filled: object) -> str:
        asked.add(phrase)
        return say(self, phrase, *filled)

    monkeypatch.setattr(Words, "say", heard)
    lines = profile_of(["1", "2", None, "0"] * 96 * 12)
    gap = LoadProfile(
        15, (CHANNEL,), (*lines.lines[:9], *lines.lines[99:], lines.lines[-1]),
        (ProfileMark("starts", datetime(2026, 3, 1), datetime(2026, 3, 1)),
         ProfileMark("outage", datetime(2026, 3, 1), datetime(2026, 3, 2)),
         ProfileMark("clock set", datetime(2026, 3, 1), datetime(2026, 3, 2))), 7, ("a fault",) * 50,
    )  # fmt: skip
    for meter in (meter_of(gap), meter_of(None), meter_of(profile_of([]))):
        meter_page(meter, FR, [0])
    meter_page(replace(meter_of(None), sets=(), events=()), FR, [0])
    assert len(asked) > 50
    assert not {phrase for phrase in asked - {"plain"} if phrase not in words_module._FRENCH}


def test_phrases_take_the_same_places_in_both() -> None:
    for english, french in words_module._FRENCH.items():
        assert english.count("{") == french.count("{"), english


def test_every_event_of_the_log_has_a_french_name() -> None:
    """By the labels in the sources, whichever room they are in."""
    rig = Path(words_module.__file__).parents[1]
    labels = {
        label
        for file in rig.rglob("events.py")
        for label in re.findall(r'^    label = "([^"]+)"$', file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(labels) > 40
    assert labels <= set(french_log.EVENTS)


SAME_IN_FRENCH = {
    "source", "service", "contact", "phases", "action", "cause", "diagnostic", "communication", "configuration", "A",
    "B", "C", "D", "LED", "KYZ1", "KYZ2", "KYZ3", "KYZ4", "RS-232", "RS-485", "modem", "module",
}  # fmt: skip


def kinds_of(kind: type) -> Iterator[type[LogEvent]]:
    for each in kind.__subclasses__():
        yield each
        yield from kinds_of(each)


def test_whatever_belongs_to_an_event_is_said_in_french() -> None:
    """By the fields of every kind of event, and what they can be."""
    rig = Path(words_module.__file__).parents[1]
    for file in rig.rglob("events.py"):
        importlib.import_module(".".join(file.relative_to(rig.parent).with_suffix("").parts))
    said = 0
    for kind in (each for each in kinds_of(LogEvent) if hasattr(each, "label")):
        types = get_type_hints(kind)
        for field in fields(kind):
            name = getattr(kind, "named", {}).get(field.name, field.name)
            whole = types[field.name]
            enums = [t for t in (whole, *get_args(whole)) if isinstance(t, type) and issubclass(t, Enum)]
            values = [str(getattr(v, "label", v.value)) for enum in enums for v in enum] or ["87654"]
            for value in values if name not in ("utc_ns", "name") else ():
                text = FR.details(kind.label, {name: value})
                said += 1
                for english in {name, value} - SAME_IN_FRENCH - {"87654"}:
                    assert not re.search(rf"(?<!\w){re.escape(english)}(?!\w)", text), (kind.label, text)
    assert said > 150


def test_an_event_of_which_there_is_only_the_code() -> None:
    assert (EN.event("event 20"), FR.event("event 20"), FR.event("eventual 20")) == (
        "event 20", "événement 20", "eventual 20",
    )  # fmt: skip


def test_several_faults_at_once_are_each_said_in_french() -> None:
    assert FR.details("measurement error", {"faults": "gap, overflow"}) == "défauts lacune, débordement"


def test_seasons_of_the_log_are_counted_as_people_count_them() -> None:
    """From 1, as on the same page and by rig meter PORT season; the history has 0 for the first."""
    assert EN.details("season change", {"season": 0, "source": "calendar"}) == "season 1, from calendar"
    assert FR.details("season change", {"season": 3, "source": "calendar"}) == "saison 4, source calendrier"


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        ("0", "0.000", "0,000"),
        ("0E-12", "0.000", "0,000"),
        ("12.3", "12.300", "12,300"),
        ("-0.000000000001", "-0.000000000001", "-0,000000000001"),
        ("9300000000000000000.000000000010", "9300000000000000000.00000000001", "9300000000000000000,00000000001"),
        ("1E+3", "1000.000", "1000,000"),
    ],
)
def test_numbers_are_written_with_every_digit(value: str, english: str, french: str) -> None:
    assert (EN.number(Decimal(value)), FR.number(Decimal(value))) == (english, french)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=12))
def test_a_number_is_read_back_exactly(value: Decimal) -> None:
    assert Decimal(EN.number(value)) == value
    assert Decimal(FR.number(value).replace(",", ".")) == value


def test_dates_and_names() -> None:
    at = datetime(2026, 2, 3, 4, 5)
    assert (EN.time(at), FR.time(at)) == ("2026-02-03 04:05", "2026-02-03 04 h 05")
    assert FR.time(at.replace(second=6)) == "2026-02-03 04 h 05 min 06 s"
    assert (EN.month(at), FR.month(at)) == ("February 2026", "février 2026")
    assert FR.quantity("kvarh lagging") == "kvarh en retard"
    assert FR.quantity("kVAh rms") == "kVAh efficace"
    assert FR.quantity("kWh net") == "kWh nette"
    assert FR.mark("SIMULATED (exact)  UNCALIBRATED") == "SIMULÉ (exact)  NON ÉTALONNÉ"


# --- curves -----------------------------------------------------------------------------------------------------


@given(st.lists(st.one_of(st.none(), st.decimals(-1000, 1000, places=4)), max_size=300))
def test_sums_are_those_of_fractions(values: list[Decimal | None]) -> None:
    profile = profile_of([None if v is None else str(v) for v in values])
    there = [Fraction(v) for v in values if v is not None]
    found = summary_of(profile, 0)
    assert Fraction(found.total) == sum(there)
    assert found.unreadable == len(values) - len(there)
    assert sum(Fraction(month.totals[0]) for month in months_of(profile)) == sum(there)
    assert sum(month.intervals for month in months_of(profile)) == len(values)
    assert sum(len(lines) for lines in days_of(profile).values()) == len(values)


def test_an_interval_belongs_to_the_day_in_which_it_begins() -> None:
    profile = profile_of(["1"] * 97)
    assert {day: len(lines) for day, lines in days_of(profile).items()} == {date(2026, 3, 1): 96, date(2026, 3, 2): 1}
    assert last_whole_day(profile, days_of(profile)) == date(2026, 3, 1)
    cut = ProfileLine(datetime(2026, 3, 1, 10, 7, 30), ("short",), (Decimal(1),))
    assert begin_of(cut, 15) == datetime(2026, 3, 1, 10, 0)
    assert begin_of(ProfileLine(datetime.min, (), ()), 15) == datetime.min


def test_gaps_are_between_lines() -> None:
    lines = profile_of(["1"] * 20).lines
    gap = LoadProfile(15, (CHANNEL,), (*lines[:5], *lines[9:]))
    assert gaps_of(gap) == [(datetime(2026, 3, 1, 1, 15), datetime(2026, 3, 1, 2, 15))]
    one = LoadProfile(15, (CHANNEL,), (*lines[:5], *lines[6:]))
    assert gaps_of(one) == [(datetime(2026, 3, 1, 1, 15), datetime(2026, 3, 1, 1, 30))]


def line_to(hour: int, minute: int = 0) -> ProfileLine:
    return ProfileLine(datetime(2026, 3, 8, hour, minute), (), (Decimal(1),))


def clock_set(at: int, until: int) -> ProfileMark:
    return ProfileMark("clock set", datetime(2026, 3, 8, at), datetime(2026, 3, 8, until))


@pytest.mark.parametrize(
    ("lines", "marks", "gaps", "repeats"),
    [
        ([line_to(10), line_to(10, 7), line_to(10, 30)], [], 0, 0),
        ([line_to(10), line_to(10, 7), line_to(10, 45)], [], 1, 0),
        ([line_to(1, 45), line_to(2), line_to(3, 15)], [clock_set(2, 3)], 0, 0),
        ([line_to(1, 45), line_to(2), line_to(3, 15)], [], 1, 0),
        ([line_to(1), line_to(4)], [clock_set(2, 3)], 1, 0),
        ([line_to(1, 45), line_to(2), line_to(1, 15)], [clock_set(2, 1)], 0, 0),
        ([line_to(1, 45), line_to(2), line_to(1, 15)], [], 0, 1),
        ([line_to(1, 45), line_to(1, 45)], [], 0, 1),
        ([line_to(9), line_to(8, 15)], [clock_set(2, 1)], 0, 1),
        ([line_to(5), line_to(4, 15)], [clock_set(9, 8)], 0, 1),
    ],
    ids=[
        "cut short, on within it", "cut short, one missing", "spring", "spring without its mark",
        "an outage over spring", "autumn", "autumn without its mark", "twice the same",
        "a setting long before", "a setting long after",
    ],
)  # fmt: skip
def test_what_is_missing_and_what_is_there_twice(
    lines: list[ProfileLine], marks: list[ProfileMark], gaps: int, repeats: int
) -> None:
    """By hand, on the day of 2026-03-08."""
    profile = LoadProfile(15, (CHANNEL,), tuple(lines), tuple(marks))
    assert (len(gaps_of(profile)), len(repeats_of(profile))) == (gaps, repeats)


def test_a_clock_that_was_set_in_a_reading() -> None:
    """Tables of C12.19 have whole minutes and a flag; as rig read had them of a meter set back and forth again."""
    beside = ("clock set", "short")
    ends = [("07:50", ()), ("07:51", ()), *((at, beside) for at in ("07:51", "06:31", "06:31", "07:53")), ("07:54", ())]
    lines = [ProfileLine(datetime.fromisoformat(f"2026-11-30T{at}"), flags, (Decimal(1),)) for at, flags in ends]
    read = LoadProfile(1, (CHANNEL,), tuple(lines))
    assert (gaps_of(read), repeats_of(read)) == ([], [])
    unflagged = replace(read, lines=tuple(replace(line, flags=()) for line in lines))
    assert (len(gaps_of(unflagged)), len(repeats_of(unflagged))) == (1, 3)


def test_a_month_without_an_interval_is_there_and_has_nothing() -> None:
    lines = [ProfileLine(datetime(year, month, 9), (), (Decimal(2),)) for year, month in ((2025, 11), (2026, 2))]
    profile = LoadProfile(15, (CHANNEL,), tuple(lines))
    months = months_of(profile)
    assert [(month.begins, month.intervals) for month in months] == [
        (date(2025, 11, 1), 1), (date(2025, 12, 1), 0), (date(2026, 1, 1), 0), (date(2026, 2, 1), 1)
    ]  # fmt: skip
    text = html_of(meter_page(meter_of(profile), EN, [0])).decode()
    assert re.search(r"December 2025</t[dh]>\s*<td[^>]*>–</td>\s*<td[^>]*>0</td>", text)
    (chart,) = [chart for chart in charts_of(profile, 0, EN) if "by month" in chart.title]
    assert {"2025-12", "2026-01"} <= {part.text for part in chart.parts if isinstance(part, Label)}
    assert len([part for part in chart.parts if isinstance(part, Bar)]) == 1 + 2, "the ground and two columns"
    apart = replace(profile, lines=(lines[0], replace(lines[1], end=datetime(9999, 12, 9))))
    assert len(months_of(apart)) == 2, "a clock that was set, not 95 000 months"


def test_a_heat_map_names_the_first_whole_month() -> None:
    """It begins with three days of September; each month has its tick."""
    heat = charts_of(profile_of(["1"] * 24 * 200, 60, datetime(2025, 9, 28)), 0, EN)[-1]
    labels = [part.text for part in heat.parts if isinstance(part, Label) and part.text.startswith("20")]
    assert labels == ["2025-10", "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04"]


@pytest.mark.parametrize("minutes", [15, 60, 120, 1440])
def test_a_heat_map_has_every_hour_of_long_intervals_too(minutes: int) -> None:
    heat = charts_of(profile_of(["1"] * (3 * 1440 // minutes), minutes), 0, EN)[-1]
    cells = [part for part in heat.parts if isinstance(part, Bar) and abs(part.height - 10.15) < 1e-9]
    assert len({(part.x, part.y) for part in cells}) == len(cells) == 3 * 24


def test_of_many_self_reads_the_newest_are_shown_and_a_file_has_all() -> None:
    """134 of them, each 7 kWh after the one before."""
    begin = datetime(2026, 3, 1)
    rows_of = [(EnergyRow("kWh delivered", Decimal(7 * k)),) for k in range(134)]
    reads = tuple(
        RegisterSet(SetKind.SELF_READ, begin + timedelta(days=k), 0, 1, row, ()) for k, row in enumerate(rows_of)
    )
    meter = replace(meter_of(None), sets=(meter_of(None).sets[0], *reads))
    page = PageReader(html_of(meter_page(meter, EN, [])))
    rows = page.under("Self-reads")[1:]
    assert [row[1] for row in rows] == [f"{7 * k}.000" for k in range(34, 134)]
    assert {row[2] for row in rows} == {"7.000"}
    assert "the newest 100 of 134: a CSV has all" in page.text
    french = PageReader(html_of(meter_page(meter, FR, [])))
    assert "les 100 plus récentes sur 134 : un fichier CSV les donne toutes" in french.text
    rows_read = report_files(meter, [Path("a.csv")], EN, [], Part.REGISTERS)[Path("a.csv")].decode()
    assert rows_read.count("\nself-read,") == 134
    few = PageReader(html_of(meter_page(replace(meter, sets=meter.sets[:101]), EN, [])))
    assert "the newest" not in " ".join(few.text)


def test_a_profile_alone_begins_on_the_first_sheet() -> None:
    blocks = meter_page(replace(meter_of(profile_of(["1"])), sets=(), plate=()), EN, [0]).blocks
    assert [block.level for block in blocks if isinstance(block, Heading) and block.text == "Load profile"] == [2]


def test_french_reports_have_no_english_of_ours() -> None:
    events = (LoggedLine(datetime(2026, 3, 1, 14, 5, 9), "refused", {"source": "command line", "level": 2}),)
    pulses = replace(profile_of(["1", "2"]), channels=(ProfileChannel("input 1", "pulses"),))
    page = meter_page(replace(meter_of(pulses), events=events, path="x" * 90 + ".json"), FR, [0])
    text = html_of(page).decode()
    assert "source ligne de commande" in text
    assert "impulsions" in text
    assert "pulses" not in text
    assert page.foot.startswith("Rapport du compteur plain. lecture …xxx"), page.foot
    assert "x.json. " in page.foot


# --- charts -----------------------------------------------------------------------------------------------------


def places_of(chart: Chart) -> list[tuple[float, float]]:
    places: list[tuple[float, float]] = []
    for part in chart.parts:
        match part:
            case Line(x1, y1, x2, y2):
                places += [(x1, y1), (x2, y2)]
            case Bar(x, y, width, height):
                assert width >= 0
                assert height >= 0
                places += [(x, y), (x + width, y + height)]
            case Mark():
                places.append((part.x, part.y))
            case label:
                # A letter is at most 0.62 of its size wide, but for capitals; so nothing is clipped at the edges.
                length = len(label.text) * label.size * 0.62
                left = label.x - {"start": 0, "middle": length / 2, "end": length}[label.anchor]
                places += [(left, label.y), (left + length, label.y - label.size * 0.7)]
    return places


VALUES = st.one_of(st.none(), st.decimals(-(10**14), 10**14, places=3), st.decimals(0, 1, places=9))


@settings(max_examples=40)
@given(
    st.lists(VALUES, max_size=120),
    st.sampled_from([1, 5, 15, 30, 60]),
    st.sampled_from([datetime(2026, 3, 1), datetime(2026, 12, 31, 23), datetime(1, 1, 1), datetime(9999, 12, 25)]),
)
def test_whatever_a_profile_holds_all_that_is_drawn_is_on_the_canvas(
    values: list[Decimal | None], minutes: int, begin: datetime
) -> None:
    profile = profile_of([None if v is None else str(v) for v in values], minutes, begin)
    for words in (EN, FR):
        for chart in charts_of(profile, 0, words):
            for x, y in places_of(chart):
                assert -1 <= x <= WIDTH + 1, chart.title
                assert -1 <= y <= chart.height + 1, chart.title


def test_a_year_has_each_kind_of_chart_and_no_more_columns_than_days() -> None:
    profile = profile_of([str(k % 7) for k in range(24 * 500)], 60)
    titles = [chart.title for chart in charts_of(profile, 0, EN)]
    for word in ("day of the highest", "last whole day", "last week", "by day", "by month", "duration", "heat map"):
        assert len([title for title in titles if word in title]) == 1
    heat = charts_of(profile, 0, EN)[-1]
    assert len({part.x for part in heat.parts if isinstance(part, Bar) and part.height < 11}) <= MOST_DAYS
    assert len(heat.parts) < 24 * MOST_DAYS + 100


def test_a_week_of_minutes_is_drawn_by_quarters_of_an_hour() -> None:
    profile = profile_of([str(k % 15) for k in range(1440 * 7)], 1)
    (week,) = [chart for chart in charts_of(profile, 0, EN) if "last week" in chart.title]
    assert len(week.parts) < 4 * 7 * 96
    steps = [part for part in week.parts if isinstance(part, Bar)][1:]
    assert len({round(part.height, 6) for part in steps}) == 1, "each quarter has the mean of 0 to 14"
    assert "mean of 15 min" in [part.text for part in week.parts if isinstance(part, Label)]


def test_rates_are_compared_where_there_is_something_to_compare() -> None:
    rates = tuple(map(Decimal, ("1", "2.5", "0", "4")))
    (chart,) = rate_chart(EnergyRow("kWh delivered", Decimal("7.5"), rates), "ABCD", EN)
    assert [part.text for part in chart.parts if not isinstance(part, Bar)][1::2] == [
        "1.000",
        "2.500",
        "0.000",
        "4.000",
    ]
    assert rate_chart(EnergyRow("kWh delivered", Decimal(0), (Decimal(0),) * 4), "ABCD", EN) == []
    assert rate_chart(EnergyRow("kWh delivered", Decimal(0)), "ABCD", EN) == []


# --- hostile and empty -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_come_through_as_text(text: str) -> None:
    profile = LoadProfile(15, (ProfileChannel(text, "kWh"),), profile_of(["1", "2"]).lines, notes=(text,))
    meter = meter_of(profile, text, text)
    for words in (EN, FR):
        page = meter_page(meter, words, [0])
        read = PageReader(html_of(page))
        assert not read.tags & {"script", "b", "img"}
        assert "\x1b" not in "".join(read.text)
        assert "\u202e" not in "".join(read.text)
        assert pdf_of(page).rstrip().endswith(b"%%EOF")
    for part in ("profile", "registers", "events"):
        path = Path("x.csv")
        written = report_files(meter, [path], EN, ["1"], Part(part))[path].decode()
        rows = list(csv.reader(line for line in written.split("\n") if line and not line.startswith("# ")))
        assert len({len(row) for row in rows}) == 1


@pytest.mark.parametrize("values", [[], ["1"], [None], ["-5", "3"], ["0"] * 3])
def test_short_profiles_make_a_report(values: list[str | None]) -> None:
    for words in (EN, FR):
        page = meter_page(meter_of(profile_of(values)), words, [0])
        assert PageReader(html_of(page)).tables
        assert pdf_of(page).startswith(b"%PDF")


# --- sources that are none ---------------------------------------------------------------------------------------


HEAD = """# load profile, 1 channel every 15 min
# made
# kWh delivered in kWh, 0.1 a pulse
end_local,flags,kWh delivered
"""

REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is neither a reading nor a load profile"),
    "noise": (bytes(range(256)), "is neither a reading nor a load profile"),
    "other JSON": (b'{"points": []}', "rig report render"),
    "a list": (b"[1, 2]", "is neither"),
    "half a reading": (EXAMPLE.read_bytes()[:5000], "is no whole reading"),
    "a changed reading": (
        EXAMPLE.read_bytes().replace(b'"RXRS4e"', b'"RXRS4x"').replace(b"optical", b"opticaI"),
        "damaged",
    ),
    "a reading of later": (b'{"format": "ae0764-reading", "file_version": 9}', "file_version 9"),
    "a profile's head": (HEAD.split("end_local")[0].encode(), "ends before its columns are named"),
    "other columns": (HEAD.replace("end_local,flags", "end,flags").encode(), "its columns are not"),
    "a channel unknown": (HEAD.replace("flags,kWh delivered", "flags,kWh stolen").encode(), "its columns are not"),
    "an interval of no minutes": (HEAD.replace("15 min", "0 min").encode(), "how long its intervals are"),
    "an interval of 256 min": (HEAD.replace("15 min", "256 min").encode(), "how long its intervals are"),
    "no number": (
        (HEAD + "2026-03-01T00:15:00,,many\n").encode(),
        "line 5: '2026-03-01T00:15:00,,many' is no interval",
    ),
    "nan": ((HEAD + "2026-03-01T00:15:00,,NaN\n").encode(), "is no interval"),
    "a huge number": ((HEAD + "2026-03-01T00:15:00,,1E+999999\n").encode(), "is no interval"),
    "digits without end": ((HEAD + "2026-03-01T00:15:00,," + "9" * 5000 + "\n").encode(), "is no interval"),
    "a zone": ((HEAD + "2026-03-01T00:15:00Z,,1\n").encode(), "is no interval"),
    "too few cells": ((HEAD + "2026-03-01T00:15:00\n").encode(), "is no interval"),
    "an open quote": ((HEAD + '2026-03-01T00:15:00,,"1\n').encode(), "is no CSV"),
    "without end": (HEAD.encode() + b"2026-03-01T00:15:00,,1\n" * 400_000, "more than 8388608 bytes"),
    "no UTF-8": ((HEAD + "2026").encode() + b"\xff\xfe", "is not in UTF-8: its line 5 has the byte 0xff"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_none_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    content, why = REFUSED[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(RigError) as refused:
        read_meter(path)
    assert why in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nowhere", "No such file"),
        ("/proc/self/mem", None),
        ("a\0b", "no file can have that name"),
        ("x" * 300, "File name too long"),
        (".", "store"),
    ],
)
def test_a_path_that_is_no_source_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, why: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RigError, match=why):
        read_meter(Path(path))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.json"], "No such file"),
        ([EXAMPLE, "--out", "a.docx"], "must end in .html, .pdf, .csv or .parquet"),
        ([EXAMPLE, "--out", "no/a.html"], "the folder no does not exist"),
        ([EXAMPLE, "--out", "a.html", "--out", "a.html"], "names a file twice"),
        ([EXAMPLE, "--channel", "kWh stolen"], "give one of 1 (kWh delivered)"),
        ([EXAMPLE, "--channel", "0"], "give one of 1 (kWh delivered)"),
        ([EXAMPLE, "--language", "de"], "'en', 'fr'"),
        ([EXAMPLE, "--zone", "America/Toronto"], "--zone is of a store"),
        ([EXAMPLE, "--recording", "1"], "--recording is of a store"),
        ([".", "--zone", "Mars/Olympus"], "which is no zone"),
        ([".", "--zone", "../../etc/passwd"], "which is no zone"),
        (["."], "is not a meter's store"),
        ([EXAMPLE, "--out", "x" * 300 + ".html"], "File name too long"),
    ],
)
def test_mistakes_are_said_and_nothing_is_written(
    tmp_path: Path, command_line: Callable, words: list[object], said: str
) -> None:
    ending = command_line("report", *words)
    assert ending.status == 2
    assert ending.out == ""
    assert said in " ".join(ending.err.split())
    assert "Traceback" not in ending.err
    assert list(tmp_path.iterdir()) == []


def test_a_meter_of_another_maker_is_reported_by_its_units(tmp_path: Path) -> None:
    """The example without our manufacturer's code: names by ST12, the log by its codes, no peaks."""
    reading = load_reading(EXAMPLE)
    tables = []
    for table in reading.tables:
        data = table.bytes
        if table.table == 0 and data is not None:
            data = data[:3] + b"ACME" + data[7:]
        tables.append(TableRead(table.table, table.title, table.read_utc, None if data is None else data.hex()))
    path = tmp_path / "other.json"
    path.write_bytes(encoded(msgspec.structs.replace(reading, tables=tables)))
    meter = read_meter(path)
    present = meter.sets[0]
    assert present.energy[0].quantity == "kWh delivered"
    registers = next(table.bytes for table in reading.tables if table.table == 23)
    assert registers is not None
    assert present.energy[0].total == Decimal(registers[1:22].decode()) > 0, "21 characters behind the count of resets"
    assert present.demand[0].quantity == "kW delivered"
    assert meter.peaks == ()
    assert {event.name for event in meter.events} >= {"demand reset"}, "C12.19's own code"
    assert not {event.name for event in meter.events} & {"logged on"}, "codes of its own are not ours"
    assert any("manufacturer" in note for note in meter.notes)
    assert PageReader(html_of(meter_page(meter, EN, [0]))).under("Billing")


SPRING, AUTUMN = ("03-08", "01 02 04 05"), ("11-01", "01 02 02 03")
TORONTO = {"zone": "America/Toronto"}
RULES = {
    "standard_offset": "-06:00", "dst_begin": "second Sunday of March 02:00",
    "dst_end": "first Sunday of November 02:00",
}  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "clock", "marks", "gaps", "repeats"),
    [
        (SPRING, TORONTO, ["02 03"], 0, 0),
        (AUTUMN, TORONTO, ["02 01"], 0, 0),
        (SPRING, RULES, ["02 03"], 0, 0),
        (AUTUMN, RULES, ["02 01"], 0, 0),
        (("03-08", "01 05 06"), TORONTO, [], 1, 0),
        (("11-01", "01 02 01 02"), TORONTO, [], 0, 1),
        (("11-01", "01 02 03 03 04"), TORONTO, [], 0, 1),
        (("03-09", "01 02 04 05"), TORONTO, [], 1, 0),
        (SPRING, {"zone": "UTC"}, [], 1, 0),
        (AUTUMN, {"zone": "Nowhere/Atall"}, [], 0, 1),
        (AUTUMN, {"zone": 5}, [], 0, 1),
        (AUTUMN, None, [], 0, 1),
    ],
)
def test_daylight_saving_in_a_reading_is_neither_a_gap_nor_a_repetition(
    tmp_path: Path, ends: tuple[str, str], clock: dict[str, object] | None, marks: list[str], gaps: int, repeats: int
) -> None:
    """The example with intervals of an hour that end so on a day of 2026, in the zone of its program (MT1)."""
    reading = load_reading(EXAMPLE)
    raw = {table.table: table.bytes or b"" for table in reading.tables}
    day, hours = ends
    month, date_of_month = map(int, day.split("-"))
    raw[61] = raw[61][:-1] + bytes((60,))
    raw[64] = b"".join(bytes((26, month, date_of_month, int(hour), 0)) + bytes(38) for hour in hours.split())
    raw[63] = raw[63][:1] + struct.pack("<HH", len(hours.split()), len(hours.split()) - 1) + raw[63][5:]
    begin = raw[2049].index(b"{")
    tables = json.loads(raw[2049][begin:]) | {"clock": clock}
    raw[2049] = raw[2049][:begin] + (b"{" if clock is None else json.dumps(tables).encode())
    path = tmp_path / "r.json"
    changed = [msgspec.structs.replace(table, data=raw[table.table].hex()) for table in reading.tables]
    path.write_bytes(encoded(msgspec.structs.replace(reading, tables=changed)))
    meter = read_meter(path)
    profile = meter.profile
    assert profile is not None
    assert [f"{line.end:%H}" for line in profile.lines] == hours.split()
    assert [f"{mark.at:%H} {mark.until:%H}" for mark in profile.marks] == marks
    assert (len(gaps_of(profile)), len(repeats_of(profile))) == (gaps, repeats)
    (tmp_path / "p.csv").write_bytes(report_files(meter, [Path("p.csv")], EN, [], Part.PROFILE)[Path("p.csv")])
    again = read_meter(tmp_path / "p.csv").profile
    assert again is not None
    assert (again.marks, len(gaps_of(again)), len(repeats_of(again))) == (profile.marks, gaps, repeats)


def test_registers_of_one_name_have_numbers(tmp_path: Path) -> None:
    """Ours without a password: it does not give its names (MT2), and ST12 has one unit for two kinds of kvarh net."""
    reading = load_reading(EXAMPLE)
    tables = [table for table in reading.tables if table.table < 2048]
    path = tmp_path / "r.json"
    path.write_bytes(encoded(msgspec.structs.replace(reading, tables=tables)))
    names = [row.quantity for row in read_meter(path).sets[0].energy]
    assert names[4:9] == ["kvarh lagging", "kvarh leading", "kvarh net", "kvarh net #2", "kVAh"]
    assert len(set(names)) == len(names) == 28


@pytest.mark.parametrize(
    ("read_utc", "earlier_s"),
    [
        ("2026-11-30T12:45:57.549+00:00", 0),
        ("2026-11-30T12:45:55.562+00:00", 2),
        ("2026-11-29T10:45:57.149+00:00", 26 * 3600),
        ("2026-11-29T05:45:57.549-05:00", 26 * 3600),
        ("", 0),
        ("2026-11-30T12:45:55", 0),
        ("0001-01-01T00:00:00+00:00", 0),
    ],
)
def test_present_registers_are_of_when_they_were_read(tmp_path: Path, read_utc: str, earlier_s: int) -> None:
    """A reading that broke off behind ST23 has the clock (ST52) of the day on which it went on."""
    reading = load_reading(EXAMPLE)
    clock = next(table for table in reading.tables if table.table == 52)
    assert clock.read_utc == "2026-11-30T12:45:57.549+00:00"
    year, *rest = clock.bytes[:6]  # type: ignore[index]
    tables = [
        msgspec.structs.replace(table, read_utc=read_utc) if table.table == 23 else table for table in reading.tables
    ]
    path = tmp_path / "r.json"
    path.write_bytes(encoded(msgspec.structs.replace(reading, tables=tables)))
    assert read_meter(path).sets[0].at == datetime(2000 + year, *rest) - timedelta(seconds=earlier_s)


def test_the_event_log_goes_further_back_than_the_log_in_words(tmp_path: Path) -> None:
    """ST76 made here: two entries older than MT4's first line, one of them by 65001 lines, and one that MT4 has."""
    reading = load_reading(EXAMPLE)
    words = next(table.bytes for table in reading.tables if table.table == 2048 + 4)
    assert words is not None
    first = int.from_bytes(words[2:6], "little") + 70_000
    words = words[:2] + first.to_bytes(4, "little") + words[6:]
    entries = [(first - 65_001, 20, 2), (first - 1, 2055, 3), (first, 7, 2)]
    log = struct.pack("<BHHIH", 0, 3, 2, first, 3) + b"".join(
        bytes((26, 5, 1 + n, 12, 30, 0)) + struct.pack("<3H", number & 0xFFFF, user, code)
        for n, (number, code, user) in enumerate(entries)
    )
    dims = b"\x06\x06\x06\0\0" + struct.pack("<2H", 0, 3)
    replaced = {2048 + 4: words, 76: log, 71: dims}
    tables = [table for table in reading.tables if table.table not in replaced and table.table != 74]
    tables += [TableRead(number, str(number), reading.begun_utc, data.hex()) for number, data in replaced.items()]
    path = tmp_path / "further.json"
    path.write_bytes(encoded(msgspec.structs.replace(reading, tables=tables)))
    events = read_meter(path).events
    assert [event.name for event in events[:2]] == ["demand reset", "logged on"]
    assert [event.at for event in events[:2]] == [datetime(2026, 5, 1, 12, 30), datetime(2026, 5, 2, 12, 30)]
    assert len(events) == 2 + int.from_bytes(words[:2], "little"), "what the log in words has comes once"


def test_a_reading_of_less_makes_a_report_of_less(tmp_path: Path) -> None:
    """Without a password, or of another meter: whatever tables are missing."""
    reading = load_reading(EXAMPLE)
    path = tmp_path / "less.json"
    for left_out in (21, 22, 23, 12, 15, 2050, 2051, 61, 62, 64, 1, 0):
        tables = [table for table in reading.tables if table.table != left_out]
        path.write_bytes(encoded(msgspec.structs.replace(reading, tables=tables)))
        page = meter_page(read_meter(path), FR, [])
        assert PageReader(html_of(page)).text, left_out
    path.write_bytes(encoded(msgspec.structs.replace(reading, tables=[])))
    assert json.loads(path.read_bytes())["tables"] == []
    assert PageReader(html_of(meter_page(read_meter(path), EN, []))).tables


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_tables_that_lie_are_noted_and_do_not_end_it(tmp_path: Path, every: int) -> None:
    reading = load_reading(EXAMPLE)
    path = tmp_path / "lies.json"
    for place in range(0, len(reading.tables), every):
        for change in (
            lambda data: data[: len(data) // 2],
            lambda data: bytes(255 - b for b in data),
            lambda data: b"",
        ):
            tables = list(reading.tables)
            data = tables[place].bytes
            if data is None:
                continue
            tables[place] = msgspec.structs.replace(tables[place], data=change(data).hex())
            path.write_bytes(encoded(msgspec.structs.replace(reading, tables=tables)))
            assert PageReader(html_of(meter_page(read_meter(path), EN, []))).tables


@pytest.mark.parametrize("table", [61, 62, 63])
@pytest.mark.parametrize("value", [0, 255])
def test_a_byte_of_a_load_profile_that_lies_does_not_end_it(tmp_path: Path, table: int, value: int) -> None:
    """Each byte of what says how its load profile is laid out, such as intervals of no minutes."""
    reading = load_reading(EXAMPLE)
    place = next(k for k, each in enumerate(reading.tables) if each.table == table)
    data = reading.tables[place].bytes or b""
    for at in range(len(data)):
        changed = data[:at] + bytes((value,)) + data[at + 1 :]
        tables = [*reading.tables[:place], msgspec.structs.replace(reading.tables[place], data=changed.hex())]
        lying = msgspec.structs.replace(reading, tables=[*tables, *reading.tables[place + 1 :]])
        (tmp_path / "lies.json").write_bytes(encoded(lying))
        assert PageReader(html_of(meter_page(read_meter(tmp_path / "lies.json"), EN, [0]))).tables
