"""P-2: four form-C outputs, each any of seven quantities, with a Kp of its own from Ks/12 on; 0 disables."""

from __future__ import annotations

import tomllib

import pytest

from rig.files.strict_toml import ConfigError, convert
from rig.program.build import build
from rig.program.schema import ProgramFile


def outputs(*quantities: str, kp_wh: str = "0.15") -> str:
    """A program with an output for each."""
    return "\n".join(
        f'[[outputs]]\nname = "KYZ{k}"\nfunction = "pulses"\nquantity = "{quantity}"\nkp_wh = "{kp_wh}"'
        for k, quantity in enumerate(quantities, 1)
    )


FOUR = ("kWh delivered", "kvarh lagging", "kVAh td lagging", "kVAh rms")
OTHERS = ("kWh received", "kvarh leading", "kVAh td leading")


@pytest.mark.program(outputs(*FOUR))
def test_four_outputs_at_the_least_kp(rig, source, counter) -> None:
    source.apply(amps=20, pf=0.6)
    rig.run(1)
    counter("KYZ1").zero()
    rig.run(5)
    for k, quantity in enumerate(FOUR, 1):
        counter(f"KYZ{k}").expect(of=quantity)
        assert counter(f"KYZ{k}").pulses > 35


@pytest.mark.program(outputs(*OTHERS))
def test_the_three_others(rig, source, counter) -> None:
    source.apply(amps=20, pf=0.6, lead=True)
    rig.run(3)
    counter("KYZ2").expect(of="kvarh leading")
    counter("KYZ3").expect(of="kVAh td leading")
    counter("KYZ1").expect(0)
    source.apply(amps=20, pf=0.6, reverse=True)
    rig.run(0.5)
    counter("KYZ1").zero()
    rig.run(3)
    counter("KYZ1").expect(of="kWh received")
    assert counter("KYZ1").pulses > 20


@pytest.mark.program(outputs("kWh delivered", kp_wh="0"))
def test_a_kp_of_0_disables(rig, source, counter, relay) -> None:
    source.apply(amps=20)
    rig.run(3)
    counter("KYZ1").expect(0)
    relay("KYZ1").expect("open")


@pytest.mark.program(outputs("kWh delivered", kp_wh="1.8"))
def test_each_output_has_its_kp(rig, source, counter) -> None:
    source.apply(amps=40)
    rig.run(1)
    counter("KYZ1").zero()
    rig.run(5)
    counter("KYZ1").expect(of="kWh delivered")
    counter("LED").expect(counter("KYZ1").pulses)


def test_less_than_a_twelfth_of_ks_is_refused() -> None:
    text = outputs("kWh delivered", kp_wh="0.149")
    with pytest.raises(ConfigError, match=r"at least Ks/12 = 0\.15"):
        build(convert(tomllib.loads(text), ProgramFile))


@pytest.mark.program(outputs("kWh delivered"))
def test_no_false_pulse_when_power_fails(rig, source, counter, relay) -> None:
    """At rest both contacts are open; the first pulse after it closes the one opposite to the last before."""
    source.apply(amps=20)
    rig.run(3)
    last = relay("KYZ1").closed
    counter("KYZ1").expect(of="kWh delivered")
    rig.power_off(1)
    relay("KYZ1").expect("open")
    rig.run(2)
    counter("KYZ1").expect(of="kWh delivered")
    assert last in ("K-Y", "K-Z")
