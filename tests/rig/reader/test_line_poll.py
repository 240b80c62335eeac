"""Many meters on one noisy line, in virtual time: read rightly, or named with the reason (X-3).

Ports, tables, doors and meters are the product's own; the wires are drivers/sim/serial_bus.py's. What was read is held
to what the same meter gives when it is asked directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bus_bench import PASSWORD, PROGRAM, BusLine, LineMeter, Node, SlowNode
from own_file import own_file
from psem_client import packet

from drivers.sim.serial_bus import Noise
from rig.daemon.protocol import ReadIdentity
from rig.daemon.requests import Requests
from rig.hardware.config import AuthenticationConfig, PortConfig
from rig.hardware.des_key import DesKey
from rig.meter.billing.source import Source
from rig.program.build import load_program
from rig.reader.connecting import Approach
from rig.reader.line_poll import LinePoll, PolledMeter, PollError, addresses_of
from rig.reader.meter import MeterAccess
from rig.reader.passwords import Passwords
from rig.reader.programming import write_program
from rig.reader.reading import Extent
from rig.service.port_keys import DrawnTicket, PortKeys

SHORT = Extent(frozenset({0, 1, 5}))


@pytest.fixture(scope="module")
def meters() -> Iterator[list[LineMeter]]:
    made = [made_meter(number) for number in range(1, 5)]
    yield made
    for meter in made:
        meter.close()


def made_meter(number: int) -> LineMeter:
    meter = LineMeter(PROGRAM.format(serial=f"LINE {number:04}"))
    meter.run(0.2)
    return meter


def line_of(meters: list[LineMeter], addresses: list[int] | None = None, noise: Noise | None = None) -> BusLine:
    numbers = addresses or list(range(1, len(meters) + 1))
    for meter in meters:
        meter.log_off()
    return BusLine([Node(meter, number) for meter, number in zip(meters, numbers, strict=True)], noise)


def poll(
    line: BusLine, addresses: list[int], extent: Extent = SHORT, **options: int
) -> tuple[LinePoll, list[PolledMeter]]:
    made = LinePoll(line, addresses, lambda address: PASSWORD, extent, **options)
    return made, made.run()


def serial_of(polled: LinePoll, address: int) -> bytes:
    data = polled.tables_of(address)[5].bytes
    assert data is not None
    return data.rstrip(b"\x00 ")


def test_each_is_read_with_its_own_tables(meters: list[LineMeter]) -> None:
    polled, found = poll(line_of(meters), [1, 2, 3, 4])
    assert [(meter.came, meter.rounds, meter.tables) for meter in found] == [("read", 1, 3)] * 4
    assert [serial_of(polled, address) for address in (1, 2, 3, 4)] == [b"LINE 000%d" % k for k in (1, 2, 3, 4)]
    readout = polled.readout(3, "/dev/ttyUSB0", simulated=True)
    assert (readout.protocol, readout.address, readout.password, readout.sessions) == ("C12.21", 3, True, 1)


def test_a_program_for_one_of_them_is_taken_by_that_one(tmp_path: Path) -> None:
    """`rig write --address 2` on a line of three, a tenth of its frames damaged: the others have what they had."""
    three = [made_meter(number) for number in (1, 2, 3)]
    try:
        line = Opened([Node(meter, number) for number, meter in enumerate(three, 1)], Noise(0.1, 3))
        before = [meter.ask(ReadIdentity()).result["digest"] for meter in three]
        (tmp_path / "program.toml").write_text(PROGRAM.format(serial="LINE 0002") + "[self_read]\nschedule = 'daily'\n")
        own_file(tmp_path / "password", "000000")
        program = load_program(tmp_path / "program.toml")
        passwords = Passwords(tmp_path / "password")
        access = MeterAccess("line", Approach(address=2), passwords, line.open, line.pause)
        said = write_program(access, program, (tmp_path / "program.toml").read_bytes(), lambda at, of: None)
        assert said == f"written and read back: {program.digest}"
        after = [meter.ask(ReadIdentity()).result["digest"] for meter in three]
        assert after == [before[0], program.digest, before[2]]
        assert before[1] != program.digest
        assert line.bus.collisions == 0
    finally:
        for meter in three:
            meter.close()


class Opened(BusLine):
    """The line as a port that is opened."""

    simulated = True

    def open(self, device: str, baud: int) -> Opened:
        return self

    def pause(self, seconds: float) -> None:
        self.read(self.now + round(seconds * 10**9))

    def close(self) -> None:
        self.clear()


def test_noise_and_a_dead_meter(meters: list[LineMeter]) -> None:
    noise = Noise(0.1, 5)
    line = line_of(meters, noise=noise)
    line.nodes[1].dead = True
    polled, found = poll(line, [1, 2, 3, 4])
    assert [meter.came for meter in found] == ["read", "no answer", "read", "read"]
    assert found[1].why.startswith("no meter answers at address 2")
    assert noise.damaged > 0
    for address in (1, 3, 4):
        assert serial_of(polled, address) == b"LINE 000%d" % address


@pytest.mark.slow
def test_thirty_two_with_a_tenth_of_the_frames_damaged_and_three_dead() -> None:
    """29 read completely and rightly, three named, within 1.5 times what the undamaged wire takes for those 29.

    The issue's own figure. "Rightly": but for what goes on while it is read, every table is as the meter gives it.
    """
    dead = {4, 15, 26}
    meters = [made_meter(number) for number in range(1, 33)]
    try:
        line = line_of(meters, noise=Noise(0.1, 7))
        for address in dead:
            line.nodes[address - 1].dead = True
        polled, found = poll(line, list(range(1, 33)), Extent())
        took_ns = line.now_ns()
        assert {meter.address for meter in found if meter.came == "no answer"} == dead
        assert {meter.came for meter in found if meter.address not in dead} == {"read"}
        for address in set(range(1, 33)) - dead:
            assert serial_of(polled, address) == b"LINE %04d" % address
            direct = meters[address - 1]
            direct.log_on("111111")
            read = polled.tables_of(address)
            for number in (0, 1, 3, 5, 11, 12, 13, 16, 21, 22, 23, 2049):
                if number in read and read[number].data is not None:
                    assert read[number].bytes == direct.data(number), (address, number)
        clean = line_of([meter for number, meter in enumerate(meters, 1) if number not in dead])
        poll(clean, list(range(1, 30)), Extent())
        print(f"{took_ns / 1e9:.0f} s, {took_ns / clean.now_ns():.2f} times the undamaged line's")
        assert took_ns <= 1.5 * clean.now_ns(), (took_ns / 1e9, clean.now_ns() / 1e9)
    finally:
        for meter in meters:
            meter.close()


def seconds_by_seed(meter: LineMeter, extent: Extent, seeds: range) -> list[float]:
    """Seconds that one meter takes, undamaged first, and then with the noise of each seed."""
    found = []
    for noise in [None, *(Noise(0.1, seed) for seed in seeds)]:
        line = line_of([meter], noise=noise)
        _, (polled,) = poll(line, [1], extent)
        assert polled.came == "read", polled
        found.append(polled.seconds)
    return found


LONG = Extent(frozenset({0, 1, 5, 23}))
"""With ST23, of several packets."""


def test_a_damaged_frame_costs_little_more_than_its_repetition(meters: list[LineMeter]) -> None:
    """A tenth of the bytes comes twice, which is 1.1; the rest is waiting. Before decision 131 it was 1.5 to 1.6."""
    undamaged, *noisy = seconds_by_seed(meters[0], LONG, range(8))
    assert sum(noisy) / len(noisy) <= 1.35 * undamaged, (undamaged, noisy)


@pytest.mark.slow
def test_a_damaged_frame_of_a_whole_reading_costs_as_little(meters: list[LineMeter]) -> None:
    undamaged, *noisy = seconds_by_seed(meters[0], Extent(), range(24))
    print(f"mean {sum(noisy) / len(noisy) / undamaged:.2f}, worst {max(noisy) / undamaged:.2f}")
    assert sum(noisy) / len(noisy) <= 1.35 * undamaged, (undamaged, noisy)


@pytest.mark.parametrize("late_ms", [150, 400, 700])
@pytest.mark.parametrize("share", [0, 0.1])
def test_a_slow_meter_is_waited_for(late_ms: int, share: float, meters: list[LineMeter]) -> None:
    """It reacts later than the first response time-out, or than the least: what is sent too early is dropped."""
    meters[0].log_off()
    line = BusLine([SlowNode(meters[0], 1, late_ms * 10**6)], Noise(share, 2))
    polled, (found,) = poll(line, [1], LONG)
    assert found.came == "read", found
    for number in (1, 5):
        assert polled.tables_of(1)[number].bytes == direct(meters[0], number)
    data = polled.tables_of(1)[23].bytes
    assert data is not None
    assert len(data) == len(direct(meters[0], 23))


def direct(meter: LineMeter, number: int) -> bytes:
    meter.log_on("111111")
    return meter.data(number)


@pytest.mark.parametrize("baud", [1200, 2400, 38400])
def test_other_speeds(baud: int, meters: list[LineMeter]) -> None:
    """At 1200 baud a UART's queue of 16 bytes keeps them back for 0.13 s, which is no end of a packet."""
    meters[0].log_off()
    line = BusLine([Node(meters[0], 1, baud=baud)], Noise(0.1, 1))
    line.bus.bauds[:] = [baud, baud]
    polled, (found,) = poll(line, [1], SHORT, baud=baud, most_baud=baud)
    assert (found.came, found.rounds) == ("read", 1)
    assert serial_of(polled, 1) == b"LINE 0001"


