"""The model's SPI peripheral: a frame in, its reply out, executed at the clock the netlist would."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from gateware.frames import (
    CRC_BYTES,
    HEAD_BYTES,
    ITEM_BYTES,
    MAX_COUNT,
    TURN_BYTES,
    Op,
    ReplyStatus,
    crc32,
    reply_offset,
)
from gateware.model.model import GatewareModel
from gateware.record_words import RECORD_WORDS
from gateware.registers import BLOCK_BY_ADDRESS, BY_ADDRESS, BY_NAME, CAPTURE_PAGE_WORDS, Capability

CHECK_LATENCY = 3
"""Clocks from the rising edge of a request's last bit, at the pin, to the clock that executes it."""

EDGE_LATENCY = 2
"""Clocks from a rising edge at the pin to the clock in which the peripheral acts on it."""


def transfer(model: GatewareModel, frame: bytes, edges: np.ndarray, run_until: Callable[[int], None]) -> bytes:
    """Execute one frame whose bit i has its rising edge at clock edges[i]; returns as many bytes.

    `run_until(ticks)` must bring the model to that many ticks.
    """
    op, count = frame[0] >> 4, frame[0] & 0xF
    turn = reply_offset(Op.WRITE if op == Op.WRITE else Op.READ) - TURN_BYTES
    head = turn + TURN_BYTES
    sequence, address = frame[1], frame[2]

    when = int(edges[8 * turn - 1]) + CHECK_LATENCY
    run_until(model.ticks_before(when))
    if struct.pack(">I", crc32(frame[: turn - CRC_BYTES])) != frame[turn - CRC_BYTES : turn]:
        status = ReplyStatus.BAD_CRC
    else:
        status = _judge(model, op, count, address, when)
    size = ITEM_BYTES[Op(op)] if op in list(Op) else 0
    items = [0] * (count if size else 0)
    if status is ReplyStatus.OK:
        if op == Op.READ:
            # The first is taken in TURN, each other when the one before begins to leave, if the frame is that long.
            begins = 8 * (head + HEAD_BYTES + size * np.arange(count - 1)) - 2
            later = edges[begins[begins < len(edges)]] + EDGE_LATENCY + 2
            for k, moment in enumerate([when + 2, *later.tolist()][:count]):
                run_until(model.ticks_before(moment))
                items[k] = model.read((address + k) & 0xFF, moment)
        elif op == Op.WRITE:
            model.write(address, int.from_bytes(frame[3:7], "big"), when)
        elif op == Op.RECORD:
            items = [int(model.oldest()[(address + k) % RECORD_WORDS]) for k in range(count)]
        elif op == Op.CAPTURE:
            page = model.read(BY_NAME["CAPTURE_PAGE"].address, when) * CAPTURE_PAGE_WORDS
            items = [model.captured(page + ((address + k) & 0xFF), when) for k in range(count)]
        elif op == Op.POP:
            model.pop(when)

    moment = int(edges[8 * head - 2]) + EDGE_LATENCY
    run_until(model.ticks_before(moment))
    level = model.level(moment)
    reply = bytes((status << 4 | min(level, 15), sequence)) + b"".join(i.to_bytes(size, "big") for i in items)
    reply += struct.pack(">I", crc32(reply))
    return (bytes(head) + reply).ljust(len(frame), b"\0")[: len(frame)]


def _judge(model: GatewareModel, op: int, count: int, address: int, when: int) -> ReplyStatus:
    if op not in list(Op) or count > MAX_COUNT[Op(op)]:
        return ReplyStatus.BAD_REQUEST
    if op == Op.CAPTURE and Capability.CAPTURE not in model.chain.capabilities:
        return ReplyStatus.BAD_REQUEST
    if op in (Op.READ, Op.WRITE) and not model.has(address):
        return ReplyStatus.BAD_REQUEST
    if op == Op.WRITE and not (BY_ADDRESS.get(address) or BLOCK_BY_ADDRESS[address]).writable:
        return ReplyStatus.BAD_REQUEST
    if op == Op.RECORD and address >= RECORD_WORDS:
        return ReplyStatus.BAD_REQUEST
    if op in (Op.RECORD, Op.POP):
        if not model.level(when):
            return ReplyStatus.NOT_THERE
        if op == Op.POP and int(model.oldest()[0]) >> 32 & 0xFF != address:
            return ReplyStatus.NOT_THERE
    return ReplyStatus.OK
