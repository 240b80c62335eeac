"""Meters with random pasts, and an account of what was put into each, kept in plain numbers."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from rig.files.strict_toml import convert
from rig.meter.billing.commands import Action
from rig.meter.billing.energy_interval import EnergyInterval
from rig.program import schema
from rig.program.build import Program, build, load_program
from tests.rig.kept_meter import KeptMeter

SECOND = 10**9
T0 = int(datetime(2026, 10, 31, 22, tzinfo=UTC).timestamp()) * SECOND
"""Six hours before a season ends in Toronto."""

QUANTITIES = '["kW delivered", "kvar lagging", "kVA"]'

TEXT = """
[meter]
[clock]
zone = "America/Toronto"
[demand]
{demand}
quantities = {quantities}
[test_mode]
minutes = 20
method = "block"
interval_minutes = 5
[[tou.seasons]]
name = "summer"
begins = "05-01"
weekday = ["00:00 C", "07:00 A", "20:00 B"]
saturday = ["00:00 C", "17:00 A"]
[[tou.seasons]]
name = "winter"
begins = "11-01"
weekday = ["00:00 D"]
[recorder]
interval_minutes = 15
channels = [{{ metric = "kWh delivered", pulse = "3/7" }}, {{ metric = "input 2", pulse = "3" }}]
[self_read]
schedule = "hours"
hours = 6
[[outputs]]
name = "KYZ1"
function = "pulses"
quantity = "kWh delivered"
kp_wh = "0.7"
[[outputs]]
name = "KYZ2"
function = "pulses"
quantity = "kvarh lagging"
kp_wh = "1/3"
[[inputs]]
name = "IN1"
function = "record"
[[inputs]]
name = "IN2"
function = "record"
"""

BLOCK = 'method = "block"\ninterval_minutes = 15'
SLIDING = 'method = "sliding"\nsubinterval_minutes = 5\ninterval_minutes = 15'
THERMAL = 'method = "thermal"\ninterval_minutes = 15'
KINDS = ("block", "sliding", "thermal", "industrial", "no demand")


@cache
def program(kind: str) -> Program:
    match kind:
        case "industrial":
            return load_program(Path(schema.__file__).parent / "examples" / "industrial-9s.toml")
        case "no demand":
            return build(convert(tomllib.loads('[meter]\nmodel = "AXLS4"'), schema.ProgramFile))
    demand = {"block": BLOCK, "sliding": SLIDING, "thermal": THERMAL}[kind]
    text = TEXT.format(demand=demand, quantities=QUANTITIES)
    return build(convert(tomllib.loads(text), schema.ProgramFile))


def long_division(value: Fraction, decimals: int) -> str:
    """So many decimals of it, one digit after the other; the witness of every text."""
    whole, rest = divmod(abs(value.numerator), value.denominator)
    digits = ""
    for _ in range(decimals):
        digit, rest = divmod(10 * rest, value.denominator)
        digits += str(digit)
    text = str(whole) + ("." + digits if decimals else "")
    return "-" + text if value < 0 and text.strip("0.") else text


@dataclass
class Account:
    """What went in: 16 places while billing registered and while test mode did (the last one), pulses, and what each
    output was given."""

    energy: list[int] = field(default_factory=lambda: [0] * 16)
    test: list[int] = field(default_factory=lambda: [0] * 16)
    inputs: list[int] = field(default_factory=lambda: [0, 0])
    flowed: dict[str, int] = field(default_factory=dict)


Step = tuple[str, tuple[int, ...]]

amounts = st.one_of(st.integers(0, 10**9), st.integers(0, 10**15), st.just(10**13), st.integers(2**62, 2**70))
steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("flow"), st.tuples(st.integers(1, 1800), st.integers(0, 3), amounts, amounts, amounts, amounts)),
    st.tuples(st.just("flow"), st.tuples(st.just(900), st.just(0), st.integers(10**12, 10**14), *[amounts] * 3)),
    st.tuples(st.just("idle"), st.tuples(st.integers(1, 20_000))),
    st.tuples(st.sampled_from(["reset", "self-read", "release", "test", "end of test"]), st.just(())),
    st.tuples(st.just("force"), st.tuples(st.integers(0, 3))),
    st.tuples(st.just("pulses"), st.tuples(st.integers(0, 1), st.integers(1, 10**6))),
)
pasts = st.lists(steps, max_size=14)

_ACTIONS = {
    "reset": Action.RESET,
    "self-read": Action.SELF_READ,
    "release": Action.RELEASE_RATE,
    "test": Action.TEST_BEGIN,
    "end of test": Action.TEST_END,
}


def lived(
    programmed: Program, past: Sequence[Step], folder: Path | None = None, begin_ns: int = T0
) -> tuple[KeptMeter, Account]:
    """A meter after all this, and the account of it."""
    kept, account = KeptMeter(folder, programmed, begin_ns), Account()
    for name, given in past:
        take_step(kept, account, name, given)
    return kept, account


def take_step(kept: KeptMeter, account: Account, name: str, given: tuple[int, ...]) -> None:
    billing = kept.meter.billing
    tested = billing.test is not None
    match name:
        case "flow":
            seconds, quadrant, *energies = given
            # In whole seconds, of each second the same: so what flows until test mode ends by itself is known.
            energies = [each - each % seconds for each in energies]
            left = seconds
            if billing.test_ends_ns is not None:
                left = min(seconds, (billing.test_ends_ns - billing.now_ns) // SECOND)
            parts = [(left, tested), (seconds - left, False)]
            for part, in_test in parts:
                places = account.test if in_test else account.energy
                for k, each in enumerate(energies):
                    places[4 * quadrant + k] += each // seconds * part
            now_ns = kept.now_ns
            kept._keep(billing.advance(EnergyInterval(now_ns, now_ns + seconds * SECOND, quadrant, *energies)))
            for each in kept.meter.outputs.values():
                nwh = energies[0] % 10**11
                each.advance(nwh, 0, 1000)
                account.flowed[each.id] = account.flowed.get(each.id, 0) + nwh
        case "idle":
            now_ns = kept.now_ns + given[0] * SECOND
            kept._keep(billing.advance(EnergyInterval(now_ns, now_ns, 0, 0)))
        case "force":
            kept.does(Action.FORCE_RATE, given[0])
        case "pulses":
            place, pulses = given
            account.inputs[place] += pulses
            kept.does(Action.INPUT_PULSES, place, pulses)
        case _:
            if name == "test" and not tested:
                account.test = [0] * 16
            kept.does(_ACTIONS[name])