def test_a_dead_meter_costs_little_in_the_first_round(meters: list[LineMeter]) -> None:
    """Two tries of 0.33 s and then it is the others' turn; four in each later round, one of them of 1.2 s and more."""
    seconds = []
    for rounds in (2, 3):
        line = line_of(meters[:1])
        line.nodes[0].dead = True
        _, (found,) = poll(line, [1], rounds=rounds)
        assert found.came == "no answer"
        seconds.append(found.seconds)
    later = seconds[1] - seconds[0]
    assert later > 2.9
    assert seconds[0] - later < 0.75


# --- what goes wrong on lines ----------------------------------------------------------------------------------


def test_two_meters_with_one_address_are_not_taken_for_one(meters: list[LineMeter]) -> None:
    line = line_of(meters[:3], [7, 7, 9])
    polled, found = poll(line, [7, 9])
    assert found[0].came == "not understood", found
    assert "two meters with one address" in found[0].why
    assert found[1].came == "read"
    assert serial_of(polled, 9) == b"LINE 0003"
    assert line.bus.collisions > 0


def test_a_node_that_babbles_is_named_as_such(meters: list[LineMeter]) -> None:
    line = line_of(meters[:2])
    line.babbles, line.babble = True, lambda now_ns: b"\x55" * 8
    _, found = poll(line, [1], rounds=1)
    assert [(meter.came, meter.why[:44]) for meter in found] == [
        ("not quiet", "something sends that nobody asked: find the ")
    ]


