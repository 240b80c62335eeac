"""The link on the simulated board: identity, registers, records; what it does with damage and with garbage."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise

import pytest

from drivers.sim.board import SPI_HZ, SimulatedBoard
from drivers.sim.frontend import FrontEnd
from drivers.sim.sensors import ideal_sensors
from drivers.sim.synthetic import SyntheticLoad
from drivers.sim.waves import LoadState, Step, Wave
from drivers.spi_link import ForeignBoard, LinkError, NoReply, SpiBus, SpiLink
from gateware.chain import Chain
from gateware.frames import Op, request
from gateware.record_words import Record, RecordFlag
from gateware.registers import MAGIC, VERSION
from gateware.twin.behind_bus import ModelBehindBus

CHAIN = Chain()


def board(fidelity: str = "exact") -> SimulatedBoard:
    volts = tuple(Wave(120, -120 * k) for k in range(3))
    amperes = tuple(Wave(5, -120 * k - 30) for k in range(3))
    source = SyntheticLoad(CHAIN.tick_hz, [Step(0.0, LoadState(volts, amperes))])
    return SimulatedBoard(CHAIN, FrontEnd(source, ideal_sensors(20), CHAIN.tick_hz), fidelity)


class Damaged:
    """A bus on which bits flip, in both directions, and replies vanish, as often as told."""

    def __init__(self, inner: SpiBus, share: float) -> None:
        self._inner = inner
        self._share = share
        self._random = random.Random(1)

    def _damage(self, data: list[int]) -> list[int]:
        if self._random.random() < self._share:
            data = list(data)
            data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
        return data

    def xfer2(self, data: list[int]) -> list[int]:
        reply = self._damage(self._inner.xfer2(self._damage(data)))
        return [0] * len(reply) if self._random.random() < self._share / 4 else reply

    def close(self) -> None:
        self._inner.close()


def collect(link: SpiLink, source: SimulatedBoard, windows: int) -> list[Record]:
    """Records up to a commanded closing, reading as a service does."""
    link.close_window_at(100_000)
    link_records: list[Record] = []
    started = False
    while True:
        source.advance(40_000)
        for record in link.records():
            if started:
                link_records.append(record)
                if RecordFlag.END_COMMANDED in record.flags:
                    return link_records
            elif RecordFlag.END_COMMANDED in record.flags:
                started = True
                link.close_window_at(100_000 + windows * 55_556)


def test_identity() -> None:
    link = SpiLink(board())
    assert link.identity.clock_hz == CHAIN.clock_hz
    assert link.identity.tick_hz == CHAIN.tick_hz
    assert link.identity.ticks_per_sample == 256
    assert link.identity.ring == CHAIN.ring == 255
    assert link.identity.capabilities == Chain().capabilities
    assert link.identity.quarter == Chain().quarter
    assert link.identity.build == CHAIN.digest


def test_how_many_records_can_wait_is_no_power_of_two() -> None:
    """A ring of 80 slots, of which one stays free; CHAIN has only its log2, rounded down."""
    source = board()
    source._gateware = ModelBehindBus(replace(CHAIN, record_slots=80))
    link = SpiLink(source)
    assert link.identity.ring == 79
    assert link.read("CHAIN")[0] & 0xF == 6


class Stale:
    """A bus that gives, when `stale` is set, the reply to the frame before once more: whole, with a good CRC."""

    def __init__(self, inner: SpiBus) -> None:
        self._inner = inner
        self._last: list[int] = []
        self.stale = False

    def xfer2(self, data: list[int]) -> list[int]:
        reply = self._inner.xfer2(data)
        given, self._last, self.stale = self._last if self.stale else reply, reply, False
        return given

    def close(self) -> None:
        self._inner.close()


def test_the_reply_to_another_frame_is_not_taken() -> None:
    """Review I-4. Each reply carries the sequence of its request: one frame more, and the value is that of now."""
    source = board()
    bus = Stale(source)
    link = SpiLink(bus)
    before = link.ticks()
    source.advance(5000)
    frames, bus.stale = link.counts.frames, True
    assert link.ticks() - before >= 5000
    assert link.counts.frames == frames + 2
    first = link.read_identity()
    link.ticks()
    frames = link.counts.frames
    assert link.read_identity() == first
    for_identity = link.counts.frames - frames
    link._transfer(Op.READ, 0, 7)  # what the ID registers are asked with
    frames, bus.stale = link.counts.frames, True
    assert link.read_identity() == first
    assert link.counts.frames == frames + for_identity + 1


def test_records_waiting_are_counted_beyond_fifteen() -> None:
    """The reply's four bits stop at fifteen, RECORDS does not."""
    source = board()
    link = SpiLink(source)
    source.advance(20 * 100_000)  # windows of 384 samples at most
    (before,) = link.read("RECORDS")
    assert before & 0xFFFF == CHAIN.ring
    assert before >> 16 > 15
    assert len(list(link.records())) >= before >> 16
    assert link.read("RECORDS")[0] >> 16 == 0


