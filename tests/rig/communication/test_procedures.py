"""Procedures against a meter in service: what each does, at which level, and what it says (X-1, S-1, S-2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from zlib import crc32

import pytest

from rig.communication.c1219.codes import ResponseCode
from rig.daemon.protocol import OperateRelay
from tests.rig.communication.served_tables import ServedTables

PROGRAM = """
[clock]
zone = "America/Toronto"
[demand]
quantities = ["kW delivered", "kVA"]
[[tou.seasons]]
name = "summer"
begins = "05-01"
weekday = ["00:00 C", "07:00 A"]
[[tou.seasons]]
name = "winter"
begins = "11-01"
weekday = ["00:00 B"]
[[outputs]]
name = "KYZ1"
function = "eoi"
[[outputs]]
name = "KYZ2"
function = "pulses"
[security]
level_1 = "111111"
level_2 = "222222"
level_3 = "333333"
level_4 = "444444"
{seal}
"""
OPEN, SEALED = PROGRAM.format(seal=""), PROGRAM.format(seal="seal = true")

DONE, INVALID, CONFLICT, NOT_AUTHORIZED, UNKNOWN = 0, 2, 3, 5, 6
COLD_START, CLEAR, MODE, STATUS, RESET, CLOCK, LOG_IN, LOG_OUT = 0, 3, 6, 7, 9, 10, 18, 19


@pytest.fixture(scope="module")
def opened() -> Iterator[ServedTables]:
    served = ServedTables(OPEN)
    served.run(2)
    yield served
    served.close()


@pytest.fixture
def meter(opened: ServedTables) -> ServedTables:
    """A meter in billing mode, whose port nobody has logged on to."""
    opened.log_on("444444")
    assert opened.procedure(MODE, b"\x01") == (DONE, b"")
    assert opened.procedure(LOG_OUT) == (DONE, b"")
    assert opened.level == 0
    opened.device.end_session()
    return opened


def test_without_a_key_nothing_changes(meter: ServedTables) -> None:
    before = meter.reading()
    for number, parameters in (
        (COLD_START, b""), (CLEAR, b""), (MODE, b"\x02"), (RESET, b"\x03"),
        (CLOCK, bytes((3, 26, 12, 1, 12, 0, 0, 0))),
    ):  # fmt: skip
        result, data = meter.procedure(number, parameters)
        assert (result, data) == (NOT_AUTHORIZED, b"\0" if number == RESET else b""), number
    assert meter.procedure(1, b"", manufacturer=True) == (NOT_AUTHORIZED, b"")
    after = meter.reading()
    assert (after.resets, after.test, after.registers.energy) == (before.resets, None, before.registers.energy)


def test_remote_reset_reads_first_and_says_what_was_done(meter: ServedTables) -> None:
    meter.log_on("222222")
    resets = meter.reading().resets
    asked = len(meter.asked)
    assert meter.procedure(RESET, b"\x03") == (DONE, b"\x03")
    assert [type(each).__name__ for each in meter.asked[asked:]] == ["ReadSelf", "ResetDemand"]
    assert meter.reading().resets == resets + 1
    season = meter.reading().season
    other = 1 - season
    assert meter.procedure(RESET, bytes((4 | other << 3,))) == (DONE, bytes((4 | other << 3,)))
    assert meter.reading().season == other
    assert meter.procedure(RESET, bytes((4 | 9 << 3,))) == (INVALID, b"\0"), "there is no season 9"
    assert meter.procedure(RESET, bytes((1 | 4 | 9 << 3,))) == (INVALID, b"\x01"), "the reset was done"
    for wrong in (b"", b"\0", b"\x80", b"\x01\x01"):
        assert meter.procedure(RESET, wrong) == (INVALID, b"")


def test_a_mode_that_is_on_already_takes_its_level_too(meter: ServedTables) -> None:
    for key in ("", "111111", "222222"):
        if key:
            meter.log_on(key)
        assert meter.procedure(MODE, b"\x01") == (NOT_AUTHORIZED, b""), key
    meter.log_on("333333")
    assert meter.procedure(MODE, b"\x01") == (DONE, b"")


def test_modes(meter: ServedTables) -> None:
    meter.log_on("333333")
    assert meter.procedure(MODE, b"\x02") == (DONE, b"")
    assert meter.reading().test is not None
    assert meter.data(3)[0] == 2
    assert meter.procedure(MODE, b"\x02") == (DONE, b""), "it is in test mode"
    assert meter.procedure(CLEAR) == (CONFLICT, b""), "not in test mode"
    assert meter.procedure(MODE, b"\x04") == (CONFLICT, b"")
    assert meter.procedure(MODE, b"\x08") == (CONFLICT, b"")
    assert meter.procedure(MODE, b"\x03") == (INVALID, b"")
    assert meter.procedure(MODE, b"\x01") == (DONE, b"")
    assert meter.reading().test is None
    assert meter.data(3)[0] == 1


def test_the_clock_is_set_in_local_time(meter: ServedTables) -> None:
    meter.log_on("222222")
    result, data = meter.procedure(CLOCK, bytes((3, 27, 7, 1, 12, 30, 15, 0)))
    assert result == DONE
    assert data[6:12] == bytes((27, 7, 1, 12, 30, 15))
    near(meter, datetime.fromisoformat("2027-07-01T12:30:15-04:00"))
    result, data = meter.procedure(CLOCK, bytes((1, 0, 0, 0, 13, 0, 0, 0)))
    assert (result, data[6:12]) == (DONE, bytes((27, 7, 1, 13, 0, 0))), "the time alone"
    result, data = meter.procedure(CLOCK, bytes((2, 27, 8, 2, 1, 1, 1, 0)))
    assert (result, data[6:9]) == (DONE, bytes((27, 8, 2))), "the date alone"
    near(meter, datetime.fromisoformat("2027-08-02T13:00:00-04:00"))
    for wrong in (
        b"",
        bytes(8),
        bytes((3, 27, 2, 30, 0, 0, 0, 0)),
        bytes((3, 27, 1, 1, 25, 0, 0, 0)),
        bytes((9, 27, 1, 1, 1, 1, 1, 0)),
    ):
        assert meter.procedure(CLOCK, wrong)[0] == INVALID


def near(meter: ServedTables, instant: datetime) -> None:
    """The meter registers up to this instant, or up to a record before it."""
    assert 0 <= int(instant.timestamp()) * 10**9 - meter.reading().utc_ns < 10**8


@pytest.mark.parametrize(("qualifier", "offset_h"), [(None, -4), (8, -4), (0, -5)])
def test_a_doubled_hour_goes_by_the_qualifier(meter: ServedTables, qualifier: int | None, offset_h: int) -> None:
    meter.log_on("222222")
    mask = 3 if qualifier is None else 7
    assert meter.procedure(CLOCK, bytes((mask, 27, 11, 7, 1, 30, 0, qualifier or 0)))[0] == DONE
    near(meter, datetime(2027, 11, 7, 1, 30, tzinfo=timezone(timedelta(hours=offset_h))))


@pytest.mark.parametrize(("qualifier", "offset_h"), [(8, -4), (0, -5)])
@pytest.mark.parametrize(("mask", "minute"), [(1, 31), (2, 30), (3, 29)])
def test_a_clock_that_is_corrected_stays_in_its_pass(
    meter: ServedTables, qualifier: int, offset_h: int, mask: int, minute: int
) -> None:
    """Without a qualifier, in the hour that comes twice: time, date, or both."""
    meter.log_on("222222")
    assert meter.procedure(CLOCK, bytes((7, 27, 11, 7, 1, 30, 0, qualifier)))[0] == DONE
    assert meter.procedure(CLOCK, bytes((mask, 27, 11, 7, 1, minute, 0, 0)))[0] == DONE
    near(meter, datetime(2027, 11, 7, 1, minute, tzinfo=timezone(timedelta(hours=offset_h))))


def test_a_time_that_is_qualified_as_utc_is_so(meter: ServedTables) -> None:
    meter.log_on("222222")
    result, data = meter.procedure(CLOCK, bytes((7, 27, 7, 1, 3, 30, 15, 16)))
    assert (result, data[6:12]) == (DONE, bytes((27, 6, 30, 23, 30, 15))), "Toronto's own"
    near(meter, datetime.fromisoformat("2027-07-01T03:30:15+00:00"))
    assert meter.procedure(CLOCK, bytes((5, 0, 0, 0, 4, 0, 0, 16)))[0] == DONE
    near(meter, datetime.fromisoformat("2027-07-01T04:00:00+00:00"))


def test_log_in_by_procedure(meter: ServedTables) -> None:
    assert meter.procedure(LOG_IN, struct.pack("<H20s", 7, b"222222")) == (DONE, b"")
    assert meter.level == 2
    assert meter.procedure(LOG_OUT) == (DONE, b"")
    assert meter.level == 0
    assert meter.procedure(LOG_IN, b"222222") == (INVALID, b"")


def test_what_is_no_procedure(meter: ServedTables) -> None:
    for number in (1, 2, 11, 16, 17, 20, 27, 100, 2047):
        assert meter.procedure(number) == (UNKNOWN, b"")
    assert meter.procedure(99, manufacturer=True) == (UNKNOWN, b"")


def test_answers_are_kept_as_the_selector_says_and_for_one_session(meter: ServedTables) -> None:
    assert meter.read(8) is ResponseCode.NOT_READY
    assert meter.write(7, struct.pack("<HB", 1 | 2 << 12, 5)) is None
    assert meter.read(8) is ResponseCode.NOT_READY, "no answer was wanted"
    assert meter.write(7, struct.pack("<HB", LOG_OUT | 1 << 12, 5)) is None
    assert meter.read(8) is ResponseCode.NOT_READY, "only if it failed"
    assert meter.write(7, struct.pack("<HB", 1 | 1 << 12, 5)) is None
    assert meter.read(8) == struct.pack("<HBB", 1 | 1 << 12, 5, UNKNOWN)
    meter.device.end_session()
    assert meter.read(8) is ResponseCode.NOT_READY
    assert meter.read(7) is ResponseCode.INSUFFICIENT_SECURITY


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x00", struct.pack("<HB", 4 << 12, 0), bytes(3) + bytes(65)])
def test_what_cannot_be_written_to_st7(meter: ServedTables, data: bytes) -> None:
    assert meter.write(7, data) is ResponseCode.INAPPROPRIATE


def test_other_tables_cannot_be_written(meter: ServedTables) -> None:
    meter.log_on("444444")
    for number in (0, 1, 3, 5, 6, 13, 15, 23, 32, 54, 99, 4096 + 13, 2049):
        assert meter.write(number, bytes(20)) is ResponseCode.INAPPROPRIATE
    for number in (42, 45):
        assert meter.write(number, bytes(20)) is ResponseCode.INSUFFICIENT_SECURITY
        assert meter.read(number) is ResponseCode.INSUFFICIENT_SECURITY
    assert meter.write(7, bytes(3), 1) is ResponseCode.INAPPROPRIATE


def stage(meter: ServedTables, text: str, part: int = 100) -> bytes:
    data = text.encode()
    for begin in range(0, len(data), part):
        assert meter.write(2048, data[begin : begin + part], begin) is None
    return struct.pack("<II", len(data), crc32(data))


def test_a_whole_program_is_written(meter: ServedTables) -> None:
    meter.log_on("222222")
    assert meter.write(2048, b"x", 0) is ResponseCode.INSUFFICIENT_SECURITY
    assert meter.read(2048) is ResponseCode.INSUFFICIENT_SECURITY
    meter.log_on("444444")
    assert meter.read(2048) is ResponseCode.NOT_READY
    assert meter.write(2048, b"x", 1) is ResponseCode.INAPPROPRIATE, "a gap"
    assert meter.write(2048, bytes(65537)) is ResponseCode.NOT_POSSIBLE
    wanted = OPEN.replace('["kW delivered", "kVA"]', '["kW delivered"]')
    said = stage(meter, wanted)
    assert meter.read(2048) == wanted.encode()
    assert meter.procedure(0, said[:4] + b"\0\0\0\0", manufacturer=True)[0] == INVALID
    digest = meter.service.program.digest
    assert meter.procedure(0, said, manufacturer=True) == (DONE, b"")
    assert meter.service.program.digest != digest
    assert meter.data(21)[4] == 1, "one demand"
    meter.log_on("444444")
    assert meter.read(2048) is ResponseCode.NOT_READY, "what was staged is written"
    wrong = stage(meter, wanted.replace('"kW delivered"', '"kW deliverd"'))
    result, sentence = meter.procedure(0, wrong, manufacturer=True)
    assert result == INVALID
    assert b"kW deliverd" in sentence
    meter.log_on("333333")
    stage(meter, OPEN)
    assert meter.procedure(LOG_OUT) == (DONE, b"")
    meter.log_on("333333")
    assert meter.read(2048) is ResponseCode.NOT_READY, "it went with the level"
    metrology = stage(meter, OPEN)
    assert meter.procedure(0, metrology, manufacturer=True)[0] == NOT_AUTHORIZED
    meter.log_on("444444")
    assert meter.procedure(0, stage(meter, OPEN), manufacturer=True) == (DONE, b"")


def test_a_relay_is_operated(meter: ServedTables) -> None:
    meter.log_on("444444")
    assert meter.procedure(2, struct.pack("<BBH", 1, 1, 5), manufacturer=True) == (DONE, b"")
    assert meter.asked[-1] == OperateRelay("KYZ1", True, 0.5)
    meter.run(1)
    assert meter.procedure(2, struct.pack("<BBH", 2, 1, 5), manufacturer=True) == (INVALID, b""), "it counts energy"
    assert meter.procedure(2, struct.pack("<BBH", 5, 1, 5), manufacturer=True) == (INVALID, b"")
    assert meter.procedure(2, struct.pack("<BBH", 1, 1, 65535), manufacturer=True) == (INVALID, b"")


def test_with_the_seal_on_nothing_metrological_whatever_the_key() -> None:
    served = ServedTables(SEALED)
    try:
        served.run(1)
        served.log_on("444444")
        assert served.procedure(COLD_START) == (NOT_AUTHORIZED, b"Cold Start failed")
        for number, manufacturer in ((CLEAR, False), (1, True)):
            assert served.procedure(number, manufacturer=manufacturer) == (NOT_AUTHORIZED, b"")
        said = stage(served, SEALED.replace('["kW delivered", "kVA"]', '["kW delivered"]'))
        result, sentence = served.procedure(0, said, manufacturer=True)
        assert (result, b"seal" in sentence) == (NOT_AUTHORIZED, True)
        assert served.data(21)[4] == 2, "as before"
    finally:
        served.close()