def test_half_a_frame_then_silence(meters: list[LineMeter]) -> None:
    """A packet to meter 2 that breaks off: all are deaf until its rest must have come, and then as before."""
    line = line_of(meters[:2])
    line.write(packet(b"\x20", identity=2)[:5])
    polled, found = poll(line, [1, 2])
    assert [meter.came for meter in found] == ["read", "read"]
    assert serial_of(polled, 2) == b"LINE 0002"


@pytest.mark.parametrize("identity", [0, 9, 255])
def test_a_meter_is_silent_when_another_is_addressed_or_nobody(meters: list[LineMeter], identity: int) -> None:
    line = line_of(meters[:3])
    line.write(packet(b"\x20", identity=identity))
    assert line.read(line.now_ns() + 40 * 10**9) == b""


def test_a_meter_at_another_speed_is_silent_or_not_understood_and_harms_no_other(meters: list[LineMeter]) -> None:
    line = line_of(meters[:2])
    polled = LinePoll(line, [1], lambda address: PASSWORD, SHORT, rounds=1, baud=4800, most_baud=4800)
    line.bus.bauds[0] = 4800
    (found,) = polled.run()
    assert found.came in ("no answer", "not understood")
    line.bus.bauds[0] = 9600
    line.read(line.now_ns() + 40 * 10**9)
    _, after = poll(line, [1, 2])
    assert [meter.came for meter in after] == ["read", "read"]


