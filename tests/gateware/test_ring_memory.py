"""The ring's memory, as block RAM and as the iCE40UP5K's SPRAM, and the records on the latter: the same words."""

from __future__ import annotations

import random

import pytest
from gateware_bench import refuses, simulate
from spram_model import Spram
from test_records import SMALL, TIMED, Bench, Set, expected, some

from gateware import ring_memory
from gateware.chain import Chain
from gateware.ring_memory import SPRAM_WORDS, RingMemory


@pytest.fixture
def simulated_spram(monkeypatch: pytest.MonkeyPatch) -> None:
    """No simulator here has the FPGA's own cell."""
    monkeypatch.setattr(ring_memory, "Instance", Spram)


@pytest.mark.parametrize("spram", [False, True])
def test_words_come_back_a_clock_after_they_are_asked_for(spram: bool, simulated_spram: None) -> None:
    words = SPRAM_WORDS
    ring = RingMemory(words, spram)
    rng = random.Random(5)
    places = [0, 1, words // 2, words - 1, *rng.sample(range(2, words // 2), 12)]
    values = {place: rng.getrandbits(64) for place in places}

    async def run(ctx) -> None:  # type: ignore[no-untyped-def]
        for place, value in values.items():
            ctx.set(ring.write_word, place)
            ctx.set(ring.value, value)
            ctx.set(ring.write, 1)
            await ctx.tick()
        ctx.set(ring.write, 0)
        for place in rng.sample(places, len(places)):
            ctx.set(ring.read_word, place)
            ctx.set(ring.read, 1)
            await ctx.tick()
            assert ctx.get(ring.data) == values[place]

    simulate(ring, run)


def test_a_ring_must_fit_the_single_port_memories() -> None:
    refuses(lambda: RingMemory(SPRAM_WORDS + 1, spram=True), "16384 words")


@pytest.mark.parametrize("slots", [0, 1, 4097])
def test_a_ring_has_slots_and_not_too_many(slots: int) -> None:
    with pytest.raises(ValueError, match=f"the ring of records has 2 to 4096 slots, not {slots}"):
        Chain(record_slots=slots)


def test_records_on_spram_are_those_on_block_ram(simulated_spram: None) -> None:
    """Closed, merged and read, so that each bank's first sums come from the rows of zeros after it held others."""
    bench = Bench(SMALL, spram=True)
    sets = [Set(x, TIMED) for x in some(9)]
    full = {4, 5, 6}  # the first has nothing to close, three wait
    taken = []

    async def run(ctx) -> None:  # type: ignore[no-untyped-def]
        for number, each in enumerate(sets):
            if number == 7:
                taken.extend(await bench.take_all(ctx))
            await bench.decide(ctx, each)
        taken.extend(await bench.take_all(ctx))

    simulate(bench.module, run)
    assert taken == expected(SMALL, sets, [number not in full for number in range(len(sets))])
