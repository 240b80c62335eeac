"""The calibration file: exact round trips, atomic writing, and one sentence for every mistake."""

from __future__ import annotations

import datetime
import hashlib
import os
import zlib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.constants import (
    FULL_SCALE_CODES,
    Calibration,
    ChannelConstants,
    CurveConstants,
    nominal,
    years_later,
)
from calibration.constants_file import parse_calibration, read_calibration, write_calibration
from calibration.errors import CalibrationError

text = st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "), min_size=1).filter(
    str.isprintable
)
gains = st.fractions(Fraction(1, 10**9), Fraction(1, 10), max_denominator=10**60)
turns = st.fractions(Fraction(-1, 20), Fraction(1, 20), max_denominator=10**12)
points = st.builds(
    CurveConstants,
    amperes=st.fractions(Fraction(1, 1000), 1000, max_denominator=10**9),
    ratio=st.fractions(Fraction(9, 10), Fraction(11, 10), max_denominator=10**12),
    turn=turns,
)
curves = st.lists(points, max_size=2, unique_by=lambda point: point.amperes).map(
    lambda found: tuple(sorted(found, key=lambda point: point.amperes))
)
channels = st.builds(
    ChannelConstants,
    turn=turns,
    ppm_per_k=st.fractions(-100, 100, max_denominator=10**6),
    gain=gains | st.decimals("1e-9", "0.1").map(Fraction),
    delay_ticks=st.integers(0, 255),
    offset_codes=st.fractions(-FULL_SCALE_CODES, FULL_SCALE_CODES, max_denominator=10**30),
)
transformers = st.builds(replace, channels, curve=curves)
calibrations = st.builds(
    Calibration,
    channels=st.tuples(*[channels] * 3, *[transformers] * 3),
    board=text | st.just(""),
    valid_until=st.dates(datetime.date(2100, 1, 1)).map(str) | st.just(""),
    current_class=st.integers(0, 1000),
    temperature_c=st.fractions(-60, 150, max_denominator=1000),
    identity=text,
    date=st.dates(datetime.date(2000, 1, 1), datetime.date(2099, 1, 1)).map(str),
    calibrated=st.booleans(),
    source=text,
)


@settings(max_examples=25)
@given(calibrations)
def test_text_holds_every_constant_exactly(calibration):
    assert parse_calibration(calibration.to_toml()) == calibration


@settings(max_examples=10)
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
    "unknown top key": ("source", "sauce", "sauce is unknown, the keys there are version, crc32"),
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
    "not TOML": ("calibrated = false", "calibrated = = 3", "not TOML: Invalid value (at line 5, column 14)"),
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


CURVED = replace(
    nominal(Fraction(600), Fraction(20)),
    channels=(
        *nominal(Fraction(600), Fraction(20)).channels[:5],
        ChannelConstants(
            Fraction(1, 3000),
            turn=Fraction(1, 8000),
            curve=(CurveConstants(Fraction(1), Fraction(999, 1000)), CurveConstants(Fraction(10))),
        ),
    ),
    board="front end 17",
    current_class=20,
)


def test_a_file_cut_anywhere_is_refused():
    """Whole or not at all: no part of a file is taken for a calibration."""
    text = CURVED.to_toml()
    for end in range(len(text) - 1):  # the last newline may go
        with pytest.raises(CalibrationError):
            parse_calibration(text[:end])


def test_a_digit_changed_is_found_by_the_crc_and_a_comment_is_no_change():
    text = CURVED.to_toml()
    assert parse_calibration("# from the bench\n" + text.replace(" = ", "  =  ")) == CURVED
    for at in [place for place, sign in enumerate(text) if sign == "9"]:
        changed = text[:at] + "8" + text[at + 1 :]
        with pytest.raises(CalibrationError):
            parse_calibration(changed)
    with pytest.raises(CalibrationError, match=r'crc32 is "[0-9a-f]{8}", and that of these constants is'):
        parse_calibration(text.replace('board = "front end 17"', 'board = "front end 18"'))


