"""A year of billing in one-minute windows, with everything on: memory stands still, and everything adds up."""

from __future__ import annotations

import gc
import random
import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest

from rig.meter.billing.billing import Billing
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import EndOfInterval, ProfileWords
from rig.meter.billing.quantity import NANO, Quantity
from rig.meter.billing.tariff import Rate
from rig.program.build import load_program

MINUTE_NS = 60 * 10**9
DAY_MINUTES = 24 * 60
BEGIN_NS = 1_767_225_600 * 10**9
EXAMPLES = Path(__file__).parents[2] / "rig" / "program" / "examples"


def days_of(billing: Billing, rng: random.Random, days: int) -> tuple[int, int]:
    """Let days go by; how many ends of interval and words of the profile there were."""
    intervals = words = 0
    at_ns = billing.now_ns
    for _ in range(days * DAY_MINUTES):
        quadrant = 0 if rng.random() < 0.9 else rng.randrange(4)
        energies = [rng.randrange(2 * 10**11) for _ in range(4)]
        squares = tuple(rng.randrange(10**13) for _ in range(7))
        for happening in billing.advance(EnergyInterval(at_ns, at_ns + MINUTE_NS, quadrant, *energies, squares)):
            intervals += isinstance(happening, EndOfInterval)
            words += len(happening.words) if isinstance(happening, ProfileWords) else 0
        at_ns += MINUTE_NS
    return intervals, words


@pytest.mark.slow
def test_memory_is_flat_over_a_year(figures) -> None:
    program = load_program(EXAMPLES / "industrial-9s.toml")
    billing, _ = Billing.begin(program.billing, BEGIN_NS)
    rng = random.Random(1)
    tracemalloc.start()
    try:
        days_of(billing, rng, 31)
        gc.collect()
        after_a_month, _ = tracemalloc.get_traced_memory()
        days_of(billing, rng, 334)
        gc.collect()
        after_a_year, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Anything kept would be thousands of intervals or events; caches of days and spans breathe.
    figures.add("memory a year of billing adds after its first month", (after_a_year - after_a_month) / 1024, 64, "KiB")
    billing.settle()
    registers = billing.registers
    for quantity in Quantity:
        assert registers.energy(quantity) == sum(registers.energy(quantity, rate) for rate in Rate)
    recorder = program.billing.recorder
    assert recorder is not None
    state = billing.state.recorder
    assert state is not None
    for channel, counted, carried in zip(recorder.channels, state.counted, state.carried, strict=True):
        if channel.metric.quantity is not None:
            pulse = channel.pulse * NANO
            register = counted * pulse + Fraction(carried, pulse.denominator)
            assert register == registers.energy(channel.metric.quantity)
    figures.check()
