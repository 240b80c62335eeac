"""Many meters on one line, read one after the other, and a report of who failed (X-2, X-3).

A round asks each address that is not read yet. Whoever fails is asked again in the next round, and goes on where it
broke off; one that takes no password is not, since each wrong one counts at the meter. So one dead meter costs the
others two response time-outs in the first round, and the patience of the later ones.

    what came of an address          why                                        asked again
    read                                                                        no
    no answer                        nothing came                               yes
    not understood                   something came: noise, another speed, or
                                     two meters with one address                yes
    broke off                        it answered, and then no more, or says
                                     that its session is at another point       yes
    refused                          it took no password, or gave no tables     no
    not quiet                        something is sent that nobody asked for    yes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum

import msgspec

from rig.communication.c1218.link import BITS
from rig.communication.c1218.services import Code
from rig.communication.c1218.settings import MS, REMOTE, SECOND, LinkSettings, Timing
from rig.errors import RigError
from rig.hardware.des_key import DesKey
from rig.reader.connecting import Approach, Protocol, WrongDesKey, WrongPassword, begin, prove, prove_key
from rig.reader.conversation import Conversation, KeyUnproven, MeterSilent, ServiceRefused, refusal
from rig.reader.decoded import CONFIGURATION
from rig.reader.line import MeterLine
from rig.reader.partial import PartialReading
from rig.reader.reading import IDENTIFICATION, Extent, OtherMeter, TableReading, in_order, now_utc
from rig.reader.reading_file import Identity, MeterReadout, TableRead
from rig.results.provenance import commit, project_version

MOST_ADDRESS = 255
ROUNDS = 3
QUIET_NS = 300_000_000
"""A line on which bytes still come after so long, and nobody has asked, has a node that babbles."""


WIRES = Timing(30 * SECOND, 100 * MS, 300 * MS, later_ns=1200 * MS, quick_ns=100 * MS)
"""Time-outs of the master's side. Nothing is delayed on wires of a kilometre, and a meter acknowledges at once, so what
was not after 0.3 s is sent again, after 0.1 s to one that is seen to be quick. C12.21's 4 s are for modems. From the
third on a repetition waits longer than the second after which a meter gives up a packet that broke off: until it does,
all that comes is part of that packet to it."""

QUEUED_BYTES = 2 * 16
"""Bytes that two queues of a UART, this side's and a converter's, may keep back in the midst of a packet."""


def wires(baud: int) -> LinkSettings:
    """Give the settings of the master's side at a speed: no silence that queues make counts as one."""
    queued_ns = QUEUED_BYTES * BITS * SECOND // baud
    waits = replace(
        WIRES,
        inter_character_ns=max(WIRES.inter_character_ns, queued_ns),
        response_ns=WIRES.response_ns + queued_ns,
        quick_ns=max(WIRES.quick_ns or 0, queued_ns),
    )
    return replace(REMOTE, timing=waits)


FIND_RETRIES, FIND_RETRIES_LATER = 1, 3
"""Repetitions of identify: in the first round few, as the dead cost the others time; later, when hardly any others are
left, one of them after such a pause, as a meter may have heard a packet of another's break off."""

METER_TIMING = (30, 1, 1, 3)
"""Seconds that a meter is asked to wait in a session (traffic, between characters, for an answer), and its retries: the
least that C12.21 can say. What is lost on the line then costs a second and not four."""


class PollError(RigError):
    """Addresses that cannot be polled: one sentence with what would be right."""


class Came(Enum):
    """Outcome of an address."""

    READ = "read"
    SILENT = "no answer"
    GARBLED = "not understood"
    BROKE_OFF = "broke off"
    REFUSED = "refused"
    NOT_QUIET = "not quiet"


_AGAIN = frozenset({Came.SILENT, Came.GARBLED, Came.BROKE_OFF, Came.NOT_QUIET})


