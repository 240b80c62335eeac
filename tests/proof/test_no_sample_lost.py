"""Not one sample lost, whatever the host and the wires do (C-2, C-3).

Each run is compared with an undisturbed one of the same modulator bits, whose records are taken from the model as soon
as they are there. Where no record is coalesced all of them must be the same, word for word. Where some are, what adds
up must be the same over the same samples: products, td products and means, samples, ticks, windows and cycles. Phasors
do not add up, as the oscillator begins anew with each record; a coalesced record has other ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from figures import Figures
from noisy_board import NO_FAULTS, Bits, Faults, Noise, NoisyBoard, NoisyEngine, NoisyModel, NoisyNetlist, tape
from proof_bench import CHAIN, drained

from drivers.spi_link import LinkError, SpiLink
from gateware.frames import MAX_COUNT, Op, request
from gateware.model.model import GatewareModel
from gateware.record_words import HEADER_WORDS, WORD_MEANS, WORD_PHASORS, Record, RecordFlag
from gateware.registers import BY_NAME
from gateware.twin.bus import Timing

TAPE_S = 10.0
SHORT_TAPE_S = 1.0
POLL_TICKS = 1 << 16  # 20 ms, as the service does
CHUNK_TICKS = 1 << 15  # shorter than a window
_PHASORS = range(WORD_PHASORS - HEADER_WORDS, WORD_MEANS - HEADER_WORDS)


def ticks_in(seconds: float) -> int:
    """Modulator ticks in so many seconds."""
    return round(seconds * CHAIN.tick_hz)


def undisturbed(bits: Bits, ticks: int) -> list[Record]:
    """The records of at least so many ticks, each taken before the next is made."""
    model = GatewareModel(CHAIN)
    records = []
    while model.ticks < ticks:
        model.run(bits(CHUNK_TICKS))
        records += drained(model)
    assert all(r.windows == 1 for r in records)
    return records


def totals(records: list[Record]) -> tuple[int, ...]:
    """What adds up."""
    sums = [sum(words) for k, words in enumerate(zip(*(r.sums for r in records), strict=True)) if k not in _PHASORS]
    counts = [(r.samples, r.ticks, r.windows, r.cycles) for r in records]
    return (*sums, *map(sum, zip(*counts, strict=True)))


def samples_lost(records: list[Record]) -> int:
    """By the records' own account: bits seen that are not in a sample, and gaps. 256 bits a sample."""
    assert [r.sequence for r in records] == list(range(len(records)))
    assert not any(RecordFlag.OVERRUN in r.flags for r in records)
    gaps = sum(abs(b.tick_start - a.tick_end) for a, b in itertools.pairwise(records))
    return gaps + sum(abs(r.ticks - CHAIN.ticks_per_sample * r.samples) for r in records)


def records_differ(records: list[Record], reference: list[Record]) -> int:
    """Records that are not the undisturbed run's. Of that, the last may still be in the FPGA's memory."""
    assert len(reference) - CHAIN.record_slots <= len(records) <= len(reference)
    return sum(a != b for a, b in zip(records, reference, strict=False))


def totals_differ(records: list[Record], reference: list[Record]) -> int:
    """Totals that are not the undisturbed run's over the same samples."""
    same = [r for r in reference if r.tick_end <= records[-1].tick_end]
    assert same[-1].tick_end == records[-1].tick_end
    return sum(a != b for a, b in zip(totals(records), totals(same), strict=True))


def polled(board: NoisyBoard, link: SpiLink, ticks: int, pause: int = POLL_TICKS) -> Iterator[Record]:
    """What a host reads that looks after every `pause`."""
    while board.ticks < ticks:
        board.advance(pause)
        yield from link.records()


ENGINES = pytest.mark.parametrize(
    ("make", "name", "length_s"),
    [(NoisyModel, "model", 60.0), (NoisyNetlist, "netlist", 5.0)],
    ids=["model", "netlist"],
)


