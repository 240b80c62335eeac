"""`rig run`: the metering process, shown until it ends or someone ends it."""

from __future__ import annotations

import hashlib
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec

import rig
from drivers.lcd import open_bus
from rig.daemon.channel import ChannelClosed, MessageChannel, pair
from rig.daemon.interrupts import Interrupts, interrupts_noted
from rig.daemon.messages import Begun, Edges, Ended, Moment, Operate, Refused, Said, Shown, Start, Stop
from rig.daemon.state_server import StateServer
from rig.errors import RigError
from rig.face.face import Face
from rig.files.strict_toml import ConfigError
from rig.hardware.config import Config
from rig.hardware.hands_file import HandsWriter
from rig.meter.front.switches import Change
from rig.results.summary import Phase, Summary
from rig.terminal.character_lcd import CharacterLcdClient, OpenBus
from rig.terminal.keys import Keys
from rig.terminal.raw_terminal import keys_pressed, raw

GRACE_S = 20.0
"""A metering process that was told to end gets so long to let its pulses out and save."""

PATIENCE_S = 0.5
"""How often, at least, one looks for Ctrl-C."""

METERING = ("-m", "rig.daemon.metering")

ROOT = Path(rig.__path__[0]).parent


class RunError(RigError):
    """A run that could not begin (`status` 2) or ran into what should not happen (1): one sentence."""

    def __init__(self, sentence: str, status: int = 2) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Audience:
    """Whom a run is shown to: `moment` each second of its time, `face` between them whenever it changes.

    `keys` is a terminal, in whose keys keys.py sees hands on the switches. At `serve` other programs get the
    state. `record` writes what hands do.
    """

    moment: Callable[[Moment], None]
    face: Callable[[Moment], None] | None = None
    keys: TextIO | None = None
    serve: Path | None = None
    record: HandsWriter | None = None


def run(
    config: Config,
    seconds: float | None,
    *,
    paced: bool,
    audience: Audience,
    hands: Path | None = None,
    open_bus: OpenBus = open_bus,
) -> Ended:
    """Meter for `seconds`, or until Ctrl-C (or SIGTERM), in a process of its own.

    `hands` is a recording of hands for a simulated rig. Ends cleanly in either case, and when the link fails. Raises
    RunError, LcdError for the display, and ConfigError for files and `serve`.
    """
    start = Start(config, seconds, paced, audience.record is not None, None if hands is None else str(hands))
    with ExitStack() as stack:
        server = glass = None
        if audience.serve is not None:
            server = stack.enter_context(closing(StateServer(audience.serve)))
        if config.display.size is not None:
            glass = stack.enter_context(closing(CharacterLcdClient(config.display, open_bus)))
        interrupts = stack.enter_context(interrupts_noted())
        stack.enter_context(raw(audience.keys))
        channel = stack.enter_context(_metering(start))
        return _Show(config, channel, audience, server, glass, interrupts).until_it_ends()


