"""A modem's state machine, row by row, and what a telephone line does to it (X-3).

Rows are walked with words and times typed here; what the modem says is typed too, or the simulated modem's.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.communication.modem import modem as modem_text
from rig.communication.modem.modem import CallStatus, Modem, ModemState
from rig.communication.modem.results import MOST_LINE, Result, ResultReader, result_of
from rig.communication.modem.schedule import CallSchedule, Cause
from rig.communication.modem.settings import ModemSettings, Window

S = 10**9
MIN = 60 * S
DAY = 86400 * S
MIDNIGHT_NS = 1_796_083_200 * S
PLAIN = ModemSettings(setup=("ATE0", "ATS0=0"), numbers=("111", "222"), rings=2, retry_s=300, tries=3)


def local(now_ns: int) -> int:
    return MIDNIGHT_NS + now_ns


class Bench:
    """A modem and the bytes that came of it."""

    def __init__(self, how: ModemSettings = PLAIN) -> None:
        self.now = 0
        self.modem = Modem(how, local, 0)
        self.said = b""
        self._take()

    def _take(self) -> None:
        self.said += self.modem.output(self.now)

    def hear(self, text: str | bytes) -> bytes:
        data = text if isinstance(text, bytes) else f"\r\n{text}\r\n".encode()
        found = self.modem.feed(data, self.now)
        self._take()
        return found

    def wait(self, seconds: float) -> None:
        """Time goes by as a port lets it: by `next_ns`."""
        until = self.now + round(seconds * S)
        while (due := self.modem.next_ns) is not None and due <= until:
            self.now = max(self.now, due)
            before = self.modem.state, self.modem.next_ns
            self.modem.tick(self.now)
            self._take()
            if (self.modem.state, self.modem.next_ns) == before and self.modem.next_ns <= self.now:  # type: ignore[operator]
                raise AssertionError("it is due and does nothing")
        self.now = until
        self.modem.tick(self.now)
        self._take()

    def to(self, state: ModemState) -> Bench:
        """Bring it into a state as a call does."""
        if state in (ModemState.SETTING_UP,):
            return self
        if state is ModemState.RESTING:
            self.wait(10)
            return self
        self.hear("OK")
        self.hear("OK")
        if state is ModemState.IDLE:
            return self
        if state is ModemState.DIALLING:
            self.modem.call(Cause.COMMAND, self.now)
            self._take()
            return self
        self.hear("RING")
        self.hear("RING")
        if state is ModemState.ANSWERING:
            return self
        self.hear("CONNECT 9600")
        if state is ModemState.CONNECTED:
            return self
        self.modem.hang_up(self.now)
        self._take()
        if state is ModemState.HANGING_UP:
            return self
        self.wait(1.3)
        if state is ModemState.ESCAPING:
            return self
        self.hear("OK")
        return self


def other(result: str) -> Callable[[Bench], None]:
    return lambda bench: bench.hear(result) and None


def after(seconds: float) -> Callable[[Bench], None]:
    return lambda bench: bench.wait(seconds)


def call_due(bench: Bench) -> None:
    bench.modem.call(Cause.EVENT, bench.now)
    bench._take()


def rings_once(bench: Bench) -> None:
    bench.hear("RING")


def rings_twice(bench: Bench) -> None:
    bench.hear("RING")
    bench.hear("RING")


def ok_twice(bench: Bench) -> None:
    bench.hear("OK")
    bench.hear("OK")


def line_gone(bench: Bench) -> None:
    bench.modem.lose_line(bench.now)
    bench._take()


def ring_that_ends(bench: Bench) -> None:
    bench.hear("RING")
    bench.wait(8.1)


def cut(bench: Bench) -> None:
    bench.hear("NO CARRIER")
    bench.wait(1.2)


ROWS: dict[tuple[str, str], tuple[Callable[[Bench], None], bytes]] = {
    ("setting up", "OK, more strings"): (other("OK"), b"ATS0=0\r"),
    ("setting up", "OK, no more"): (ok_twice, b"ATS0=0\r"),
    ("setting up", "ERROR, or nothing for COMMAND_NS, tries left"): (other("ERROR"), b"ATE0\r"),
    ("setting up", "either, none left"): (after(9.1), b"ATE0\rATE0\r"),
    ("any", "the line to the modem has gone"): (line_gone, b"ATE0\r"),
    ("resting", "REST_NS"): (after(30), b"ATE0\r"),
    ("idle", "RING, not yet as many as the hour asks for"): (rings_once, b""),
    ("idle", "RING, as many, no lock-out"): (rings_twice, b"ATA\r"),
    ("idle", "no RING for RINGS_END_NS"): (ring_that_ends, b""),
    ("idle", "a call is due, no RING is counted"): (call_due, b"ATDT111\r"),
    ("idle", "CONNECT"): (other("CONNECT"), b""),
    ("answering", "CONNECT"): (other("CONNECT 14400"), b""),
    ("answering", "any other result, or CARRIER_NS"): (other("NO CARRIER"), b""),
    ("dialling", "CONNECT"): (other("CONNECT"), b""),
    ("dialling", "BUSY, NO …, ERROR, OK, or CARRIER_NS"): (other("BUSY"), b""),
    ("dialling", "RING"): (rings_once, b""),
    ("connected", "NO CARRIER, carrier off, or an echo"): (cut, b""),
    ("connected", "the session is to end, idle_s, longest_s"): (after(60.1), b""),
    ("hanging up", "GUARD_NS of silence"): (after(1.3), b"+++"),
    ("escaping", "OK, or ESCAPE_NS"): (other("OK"), b"ATH0\r"),
    ("releasing", "any result, or COMMAND_NS"): (other("OK"), b"ATE0\r"),
}


def table() -> list[tuple[str, str, str]]:
    """The rows of the docstring: state, event, and what it becomes."""
    assert modem_text.__doc__ is not None
    lines = modem_text.__doc__.split("becomes\n", 1)[1].split("\n\n")[0].splitlines()
    found = []
    for line in lines:
        state, event, becomes = line[4:16].strip(), line[16:61].strip(), line[93:].strip()
        found.append((state, event, becomes))
    return found


def test_every_row_of_the_table_is_walked() -> None:
    assert {(state, event) for state, event, _ in table()} == set(ROWS)


@pytest.mark.parametrize(("state", "event", "becomes"), table())
def test_a_row(state: str, event: str, becomes: str) -> None:
    act, says = ROWS[state, event]
    bench = Bench().to(ModemState.CONNECTED if state == "any" else ModemState(state))
    assert state == "any" or bench.modem.state.value == state
    bench.said = b""
    act(bench)
    assert bench.said == says
    assert bench.modem.state.value == becomes


@pytest.mark.parametrize(
    ("state", "seconds", "becomes"),
    [
        ("answering", 60.1, "hanging up"), ("dialling", 60.1, "hanging up"), ("escaping", 2.1, "releasing"),
        ("releasing", 3.1, "setting up"), ("connected", 59.9, "connected"), ("hanging up", 1.1, "hanging up"),
    ],
)  # fmt: skip
def test_what_nothing_comes_to(state: str, seconds: float, becomes: str) -> None:
    bench = Bench().to(ModemState(state))
    bench.wait(seconds)
    assert bench.modem.state.value == becomes


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("BUSY", CallStatus.BUSY), ("NO DIALTONE", CallStatus.NO_DIALTONE), ("NO DIAL TONE", CallStatus.NO_DIALTONE),
        ("NO CARRIER", CallStatus.NO_CONNECTION), ("NO ANSWER", CallStatus.NO_CONNECTION), ("7", CallStatus.BUSY),
        ("ERROR", CallStatus.NO_MODEM),
    ],
)  # fmt: skip
def test_a_call_that_does_not_come_about_has_its_status_and_the_next_number_follows(
    word: str, status: CallStatus
) -> None:
    bench = Bench().to(ModemState.DIALLING)
    bench.hear(word)
    assert bench.modem.status is status
    bench.wait(1.3)
    for _ in range(4):
        bench.hear("OK")
    assert bench.modem.state is ModemState.IDLE
    bench.said = b""
    bench.wait(290)
    assert bench.said == b""
    bench.wait(12)
    assert bench.said == b"ATDT222\r"


def test_windows_of_answering() -> None:
    how = ModemSettings(setup=(), rings=1, rings_outside=3, answer_windows=(Window(0, 60), Window(1380, 30)))
    bench = Bench(how)
    bench.hear("RING")
    assert bench.said == b"ATA\r", "00:00"
    assert how.rings_at(59) == how.rings_at(1380) == how.rings_at(29) == 1
    assert how.rings_at(60) == how.rings_at(1379) == 3
    assert ModemSettings(rings_outside=0, answer_windows=(Window(60, 120),)).rings_at(0) == 0


def test_it_never_answers_outside_its_windows_when_it_must_not() -> None:
    bench = Bench(ModemSettings(setup=(), rings=1, answer_windows=(Window(60, 120),)))
    for _ in range(50):
        bench.hear("RING")
        bench.wait(6)
    assert bench.said == b""
    bench.wait(3600)
    bench.hear("RING")
    assert bench.said == b"ATA\r"


def test_rings_are_not_answered_but_called_back() -> None:
    bench = Bench(ModemSettings(setup=(), rings=2, numbers=("99",), call_back=True))
    rings_once(bench)
    bench.wait(20)
    assert bench.said == b"", "one ring is too few"
    rings_twice(bench)
    assert bench.said == b""
    bench.wait(8.1)
    assert bench.said == b"ATDT99\r"


def test_callers_who_prove_nothing_are_locked_out() -> None:
    bench = Bench(ModemSettings(setup=(), rings=1, lockout_calls=2, lockout_s=600))

    def call(proves: bool) -> bool:
        bench.said = b""
        bench.hear("RING")
        if bench.said != b"ATA\r":
            bench.wait(9)
            return False
        bench.hear("CONNECT")
        if proves:
            bench.modem.proven()
        bench.modem.hang_up(bench.now)
        bench.wait(1.3)
        bench.hear("OK")
        bench.hear("OK")
        return True

    assert [call(False), call(True), call(False), call(False), call(False)] == [True, True, True, True, False]
    bench.wait(600)
    assert call(True)


# --- what comes over lines --------------------------------------------------------------------------------------


def test_pluses_in_data_are_data_both_ways() -> None:
    bench = Bench().to(ModemState.CONNECTED)
    assert bench.hear(b"+++") == b"+++"
    assert bench.modem.connected
    bench.wait(2)
    assert bench.hear(b"+++ATH0\r") == b"+++ATH0\r"
    bench.said = b""
    bench.modem.say(b"\xee+++", bench.now)
    bench._take()
    assert bench.said == b"\xee+++"


def test_no_carrier_within_a_packet_is_data() -> None:
    bench = Bench().to(ModemState.CONNECTED)
    assert bench.hear(b"\xee\r\nNO CARRIER\r\n") == b"\xee\r\nNO CARRIER\r\n"
    bench.wait(1)
    assert bench.hear(b"crc") == b"crc"
    bench.wait(10)
    assert bench.modem.connected
    bench.hear(b"\r\nNO CAR")
    bench.hear(b"RIER\r\n")
    bench.wait(1.2)
    assert not bench.modem.connected
    assert bench.modem.take_ended()
    assert not bench.modem.take_ended()


def test_a_carrier_wire_that_falls_ends_the_call_at_once() -> None:
    bench = Bench().to(ModemState.CONNECTED)
    bench.modem.carrier(True, bench.now)
    assert bench.modem.connected
    bench.modem.carrier(False, bench.now)
    assert bench.modem.state is ModemState.HANGING_UP
    assert bench.modem.take_ended()


@pytest.mark.parametrize("pieces", [1, 5, 100])
def test_a_modem_that_echoes_a_packet_has_no_carrier(pieces: int) -> None:
    said = bytes.fromhex("06ee0000000001001131")
    bench = Bench().to(ModemState.CONNECTED)
    bench.modem.say(said, bench.now)
    for at in range(0, len(said), pieces):
        assert bench.modem.connected
        bench.hear(said[at : at + pieces])
    assert not bench.modem.connected
    bench = Bench().to(ModemState.CONNECTED)
    bench.modem.say(said, bench.now)
    bench.hear(b"\x06")  # a client's acknowledgement begins like it
    bench.hear(bytes.fromhex("ee002000000120b7"))
    assert bench.modem.connected


def test_a_meter_that_repeats_itself_does_not_keep_a_lost_call() -> None:
    bench = Bench().to(ModemState.CONNECTED)
    bench.hear("NO CARRIER")
    bench.modem.say(b"again", bench.now)
    bench.wait(1.3)
    assert not bench.modem.connected


def test_an_echo_is_no_result() -> None:
    bench = Bench()
    bench.hear(b"ATE0\r\r\nOK\r\nATS0=0\r\r\nOK\r\n")
    assert bench.modem.state is ModemState.IDLE


def test_ring_while_dialling_is_nothing() -> None:
    bench = Bench().to(ModemState.DIALLING)
    for _ in range(5):
        bench.hear("RING")
    assert bench.modem.state is ModemState.DIALLING
    bench.hear("CONNECT")
    assert bench.modem.connected
    assert bench.modem.counts.made == 1


def test_data_right_behind_connect_are_the_sessions() -> None:
    bench = Bench().to(ModemState.ANSWERING)
    assert bench.hear(b"\r\nCONNECT 9600\r\n\xee\x00") == b"\xee\x00"


def test_a_flood_costs_no_memory_and_is_no_result() -> None:
    reader = ResultReader()
    for _ in range(100):
        assert reader.feed(b"x" * 10_000) == ([], b"")
    assert len(reader._line) <= MOST_LINE
    assert reader.feed(b"OK\r\n") == ([], b""), "the end of a line that is too long"
    assert reader.feed(b"OK\r\n") == ([Result.OK], b"")


@pytest.mark.parametrize("line", [b"", b"OK!", b"RINGING", b"ok", b"CONNECTED", b"\xff\xfe", b"5", b"\x00OK", b"ATA"])
def test_what_is_no_result(line: bytes) -> None:
    assert result_of(line) is None


@settings(max_examples=100)
@given(
    came=st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(["OK", "RING", "CONNECT", "NO CARRIER", "BUSY"])))
)
def test_whatever_comes_it_is_idle_again_once_the_modem_answers(came: list[bytes | str]) -> None:
    bench = Bench()
    for each in came:
        bench.hear(each)
        bench.wait(0.5)
    for _ in range(600):
        if bench.modem.state is ModemState.IDLE and not bench.modem.schedule.due:
            return
        bench.wait(1)
        said, bench.said = bench.said, b""
        if said.endswith((b"\r", b"+++")):
            bench.hear("NO CARRIER" if b"ATD" in said else "OK")
    raise AssertionError(bench.modem.state)


# --- the schedule -----------------------------------------------------------------------------------------------


def scheduled(*minutes: int, **options: int) -> CallSchedule:
    return CallSchedule(ModemSettings(numbers=("1",), schedule=minutes, **options), MIDNIGHT_NS)  # type: ignore[arg-type]


def test_each_minute_of_the_schedule_comes_due_once_a_day() -> None:
    schedule = scheduled(30, 90)
    due = []
    for minute in range(0, 3 * 1440):
        schedule.look(MIDNIGHT_NS + minute * MIN)
        if schedule.ready(MIDNIGHT_NS + minute * MIN):
            due.append(minute)
            schedule.came_about()
    assert due == [30, 90, 1470, 1530, 2910, 2970]


def test_a_call_that_fails_is_tried_again_and_given_up() -> None:
    schedule = scheduled(10, retry_s=60, tries=3)
    tried = []
    for second in range(0, 3600):
        now = MIDNIGHT_NS + second * S
        schedule.look(now)
        if schedule.ready(now):
            tried.append(second)
            schedule.failed(now)
    assert tried == [600, 660, 720]
    assert (schedule.given_up, schedule.due) == (1, None)


def test_a_clock_that_is_set_forward_makes_one_call_and_back_none() -> None:
    schedule = scheduled(10, 20, 30)
    schedule.look(MIDNIGHT_NS + 60 * MIN)
    assert schedule.due is not None
    schedule.came_about()
    schedule.look(MIDNIGHT_NS + 5 * MIN)
    schedule.look(MIDNIGHT_NS + 40 * MIN)
    assert schedule.due is None, "they have been"
    schedule.look(MIDNIGHT_NS + 400 * DAY)
    assert schedule.due is not None
    schedule.came_about()
    schedule.look(MIDNIGHT_NS + 400 * DAY + MIN)
    assert schedule.due is None


def test_a_clock_that_was_years_ahead_does_not_silence_the_schedule() -> None:
    """A Pi without a clock chip's battery: 2036 until the network says 2026."""
    schedule = CallSchedule(ModemSettings(numbers=("1",), schedule=(150,)), MIDNIGHT_NS + 3653 * DAY)
    schedule.look(MIDNIGHT_NS + 3653 * DAY + 149 * MIN)
    for day in range(2):
        for minute, due in ((149, False), (150, True), (151, False)):
            schedule.look(MIDNIGHT_NS + day * DAY + minute * MIN)
            assert (schedule.due is not None) == due, (day, minute)
            schedule.due = None


