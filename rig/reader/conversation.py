"""Services of a meter asked over a line, one after the other, and refused or broken ones as errors (X-2).

Nothing here knows what a table means. A `Conversation` is one session at most: identify, negotiate, log on, tables.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from rig.communication.c1218.packets import OVERHEAD
from rig.communication.c1218.services import PASSWORD_BYTES, USER_BYTES, Code, checksum
from rig.communication.c1218.settings import BAUD_CODES, BAUDS, C12_21, LEAST_SIZE, REMOTE, LinkSettings
from rig.errors import RigError
from rig.hardware.des_key import BLOCK_BYTES, DesKey
from rig.reader.line import MeterLine
from rig.reader.master import TABLE_BYTES, Answered, Failed, Master, Outcome
from rig.reader.reading_file import Identity

LONGEST_STEP_NS = 1_000_000_000
USER = b"rig"
BUSY_TRIES = 20
"""So often is asked again what a meter is too busy for, a read of a table at a time."""

BUSY_NS = 500_000_000

NOT_READY_TRIES = 4
"""So often is asked again for what is not ready: it may never be."""

READ_HEAD_BYTES = 4
"""An answer's code, count and checksum beside a table's bytes."""

WRITE_HEAD_BYTES = 9
"""The same of an offset write."""


KEY_ID = 1
"""Number of the key that is proven; a port of ours has one, whatever its number."""

_TICKET, _BY_TICKET, _DES = 0x02, 0x01, 0x00


class MeterSilent(RigError):
    """A meter that does not answer, or not any more: one sentence."""

    status = 1


class SessionEndedByMeter(MeterSilent):
    """A session that the meter has ended by itself."""


class ServiceRefused(RigError):
    """A service that a meter refused, by its response code."""

    status = 1

    def __init__(self, what: str, code: Code) -> None:
        super().__init__(f"the meter refused to {what}: {refusal(code)}")
        self.code = code


def refusal(code: Code) -> str:
    """Name a response code as readings do: isc (insufficient security clearance)."""
    return f"{code.name.lower()} ({code.words})"


class KeyUnproven(RigError):
    """A meter that takes a key, and does not prove that it has it, too."""


class Asking(Protocol):
    """The asking side of a protocol, as Master and DgcomMaster are."""

    @property
    def next_ns(self) -> int | None: ...
    @property
    def outcome(self) -> object: ...
    def feed(self, data: bytes, now_ns: int) -> None: ...
    def tick(self, now_ns: int) -> None: ...
    def output(self, now_ns: int) -> bytes: ...


def pump(line: MeterLine, master: Asking) -> None:
    """Carry bytes and time between a line and a master until its outcome is known. Raises MeterLineError."""
    while master.outcome is None:
        now_ns = line.now_ns()
        if data := master.output(now_ns):
            line.write(data)
            continue
        due = master.next_ns
        until_ns = now_ns + LONGEST_STEP_NS if due is None else min(due, now_ns + LONGEST_STEP_NS)
        if came := line.read(until_ns):
            master.feed(came, line.now_ns())
        else:
            master.tick(line.now_ns())


class Conversation:
    """Services over one line to the device of `settings.address`.

    `most_baud` is the fastest that is offered. The line is at the settings' own speed in the base state.
    """

    def __init__(self, line: MeterLine, settings: LinkSettings) -> None:
        self.line, self.settings = line, settings
        self._master = Master(settings)
        self._baud = settings.baud
        self.identity: Identity | None = None

    @property
    def protocol(self) -> str:
        """Name of the protocol that the meter gave with identify, or before that of the one that is asked."""
        standard = self.settings.standard if self.identity is None else self.identity.standard
        return "C12.21" if standard == C12_21 else "C12.18"

    @property
    def baud(self) -> int:
        """The line's speed now."""
        return self._baud

    @property
    def ticket(self) -> bytes:
        """Ticket by which a key can be proven, as the meter gave it with identify; b"" for none."""
        return b"" if self.identity is None else ticket_of(bytes.fromhex(self.identity.features))

    @property
    def piece(self) -> int:
        """Bytes of a table that one answer has room for."""
        return self._master.most - READ_HEAD_BYTES

    @property
    def write_piece(self) -> int:
        """Bytes of a table that one write has room for."""
        return self._master.most - WRITE_HEAD_BYTES

    # --- a session --------------------------------------------------------------------------------------------

    def identify(self, retries: int | None = None) -> Identity:
        """Identify. An answer of C12.21 changes the time-outs to its own; `retries` fewer than usual, to find out."""
        self._begin(self.settings if retries is None else _with_retries(self.settings, retries))
        outcome = self._outcome(b"\x20")
        if isinstance(outcome, Answered) and outcome.code is Code.ISSS:  # a session of before is still there
            self._outcome(b"\x21")
            self._begin(self.settings)
            outcome = self._outcome(b"\x20")
        data = self._data("identify itself", outcome)
        if len(data) < 3:
            raise MeterSilent("the meter's answer to identify is too short: it speaks no C12.18")
        self.identity = Identity(data[0], data[1], data[2], data[3:].hex())
        if data[0] == C12_21 and self.settings.standard != C12_21:
            self.settings = replace(
                REMOTE, address=self.settings.address, shared_line=self.settings.shared_line, baud=self.settings.baud
            )
        self._master.set_timing(self.settings.timing)
        return self.identity

    def negotiate(self, size: int, packets: int, bauds: tuple[int, ...]) -> None:
        """Agree on packets and speed; a meter that does not negotiate stays as it is. Raises MeterSilent."""
        codes = bytes(BAUD_CODES[baud] for baud in bauds)
        message = bytes((0x60 + len(codes),)) + size.to_bytes(2, "big") + bytes((packets,)) + codes
        outcome = self._outcome(message)
        if isinstance(outcome, Answered) and outcome.code in (Code.SNS, Code.ERR, Code.ISSS, Code.BSY):
            return
        data = self._data("negotiate", outcome)
        agreed, number = int.from_bytes(data[:2], "big"), data[2] if len(data) > 2 else 0
        if not LEAST_SIZE <= agreed <= size or not 1 <= number <= packets:
            raise MeterSilent(f"the meter agreed to {number} packets of {agreed} bytes, which was not offered")
        baud = BAUDS.get(data[3]) if len(data) > 3 and bauds else None
        self._master.agree(agreed, number, baud if baud in bauds else None)
        if self._master.baud != self._baud:
            self._baud = self._master.baud
            self.line.set_baud(self._baud)

    def set_up_timing(self, traffic_s: int, inter_character_s: int, response_s: int, retries: int) -> bool:
        """Ask a meter of C12.21 for other time-outs on its side; whether it took them. Raises MeterSilent."""
        outcome = self._outcome(bytes((0x71, traffic_s, inter_character_s, response_s, retries)))
        if isinstance(outcome, Answered) and outcome.code in (Code.SNS, Code.ERR, Code.ISSS, Code.BSY):
            return False
        self._data("set its time-outs", outcome)
        return True

    def log_on(self, user_id: int = 0) -> None:
        """Begin a session. Raises ServiceRefused."""
        self._ask("begin a session", b"\x50" + user_id.to_bytes(2, "big") + USER.ljust(USER_BYTES))

    def give_password(self, password: bytes) -> bool:
        """Prove a level; whether the password is right. Raises ServiceRefused for a meter that takes none now."""
        outcome = self._outcome(b"\x51" + password.ljust(PASSWORD_BYTES, b"\0"))
        if isinstance(outcome, Answered) and outcome.code in (Code.ISC, Code.ERR):
            return False
        self._data("take a password", outcome)
        return True

    def authenticate(self, key: DesKey) -> bool:
        """Prove a key by the ticket that the meter gave with identify (C12.21); whether the meter takes it.

        Raises ServiceRefused for a meter that has no authentication, or took the ticket for used up; KeyUnproven for
        one that does not have the key itself.
        """
        ticket = self.ticket
        if not ticket:
            raise ServiceRefused("take a key, which it has not offered", Code.SNS)
        token = key.encrypted(ticket)
        outcome = self._outcome(bytes((0x53, 1 + len(token), KEY_ID)) + token)
        if isinstance(outcome, Answered) and outcome.code in (Code.ERR, Code.ISC):
            return False
        if self._data("take a key", outcome) != bytes((1 + len(token), KEY_ID)) + key.encrypted(token):
            raise KeyUnproven("the meter took the key, and did not prove that it has it: it may be another meter")
        return True

    def end(self) -> None:
        """End the session: log off, terminate. What keeps the meter from it ends it too, by its time-out."""
        self._outcome(b"\x52")
        self._outcome(b"\x21")
        self._begin(self.settings)

    def fall_back(self) -> None:
        """Go back to the base state's speed, and wait until the meter has gone back there by its time-out."""
        self._begin(self.settings)
        self.wait(self.settings.timing.traffic_ns + self.settings.timing.response_ns)

    # --- tables -----------------------------------------------------------------------------------------------

    def read(self, table: int) -> bytes:
        """Read a whole table. Raises ServiceRefused, MeterSilent."""
        return self._table(f"give table {table}", b"\x30" + table.to_bytes(2, "big"), 0xFFFF)

    def read_part(self, table: int, offset: int, count: int) -> bytes:
        """Read up to `count` bytes of a table from `offset` on. Raises ServiceRefused, MeterSilent."""
        where = table.to_bytes(2, "big") + offset.to_bytes(3, "big") + count.to_bytes(2, "big")
        return self._table(f"give table {table} from byte {offset}", b"\x3f" + where, count)

    def write(self, table: int, data: bytes, offset: int | None = None) -> None:
        """Write a table, or a part of it. Raises ServiceRefused, MeterSilent."""
        where = b"" if offset is None else offset.to_bytes(3, "big")
        body = len(data).to_bytes(2, "big") + data + bytes((checksum(data),))
        code = b"\x40" if offset is None else b"\x4f"
        self._ask(f"take table {table}", code + table.to_bytes(2, "big") + where + body)

    def _table(self, what: str, message: bytes, most: int) -> bytes:
        try:
            data = self._ask(what, message, TABLE_BYTES)
        except ServiceRefused as error:
            if error.code is Code.ISSS:
                raise SessionEndedByMeter(
                    f"asked to {what}, the meter says that there is no session any more"
                ) from None
            raise
        count = int.from_bytes(data[:2], "big")
        body = data[2 : 2 + count]
        if len(data) != count + 3 or data[-1] != checksum(body):
            raise MeterSilent(f"asked to {what}, the meter answered what does not hold together (count or checksum)")
        if count > most:
            raise MeterSilent(f"asked to {what}, the meter gave {count} bytes, more than were asked for")
        return body

    # --- one service ------------------------------------------------------------------------------------------

    def _ask(self, what: str, message: bytes, answer_bytes: int = 1024) -> bytes:
        for tried in range(1, BUSY_TRIES + 1):
            outcome = self._outcome(message, answer_bytes)
            code = outcome.code if isinstance(outcome, Answered) else None
            if code is not Code.BSY and (code is not Code.DNR or tried >= NOT_READY_TRIES):
                break
            self.wait(BUSY_NS)
        return self._data(what, outcome)

    def wait(self, for_ns: int) -> None:
        """Let time go by; what comes meanwhile is acknowledged."""
        until_ns = self.line.now_ns() + for_ns
        while (now_ns := self.line.now_ns()) < until_ns:
            if came := self.line.read(until_ns):
                self._master.feed(came, now_ns)

    def _outcome(self, message: bytes, answer_bytes: int = 1024) -> Outcome:
        master = self._master
        master.ask(message, self.line.now_ns(), answer_bytes)
        pump(self.line, master)
        assert master.outcome is not None
        return master.outcome

    def _data(self, what: str, outcome: Outcome) -> bytes:
        if isinstance(outcome, Failed):
            raise MeterSilent(f"asked to {what}, the meter was not understood: {outcome.value}")
        if outcome.code is not Code.OK:
            raise ServiceRefused(what, outcome.code)
        return outcome.data

    def _begin(self, settings: LinkSettings) -> None:
        """Go to the base state."""
        self._master = Master(settings)
        if self._baud != settings.baud:
            self._baud = settings.baud
            self.line.set_baud(self._baud)
        self.line.clear()


def ticket_of(features: bytes) -> bytes:
    """Give the ticket of DES among the features of identify, b"" for none."""
    if features[:4] == bytes((_TICKET, _BY_TICKET, _DES, BLOCK_BYTES)) and len(features) > 4 + BLOCK_BYTES:
        return features[4 : 4 + BLOCK_BYTES]
    return b""


def _with_retries(settings: LinkSettings, retries: int) -> LinkSettings:
    return replace(settings, timing=replace(settings.timing, retries=retries))


MOST_PIECE = 4096
"""Bytes of a part that is asked for: a break of the line costs no more than 4 s of it at 9600 baud."""

PACKET_SIZE, PACKETS = 1024, 8
"""What is offered: some 8 kB a message, packets of a second each at 9600 baud."""

assert PACKETS * (PACKET_SIZE - OVERHEAD) > MOST_PIECE