class _Show:
    """One run, shown."""

    def __init__(
        self,
        config: Config,
        channel: MessageChannel[Said],
        audience: Audience,
        server: StateServer | None,
        glass: CharacterLcdClient | None,
        interrupts: Interrupts,
    ) -> None:
        self._config, self._channel, self._audience = config, channel, audience
        self._server, self._glass, self._interrupts = server, glass, interrupts
        self._keys = Keys()
        self._moment: Moment | None = None
        self._stopping = False

    def until_it_ends(self) -> Ended:
        self._interrupts.told = self._stop_at_once
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel, selectors.EVENT_READ, self._hear)
            if self._server is not None:
                selector.register(self._server, selectors.EVENT_READ, self._serve)
            if self._audience.keys is not None:
                selector.register(self._audience.keys, selectors.EVENT_READ, self._type)
            ended = None
            while ended is None:
                if self._interrupts.seen and not self._stopping:
                    self._stopping = True
                    self._say(Stop())
                for key, _ in selector.select(self._patience_s):
                    if key.data == self._type and not self._type():
                        selector.unregister(key.fileobj)
                    elif key.data == self._serve:
                        self._serve()
                    elif key.data == self._hear:
                        ended = self._hear()
                self._operate(self._keys.advance(time.monotonic_ns()))
                self._write_glass()
            return ended

    def _stop_at_once(self) -> None:
        """From a signal's handler: also while nobody reads what is being printed."""
        with suppress(ChannelClosed):
            self._channel.offer(Stop())

    @property
    def _patience_s(self) -> float:
        now_ns, due = time.monotonic_ns(), [self._keys.next_due_ns]
        if self._glass is not None:
            due.append(self._glass.next_due_ns)
        return max(0.0, min([PATIENCE_S, *((at_ns - now_ns) / 1e9 for at_ns in due if at_ns is not None)]))

    def _hear(self) -> Ended | None:
        """What waits to be shown, the latest of it."""
        shown = False
        while True:
            try:
                said = self._channel.poll()
            except ChannelClosed:
                raise RunError("the metering process has ended without a word, perhaps killed", status=1) from None
            match said:
                case Moment():
                    self._moment, shown = self._troubled(said), False
                    self._audience.moment(self._moment)
                case Shown() if self._moment is not None:
                    self._moment, shown = msgspec.structs.replace(self._moment, face=said.face), True
                case Begun() | Edges():
                    self._record(said)
                case Ended():
                    return said
                case Refused(sentence, status):
                    raise RunError(sentence, status)
                case None:
                    break
        if self._moment is not None and self._glass is not None:
            self._glass.show(self._moment.face.lcd)
        if shown:
            self._show_face()
        return None

    def _show_face(self) -> None:
        if self._moment is not None and self._audience.face is not None:
            self._audience.face(self._moment)

    def _write_glass(self) -> None:
        if self._glass is not None and self._glass.advance(time.monotonic_ns()) and self._moment is not None:
            self._moment = self._troubled(self._moment)
            self._show_face()

    def _troubled(self, moment: Moment) -> Moment:
        """With what ails the character display."""
        trouble = None if self._glass is None else self._glass.trouble
        return msgspec.structs.replace(moment, lcd_trouble=trouble)

    def _record(self, said: Begun | Edges) -> None:
        writer = self._audience.record
        assert writer is not None
        try:
            if isinstance(said, Edges):
                writer.write(said.edges)
            else:
                writer.begin(_notes(self._config, said), said.found)
        except ConfigError as error:
            raise RunError(str(error), status=1) from None

    def _serve(self) -> None:
        assert self._server is not None
        self._server.serve(None if self._moment is None else state(self._moment))

    def _type(self) -> bool:
        """Keys that were pressed; False at the end of the input."""
        assert self._audience.keys is not None
        pressed = keys_pressed(self._audience.keys)
        for character in pressed or "":
            self._operate(self._keys.press(character, time.monotonic_ns()))
        return pressed is not None

    def _operate(self, changes: list[Change]) -> None:
        for change in changes:
            self._say(Operate(change.switch, change.operated))

    def _say(self, order: msgspec.Struct) -> None:
        with suppress(ChannelClosed):  # the next message says why
            self._channel.send(order)


def _notes(config: Config, begun: Begun) -> dict[str, str]:
    """What people may want to know of a recording: what it was made on, and when."""
    rig_ = msgspec.json.encode((config.hardware, config.simulation))
    return {
        "raw edges of a meter's switches and inputs": "ns from the run's begin; closed, or operated, is 1",
        "fidelity": begun.fidelity if begun.fidelity == "board" else f"SIMULATED ({begun.fidelity})",
        "rig": hashlib.sha256(rig_).hexdigest()[:12],
        "program": begun.program,
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def state(moment: Moment) -> dict[str, Any]:
    """A moment as `--json` and the state socket give it."""
    whole = msgspec.to_builtins(moment.summary) | {"phases": msgspec.to_builtins(moment.recent)}
    face = msgspec.to_builtins(moment.face)
    face["lcd"]["lit"].sort()
    face["operated"].sort()
    return {"type": "reading"} | whole | {"face": face, "lcd_trouble": moment.lcd_trouble}


def moment_of(line: bytes) -> Moment:
    """The same back. Raises ConfigError for what is no state, or none yet."""
    try:
        found = msgspec.json.decode(line)
        if found is None:
            raise ConfigError("the meter has no reading yet: ask again in a second")
        return Moment(
            msgspec.convert(found, Summary),
            msgspec.convert(found["phases"], dict[str, Phase]),
            msgspec.convert(found["face"], Face),
            msgspec.convert(found["lcd_trouble"], str | None),
        )
    except (KeyError, TypeError, msgspec.MsgspecError) as error:
        raise ConfigError(f"what came is no state of a meter ({error}): use the version that serves it") from None


@contextmanager
def _metering(start: Start) -> Iterator[MessageChannel[Said]]:
    """A metering process that has its order; whatever happens, it is not left behind."""
    here, there = pair()
    warnings = [f"-W{option}" for option in sys.warnoptions]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, *warnings, *METERING, str(there.fileno())],
        pass_fds=[there.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": path},
        start_new_session=True,  # neither Ctrl-C nor the end of the terminal is for it
    )
    there.close()
    channel: MessageChannel[Said] = MessageChannel(here, Said)
    try:
        with suppress(ChannelClosed):
            channel.send(start)
        yield channel
    finally:
        channel.close()  # it ends as if told to stop, if it has not
        try:
            process.wait(GRACE_S)
        except BaseException:
            process.kill()
            process.wait()
            raise RunError("the metering process did not end and was killed", status=1) from None
