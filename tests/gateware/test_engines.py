"""Verilator, where it is installed, as the third compiler of the same netlist: same pins, same records."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from gateware_bench import Host, Netlist, mains, noise
from test_twin import short_program

from gateware.chain import Chain
from gateware.twin import build
from gateware.twin.behind_bus import ModelBehindBus
from gateware.twin.build import TwinError
from gateware.twin.engine import Twin


@pytest.fixture
def installed() -> None:
    try:
        build.verilator()
    except TwinError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("installed")
def test_verilator_cxxrtl_and_native_have_the_same_pins():
    """CIPO at each clock, not only where a host would look, and at the fastest SCK."""
    chain = Chain()
    native = Netlist(chain, tape=True)
    short_program(Host(chain, noise(7), native, clocks_per_bit=Fraction(4)))
    bits, pins, cipo = (np.concatenate(part) for part in zip(*native.tape, strict=True))
    assert 0 < cipo.mean() < 1
    for engine in ("cxxrtl", "verilator"):
        np.testing.assert_array_equal(Twin(chain, engine).drive(bits, pins), cipo, engine)


@pytest.mark.usefixtures("installed")
def test_verilator_native_and_model_agree_over_many_windows():
    chain = Chain()
    host = Host(chain, mains(4000), Netlist(chain, "verilator"), Netlist(chain), ModelBehindBus(chain))
    host.write("WINDOW_MIN", 8)
    records = []
    for _ in range(12):
        host.run(9_000)
        records += host.drain()
    assert sum(r.whole_cycles for r in records) > 10


def test_a_machine_without_verilator_is_told_the_package(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TwinError, match=r"^the engine verilator needs Verilator: install the package verilator$"):
        build.verilator()


@pytest.mark.parametrize("said", ["Verilator 4.038 2020-07-11 rev v4.036-114-g0cd4a57ad", "nothing of the kind"])
def test_a_verilator_too_old_or_not_one_is_told(monkeypatch, tmp_path, said):
    program = tmp_path / "verilator"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(TwinError, match=f"needs Verilator 5 or newer, this one says '{said}': install"):
        build.verilator()