def test_a_wrong_password_is_given_once(meters: list[LineMeter]) -> None:
    line = line_of(meters[:1])
    polled = LinePoll(line, [1], lambda address: b"999999", SHORT)
    (found,) = polled.run()
    assert (found.came, found.rounds) == ("refused", 1)
    assert "does not take the password" in found.why
    assert "999999" not in found.why


class TakenTicket(DrawnTicket):
    """A ticket that any token answers."""

    def proven(self, token: bytes) -> bool:
        return True


class Impostor(PortKeys):
    """Keys of a meter that has none."""

    def draw(self, source: Source, name: str) -> DrawnTicket:
        return TakenTicket(b"a ticket", DesKey(b"anything"), 1)


def test_keys_by_address(tmp_path: Path) -> None:
    """Of four meters with keys one is given its own, one another's, one none, and one takes any and has none; each is
    asked once."""
    made = [made_meter(number) for number in (1, 2, 3, 4)]
    try:
        for number, meter in enumerate(made, 1):
            file = tmp_path / f"{number}.key"
            file.write_text(f"31323334353637{number}8")
            file.chmod(0o600)
            port = PortConfig(name="", kind="rs-485", authentication=AuthenticationConfig(str(file)))
            meter.requests = Requests(meter.service, meter.service.program, port_keys=PortKeys([port]))
        made[3].requests = Requests(made[3].service, made[3].service.program, port_keys=Impostor())
        line = BusLine([Node(meter, number, keyed=True) for number, meter in enumerate(made, 1)])
        keys = {1: DesKey(b"1234567\x18"), 2: DesKey(b"1234567\x78"), 4: DesKey(b"1234567\x48")}
        polled = LinePoll(line, [1, 2, 3, 4], lambda address: None, SHORT, key=keys.get)
        found = polled.run()
    finally:
        for meter in made:
            meter.close()
    assert [(meter.came, meter.rounds) for meter in found] == [("read", 1)] + [("refused", 1)] * 3
    assert "did not prove that it has it" in found[3].why
    assert "does not take the key" in found[1].why
    assert "gives no more" in found[2].why
    assert serial_of(polled, 1) == b"LINE 0001"


def test_a_meter_that_is_cut_off_is_read_from_where_it_broke_off(meters: list[LineMeter]) -> None:
    line = line_of(meters[:2])
    polled = LinePoll(line, [1, 2], lambda address: PASSWORD, Extent(frozenset({0, 1, 3, 5, 12, 23})))
    real, count = line.write, [0]

    def write(data: bytes) -> None:
        count[0] += 1
        line.nodes[0].dead = 22 <= count[0] < 42
        real(data)

    line.write = write  # type: ignore[method-assign]
    found = polled.run()
    assert [meter.came for meter in found] == ["read", "read"]
    assert found[0].rounds == 2
    assert polled.readout(1, "bus", simulated=True).sessions == 2


@pytest.mark.parametrize(
    ("text", "addresses"), [("1-4", [1, 2, 3, 4]), ("7", [7]), ("1,5,9-11", [1, 5, 9, 10, 11]), (" 2 , 3 ", [2, 3])]
)
def test_addresses(text: str, addresses: list[int]) -> None:
    assert addresses_of(text) == addresses


@pytest.mark.parametrize("text", ["", "0", "0-3", "1-256", "5-2", "a", "1-", "-3", "1,,2", "1--3", "٣", "9" * 50])
def test_addresses_that_no_line_has(text: str) -> None:
    with pytest.raises(PollError, match=r"give such as 1-32|give 1 to 255"):
        addresses_of(text)


@pytest.mark.parametrize("addresses", [[], [3, 3], [0], [256]])
def test_a_poll_of_no_addresses_or_twice_the_same(addresses: list[int], meters: list[LineMeter]) -> None:
    with pytest.raises(PollError):
        LinePoll(line_of(meters[:1]), addresses, lambda address: None, SHORT)