class PolledMeter(msgspec.Struct, frozen=True):
    """An address of a line: what came of it, why, in how many rounds and seconds of the line's time, how many tables
    were read of it, and the file that has them."""

    address: int
    came: str
    why: str
    rounds: int
    seconds: float
    tables: int
    file: str | None = None


@dataclass
class _Meter:
    """A meter while it is polled."""

    address: int
    partial: PartialReading = field(default_factory=lambda: PartialReading(None))
    came: Came = Came.SILENT
    why: str = ""
    rounds: int = 0
    ns: int = 0
    identity: Identity | None = None
    password: bool = False
    ended_at: set[int] = field(default_factory=set)
    """Tables at which it ended a session."""


class _Heard:
    """A line that remembers whether anything came."""

    def __init__(self, line: MeterLine) -> None:
        self._line = line
        self.bytes = 0
        self.now_ns, self.write, self.set_baud, self.clear = line.now_ns, line.write, line.set_baud, line.clear

    def read(self, until_ns: int) -> bytes:
        data = self._line.read(until_ns)
        self.bytes += len(data)
        return data


class LinePoll:
    """Meters of some addresses on a line, 1 to 255, polled in up to `rounds`.

    `password` gives that of an address, `key` its DES key of C12.21, None for none. `run` polls, `tables_of` and
    `readout` have what was read.
    """

    def __init__(
        self,
        line: MeterLine,
        addresses: Iterable[int],
        password: Callable[[int], bytes | None],
        extent: Extent,
        *,
        key: Callable[[int], DesKey | None] = lambda address: None,
        rounds: int = ROUNDS,
        baud: int = 9600,
        most_baud: int = 9600,
    ) -> None:
        """Raises PollError for addresses that a line cannot have."""
        self._line = line
        self._password, self._key, self._extent, self._rounds = password, key, extent, rounds
        self._baud, self._most_baud = baud, most_baud
        self._meters = {address: _Meter(address) for address in _checked(list(addresses))}

    def run(
        self,
        progress: Callable[[int, int, str], None] = lambda address, round, what: None,
        done: Callable[[int], None] = lambda address: None,
    ) -> list[PolledMeter]:
        """Poll them all; the report, by address. `done` is called with each address as soon as it is read.

        Raises MeterLineError for a line that has gone.
        """
        for round in range(1, self._rounds + 1):
            for meter in self._meters.values():
                if round == 1 or meter.came in _AGAIN:
                    progress(meter.address, round, meter.came.value)
                    self._poll(meter)
                    if meter.came is Came.READ:
                        done(meter.address)
        return [
            PolledMeter(
                meter.address, meter.came.value, meter.why, meter.rounds, round_s(meter.ns), _given(meter.partial)
            )
            for meter in self._meters.values()
        ]

    def tables_of(self, address: int) -> dict[int, TableRead]:
        """Give the tables that were read of a meter, by number."""
        return self._meters[address].partial.tables

    def readout(self, address: int, port: str, *, simulated: bool) -> MeterReadout:
        """Give the reading of a meter that was read, as its file has it; `port` is the line's device."""
        meter = self._meters[address]
        assert meter.came is Came.READ, "there is nothing whole of it"
        return MeterReadout(
            version=project_version(),
            commit=commit(),
            begun_utc=meter.partial.sessions[0].utc,
            ended_utc=now_utc(),
            protocol=meter.partial.sessions[-1].protocol,
            port=port,
            address=address,
            simulated=simulated,
            password=meter.password,
            sessions=len(meter.partial.sessions),
            identity=meter.identity,
            tables=in_order(meter.partial.tables.values()),
        )

    def _poll(self, meter: _Meter) -> None:
        line = _Heard(self._line)
        begun_ns = line.now_ns()
        meter.rounds += 1
        quick = meter.rounds == 1 < self._rounds
        approach = Approach(Protocol.C12_21, meter.address, self._baud, self._most_baud)
        conversation = Conversation(line, approach.settings(wires(self._baud)))
        try:
            meter.identity = conversation.identify(retries=FIND_RETRIES if quick else FIND_RETRIES_LATER)
            conversation.set_up_timing(*METER_TIMING)
            begin(conversation, approach)
            if conversation.ticket and (key := self._key(meter.address)) is not None:
                prove_key(conversation, key)
                meter.password = True
            if (password := self._password(meter.address)) is not None:
                prove(conversation, password)
                meter.password = True
            reading = TableReading(conversation, meter.partial, ended_at=meter.ended_at)
            reading.run(self._extent, lambda done, of, what: None)
            meter.came, meter.why = Came.READ, ""
            if _only_public(meter.partial):
                meter.came = Came.REFUSED
                meter.why = "the meter says what it is and gives no more: give a password that reads it"
        except (WrongPassword, WrongDesKey, KeyUnproven, ServiceRefused, OtherMeter) as error:
            out_of_step = isinstance(error, ServiceRefused) and error.code is Code.ISSS
            meter.came, meter.why = Came.BROKE_OFF if out_of_step else Came.REFUSED, str(error)
        except MeterSilent as error:
            meter.came, meter.why = self._silence(meter, line, str(error))
        if meter.came is not Came.SILENT:
            with suppress(MeterSilent):
                conversation.end()  # whoever still waits for an acknowledgement would talk into the next one's answer
        meter.ns += line.now_ns() - begun_ns

    def _silence(self, meter: _Meter, line: _Heard, sentence: str) -> tuple[Came, str]:
        if line.bytes and self._babbles():
            return Came.NOT_QUIET, "something sends that nobody asked: find the node that does not stop"
        if not line.bytes:
            return Came.SILENT, f"no meter answers at address {meter.address}: see that it has power and this address"
        if meter.partial.sessions:
            return Came.BROKE_OFF, sentence
        return Came.GARBLED, (
            f"what answers at address {meter.address} is not understood: noise, another speed, or two meters with "
            "one address"
        )

    def _babbles(self) -> bool:
        """Listen, having asked nothing: whether something comes all the time."""
        line = self._line
        line.clear()
        quarter_ns = QUIET_NS // 4
        heard = 0
        for _ in range(4):
            until_ns = line.now_ns() + quarter_ns
            came = False
            while line.now_ns() < until_ns:
                came |= bool(line.read(until_ns))
            heard += came
        return heard == 4