# --- a stalled host -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_host_that_stalls_for_ten_minutes(figures: Figures) -> None:
    ticks = ticks_in(600)
    bits = tape(CHAIN, TAPE_S)
    model = GatewareModel(CHAIN)
    records = []
    while model.ticks < ticks:
        model.run(bits(POLL_TICKS))
    for _ in range(10):
        records += drained(model)
        model.run(bits(CHUNK_TICKS))
    reference = undisturbed(tape(CHAIN, TAPE_S), model.ticks)
    longest = max(r.samples for r in records) * CHAIN.ticks_per_sample / CHAIN.tick_hz
    figures.add("host stalled for ten minutes: the longest record", float(longest), None, "s")
    figures.add("host stalled for ten minutes: bits lost", samples_lost(records), 0, "")
    figures.add("host stalled for ten minutes: totals that differ", totals_differ(records, reference), 0, "of 49")
    figures.check()
    assert longest > 600 - CHAIN.record_slots / 60


# --- a full FIFO ----------------------------------------------------------------------------------------


def overflow(make: Callable[..., NoisyEngine], length_s: float, tape_s: float) -> tuple[list[Record], list[Record]]:
    """A host that reads every half second or so: some thirty windows come, seven fit."""
    chain = replace(CHAIN, record_slots=8)
    board = NoisyBoard(chain, make(chain), tape(CHAIN, tape_s))
    link = SpiLink(board)
    records = list(polled(board, link, ticks_in(length_s), pause=ticks_in(0.517)))
    assert sum(r.windows > 1 for r in records) >= length_s - 1
    return records, undisturbed(tape(CHAIN, tape_s), board.ticks)


def test_records_coalesce_and_lose_nothing() -> None:
    records, reference = overflow(NoisyModel, 3.0, SHORT_TAPE_S)
    assert samples_lost(records) == 0
    assert totals_differ(records, reference) == 0


@pytest.mark.slow
@ENGINES
def test_fifo_overflow(make: Callable[..., NoisyEngine], name: str, length_s: float, figures: Figures) -> None:
    records, reference = overflow(make, length_s, TAPE_S)
    what = f"FIFO overflow, {name}, {length_s:g} s"
    figures.add(f"{what}: records coalesced", sum(r.windows > 1 for r in records), None, f"of {len(records)}")
    figures.add(f"{what}: bits lost", samples_lost(records), 0, "")
    figures.add(f"{what}: totals that differ", totals_differ(records, reference), 0, "of 49")
    figures.check()


# --- a busy host ----------------------------------------------------------------------------------------


@pytest.mark.slow
@ENGINES
def test_a_host_that_reads_at_full_rate(
    make: Callable[..., NoisyEngine], name: str, length_s: float, figures: Figures
) -> None:
    """Frame after frame, the bus never idle: records, and while there is none, registers."""
    length_s = min(length_s, 10.0)
    board = NoisyBoard(CHAIN, make(CHAIN), tape(CHAIN, TAPE_S))
    link = SpiLink(board)
    records = []
    while board.ticks < ticks_in(length_s):
        records += list(link.records())
        link.read("MAGIC", 12)
    reference = undisturbed(tape(CHAIN, TAPE_S), board.ticks)
    what = f"host at full rate, {name}, {length_s:g} s"
    figures.add(f"{what}: frames", link.counts.frames / length_s, None, "a second")
    figures.add(f"{what}: bits lost", samples_lost(records), 0, "")
    figures.add(f"{what}: records that differ", records_differ(records, reference), 0, f"of {len(records)}")
    figures.check()


# --- noise ----------------------------------------------------------------------------------------------


