"""COMTRADE as recorders write it (review A-8, B-4 to B-7, H-9): read right, or refused with line and field."""

from __future__ import annotations

import math
import struct
import warnings
from fractions import Fraction
from pathlib import Path

import comtrade
import numpy as np
import pytest
from recordings_made import AMPERES, IA, RATE, SAMPLES, VA, VOLTS, Comtrade, Line, wave, with_missing

from drivers.sim.channels import assign, channel_notes, parse_spec, with_made_channels
from drivers.sim.reading import read_recording
from drivers.sim.recording import Recording, RecordingError

FORMS = ("ASCII", "BINARY", "BINARY32", "FLOAT32")
REVISIONS = ("1991", "1999", "2013")


def check_values(recording: Recording, samples: int = SAMPLES) -> None:
    """The two columns are the load's, to the last bit of one product."""
    assert np.array_equal(recording.column(0), np.array(VOLTS[:samples]) * 0.01)
    assert np.array_equal(recording.column(1), np.array(AMPERES[:samples]) * 0.001)
    assert recording.rate_hz == RATE


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("revision", REVISIONS)
def test_every_revision_and_data_type(tmp_path: Path, revision: str, form: str) -> None:
    made = Comtrade(revision, form, status=("TRIP,,,0", "CLOSE,,,0"))
    check_values(read_recording(made.write(tmp_path)))
    check_values(read_recording(made.write_single(tmp_path)))


