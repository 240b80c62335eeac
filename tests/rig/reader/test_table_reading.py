"""A whole meter read by a line: one of others' making, with faults of every kind, and what is left of it (X-2)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from psem_client import packet
from psem_device import PsemDevice, st0

from rig.reader.connecting import Approach, Protocol, WrongPassword, begin, find, prove
from rig.reader.conversation import Conversation, MeterSilent, ServiceRefused
from rig.reader.echo import EchoState, WithoutEcho
from rig.reader.line import MeterLineError
from rig.reader.partial import PartialReading
from rig.reader.reading import Extent, OtherMeter, TableReading

ST1 = b"XYZ1" + b"MODEL-7 " + bytes((1, 2, 3, 4)) + b"0000000012345678"
LONG = bytes(range(256)) * 40


SHORT = Extent()


def meter(**extra: object) -> PsemDevice:
    tables = {0: st0((0, 1, 5, 42, 64), manufacturer=(0, 3)), 1: ST1, 5: b"A METER OF OTHERS   ", 42: b"secret" * 4,
              64: LONG, 2048: b"first", 2051: b"third" * 30}  # fmt: skip
    return PsemDevice(tables, **extra)  # type: ignore[arg-type]


def connected(device: PsemDevice, password: bytes | None = None, **approach: object) -> Conversation:
    way = Approach(**approach)  # type: ignore[arg-type]
    conversation = find(device, way)
    assert isinstance(conversation, Conversation)
    begin(conversation, way)
    if password is not None:
        prove(conversation, password)
    return conversation


def read(
    device: PsemDevice, path: Path | None = None, extent: Extent = SHORT, password: bytes | None = None
) -> PartialReading:
    partial = PartialReading(path)
    try:
        TableReading(connected(device, password), partial).run(extent, lambda done, of, what: None)
    finally:
        partial.close()
    return partial


def data_of(partial: PartialReading) -> dict[int, bytes | None]:
    return {number: table.bytes for number, table in partial.tables.items()}


@pytest.mark.parametrize("standard", [0, 2])
def test_every_table_that_there_is_but_secrets(standard: int) -> None:
    device = meter(standard=standard)
    found = data_of(read(device, extent=Extent(profile=True)))
    assert found == {number: data for number, data in device.tables.items() if number != 42}
    asked = [message[1:3] for message in device.asked if 0x30 <= message[0] <= 0x3F]
    assert b"\x00\x00" in asked
    assert b"\x00\x2a" not in asked


def test_secrets_are_not_asked_for_even_where_somebody_names_them() -> None:
    device = meter()
    found = data_of(read(device, extent=Extent(tables=frozenset({1, 42, 45, 64}))))
    assert {0, 1, 64} < found.keys()
    assert not {42, 45} & found.keys()
    assert not any(message[0] & 0xF0 == 0x30 and message[1:3] in (b"\x00\x2a", b"\x00\x2d") for message in device.asked)


def test_a_load_profile_only_if_it_is_wanted() -> None:
    device = meter()
    assert data_of(read(device)).keys() == {0, 1, 5, 2048, 2051}


@pytest.mark.parametrize(
    "change",
    [
        {"negotiates": False},
        {"offset_reads": False, "packets": 255},
        {"busy": 3},
        {"deaf": 1},
        {"identity": 0x40},
        {"size": 16, "packets": 255, "negotiates": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_meters_that_differ(change: dict[str, object]) -> None:
    device = meter(**change)
    if not device.offset_reads:
        device.tables[64] = LONG[:1500]
    approach = Approach(address=device.identity)
    conversation = find(device, approach)
    begin(conversation, approach)
    partial = PartialReading(None)
    TableReading(conversation, partial).run(Extent(profile=True), lambda *_: None)
    assert data_of(partial) == {number: data for number, data in device.tables.items() if number != 42}


@pytest.mark.parametrize(("standard", "traffic_s"), [(0, 6), (2, 30)])
def test_a_speed_that_the_line_does_not_carry_is_given_up(standard: int, traffic_s: int) -> None:
    """The meter goes back once it has heard nothing for its traffic time-out."""
    device = meter(standard=standard)
    hears = device.write
    deaf_since: list[int] = []

    def write(data: bytes) -> None:
        if device.baud != 9600:
            deaf_since.append(device.now)
            if device.now - deaf_since[0] > traffic_s * 10**9:
                device.baud = device.next_baud = 9600
        hears(data)

    device.write = write  # type: ignore[method-assign]
    device.set_baud = lambda baud: None  # type: ignore[method-assign]  # the adapter cannot
    assert data_of(read(device))[1] == ST1


def test_a_speed_that_both_have() -> None:
    device = meter()
    conversation = connected(device)
    assert (conversation.baud, device.baud, device.line_baud) == (19200, 19200, 19200)
    conversation.end()
    assert device.line_baud == 9600


def test_a_session_that_somebody_left_is_ended() -> None:
    device = meter()
    device.answers[0x20] = b"\x0a"
    serve = device._serve

    def terminate_first(service: int, body: bytes) -> bytes:
        device.answers.pop(0x20, None)
        return serve(service, body)

    device._serve = terminate_first  # type: ignore[method-assign]
    assert data_of(read(device))[1] == ST1


@pytest.mark.parametrize("deaf", [0, 1])
def test_a_head_that_gives_back_what_is_sent(deaf: int) -> None:
    """Also if the meter did not hear the first identify."""
    device = meter(echoes=True, deaf=deaf)
    line = WithoutEcho(device)
    conversation = find(line, Approach())
    begin(conversation, Approach())
    partial = PartialReading(None)
    TableReading(conversation, partial).run(Extent(profile=True), lambda *_: None)
    assert data_of(partial) == {number: data for number, data in device.tables.items() if number != 42}
    assert line.state is EchoState.ECHOING


def test_a_head_that_does_not() -> None:
    line = WithoutEcho(meter())
    begin(find(line, Approach()), Approach())
    assert line.state is EchoState.CLEAR


class Pieces:
    """A line of which comes what is put there."""

    simulated = True

    def __init__(self) -> None:
        self.coming: list[bytes] = []

    def now_ns(self) -> int:
        return 0

    def write(self, data: bytes) -> None: ...

    def read(self, until_ns: int) -> bytes:
        return self.coming.pop(0)

    def set_baud(self, baud: int) -> None: ...

    def clear(self) -> None: ...

    def close(self) -> None: ...


IDENTIFY = bytes.fromhex("EE0000000001201310")
ECHOES: list[tuple[bytes, list[bytes], list[bytes], EchoState]] = [
    (IDENTIFY, [IDENTIFY[:4]], [b""], EchoState.UNKNOWN),
    (IDENTIFY, [IDENTIFY[:4], IDENTIFY[4:]], [b"", b""], EchoState.ECHOING),
    (IDENTIFY, [IDENTIFY + b"\x06\xee"], [b"\x06\xee"], EchoState.ECHOING),
    (IDENTIFY, [b"\x06\xee"], [b"\x06\xee"], EchoState.CLEAR),
    (IDENTIFY, [IDENTIFY[:3], b"\x99"], [b"", IDENTIFY[:3] + b"\x99"], EchoState.CLEAR),
    (b"\x55", [b"\x55"], [b"\x55"], EchoState.CLEAR),
]


@pytest.mark.parametrize(("written", "coming", "given", "state"), ECHOES)
def test_the_table_of_echoes(written: bytes, coming: list[bytes], given: list[bytes], state: EchoState) -> None:
    pieces = Pieces()
    line = WithoutEcho(pieces)
    line.write(written)
    pieces.coming = list(coming)
    assert [line.read(0) for _ in coming] == given
    assert line.state is state
    if state is EchoState.ECHOING:
        line.write(b"\x06")
        pieces.coming = [b"\x06\x06"]
        assert line.read(0) == b"\x06", "the meter's own"


# --- faults -----------------------------------------------------------------------------------------------------


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes((data[-1] ^ 1,)) if len(data) > 1 else data


def test_one_answer_in_five_is_damaged() -> None:
    sent = 0

    def spoil(data: bytes) -> bytes:
        nonlocal sent
        sent += len(data) > 1
        return flip(data) if sent % 5 == 0 else data

    device = meter(spoil=spoil)
    assert data_of(read(device, extent=Extent(profile=True)))[64] == LONG


GARBAGE: list[tuple[str, Callable[[bytes], bytes], str]] = [
    ("noise", lambda data: bytes((7 * k + 3) & 0x7F for k in range(50)), "no meter answers"),
    ("nothing", lambda data: b"", "no meter answers"),
    ("wrong CRC for ever", flip, "no meter answers"),
    ("an endless packet", lambda data: b"\x06\xee\x00\x00\x00\xff\xff" + bytes(9000), "no meter answers"),
    ("ACK for ever", lambda data: b"\x06" * 100, "no meter answers"),
    ("packets that never end", lambda data: b"\x06" + packet(b"\x00", 0xC0, 200), "no meter answers"),
    ("NAK for ever", lambda data: b"\x15", "no meter answers"),
]


@pytest.mark.parametrize(("name", "spoil", "sentence"), GARBAGE, ids=[name for name, _, _ in GARBAGE])
def test_garbage(name: str, spoil: Callable[[bytes], bytes], sentence: str) -> None:
    device = meter(spoil=spoil)
    with pytest.raises(MeterSilent, match=sentence):
        find(device, Approach())
    assert device.now < 1000 * 10**9


ANSWERS: list[tuple[int, bytes, str]] = [
    (0x20, b"\x00\x00", "no meter answers"),
    (0x20, b"\x99abc", "no meter answers"),
    (0x20, b"", "no meter answers"),
    (0x61, b"\x00\xff\xff\xff\x06", "was not offered"),
    (0x50, b"\x03", "refused to begin a session: isc"),
    (0x30, b"\x00\xff\xff\x00", "does not hold together"),
    (0x30, b"\x00", "does not hold together"),
    (0x30, b"\x00\x00\x01\x05\x05", "does not hold together"),
    (0x30, b"\x00\x00\x02\x05\x05\xf6", "ST0 cannot be decoded"),
    (0x30, b"\x03", "give its password"),
]


@pytest.mark.parametrize(("service", "answer", "sentence"), ANSWERS)
def test_answers_that_are_none(service: int, answer: bytes, sentence: str) -> None:
    device = meter()
    for each in range(service, service + (16 if service == 0x61 else 1)):
        device.answers[each] = answer
    with pytest.raises((MeterSilent, ServiceRefused), match=sentence):
        read(device)


def test_a_table_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.reader.reading.MOST_TABLE_BYTES", 1 << 16)
    device = meter(zeros_beyond=True)
    with pytest.raises(MeterSilent, match="more than 65536 bytes"):
        read(device, extent=Extent(profile=True))


def test_an_st0_that_names_tables_which_are_not_there() -> None:
    device = meter()
    device.tables[0] = st0(range(100))
    found = read(device)
    refused = {number: table.refused for number, table in found.tables.items() if table.data is None}
    assert refused.pop(7, None) is None
    assert set(refused.values()) == {"iar (inappropriate action requested)"}
    assert len(refused) > 80


def test_a_wrong_password() -> None:
    with pytest.raises(WrongPassword, match="locked after wrong ones"):
        read(meter(password=b"right"), password=b"wrong")
    assert data_of(read(meter(password=b"right"), password=b"right"))[1] == ST1


def test_a_protocol_that_is_asked_for_and_not_spoken() -> None:
    with pytest.raises(MeterSilent, match="no meter answers, by DGCOM at 9600 baud"):
        find(meter(), Approach(Protocol.DGCOM))
    with pytest.raises(MeterSilent, match=r"no meter answers at address 7, by C12\.18 or C12\.21 at 9600 baud"):
        find(meter(identity=6), Approach(address=7))


@pytest.mark.parametrize(("standard", "protocol"), [(0, "C12.18"), (2, "C12.21")])
def test_what_was_asked_for_is_not_what_is_said_of_the_meter(standard: int, protocol: str) -> None:
    found = find(meter(standard=standard), Approach(Protocol.C12_21))
    assert found.protocol == protocol


# --- breaks -----------------------------------------------------------------------------------------------------


class Cut(PsemDevice):
    """A device whose line is lost after so many bytes from it."""

    left: int = 0

    def read(self, until_ns: int) -> bytes:
        data = super().read(until_ns)
        self.left -= len(data)
        if self.left < 0:
            raise MeterLineError("the line is lost")
        return data


def cut(after: int) -> Cut:
    device = meter()
    found = Cut(device.tables)
    found.left = after
    return found


def test_a_reading_goes_on_wherever_the_line_was_cut(tmp_path: Path) -> None:
    """Whatever came is not asked for again, but what must be the same: beginning and end of what came of a table."""
    whole = data_of(read(meter(), extent=Extent(profile=True)))
    for after in range(30, 10_900, 1597):
        path = tmp_path / f"{after}.part"
        with pytest.raises(MeterLineError):
            read(cut(after), path, Extent(profile=True))
        again = meter()
        partial = read(again, path, Extent(profile=True))
        assert data_of(partial) == whole
        assert len(partial.sessions) in (1, 2)
        parts = [message for message in again.asked if message[0] == 0x3F]
        assert len(parts) <= 8 - max(0, after - 2000) // 2100


def test_a_partial_file_is_whole_to_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "r.part"
    with pytest.raises(MeterLineError):
        read(cut(9000), path, Extent(profile=True))
    data = path.read_bytes()
    whole = data_of(read(meter(), extent=Extent(profile=True)))
    for at in range(120, len(data), max(1, len(data) // 4)):
        for damaged in (data[:at], data[:at] + b"\0" + data[at + 1 :]):
            path.write_bytes(damaged)
            assert data_of(read(meter(), path, Extent(profile=True))) == whole


def test_what_came_after_a_torn_line_is_known_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "r.part"
    with pytest.raises(MeterLineError):
        read(cut(2000), path, Extent(profile=True))
    path.write_bytes(path.read_bytes() + b'0badc0de {"type": "pa')
    with pytest.raises(MeterLineError):
        read(cut(2500), path, Extent(profile=True))
    partial = PartialReading(path)
    partial.close()
    assert len(partial.sessions) == 2


def test_another_meter_is_not_joined_to_the_first(tmp_path: Path) -> None:
    path = tmp_path / "r.part"
    with pytest.raises(MeterLineError):
        read(cut(2000), path, Extent(profile=True))
    other = meter()
    other.tables[5] = b"ANOTHER             "
    for _ in range(2):  # the first time leaves nothing of it behind
        with pytest.raises(OtherMeter, match="another meter"):
            read(other, path, Extent(profile=True))


def test_another_program_is_not_joined_to_the_first(tmp_path: Path) -> None:
    """Same meter, and another unit of measure: registers that were read are of the unit of before."""
    path = tmp_path / "r.part"
    before, after = meter(), meter()
    for device, unit in ((before, b"\0\0\0\0"), (after, b"\1\0\0\0")):
        device.tables |= {0: st0((0, 1, 5, 12, 64)), 12: unit}
    broken = Cut(before.tables)
    broken.left = 3000
    with pytest.raises(MeterLineError):
        read(broken, path, Extent(profile=True))
    with pytest.raises(OtherMeter, match=r"or of another program: delete .*r\.part"):
        read(after, path, Extent(profile=True))
    assert data_of(read(before, path, Extent(profile=True)))[12] == before.tables[12]


def test_what_came_by_a_password_stays_without_it_and_the_other_way_round(tmp_path: Path) -> None:
    """ST5 is refused in one of both sessions: that it is not known is no other meter."""
    for first in (True, False):
        path = tmp_path / f"{first}.part"
        open_, closed = meter(), meter()
        closed.tables = {number: data for number, data in closed.tables.items() if number != 5}
        device = open_ if first else closed
        broken = Cut(device.tables)
        broken.left = 3000
        with pytest.raises(MeterLineError):
            read(broken, path, Extent(profile=True))
        assert data_of(read(closed if first else open_, path, Extent(profile=True)))[5] == open_.tables[5]


def test_a_long_table_that_changed_meanwhile_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "r.part"
    with pytest.raises(MeterLineError):
        read(cut(8000), path, Extent(profile=True))
    again = meter()
    again.tables[64] = b"\xff" + LONG[1:]
    assert data_of(read(again, path, Extent(profile=True)))[64] == again.tables[64]


def test_a_load_profile_whose_state_changed_meanwhile_begins_anew(tmp_path: Path) -> None:
    """Its beginning is the same: only ST63 tells that what was read behind it is of before."""
    path = tmp_path / "r.part"
    before, after = meter(), meter()
    for device, count in ((before, 1), (after, 2)):
        device.tables[0] = st0((0, 1, 5, 63, 64))
        device.tables[63] = bytes((0, count)) + bytes(11)
    after.tables[64] = LONG[:5000] + bytes(200) + LONG[5200:]
    broken = Cut(before.tables)
    broken.left = 9500
    with pytest.raises(MeterLineError):
        read(broken, path, Extent(profile=True))
    found = data_of(read(after, path, Extent(profile=True)))
    assert (found[63], found[64]) == (after.tables[63], after.tables[64])