def test_a_repetition_is_no_later_for_an_hour_of_autumn() -> None:
    schedule = CallSchedule(ModemSettings(numbers=("1",), retry_s=300), MIDNIGHT_NS)
    schedule.ask(Cause.EVENT, MIDNIGHT_NS + 119 * MIN)
    schedule.failed(MIDNIGHT_NS + 119 * MIN)
    for minute, ready in ((60, False), (64, False), (65, True)):  # the clock shows 1 h again, where it would be 2 h
        schedule.look(MIDNIGHT_NS + minute * MIN)
        assert schedule.ready(MIDNIGHT_NS + minute * MIN) == ready, minute


def test_outside_its_window_only_a_command_calls() -> None:
    how = ModemSettings(numbers=("1",), schedule=(10,), originate_windows=(Window(120, 180),))
    schedule = CallSchedule(how, MIDNIGHT_NS)
    schedule.look(MIDNIGHT_NS + 11 * MIN)
    assert not schedule.ready(MIDNIGHT_NS + 11 * MIN)
    assert schedule.ready(MIDNIGHT_NS + 120 * MIN)
    schedule.ask(Cause.COMMAND, MIDNIGHT_NS + 12 * MIN)
    assert schedule.ready(MIDNIGHT_NS + 12 * MIN)


def test_a_modem_without_a_number_calls_nobody() -> None:
    schedule = CallSchedule(ModemSettings(schedule=(10,)), MIDNIGHT_NS)
    schedule.look(MIDNIGHT_NS + 11 * MIN)
    assert not schedule.ready(MIDNIGHT_NS + 11 * MIN)
