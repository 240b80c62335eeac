"""The phases as people see them: what is not known is a dash, PF says lag or lead, and it fits the terminal."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass

import msgspec
import pytest
from rich.console import Console

from rig.daemon.protocol import Reading
from rig.hardware.config import Config
from rig.results.exact import ExactTestMode
from rig.results.summary import Phase
from rig.terminal.phases_view import Phases
from rig.terminal.run_view import panel, report
from rig.terminal.show import Audience
from rig.terminal.start import start_and_show


@dataclass
class Figures:
    v_rms: float = 480.1234
    i_rms: float = 200.12345
    p_w: float = 83_000.4
    q_var: float | None = 48_000.1
    p1_w: float | None = 83_000.0
    q1_var: float | None = 48_000.0
    s_va: float = 96_083.9
    pf: float | None = 0.8638
    angle_deg: float | None = 240.04
    i_angle_deg: float | None = 270.08
    tdr_v_pct: float | None = 1.234
    tdr_i_pct: float | None = 130.44


def shown(width: int, **changes: float | None) -> str:
    console = Console(file=io.StringIO(), width=width)
    phase = Phase(**asdict(Figures()) | changes)
    console.print(Phases({"a": phase, "b": phase, "c": phase}))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_three_phases_fit_eighty_columns() -> None:
    text = shown(80)
    assert "…" not in text
    for figure in ("480.12 ∠240.0°   1.23%", "200.1234 ∠270.1° 130.44%", "83000.40", "48000.10 φ  30.04°"):
        assert text.count(figure) == 3


@pytest.mark.parametrize(
    ("p1", "q1", "pf", "said"),
    [
        (866.0, 500.0, 0.866, "0.8660 lag"),
        (-866.0, 500.0, -0.866, "-0.8660 lead"),
        (-866.0, -500.0, -0.866, "-0.8660 lag"),
        (866.0, -500.0, 0.866, "0.8660 lead"),
        (1000.0, 0.001, 0.99999, "1.0000"),
        (None, None, 0.866, "0.8660"),
        (0.0, 0.0, 0.0, "0.0000"),
    ],
    ids=["Q1", "Q2", "Q3", "Q4", "unity", "no phasors", "nothing"],
)
def test_power_factor_says_lag_or_lead(p1: float | None, q1: float | None, pf: float, said: str) -> None:
    """Quadrants 1 and 3 lag (facts/meter-domain.md §3)."""
    text = shown(100, p1_w=p1, q1_var=q1, pf=pf)
    assert f"PF {said}  " in text
    assert ("φ      –°" in text) == (not p1)


def test_what_is_not_known_is_a_dash() -> None:
    unknown = ("q_var", "p1_w", "q1_var", "pf", "angle_deg", "i_angle_deg", "tdr_v_pct", "tdr_i_pct")
    text = shown(100, **dict.fromkeys(unknown))
    assert "480.12 ∠    –°      –%" in text
    assert "– φ      –°" in text
    assert "PF –" in text
    assert "None" not in text


def test_the_panel_fits_eighty_columns_and_says_what_ails_its_surroundings() -> None:
    moments: list[Reading] = []
    start_and_show(Config(), 2, paced=False, audience=Audience(moments.append))

    def lines(trouble: str | None, width: int = 80) -> list[str]:
        console = Console(file=io.StringIO(), width=width)
        console.print(panel(moments[-1], keys=True, trouble=trouble))
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue().splitlines()

    usual = lines(None)
    assert len(usual) == 20
    assert "SIMULATED (exact)" in usual[0]
    assert lines("no display answers") == [*usual, "no display answers"]
    narrow = lines(None, 60)
    assert len(narrow) <= 24
    assert "SIMULATED (exact)" in narrow[0]
    assert not any("…" in line for line in narrow)
    assert [line[:4].rstrip() for line in narrow[9:17]] == ["V", "A", "TDR", "W", "var", "φ", "VA", "PF"]


@pytest.fixture(scope="module")
def a_second() -> Reading:
    """The last reading of a second's run."""
    readings: list[Reading] = []
    start_and_show(Config(), 1, paced=False, audience=Audience(readings.append))
    return readings[-1]


def test_c9_figures_that_differ_are_explained_where_they_stand(a_second: Reading) -> None:
    """54.19 Wh with test mode beside 0.048302 kWh billed; in a run without test mode or a store nothing differs."""
    summary = a_second.summary

    def lines(delivered_wh: float, kwh_delivered: float) -> str:
        console = Console(file=io.StringIO(), width=120)
        energy = msgspec.structs.replace(summary.energy_wh, delivered=delivered_wh)
        registers = msgspec.structs.replace(summary.registers, kwh_delivered=kwh_delivered)
        console.print(report(msgspec.structs.replace(summary, energy_wh=energy, registers=registers)))
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    for delivered_wh, kwh_delivered in ((54.19, 0.048302), (5.0, 12.5)):
        text = lines(delivered_wh, kwh_delivered)
        assert f"{delivered_wh:.6g} Wh in this run, in test mode too" in text
        assert "what was billed, so without test mode; with a store, of all its runs" in text
    assert "test mode" not in lines(summary.energy_wh.delivered, summary.registers.kwh_delivered)


def test_c9_in_test_mode_the_panel_says_that_nothing_is_billed(a_second: Reading) -> None:
    exact = a_second.summary.exact
    test = ExactTestMode(0, 60 * 10**9, None, exact.averaging, exact.registers)

    def text(reading: Reading) -> str:
        console = Console(file=io.StringIO(), width=120)
        console.print(panel(reading))
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    assert "test mode: nothing is billed" not in text(a_second)
    summary = msgspec.structs.replace(a_second.summary, exact=msgspec.structs.replace(exact, test_mode=test))
    assert "test mode: nothing is billed" in text(msgspec.structs.replace(a_second, summary=summary))


@pytest.mark.parametrize(("angle", "said"), [(359.96, "0.0°"), (359.94, "359.9°"), (0.0, "0.0°"), (-0.01, "0.0°")])
def test_no_angle_of_360(angle: float, said: str) -> None:
    assert shown(100, i_angle_deg=angle).count(f"∠{said:>6} ") == 3


def test_zero_has_no_sign() -> None:
    text = shown(100, p_w=-0.001, q_var=-0.004, p1_w=1.0, q1_var=-1e-7, pf=-0.00001)
    assert "-0.0" not in text
    assert text.count(" 0.00") >= 6
