"""The file of components: the documented one works, and what is wrong with another is said."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from gateware.chain import Chain
from rig.files.strict_toml import ConfigError
from rig.hardware.components_file import read_components
from rig.hardware.config import Config, load
from rig.hardware.provenance import rig_toml_digest
from rig.hardware.simulation import loaded, sensors_of
from rig.load.connected import MeteringPoint
from rig.meter.contacts.outputs import OutputId
from rig.program.build import default_program
from rig.results.provenance import Provenance, provenance_of_computation
from rig.verify.setup import setup_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "calibration.md"


def test_the_documented_file(tmp_path: Path) -> None:
    text = next(block for block in re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(), re.S) if "[i1]" in block)
    (tmp_path / "parts.toml").write_text(text)
    (tmp_path / "rig.toml").write_text('[simulation]\ncomponents = "parts.toml"\n')
    components = read_components(tmp_path / "parts.toml")
    assert components.v1.ratio_percent == -1.8
    v1, _, _, i1, i2, i3 = sensors_of(load(tmp_path / "rig.toml"), 20, Chain())
    assert v1.gain * 850 / 0.78125 == pytest.approx(0.982 * 1.002 * (1 + 25e-6 * 12), rel=1e-12)
    assert i1.at_level(1.0)[1] * 360 * 60 == pytest.approx(-0.2 - 0.05)
    assert i2.gain < 0
    assert i3.terminal == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[i1]\nratio_percent = nan", r"ratio_percent is nan, it must be"),
        ("[i1]\nratio_percent = -100.0", r"ratio_percent is -100.0, it must be"),
        ("[i1]\nterminal = 'i4'", r"terminal is 'i4', it must be"),
        ("[i4]\n", r"unknown key i4 in the file"),
        ("[i1]\ncurve = [{ amperes = 2.0 }, { amperes = 1.0 }]", r"i1.curve has amperes .2.0, 1.0., they must rise"),
        ("[v1]\ncurve = [{ amperes = 2.0 }]", r"v1.curve is of a current transformer: leave it out"),
        ("[i1]\ncurve = [{ amperes = 0.0 }]", r"amperes is 0.0, it must be"),
        ("identity = ''", r"identity is '', it must be"),
        ("temperature_c = 1e9", r"temperature_c is 1000000000.0, it must be"),
        ("[i1]\nnoise_db = 3.0", r"noise_db is 3.0, it must be"),
        ("= 3", r"is not TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "parts.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_components(path)


def test_a_report_names_the_front_end(tmp_path: Path) -> None:
    said = []
    for text in ("", 'lot = { seed = 7, meter = 12, fault = "wrong ratio" }', 'components = "p.toml"'):
        (tmp_path / "rig.toml").write_text(f"[simulation]\n{text}\n")
        config = load(tmp_path / "rig.toml")
        said.append(setup_of(config, default_program(), OutputId.KYZ1, provenance_with(config), {}).configuration)
    assert [each["hardware"] for each in said] == [
        "simulated, exact, typical sensors, seed 1",
        "simulated, exact, meter 12 of lot 7, transformers, wrong ratio, seed 1",
        f"simulated, exact, components of {tmp_path / 'p.toml'}, seed 1",
    ]


def provenance_with(config: Config) -> Provenance:
    made = provenance_of_computation("exact", "p")
    return msgspec.structs.replace(made, configuration=rig_toml_digest(config))


def test_a_meter_of_a_lot_is_uncalibrated(tmp_path: Path) -> None:
    (tmp_path / "rig.toml").write_text("[simulation]\nlot = { seed = 7, meter = 12 }\n")
    hardware = loaded(load(tmp_path / "rig.toml"), MeteringPoint())
    assert not hardware.calibration.calibrated
    hardware.close()
    (tmp_path / "rig.toml").write_text("")
    hardware = loaded(load(tmp_path / "rig.toml"), MeteringPoint())
    assert hardware.calibration.calibrated
    hardware.close()
