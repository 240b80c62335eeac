"""Keys that were written to a running meter are those of its next start; changed in its file, the file's are (S-1)."""

from __future__ import annotations

from pathlib import Path

from kept_meter import SECOND, KeptMeter

from rig.meter.billing.source import Source
from rig.program.build import Program, load_program
from rig.service.persistence import program_in_force

T0 = 1_800_000_000 * SECOND


def program(folder: Path, key: str, serial: str = "1") -> Program:
    path = folder / "meter.toml"
    path.write_text(f'[meter]\nserial = "{serial}"\n[security]\nlevel_4 = "{key}"\n')
    return load_program(path)


def test_written_keys_outlive_a_restart(tmp_path: Path) -> None:
    store, configured, written = tmp_path / "store", program(tmp_path, "A1A2A3"), program(tmp_path, "B1B2B3")
    meter = KeptMeter(store, configured, T0).meters(2)
    meter.persistence.write_program(written, configured, meter.meter.state, Source.COMMAND_LINE)
    meter.fails()
    assert program_in_force(configured, store)[0].security == written.security != configured.security
    edited = program(tmp_path, "C1C2C3")
    assert program_in_force(edited, store)[0].security == edited.security


def test_writing_the_configured_program_again_ends_it(tmp_path: Path) -> None:
    store, configured = tmp_path / "store", program(tmp_path, "A1A2A3")
    meter = KeptMeter(store, configured, T0).meters(2)
    for written in (program(tmp_path, "B1B2B3"), configured):
        meter.persistence.write_program(written, configured, meter.meter.state, Source.COMMAND_LINE)
    meter.fails()
    assert program_in_force(configured, store)[0].security == configured.security
