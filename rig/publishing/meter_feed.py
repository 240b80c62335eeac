"""Readings of a running meter for a publisher: connected, and connected again when it goes and comes back (C-3)."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from rig.daemon.client import ClientError, MeterClient, MeterGone, RequestRefusedError
from rig.daemon.protocol import Ended, Reading, Topic
from rig.publishing.identity import MeterIdentity, identity_of

AGAIN_S = 1.0
"""A meter that is not there is looked for so often."""

SILENT_S = 10.0
"""A meter that has published no reading in this time is taken to be gone."""


class MeterFeed:
    """A meter at a socket. `report` takes a sentence for whoever looks after the publisher, once for each cause."""

    def __init__(self, socket: Path, name: str, report: Callable[[str], None]) -> None:
        self._socket, self._name, self._report = socket, name, report
        self._client: MeterClient | None = None
        self._next_s = 0.0
        self._heard_s = 0.0
        self._reported: str | None = None
        self.gone = False
        """True once the meter has ended, or nothing listens there any more; a lost connection alone is not that."""
        self.identity: MeterIdentity | None = None
        """Of the meter that is connected, or was last; None before there was one."""

    @property
    def connected(self) -> bool:
        """True while the meter is there."""
        return self._client is not None

    @property
    def descriptor(self) -> int | None:
        """Descriptor that is readable when something has come; None: no meter is there."""
        return None if self._client is None else self._client.fileno()

    def newest(self) -> Reading | None:
        """Take what has come; give the newest reading of it, None where there is none. Never waits for the meter's
        next, but for a meter to answer that has just been found."""
        if self._client is None and time.monotonic() >= self._next_s:
            self._connect()
        if self._client is None:
            return None
        found = None
        try:
            while (message := self._client.poll()) is not None:
                if isinstance(message, Reading):
                    found, self._heard_s = message, time.monotonic()
                elif isinstance(message, Ended):
                    self.gone = True
                    self._lose("the meter has ended")
                    return None
        except ClientError as error:
            self._lose(str(error))
            return None
        if found is not None and not self._is_identified(found):
            return None
        if time.monotonic() > self._heard_s + SILENT_S:
            self._lose(f"the meter at {self._socket} has sent no reading in {SILENT_S:g} s")
        return found

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            with suppress(OSError):
                self._client.close()
            self._client = None

    def _is_identified(self, reading: Reading) -> bool:
        """Ask again what a meter is that has another program; a reading of before the answer is left out."""
        assert self._client is not None
        assert self.identity is not None
        if reading.summary.provenance.program != self.identity.provenance.program:
            try:
                self.identity = identity_of(self._client)
            except (ClientError, RequestRefusedError, msgspec.ValidationError) as error:
                self._lose(str(error))
                return False
        return reading.summary.provenance.program == self.identity.provenance.program

    def _connect(self) -> None:
        self._next_s = time.monotonic() + AGAIN_S
        try:
            client = MeterClient.connect(self._socket, "command line", self._name)
        except ClientError as error:
            self.gone = not isinstance(error, MeterGone)  # one that does not answer may do so again
            self._once(str(error))
            return
        self.gone = False
        try:
            self.identity = identity_of(client)
            client.subscribe(Topic.READINGS)
        except (ClientError, RequestRefusedError, msgspec.ValidationError) as error:
            client.close()
            self._once(str(error))
            return
        self._client, self._heard_s, self._reported = client, time.monotonic(), None

    def _lose(self, why: str) -> None:
        self.close()
        self._once(why)

    def _once(self, sentence: str) -> None:
        if sentence != self._reported:
            self._reported = sentence
            self._report(sentence)