@pytest.mark.parametrize("revision", ["1999", "2013"])
@pytest.mark.parametrize("form", ["ASCII", "BINARY", "BINARY32"])
def test_the_library_reads_the_same(tmp_path: Path, revision: str, form: str) -> None:
    """A witness of another hand, the comtrade library, on what both read."""
    path = Comtrade(revision, form).write(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = comtrade.Comtrade(ignore_warnings=True, use_numpy_arrays=True, use_double_precision=True)
        other.load(str(path), str(path.with_suffix(".dat")))
    assert np.array_equal(np.stack(other.analog, axis=1), read_recording(path).values)


# --- missing samples (A-8) --------------------------------------------------------------------------------------------

MISSING = [
    # revision, data type, what stands in the data; how the standard of that year writes a missing sample
    ("1991", "ASCII", "999999"),
    ("1991", "ASCII", "999999.0"),
    ("1991", "ASCII", " 0999999"),
    ("1991", "ASCII", "9.99999e5"),
    ("1999", "ASCII", "99999"),
    ("1999", "ASCII", "  99999  "),
    ("1999", "ASCII", "+99999.00"),
    ("2013", "ASCII", ""),
    ("2013", "ASCII", "   "),
    ("1999", "ASCII", ""),
    ("1991", "ASCII", ""),
    ("1991", "BINARY", -1),  # FFFF, between two large samples
    ("1999", "BINARY", -32768),
    ("2013", "BINARY", -32768),
    ("1991", "BINARY", -32768),  # of another year, and outside −32767 … 32767
    ("1999", "ASCII", "999999"),
    ("1999", "BINARY32", -2147483648),
    ("2013", "BINARY32", -2147483648),
    ("2013", "FLOAT32", -3.4028234663852886e38),
    ("2013", "FLOAT32", float("nan")),
    ("2013", "FLOAT32", float("inf")),
    ("2013", "ASCII", "n/a"),
    ("2013", "ASCII", "nan"),
]


@pytest.mark.parametrize(("revision", "form", "code"), MISSING)
def test_a_missing_sample_is_a_fault_of_its_channel(tmp_path: Path, revision: str, form: str, code: object) -> None:
    column = with_missing(VOLTS, code, (98, 99))  # sample 99 is at 97 % of the crest
    recording = read_recording(Comtrade(revision, form, columns=(column, AMPERES)).write(tmp_path))
    assert np.array_equal(recording.column(1), np.array(AMPERES) * 0.001)
    with pytest.raises(RecordingError, match=r"made\.cfg: channel VA .* sample 99\b"):
        recording.column(0)
    with pytest.raises(RecordingError, match="channel VA "):
        assign(recording)


VALUES = [
    # revision, data type, a count that is a missing code elsewhere, and here a value
    ("2013", "ASCII", 99999),
    ("2013", "ASCII", 999999),
    ("1991", "ASCII", 99999),
    ("2013", "BINARY32", 99999),
    ("1999", "BINARY32", -32768),
    ("1999", "BINARY", -1),
    ("2013", "FLOAT32", 0.0),
    ("1991", "BINARY32", -1),
]


@pytest.mark.parametrize(("revision", "form", "count"), VALUES)
def test_another_revisions_code_is_a_value(tmp_path: Path, revision: str, form: str, count: float) -> None:
    lines = (Line(rest=("-2000000", "2000000", "1", "1", "S")), IA)
    column = with_missing(VOLTS, count)
    recording = read_recording(Comtrade(revision, form, lines, (column, AMPERES)).write(tmp_path))
    assert recording.column(0)[100] == count * 0.01


def test_minus_one_at_a_crossing_of_1991_is_a_value(tmp_path: Path) -> None:
    """FFFF is −1 as well: between samples of both signs, and among small ones, it is the signal."""
    crossing = next(k for k in range(1, SAMPLES) if VOLTS[k - 1] > 0 > VOLTS[k + 1])
    quiet = [-1, 0, -1, 1] * (SAMPLES // 4)
    columns = (with_missing(VOLTS, -1, (crossing,)), quiet)
    recording = read_recording(Comtrade("1991", columns=columns).write(tmp_path))
    assert recording.column(0)[crossing] == -0.01
    assert recording.column(1)[0] == -0.001


@pytest.mark.parametrize("rows", [(0,), (0, 1), (191,), (189, 190, 191)])
def test_ffff_at_an_end_of_the_record(tmp_path: Path, rows: tuple[int, ...]) -> None:
    # Its first samples are at the crest, 16971 and 16644, and so is the one after its last.
    made = Comtrade(revision="1991", columns=(with_missing(VOLTS, -1, rows), AMPERES))
    recording = read_recording(made.write(tmp_path))
    with pytest.raises(RecordingError, match=f"no value at sample {rows[0] + 1}"):
        recording.column(0)


@pytest.mark.parametrize("per_cycle", [8, 12, 32, 128])
def test_a_record_that_begins_or_ends_at_a_crossing_is_whole(tmp_path: Path, per_cycle: int) -> None:
    for sign in (1, -1):
        counts = [round(sign * 16000 * math.sin(2 * math.pi * k / per_cycle)) or -1 for k in range(2 * per_cycle + 1)]
        assert counts[0] == counts[-1] == -1
        made = Comtrade(revision="1991", lines=(VA,), columns=(counts,), rates=("1", f"{60 * per_cycle},{len(counts)}"))
        assert list(read_recording(made.write(tmp_path)).column(0)) == pytest.approx([c * 0.01 for c in counts])


def test_words_without_sign_of_1991(tmp_path: Path) -> None:
    """A channel from 0 to 65535 has its zero in the middle, and FFFF beyond its greatest value is missing."""
    lines = (Line(b="-327.68", rest=("0", "65534")), Line("IA", "A", "", "A", "0.001", "-32.768", "0", ("0", "65534")))
    words = tuple([struct.unpack("<h", struct.pack("<H", c + 32768))[0] for c in column] for column in (VOLTS, AMPERES))
    recording = read_recording(Comtrade("1991", lines=lines, columns=words).write(tmp_path))
    assert np.allclose(recording.column(0), np.array(VOLTS) * 0.01, rtol=0, atol=1e-9)
    missing = read_recording(
        Comtrade("1991", lines=lines, columns=(with_missing(words[0], -1), words[1])).write(tmp_path)
    )
    with pytest.raises(RecordingError, match="sample 101: 65535, outside the channel's own range"):
        missing.column(0)


def test_an_unused_channel_may_be_all_missing(tmp_path: Path) -> None:
    made = Comtrade("2013", "ASCII", (VA, IA, Line("spare")), (VOLTS, AMPERES, [""] * SAMPLES))
    recording = read_recording(made.write(tmp_path))
    check_values(recording)
    with pytest.raises(RecordingError, match="channel spare is empty: every sample of it is missing"):
        recording.column(2)


# --- fields (B-4) -----------------------------------------------------------------------------------------------------

HARMLESS = {
    "a month of 44": ({"times": ("09/44/2025,15:44:15.1", "09/44/2025,15:44:15.1")}, "09/44/2025"),
    "a leap second": ({"times": ("01/03/2026,23:59:60.0", "01/03/2026,10:00:00")}, "23:59:60"),
    "24 o'clock": ({"times": ("01/03/2026,24:00:00.0", "01/03/2026,10:00:00.0")}, "24:00:00"),
    "no date": ({"times": ("", ",")}, None),
    "a date in ISO": ({"times": ("2026-03-01,10:00:00", "01/03/2026,10:00:00")}, "2026-03-01"),
    "a year of two digits": ({"times": ("01/03/26,10:00:00", "01/03/26,10:00:00")}, None),
    "60Hz": ({"frequency": "60Hz"}, "60Hz"),
    "no frequency": ({"frequency": ""}, None),
    "no range": ({"lines": (Line(rest=("", "", "1", "1", "S")), IA)}, None),
    "no ratio": ({"lines": (Line(rest=("-32767", "32767", "", "", "P")), IA)}, None),
    "a ratio of text": ({"lines": (Line(rest=("-32767", "32767", "115k", "115", "P")), IA)}, "115k"),
    "skew N/A": ({"lines": (Line(skew="N/A"), IA)}, "N/A"),
    "no skew": ({"lines": (Line(skew=""), IA)}, None),
    "no offset": ({"lines": (Line(b=""), IA)}, None),
    "neither P nor S": ({"lines": (Line(rest=("-32767", "32767", "1", "1", "X")), IA)}, "'X'"),
    "status 0.0": ({"data_type": "ASCII", "status": ("TRIP,,,0",), "status_values": "0.0"}, None),
    "status y of nothing": ({"data_type": "ASCII", "status": ("TRIP",), "status_values": ""}, None),
    "a total that is none": ({"counts": "x,2A,0D"}, "'x'"),
    "counts without commas": ({"counts": "2 2A 0D"}, None),
    "no status count": ({"counts": "2,2A"}, None),
    "spaces": ({"rates": (" 1 ", " 1920.0 , 192 ")}, None),
    "Hz in the rate": ({"rates": ("1", "1920 Hz,192")}, None),
    "lower case": ({"data_type": "BINARY"}, None),
    "no tail": ({"tail": ()}, None),
    "a factor of text": ({"tail": ("one",)}, "'one'"),
    "a comma in a name": ({"lines": (Line("VA, bus 1"), IA)}, None),
    "quotes": ({"lines": (Line('"VA"'), IA)}, None),
    "old line ends": ({"line_end": "\r"}, None),
    "unix line ends": ({"line_end": "\n"}, None),
    "doubled line ends": ({"line_end": "\r\r\n"}, None),
    "an end mark": ({"tail": ("1\x1a",)}, None),
    "a multiplier in words of FORTRAN": ({"lines": (Line(a="1.0D-02"), IA)}, None),
    "revision 2001": ({"revision": "1999", "station": "SUB,A"}, None),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_odd_fields_are_read_over(tmp_path: Path, name: str) -> None:
    changes, told = HARMLESS[name]
    recording = read_recording(Comtrade().but(**changes).write(tmp_path))
    check_values(recording)
    notes = " ".join(recording.notes)
    assert notes == "" if told is None else told in notes and "line " in notes


@pytest.mark.parametrize("text", [",REC,1997", ",REC,2001", ",REC,C37.111-1999", ",REC,2013 ", ",REC,19x9", ""])
def test_odd_revisions(tmp_path: Path, text: str) -> None:
    path = Comtrade().write(tmp_path)
    lines = path.read_bytes().split(b"\r\n")
    path.write_bytes(b"\r\n".join([f"SUB{text}".encode(), *lines[1:]]))
    check_values(read_recording(path))


NEEDED = [
    ({"lines": (Line(a="x"), IA)}, "channel VA has no values: its multiplier a at line 3 of the .cfg is 'x'"),
    ({"lines": (Line(a=""), IA)}, "its multiplier a at line 3 of the .cfg is ''"),
    ({"lines": (Line(a="0"), IA)}, "its multiplier a at line 3 .* other than 0"),
    ({"lines": (Line(b="1,5"), IA)}, "channel VA has no values: its line 3 of the .cfg has 14 fields, it must have 13"),
    ({"lines": (Line(a="0,01"), IA)}, "channel VA has no values: its line 3 of the .cfg has 14 fields"),
    ({"lines": (Line(skew="0,5"), IA)}, "channel VA has no values: its line 3 of the .cfg has 14 fields"),
    ({"lines": (Line(rest=("-32767,0", "32767", "1", "1", "S")), IA)}, "its line 3 of the .cfg has 14 fields"),
    ({"lines": (Line(rest=("-32767", "32767", "1", "S")), IA)}, "its line 3 of the .cfg has 12 fields"),
    ({"lines": (Line(b="zero"), IA)}, "its offset b at line 3 of the .cfg is 'zero'"),
    ({"counts": "two"}, "line 2: the number of channels is 'two', it must be such as 8,6A,2D"),
    ({"counts": "2,0A,2D"}, "line 2: no analog channel"),
    ({"counts": "400000000,2A,400000000D"}, "line 2 counts 2 analog and 400000000 status channels, and the file has"),
    ({"counts": "9,9A,0D"}, "not well-formed COMTRADE, it ends at line"),
    ({"rates": ("one", "1920,192")}, "line 6: the number of sampling rates is 'one', it must be a whole number"),
    ({"rates": ("1", "fast,192")}, "line 7: the sampling rate is 'fast'"),
    ({"rates": ("1", "-1920,192")}, "line 7: the sampling rate is '-1920'"),
    ({"rates": ("1", "1920")}, "line 7: the last sample of a rate is ''"),
    ({"rates": ("1", "1920,1e3")}, "line 7: the last sample of a rate is '1e3'"),
    (
        {"rates": ("2", "1920,192", "960,100")},
        "line 8: the last sample of a rate is '100', it must be no less than 192",
    ),
    ({"rates": ("1", "1920,999999999999")}, "truncated, made.cfg promises 999999999999 samples and the file holds 192"),
    ({"rates": ("99999", "1920,192")}, "line 6: the number of sampling rates is '99999'"),
    ({"data_type": "BINARY", "tail": None, "rates": ("0", "0,192"), "times": ("", "")}, None),
]


@pytest.mark.parametrize(("changes", "told"), NEEDED)
def test_needed_fields_are_named_with_their_line(tmp_path: Path, changes: dict, told: str | None) -> None:
    path = Comtrade().but(**changes).write(tmp_path)
    if told is None:
        assert read_recording(path).rate_hz == RATE  # by its time stamps
        return
    with pytest.raises(RecordingError, match=told) as caught:
        assign(read_recording(path))
    assert "\n" not in str(caught.value)


def swapped(data: bytes, layout: str) -> bytes:
    """The same numbers with the high byte first, as programs on other processors wrote them."""
    return b"".join(struct.pack(f">{layout}", *row) for row in struct.iter_unpack(f"<{layout}", data))


@pytest.mark.parametrize("peak", [3, 5_000, 2_000_000, 2_000_000_000])
@pytest.mark.parametrize("form", ["BINARY32", "FLOAT32"])
def test_numbers_of_32_bits_of_any_size(tmp_path: Path, form: str, peak: int) -> None:
    counts = [round(peak * math.cos(2 * math.pi * 60 * k / 1920)) for k in range(192)]
    line = Line(a="0.001", rest=("-2147483647", "2147483647", "1", "1", "S"))
    made = Comtrade(revision="2013", data_type=form, lines=(line,), columns=(counts,))
    (values,) = read_recording(made.write(tmp_path)).values.T
    assert list(values) == pytest.approx([count * 0.001 for count in counts], rel=1e-6)


@pytest.mark.parametrize(
    ("form", "spoil", "told"),
    [
        ("ASCII", lambda d: d.replace(b"16971", b"169,71"), "line 1 has 5 fields, the .cfg makes it 4"),
        ("ASCII", lambda d: d.replace(b",0,16971", b",16971"), "line 1 has 3 fields"),
        ("ASCII", lambda d: d.replace(b",", b";"), "line 1 has 1 fields"),
        ("ASCII", lambda d: d[: len(d) // 2], "truncated"),
        ("BINARY", lambda d: d[:-1], "truncated, made.cfg promises 192 samples and the file holds 191"),
        ("BINARY", lambda d: b"1,0,16971,6124\r\n" * 400, "is text, the .cfg says BINARY"),
        ("ASCII", lambda d: bytes(range(256)) * 40, "made.dat"),
        ("BINARY", lambda d: Comtrade(data_type="BINARY32").dat(), "its samples are laid out as BINARY32"),
        ("BINARY32", lambda d: Comtrade().dat() * 2, "its samples are laid out as BINARY"),
        ("BINARY", lambda d: swapped(d, "IIhh"), "have their bytes in the other order"),
        ("BINARY32", lambda d: swapped(d, "IIii"), "have their bytes in the other order"),
        ("FLOAT32", lambda d: swapped(d, "IIff"), "have their bytes in the other order"),
        ("BINARY32", lambda d: Comtrade(data_type="FLOAT32").dat(), "laid out as FLOAT32, the .cfg says BINARY32"),
        ("FLOAT32", lambda d: Comtrade(data_type="BINARY32").dat(), "laid out as BINARY32, the .cfg says FLOAT32"),
    ],
)
def test_data_that_are_not_as_configured(tmp_path: Path, form: str, spoil: object, told: str) -> None:
    path = Comtrade(data_type=form).write(tmp_path)
    dat = path.with_suffix(".dat")
    dat.write_bytes(spoil(dat.read_bytes()))
    with pytest.raises(RecordingError, match=told):
        read_recording(path)


def test_samples_left_out_are_told(tmp_path: Path) -> None:
    path = Comtrade(data_type="ASCII", rates=("1", f"{RATE},191")).write(tmp_path)
    dat = path.with_suffix(".dat")
    dat.write_bytes(b"".join(line for line in dat.read_bytes().splitlines(True) if not line.startswith(b"50,")))
    (note,) = read_recording(path).notes
    assert note.startswith("samples are not numbered one by one (first after sample 49)")


def test_a_rate_of_0_is_that_of_the_time_stamps(tmp_path: Path) -> None:
    for rates in (("0", "0,192"), ("1", "0,192"), ("1", "0.0,192")):
        assert read_recording(Comtrade(rates=rates).write(tmp_path)).rate_hz == 1920


# --- rates and blocks (B-6) -------------------------------------------------------------------------------------------

SEVERAL = Comtrade(rates=("4", "1920,64", "240,96", "1920,160", "240,192"))


@pytest.mark.parametrize(("block", "rows", "rate"), [(None, (0, 64), 1920), (1, (0, 64), 1920), (2, (64, 96), 240),
                                                     (3, (96, 160), 1920), (4, (160, 192), 240)])  # fmt: skip
def test_blocks(tmp_path: Path, block: int | None, rows: tuple[int, int], rate: int) -> None:
    recording = read_recording(SEVERAL.write(tmp_path), None, block)
    assert recording.rate_hz == rate
    assert np.array_equal(recording.column(0), np.array(VOLTS[slice(*rows)]) * 0.01)
    assert f"samples {rows[0] + 1} to {rows[1]}; --block chooses another" in recording.notes[0]


def test_a_fault_in_another_block_does_not_count(tmp_path: Path) -> None:
    path = SEVERAL.but(columns=(with_missing(VOLTS, -32768, (10,)), AMPERES)).write(tmp_path)
    assert len(read_recording(path, None, 3).column(0)) == 64
    with pytest.raises(RecordingError, match="sample 11:"):
        read_recording(path).column(0)


def test_no_such_block(tmp_path: Path) -> None:
    for number in (0, 5):
        with pytest.raises(RecordingError, match=f"no block {number}, it has 4: choose another with --block"):
            read_recording(SEVERAL.write(tmp_path), None, number)
    with pytest.raises(RecordingError, match="--block chooses among the sampling rates of a COMTRADE file"):
        read_recording(tmp_path / "x.csv", None, 1)


@pytest.mark.parametrize("spoil", [lambda d: d.replace(b"type: DAT", b"type: DOT"), lambda d: d[30:], lambda d: d[:-40],
                                   lambda d: d.replace(b"DAT BINARY:", b"DAT BINARY32:")])  # fmt: skip
def test_a_broken_single_file(tmp_path: Path, spoil: object) -> None:
    path = Comtrade("2013").write_single(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(RecordingError, match=r"made\.cff: (not well-formed|truncated|its data are BINARY32)"):
        read_recording(path)


def test_the_data_given_for_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"made\.dat: is a part of a COMTRADE recording, give the \.cfg"):
        read_recording(Comtrade().write(tmp_path).with_suffix(".dat"))


# --- units and names (B-5, B-7) ---------------------------------------------------------------------------------------

VOLT_UNITS = {
    "V": 1, "v": 1, "volt": 1, "Volts": 1, "VOLTS": 1, "Vrms": 1, "V rms": 1, "[V]": 1, "(V)": 1, '"V"': 1, "'V'": 1,
    "V.": 1, "kV": 1e3, "KV": 1e3, "kv": 1e3, "[kV]": 1e3, "kilovolt": 1e3, "mV": 1e-3, "mv": 1e-3, "В": 1, "кВ": 1e3,
    "µV": 1e-6, "uV": 1e-6, "伏": 1,
}  # fmt: skip


@pytest.mark.parametrize("unit", VOLT_UNITS)
def test_units_as_people_write_them(tmp_path: Path, unit: str) -> None:
    recording = read_recording(Comtrade(lines=(Line(unit=unit), IA)).write(tmp_path))
    assert np.allclose(recording.column(assign(recording)["va"]), np.array(VOLTS) * 0.01 * VOLT_UNITS[unit], rtol=1e-15)


@pytest.mark.parametrize("unit", ["furlong", "MV", "V/div", "x", "1"])
def test_an_unknown_unit_is_taken_where_the_channel_is_named(tmp_path: Path, unit: str) -> None:
    recording = read_recording(Comtrade(lines=(Line(unit=unit), IA)).write(tmp_path))
    with pytest.raises(RecordingError, match=r"va: the unit .* of VA is not known; .* --channels va=VA"):
        assign(recording)
    columns = assign(recording, parse_spec("va=VA,ia=IA"))
    assert np.array_equal(recording.column(columns["va"]), np.array(VOLTS) * 0.01)
    (note,) = channel_notes(recording, columns)
    assert note == f"va: the unit '{unit}' of VA is not known, its numbers are taken as volts"


@pytest.mark.parametrize("unit", ["A", "ampere", "W", "pu", "%", "Hz", "deg"])
def test_a_unit_of_something_else_is_refused(tmp_path: Path, unit: str) -> None:
    recording = read_recording(Comtrade(lines=(Line(unit=unit), IA)).write(tmp_path))
    with pytest.raises(RecordingError, match="va needs a channel in V, VA is in "):
        assign(recording, parse_spec("va=VA,ia=IA"))


NAMES = [
    ("cp1252", "Tensão", "Corrente Fase R - Saída"),
    ("cp1252", "Tensión de línea", "Intensité n° 1"),
    ("cp1252", "Spannung Übergabe", "Strom Gerät größe"),
    ("cp1251", "Напряжение фазы А", "Ток фазы А"),
    ("cp1251", "Uа_СШ", "Iа_СШ"),
    ("gb18030", "母线电压A相", "母线电流A相"),
    ("gb18030", "1号主变高压侧", "线路零序"),
    ("utf-8", "Tensão", "Напряжение"),
    ("utf-8-sig", "Tensão", "电流"),
    ("utf-16", "Tensão", "Ток"),
    ("shift_jis", "電圧カタカナ", "電流アンペア"),
]


@pytest.mark.parametrize(("encoding", "volts", "amperes"), NAMES)
def test_names_in_any_encoding(tmp_path: Path, encoding: str, volts: str, amperes: str) -> None:
    made = Comtrade(lines=(Line(volts), Line(amperes, "A", "", "A", "0.001")), encoding=encoding)
    recording = read_recording(made.write(tmp_path))
    assert recording.names == (volts, amperes)
    assert assign(recording, {"va": volts, "ia": amperes}) == {"va": 0, "ia": 1}


@pytest.mark.parametrize("encoding", ["cp850", "euc_kr", "big5", "cp1250", "cp866"])
def test_a_name_is_found_whatever_the_encoding_was_judged_to_be(tmp_path: Path, encoding: str) -> None:
    name = {"cp850": "Tensão", "euc_kr": "전압", "big5": "電壓", "cp1250": "Napětí", "cp866": "Ток"}[encoding]
    made = Comtrade(lines=(Line(name), IA), encoding=encoding)
    assert assign(read_recording(made.write(tmp_path)), {"va": name, "ia": "IA"}) == {"va": 0, "ia": 1}


# --- groups and channels made of others (B-6, B-8) --------------------------------------------------------------------


def feeders(tmp_path: Path, *names: str, component: str = "") -> Recording:
    lines = tuple(Line(n, "", component, "A" if "I" in n.upper() else "V") for n in names)
    columns = tuple(wave(1000 + k, 0) for k in range(len(names)))
    return read_recording(Comtrade(lines=lines, columns=columns).write(tmp_path))


@pytest.mark.parametrize(
    ("names", "group", "expected"),
    [
        ("VA_G1 IA_G1 VA_G2 IA_G2", "G1", {"va": 0, "ia": 1}),
        ("VA_G1 IA_G1 VA_G2 IA_G2", "g2", {"va": 2, "ia": 3}),
        ("F1-VA F1-IA F10-VA F10-IA", "F1", {"va": 0, "ia": 1}),
        ("F1-VA F1-IA F10-VA F10-IA", "F10", {"va": 2, "ia": 3}),
        ("G1VA G1IA G2VA G2IA", "G2", {"va": 2, "ia": 3}),
        ("VA VB IA_F1 IB_F1 IA_F2 IB_F2", "F2", {"va": 0, "vb": 1, "ia": 4, "ib": 5}),  # a bus and its feeders
    ],
)
def test_a_group(tmp_path: Path, names: str, group: str, expected: dict[str, int]) -> None:
    assert assign(feeders(tmp_path, *names.split()), parse_spec(group)) == expected


def test_a_group_with_names_beside_it(tmp_path: Path) -> None:
    recording = feeders(tmp_path, "VA_G1", "IA_G1", "IA_G2")
    assert assign(recording, parse_spec("G1,ia=IA_G2")) == {"va": 0, "ia": 2}
    with pytest.raises(RecordingError, match="no channel of a group G7"):
        assign(recording, parse_spec("G7"))


def test_a_channel_reversed_and_multiplied(tmp_path: Path) -> None:
    """3-wire delta has Vbc where the form wants Vcb (B-8); a clamp gives volts for amperes."""
    recording, spec = with_made_channels(read_recording(Comtrade().write(tmp_path)), parse_spec("va=-VA,ia=VA*0.1"))
    columns = assign(recording, spec)
    assert np.array_equal(recording.column(columns["va"]), -(np.array(VOLTS) * 0.01))
    assert np.array_equal(recording.column(columns["ia"]), np.array(VOLTS) * 0.01 * 0.1)
    assert recording.notes == ("ia: VA in V times 0.1 is taken in A",)


def test_a_rate_of_many_digits(tmp_path: Path) -> None:
    assert read_recording(Comtrade().write(tmp_path), Fraction(10**9, 32497)).rate_hz == Fraction(10**9, 32497)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_data_that_an_editor_saved(tmp_path: Path, encoding: str) -> None:
    path = Comtrade(data_type="ASCII").write(tmp_path)
    dat = path.with_suffix(".dat")
    dat.write_bytes(dat.read_text().encode(encoding))
    check_values(read_recording(path))
    assert read_recording(path).notes == ()


def test_time_stamps_in_another_unit_are_asked_for(tmp_path: Path) -> None:
    """Times with nanoseconds make the stamps nanoseconds (2013); ours are microseconds. A factor may be off as well."""
    made = Comtrade("2013", "ASCII", rates=("0", "0,192"))
    nanoseconds = ("01/03/2026,10:00:00.000000000",) * 2
    with pytest.raises(RecordingError, match=r"1\.92e\+06 samples a second: are they in µs instead of ns"):
        read_recording(made.but(times=nanoseconds).write(tmp_path))
    with pytest.raises(RecordingError, match=r"1\.92 samples a second, too few"):
        read_recording(made.but(tail=("1000", "0,0", "0,0")).write(tmp_path))
    check_values(read_recording(made.but(tail=("1000",), times=nanoseconds).write(tmp_path)))
    check_values(read_recording(made.but(times=nanoseconds).write(tmp_path), Fraction(RATE)))


@pytest.mark.parametrize("head", [b"DAT BINARY", b"DAT BINARY 2304", b"dat binary :2304", b"DAT  BINARY: 2304"])
def test_lines_above_the_data_of_a_single_file(tmp_path: Path, head: bytes) -> None:
    path = Comtrade("2013").write_single(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"DAT BINARY: 2304", head))
    check_values(read_recording(path))


def test_upper_case_names(tmp_path: Path) -> None:
    path = Comtrade().write(tmp_path)
    path.with_suffix(".dat").rename(tmp_path / "made.DAT")
    check_values(read_recording(path.rename(tmp_path / "made.CFG")))


# --- what two places of the files say differently --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "rest"),
    [(99999, ("-32767", "32767", "1", "1", "S")), (-99999, ("0", "0", "1", "1", "S")), (-999999, ("", "", "", "", ""))],
)
def test_a_sample_far_from_all_others_is_told(tmp_path: Path, code: int, rest: tuple[str, ...]) -> None:
    """A code of another recorder may be a value: it is taken, and told where its channel is used (review A-8)."""
    unsure = with_missing(with_missing(VOLTS, code, (50,)), 60000, (70,))  # no code, and outside the range as well
    recording = read_recording(Comtrade("2013", "ASCII", (Line(rest=rest), IA), (unsure, AMPERES)).write(tmp_path))
    assert recording.column(0)[50] == code * 0.01
    (note,) = channel_notes(recording, assign(recording))
    assert note.startswith("va: VA: sample ")
    assert "taken as it is" in note
    assert channel_notes(recording, {"ia": 1}) == []


@pytest.mark.parametrize("rates", [("1", "4,192"), ("1", "32,192"), ("1", "1.92,192"), ("1", "0.00192,192")])
def test_a_rate_too_low_for_a_line_frequency_is_asked_for(tmp_path: Path, rates: tuple[str, str]) -> None:
    """Thousands with a comma, samples in a cycle, kHz (review A-9, B-4): a scale of time is never guessed."""
    path = Comtrade("1999", "ASCII", rates=rates).write(tmp_path)
    with pytest.raises(RecordingError, match="samples a second, too few for a line frequency"):
        read_recording(path)
    check_values(read_recording(path, rate_hz=Fraction(RATE)))


def test_time_stamps_of_another_rate_are_told(tmp_path: Path) -> None:
    path = Comtrade("1999", "ASCII", rates=("1", f"{RATE // 2},{SAMPLES}")).write(tmp_path)
    (note,) = read_recording(path).notes
    assert "the time stamps are of 1919.39 samples a second, the .cfg says 960" in note  # steps of 521 µs, mostly
    assert not read_recording(path, rate_hz=Fraction(RATE)).notes


def test_primary_values_beside_secondary_ones_are_refused(tmp_path: Path) -> None:
    """Their product is the power of neither side (review A-8, A-9)."""
    lines = (
        Line(rest=("-32767", "32767", "7200", "120", "Secondary")),
        Line("IA", "A", "", "A", "0.001", rest=("-32767", "32767", "500", "5", "p")),
    )
    path = Comtrade("1999", "ASCII", lines).write(tmp_path)
    with pytest.raises(RecordingError, match=r"make all primary, as in --channels va=VA\*60"):
        assign(read_recording(path))
    recording, spec = with_made_channels(read_recording(path), parse_spec("va=VA*60,ia=IA"))
    columns = assign(recording, spec)
    assert np.array_equal(recording.column(columns["va"]), np.array(VOLTS) * 0.01 * 60)
    same = tuple(Line(one.name, "A", "", one.unit, one.a, rest=(*one.rest[:4], "s")) for one in lines)
    assign(read_recording(Comtrade("1999", "ASCII", same).write(tmp_path)))
    without_ratio = (Line(rest=("-32767", "32767", "1", "1", "S")), lines[1])
    assign(read_recording(Comtrade("1999", "ASCII", without_ratio).write(tmp_path)))


def test_a_name_in_the_unit_of_another_quantity_is_not_taken_for_that(tmp_path: Path) -> None:
    """VA in amperes beside IA in volts were once taken for ia and va."""
    lines = (Line("VA", "A", "", "A"), Line("IA", "A", "", "V", "0.001"))
    with pytest.raises(RecordingError, match="no voltage with its current"):
        assign(read_recording(Comtrade("1999", "ASCII", lines).write(tmp_path)))


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_a_micro_sign_alone_judges_the_encoding(tmp_path: Path, encoding: str) -> None:
    """In a Western file µ is often the only letter beyond ASCII; in cp850 its byte is an Á (review B-7)."""
    lines = (Line(unit="\N{MICRO SIGN}V", a="10000"), Line("IA", "A", "", "\N{MICRO SIGN}A", "1000"))
    recording = read_recording(Comtrade("1999", "ASCII", lines, encoding=encoding).write(tmp_path))
    assert np.allclose(recording.column(0), np.array(VOLTS) * 0.01, rtol=1e-15)
    assert np.allclose(recording.column(1), np.array(AMPERES) * 0.001, rtol=1e-15)


@pytest.mark.parametrize("form", FORMS)
def test_a_single_file_with_a_byte_order_mark(tmp_path: Path, form: str) -> None:
    path = Comtrade("2013", form).write_single(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    check_values(read_recording(path))
