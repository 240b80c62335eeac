"""The model by itself: its samples from their definition, and time in any portions."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from gateware_bench import mains, noise, steady
from hypothesis import given, settings
from hypothesis import strategies as st

from gateware.chain import TAPS, Chain
from gateware.model.decimation import Decimation
from gateware.model.model import GatewareModel
from gateware.registers import BY_NAME, CHANNELS, Channel

CHAIN = Chain()
SAMPLE = CHAIN.ticks_per_sample


# --- samples --------------------------------------------------------------------------------------------


def samples_of(bits: np.ndarray, delays: np.ndarray) -> np.ndarray:
    """(n, 6) samples by convolution, in whole numbers: three moving sums, the taps, one rounding with remainder."""
    ones = np.ones(CHAIN.decimation, np.int64)
    weights = np.convolve(np.convolve(ones, ones), ones)
    columns = []
    for c in range(CHANNELS):
        late = int(delays[c])
        stream = np.concatenate((np.zeros(late, np.int64), bits.astype(np.int64) >> c & 1))[: len(bits)]
        coded = np.concatenate((np.zeros(2, np.int64), 2 * stream - 1))[: len(bits)]  # two pipelined integrators
        cic = np.convolve(coded, weights)[CHAIN.decimation - 1 : len(bits) : CHAIN.decimation]
        exact = np.convolve(cic, TAPS)[1 : len(cic) : 2]
        cut = np.cumsum(exact) >> CHAIN.round_bits  # carrying the remainder is cutting the running sum
        columns.append(np.clip(np.diff(cut, prepend=0), -(1 << 19), (1 << 19) - 1))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("source", [noise(1), mains(5000), mains(700, amplitude=1.5), steady(0b110100)])
def test_samples_are_their_definition(source):
    bits = source(200 * SAMPLE + 5)
    delays = np.array([0, 1, 17, 128, 254, 255])
    samples, _, _ = Decimation(CHAIN).feed(bits, delays)
    np.testing.assert_array_equal(samples, samples_of(bits, delays))


def test_overload_and_dead_are_those_of_their_sample():
    """A line that dies for one CIC period only, and codes on the two sides of 94 %."""
    bits = noise(2)(8 * SAMPLE)
    half = SAMPLE // 2
    bits[6 * half : 7 * half] |= 0b000100
    bits[11 * half : 12 * half] &= 0b011111
    _, _, dead = Decimation(CHAIN).feed(bits, np.zeros(CHANNELS, np.int64))
    assert dead.tolist() == [0, 0, 0, 0b000100, 0, 0b100000, 0, 0]

    bits = mains(20_000, amplitude=0.96)(400 * SAMPLE)
    samples, overload, _ = Decimation(CHAIN).feed(bits, np.zeros(CHANNELS, np.int64))
    beyond = (np.abs(samples) >= CHAIN.overload_code) @ (1 << np.arange(CHANNELS))
    np.testing.assert_array_equal(overload, beyond)
    assert 0 < np.count_nonzero(overload) < len(overload)


def test_overload_begins_at_its_code_exactly():
    """The twenty highest codes that a channel has, each taken for the limit, so that it is hit (review I-4)."""
    bits = mains(20_000, amplitude=0.96)(400 * SAMPLE)
    samples, _, _ = Decimation(CHAIN).feed(bits, np.zeros(CHANNELS, np.int64))
    for code in sorted({abs(int(x)) for x in samples[:, 0]})[-20:]:
        chain = type("Sensitive", (Chain,), {"overload_code": code})()
        _, overload, _ = Decimation(chain).feed(bits, np.zeros(CHANNELS, np.int64))
        beyond = (np.abs(samples) >= code) @ (1 << np.arange(CHANNELS))
        np.testing.assert_array_equal(overload, beyond)


# --- time -----------------------------------------------------------------------------------------------

BITS = mains(3000)(24 * SAMPLE)


def run(cuts: list[int], writes: dict[int, tuple[str, int]]) -> list[list[int]]:
    """The records of BITS, run in portions that end at `cuts`; writes come when so many ticks have been run."""
    model = GatewareModel(CHAIN)
    at = 0
    for end in sorted({*cuts, *writes, len(BITS)}):
        model.run(BITS[at:end])
        model.run(BITS[:0])
        at = end
        if end in writes:
            name, value = writes[end]
            when = end * CHAIN.clocks_per_tick
            assert model.ticks_before(when) == end
            model.write(BY_NAME[name].address, value, when)
    when = 10 * len(BITS) * CHAIN.clocks_per_tick
    records = []
    while model.level(when):
        records.append(model.oldest().tolist())
        model.pop(when)
    return records


positions = st.integers(1, len(BITS) - 2)
values = st.one_of(
    st.tuples(st.sampled_from([f"DELAY_{c.name}" for c in Channel]), st.integers(0, 255)),
    st.tuples(st.just("WINDOW_MAX"), st.integers(2, 9)),
    st.tuples(st.just("CLOSE_AT_HI"), st.just(0)),
)


@settings(max_examples=30)
@given(st.lists(positions, max_size=12), st.dictionaries(positions, values, max_size=4))
def test_portions_change_nothing(cuts, writes):
    writes = {1: ("WINDOW_MAX", 5)} | writes
    whole = run([], writes)
    assert run(cuts, writes) == whole
    assert run([end for cut in cuts for end in (cut, cut + 1)], writes) == whole


def test_records_follow_one_another():
    records = run(list(range(0, len(BITS), 100)), {1: ("WINDOW_MAX", 5)})
    assert len(records) == 4
    assert all(a[2] == b[1] and (b[0] >> 32) - (a[0] >> 32) == 1 for a, b in pairwise(records))
