"""A running meter, shown: on a terminal, with keys for its switches, on a character display, into a recording (C-4).

All of it is a client of the daemon (rig/daemon/client.py): what is slow here, or hangs, or is killed, is nothing to it.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from typing import Any, TextIO

import msgspec

from drivers.lcd import open_bus
from drivers.switches import RawEdge
from rig.daemon.client import ClientError, MeterClient
from rig.daemon.interrupts import Interrupts, interrupts_noted
from rig.daemon.protocol import (
    Begun,
    Dropped,
    EdgesSeen,
    Ended,
    FrontChanged,
    MoveSwitch,
    ReadContacts,
    Reading,
    RequestRefused,
    Stop,
    Topic,
)
from rig.errors import RigError
from rig.files.strict_toml import ConfigError
from rig.hardware.config import LcdConfig
from rig.hardware.hands_file import HandsWriter
from rig.meter.front.switches import Change
from rig.results.provenance import Provenance
from rig.terminal.character_lcd import CharacterLcdClient, OpenBus
from rig.terminal.keys import Keys
from rig.terminal.raw_terminal import keys_pressed, raw

PATIENCE_S = 0.5
"""How often, at least, one looks for Ctrl-C."""

LEAVE_S = 1.0
"""A request to end gets so long to reach the daemon, also while nobody reads what is being printed."""


class ShowError(RigError):
    """A run that was shown and came to a bad end: one sentence."""

    status = 1


NO_LCD = LcdConfig()


@dataclass(frozen=True)
class Audience:
    """Audience of a meter: it gets `reading` each second of its time, `front` between them whenever its face changes.

    `keys` is a terminal whose keys move the switches. `record` writes what hands do. `lcd` is a character display.
    """

    reading: Callable[[Reading], None]
    front: Callable[[Reading], None] | None = None
    keys: TextIO | None = None
    record: HandsWriter | None = None
    lcd: LcdConfig = NO_LCD
    open_bus: OpenBus = open_bus


def show(
    client: MeterClient,
    audience: Audience,
    *,
    ours: bool,
    begin: Callable[[], None] = lambda: None,
    seconds: float | None = None,
) -> Ended | None:
    """Show a meter until it ends, or until Ctrl-C or SIGTERM comes; `ours` then ends it too, and waits for its end.

    `begin` is called once all is ready. `seconds` of its time are shown at most. None: it goes on. Raises ShowError,
    ClientError, LcdError for the display, and ConfigError for the recording.
    """
    with ExitStack() as stack:
        lcd = None
        if audience.lcd.size is not None:
            lcd = stack.enter_context(closing(CharacterLcdClient(audience.lcd, audience.open_bus)))
        interrupts = stack.enter_context(interrupts_noted())
        stack.enter_context(raw(audience.keys))
        topics = [Topic.READINGS, Topic.FRONT, *([Topic.EDGES] if audience.record else [])]
        client.subscribe(*topics, lossless=ours and not client.welcome.paced)
        shown = _Shown(client, audience, lcd, interrupts, ours=ours, seconds=seconds)
        if not ours and audience.record is not None:
            shown.join_recording()
        begin()
        return shown.until_it_ends()


class _Shown:
    """One meter, shown."""

    def __init__(
        self,
        client: MeterClient,
        audience: Audience,
        lcd: CharacterLcdClient | None,
        interrupts: Interrupts,
        *,
        ours: bool,
        seconds: float | None,
    ) -> None:
        self._client, self._audience, self._lcd, self._interrupts = client, audience, lcd, interrupts
        self._ours, self._seconds = ours, seconds
        self._keys = Keys()
        self._reading: Reading | None = None
        self._since_s: float | None = None
        self._begun_ns = 0
        self._ended: Ended | None = None
        self._stopping = self._over = False

    def until_it_ends(self) -> Ended | None:
        if self._ours:
            self._interrupts.told = self._stop_at_once
        with selectors.DefaultSelector() as selector:
            selector.register(self._client, selectors.EVENT_READ, self._hear)
            if self._audience.keys is not None:
                selector.register(self._audience.keys, selectors.EVENT_READ, self._type)
            self._hear()
            while self._ended is None and not self._over:
                if self._interrupts.seen and not self._stopping:
                    if not self._ours:
                        return None
                    self._stop()
                for key, _ in selector.select(self._patience_s):
                    if not key.data():
                        selector.unregister(key.fileobj)
                self._operate(self._keys.advance(time.monotonic_ns()))
                self._write_lcd()
        return self._ended

    def join_recording(self) -> None:
        """A meter that runs already: what it finds now is what is found."""
        found = self._client.ask(ReadContacts())
        self._begun_ns = found["ns"]
        self._begin_recording(found["closed"])

    def _stop(self) -> None:
        self._stopping = True
        self._client.request(Stop())

    def _stop_at_once(self) -> None:
        """From a signal's handler: also while nobody reads what is being printed."""
        with suppress(RigError, OSError), MeterClient.connect(self._client.path, wait_s=LEAVE_S) as other:
            other.request(Stop())
            self._stopping = True

    @property
    def _patience_s(self) -> float:
        now_ns, due = time.monotonic_ns(), [self._keys.next_due_ns]
        if self._lcd is not None:
            due.append(self._lcd.next_due_ns)
        return max(0.0, min([PATIENCE_S, *((at_ns - now_ns) / 1e9 for at_ns in due if at_ns is not None)]))

    def _hear(self) -> bool:
        """Take the messages that wait to be shown; True. A peer that sends without end keeps nobody from Ctrl-C."""
        changed = False
        until = time.monotonic() + PATIENCE_S
        while self._ended is None and time.monotonic() < until and (message := self._client.poll()) is not None:
            match message:
                case Reading():
                    changed = False
                    self._take(message)
                case FrontChanged(face) if self._reading is not None:
                    self._reading, changed = msgspec.structs.replace(self._reading, face=face), True
                case Begun(found):
                    self._begin_recording(found)
                case EdgesSeen(edges):
                    self._record(edges)
                case Dropped(Topic.EDGES, count) if self._audience.record is not None:
                    raise ShowError(f"{count} messages of edges were lost: what was recorded ends before the run")
                case RequestRefused(_, sentence):
                    raise ShowError(sentence)
                case Ended():
                    self._ended = message
        if self._reading is not None and self._lcd is not None:
            self._lcd.show(self._reading.face.lcd)
        if changed:
            self._show_front()
        return True

    def _take(self, reading: Reading) -> None:
        self._reading = self._with_lcd_fault(reading)
        self._audience.reading(self._reading)
        if self._seconds is not None:
            self._since_s = self._since_s if self._since_s is not None else reading.summary.seconds
            self._over = reading.summary.seconds - self._since_s >= self._seconds

    def _show_front(self) -> None:
        if self._reading is not None and self._audience.front is not None:
            self._audience.front(self._reading)

    def _write_lcd(self) -> None:
        if self._lcd is not None and self._lcd.advance(time.monotonic_ns()) and self._reading is not None:
            self._reading = self._with_lcd_fault(self._reading)
            self._show_front()

    def _with_lcd_fault(self, reading: Reading) -> Reading:
        fault = None if self._lcd is None else self._lcd.trouble
        return msgspec.structs.replace(reading, lcd_trouble=fault)

    def _begin_recording(self, found: list[str]) -> None:
        notes = _notes(self._client.welcome.provenance)
        self._write(lambda writer: writer.begin(notes, found))

    def _record(self, edges: list[RawEdge]) -> None:
        ours = [replace(edge, at_ns=edge.at_ns - self._begun_ns) for edge in edges if edge.at_ns >= self._begun_ns]
        self._write(lambda writer: writer.write(ours))

    def _write(self, write: Callable[[HandsWriter], None]) -> None:
        if self._audience.record is None:
            return
        try:
            write(self._audience.record)
        except ConfigError as error:
            raise ShowError(str(error)) from None

    def _type(self) -> bool:
        """Keys that were pressed; False at the end of the input."""
        assert self._audience.keys is not None
        pressed = keys_pressed(self._audience.keys)
        for character in pressed or "":
            self._operate(self._keys.press(character, time.monotonic_ns()))
        return pressed is not None

    def _operate(self, changes: list[Change]) -> None:
        for change in changes:
            with suppress(ClientError):  # the next message says why
                self._client.ask(MoveSwitch(change.switch, change.operated))


def _notes(provenance: Provenance) -> dict[str, str]:
    """Give what people may want to know of a recording: what it was made on, and when."""
    return {
        "raw edges of a meter's switches and inputs": "ns from the run's begin; closed, or operated, is 1",
        "fidelity": provenance.mark or provenance.fidelity,
        "rig": provenance.configuration,
        "program": provenance.program,
        "begun": provenance.begun_utc,
    }


def reading_json(reading: Reading) -> dict[str, Any]:
    """Give a reading as `--json` prints it."""
    whole: dict[str, Any] = msgspec.to_builtins(reading.summary) | {"phases": msgspec.to_builtins(reading.recent)}
    face = msgspec.to_builtins(reading.face)
    face["lcd"]["lit"].sort()
    face["operated"].sort()
    return {"type": "reading"} | whole | {"face": face, "lcd_trouble": reading.lcd_trouble}
