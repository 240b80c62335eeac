"""The calibration file: exact round trips, atomic writing, and one sentence for every mistake."""

from __future__ import annotations

import datetime
import os
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.constants import (
    FULL_SCALE_CODES,
    Calibration,
    ChannelConstants,
    nominal,
    parse_calibration,
    read_calibration,
    write_calibration,
)
from calibration.errors import CalibrationError

text = st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "), min_size=1).filter(
    str.isprintable
)
gains = st.fractions(Fraction(1, 10**9), Fraction(1, 10), max_denominator=10**60)
channels = st.builds(
    ChannelConstants,
    gain=gains | st.decimals("1e-9", "0.1").map(Fraction),
    delay_ticks=st.integers(0, 255),
    offset_codes=st.fractions(-FULL_SCALE_CODES, FULL_SCALE_CODES, max_denominator=10**30),
)
calibrations = st.builds(
    Calibration,
    channels=st.tuples(*[channels] * 6),
    identity=text,
    date=st.dates(datetime.date(2000, 1, 1)).map(str),
    calibrated=st.booleans(),
    source=text,
)


@given(calibrations)
def test_text_holds_every_constant_exactly(calibration):
    assert parse_calibration(calibration.to_toml()) == calibration


@given(calibrations, calibrations)
def test_digest_tells_calibrations_apart(one, other):
    assert (one.digest == other.digest) == (one == other)
    assert len(one.digest) == 12


def test_decimals_stay_decimals():
    text = nominal(Fraction(524288, 1000), Fraction(1, 3000) * 524288).to_toml()
    assert 'volts_per_code = "0.001"' in text
    assert 'amperes_per_code = "1/3000"' in text


def test_nominal_is_full_scale_over_codes_and_not_calibrated():
    calibration = nominal(Fraction(700), Fraction(30))
    assert not calibration.calibrated
    assert [c.gain * 2**19 for c in calibration.channels] == [700] * 3 + [30] * 3
    assert all(c.delay_ticks == 0 and c.offset_codes == 0 for c in calibration.channels)


def test_file_round_trip_leaves_nothing_else_behind(tmp_path):
    path = tmp_path / "rig.calibration.toml"
    write_calibration(path, nominal(Fraction(600), Fraction(20)))
    second = nominal(Fraction(601), Fraction(20))
    write_calibration(path, second)
    assert read_calibration(path) == second
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "rig.toml"
    old = nominal(Fraction(600), Fraction(20))
    write_calibration(path, old)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CalibrationError, match=r"rig\.toml cannot be written \(No space left on device\)"):
        write_calibration(path, nominal(Fraction(700), Fraction(20)))
    assert read_calibration(path) == old
    assert len(list(tmp_path.iterdir())) == 1


GOOD = nominal(Fraction(524288, 1000), Fraction(524288, 10000)).to_toml()
MISTAKES = {
    "unknown key": (
        "delay_ticks",
        "delay",
        "channels.v1.delay is unknown, the keys there are volts_per_code",
    ),
    "unknown top key": ("source", "sauce", "sauce is unknown, the keys there are identity, date"),
    "unknown channel": (
        "[channels.v2]",
        "[channels.v4]",
        "channels.v4 is unknown, the keys there are v1, v2",
    ),
    "missing channel": (
        GOOD[GOOD.index("\n[channels.i3]") :],
        "",
        "channels.i3 is missing, it must be a table of gain, delay_ticks and offset_codes",
    ),
    "missing key": ("delay_ticks = 0\n", "", "channels.v1.delay_ticks is missing, it must be a whole number"),
    "delay out of range": (
        "delay_ticks = 0",
        "delay_ticks = 256",
        "channels.v1.delay_ticks is 256, it must be a whole number of modulator ticks from 0 to 255",
    ),
    "delay of wrong type": (
        "delay_ticks = 0",
        "delay_ticks = 1.5",
        "channels.v1.delay_ticks is 1.5, it must",
    ),
    "gain as a float": (
        'volts_per_code = "0.001"',
        "volts_per_code = 0.001",
        "channels.v1.volts_per_code is 0.001, it must be a positive number in quotes",
    ),
    "gain not a number": ('"0.001"', '"1 mV"', 'channels.v1.volts_per_code is "1 mV", it must be a positive'),
    "gain over zero": ('"0.001"', '"1/0"', 'channels.v1.volts_per_code is "1/0", it must be a positive'),
    "gain zero": ('"0.001"', '"0"', 'channels.v1.volts_per_code is "0", it must be a positive number'),
    "gain per full scale": ('"0.001"', '"600"', 'channels.v1.volts_per_code is "600", it must be a positive'),
    "gain without end": (
        '"0.001"',
        '"1e999"',
        'channels.v1.volts_per_code is "1e999", it must be a positive',
    ),
    "volts for amperes": (
        "amperes_per_code",
        "volts_per_code",
        "channels.i1.volts_per_code is unknown, the keys there are amperes_per_code",
    ),
    "offset": (
        'offset_codes = "0"',
        'offset_codes = "600000"',
        'channels.v1.offset_codes is "600000", it must',
    ),
    "no flag": ("calibrated = false", 'calibrated = "no"', 'calibrated is "no", it must be true or false'),
    "undated": ("calibrated = false", "calibrated = true", 'date is "", it must be a date in quotes such as'),
    "date": ('date = ""', "date = 2026-03-14", 'date is "2026-03-14", it must be a date in quotes'),
    "nameless": ('identity = "nominal"', 'identity = ""', 'identity is "", it must be one line of text'),
    "not a table": ("[channels.v1]", "[else.v1]", " is unknown"),
    "not TOML": ("calibrated = false", "calibrated = = 3", "not TOML: Invalid value (at line 3, column 14)"),
}


@pytest.mark.parametrize(("old", "new", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_gives_one_sentence_with_the_file(tmp_path, old, new, sentence):
    assert old in GOOD
    path = tmp_path / "front.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(CalibrationError) as caught:
        read_calibration(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(CalibrationError, match=r"none\.toml cannot be read \(No such file or directory\)"):
        read_calibration(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CalibrationError, match=r"binary\.toml is not UTF-8 text"):
        read_calibration(tmp_path / "binary.toml")


@pytest.mark.parametrize("volts", [Fraction(0), Fraction(-1), Fraction(10**6)])
def test_nominal_refuses_impossible_full_scales(volts):
    with pytest.raises(CalibrationError, match=r"channels\.v1\.volts_per_code is "):
        nominal(volts, Fraction(20))