def test_noise_means_the_same_to_netlist_and_model() -> None:
    """Every reply, whatever was disturbed, byte for byte."""
    boards = [
        NoisyBoard(CHAIN, make(CHAIN), tape(CHAIN, SHORT_TAPE_S), Noise(0.8, 1)) for make in (NoisyNetlist, NoisyModel)
    ]
    for board in boards:
        board.advance(4 * POLL_TICKS)
    generator = np.random.default_rng(1)
    for number in range(400):
        op = (Op.READ, Op.RECORD, Op.POP, Op.WRITE)[number % 4]
        address = {Op.WRITE: BY_NAME["CLOSE_AT_LO"].address, Op.POP: number // 40}.get(op, int(generator.integers(32)))
        frame = request(op, number & 0xFF, address, int(generator.integers(MAX_COUNT[op] + 1)), number)
        twin, model = (board.xfer2(list(frame)) for board in boards)
        assert twin == model, f"frame {number}, {op.name}"


def noisy(
    make: Callable[..., NoisyEngine], length_s: float, tape_s: float, share: float, attempts: int
) -> tuple[NoisyBoard, SpiLink, list[Record], list[Record]]:
    """A host that polls while a share of all frames is disturbed; the link as it was left, and the records."""
    board = NoisyBoard(CHAIN, make(CHAIN), tape(CHAIN, tape_s))
    link = SpiLink(board, attempts)
    board.faults = Noise(share, 2)
    records = list(polled(board, link, ticks_in(length_s)))
    return board, link, records, undisturbed(tape(CHAIN, tape_s), board.ticks)


def test_noise_on_the_wires_loses_nothing() -> None:
    board, link, records, reference = noisy(NoisyModel, 2.0, SHORT_TAPE_S, 0.1, 8)
    assert board.disturbed > 100
    assert link.counts.retries == link.counts.crc_errors + link.counts.request_errors
    assert records_differ(records, reference) == 0
    assert samples_lost(records) == 0


@pytest.mark.slow
@ENGINES
@pytest.mark.parametrize(("share", "attempts"), [(0.1, 8), (0.5, 64)])
def test_noise(
    make: Callable[..., NoisyEngine], name: str, length_s: float, share: float, attempts: int, figures: Figures
) -> None:
    """A tenth of all frames with the driver's usual patience; half of them with more."""
    board, link, records, reference = noisy(make, length_s, TAPE_S, share, attempts)
    what = f"noise in {share:.0%} of frames, {name}, {length_s:g} s"
    found = link.counts.crc_errors + link.counts.request_errors
    harmless = board.disturbed - found
    figures.add(f"{what}: frames disturbed", board.disturbed, None, f"of {link.counts.frames}")
    figures.add(f"{what}: damaged replies found by their CRC", link.counts.crc_errors, None, "")
    figures.add(f"{what}: damaged requests refused by the FPGA", link.counts.request_errors, None, "")
    figures.add(f"{what}: faults where nothing was listening", harmless, None, "")
    figures.add(f"{what}: errors not detected (records that differ)", records_differ(records, reference), 0, "")
    figures.add(f"{what}: bits lost", samples_lost(records), 0, "")
    figures.check()
    assert link.counts.retries == found
    assert harmless >= 0


class Outages:
    """Now and then eight frames in a row, all that the driver tries, of which no reply comes through."""

    def __init__(self, every: float, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._every = every
        self._left = 0

    def __call__(self, shape: Timing) -> Faults:
        if not self._left and self._random.random() < 1 / self._every:
            self._left = 8
        if not self._left:
            return NO_FAULTS
        self._left -= 1
        return Faults(cipo=(len(shape.edges) - 1,))


def test_a_link_that_fails_for_a_while_loses_nothing() -> None:
    """The FPGA does what the frames ask, but the host does not hear: it gives up, and goes on later. Whichever frame
    that begins with, no record is lost or comes twice."""
    board = NoisyBoard(CHAIN, NoisyModel(CHAIN), tape(CHAIN, SHORT_TAPE_S))
    link = SpiLink(board)
    board.faults = Outages(60, 3)
    records: list[Record] = []
    failed = 0
    while board.ticks < ticks_in(4.0):
        board.advance(POLL_TICKS)
        try:
            for record in link.records():
                records.append(record)
        except LinkError:
            failed += 1
    assert failed > 20
    reference = undisturbed(tape(CHAIN, SHORT_TAPE_S), board.ticks)
    assert samples_lost(records) == 0
    assert totals_differ(records, reference) == 0
