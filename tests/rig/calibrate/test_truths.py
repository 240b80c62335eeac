"""Sources of truth: a person, an instrument on a real socket, and pulses; and what each says that is wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest

from calibration.observation import PointPlan, Purpose
from drivers.errors import DriverError
from rig.calibrate.errors import CalibrateError
from rig.calibrate.truths import Hand, Pulses, reading, truth_named
from rig.errors import RigError
from rig.verify.standard import Reading
from tests.drivers.scpi_instrument import ScpiInstrument

PLAN = PointPlan("5 A, 60° lagging", Purpose.SOLVE, 120.0, 5.0, 60.0, 60.0)
LEADING = PointPlan("5 A, leading", Purpose.VERIFY, 120.0, 5.0, -36.87, 60.0)


def answers(*lines: str) -> tuple[Callable[[str], str], list[str]]:
    asked: list[str] = []
    left: Iterator[str] = iter(lines)

    def ask(text: str) -> str:
        asked.append(text)
        return next(left)

    return ask, asked


def test_a_person_is_asked_for_the_load_and_for_each_phase() -> None:
    ask, asked = answers("", "120 5 300", "119.5, 5.01, 299.9", "120 5 five", "", "120 5 301")
    hand = Hand(ask)
    hand.begin(PLAN)
    a, b, c = hand.end(PLAN)
    assert (a.volts, a.amperes, a.watts) == (120.0, 5.0, 300.0)
    assert a.vars == pytest.approx(600 * math.sin(math.radians(60)))
    assert a.lag_deg == pytest.approx(60.0)
    assert (b.volts, c.watts) == (119.5, 301.0)
    assert "apply 120 V, 5 A, 60° lagging, 60 Hz" in asked[0]
    assert any("is not three numbers" in text for text in asked)


def test_power_that_cannot_be_is_asked_again() -> None:
    ask, asked = answers("120 5 3000", "", "120 5 300", "120 5 300", "120 5 300")
    assert Hand(ask).end(PLAN)[0].watts == 300
    assert "3000 W are more than 120 V times 5 A" in asked[1]


def test_a_leading_load_has_negative_vars() -> None:
    assert reading(120.0, 5.0, 480.0, LEADING.lag_deg).vars == pytest.approx(-360.0)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(CalibrateError, match="the reference gave no number"):
        reading(value, 5.0, 300.0, 0.0)


def test_an_instrument_on_a_socket_is_asked_for_each_phase() -> None:
    values = {f"MEAS:{kind}{k}?": 1.0 * k + base for kind, base in (("VOLT", 119), ("CURR", 4)) for k in (1, 2, 3)}
    values |= {f"MEAS:POW{k}?": 300.0 + k for k in (1, 2, 3)}
    replies = {query: (lambda value=value: f"{value:+.9E}") for query, value in values.items()}
    ask, _ = answers("")
    with ScpiInstrument(answers=replies) as instrument:
        truth = truth_named(f"visa:{instrument.resource}", None, None, "", ask)
        truth.begin(PLAN)
        found = truth.end(PLAN)
        truth.close()
    assert [phase.volts for phase in found] == [120.0, 121.0, 122.0]
    assert [phase.watts for phase in found] == [301.0, 302.0, 303.0]


def test_an_instrument_that_answers_no_number_is_refused() -> None:
    ask, _ = answers("")
    with ScpiInstrument(answers={"V1?": lambda: "9.91E37"}) as instrument:
        truth = truth_named(f"visa:{instrument.resource}", None, "V{phase}?,I{phase}?,P{phase}?", "", ask)
        truth.begin(PLAN)
        with pytest.raises(DriverError, match="which is no reading: see --queries"):
            truth.end(PLAN)
        truth.close()


class PulsingStandard:
    """A standard on 900 W: a pulse of a milliwatt-hour each 4 ms; `constant` is how far it is off."""

    name = "standard:gpio:16"

    def __init__(self, constant: Fraction = Fraction(1, 1000)) -> None:
        self._count, self._constant = 0, constant

    def poll(self) -> list[Reading]:
        self._count += 1000
        return [Reading(self._count * self._constant, self._count * 4_000_000, 0)]

    def close(self) -> None:
        """Nothing is held."""


def test_pulses_give_watts_and_a_person_the_rest() -> None:
    ask, _ = answers("", "120 5")
    truth = Pulses(PulsingStandard(), ask)
    truth.begin(PLAN)
    found = truth.end(PLAN)
    assert [phase.watts for phase in found] == pytest.approx([300.0] * 3)  # 1 Wh in 4 s: 900 W
    assert [phase.lag_deg for phase in found] == pytest.approx([60.0] * 3)


def test_pulses_of_unlike_phases_are_shared() -> None:
    plan = PointPlan("wiring", Purpose.WIRING, 120.0, 5.0, 60.0, 60.0, (1.0, 0.8, 0.6))
    ask, _ = answers("", "120 6.25")
    truth = Pulses(PulsingStandard(), ask)
    truth.begin(plan)
    assert [phase.watts for phase in truth.end(plan)] == pytest.approx([375.0, 300.0, 225.0])


def test_a_constant_off_by_ten_cannot_be() -> None:
    ask, _ = answers("", "120 5")
    truth = Pulses(PulsingStandard(Fraction(1, 100)), ask)
    truth.begin(PLAN)
    with pytest.raises(
        CalibrateError, match=r"3000 W are more than 120 V times 5 A: see the units, and the standard's"
    ):
        truth.end(PLAN)


def test_a_standard_that_gives_no_pulse_is_named() -> None:
    class Silent(PulsingStandard):
        def poll(self) -> list[Reading]:
            return []

    ask, _ = answers("")
    with pytest.raises(CalibrateError, match="standard:gpio:16 gave no pulse for a minute"):
        Pulses(Silent(), ask, sleep=lambda seconds: None).begin(PLAN)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("faith", None, None), r"--truth is 'faith', it must be waveform, hand"),
        (("hand", "0.001", None), r"--truth-constant is for pulses: leave it out for hand"),
        (("visa:X", None, "V?"), r"--queries is 'V\?', it must be three questions"),
        (("visa:X", None, None), r"X cannot be opened"),
        (("pulses:visa:X", None, None), r"gives pulses: say with --truth-constant"),
        (("pulses:faith", "0.001", None), r"after standard: comes"),
        (("pulses:gpio:16", "-1", None), r"--truth-constant is"),
    ],
)
def test_what_cannot_be_a_truth_is_said(words: tuple[str, str | None, str | None], said: str) -> None:
    ask, _ = answers()
    with pytest.raises((RigError, DriverError), match=said):
        truth_named(*words, "", ask)
