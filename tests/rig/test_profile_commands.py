"""`rig profile` and `rig run` with a store, as a person types them."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rig.cli.app import app
from rig.hardware.config import Config, MeterFiles
from rig.profile.reading import ProfileError
from rig.store.check import check
from rig.store.errors import StoreError
from rig.terminal.show import Audience
from rig.terminal.start import start_and_show

PROGRAM = """
[meter]
model = "RXRS4e"
form = "9S"
[clock]
zone = "America/Toronto"
[demand]
quantities = ["kW delivered"]
[recorder]
interval_minutes = 30
channels = [{ metric = "kWh delivered", pulse = "5/8" }, { metric = "kWh received", pulse = "5/8" }]
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of half hours, 0.5 kWh each, through a meter with a recorder."""
    folder = tmp_path_factory.mktemp("profile")
    (folder / "meter.toml").write_text(PROGRAM)
    stamps = [f"2026-06-{1 + k // 48:02}T{k % 48 // 2:02}:{k % 2 * 30:02}" for k in range(96)]
    (folder / "load.csv").write_text("time,kwh_delivered\n" + "".join(f"{stamp},0.5\n" for stamp in stamps))
    said = CliRunner().invoke(
        app,
        f"bill {folder}/load.csv --stamps begin --program {folder}/meter.toml --store {folder}/store",
    )
    assert said.exit_code == 0, said.output
    return folder / "store"


def rig(*words: str) -> str:
    said = CliRunner().invoke(app, words, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return said.output


def test_show_says_simulated_and_the_newest_intervals(store: Path) -> None:
    said = rig("profile", "show", str(store), "--last", "3", "--channel", "kWh delivered")
    assert "SIMULATED (window)" in said
    assert said.count("0.500") == 3
    assert "kWh received" not in said


def test_json_has_every_count(store: Path) -> None:
    shown = json.loads(rig("profile", "show", str(store), "--last", "1000", "--json"))
    assert shown["simulated"] is True
    assert [i["counts"] for i in shown["intervals"]] == [[800, 0]] * 96
    assert shown["intervals"][0]["end"] == "2026-06-01T00:30:00"
    assert shown["channels"][0] == {"name": "kWh delivered", "unit": "kWh", "pulse": "1/1600"}
    assert not shown["faults"]


def test_plot_draws_the_day_asked_for(store: Path) -> None:
    assert "2026-06-02" in rig("profile", "plot", str(store))
    said = rig("profile", "plot", str(store), "--day", "2026-06-01", "--channel", "1")
    assert "2026-06-01" in said
    assert "24.000000 kWh" in said
    assert "1 kW" in said


def test_export_sums_to_the_register(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "load.csv"
    rig("profile", "export", str(store), str(file))
    lines = file.read_text().splitlines()
    assert "SIMULATED (window)" in lines[0]
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert sum(Fraction(row["kWh delivered"]) for row in rows) == 48
    assert json.loads(rig("store", "show", str(store), "--json"))["registers"]["kwh_delivered"] == 48


def test_help_names_the_extra() -> None:
    assert "[parquet]" in rig("profile", "export", "--help")


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        (["export", "{store}", "load.txt"], ProfileError, r"load.txt ends in .txt: give a name that ends in .csv or"),
        (["show", "{store}", "--recording", "7"], StoreError, r"has no recording 7: give 0"),
        (["show", "{store}", "--channel", "kWh"], ProfileError, "kWh"),
        (["plot", "{store}", "--day", "2026-07-01"], ProfileError, "2026-07-01"),
        (["show", "nowhere"], StoreError, "nowhere"),
    ],
)
def test_what_is_not_there_is_said(store: Path, words: list[str], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        CliRunner().invoke(app, ["profile", *(w.format(store=store) for w in words)], catch_exceptions=False)


@pytest.mark.slow
def test_a_run_goes_on_from_its_store(tmp_path: Path) -> None:
    """The second run begins with the registers of the first, and says that it was off."""
    (tmp_path / "meter.toml").write_text(PROGRAM)
    config = Config(meter=MeterFiles(program=str(tmp_path / "meter.toml"), store=str(tmp_path / "store")))
    first = start_and_show(config, 2.0, paced=False, audience=Audience(lambda moment: None)).summary
    second = start_and_show(config, 2.0, paced=False, audience=Audience(lambda moment: None)).summary
    assert first.stored
    assert second.energy_wh.delivered > 0
    total = first.registers.kwh_delivered + second.energy_wh.delivered / 1000
    assert second.registers.kwh_delivered == pytest.approx(total, abs=1e-12)  # a nWh
    assert all(finding.holds for finding in check(tmp_path / "store"))
    log = json.loads(rig("store", "show", str(tmp_path / "store"), "--json"))["events"]
    assert [line["event"] for line in log[:2]] == ["power down", "power up"]
