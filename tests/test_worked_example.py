"""The arithmetic of docs/worked-example.md, done again. Tests of the commands see that its output is shown truly.

Its closed forms: P = 3·V·I·PF, K = P·t / (3600·(n − 1)), and a register that lies less than one pulse above its pulses.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "worked-example.md").read_text(encoding="utf-8")

WATTS = 3 * 120 * 20 * 0.8
CONSTANTS_WH = {"KYZ1": 0.15, "LED": 1.8}
"""Ks of a form 9S of class 20 and a twelfth of it, from the notice's plates."""


def rows() -> dict[str, list[str]]:
    """The counters' lines, as shown, by name."""
    return {line.split()[0]: line.split() for line in TEXT.splitlines() if re.match(r"(KYZ1|LED) +\d+ ", line)}


def registered(report: str) -> tuple[float, float, int, int]:
    """Wh delivered and received, flashes, transitions, from a run's report."""
    found = [
        re.search(pattern, report)
        for pattern in (
            r"delivered +([\d.]+) Wh",
            r"received +([\d.]+) Wh",
            r"test LED +pulses of 1\.8 Wh: (\d+)",
            r"transitions of 0\.15 Wh: (\d+)",
        )
    ]
    delivered, received, flashes, transitions = (match[1] for match in found if match)
    return float(delivered), float(received), int(flashes), int(transitions)


def assert_pulses_are_the_register(report: str) -> None:
    delivered, received, flashes, transitions = registered(report)
    assert 0 <= delivered - transitions * 0.15 < 0.15
    assert 0 <= delivered + received - flashes * 1.8 < 1.8


@pytest.mark.parametrize("name", ["KYZ1", "LED"])
def test_what_is_shown_is_a_check_that_passes(name: str) -> None:
    _, pulses, illegal, seconds, unit, found, programmed, error, _ = rows()[name]
    constant = CONSTANTS_WH[name]
    assert unit == "s"
    assert int(illegal) == 0
    assert float(programmed) == constant
    assert abs(int(pulses) - WATTS * 18 / 3600 / constant) <= 1
    by_hand = WATTS * float(seconds) / (3600 * (int(pulses) - 1))
    assert float(found) == pytest.approx(by_hand, abs=1e-5)  # its last digit
    assert abs(float(error)) < 0.05
    assert constant == pytest.approx(by_hand, rel=5e-4)


SUM = re.compile(r"[\d.()×/− ]+[×/−][\d.()×/− ]+")


def sums() -> list[tuple[str, str]]:
    """Each sum of the page's text blocks, without units, and the figure that it is said to be."""
    found = []
    for block in re.findall(r"^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        for line in re.sub(r"(?<=\d) (Wh/s|s/h|Wh|W|V|A|s)\b", "", block).splitlines():
            parts = [re.split(r" {2,}", part.strip())[-1] for part in re.split(r" += ", line)]
            found += [(left, right) for left, right in itertools.pairwise(parts) if SUM.fullmatch(left)]
    return found


def test_the_sums_on_the_page_are_right() -> None:
    assert len(sums()) == 8
    for left, right in sums():
        figure = re.match(r"[+]?([\d.]+)( %)?", right)
        assert figure, right
        value = eval(left.replace("×", "*").replace("−", "-")) * (100 if figure[2] else 1)
        assert value == pytest.approx(float(figure[1]), abs=0.6 * 10 ** -len(figure[1].partition(".")[2])), left


def test_the_report_on_the_page_agrees_with_itself() -> None:
    assert_pulses_are_the_register(TEXT)


def test_the_verification_on_the_page_agrees_with_itself() -> None:
    counted = re.search(r"counted +(\d+) pulses in ([\d.]+) s, ([\d.]+) Wh", TEXT)
    reference = re.search(r"reference +([\d.]+) Wh", TEXT)
    error = re.search(r"error +([+-][\d.]+) % ± ", TEXT)
    assert counted
    assert reference
    assert error
    pulses, seconds, energy_wh = int(counted[1]), float(counted[2]), float(counted[3])
    assert energy_wh == pytest.approx(pulses * 0.15)
    assert float(reference[1]) == pytest.approx(WATTS * seconds / 3600, rel=1e-4)
    assert float(error[1]) == pytest.approx(100 * (energy_wh / float(reference[1]) - 1), abs=1.1e-5)
