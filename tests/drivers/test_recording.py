"""COMTRADE and CSV files: real ones, made ones, and broken ones with their one sentence."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from drivers.sim.reading import read_recording
from drivers.sim.recording import Recording, RecordingError

WAVEFORMS = Path(__file__).parents[2] / "../shared/waveforms"


def shared(name: str) -> Path:
    path = WAVEFORMS / name
    if not path.exists():
        pytest.skip(f"the shared recordings are not here ({name})")
    return path


def comtrade_files(
    folder: Path,
    form: str = "BINARY",
    samples: int = 50,
    rates: str = "1\n1200,50",
    revision: str = ",1999",
    names: tuple[str, ...] = ("VA", "IA"),
    units: tuple[str, ...] = ("kV", "A"),
) -> Path:
    """A two-channel recording: the raw value of channel c at sample k is 100·c + k, times 0.5."""
    lines = [f"station,device{revision}", f"{len(names)},{len(names)}A,0D"]
    tail = ",1000,1,P" if revision else ""
    for c, (name, unit) in enumerate(zip(names, units, strict=True)):
        lines.append(f"{c + 1},{name},A,,{unit},0.5,0,0,-32767,32767{tail}")
    lines += ["60", *rates.split("\n"), "01/02/2020,00:00:00.000000", "01/02/2020,00:00:00.000000", form]
    if revision:
        lines.append("1")
    path = folder / "made.cfg"
    path.write_text("\r\n".join(lines) + "\r\n")
    raw = [[100 * c + k for c in range(len(names))] for k in range(samples)]
    if form == "ASCII":
        text = "".join(f"{k + 1},{k * 833},{','.join(map(str, row))}\r\n" for k, row in enumerate(raw))
        path.with_suffix(".DAT").write_text(text + "\x1a")
    else:
        code = {"BINARY": "h", "BINARY32": "i", "FLOAT32": "f"}.get(form, "h")
        packed = [struct.pack(f"<II{len(row)}{code}", k + 1, k * 833, *row) for k, row in enumerate(raw)]
        path.with_suffix(".DAT").write_bytes(b"".join(packed))
    return path


@pytest.mark.parametrize("form", ["ASCII", "BINARY", "BINARY32", "FLOAT32"])
@pytest.mark.parametrize("revision", ["", ",1999", ",2013"])
def test_every_form_of_comtrade(tmp_path: Path, form: str, revision: str) -> None:
    recording = read_recording(comtrade_files(tmp_path, form, revision=revision))
    assert recording.names == ("VA", "IA")
    assert [channel.unit for channel in recording.channels] == ["V", "A"]
    assert recording.rate_hz == 1200
    assert recording.seconds == Fraction(50, 1200)
    assert np.array_equal(recording.values[:, 0], 0.5e3 * np.arange(50))
    assert np.array_equal(recording.values[:, 1], 0.5 * (100 + np.arange(50)))


REAL = {
    # name: (samples, channels, rate); samples as in the reference values or, without any, in the .dat
    "comtrade_ufsc_generators/test3.cfg": (24768, 31, 5760),
    "comtrade_transformer_147kv_jp/comtrade1.cfg": (7200, 23, 1200),
    "comtrade_110kv_substation_ru/wisp2.cfg": (19680, 55, 1200),
    "comtrade_220kv_fault_recorder/xtz.cfg": (1280, 48, 3200),
    "comtrade_220kv_fault_recorder/ygz.cfg": (1280, 96, 3200),
    "comtrade_small_relays/d51_ascii.cfg": (2131, 24, 1200),
    "comtrade_small_relays/psl603.cfg": (950, 15, 1000),
    "comtrade_small_relays/ritm_vc4_binary32.cfg": (202, 37, 2000),
    "comtrade_small_relays/sepam_s40.cfg": (2400, 6, 600),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str) -> None:
    recording = read_recording(shared(name))
    assert (*recording.values.shape, recording.rate_hz) == REAL[name]


def test_units_and_ratio_of_a_real_file() -> None:
    recording = read_recording(shared("comtrade_ufsc_generators/test3.cfg"))
    voltage = recording.channels[recording.names.index("VA_G1")]
    assert (voltage.unit, voltage.side, voltage.phase, voltage.primary, voltage.secondary) == (
        "V",
        "P",
        "A",
        6.0,
        0.1,
    )
    # reference.json gives 3476.181 V of the kV column, to 7 digits
    column = recording.column(recording.names.index("VA_G1"))
    assert np.sqrt(np.mean(column**2)) == pytest.approx(3476.181, rel=2e-7)


def test_what_was_decided_is_noted() -> None:
    several = read_recording(shared("comtrade_220kv_fault_recorder/xtz.cfg"))
    assert "first block at 3200 Hz is used, samples 1 to 1280" in several.notes[0]
    longer = read_recording(shared("comtrade_110kv_substation_ru/wisp2.cfg"))
    assert longer.notes[0].startswith("all 19680 samples of wisp2.dat are used")
    assert "skew of up to 841 µs" in longer.notes[1]


def test_a_file_without_rate_needs_one() -> None:
    path = shared("comtrade_small_relays/ge_c60.cfg")
    with pytest.raises(RecordingError, match=r"time stamps are uneven .*--rate"):
        read_recording(path)
    assert read_recording(path, Fraction(800)).rate_hz == 800


def test_time_stamps_give_the_rate_when_there_is_none(tmp_path: Path) -> None:
    recording = read_recording(comtrade_files(tmp_path, rates="0\n0,50"))
    # The stamps are 833 µs apart: they cannot tell 1200 Hz from it.
    assert float(recording.rate_hz) == pytest.approx(1 / 833e-6, rel=1e-9)


def test_a_rate_given_overrides(tmp_path: Path) -> None:
    assert read_recording(comtrade_files(tmp_path), Fraction(2400)).rate_hz == 2400
    stampless = comtrade_files(tmp_path, rates="1\n0,50")
    assert read_recording(stampless, Fraction(1000, 3)).rate_hz == Fraction(1000, 3)
    with pytest.raises(RecordingError, match=r"--rate is 7.68 samples a second, too few .*: is it in kHz, as 7.68kHz"):
        read_recording(stampless, Fraction("7.68"))


def test_a_missing_value_is_a_fault_of_its_column_only(tmp_path: Path) -> None:
    path = comtrade_files(tmp_path)
    data = bytearray(path.with_suffix(".DAT").read_bytes())
    data[7 * 12 + 10 : 7 * 12 + 12] = struct.pack("<h", -32768)
    path.with_suffix(".DAT").write_bytes(data)
    recording = read_recording(path)
    assert len(recording.column(0)) == 50
    with pytest.raises(RecordingError, match="channel IA has no value at sample 8: -32768 stands for a missing one"):
        recording.column(1)


def test_broken_comtrade_says_what_is_wrong(tmp_path: Path) -> None:
    def refused(match: str, path: Path, rate_hz: Fraction | None = None) -> None:
        with pytest.raises(RecordingError, match=match) as caught:
            read_recording(path, rate_hz)
        assert "\n" not in str(caught.value)

    refused(r"none\.cfg: no such file", tmp_path / "none.cfg")
    refused(r"x\.wav: unknown file type", tmp_path / "x.wav")
    path = comtrade_files(tmp_path, samples=49)
    refused(r"made\.DAT: truncated, made\.cfg promises 50 samples and the file holds 49", path)
    path = comtrade_files(tmp_path, "ASCII", samples=49)
    refused("truncated", path)
    path.with_suffix(".DAT").unlink()
    refused(r"made\.dat: no such file", path)
    assert read_recording(comtrade_files(tmp_path, rates="1\n0,50")).rate_hz > 200  # by its time stamps
    refused("unknown data type 'BINARY64'", comtrade_files(tmp_path, "BINARY64"))
    refused("empty", comtrade_files(tmp_path, samples=0, rates="1\n1200,0"))
    path.write_text("")
    refused("not well-formed COMTRADE", path)
    path.write_text("a,b,1999\n2,2A,0D\n1,VA,A,,kV,nonsense\n")
    refused("not well-formed COMTRADE", path)
    path.write_bytes(bytes(range(256)) * 4)
    refused("not well-formed COMTRADE", path)
    (tmp_path / "folder.cfg").mkdir()
    refused("cannot be read", tmp_path / "folder.cfg")


def csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "made.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_csv_columns_in_any_order_with_comments(tmp_path: Path) -> None:
    path = csv(tmp_path, "\ufeff# made by hand\n\nia, VA,note\n1,2,x\n# between\n3,4.5,y\n")
    recording = read_recording(path, Fraction(30_000))
    assert recording.names == ("ia", "VA", "note")
    assert [channel.unit for channel in recording.channels] == ["A", "V", ""]
    assert recording.values[:, :2].tolist() == [[1, 2], [3, 4.5]]
    with pytest.raises(RecordingError, match=r"column note is not a finite number at line 4 \('x'\)"):
        recording.column(2)


@pytest.mark.parametrize("rate", [Fraction(30_000), Fraction(5760), Fraction(1000, 3)])
def test_csv_rate_from_rounded_time_stamps(tmp_path: Path, rate: Fraction) -> None:
    rows = [f"{float(k / rate):.6f},{k},1" for k in range(2000)]
    recording = read_recording(csv(tmp_path, "time_s,va,ia\n" + "\n".join(rows)))
    assert recording.names == ("va", "ia")
    # Microsecond stamps leave the rate open by 2 µs over the whole: the simplest one within is right.
    assert recording.rate_hz == rate


def test_csv_in_old_encodings(tmp_path: Path) -> None:
    path = csv(tmp_path, "va,ia,напряжение\n1,2,3\n", "cp1251")
    assert read_recording(path, Fraction(1000)).values.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "empty"),
        ("va,ia\n# nothing\n", "empty"),
        ("1,2\n3,4\n", "line 1 must name the columns"),
        ("va,ia\n1,2\n3\n", "line 3 has 1 cells, the header names 2 columns"),
        ("va,ia\n1,2\n3,4\n", "no sampling rate; give it with --rate"),
        ("t,va,ia\n0,1,2\n0,3,4\n", "time stamps do not increase"),
        ("t,va,ia\n0,1,2\n1,3,4\n5,3,4\n", "time stamps are uneven"),
        ("t,va,ia\n0,1,2\nx,3,4\n", r"column t is not a finite number at line 3 \('x'\)"),
    ],
)
def test_broken_csv_says_what_is_wrong(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(RecordingError, match=match):
        read_recording(csv(tmp_path, text))


@pytest.mark.parametrize("cell", ["abc", "", "nan", "inf"])
def test_a_cell_that_is_no_number_is_named(tmp_path: Path, cell: str) -> None:
    recording: Recording = read_recording(csv(tmp_path, f"# x\nva,ia\n1,2\n3,{cell}\n"), Fraction(1000))
    assert recording.column(0).tolist() == [1, 3]
    with pytest.raises(RecordingError, match=rf"column ia is not a finite number at line 4 \('{cell}'\)"):
        recording.column(1)
