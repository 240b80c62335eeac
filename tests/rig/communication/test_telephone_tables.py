"""Tables of a telephone, as a public client parses them, read through a call (ST90 to ST95, ST97; X-3).

The parser is written after termineter's C1219TelephoneAccess, which takes numbers, prefix and status from these bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from modem_bench import ModemBench
from psem_client import Answer
from served_port import ServedPort

from drivers.sim.hayes_modem import LineFaults
from rig.communication.modem.schedule import Cause
from rig.communication.modem.settings import CallEvent, ModemSettings, Window

PROGRAM = '[security]\nlevel_1 = "111111"\n'
TELEPHONE = {90, 91, 92, 93, 94, 95, 97}
HOW = ModemSettings(
    numbers=("5551234", "42"), rings=1, schedule=(150, 600), answer_windows=(Window(0, 1439),), lockout_calls=3,
    originate_windows=(Window(0, 60), Window(90, 120)), events=frozenset({CallEvent.POWER_UP}),
)  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Iterator[ModemBench]:
    made = ModemBench(PROGRAM, HOW, LineFaults(outcomes={"5551234": "BUSY"}))
    made.wait(5)
    yield made
    made.close()


def numbers_of(st91: bytes, st93: bytes) -> list[bytes]:
    """The client's way: a byte of delay, the prefix, the numbers."""
    prefix_length, count, length = st91[4], st91[5], st91[6]
    rest = st93[1 + prefix_length :]
    return [rest[length * k : length * (k + 1)] for k in range(count)]


def test_a_caller_reads_whom_the_meter_calls_and_what_came_of_it(bench: ModemBench) -> None:
    bench.port.modem.call(Cause.COMMAND, bench.line.now_ns)
    assert not bench.await_call(20)
    bench.port.modem.schedule.due = None
    bench.wait(20)
    assert bench.call_in()
    client = bench.client
    client.identify()
    client.log_on()
    with pytest.raises(Answer):
        client.read(91)
    client.password(b"111111")
    st91, st93 = client.read(91), client.read(93)
    assert client.read(90) == st91
    assert st91 == bytes((0x01, 2, 3, 12, 4, 2, 7, 2, 0, 1, 0, 1, 0, 0))
    assert st93[1:5] == b"ATDT"
    assert numbers_of(st91, st93) == [b"5551234", b"42     "]
    assert client.read(92) == b"\x00AT&F        ATE0V1Q0    ATS0=0&C1&D2"
    assert st93[19:] == bytes((0, 0, 1, 0, 0x7F, 1, 30, 0, 30, 0x7F)), "midnight for an hour; 1:30 for half an hour"
    assert client.read(95) == bytes((0, 3, 30, 1, 0, 0, 0, 23, 59, 0x7F)), "no rings outside its window"
    (index,) = client.read(94)
    assert (index & 7, index >> 4 & 7) == (0, 1)
    assert list(client.read(97)) == [7, 0], "busy; none"
    st0 = client.read(0)
    used = {n for n in range(8 * st0[13]) if st0[19 + n // 8] >> n % 8 & 1}
    assert used & set(range(90, 99)) == TELEPHONE
    client.ask(b"\x22")


def test_a_modem_that_calls_nobody_says_so() -> None:
    made = ModemBench(PROGRAM, ModemSettings(rings=1))
    made.wait(5)
    assert made.call_in()
    made.client.identify()
    made.client.log_on()
    made.client.password(b"111111")
    st91 = made.client.read(91)
    assert st91[0] == 0x41, "answers, no lock-out"
    assert numbers_of(st91, made.client.read(93)) == [b" "]
    assert made.client.read(94) == bytes((0x77,)), "no number is called"
    assert made.client.read(97) == b"\x00"
    assert made.client.read(95) == b"\x01", "one ring; no lock-out, no windows, no caller ids"
    made.close()


def test_what_the_modem_does_is_in_st95() -> None:
    """At each minute of a day, and of one that calls back instead."""
    how = ModemSettings(
        rings=2, rings_outside=8, answer_windows=(Window(1080, 360), Window(600, 601), Window(720, 720)),
        lockout_calls=100, lockout_s=15_301,
    )  # fmt: skip
    made = ModemBench(PROGRAM, how)
    made.wait(5)
    assert made.call_in()
    made.client.identify()
    made.client.log_on()
    made.client.password(b"111111")
    st91, st95 = made.client.read(91), made.client.read(95)
    assert (st91[0] & 0x40, st91[11]) == (0, 3), "lock-out, three windows"
    delay, attempts, minutes, rings, outside = st95[:5]
    assert (delay, attempts, minutes) == (0, 100, 255), "255 minutes and a second"
    assert len(st95) == 5 + 3 * 5
    for minute in range(1440):
        inside = False
        for at in (5, 10, 15):
            begin, duration = 60 * st95[at] + st95[at + 1], 60 * st95[at + 2] + st95[at + 3]
            inside |= (minute - begin) % 1440 < duration
        assert how.rings_at(minute) == (rings if inside else outside), minute
    made.close()
    made = ModemBench(PROGRAM, ModemSettings(rings=3, call_back=True, numbers=("1",)))
    assert made.port.facts().rings == 0, "it answers nobody"
    made.close()


def test_a_port_without_a_modem_has_none_of_them() -> None:
    served = ServedPort(PROGRAM)
    client = served.client
    client.identify()
    client.log_on()
    client.password(b"111111")
    for number in TELEPHONE:
        with pytest.raises(Answer) as refused:
            client.read(number)
        assert refused.value.code == 0x05
    st0 = client.read(0)
    assert not {n for n in range(8 * st0[13]) if st0[19 + n // 8] >> n % 8 & 1} & TELEPHONE
    served.close()
