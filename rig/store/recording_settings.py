"""A recorder's settings as the history keeps them, so that its words can be read by any program later (T-4)."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from rig.meter.billing.metric import Metric, RecorderChannel, RecorderSettings

_METRICS = {metric.value: metric for metric in Metric}


class _Channel(msgspec.Struct, frozen=True):
    metric: str
    pulse: str


class _Settings(msgspec.Struct, frozen=True):
    interval_minutes: int
    memory_bytes: int
    channels: list[_Channel]


def settings_text(settings: RecorderSettings) -> str:
    """As JSON: what the words are to be read by."""
    channels = [_Channel(c.metric.value, str(c.pulse)) for c in settings.channels]
    return msgspec.json.encode(_Settings(settings.interval_min, settings.memory_bytes, channels)).decode()


def settings_of(text: str) -> RecorderSettings:
    """The same back. ValueError or KeyError for what is no settings."""
    read = msgspec.json.decode(text, type=_Settings)
    channels = tuple(RecorderChannel(_METRICS[c.metric], Fraction(c.pulse)) for c in read.channels)
    return RecorderSettings(read.interval_minutes, channels, read.memory_bytes)
