"""Transformer ratios reach every figure of a result, and nothing else (review I-2; M-6)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from kept_meter import KeptMeter

from drivers.sim.recording import RecordedChannel, Recording
from rig.hardware.config import Config
from rig.meter.billing.commands import Action
from rig.program.build import default_program
from rig.replay.recordings.replay import Playback, replay
from rig.results.registered import demand_summaries, energy_registers
from rig.results.summary import Summary

VT, CT = 64, 512
"""Powers of two, so that a float divided by them has the same digits: both replays are the same at the meter."""

ENERGY = dict.fromkeys(
    (
        *("delivered", "received"),
        *("kwh_delivered", "kwh_received", "kwh_net", "kvarh_lagging", "kvarh_leading", "kvarh_net"),
        *("kvah_rms", "kvah_td"),
    ),
    VT * CT,
)
POWER = dict.fromkeys(("p_w", "q_var", "p1_w", "q1_var", "s_va"), VT * CT)
DEMAND = dict.fromkeys(("present", "previous", "maximum", "cumulative"), VT * CT)
FACTORS = {"v_rms": VT, "i_rms": CT, "neutral_a": CT, "multiplier": VT * CT} | ENERGY | POWER | DEMAND
"""By key of the JSON; all else is the same with and without ratios."""


def unbalanced(vt: int, ct: int) -> Summary:
    """A third of a second of 120 V and 5, 4 and 2 A at the meter, lagging by 30°, behind these transformers."""
    rate = 6000
    t = (np.arange(rate // 3) + 0.5) / rate
    columns, names = [], []
    for k, (phase, amperes) in enumerate(zip("abc", (5.0, 4.0, 2.0), strict=True)):
        for name, unit, peak, lag in (("v", "V", 120.0 * vt, 0.0), ("i", "A", amperes * ct, np.pi / 6)):
            names.append(RecordedChannel(f"{name}{phase}", unit))
            columns.append(np.sqrt(2) * peak * np.cos(2 * np.pi * (60 * t - k / 3) - lag))
    recording = Recording(Path("made.csv"), tuple(names), np.stack(columns, axis=1), Fraction(rate))
    assignment = {channel.name: place for place, channel in enumerate(names)}
    return replay(Playback(recording, assignment, vt_ratio=Fraction(vt), ct_ratio=Fraction(ct)), Config())


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    match value:
        case dict():
            return {at: leaf for key, inner in value.items() for at, leaf in leaves(inner, (*path, key)).items()}
        case list():
            return {at: leaf for k, inner in enumerate(value) for at, leaf in leaves(inner, (*path, str(k))).items()}
    return {path: value}


def test_every_figure_of_a_replay_is_scaled_or_is_not() -> None:
    plain, scaled = (leaves(msgspec.to_builtins(unbalanced(*ratios))) for ratios in ((1, 1), (VT, CT)))
    assert plain.keys() == scaled.keys()
    moved = set()
    for path, value in scaled.items():
        if path in (("provenance", "begun_utc"), ("constants", "multiplier_exact")):
            continue
        factor = 1 if path[0] == "exact" else FACTORS.get(path[-1], 1)
        if factor == 1:
            assert value == plain[path], path
        else:
            moved |= {path[-1]} if value else set()
            assert value == pytest.approx(factor * plain[path], rel=1e-12), path
    assert scaled["constants", "multiplier_exact"] == str(VT * CT)
    none_yet = {"previous", "maximum", "cumulative", "received", "kwh_received", "kvarh_leading"}
    assert moved == FACTORS.keys() - none_yet, "these are none in a third of a second of a lagging load"


def test_demands_and_registers_in_primary_values() -> None:
    """6 kW for 40 min, a reset, 20 min more: in block demand of 15 min, at the meter and behind 60:1 and 500:1."""
    meter = KeptMeter(None, default_program(), 1_767_225_600 * 10**9).meters(40)
    meter.does(Action.RESET).meters(20)
    reading, calendar = meter.meter.reading(), meter.program.billing.calendar
    (kw, *_) = demand_summaries(reading, calendar, Fraction(60 * 500))
    assert (kw.quantity, kw.previous, kw.maximum, kw.cumulative) == ("kW delivered", 180_000, 180_000, 180_000)
    assert energy_registers(reading.registers, Fraction(60 * 500)).kwh_delivered == 180_000
    (kw, *_) = demand_summaries(reading, calendar)
    assert (kw.previous, kw.maximum, kw.cumulative) == (6, 6, 6)
