"""The simulated RS-485 line: bytes take their time, overlap garbles, noise damages as often as it is told to (X-3)."""

from __future__ import annotations

import os
import select
import time

import pytest
import serial

from drivers.sim.pty_bus import PtyBus
from drivers.sim.serial_bus import MASTER, MOST_NODES, QUEUE, FourWireBus, Noise

BYTE_NS = 10 * 10**9 // 9600


def test_all_others_hear_the_master_and_the_master_hears_them() -> None:
    bus = FourWireBus(3)
    assert bus.transmit(MASTER, b"abc", 0) == 3 * 10 * 10**9 // 9600
    assert bus.heard(3 * BYTE_NS - 1) == []
    assert [(list(nodes), data) for nodes, data, _ in bus.heard(3 * BYTE_NS + 2)] == [([1, 2, 3], b"abc")]
    bus.transmit(2, b"xy", 10**9)
    assert [(list(nodes), data) for nodes, data, _ in bus.heard(2 * 10**9)] == [([0], b"xy")]
    assert bus.next_ns is None


def test_a_long_burst_comes_as_a_queue_gives_it() -> None:
    bus = FourWireBus(1)
    bus.transmit(1, bytes(range(40)), 0)
    found = []
    while (due := bus.next_ns) is not None:
        found += [len(data) for _, data, _ in bus.heard(due)]
    assert found == [QUEUE, QUEUE, 40 - 2 * QUEUE]


def test_bytes_of_two_nodes_that_overlap_are_garbled_and_no_others() -> None:
    """A 0 wins: 0b1100 and 0b1010 are 0b1000."""
    bus = FourWireBus(2)
    bus.transmit(1, bytes((0b1100, 0b1100, 0b1100)), 0)
    bus.transmit(2, bytes((0b1010,)), BYTE_NS + BYTE_NS // 2)
    heard = b"".join(data for _, data, _ in bus.heard(10**9))
    assert heard[0] == 0b1100
    assert heard[1:].count(0b1000) == 3, "one byte overlaps two"
    assert bus.collisions == 2


def test_master_and_node_have_a_pair_each() -> None:
    bus = FourWireBus(1)
    bus.transmit(MASTER, b"\xff", 0)
    bus.transmit(1, b"\x00", 0)
    assert {data for _, data, _ in bus.heard(10**9)} == {b"\xff", b"\x00"}
    assert bus.collisions == 0


def test_a_receiver_at_another_speed_hears_noise() -> None:
    bus = FourWireBus(1)
    bus.bauds[1] = 19200
    bus.transmit(MASTER, b"\xee\x01", 0)
    ((_, data, baud),) = bus.heard(10**9)
    assert bus.as_heard_by(1, data, baud) != b"\xee\x01"
    bus.bauds[1] = 9600
    assert bus.as_heard_by(1, data, baud) == b"\xee\x01"


def test_noise_damages_its_share() -> None:
    """Of 4000 bursts at 10 %, five deviations are 5·√(4000·0.1·0.9) = 95."""
    noise = Noise(0.1, 1)
    changed = sum(noise.on(bytes(20)) != bytes(20) for _ in range(4000))
    assert abs(noise.damaged - 400) <= 95
    assert changed == noise.damaged
    assert Noise(0.0, 1).on(b"abc") == b"abc"
    assert Noise(1.0, 1).on(b"") == b""


@pytest.mark.parametrize("nodes", [0, MOST_NODES, -1])
def test_a_line_has_up_to_32_nodes(nodes: int) -> None:
    with pytest.raises(ValueError, match="an RS-485 line has 1 to 32"):
        FourWireBus(nodes)


def test_programs_at_pseudo_terminals_hear_each_other_through_pyserial() -> None:
    line = PtyBus(2)
    try:
        ports = [serial.Serial(path, 9600, timeout=5) for path in line.paths]
        begun = time.monotonic()
        ports[0].write(b"0123456789")
        assert [port.read(10) for port in ports[1:]] == [b"0123456789"] * 2
        assert time.monotonic() - begun >= 10 * 10 / 9600, "the line's own time"
        ports[2].write(b"answer")
        assert ports[0].read(6) == b"answer"
        assert not select.select([ports[1].fileno()], [], [], 0.1)[0], "four wires: it does not hear the other"
        ports[1].baudrate = 19200
        ports[0].write(b"\xee\xee")
        assert ports[2].read(2) == b"\xee\xee"
        assert ports[1].read(2) != b"\xee\xee"
        for port in ports:
            port.close()
    finally:
        line.close()
    assert not os.path.exists(line.paths[0]) or line.bus.next_ns is None
