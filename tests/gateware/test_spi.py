"""The SPI peripheral with the register file, clock by clock through its pins, against the frame's definition."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import pytest
from amaranth import Cat, Module, Signal
from gateware_bench import CLOCKS_PER_BIT, simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateware.frames import CRC_BYTES, ITEM_BYTES, MAX_COUNT, TURN_BYTES, Op, ReplyStatus, crc32, reply_offset, request
from gateware.record_words import RECORD_WORDS
from gateware.register_file import RegisterFile
from gateware.registers import BY_NAME, REGISTERS, Capability
from gateware.spi import SpiPeripheral
from gateware.twin.bus import CS_N, timing

FASTEST = Fraction(4)
"""SCK at a quarter of the clock."""

FETCH_CLOCKS = 64
"""The longest the record memory may take for a word."""


BUILT = Capability.PRODUCTS | Capability.PHASORS | Capability.MEANS | Capability.CAPTURE
KNOWN = {r.address: r for r in REGISTERS if r.needs in BUILT}


def word_of(address: int) -> int:
    """What the record memory of these tests holds: no two words alike, no byte 0."""
    return 0x1122_3344_5566_7788 + 0x0101_0101_0101_0101 * address


@dataclass
class Chip:
    """The peripheral on its register file, with `level` records waiting of which the oldest is `oldest`."""

    level: int = 3
    oldest: int = 0x5A
    fetch_clocks: int = FETCH_CLOCKS
    writes: list[tuple[int, int, int]] = field(default_factory=list)
    """Clock in its waveform, address and data of each write that was executed."""
    pops: list[int] = field(default_factory=list)
    """Clock in its waveform of each pop."""
    reads: list[int] = field(default_factory=list)
    """Addresses taken for sending."""

    def play(self, *waveforms: list[int]) -> list[list[int]]:
        """Pins in, CIPO out, a value a clock, one waveform after another."""
        m = Module()
        m.submodules.spi = spi = SpiPeripheral(BUILT)
        m.submodules.registers = registers = RegisterFile(BUILT)
        m.d.comb += [
            registers.address.eq(spi.address),
            registers.write.eq(spi.write),
            registers.data.eq(spi.data),
            spi.known.eq(registers.known),
            spi.writable.eq(registers.writable),
            registers.read.eq(spi.read),
            spi.value.eq(registers.value),
        ]
        for register in KNOWN.values():
            if not register.writable:
                m.d.comb += getattr(registers, register.name).eq(fixed(register.address))
        bus, seen = Signal(3, init=CS_N), Signal(5)  # one signal each way: the simulator's time goes by accesses
        m.d.comb += [
            Cat(spi.cs_n, spi.sck, spi.copi).eq(bus),
            seen.eq(Cat(spi.cipo, spi.write, spi.pop, spi.taken, spi.fetch | spi.fetch_capture)),
        ]
        cipo: list[list[int]] = [[] for _ in waveforms]

        async def pins(ctx):
            ctx.set(spi.level, self.level)
            ctx.set(spi.oldest, self.oldest)
            answer_in, before = 0, CS_N
            for waveform, out in zip(waveforms, cipo, strict=True):
                for clock, pin in enumerate(waveform):
                    if pin != before:
                        ctx.set(bus, pin)
                        before = pin
                    now = ctx.get(seen)
                    out.append(now & 1)
                    if now & 2:
                        self.writes.append((clock, ctx.get(spi.address), ctx.get(spi.data)))
                    if now & 4:
                        self.pops.append(clock)
                    if now & 8:
                        self.reads.append(ctx.get(spi.address))
                    if now & 16:
                        answer_in = self.fetch_clocks
                        ctx.set(spi.word, word_of(ctx.get(spi.fetch_word)))
                    await ctx.tick()
                    answer_in -= 1
                    if answer_in in (0, -1):
                        ctx.set(spi.fetched, answer_in == 0)

        simulate(m, pins)
        return cipo

    def frames(self, *frames: bytes, clocks_per_bit: Fraction = CLOCKS_PER_BIT) -> list[bytes]:
        shapes = [timing(len(f), clocks_per_bit, 1) for f in frames]
        waves = [shape.send(frame).tolist() for shape, frame in zip(shapes, frames, strict=True)]
        return [
            pack([cipo[edge] for edge in shape.edges]) for cipo, shape in zip(self.play(*waves), shapes, strict=True)
        ]


def pack(bits: list[int]) -> bytes:
    return int("".join(map(str, bits)), 2).to_bytes(len(bits) // 8, "big")


def fixed(address: int) -> int:
    """What a register that cannot be written reads here, cut to its width."""
    return 0xA0B0_C0D0 + 0x0101_0101 * address & (1 << KNOWN[address].width) - 1


def value_of(address: int, written: dict[int, int]) -> int:
    register = KNOWN.get(address & 0xFF)
    if register is None:
        return 0
    if register.writable:
        return written.get(register.address, register.reset or 0)
    return fixed(register.address)


def reply_to(frame: bytes, chip: Chip, written: dict[int, int]) -> bytes:
    """The definition: what a whole frame is answered, `written` being kept up to date."""
    code, count = frame[0] >> 4, frame[0] & 0xF
    size = 11 if code == Op.WRITE else 7
    sequence, address = frame[1], frame[2]
    payload = b""
    if crc32(frame[: size - CRC_BYTES]) != int.from_bytes(frame[size - CRC_BYTES : size], "big"):
        status = ReplyStatus.BAD_CRC
    elif (
        code not in list(Op)
        or count > MAX_COUNT[Op(code)]
        or (code == Op.READ and address not in KNOWN)
        or (code == Op.WRITE and not (address in KNOWN and KNOWN[address].writable))
        or (code == Op.RECORD and address >= RECORD_WORDS)
    ):
        status = ReplyStatus.BAD_REQUEST
    elif (code in (Op.RECORD, Op.POP) and not chip.level) or (code == Op.POP and address != chip.oldest):
        status = ReplyStatus.NOT_THERE
    else:
        status = ReplyStatus.OK
        if code == Op.WRITE:
            written[address] = int.from_bytes(frame[3:7], "big") & (1 << KNOWN[address].width) - 1
    if code in (Op.READ, Op.RECORD, Op.CAPTURE):
        for k in range(count):
            value = value_of(address + k, written) if code == Op.READ else word_of((address + k) % RECORD_WORDS)
            payload += (value if status is ReplyStatus.OK else 0).to_bytes(ITEM_BYTES[Op(code)], "big")
    reply = bytes((status << 4 | min(chip.level, 15), sequence)) + payload
    reply = bytes(size + TURN_BYTES) + reply + crc32(reply).to_bytes(4, "big")
    return reply.ljust(len(frame), b"\0")[: len(frame)]


def with_crc(head: bytes, more: int = 0) -> bytes:
    return head + crc32(head).to_bytes(4, "big") + bytes(more)


READ_MAGIC = request(Op.READ, 0x33, 0, 1)
MAGIC_REPLY = reply_to(READ_MAGIC, Chip(), {})


# --- the table of states --------------------------------------------------------------------------------

CHECK_CLOCKS = 3
"""From the rising edge of a request's last bit, at the pin, to the clock in which it is executed."""


