"""An hour of every pulse output: count × constant is the register to one pulse, KYZ order perfect (P-1, P-2, P-6)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rig.meter.contacts.outputs import OutputId
from rig.program.build import default_program
from tests.rig.pulse_bench import QUANTITIES, PulseBench, loads

HOUR_S = 3600


@pytest.mark.slow
@pytest.mark.parametrize("part", range(len(QUANTITIES)))
@pytest.mark.parametrize(("form", "current_class"), [("45S", 20), ("9S", 200)])
def test_an_hour_from_starting_current_to_overload(form: str, current_class: int, part: int, figures) -> None:
    program = default_program(form, current_class)
    steps = sum(1 for _ in loads(program, Fraction(1)))
    bench = PulseBench(program, QUANTITIES[part])
    bench.run(loads(program, Fraction(HOUR_S, steps)))
    counted = {id: watch.transitions for id, watch in bench.watches.items()}
    counted[OutputId.TEST_LED] = bench.led.flashes
    off = [bench.off_by(id, count) for id, count in counted.items()]
    edges = [relay.edges for relay in bench.relays.values()] + [bench.led.edges]
    delayed = sum(edge.held + edge.waiting for edge in edges) + bench.schedule.late
    what = f"form {form} of class {current_class}, an hour of pulses, part {part + 1}"
    figures.add(f"{what}: transitions and flashes", sum(counted.values()), None, "")
    figures.add(f"{what}: most a register is ahead of its pulses", max(off), 1 - 1e-9, "pulses")
    figures.add(f"{what}: pulses ahead of a register", sum(share < 0 for share in off), 0, "")
    wrong = sum(sum(watch.wrong.values()) for watch in bench.watches.values())
    figures.add(f"{what}: transitions out of order, of dwell or of instant", wrong, 0, "")
    figures.add(f"{what}: held, late or never made", delayed, 0, "")
    assert all(bench.register(quantity) > 0 for quantity in QUANTITIES[part])
    figures.check()
