"""Reports of a meter as a person asks for them: each figure that of the source, by independent readers."""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from rig.cli.app import app
from rig.daemon.protocol import ReadSelf, WriteProgram
from rig.store.errors import StoreError
from rig.store.reading import HistoryReader
from tests.rig.communication.served_tables import ServedTables
from tests.rig.communication.table_decoder import st0, st21, st23, st24, st61, st62, st63, st64
from tests.rig.meter_report.page_reader import PageReader

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "reading.json"
RIG = str(Path(sys.executable).with_name("rig"))

PROGRAM = """
[meter]
form = "9S"
serial = "55"
[clock]
zone = "America/Toronto"
[demand]
quantities = ["kW delivered", "kvar lagging"]
[[tou.seasons]]
name = "winter"
begins = "01-01"
weekday = ["00:00 C", "07:00 A", "20:00 C"]
saturday = ["00:00 B"]
[[tou.seasons]]
name = "spring"
begins = "03-15"
weekday = ["00:00 B"]
saturday = ["00:00 D"]
[recorder]
interval_minutes = 60
channels = [{ metric = "kWh delivered", pulse = "5/4" }, { metric = "kWh received", pulse = "5/4" },
            { metric = "kvarh lagging", pulse = "5/4" }]
[self_read]
schedule = "daily"
"""


def rig(*words: object, status: int = 0) -> str:
    said = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert said.exit_code == status, said.output
    return said.output


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hours of 4 to 20 March 2026 in Toronto: the clock leaps on the 8th, a season begins on the 15th."""
    folder = tmp_path_factory.mktemp("meter-report")
    (folder / "meter.toml").write_text(PROGRAM)
    begin = datetime(2026, 3, 4, 5, tzinfo=UTC)
    rows = []
    for hour in range(16 * 24):
        end = datetime.fromtimestamp(begin.timestamp() + 3600 * (hour + 1), UTC)
        delivered, received = (0.5 + hour % 24 / 50, 0) if hour % 5 else (0, 0.125)
        rows.append(f"{end:%Y-%m-%dT%H:%M:00Z},{delivered:.3f},{received},{0.1 if hour % 5 else 0}")
    head = "time,kwh_delivered,kwh_received,kvarh_lagging"
    (folder / "load.csv").write_text("\n".join([head, *rows]) + "\n")
    rig("bill", folder / "load.csv", "--program", folder / "meter.toml", "--store", folder / "store")
    return folder / "store"


@pytest.fixture(scope="module")
def reports(store: Path) -> Path:
    """The folder with the store's reports, made once."""
    folder = store.parent
    files = [word for name in ("a.html", "a.pdf", "profile.csv") for word in ("--out", folder / name)]
    rig("report", store, "--zone", "America/Toronto", *files)
    rig("report", store, "--zone", "America/Toronto", "--language", "fr", "--out", folder / "fr.html")
    for part in ("registers", "events"):
        rig("report", store, "--zone", "America/Toronto", "--part", part, "--out", folder / f"{part}.csv")
    return folder


def page(file: Path) -> PageReader:
    return PageReader(file.read_bytes())


def kwh(nano: int) -> Decimal:
    return Decimal(nano).scaleb(-12)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(line for line in opened if not line.startswith("# ")))


def shown(store: Path) -> dict:
    return json.loads(rig("store", "show", store, "--json"))


SUMS = {
    "kWh delivered": ("nwh", "q1", "q4"),
    "kWh received": ("nwh", "q2", "q3"),
    "kvarh lagging": ("nvarh", "q1", "q3"),
    "kVAh rms": ("nvah_rms", "q1", "q2", "q3", "q4"),
}


def test_registers_on_the_page_are_the_stores_digit_for_digit(store: Path, reports: Path) -> None:
    registers = shown(store)["exact"]["registers"]
    billing = dict(page(reports / "a.html").under("Billing")[1:])
    by_rate = {row[0]: row[1:] for row in page(reports / "a.html").under("Time of use")[1:]}
    for quantity, (kind, *quadrants) in SUMS.items():
        whole = kwh(sum(registers["energy"][q][kind] for q in quadrants))
        assert Decimal(billing[quantity]) == whole
        rates = [kwh(sum(registers["energy_rates"][r][q][kind] for q in quadrants)) for r in "ABCD"]
        assert [Decimal(cell) for cell in by_rate[quantity]] == [whole, *rates]
    assert Decimal(billing["kWh delivered"]) > 100
    assert all(Decimal(cell) > 0 for cell in by_rate["kWh delivered"][1:]), "each rate has some"