@pytest.mark.parametrize(
    ("op", "count"),
    [
        *((Op.READ, 0), (Op.READ, 2), (Op.READ, 12), (Op.RECORD, 3), (Op.RECORD, 6), (Op.WRITE, 0), (Op.POP, 0)),
        *((Op.CAPTURE, 0), (Op.CAPTURE, 6)),
    ],
)
def test_the_table_of_states(op, count):
    """Each state lasts the bits the docstring gives it, and CIPO carries meanwhile what it says."""
    chip = Chip()
    address = {Op.WRITE: BY_NAME["WINDOW_MAX"].address, Op.POP: chip.oldest}.get(op, 0)
    frame = request(op, 0x77, address, count, 5) + bytes(2)
    head = bytes((ReplyStatus.OK << 4 | chip.level, 0x77))
    values = {Op.READ: lambda k: value_of(k, {}), Op.RECORD: word_of, Op.CAPTURE: word_of}.get(op)
    items = b"".join(values(k).to_bytes(ITEM_BYTES[op], "big") for k in range(count)) if values else b""
    request_bits = 88 if op is Op.WRITE else 56
    table = [
        ("REQUEST", request_bits, b""),
        ("TURN", 8, b""),
        ("HEAD", 16, head),
        ("PAYLOAD", count * {Op.READ: 32, Op.RECORD: 64, Op.CAPTURE: 64}.get(op, 0), items),
        ("CRC", 32, crc32(head + items).to_bytes(4, "big")),
        ("DONE", 16, b""),
    ]
    (reply,) = chip.frames(frame)
    for state, bits, carried in table:
        here, reply = reply[: bits // 8], reply[bits // 8 :]
        assert here == carried or (not carried and not any(here)), state
    assert not reply

    check = int(timing(len(frame), CLOCKS_PER_BIT, 1).edges[request_bits - 1]) + CHECK_CLOCKS
    assert chip.writes == ([(check, address, 5)] if op is Op.WRITE else [])
    assert chip.pops == ([check] if op is Op.POP else [])


# --- requests -------------------------------------------------------------------------------------------


def test_every_register_reads_and_writes_only_if_writable():
    chip = Chip()
    frames = []
    for address in KNOWN:
        frames += [request(Op.WRITE, 1, address, data=0xFFFF_FFFF), request(Op.READ, 2, address, 1)]
    written: dict[int, int] = {}
    expected = [reply_to(f, chip, written) for f in frames]
    assert chip.frames(*frames, clocks_per_bit=FASTEST) == expected
    assert [address for _, address, _ in chip.writes] == [a for a, r in KNOWN.items() if r.writable]


def test_reading_on_past_the_last_register_gives_zeros():
    chip = Chip()
    last = max(KNOWN)
    frame = request(Op.READ, 1, last, 4)
    assert chip.frames(frame) == [reply_to(frame, chip, {})]
    assert chip.reads == [last, last + 1, last + 2, last + 3]


@pytest.mark.parametrize("level", [0, 1, 14, 15, 16, 255])
@pytest.mark.parametrize("op", [Op.RECORD, Op.POP])
def test_records_are_there_or_not(op, level):
    chip = Chip(level=level)
    frames = [request(op, 4, 0x5A if op is Op.POP else 60, MAX_COUNT[op])]
    if op is Op.POP:
        frames += [request(op, 5, 0x5B), request(op, 6, 0x59)]  # another sequence: safe to repeat a pop
    assert chip.frames(*frames) == [reply_to(f, chip, {}) for f in frames]
    assert len(chip.pops) == (op is Op.POP and level > 0)


REFUSED = {
    "unknown operation 0": bytes((0x01, 9, 0)),
    "unknown operation 15": bytes((0xF0, 9, 0)),
    "more registers than fit": bytes((Op.READ << 4 | 13, 9, 0)),
    "more words than fit": bytes((Op.RECORD << 4 | 7, 9, 0)),
    "a counted pop": bytes((Op.POP << 4 | 1, 9, 0x5A)),
    "a write of two": bytes((Op.WRITE << 4 | 2, 9, 0x13, 0, 0, 0, 1)),
    "an unknown register": bytes((Op.READ << 4 | 1, 9, 0xFF)),
    "writing an unknown register": bytes((Op.WRITE << 4, 9, 0xFF, 0, 0, 0, 1)),
    "writing a constant": bytes((Op.WRITE << 4, 9, 0, 0, 0, 0, 1)),
    "a word after the last": bytes((Op.RECORD << 4 | 1, 9, 64)),
}


@pytest.mark.parametrize("head", REFUSED.values(), ids=REFUSED.keys())
def test_bad_requests_are_answered_and_do_nothing(head):
    chip = Chip()
    frame = with_crc(head, 30)
    (reply,) = chip.frames(frame)
    assert reply == reply_to(frame, chip, {})
    assert ReplyStatus(reply[len(head) + 5] >> 4) is ReplyStatus.BAD_REQUEST
    assert (chip.writes, chip.pops) == ([], [])


@pytest.mark.parametrize("op", list(Op))
def test_a_request_damaged_in_any_byte_does_nothing(op):
    whole = request(op, 0x12, {Op.WRITE: 0x13, Op.POP: 0x5A}.get(op, 1), min(1, MAX_COUNT[op]), 9)
    chip = Chip()
    frames = []
    for at in range(reply_offset(op) - TURN_BYTES):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 4  # not the operation: its request would have another length
        frames.append(bytes(damaged))
    replies = chip.frames(*frames)
    assert replies == [reply_to(f, chip, {}) for f in frames]
    assert {reply[reply_offset(op)] >> 4 for reply in replies} == {ReplyStatus.BAD_CRC}
    assert (chip.writes, chip.pops) == ([], [])


# --- pins -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fetch_clocks", [2, FETCH_CLOCKS])
@pytest.mark.parametrize("clocks_per_bit", [FASTEST, Fraction(9, 2), Fraction(40, 9), Fraction(7), Fraction(20)])
def test_every_speed_up_to_a_quarter_of_the_clock(clocks_per_bit, fetch_clocks):
    """The longest frames, with the record memory as late as it may be."""
    chip = Chip(fetch_clocks=fetch_clocks)
    frames = [request(Op.RECORD, 1, 58, 6)]
    if clocks_per_bit < 10:
        frames += [request(Op.READ, 2, 0, 12), request(Op.WRITE, 3, 0x11, data=0x7_1234), request(Op.READ, 4, 0x11, 1)]
    written: dict[int, int] = {}
    expected = [reply_to(f, chip, written) for f in frames]
    assert chip.frames(*frames, clocks_per_bit=clocks_per_bit) == expected


def test_a_frame_cut_at_any_bit_leaves_nothing_behind():
    """Chip select rises after each number of bits; the next frame is answered, and a cut request never executed."""
    shape = timing(len(READ_MAGIC), FASTEST, 1)
    after = shape.send(READ_MAGIC).tolist()
    for op in (Op.WRITE, Op.POP):
        frame = request(op, 0x44, {Op.WRITE: 0x13, Op.POP: 0x5A}[op], data=77) + bytes(1)
        cut_shape = timing(len(frame), FASTEST, 1)
        whole = cut_shape.send(frame).tolist()
        request_bits = 8 * (reply_offset(op) - TURN_BYTES)
        waves, complete = [], 0
        for bits in range(0, 8 * len(frame), 7):
            cut = (int(cut_shape.edges[bits - 1]) if bits else 0) + 2
            waves += [[*whole[:cut], *[CS_N] * 8], after]
            complete += bits >= request_bits
        chip = Chip()
        replies = chip.play(*waves)[1::2]
        assert all(pack([cipo[e] for e in shape.edges]) == MAGIC_REPLY for cipo in replies)
        assert len(chip.writes if op is Op.WRITE else chip.pops) == complete


def test_a_glitch_on_chip_select_ends_the_frame():
    """High for one clock in the middle: what follows is read as a new frame, and the one after is answered."""
    shape = timing(len(READ_MAGIC), CLOCKS_PER_BIT, 1)
    clean = shape.send(READ_MAGIC).tolist()
    write = request(Op.WRITE, 1, 0x13, data=1)
    waves = []
    for clock in range(10, 380, 37):
        wave = timing(len(write), CLOCKS_PER_BIT, 1).send(write).tolist()
        wave[clock] |= CS_N
        waves += [wave, clean]
    chip = Chip()
    replies = chip.play(*waves)[1::2]
    assert all(pack([cipo[e] for e in shape.edges]) == MAGIC_REPLY for cipo in replies)
    assert chip.writes == []


def test_edges_without_chip_select_and_a_select_without_edges_do_nothing():
    shape = timing(len(READ_MAGIC), CLOCKS_PER_BIT, 1)
    clean = shape.send(READ_MAGIC).tolist()
    unselected = [pin | CS_N for pin in request_wave(request(Op.WRITE, 1, 0x13, data=1))]
    short_selects = [0, CS_N, 0, CS_N, CS_N, 0, 0, CS_N, CS_N, CS_N]
    chip = Chip()
    waves = [unselected, clean, short_selects, clean, [0] * 50, [CS_N], clean]
    replies = chip.play(*waves)
    for number in (1, 3, 6):
        assert pack([replies[number][e] for e in shape.edges]) == MAGIC_REPLY
    assert not any(replies[0])
    assert chip.writes == []


def request_wave(frame: bytes) -> list[int]:
    return timing(len(frame), CLOCKS_PER_BIT, 1).send(frame).tolist()


# --- any frame ------------------------------------------------------------------------------------------

heads = st.builds(
    lambda op, count, sequence, address, data: (
        bytes((op << 4 | count, sequence, address)) + (data.to_bytes(4, "big") if op == Op.WRITE else b"")
    ),
    st.one_of(st.sampled_from(list(Op)), st.integers(0, 15)),
    st.one_of(st.integers(0, 3), st.integers(0, 15)),
    st.integers(0, 255),
    st.one_of(st.sampled_from(sorted(KNOWN)), st.sampled_from([0x5A, 63, 64]), st.integers(0, 255)),
    st.integers(0, (1 << 32) - 1),
)
anything = st.one_of(
    st.builds(with_crc, heads, st.integers(0, 60)),
    st.builds(with_crc, heads, st.just(70)),
    st.binary(min_size=12, max_size=64),
)


@settings(max_examples=10)
@given(
    st.lists(anything, min_size=1, max_size=3), st.sampled_from([0, 1, 7]), st.sampled_from([FASTEST, CLOCKS_PER_BIT])
)
def test_any_frames(frames, level, clocks_per_bit):
    chip = Chip(level=level)
    written: dict[int, int] = {}
    expected = [reply_to(f, chip, written) for f in frames]
    assert chip.frames(*frames, clocks_per_bit=clocks_per_bit) == expected
    stored: dict[int, int] = {}
    for _, address, data in chip.writes:
        stored[address] = data & (1 << KNOWN[address].width) - 1
    assert stored == written
