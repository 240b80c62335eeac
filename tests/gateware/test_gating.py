"""Activity gating is about speed only: the gateware compiled with it and without it does the same at every clock."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from amaranth.lib.wiring import Component, In
from everything_on import check_all_was_at_work, play_everything
from gateware_bench import Host, Netlist, mains, noise
from test_generate import Exchanges, Memories, Nested, Random, activities, flat, members, native
from test_races import NEAR, WAYS, race
from test_twin import short_program

from gateware.chain import Chain
from gateware.compiler.generate import cpp
from gateware.compiler.passes import translate
from gateware.compiler.profile import measure
from gateware.twin.build import STEADY, library, netlist
from gateware.twin.engine import Twin

CHAIN = Chain()


def tapes_agree(host: Host, *netlists: Netlist) -> None:
    """CIPO was the same at each clock, not only where the host looked."""
    first, *others = [np.concatenate([cipo for _, _, cipo in netlist.tape]) for netlist in netlists]
    assert len(first) == host.ticks * host.chain.clocks_per_tick
    for other in others:
        np.testing.assert_array_equal(other, first)


def gated_and_not(chain: Chain = CHAIN) -> tuple[Netlist, Netlist]:
    return Netlist(chain, tape=True), Netlist(chain, gated=False, tape=True)


@pytest.mark.parametrize("paired", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_pins_are_the_same_on_random_bits_at_the_fastest_sck(paired):
    chain = Chain(paired=paired)
    netlists = gated_and_not(chain)
    host = Host(chain, noise(11), *netlists, clocks_per_bit=Fraction(4))
    short_program(host)
    host.run(20_000)
    tapes_agree(host, *netlists)


@pytest.mark.slow
def test_pins_records_and_readings_are_the_same_with_everything_on():
    netlists = gated_and_not()
    host = Host(CHAIN, mains(4000), *netlists)
    check_all_was_at_work(play_everything(host, steps=60, seed=3))
    tapes_agree(host, *netlists)


@pytest.mark.slow
def test_records_are_the_same_after_a_long_rest():
    """Nothing but the modulators for a second, which is when most of the netlist is idle."""
    host = Host(CHAIN, mains(55_555), *gated_and_not())
    host.run(round(CHAIN.tick_hz))
    assert len(host.drain()) == 15  # of those that wait, as many as a reply counts


@pytest.mark.slow
@pytest.mark.parametrize("what", WAYS)
def test_frames_race_the_end_of_a_window_in_the_same_way(what):
    race(what, NEAR, *gated_and_not())


def slow_inputs(design: Component, clocks: int, seed: int) -> np.ndarray:
    """Random input of which each pin rests for long and moves for short spells."""
    generator = np.random.default_rng(seed)
    values = generator.integers(0, 1 << 64, (clocks, len(members(design, In))), np.uint64)
    moves = generator.random(values.shape) < np.where(np.arange(clocks)[:, None] // 100 % 3 == 0, 0.5, 0.01)
    last = np.maximum.accumulate(np.where(moves, np.arange(clocks)[:, None], 0))
    return np.take_along_axis(values, last, axis=0)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
@pytest.mark.parametrize("make", [Exchanges, Memories, Nested, Random])
def test_small_designs_by_their_own_profile(make, seed, tmp_path):
    design = make(seed + 100) if make is Random else make()
    inputs = slow_inputs(design, 3000, seed)
    text = flat(design, tmp_path)
    measured = measure(text, tmp_path, dict.fromkeys(list(members(design, In))[seed % 2 :: 2], 0))
    gated = native(design, inputs, tmp_path, text, measured, "gated")
    np.testing.assert_array_equal(gated, native(design, inputs, tmp_path, text, None, "always"))


# --- the switch -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_switch_makes_other_code(tmp_path):
    """Gated code has groups that wait for dirty bits; the other has none of it, and the same statements besides."""
    folders = [tmp_path / name for name in ("gated", "always")]
    for folder in folders:
        folder.mkdir()
    text = netlist(CHAIN)
    gated, always = (translate(text, f, STEADY, gated=g) for f, g in zip(folders, (True, False), strict=True))
    assert gated.count("if (found_dirty & ") > 10
    assert "dirty" not in always
    assert not (folders[1] / "profile").exists(), "there is nothing to profile for"
    assert library(CHAIN, "native", gated=False) != library(CHAIN, "native")


def test_the_same_profile_gives_the_same_text(tmp_path):
    text = flat(Memories(), tmp_path)
    for activity in activities(text):
        assert cpp(text, activity) == cpp(text, activity)


@pytest.mark.parametrize("engine", ["cxxrtl", "verilator"])
def test_only_the_native_engine_can_do_without(engine):
    with pytest.raises(ValueError, match=f"the engine {engine} has no activity gating to leave out"):
        Twin(CHAIN, engine, gated=False)
