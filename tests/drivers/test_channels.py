"""Assigning a recording's channels: obvious names, ambiguity, and what the user says."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from drivers.sim.channels import assign, channel_notes, parse_spec
from drivers.sim.reading import read_recording
from drivers.sim.recording import RecordedChannel, Recording, RecordingError

WAVEFORMS = Path(__file__).parents[2] / "../shared/waveforms"


def real(name: str) -> Recording:
    if not (WAVEFORMS / name).exists():
        pytest.skip(f"the shared recordings are not here ({name})")
    return read_recording(WAVEFORMS / name)


def made(*channels: RecordedChannel) -> Recording:
    return Recording(Path("made.cfg"), channels, np.zeros((3, len(channels))), Fraction(1000))


def named(names: str, units: str = "") -> Recording:
    """Channels of these names; V, A or nothing for units, a letter a name."""
    split = names.split()
    return made(*(RecordedChannel(n, u.strip()) for n, u in zip(split, units.ljust(len(split)), strict=True)))


@pytest.mark.parametrize(
    ("names", "slots"),
    [
        ("va ia vb ib vc ic", "va ia vb ib vc ic"),
        ("IC IB IA VC VB VA", "ic ib ia vc vb va"),
        ("Ua I_a", "va ia"),
        ("Van Ian Vbn Ibn", "va ia vb ib"),
        ("v1 i1 v2 i2 v3 i3", "va ia vb ib vc ic"),
        ("UL1 IL1 UL2 IL2 UL3 IL3", "va ia vb ib vc ic"),
        ("VR IR VS IS VT IT", "va ia vb ib vc ic"),
        ("VA_G1 IA_G1", "va ia"),
        ("5-Ua 1-Ia", "va ia"),
        ("Ua1 Ia1 Ua", "- ia va"),
        ("VR IR VY IY VB IB", "va ia vb ib vc ic"),
        ("VR IR VW IW VB IB", "va ia vb ib vc ic"),
        ("VRN IR VYN IY VBN IB", "va ia vb ib vc ic"),
    ],
)
def test_obvious_names(names: str, slots: str) -> None:
    expected = {slot: column for column, slot in enumerate(slots.split()) if slot != "-"}
    assert assign(named(names)) == expected


def test_phase_and_unit_of_comtrade() -> None:
    recording = made(
        RecordedChannel("Bus", "V", "A"),
        RecordedChannel("Feeder", "A", "a"),
        RecordedChannel("Neutral", "A", "N"),
    )
    assert assign(recording) == {"va": 0, "ia": 1}


def test_the_unit_decides_between_equal_names() -> None:
    assert assign(named("IA/deg VA IA", "xVA")) == {"va": 1, "ia": 2}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("comtrade_small_relays/psl603.cfg", ("5-Ua", "6-Ub", "7-Uc", "1-Ia", "2-Ib", "3-Ic")),
        ("comtrade_small_relays/ritm_vc4_binary32.cfg", ("Ua", "Ub", "Uc", "Ia", "Ib", "Ic")),
    ],
)
def test_real_files_with_obvious_names(name: str, expected: tuple[str, ...]) -> None:
    recording = real(name)
    assert tuple(recording.names[column] for column in assign(recording).values()) == expected


@pytest.mark.parametrize(
    ("name", "match"),
    [
        (
            "comtrade_ufsc_generators/test3.cfg",
            "va may be VA_G1, VA_G2, VA_G3, VA_G4 or VA_B69; say which, as in --channels va=VA_G1,ia=IA_G1",
        ),
        (
            "comtrade_transformer_147kv_jp/comtrade1.cfg",
            "ia may be HV IR or LV IR; say which, as in --channels va=HV Bus VR,ia=HV IR",
        ),
        ("comtrade_small_relays/sepam_s40.cfg", "no voltage with its current"),
    ],
)
def test_real_files_with_a_choice(name: str, match: str) -> None:
    with pytest.raises(RecordingError, match=match):
        assign(real(name))


def test_what_the_user_says() -> None:
    recording = named("VA_G1 IA_G1 VA_G2 IA_G2", "VAVA")
    assert assign(recording, parse_spec("VA = VA_G2 , ia=ia_g1")) == {"va": 2, "ia": 1}


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("va=VA_G9,ia=IA_G1", r"no channel VA_G9 \(did you mean VA_G2 or VA_G1\?\); it has VA_G1, IA_G1"),
        ("va=IA_G1,ia=VA_G1", "va needs a channel in V, IA_G1 is in A"),
        ("va=VA_G1", r"no voltage with its current among the channels \(va found\)"),
        ("va=VA_G1,ib=IA_G1", r"\(va, ib found\)"),
        ("va=VA_G1,ia=twin", "ia=twin is ambiguous, 2 channels have that name"),
    ],
)
def test_what_the_user_says_wrongly(spec: str, match: str) -> None:
    recording = named("VA_G1 IA_G1 VA_G2 IA_G2 twin twin", "VAVAAA")
    with pytest.raises(RecordingError, match=match):
        assign(recording, parse_spec(spec))


@pytest.mark.parametrize("text", ["", "va", "va=", "=x", "vd=x", "va=x,,ia=y"])
def test_a_spec_that_is_none(text: str) -> None:
    with pytest.raises(RecordingError, match="is not one of va=NAME"):
        parse_spec(text)


def test_a_slot_given_twice() -> None:
    with pytest.raises(RecordingError, match="va is given twice"):
        parse_spec("va=x,VA=y")


def test_only_chosen_columns_need_be_numbers() -> None:
    recording = made(
        RecordedChannel("va", "V"), RecordedChannel("ia", "A"), RecordedChannel("ib", "A", fault="is empty")
    )
    assert assign(recording, {"va": "va", "ia": "ia"}) == {"va": 0, "ia": 1}
    with pytest.raises(RecordingError, match="column ib is empty"):
        assign(recording)


def test_a_long_list_of_names_is_cut() -> None:
    with pytest.raises(RecordingError, match=r"x15 and 24 more$"):
        assign(named(" ".join(f"x{k}" for k in range(40))))


def in_phases(names: str, units: str, phases: str) -> Recording:
    """Channels of these names, units and phases, a letter of each a name."""
    split = zip(names.split(), units, phases, strict=True)
    return made(*(RecordedChannel(name, unit, phase) for name, unit, phase in split))


def test_red_yellow_and_blue_are_three_phases() -> None:
    recording = in_phases("P1 P2 P3 Q1 Q2 Q3", "VVVAAA", "RYBRYB")
    assert assign(recording) == {"va": 0, "vb": 1, "vc": 2, "ia": 3, "ib": 4, "ic": 5}
    assert channel_notes(recording, assign(recording)) == [
        "phases R, Y (or W) and B are taken as A, B and C, but for what --channels names"
    ]
    # Where A is there too B is the second: of seven letters nothing is sure.
    assert assign(named("VA IA VB IB VY IY")) == {"va": 0, "ia": 1, "vb": 2, "ib": 3}


@pytest.mark.parametrize("names", ["VAB VBC VCA", "Uab Ubc Uca", "U12 U23 U31", "V_RS V_ST V_TR", "VL1L2 VL2L3 VL3L1"])
def test_voltages_between_lines_are_of_no_phase(names: str) -> None:
    # Their phase is the first of two: against the neutral they would be 73 % too high and 30° ahead.
    recording = in_phases(f"{names} IA IB IC", "VVVAAA", "ABCABC")
    with pytest.raises(RecordingError, match=r"no voltage with its current .*ia, ib, ic found.* is between lines: see"):
        assign(recording)
    given = f"va={names.split()[0]},ia=IA"
    assert assign(recording, parse_spec(given)) == {"va": 0, "ia": 3}
    assert assign(in_phases("Line1 IA", "VA", "AA")) == {"va": 0, "ia": 1}
