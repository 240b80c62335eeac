"""The manual page docs/registers.md of registers, record and frame: `python -m gateware.manual > docs/registers.md`.

Numbers, widths and positions come from the definitions themselves, the header's layout from probing the
decoder bit by bit; only the sentences about what things mean are here. A register, flag, field or operation
without its sentence is a KeyError, so nothing gets into the page half described.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from gateware.frames import (
    CRC_BYTES,
    CRC_POLY,
    FRAME_BYTES,
    HEAD_BYTES,
    ITEM_BYTES,
    MAX_COUNT,
    TURN_BYTES,
    Op,
    ReplyStatus,
    crc32,
    reply_offset,
    request,
)
from gateware.record_words import (
    HEADER_WORDS,
    OSCILLATOR_AMPLITUDE,
    PRODUCTS,
    RECORD_WORDS,
    SAFE_SAMPLES,
    WORD_DELAYED,
    WORD_MEANS,
    WORD_PHASORS,
    WORD_PRODUCTS,
    Record,
    RecordFlag,
    words_present,
)
from gateware.registers import BLOCKS, CHANNELS, MAGIC, REGISTERS, VOLTAGES, Capability, Channel

_CAPABILITIES: Mapping[Capability, str] = {
    Capability.PRODUCTS: "the 21 products of x·xᵀ",
    Capability.DELAYED_PRODUCTS: "the 18 products with the voltages a quarter cycle ago",
    Capability.PHASORS: "the 12 products with the line-frequency oscillator",
    Capability.MEANS: "the 6 plain sums",
    Capability.PHANTOM_LOAD: "the phantom load in place of the pins",
    Capability.PULSE_COUNTERS: "the pulse counters",
    Capability.CAPTURE: "the waveform capture",
    Capability.EVENTS: "the event log",
}

_FIELDS: Mapping[str, str] = {
    "sequence": "counts records, modulo 2³²",
    "windows": "windows in this record, modulo 2²⁴: more than 1 when the host was slow and they were merged",
    "flags": "see the flags below",
    "tick_start": "tick count at the end of the record before",
    "tick_end": "tick count of the last sample summed",
    "samples": "sample vectors summed",
    "cycles": "zero crossings that closed a window of this record, modulo 2²⁴",
    "before": "the reference voltage's last sample in the record, signed",
    "after": "its first sample after the record, signed",
    "config_digest": "digest of the configuration registers",
    "overload": "mask by channel: a sample at or beyond ±94 % of full scale",
    "dead": "mask by channel: a modulator gave 128 equal bits in a row",
    "oscillator_step": "what the phasors' oscillator turned from sample to sample, 2⁻³² of a turn",
}

_FLAGS: Mapping[RecordFlag, str] = {
    RecordFlag.START_CROSSING: "begins at a positive zero crossing",
    RecordFlag.END_CROSSING: "ends at one",
    RecordFlag.END_TIMED: "ends because WINDOW_MAX samples came without one",
    RecordFlag.END_COMMANDED: "ends because of CLOSE_AT",
    RecordFlag.PHANTOM: "measured the phantom load, at least in part",
    RecordFlag.OVERRUN: "a stage was late since reset: samples may be lost",
}

_OPS: Mapping[Op, str] = {
    Op.READ: "`count` registers from `address` on",
    Op.WRITE: "one register, `count` 1; four data bytes follow the address",
    Op.RECORD: "`count` words of the oldest waiting record, from word `address` on",
    Op.POP: "drop the oldest record if `address` is the low byte of its sequence, so that repeating is harmless",
    Op.CAPTURE: "`count` words of the waveform capture from word CAPTURE_PAGE·256 + `address` on, within the page",
}

_STATUS: Mapping[ReplyStatus, str] = {
    ReplyStatus.OK: "done",
    ReplyStatus.BAD_CRC: "the request arrived damaged; nothing was done",
    ReplyStatus.BAD_REQUEST: "unknown operation or address, or a count out of range; nothing was done",
    ReplyStatus.NOT_THERE: "no record waits, or the oldest has another sequence",
}


def manual() -> str:
    """The whole page, Markdown."""
    parts = (_introduction(), _registers(), _capabilities(), _record(), _frame())
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _introduction() -> Iterator[str]:
    yield "# Registers, record and frame"
    yield ""
    yield "Made from `registers.py`, `record_words.py` and `frames.py` in `gateware/` by"
    yield "`python -m gateware.manual > docs/registers.md`; do not edit it."
    yield "Channels are numbered " + ", ".join(f"{int(c)} {c.name}" for c in Channel) + ", in every mask and product."
    yield "Why things are as they are: [the record](decisions/002-record.md), [the frame](decisions/003-frames.md)."
    yield "How a record comes from bits, to the last bit: [record arithmetic](arithmetic.md)."


def _registers() -> Iterator[str]:
    yield "## Registers"
    yield ""
    yield "All are 32 bits; what is beyond a register's width reads 0. *Configuration* registers take part in the"
    yield "digest that every record carries: the XOR of each value rotated left by its address modulo 32."
    yield ""
    yield from _table(
        ("address", "name", "bits", "reset", "access", "meaning"),
        (
            (
                f"{r.address:#04x}",
                f"`{r.name}`",
                r.width,
                "–" if r.reset is None else f"{r.reset:#x}" if r.reset > 0xFFFF else r.reset,
                "configuration" if r.config else "read, write" if r.writable else "read",
                r.doc,
            )
            for r in REGISTERS
        ),
    )
    yield ""
    yield "### Blocks"
    yield ""
    yield "Registers that are kept in memories. They take no part in the digest and have no value at reset."
    yield ""
    yield from _table(
        ("addresses", "name", "access", "meaning"),
        (
            (
                f"{b.address:#04x} to {b.addresses[-1]:#04x}",
                f"`{b.name}`",
                "read, write" if b.writable else "read",
                b.doc,
            )
            for b in BLOCKS
        ),
    )


def _capabilities() -> Iterator[str]:
    yield "## Capability bits"
    yield ""
    yield "A record always has 64 words. Those of sums that a build does not have are not worth reading."
    yield ""
    head = words_present(Capability(0))
    yield from _table(
        ("bit", "name", "this build contains", "record words"),
        (
            (
                _bit(c),
                f"`{c.name}`",
                _CAPABILITIES[c],
                _span(sorted(_words(words_present(c)) - _words(head))),
            )
            for c in Capability
        ),
    )


def _record() -> Iterator[str]:
    yield "## Record"
    yield ""
    yield f"{RECORD_WORDS} words of 64 bits: {HEADER_WORDS} of header, then the sums, signed. A record of"
    yield f"{SAFE_SAMPLES} samples or more may have overflowed a sum and must not be used."
    yield ""
    yield from _table(
        ("word", "bits", "field", "meaning"),
        ((word, bits, f"`{name}`", _FIELDS[name]) for name, word, bits in _header_layout()),
    )
    yield ""
    yield "Header bits not listed are 0."
    yield ""
    pairs = [f"Σ {a.name}·{b.name}" for a, b in PRODUCTS]
    yield from _table(
        ("words", "sums"),
        (
            *(
                (_span(range(WORD_PRODUCTS + i, WORD_PRODUCTS + i + n)), ", ".join(pairs[i : i + n]))
                for i, n in _rows_of_products()
            ),
            *(
                (_span(range(first, first + VOLTAGES)), ", ".join(f"Σ {c.name}·d{k + 1}" for k in range(VOLTAGES)))
                for c in Channel
                for first in (WORD_DELAYED + VOLTAGES * c,)
            ),
            *(
                (_span(range(first, first + 2)), f"Σ {c.name}·cos, Σ {c.name}·sin")
                for c in Channel
                for first in (WORD_PHASORS + 2 * c,)
            ),
            (_span(range(WORD_MEANS, RECORD_WORDS)), ", ".join(f"Σ {c.name}" for c in Channel)),
        ),
    )
    yield ""
    yield "d1 to d3 are V1 to V3 as they were QUARTER samples before, across the record's beginning too. cos and sin"
    yield f"are codes of ±{OSCILLATOR_AMPLITUDE}, at phase 0 at the record's first sample."
    yield ""
    yield "### Flags"
    yield ""
    yield from _table(("bit", "name", "the record"), ((_bit(f), f"`{f.name}`", _FLAGS[f]) for f in RecordFlag))


def _frame() -> Iterator[str]:
    yield "## Frame"
    yield ""
    yield f"One SPI transfer in mode 0, at most {FRAME_BYTES} bytes, most significant bit first, chip select low from"
    yield "the first bit to the last. The request goes out, and the reply comes back later in the same transfer;"
    yield "COPI does not matter from then on, CIPO is 0 until then."
    yield ""
    write = reply_offset(Op.WRITE) - CRC_BYTES - TURN_BYTES
    yield from _table(
        ("bytes", "from", "content"),
        (
            (1, "host", "operation in bits 7:4, `count` in bits 3:0"),
            (1, "host", "sequence: any number, it comes back in the reply"),
            (1, "host", "`address`: register, record word, or low byte of a record's sequence"),
            (f"0 or {write - 3}", "host", "data of a write"),
            (CRC_BYTES, "host", "CRC of all before"),
            (TURN_BYTES, "–", "turn: the FPGA checks the request and fetches the first item"),
            (1, "FPGA", "status in bits 7:4, waiting records in bits 3:0 (15: 15 or more; RECORDS has all)"),
            (HEAD_BYTES - 1, "FPGA", "the request's sequence"),
            ("count × size", "FPGA", "items; zeros when the status is not `OK`"),
            (CRC_BYTES, "FPGA", "CRC of the reply's bytes before"),
        ),
    )
    yield ""
    yield f"The CRC is CRC-32/BZIP2: polynomial {CRC_POLY:#010x}, most significant bit first, begun with all ones,"
    yield f"inverted at the end. For `123456789` it is {crc32(b'123456789'):#010x}."
    yield ""
    yield from _table(
        ("code", "operation", "count", "item bytes", "longest frame", "what it does"),
        (
            (
                f"{op:#x}",
                f"`{op.name}`",
                f"up to {MAX_COUNT[op]}" if ITEM_BYTES[op] else MAX_COUNT[op],
                ITEM_BYTES[op] or "–",
                len(request(op, 0, 0, MAX_COUNT[op], 0)),
                _OPS[op],
            )
            for op in Op
        ),
    )
    yield ""
    yield from _table(("code", "status", "meaning"), ((f"{s:#x}", f"`{s.name}`", _STATUS[s]) for s in ReplyStatus))
    yield ""
    yield "### An example"
    yield ""
    yield f"Reading `{REGISTERS[0].name}` with sequence 7, while no record waits:"
    yield ""
    sent = request(Op.READ, 7, REGISTERS[0].address, 1)
    reply = bytes((ReplyStatus.OK << 4, 7)) + MAGIC.to_bytes(ITEM_BYTES[Op.READ], "big")
    got = bytes(reply_offset(Op.READ)) + reply + crc32(reply).to_bytes(CRC_BYTES, "big")
    yield "```"
    yield f"COPI  {sent.hex(' ')}"
    yield f"CIPO  {got.hex(' ')}"
    yield "```"


def _header_layout() -> list[tuple[str, str, str]]:
    """(field, word, bits) of the header, found by decoding records in which a single bit is set."""
    places: dict[str, list[tuple[int, int]]] = {}
    for word in range(HEADER_WORDS):
        for bit in range(64):
            words = [0] * RECORD_WORDS
            words[word] = 1 << bit
            record = Record.from_words(words)
            for field in fields(Record):
                if field.name != "sums" and getattr(record, field.name):
                    places.setdefault(field.name, []).append((word, bit))
    return [(name, str(at[0][0]), f"{at[-1][1]}:{at[0][1]}") for name, at in places.items()]


def _rows_of_products() -> Iterator[tuple[int, int]]:
    """(first, how many) of the products that begin with the same channel."""
    first = 0
    for count in range(CHANNELS, 0, -1):
        yield first, count
        first += count


def _words(ranges: Iterable[range]) -> set[int]:
    return {word for words in ranges for word in words}


def _span(words: Sequence[int]) -> str:
    return f"{words[0]} to {words[-1]}" if len(words) > 1 else str(words[0]) if words else "–"


def _bit(flag: int) -> int:
    return flag.bit_length() - 1


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"


if __name__ == "__main__":
    print(manual(), end="")