def _given(partial: PartialReading) -> int:
    """Count the tables that a meter gave."""
    return sum(table.data is not None for table in partial.tables.values())


def _only_public(partial: PartialReading) -> bool:
    """Say whether a meter refused for want of a level all that it was asked for, but what it says to everybody."""
    found = partial.tables.values()
    given = {table.table for table in found if table.data is not None}
    return given <= {CONFIGURATION, IDENTIFICATION} and refusal(Code.ISC) in {table.refused for table in found}


def addresses_of(text: str) -> list[int]:
    """Read addresses such as "1-32" or "1,5,9-12". Raises PollError."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not (first.isascii() and first.isdigit() and (not dash or (last.isascii() and last.isdigit()))):
            raise PollError(f"{part[:20]!r} is no address: give such as 1-32 or 1,5,9-12")
        begin, end = int(first[:9]), int(last[:9] or first[:9])
        if not 1 <= begin <= end <= MOST_ADDRESS:
            raise PollError(f"{part[:20]!r} has no addresses of a line: give 1 to {MOST_ADDRESS}, such as 1-32")
        found += range(begin, end + 1)
    return found


def _checked(addresses: list[int]) -> list[int]:
    if twice := sorted({each for each in addresses if addresses.count(each) > 1}):
        raise PollError(f"address {twice[0]} is given twice: give each once")
    if wrong := [each for each in addresses if not 1 <= each <= MOST_ADDRESS]:
        raise PollError(f"{wrong[0]} is no address of a line: give 1 to {MOST_ADDRESS}")
    if not addresses:
        raise PollError("no address is given: give such as 1-32")
    return addresses


def round_s(ns: int) -> float:
    """Give ns in seconds, to the millisecond."""
    return round(ns / 1e9, 3)