def test_the_crc_is_zlib_s_of_the_lines_below_it():
    """A witness of the format: what stands after the second line, by CRC-32 of ISO 3309 with its check value."""
    assert zlib.crc32(b"123456789") == 0xCBF43926
    _, crc, body = CURVED.to_toml().split("\n", 2)
    assert crc == f'crc32 = "{zlib.crc32(body.encode()):08x}"'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version = 2", "version = 3", r"version is 3, it must be 2"),
        ("version = 2", 'version = "2"', r'version is "2", it must be 2'),
        ('turn = "0.000125"', 'turn = "0.06"', r'channels.i3.turn is "0.06", it must be a number in quotes within'),
        ('turn = "0.000125"', 'turn = "nan"', r'channels.i3.turn is "nan", it must be'),
        ('ratio = "0.999"', 'ratio = "0.5"', r'channels.i3.curve.0.ratio is "0.5", it must be'),
        ('ratio = "0.999"', "ratio = 0.999", r"channels.i3.curve.0.ratio is 0.999, it must be a number in quotes"),
        ('amperes = "1"', 'amperes = "10"', r'channels.i3.curve.1.amperes is "10", it must be a positive number'),
        ('amperes = "1"', 'amperes = "-1"', r'channels.i3.curve.0.amperes is "-1", it must be'),
        ("current_class = 20", "current_class = -1", r"current_class is -1, it must be"),
        ("current_class = 20", 'valid_until = "soon"', r'valid_until is "soon", it must be a date'),
    ],
)
def test_mistakes_in_what_version_2_adds(old, new, said):
    text = CURVED.to_toml()
    assert old in text
    with pytest.raises(CalibrationError, match=said):
        parse_calibration(text.replace(old, new, 1))


def test_a_file_of_version_1_has_the_digest_it_had():
    """Digests of results from before stay comparable: the text of version 1 is what is digested."""
    written = nominal(Fraction(524288, 1000), Fraction(524288, 10000)).to_toml().split("\n", 2)[2]
    assert "version" not in written
    calibration = parse_calibration(written)
    assert calibration.digest == hashlib.sha256(written.encode()).hexdigest()[:12]


def test_another_board_or_class_is_refused():
    CURVED.check_use("front end 17", 20)
    CURVED.check_use("", 20)
    with pytest.raises(CalibrationError, match='board is "front end 17", and the front end here is "front end 18"'):
        CURVED.check_use("front end 18", 20)
    with pytest.raises(CalibrationError, match="current_class is 20, and the meter's is 200"):
        CURVED.check_use("front end 17", 200)


def test_expired_constants_are_used_on_uncalibrated():
    dated = replace(CURVED, date="2026-03-14", calibrated=True, valid_until="2027-03-14")
    assert dated.in_force("2027-03-14").calibrated
    assert not dated.in_force("2027-03-15").calibrated
    assert dated.in_force("2027-03-15").channels == dated.channels
    with pytest.raises(CalibrationError, match='valid_until is "2026-03-13", it must be a date'):
        replace(dated, valid_until="2026-03-13")


@pytest.mark.parametrize(
    ("day", "years", "later"),
    [
        ("2026-11-30", 1, "2027-11-30"),
        ("2026-12-31", 20, "2046-12-31"),
        ("2028-02-29", 1, "2029-02-28"),
        ("2028-02-29", 4, "2032-02-29"),
    ],
)
def test_constants_are_valid_to_the_same_day_of_a_later_year(day: str, years: int, later: str):
    assert years_later(datetime.date.fromisoformat(day), years) == datetime.date.fromisoformat(later)


def test_gains_grow_with_temperature_exactly():
    channels = (replace(CURVED.channels[0], ppm_per_k=Fraction(25)), *CURVED.channels[1:])
    warm = replace(CURVED, channels=channels, temperature_c=Fraction(23)).at(Fraction(43))
    assert warm.channels[0].gain / CURVED.channels[0].gain == 1 + Fraction(500, 10**6)
    assert warm.channels[1:] == CURVED.channels[1:]