def test_written_registers_read_back() -> None:
    link = SpiLink(board())
    link.write("DELAY_I2", 31)
    assert link.read("DELAY_I1", 3) == [0, 31, 0]
    assert link.configuration()["DELAY_I2"] == 31
    with pytest.raises(ValueError, match="DELAY_I2 takes 0 to 255, not 256"):
        link.write("DELAY_I2", 256)


def test_ticks_count_the_modulator_clock() -> None:
    source = board()
    link = SpiLink(source)
    before = link.ticks()
    source.advance(1_000_000)
    frame_ticks = 64 * 8 * 4.5 / 4  # no frame is longer
    assert 1_000_000 <= link.ticks() - before <= 1_000_000 + frame_ticks


def test_ticks_have_forty_eight_bits() -> None:
    """Of a board that has run for 100 minutes, 2**32 ticks take 21; its ticks are read in two registers."""
    start = 5 * 2**32 - 1000
    volts = SyntheticLoad(CHAIN.tick_hz, [Step(0.0, LoadState((Wave(120),), ()))])
    chain = Chain(tick_start=start)
    source = SimulatedBoard(chain, FrontEnd(volts, ideal_sensors(20), chain.tick_hz), "exact")
    link = SpiLink(source)
    assert start <= link.ticks() < start + 1000
    source.advance(2000)
    assert 5 * 2**32 <= link.ticks() < 5 * 2**32 + 5000


class OtherValue:
    """A bus on which the lowest bit of what is written is turned, as in a build whose register is another."""

    def __init__(self, inner: SpiBus) -> None:
        self._inner = inner

    def xfer2(self, data: list[int]) -> list[int]:
        if data[0] >> 4 == Op.WRITE:
            data = list(request(Op.WRITE, data[1], data[2], 1, int.from_bytes(data[3:7], "big") ^ 1))
        return self._inner.xfer2(data)

    def close(self) -> None:
        self._inner.close()


def test_a_register_that_does_not_hold_what_was_written_is_told() -> None:
    link = SpiLink(OtherValue(board()))
    with pytest.raises(LinkError, match="register DELAY_I2 was written 0x1f and reads 0x1e: the FPGA's build does not"):
        link.write("DELAY_I2", 31)


def test_a_record_that_a_process_took_before_it_died_is_dropped_once() -> None:
    """What goes on where it was: the record it registered last may still be there, the next one is not touched."""
    source = board()
    link = SpiLink(source)
    source.advance(200_000)
    taken = next(link.records())
    again = SpiLink(source)
    assert not again.drop_known(taken.sequence, taken.tick_end + 1)
    assert not again.drop_known(taken.sequence + 1, taken.tick_end)
    assert again.drop_known(taken.sequence, taken.tick_end)
    assert not again.drop_known(taken.sequence, taken.tick_end)
    assert next(again.records()).sequence == taken.sequence + 1


def test_records_follow_each_other_without_a_gap() -> None:
    source = board()
    records = collect(SpiLink(source), source, 20)
    assert len(records) > 15
    for one, next_one in pairwise(records):
        assert next_one.sequence == one.sequence + 1
        assert next_one.tick_start == one.tick_end
    assert all(record.ticks == 256 * record.samples for record in records)


