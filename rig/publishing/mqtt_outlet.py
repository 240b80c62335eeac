"""A meter at an MQTT broker: announced, its state, its availability (X-4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rig.daemon.protocol import Reading
from rig.hardware.publishing_config import MqttConfig
from rig.publishing.broker import Broker, check_files
from rig.publishing.figures import Figure, possible_keys
from rig.publishing.identity import MeterIdentity
from rig.publishing.messages import OFFLINE, ONLINE, Message, Topics, discovery, state, withdrawal

EARLY_S = 0.5
"""A reading comes each second: one that comes a little before its time is taken for it."""


class MqttOutlet:
    """A meter at a broker: announced when it is there, its state every `every_s` seconds of time, offline without it.

    Raises PublishingError for files that cannot be used.
    """

    def __init__(self, config: MqttConfig, report: Callable[[str], None]) -> None:
        check_files(config)
        self._config, self._report = config, report
        self._broker: Broker | None = None
        self._topics: Topics | None = None
        self._newest: tuple[MeterIdentity, Reading, Sequence[Figure]] | None = None
        self._published: Reading | None = None
        self._next_s = 0.0
        self._announced: frozenset[str] = frozenset()
        self._there = False

    def descriptors(self) -> list[int]:
        """Give the broker's connection."""
        connection = None if self._broker is None else self._broker.socket
        return [] if connection is None else [connection.fileno()]

    def show(self, identity: MeterIdentity, reading: Reading, figures: Sequence[Figure]) -> None:
        """Take a new reading; published when it is due."""
        topics = Topics.of(self._config, identity.id(self._config.id))
        if topics != self._topics:
            self.close()
            self._broker, self._topics = Broker(self._config, topics, self._report), topics
            self._announced = frozenset()
        self._newest = identity, reading, figures

    def hide(self) -> None:
        """Say that the meter is offline, once."""
        if self._newest is not None:
            self._newest = self._published = None
        if self._there and self._broker is not None:
            self._broker.publish(self._available(OFFLINE))
        self._there = False

    def step(self) -> None:
        """Keep the connection, and publish what is due."""
        broker = self._broker
        if broker is None:
            return
        broker.step()
        if broker.take_new():
            self._announced, self._there, self._next_s, self._published = frozenset(), False, 0.0, None
            if self._newest is None:
                broker.publish(self._available(OFFLINE))
        if not broker.connected or self._newest is None or broker.behind:
            return
        identity, reading, figures = self._newest
        if reading is self._published or time.monotonic() < self._next_s:
            return
        assert self._topics is not None
        keys = frozenset(figure.key for figure in figures)
        if keys != self._announced:  # a program with other demands may have been written, also while we were away
            gone = (possible_keys() | self._announced) - keys
            for message in (
                *withdrawal(self._topics, gone),
                *discovery(self._topics, self._config, identity, figures),
            ):
                broker.publish(message)
            self._announced = keys
        if not self._there:
            broker.publish(self._available(ONLINE))
            self._there = True
        broker.publish(state(self._topics, identity, reading, figures))
        self._published = reading
        self._next_s = time.monotonic() + self._config.every_s - EARLY_S

    def close(self) -> None:
        """Say that the meter is offline, and leave the broker."""
        if self._broker is not None:
            self._broker.close(self._available(OFFLINE))
            self._broker = None

    def _available(self, payload: bytes) -> Message:
        assert self._topics is not None
        return Message(self._topics.availability, payload)
