"""A simulated Hayes modem and the telephone line behind it (X-3). Pure: bytes and time in, bytes out.

One side is its serial port, where the meter is; the other the line, with whoever calls or is called. Commands are of
the Hayes set: AT with E, V, Q, Z, &F, H, A, O, D, S0; all others are OK. `+++` between two pauses of S12 returns to
commands. What numbers come to, and what else goes wrong, is the `LineFaults`.

    state     what comes               what it says             becomes
    on hook   a call                   RING each RING_NS        ringing
    on hook   ATD, answered            CONNECT 9600             connected
    on hook   ATD, not answered        BUSY, NO DIALTONE, …     on hook
    ringing   ATA                      CONNECT 9600             connected
    ringing   the caller gives up                               on hook
    connected the line is cut          NO CARRIER               on hook
    connected +++ between two pauses   OK                       escaped
    escaped   ATO                      CONNECT                  connected
    escaped   ATH                      OK                       on hook
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

SECOND = 1_000_000_000
RING_NS = 6 * SECOND
GUARD_NS = SECOND
MOST_COMMAND = 256


class ModemIs(Enum):
    """State of a modem."""

    ON_HOOK = "on hook"
    RINGING = "ringing"
    DIALLING = "dialling"
    CONNECTED = "connected"
    ESCAPED = "escaped"


@dataclass
class LineFaults:
    """Faults of a line: `outcomes` by number, such as "BUSY", else it is answered; `dead`: it says nothing at all;
    `after_ns` from a command to its result; `garbage` comes before each result; `echoes` whatever E0 was said."""

    outcomes: Mapping[str, str] = field(default_factory=dict)
    dead: bool = False
    after_ns: int = 50_000_000
    connect_ns: int = 8 * SECOND
    garbage: bytes = b""
    echoes: bool = False


class HayesModem:
    """A modem with nothing on its line. `dialled` is called with the number when a call out is answered."""

    def __init__(self, faults: LineFaults | None = None, dialled: Callable[[str], None] = lambda number: None) -> None:
        self.faults = faults or LineFaults()
        self.state = ModemIs.ON_HOOK
        self.numbers: list[str] = []
        """All that were dialled."""
        self.commands: list[str] = []
        """All that were obeyed, behind their AT."""
        self._dialled = dialled
        self._echo = self._words = True
        self._auto = 0
        self._command = bytearray()
        self._due: list[tuple[int, Callable[[int], None]]] = []
        self._out = bytearray()
        self._to_line = bytearray()
        self._ring_ns: int | None = None
        self._rings = 0
        self._byte_ns = 0
        self._pluses = b""

    @property
    def carrier(self) -> bool:
        """True while two modems are connected."""
        return self.state in (ModemIs.CONNECTED, ModemIs.ESCAPED)

    @property
    def next_ns(self) -> int | None:
        """Instant of the next thing that it does by itself."""
        instants = [due for due, _ in self._due]
        if self._ring_ns is not None:
            instants.append(self._ring_ns)
        if self._pluses == b"+++":
            instants.append(self._byte_ns + GUARD_NS)
        return min(instants, default=None)

    # --- the serial port --------------------------------------------------------------------------------------

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take what the meter sends."""
        self.tick(now_ns)
        if self.faults.dead:
            return
        for byte in data:
            if self.state is ModemIs.CONNECTED:
                self._carry(byte, now_ns)
            else:
                self._type(byte, now_ns)
            self._byte_ns = now_ns

    def output(self) -> bytes:
        """Take what the meter hears."""
        data = bytes(self._out)
        self._out.clear()
        return b"" if self.faults.dead else data

    def drop_dtr(self, now_ns: int) -> None:
        """Hang up, and go back to factory settings: the meter's DTR has fallen."""
        self._due.clear()
        self._on_hook()
        self._echo = True

    # --- the telephone line -----------------------------------------------------------------------------------

    def ring(self, now_ns: int) -> None:
        """Begin to ring, if the line is free; while it is not, the caller hears the busy tone."""
        if self.state is ModemIs.ON_HOOK:
            self.state, self._ring_ns, self._rings = ModemIs.RINGING, now_ns, 0

    def give_up(self) -> None:
        """Ring no longer: the caller has put down."""
        if self.state is ModemIs.RINGING:
            self._on_hook()

    def cut(self, now_ns: int) -> None:
        """Lose the carrier."""
        if self.carrier or self.state is ModemIs.RINGING:
            was = self.carrier
            self._on_hook()
            if was:
                self._say("NO CARRIER")

    def line_sends(self, data: bytes) -> None:
        """Carry what comes from the other end."""
        if self.state is ModemIs.CONNECTED:
            self._out += data

    def line_hears(self) -> bytes:
        """Take what goes to the other end."""
        data = bytes(self._to_line)
        self._to_line.clear()
        return data

    # --- time -------------------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """Do what is due."""
        while self._due and self._due[0][0] <= now_ns:
            _, action = self._due.pop(0)
            action(now_ns)
        if self._ring_ns is not None and now_ns >= self._ring_ns:
            self._ring_ns += RING_NS
            self._rings += 1
            self._say("RING")
            if self._auto and self._rings >= self._auto:
                self._connect(now_ns)
        if self._pluses == b"+++" and now_ns >= self._byte_ns + GUARD_NS:
            self._pluses = b""
            self.state = ModemIs.ESCAPED
            self._say("OK")

    # --- inside -----------------------------------------------------------------------------------------------

    def _carry(self, byte: int, now_ns: int) -> None:
        paused = now_ns >= self._byte_ns + GUARD_NS
        sign = bytes((byte,))
        if sign == b"+" and (paused or self._pluses) and len(self._pluses) < 3:
            self._pluses += sign
        else:
            self._pluses = b""
        self._to_line += sign

    def _type(self, byte: int, now_ns: int) -> None:
        if self._echo or self.faults.echoes:
            self._out.append(byte)
        if byte != 0x0D:
            if len(self._command) < MOST_COMMAND and byte != 0x0A:
                self._command.append(byte)
            return
        command = self._command.decode("latin-1").strip().upper()
        self._command.clear()
        if self.state is ModemIs.DIALLING:  # any key ends a dialling
            self._due.clear()
            self._on_hook()
            self._say("NO CARRIER")
        elif command.startswith("AT"):
            self._later(self.faults.after_ns, lambda now: self._obey(command[2:], now), now_ns)

    def _obey(self, command: str, now_ns: int) -> None:
        self.commands.append(command)
        if command.startswith("D"):
            self._dial(command[1:].lstrip("TP"), now_ns)
            return
        if command.startswith("A") and self.state is ModemIs.RINGING:
            self._ring_ns = None
            self._later(self.faults.connect_ns, self._connect, now_ns)
            return
        if command.startswith("O") and self.state is ModemIs.ESCAPED:
            self.state = ModemIs.CONNECTED
            self._say("CONNECT")
            return
        if command.startswith(("H", "Z", "&F")):
            if self.carrier:
                self._on_hook()
            if not command.startswith("H"):
                self._echo = self._words = True
        for name, value in re.findall(r"([EV])(\d)", command):
            if name == "E":
                self._echo = value == "1"
            else:
                self._words = value == "1"
        if found := re.search(r"S0=(\d{1,3})", command):
            self._auto = int(found[1])
        self._say("OK")

    def _dial(self, number: str, now_ns: int) -> None:
        self.numbers.append(number)
        outcome = self.faults.outcomes.get(number)
        if self.state is not ModemIs.ON_HOOK:
            self._say("NO CARRIER")
            return
        self.state = ModemIs.DIALLING

        def answered(now_ns: int) -> None:
            if outcome is None:
                self._connect(now_ns)
                self._dialled(number)
            else:
                self._on_hook()
                if outcome:
                    self._say(outcome)

        self._later(self.faults.connect_ns, answered, now_ns)

    def _connect(self, now_ns: int) -> None:
        if self.state in (ModemIs.RINGING, ModemIs.DIALLING):
            self.state, self._ring_ns = ModemIs.CONNECTED, None
            self._byte_ns = now_ns
            self._say("CONNECT 9600")
        else:
            self._say("NO CARRIER")

    def _on_hook(self) -> None:
        self.state, self._ring_ns, self._pluses = ModemIs.ON_HOOK, None, b""
        self._to_line.clear()

    def _say(self, word: str) -> None:
        numbers = {"OK": "0", "RING": "2", "NO CARRIER": "3", "ERROR": "4", "NO DIALTONE": "6", "BUSY": "7"}
        text = f"\r\n{word}\r\n" if self._words else f"{numbers.get(word, '1')}\r"
        self._out += self.faults.garbage + text.encode()

    def _later(self, after_ns: int, action: Callable[[int], None], now_ns: int) -> None:
        self._due.append((now_ns + after_ns, action))
        self._due.sort(key=lambda each: each[0])