@pytest.mark.parametrize("fidelity", ["exact", pytest.param("rtl", marks=pytest.mark.slow)])
def test_damage_costs_retries_and_no_energy(fidelity: str) -> None:
    quiet_board, noisy_board = board(fidelity), board(fidelity)
    quiet = collect(SpiLink(quiet_board), quiet_board, 20)
    link = SpiLink(Damaged(noisy_board, 0.2), attempts=50)
    noisy = collect(link, noisy_board, 20)
    assert link.counts.crc_errors > 20
    assert link.counts.request_errors > 2
    assert link.counts.retries >= link.counts.crc_errors

    def totals(records: list[Record]) -> tuple[int, ...]:
        return tuple(map(sum, zip(*(record.sums for record in records), strict=True)))

    assert totals(noisy) == totals(quiet)
    assert sum(r.samples for r in noisy) == sum(r.samples for r in quiet)
    assert [r.sequence for r in noisy] == list(range(noisy[0].sequence, noisy[0].sequence + len(noisy)))


class Fixed:
    """A bus that answers the same whatever is asked."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def xfer2(self, data: list[int]) -> list[int]:
        return list(self._answer.ljust(len(data), self._answer[-1:]))[: len(data)]

    def close(self) -> None:
        pass


class Shifted:
    """A board seen through the wrong clock mode: every reply a bit late."""

    def __init__(self, inner: SpiBus) -> None:
        self._inner = inner

    def xfer2(self, data: list[int]) -> list[int]:
        whole = int.from_bytes(bytes(self._inner.xfer2(data)), "big") >> 1
        return list(whole.to_bytes(len(data), "big"))

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("bus", "said"),
    [
        (lambda: Fixed(b"\x00"), "CIPO stays low: check that the board has power"),
        (lambda: Fixed(b"\xff"), "CIPO stays high: it is not connected"),
        (
            lambda: Fixed(b"\x12\x34\x56\x78\x9a"),
            "check the wiring, clock mode 0, and that the board holds this design",
        ),
        (lambda: Shifted(board()), "the reply comes 1 bits late: the clock mode must be 0"),
        (lambda: Damaged(board(), 1.0), "lower the SPI speed"),
    ],
)
def test_garbage_is_explained(bus: Callable[[], SpiBus], said: str) -> None:
    with pytest.raises(LinkError, match=said):
        SpiLink(bus())


class Rewritten:
    """A board whose replies are another design's: a good CRC over other ID registers."""

    def __init__(self, registers: list[int]) -> None:
        self._registers = registers

    def xfer2(self, data: list[int]) -> list[int]:
        from gateware.frames import crc32

        body = bytes((0xA0, data[1])) + b"".join(r.to_bytes(4, "big") for r in self._registers)
        return list((bytes(8) + body + crc32(body).to_bytes(4, "big"))[: len(data)])

    def close(self) -> None:
        pass


class DamagedOnce:
    """One request arrives with a flipped bit."""

    def __init__(self, inner: SpiBus) -> None:
        self._inner = inner
        self._first = True

    def xfer2(self, data: list[int]) -> list[int]:
        if self._first:
            data = [*data[:2], data[2] ^ 4, *data[3:]]
            self._first = False
        return self._inner.xfer2(data)

    def close(self) -> None:
        self._inner.close()


def test_one_damaged_bit_in_the_first_frame_is_retried() -> None:
    link = SpiLink(DamagedOnce(board()))
    assert link.identity.clock_hz == CHAIN.clock_hz
    assert link.counts.request_errors == 1


def test_another_design_is_named() -> None:
    assert len(request(Op.READ, 0, 0, 7)) == 8 + 2 + 28 + 4
    with pytest.raises(LinkError, match=r"MAGIC reads 0x00001234 instead of 0x41453736"):
        SpiLink(Rewritten([0x1234, 0, 0, 0, 1, 1, 0]))
    with pytest.raises(ForeignBoard, match=r"register map is version 9, this software speaks 2"):
        SpiLink(Rewritten([MAGIC, 9 << 16, 0, 0, 1, 1, 0]))
    with pytest.raises(ForeignBoard, match=r"clock reads 0/0 Hz with 0 clocks a tick"):
        SpiLink(Rewritten([MAGIC, VERSION, 0, 0, 0, 0, 0]))


class ResetBefore:
    """A board that is reset before the frame of a given number, from 0, is sent; `inner` is the present one."""

    def __init__(self, frame: int) -> None:
        self.inner = board()
        self.frames = 0
        self._at = frame

    def arm(self, frame: int) -> None:
        self.frames, self._at = 0, frame

    def xfer2(self, data: list[int]) -> list[int]:
        if self.frames == self._at:
            self.inner = board()
            self.inner.advance(self.after_ticks)
        self.frames += 1
        return self.inner.xfer2(data)

    after_ticks = 0

    def close(self) -> None:
        pass


