"""Waveform CSV as people and instruments write it (review A-9, C-11): read right, or refused in one sentence."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from recordings_made import AMPERES, RATE, SAMPLES, VOLTS, csv_text

from drivers.sim.channels import assign, parse_spec, with_made_channels
from drivers.sim.reading import read_recording
from drivers.sim.recording import Recording, RecordingError

TRUE_VOLTS, TRUE_AMPERES = np.array(VOLTS) * 0.01, np.array(AMPERES) * 0.001
WRITTEN = 1e-9
"""Half the last of the nine decimals that csv_text writes, times the largest unit's thousand and a little more."""


def write(folder: Path, text: str, encoding: str = "utf-8", name: str = "made.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def check_load(recording: Recording, spec: str | None = None) -> None:
    columns = assign(recording, None if spec is None else parse_spec(spec))
    assert recording.rate_hz == RATE
    assert np.allclose(recording.column(columns["va"]), TRUE_VOLTS, rtol=0, atol=1000 * WRITTEN)
    assert np.allclose(recording.column(columns["ia"]), TRUE_AMPERES, rtol=0, atol=1000 * WRITTEN)


HEADERS = [
    # time, voltage, current as headed; what their numbers are in s, V and A
    ("time_s", "va", "ia", 1, 1, 1),
    ("Time (s)", "va (V)", "ia (A)", 1, 1, 1),
    ("time_ms", "va (V)", "ia (mA)", 1e-3, 1, 1e-3),
    ("t [ms]", "va [kV]", "ia [kA]", 1e-3, 1e3, 1e3),
    ("t_us", "va_mV", "ia_mA", 1e-6, 1e-3, 1e-3),
    ("Time (µs)", "Va_kV", "IA_kA", 1e-6, 1e3, 1e3),
    ("time_ns", "VA_V", "IA_A", 1e-9, 1, 1),
    ("TIME", "Va kV", "Ia mA", 1, 1e3, 1e-3),
    ("Zeit [ms]", "Ua [V]", "Ia [A]", 1e-3, 1, 1),
    ("x-axis", "V_A", "I_A", 1, 1, 1),
    ("seconds", "Van (volts)", "Ian (amps)", 1, 1, 1),
    ("time in ms", "va in V", "ia in mA", 1e-3, 1, 1e-3),
    ("time/ms", "va/kV", "ia/A", 1e-3, 1e3, 1),
    ("time_sec", "va_volts", "ia_amperes", 1, 1, 1),
    ("Time(ms)", "VA(Vrms)", "IA(mA)", 1e-3, 1, 1e-3),
    ("in s", "va in V", "ia in A", 1, 1, 1),
    ("t", "V(A)", "I(A)", 1, 1, 1),
    ("t", "va_mV_rms", "ia_mA_filtered", 1, 1e-3, 1e-3),
    ("t", "va, kV", "ia-mA", 1, 1e3, 1e-3),
    ("t", "kV va", "mA_ia", 1, 1e3, 1e-3),
    ("t", "va unit=kV", "ia=mA", 1, 1e3, 1e-3),
    ("t", "Va (V rms)", "Ia (milliamps)", 1, 1, 1e-3),
]


@pytest.mark.parametrize(("time", "volts", "amperes", "s", "v", "a"), HEADERS)
def test_units_in_headers(tmp_path: Path, time: str, volts: str, amperes: str, s: float, v: float, a: float) -> None:
    text = csv_text((time, volts, amperes), {time: s, volts: v, amperes: a})
    text = text.replace(volts, f'"{volts}"', 1)  # one has a comma
    names = None if volts != "V(A)" else "va=V_A,ia=I"
    check_load(read_recording(write(tmp_path, text)), names)


@pytest.mark.parametrize("heading", ["va (furlong)", "va [MV]", "va_MV", "va_dV", "va (phase A)", "va (V) (kV?)"])
def test_a_unit_that_is_not_understood_is_refused(tmp_path: Path, heading: str) -> None:
    recording = read_recording(write(tmp_path, csv_text(("time_s", heading, "ia"))))
    if heading == "va (V) (kV?)":
        check_load(recording, f"va={recording.names[0]},ia=ia")
        return
    with pytest.raises(RecordingError, match=r"column va has the unit .*, which is not understood: it may be V, kV"):
        assign(recording)
    assert len(recording.column(1)) == SAMPLES  # a fault of its column only


@pytest.mark.parametrize(("heading", "told"), [("va (A)", "no voltage with its"), ("va (W)", "no voltage with its")])
def test_a_unit_of_something_else(tmp_path: Path, heading: str, told: str) -> None:
    recording = read_recording(write(tmp_path, csv_text(("time_s", heading, "ia"))))
    with pytest.raises(RecordingError, match=told):
        assign(recording)
    with pytest.raises(RecordingError, match="va needs a channel in V, va is in"):
        assign(recording, parse_spec("va=va,ia=ia"))


@pytest.mark.parametrize(
    ("heading", "scale", "told"),
    [
        ("time", 1e-3, "column time gives 1.92 samples a second, .*: is the column in ms"),
        ("t", 1e-3, "column t gives 1.92 samples a second, .*: is the column in ms"),
        ("time_s", 1e-3, "is the column in ms"),
        ("time", 1e-6, "is the column in µs"),
        ("time", 1e-9, "is the column in ns"),
        ("time (furlong)", 1, r"column time \(furlong\): 'furlong' is not a unit of time: write s, ms, µs or ns"),
        ("time (h)", 1, "'h' is not a unit of time"),
        ("time_min", 1, "no sampling rate"),
    ],
)
def test_a_time_in_another_unit_is_asked_for(tmp_path: Path, heading: str, scale: float, told: str) -> None:
    path = write(tmp_path, csv_text((heading, "va", "ia"), {heading: scale}))
    with pytest.raises(RecordingError, match=told):
        read_recording(path)
    check_load(read_recording(path, Fraction(RATE)))


ABOVE = [
    "",
    "Recorder XY,serial 5\nSite: Pole 7\n\n",
    "Recorder XY\n" * 30,
    "a,b,c,d,e,f\n1,2\n",
    "Model,X,\nDate,2026-01-01,\nChannels,2,\n",
    '"it said ""no"""\nprobe 5" long\n',
    "# a comment, with commas\n% another\n",
]


@pytest.mark.parametrize("above", ABOVE)
def test_lines_above_the_header(tmp_path: Path, above: str) -> None:
    recording = read_recording(write(tmp_path, above + csv_text()))
    check_load(recording)
    counted = [line for line in above.splitlines() if line and line[0] not in "#%"]
    notes = [note for note in recording.notes if "above the header" in note]
    assert len(notes) == bool(counted)


def test_a_header_in_a_comment(tmp_path: Path) -> None:
    check_load(read_recording(write(tmp_path, "# time_s,va,ia\n" + csv_text().split("\n", 1)[1])))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", ", ", " ; "])
@pytest.mark.parametrize("decimal", [".", ","])
def test_separators_and_decimal_signs(tmp_path: Path, separator: str, decimal: str) -> None:
    if decimal == "," and separator.strip() == ",":
        names, separator = ("time_s", "va", "ia"), ","
        head, *rows = csv_text(names).splitlines()
        rows = [",".join(f'"{cell.replace(".", ",")}"' for cell in row.split(",")) for row in rows]
        text = "\n".join([head, *rows])
    else:
        text = csv_text(separator=separator, decimal=decimal)
    check_load(read_recording(write(tmp_path, text)))
    check_load(read_recording(write(tmp_path, "sep=" + (separator.strip() or ";") + "\n" + text)
                              if separator.strip() in (",", ";") else write(tmp_path, text)))  # fmt: skip


def test_commas_for_both(tmp_path: Path) -> None:
    text = csv_text(decimal=",")
    with pytest.raises(RecordingError, match="line 2 has 6 cells, the header names 3 columns: is the comma"):
        read_recording(write(tmp_path, text))


def test_thousands_are_not_guessed(tmp_path: Path) -> None:
    rows = "\n".join(f'{k / RATE:.0f},"{100000 + k:,}","{2000 + k:,}"' for k in range(20))
    with pytest.raises(RecordingError, match="'100,000' may have thousands or decimals behind the comma"):
        read_recording(write(tmp_path, f"n,va,ia\n{rows}\n"), Fraction(1000))
    rows = "\n".join(f'"{100000 + k / 8:,.3f}",{k}' for k in range(20))
    with pytest.raises(RecordingError, match=r"column va is empty|column va is not a finite number at line 2"):
        read_recording(write(tmp_path, f"va,ia\n{rows}\n"), Fraction(1000)).column(0)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "utf-32"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = csv_text(("Time (µs)", "Tensão (V)", "Corrente Saída (A)"), {"Time (µs)": 1e-6})
    recording = read_recording(write(tmp_path, text, encoding))
    assert recording.names == ("Tensão", "Corrente Saída")
    check_load(recording, "va=tensão (V),ia=Corrente Saída")


def test_quotes_everywhere(tmp_path: Path) -> None:
    text = "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in csv_text().splitlines())
    check_load(read_recording(write(tmp_path, text)))


def test_old_and_doubled_line_ends(tmp_path: Path) -> None:
    for ends in ("\r", "\r\n", "\n\n", "\r\r\n"):
        check_load(read_recording(write(tmp_path, csv_text().replace("\n", ends))))


def test_trailing_commas_and_rows_of_commas(tmp_path: Path) -> None:
    text = csv_text().replace("\n", ",\n")
    check_load(read_recording(write(tmp_path, text + ",,,\n,,,\n")))
    lines = csv_text().splitlines()
    lines[50] = ",,"
    with pytest.raises(RecordingError, match=r"column time is not a finite number at line 51"):
        read_recording(write(tmp_path, "\n".join(lines)))
    kept = read_recording(write(tmp_path, "\n".join(lines)), Fraction(RATE))
    assert len(kept.values) == SAMPLES  # its time has passed
    with pytest.raises(RecordingError, match=r"column va is not a finite number at line 51 \(''\)"):
        kept.column(0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("va,ia\n1,2\n3,4,5\n1,2\n", "line 3 has 3 cells, the header names 2 columns"),
        ("va,ia\n1,2\n3\n1,2\n", "line 3 has 1 cells, the header names 2 columns"),
        ('va,ia\n1,2\n3,"4\n1,2\n', "line 3 is not a valid line of CSV"),
        ('va,ia\n1,2\n3,"4"x\n1,2\n', "line 3 is not a valid line of CSV"),
        ("va,ia\n1,2\n\n\n3,1_0\n", r"column ia is not a finite number at line 5 \('1_0'\)"),
        ("va,ia\n1,2\n3,4V\n", r"column ia is not a finite number at line 3 \('4V'\)"),
        ("va,ia\n1,2\n3,1 000\n", r"column ia is not a finite number at line 3 \('1 000'\)"),
        ("va,ia\n1,2\n3,1e999\n", "column ia is not a finite number at line 3"),
        ("va,ia\n1,2\n3,\x1b[31m4\n", r"line 3 \('\?\[31m4'\)"),
        ("\n\n\n", "empty"),
        (",,,\n,,,\n", "empty|must name"),
        ("va,ia", "empty"),
        ("\0\0\0\0", "empty|must name"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RecordingError, match=told) as caught:
        read_recording(write(tmp_path, text), Fraction(1000)).column(1)
    assert "\n" not in str(caught.value)


def test_a_line_without_end(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="line 1 has 3000000 characters: this is no CSV of numbers"):
        read_recording(write(tmp_path, "1," * 1_500_000))


def test_no_plain_file(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(tmp_path / "pipe.csv")
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(Path("\0.csv"))


# --- oscilloscopes: layouts as their exports have them, the numbers ours ---------------------------------------------


def rows_of(volts: np.ndarray = TRUE_VOLTS, amperes: np.ndarray = TRUE_AMPERES) -> list[tuple[str, str, str]]:
    return [(f"{k / RATE:.9e}", f"{v:.6e}", f"{a:.6e}") for k, (v, a) in enumerate(zip(volts, amperes, strict=True))]


def tektronix_tds() -> str:
    """Settings in columns 1 and 2 of the samples' own lines, a channel to every six columns."""
    settings = [
        ("Record Length", f"{SAMPLES:.6e}"), ("Sample Interval", f"{1 / RATE:.6e}"), ("Trigger Point", "0"),
        ("", ""), ("", ""), ("", ""), ("Source", "CH1"), ("Vertical Units", "V"), ("Vertical Scale", "5.0e+01"),
        ("Vertical Offset", "0.0"), ("Horizontal Units", "s"), ("Horizontal Scale", "5.0e-03"), ("Pt Fmt", "Y"),
        ("Yzero", "0.0"), ("Probe Atten", "1.0e+01"), ("Model Number", "TDS2014B"), ("Serial Number", "C010691"),
    ]  # fmt: skip
    lines = []
    for k, (t, v, a) in enumerate(rows_of()):
        key, value = settings[k] if k < len(settings) else ("", "")
        second = {"CH1": "CH2", "V": "A"}.get(value, value)
        lines.append(f"{key},{value},, {t}, {v},,{key},{second},, {t}, {a},")
    return "\n".join(lines)


def tektronix_dpo() -> str:
    head = ("Model,DPO2024B\nFirmware Version,1.52\n\nWaveform Type,ANALOG\nPoint Format,Y\nHorizontal Units,s\n"
            f"Horizontal Scale,0.01\nSample Interval,{1 / RATE:.6e}\nRecord Length,{SAMPLES}\nGating,0.0% to 100.0%\n"
            "Probe Attenuation,10,1\nVertical Units,V,A\nVertical Offset,0,0\nVertical Scale,50,2\nLabel,,\n"
            "TIME,CH1,CH2\n")  # fmt: skip
    return head + "\n".join(map(",".join, rows_of()))


def rigol_1000z() -> str:
    head = f"X,CH1,CH2,Start,Increment,\nSequence,Volt,Ampere,-5.000000e-02,{1 / RATE:.9e}\n"
    return head + "\n".join(f"{k},{v},{a}," for k, (_, v, a) in enumerate(rows_of()))


def rigol_5000() -> str:
    return f"CH1V,CH2A,t0 =-0.05, tInc = {1 / RATE:.9e},\n" + "\n".join(f"{v},{a},," for _, v, a in rows_of())


def keysight() -> str:
    return "x-axis,1,2\nsecond,Volt,Ampere\n" + "\n".join(map(",".join, rows_of()))


def siglent() -> str:
    head = ("Record Length,Analog:192\nSample Interval,5.2e-04\nVertical Units,V,A\nVertical Scale,50,2\n"
            "Horizontal Units,s\nModel Number,SDS1104X-E\nSource,CH1,CH2\nSecond,Volt,Ampere\n")  # fmt: skip
    return head + "\n".join(map(",".join, rows_of()))


def digilent() -> str:
    head = ("#Digilent WaveForms Oscilloscope Acquisition\n#Device Name: Discovery2\n#Sample rate: 1920Hz\n"
            "#Channel 1: Range: 50 V/div Offset: 0 V\n\nTime (s),Channel 1 (V),Channel 2 (A)\n")  # fmt: skip
    return head + "\n".join(map(",".join, rows_of()))


def picoscope() -> str:
    rows = (f"{float(t) * 1e3:.9f},{float(v) / 1e3:.9f},{float(a) * 1e3:.6f}" for t, v, a in rows_of())
    return "Time,Channel A,Channel B\n(ms),(kV),(mA)\n\n" + "\n".join(rows)


def rohde_schwarz() -> str:
    return "in s,C1 in V,C2 in A\n" + "\n".join(map(",".join, rows_of()))


SCOPES = {
    tektronix_tds: "va=CH1,ia=CH2",
    tektronix_dpo: "va=CH1,ia=CH2",
    rigol_1000z: "va=CH1,ia=CH2",
    rigol_5000: "va=CH1,ia=CH2",
    keysight: "va=1,ia=2",
    siglent: "va=CH1,ia=CH2",
    digilent: "va=Channel 1,ia=Channel 2",
    picoscope: "va=Channel A,ia=Channel B",
    rohde_schwarz: "va=C1,ia=C2",
}


@pytest.mark.parametrize("export", SCOPES, ids=lambda export: export.__name__)
@pytest.mark.parametrize("european", [False, True])
def test_oscilloscopes(tmp_path: Path, export: object, european: bool) -> None:
    text = export()
    if european:
        text = text.replace(",", ";").replace(".", ",")
    recording = read_recording(write(tmp_path, text))
    columns = assign(recording, parse_spec(SCOPES[export]))
    # 9 and 6 digits behind the point of the mantissa are written.
    assert float(recording.rate_hz) == pytest.approx(RATE, rel=1e-6)
    assert len(recording.values) == SAMPLES
    assert np.allclose(recording.column(columns["va"]), TRUE_VOLTS, rtol=1e-6, atol=1e-3)
    assert np.allclose(recording.column(columns["ia"]), TRUE_AMPERES, rtol=1e-6, atol=1e-3)


def test_a_clamp_in_volts(tmp_path: Path) -> None:
    """An oscilloscope has volts of a clamp of 10 A/V: named so, they are amperes."""
    text = keysight().replace("Ampere", "Volt")
    recording = read_recording(write(tmp_path, text))
    with pytest.raises(RecordingError, match="ia needs a channel in A, 2 is in V"):
        assign(recording, parse_spec("va=1,ia=2"))
    recording, spec = with_made_channels(recording, parse_spec("va=1,ia=2*10"))
    columns = assign(recording, spec)
    assert np.allclose(recording.column(columns["ia"]), 10 * TRUE_AMPERES, rtol=1e-5, atol=1e-3)


def test_two_columns_that_only_units_tell_apart(tmp_path: Path) -> None:
    names = ("time_s", "va [kV]", "ia")
    lines = csv_text(names, {"va [kV]": 1e3}).splitlines()
    both = "\n".join(f"{line},{'va [V]' if k == 0 else VOLTS[k - 1] / 100}" for k, line in enumerate(lines))
    recording = read_recording(write(tmp_path, both))
    with pytest.raises(RecordingError, match=r"va may be va \[kV\] or va \[V\]; say which"):
        assign(recording)
    check_load(recording, "va=va [kV],ia=ia")
    check_load(recording, "va=va [V],ia=ia")


def test_times_of_day_are_those_of_a_clock(tmp_path: Path) -> None:
    lines = csv_text().splitlines()
    text = "\n".join(["Date,Time,va,ia", *(f"2026-03-01,10:00:0{line}" for line in lines[1:])])
    check_load(read_recording(write(tmp_path, text)))
    check_load(read_recording(write(tmp_path, text), Fraction(RATE)))


@pytest.mark.parametrize(
    ("setting", "scale", "told"),
    [
        ("Vertical Units,kV,kV", 1e3, None),
        ("Vertical Units,kV", 1e3, None),
        ("Vertical Units,CH1:kV,CH2:kV", 1e3, None),
        ("Vertical Units,kV,kV,kV", 1e3, "has the unit 'kV kV kV', which is not understood"),
        ("Vertical Units,parsec,parsec", 1, "has the unit 'parsec', which is not understood"),
    ],
)
def test_units_in_a_line_of_settings(tmp_path: Path, setting: str, scale: float, told: str | None) -> None:
    text = f"Model,X\n{setting}\nHorizontal Units,ms\n" + csv_text(
        ("TIME", "CH1", "CH2"), {"TIME": 1e-3, "CH1": scale, "CH2": scale}
    )
    recording = read_recording(write(tmp_path, text))
    assert recording.rate_hz == RATE
    if told is None:
        assert np.allclose(recording.column(0), TRUE_VOLTS, rtol=0, atol=1e-5)
        return
    with pytest.raises(RecordingError, match=told):
        recording.column(0)


def test_the_documents_oscilloscope() -> None:
    """120 V, and 1.25 V of a clamp of 10 A/V, for a quarter of a second; four digits behind the point are written."""
    recording = read_recording(Path(__file__).parents[2] / "docs" / "examples" / "scope.csv")
    assert (recording.rate_hz, len(recording.values)) == (3840, 960)
    assert np.sqrt(np.mean(recording.column(0) ** 2)) == pytest.approx(120, rel=1e-4)
    assert np.sqrt(np.mean(recording.column(1) ** 2)) == pytest.approx(1.25, rel=1e-4)


SETTINGS = [
    # lines above, the header, scales of voltage and current, the refusal or None
    ("Sample Rate,{k},kS/s", "va,ia", 1, 1, None),
    ("Sample Interval,{ms},ms\nVertical Units,V,mA", "va,ia", 1, 1e-3, None),
    ("# Sample rate = {hz} Hz", "va,ia", 1, 1, None),
    ("# Sample rate: {grouped} Hz", "va,ia", 1, 1, "no sampling rate"),
    ("# Sample rate: {k} Hz", "va,ia", 1, 1, "samples a second, too few for a line frequency"),
    ("Sample Interval,{ms},furlongs", "va,ia", 1, 1, "no sampling rate"),
    ("Sample-Rate,{hz}\nY-Unit,mV,A", "va,ia", 1e-3, 1, None),
    ("X_Unit,s\nY_Unit,mV,A\nSample_Interval,{ms},ms", "va,ia", 1e-3, 1, None),
    ("#UNITS:mV,mA\n# Sample rate: {hz}Hz", "va,ia", 1e-3, 1e-3, None),
    ("# unit = kA\n# Sample rate: {hz}Hz", "ia,va", 1e3, 1e3, "no voltage with its current"),
]


@pytest.mark.parametrize(("above", "header", "v", "a", "told"), SETTINGS)
def test_settings_with_units_of_their_own(
    tmp_path: Path, above: str, header: str, v: float, a: float, told: str | None
) -> None:
    """A rate, an interval or units above the values count with their units, wherever those stand (review A-9)."""
    words = {"k": f"{RATE / 1000:g}", "ms": f"{1000 / RATE:.12g}", "hz": f"{RATE:g}", "grouped": f"{RATE:,}"}
    rows = "".join(f"{x / v:.9f},{y / a:.9f}\n" for x, y in zip(TRUE_VOLTS, TRUE_AMPERES, strict=True))
    path = write(tmp_path, f"{above.format(**words)}\n{header}\n{rows}")
    if told is not None:
        with pytest.raises(RecordingError, match=told):
            assign(read_recording(path))
        return
    check_load(read_recording(path))


@pytest.mark.parametrize("name", ["va x1000", "va*1000", "va 10^3", "va x 1000", "va/1000", "va ×1000"])
def test_a_factor_in_a_name_is_not_passed_over(tmp_path: Path, name: str) -> None:
    """Numbers may have been multiplied or not, and no one can tell (review A-9)."""
    path = write(tmp_path, csv_text().replace("va", name, 1))
    with pytest.raises(RecordingError, match="in its name, which may be in its numbers or not"):
        assign(read_recording(path), parse_spec(f"va={name},ia=ia"))


def test_a_channel_in_brackets_is_no_unit_where_a_row_has_them(tmp_path: Path) -> None:
    """Rigol's DS1000E, and the header is no text above that speaks of units."""
    rows = csv_text().split("\n", 1)[1]
    recording = read_recording(write(tmp_path, "Time,X(CH1),X(CH2)\nSecond,Volt,Ampere\n" + rows))
    check_load(recording, "va=X(CH1),ia=X(CH2)")
    assert recording.notes == ()
    assert read_recording(write(tmp_path, "t,va{V},ib\n" + rows)).notes == ()


def test_a_name_with_a_number_has_no_factor(tmp_path: Path) -> None:
    path = write(tmp_path, csv_text().replace("va", "Max10 va1", 1))
    assign(read_recording(path), parse_spec("va=Max10 va1,ia=ia"))


def test_a_unit_in_the_text_above_is_told(tmp_path: Path) -> None:
    """The columns have none of their own: that they are in V and A is told (review A-9)."""
    notes = read_recording(write(tmp_path, "# va in kV\n" + csv_text())).notes
    assert notes == ("line 1 has 'kV', but va, ia have no unit in their names: taken in V and A",)
    assert read_recording(write(tmp_path, "# taken at 12 kVA\n" + csv_text())).notes == ()
