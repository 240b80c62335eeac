"""`rig run`: the metering process, shown until it ends or someone ends it."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import msgspec

import rig
from rig.conduit import Conduit, ConduitClosed, pair
from rig.config import Config
from rig.face.face import Face
from rig.keys import Keys
from rig.messages import Ended, Moment, Operate, Refused, Said, Shown, Start, Stop
from rig.meter.front.switches import Change
from rig.results import Phase, Summary
from rig.state_server import StateServer
from rig.strict_toml import ConfigError

PATIENCE_S = 0.5
"""How often, at least, one looks for Ctrl-C."""

METERING = ("-m", "rig.metering")

ROOT = Path(rig.__path__[0]).parent


class RunError(RuntimeError):
    """A run that could not begin (`status` 2) or ran into what should not happen (1): one sentence."""

    def __init__(self, sentence: str, status: int = 2) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Audience:
    """Whom a run is shown to: `moment` each second of its time, `face` between them whenever it changes.

    `keys` is a terminal, in whose keys rig/keys.py sees hands on the switches. At `serve` other programs get the state.
    """

    moment: Callable[[Moment], None]
    face: Callable[[Moment], None] | None = None
    keys: TextIO | None = None
    serve: Path | None = None


def run(config: Config, seconds: float | None, *, paced: bool, audience: Audience) -> Ended:
    """Meter for `seconds`, or until Ctrl-C (or SIGTERM), in a process of its own.

    Ends cleanly in either case, and when the link fails. Raises RunError, and ConfigError for `serve`.
    """
    server = None if audience.serve is None else StateServer(audience.serve)
    try:
        with _metering(Start(config, seconds, paced)) as conduit, _interrupts() as interrupted:
            return _Show(conduit, audience, server, interrupted).until_it_ends()
    finally:
        if server is not None:
            server.close()


class _Show:
    """One run, shown."""

    def __init__(
        self,
        conduit: Conduit[Said],
        audience: Audience,
        server: StateServer | None,
        interrupted: Callable[[], bool],
    ) -> None:
        self._conduit, self._audience, self._server = conduit, audience, server
        self._interrupted = interrupted
        self._keys = Keys()
        self._moment: Moment | None = None
        self._stopping = False

    def until_it_ends(self) -> Ended:
        with selectors.DefaultSelector() as selector, _raw(self._audience.keys):
            selector.register(self._conduit, selectors.EVENT_READ, self._hear)
            if self._server is not None:
                selector.register(self._server, selectors.EVENT_READ, self._serve)
            if self._audience.keys is not None:
                selector.register(self._audience.keys, selectors.EVENT_READ, self._type)
            ended = None
            while ended is None:
                if self._interrupted() and not self._stopping:
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
            return ended

    @property
    def _patience_s(self) -> float:
        due_ns = self._keys.next_due_ns
        return PATIENCE_S if due_ns is None else max(0.0, min(PATIENCE_S, (due_ns - time.monotonic_ns()) / 1e9))

    def _hear(self) -> Ended | None:
        """What waits to be shown, the latest of it."""
        shown = False
        while True:
            try:
                said = self._conduit.poll()
            except ConduitClosed:
                raise RunError("the metering process has ended without a word, perhaps killed", status=1) from None
            match said:
                case Moment():
                    self._moment, shown = said, False
                    self._audience.moment(said)
                case Shown() if self._moment is not None:
                    self._moment, shown = msgspec.structs.replace(self._moment, face=said.face), True
                case Ended():
                    return said
                case Refused(sentence, status):
                    raise RunError(sentence, status)
                case None:
                    break
        if shown and self._moment is not None and self._audience.face is not None:
            self._audience.face(self._moment)
        return None

    def _serve(self) -> None:
        assert self._server is not None
        self._server.serve(None if self._moment is None else state(self._moment))

    def _type(self) -> bool:
        """Keys that were pressed; False at the end of the input."""
        assert self._audience.keys is not None
        characters = os.read(self._audience.keys.fileno(), 64)
        for character in characters.decode("ascii", "replace"):
            self._operate(self._keys.press(character, time.monotonic_ns()))
        return bool(characters)

    def _operate(self, changes: list[Change]) -> None:
        for change in changes:
            self._say(Operate(change.switch, change.operated))

    def _say(self, order: msgspec.Struct) -> None:
        with suppress(ConduitClosed):  # the next message says why
            self._conduit.send(order)


def state(moment: Moment) -> dict[str, Any]:
    """A moment as `--json` and the state socket give it."""
    whole = msgspec.to_builtins(moment.summary) | {"phases": msgspec.to_builtins(moment.recent)}
    face = msgspec.to_builtins(moment.face)
    face["lcd"]["lit"].sort()
    face["operated"].sort()
    return {"type": "reading"} | whole | {"face": face}


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
        )
    except (KeyError, TypeError, msgspec.MsgspecError) as error:
        raise ConfigError(f"what came is no state of a meter ({error}): use the version that serves it") from None


@contextmanager
def _metering(start: Start) -> Iterator[Conduit[Said]]:
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
    conduit: Conduit[Said] = Conduit(here, Said)
    try:
        with suppress(ConduitClosed):
            conduit.send(start)
        yield conduit
    except KeyboardInterrupt:
        process.kill()
        raise
    finally:
        conduit.close()
        process.wait()


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Ctrl-C, or SIGTERM, sets a flag; a second one interrupts at once."""
    seen = False

    def note(signum: int, frame: FrameType | None) -> None:
        nonlocal seen
        if seen:
            raise KeyboardInterrupt
        seen = True

    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, note) for number in signals]
    try:
        yield lambda: seen
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _raw(terminal: TextIO | None) -> Iterator[None]:
    """Each key at once, and not echoed; signals as ever."""
    if terminal is None:
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