FRAMES_A_RECORD = 13
"""The drop of the one before; all 57 sums in eleven frames, and the beginning once more."""


def board_run_for(ticks: int) -> SimulatedBoard:
    made = board()
    made.advance(ticks)
    return made


@cache
def records_of(ticks: int) -> list[Record]:
    """The records of a board that ran for so long, by a link that nothing disturbs."""
    return list(SpiLink(board_run_for(ticks)).records())


@pytest.mark.parametrize("after_ticks", [0, 130_000])
@pytest.mark.parametrize("moment", range(FRAMES_A_RECORD + 1))
def test_a_reset_at_any_moment_of_reading_a_record_gives_it_whole_once_or_not(moment: int, after_ticks: int) -> None:
    """After the reset the board has no record, or some of its own already: never a mixture of two is given (H-5)."""
    bus = ResetBefore(-1)
    link = SpiLink(bus)
    bus.inner.advance(200_000)
    records = link.records()
    assert next(records) == records_of(200_000)[0]
    bus.arm(moment)
    bus.after_ticks = after_ticks
    given = next(records, None)
    if moment >= FRAMES_A_RECORD:
        assert given == records_of(200_000)[1]
        assert not link.record_vanished
        assert next(records, None) in (None, *records_of(130_000))
        assert link.record_vanished
    elif moment < 2:  # before the drop of the first, or between it and the next
        assert given is None or given in records_of(130_000)
    else:
        assert given is None
        assert link.record_vanished or not after_ticks


def test_errors_of_the_spi_driver_are_frames_without_a_reply() -> None:
    """EIO, as spidev raises it where a transfer fails: retried like noise; one sentence if it lasts (H-2)."""

    class Fails:
        def __init__(self, inner: SpiBus, failures: int) -> None:
            self._inner, self.failures = inner, failures

        def xfer2(self, data: list[int]) -> list[int]:
            if self.failures:
                self.failures -= 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return self._inner.xfer2(data)

        def close(self) -> None:
            pass

    bus = Fails(board(), 7)
    link = SpiLink(bus)
    assert link.counts.bus_errors == 7
    bus.failures = 7
    assert link.read("MAGIC") == [MAGIC]
    bus.failures = 8
    with pytest.raises(NoReply, match=r"the system's SPI driver fails \(Input/output error\)"):
        link.ticks()
    with pytest.raises(NoReply, match="Input/output error"):
        SpiLink(Fails(board(), 8))
    assert link.read("MAGIC") == [MAGIC]


def test_a_full_ring_is_dropped_in_two_frames_a_record() -> None:
    source = board()
    link = SpiLink(source)
    source.advance(2_000_000)
    kept = next(link.records())  # given, and not dropped yet
    frames = link.counts.frames
    dropped = list(link.dropped_records())
    assert [record.sequence for record in dropped] == list(range(kept.sequence + 1, kept.sequence + 1 + len(dropped)))
    assert len(dropped) > 20
    assert all(one.tick_end == other.tick_start for one, other in pairwise(dropped))
    assert link.counts.frames - frames == 2 * len(dropped) + 2
    source.advance(200_000)
    after = list(link.records())
    assert after[0].sequence == dropped[-1].sequence + 1
    assert any(after[0].sums)


class Counted:
    """A bus that counts the bits that pass."""

    def __init__(self, inner: SpiBus) -> None:
        self._inner = inner
        self.bits = 0

    def xfer2(self, data: list[int]) -> list[int]:
        self.bits += 8 * len(data)
        return self._inner.xfer2(data)

    def close(self) -> None:
        self._inner.close()


def test_whole_records_at_60_windows_a_second_take_under_15_percent_of_the_bus() -> None:
    source = board()
    bus = Counted(source)
    link = SpiLink(bus)
    source.advance(400_000)
    before = bus.bits
    records = list(link.records())
    assert len(records) > 1
    bits_a_record = Fraction(bus.bits - before, len(records))
    assert 60 * bits_a_record < Fraction(15, 100) * SPI_HZ