def test_demand_on_the_page_is_the_stores(store: Path, reports: Path) -> None:
    exact = shown(store)["exact"]["registers"]
    rows = {row[0]: row[1:] for row in page(reports / "a.html").under("Demand")[1:]}
    for demand in exact["demand"]:
        total = demand["total"]
        present, previous, maximum, at, cumulative, continuous = rows[demand["quantity"]]
        assert Decimal(present) == kwh(total["present_nw"])
        assert Decimal(previous) == kwh(total["previous_nw"])
        assert Decimal(maximum) == kwh(total["maximum"]["value_nw"])
        assert Decimal(cumulative) == kwh(total["cumulative_nw"])
        assert Decimal(continuous) == kwh(total["continuous_cumulative_nw"])
        reached = datetime.fromtimestamp(total["maximum"]["at_utc_ns"] // 10**9, ZoneInfo("America/Toronto"))
        assert at == f"{reached:%Y-%m-%d %H:%M}"
    peaks = page(reports / "a.html").under("Highest demands: kW delivered")[1:]
    assert [Decimal(value) for _, value in peaks] == [kwh(peak["value_nw"]) for peak in exact["peaks"]]


def test_self_reads_and_seasons_are_those_of_the_history(store: Path, reports: Path) -> None:
    snapshots = [each for each in shown(store)["snapshots"] if each["cause"] == "self read"]
    rows = page(reports / "a.html").under("Self-reads")[1:]
    assert len(rows) == len(snapshots) > 10
    for row, snapshot in zip(rows, snapshots, strict=True):
        utc = datetime.fromisoformat(snapshot["time"]).astimezone(ZoneInfo("America/Toronto"))
        assert row[0] == f"{utc:%Y-%m-%d %H:%M}"
        assert float(row[1]) == snapshot["details"]["kWh delivered"]
    for before, row in pairwise(rows):
        assert Decimal(row[4]) == Decimal(row[1]) - Decimal(before[1])
    seasons = page(reports / "a.html").under("Previous seasons")[1:]
    assert [row[0] for row in seasons] == ["2026-03-15 00:00"]


def test_a_file_has_every_self_read_of_a_long_history(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = sum(each["cause"] == "self read" for each in shown(store)["snapshots"])
    once = HistoryReader.snapshots
    monkeypatch.setattr(HistoryReader, "snapshots", lambda self, **k: [*once(self, **k)] * 12)
    rig("report", store, "--part", "registers", "--out", tmp_path / "r.csv")
    rows = [row for row in rows_of(tmp_path / "r.csv") if row["set"] == "self-read"]
    totals = [row for row in rows if (row["quantity"], row["rate"]) == ("kWh delivered", "")]
    assert len(totals) == 12 * taken > 100


def test_a_demand_of_an_earlier_program_is_not_called_by_the_present_ones_name(store: Path, tmp_path: Path) -> None:
    """Its kW and kvar change places: the history has their maxima by their places alone."""
    folder = tmp_path / "store"
    shutil.copytree(store, folder)
    meter = ServedTables(PROGRAM, folder)
    meter.source = "command line"
    meter.log_on("000000")
    swapped = PROGRAM.replace('"kW delivered", "kvar lagging"', '"kvar lagging", "kW delivered"')
    assert meter.ask(WriteProgram(swapped)).refused is None
    meter.log_on("000000")
    meter.run(0.2)
    assert meter.ask(ReadSelf()).refused is None
    meter.flush()
    meter.close()
    rig("report", folder, "--part", "registers", "--out", tmp_path / "r.csv")
    rows = [row for row in rows_of(tmp_path / "r.csv") if row["set"] == "self-read" and row["register"] == "maximum"]
    names = [row["quantity"] for row in rows if not row["rate"]]
    assert names[-2:] == ["kvar lagging", "kW delivered"]
    assert set(names[:-2]) == {"demand 1 of an earlier program", "demand 2 of an earlier program"}
    before = [row for row in rows_of_registers(store, tmp_path) if row["set"] == "self-read"]
    before = [row for row in before if row["register"] == "maximum" and not row["rate"]]
    after = [row for row in rows if not row["rate"]][: len(before)]
    assert [row["value"] for row in after] == [row["value"] for row in before], "and none is lost"


def rows_of_registers(store: Path, folder: Path) -> list[dict[str, str]]:
    rig("report", store, "--part", "registers", "--out", folder / "before.csv")
    return rows_of(folder / "before.csv")


def test_a_recording_that_there_is_not_is_a_mistake(store: Path, tmp_path: Path) -> None:
    """Nothing is written, of registers either."""
    with pytest.raises(StoreError, match="no recording 9: give 0"):
        rig("report", store, "--recording", "9", "--out", tmp_path / "r.csv")
    assert not (tmp_path / "r.csv").exists()


def test_the_load_profile_is_the_export_digit_for_digit(store: Path, reports: Path, tmp_path: Path) -> None:
    rig("profile", "export", store, tmp_path / "x.csv")
    exported, reported = rows_of(tmp_path / "x.csv"), rows_of(reports / "profile.csv")
    assert reported == exported
    totals = {row[0]: row[1:] for row in page(reports / "a.html").under("Load profile")[1:]}
    for name in ("kWh delivered", "kWh received", "kvarh lagging"):
        values = [Decimal(row[name]) for row in exported]
        total, highest, at, factor, unreadable = totals[name]
        assert Decimal(total.split()[0]) == sum(values)
        assert Decimal(highest.split()[0]) == max(values)
        first = next(row["end_local"] for row in exported if Decimal(row[name]) == max(values))
        assert at == first.replace("T", " ")[:16]
        exact = Fraction(sum(values)) / len(values) / Fraction(max(values))
        assert 0 <= exact - Fraction(factor) < Fraction(1, 10000)
        assert unreadable == "0"


def test_the_same_figures_come_of_an_exported_file_and_of_a_reports_own(
    store: Path, reports: Path, tmp_path: Path
) -> None:
    rig("profile", "export", store, tmp_path / "x.csv")
    rig("report", tmp_path / "x.csv", "--out", tmp_path / "x.html")
    rig("report", reports / "profile.csv", "--out", tmp_path / "y.html", "--out", tmp_path / "y.csv")
    for file in (tmp_path / "x.html", tmp_path / "y.html"):
        assert page(file).under("Load profile") == page(reports / "a.html").under("Load profile")
        assert "SIMULATED (window)" in page(file).text
    assert rows_of(tmp_path / "y.csv") == rows_of(reports / "profile.csv")


def test_the_leap_of_the_clock_is_said_and_an_hour_of_the_day_is_not_drawn(reports: Path) -> None:
    text = " ".join(page(reports / "a.html").text)
    assert "clock set 2026-03-08 02:00 to 2026-03-08 03:00" in text
    assert "horloge réglée du 2026-03-08 02 h 00 au 2026-03-08 03 h 00" in " ".join(page(reports / "fr.html").text)
    assert len([row for row in rows_of(reports / "profile.csv") if row["end_local"].startswith("2026-03-08")]) == 23


def test_french_has_the_same_figures_with_a_comma(reports: Path) -> None:
    english, french = page(reports / "a.html"), page(reports / "fr.html")
    assert (english.language, french.language) == ("en", "fr")
    assert "SIMULÉ (window)" in french.text
    for one, other in (("Billing", "Facturation"), ("Time of use", "Tarification selon l'heure"),
                       ("Load profile", "Profil de charge")):  # fmt: skip
        for row, its in zip(english.under(one)[1:], french.under(other)[1:], strict=True):
            for cell, autre in zip(row[1:], its[1:], strict=True):
                clock = re.sub(r"(\d\d):(\d\d)$", r"\1 h \2", cell)
                assert autre == (clock if clock != cell else cell.replace(".", ","))
    assert french.under("Facturation")[1][0] == "kWh fournie"
    months = [row[0] for row in french.under("Mois")[1:]] if "Mois" in " ".join(french.text) else []
    assert all(re.fullmatch(r"[a-zéû]+ 2026", month) for month in months)


def test_registers_and_events_as_rows(store: Path, reports: Path) -> None:
    exact = shown(store)["exact"]["registers"]
    rows = rows_of(reports / "registers.csv")
    present = {
        (row["quantity"], row["rate"], row["register"]): row["value"]
        for row in rows
        if row["set"] == "present registers"
    }
    q = exact["energy_rates"]["A"]
    assert Decimal(present["kWh delivered", "A", "energy"]) == kwh(q["q1"]["nwh"] + q["q4"]["nwh"])
    maximum = exact["demand"][0]["rates"]["C"]["maximum"]["value_nw"]
    assert Decimal(present["kW delivered", "C", "maximum"]) == kwh(maximum)
    events = rows_of(reports / "events.csv")
    assert {row["event"] for row in events} >= {"rate change", "self read", "season change"}
    assert all(json.loads(row["details"]) is not None for row in events)


def test_parquet_has_the_same_values(store: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is the extra [parquet]")
    rig("report", store, "--out", tmp_path / "p.parquet", "--out", tmp_path / "p.csv")
    table = parquet.read_table(tmp_path / "p.parquet").to_pydict()
    rows = rows_of(tmp_path / "p.csv")
    assert [Decimal(row["kWh delivered"]) for row in rows] == table["kWh delivered"]
    assert [row["end_local"] for row in rows] == [at.isoformat() for at in table["end_local"]]


def test_a_reading_is_reported_as_an_independent_decoder_reads_its_tables(tmp_path: Path) -> None:
    raw = {t["table"]: bytes.fromhex(t["data"]) for t in json.loads(EXAMPLE.read_text())["tables"] if t["data"]}
    ni, dims = st0(raw[0]).ni, st21(raw[21])
    present, reset = st23(raw[23], ni, dims), st24(raw[25], ni, dims)
    names = [raw[2050][28 * k : 28 * k + 28].decode().rstrip() for k in range(len(raw[2050]) // 28)]
    rig("report", EXAMPLE, "--out", tmp_path / "r.html", "--out", tmp_path / "r.csv")
    read = page(tmp_path / "r.html")
    assert "SIMULATED" in read.text
    rows = [(row[0], Decimal(row[1])) for row in read.under("Billing")[1:]]
    selected = list(raw[22][: dims["summations"]])
    assert rows == [
        (names[source], value) for source, value in zip(selected, present["total"]["summations"], strict=True)
    ]
    for row, demand in zip(read.under("Demand")[1:], present["total"]["demands"], strict=True):
        assert Decimal(row[3]) == demand["maxima"][0]
        year, month, day, hour, minute = demand["at"][0]
        assert row[4] == f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}"
        assert (Decimal(row[5]), Decimal(row[6])) == (demand["cumulative"], demand["continuous"])
    assert (
        Decimal(read.under("Demand resets")[1][1])
        == reset["total"]["summations"][selected.index(names.index("kWh delivered"))]
    )
    lp, control = st61(raw[61]), st62(raw[62], st61(raw[61])["channels"])
    blocks = st64(raw[64], lp, st63(raw[63])["valid"])
    for line, block in zip(rows_of(tmp_path / "r.csv"), blocks, strict=True):
        year, month, day, hour, minute = block["end"]
        assert line["end_local"] == f"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:00"
        wh = Fraction(block["counts"][0] * control["scalars"][0], control["divisors"][0])
        assert Fraction(line["kWh delivered"]) == wh / 1000


def test_a_report_needs_nothing_from_elsewhere(reports: Path) -> None:
    text = (reports / "a.html").read_text()
    assert not [word for word in ("http:", "https:", "src=", "href=", "<script", "url(", "@import") if word in text]
    pdf = (reports / "a.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-1.")
    assert not re.findall(rb"/(?:URI|JavaScript|JS|Launch|AA|OpenAction)\b", pdf)


@pytest.mark.parametrize("of", ["reading", "profile"])
def test_a_source_may_be_a_pipe(of: str, reports: Path, tmp_path: Path) -> None:
    """As `rig report <(unzip -p readings.zip meter.json)` has it: it can be read once."""
    source = EXAMPLE if of == "reading" else reports / "profile.csv"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(source.read_bytes()), daemon=True)
    writer.start()
    rig("report", pipe, "--out", tmp_path / "a.csv")
    writer.join(20)
    rig("report", source, "--out", tmp_path / "b.csv")
    assert rows_of(tmp_path / "a.csv") == rows_of(tmp_path / "b.csv") != []


def test_its_name_is_taken_from_the_source_and_nothing_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "reading.html" in rig("report", EXAMPLE)
    assert "reading.html exists" in rig_refused("report", EXAMPLE)
    rig("report", "meter", EXAMPLE, "--force")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reading.html"]


def rig_refused(*words: object) -> str:
    done = subprocess.run([RIG, *map(str, words)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_the_old_spellings_are_commands_still() -> None:
    for words in (["render", "--help"], ["compare", "--help"], ["meter", "--help"]):
        assert f"rig report {words[0]}" in rig("report", *words)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [RIG, "report", str(EXAMPLE), "--out", "a.html"],
        capture_output=True,
        cwd=tmp_path,
        check=False,
        timeout=60,
        preexec_fn=lambda: (
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        ),
    )
    assert done.returncode == 2
    assert b"cannot be written" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_at_any_time_leaves_the_whole_report_or_none(store: Path, tmp_path: Path) -> None:
    whole = None
    for after_s in (0.4, 0.8, 1.2):
        process = subprocess.Popen([RIG, "report", str(store), "--out", "a.html"], cwd=tmp_path,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip
        time.sleep(after_s)  # at whatever it is doing then: nothing to see tells where it is
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        assert process.returncode in (0, 130, -signal.SIGINT)
        assert b"Traceback" not in error
        left = list(tmp_path.iterdir())
        assert [path.name for path in left] in ([], ["a.html"])
        for path in left:
            whole = path.read_bytes()
            assert whole.endswith(b"</html>\n")
            path.unlink()
