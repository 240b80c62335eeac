"""Topics and payloads of MQTT: a meter's state, its availability, and what Home Assistant is told there is (X-4). Pure.

    TOPIC/ID/state                   one JSON object, all figures of one reading; retained
    TOPIC/ID/availability            "online" or "offline", the second also as last will; retained
    DISCOVERY/sensor/ID/KEY/config   what Home Assistant needs to show one figure; retained

Exact figures are text of all their digits, others JSON numbers as `rig watch --json` prints them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from rig.daemon.protocol import Reading
from rig.hardware.publishing_config import NONE, MqttConfig
from rig.publishing.figures import RATE_IN_FORCE, Figure, Kind
from rig.publishing.identity import MeterIdentity
from rig.store.contents import utc_text

ONLINE, OFFLINE = b"online", b"offline"

LATE_INTERVALS = 3
"""Of a state that is so many intervals old Home Assistant says that it is not available."""

_STATE_CLASS = {Kind.COUNTER: "total_increasing", Kind.NET: "total", Kind.GAUGE: "measurement"}

_DIAGNOSTIC = ("diagnostic_", "trouble_", "rate_", "utc_seconds")
"""Keys of what Home Assistant is to show apart, as diagnostics of the device."""


@dataclass(frozen=True)
class Message:
    """A message, retained by the broker."""

    topic: str
    payload: bytes


@dataclass(frozen=True)
class Topics:
    """Topics of a meter."""

    state: str
    availability: str
    discovery: str | None
    id: str

    @classmethod
    def of(cls, config: MqttConfig, id: str) -> Topics:
        """By the configuration."""
        base = f"{config.topic.strip('/')}/{id}"
        discovery = None if config.discovery == NONE else config.discovery.strip("/")
        return cls(f"{base}/state", f"{base}/availability", discovery, id)


def state(topics: Topics, identity: MeterIdentity, reading: Reading, figures: Sequence[Figure]) -> Message:
    """Give the state: the figures by their keys, and before them what they are of."""
    exact = reading.summary.exact
    has_rates = any(figure.measure is RATE_IN_FORCE for figure in figures)
    content: dict[str, Any] = {
        "utc_ns": exact.utc_ns,
        "time": utc_text(int(exact.utc_ns)),
        "mark": identity.provenance.mark,
        "simulated": identity.provenance.simulated,
        "rate": exact.rate if has_rates else None,
        "service": reading.summary.service,
        "vt_ratio": identity.vt_ratio,
        "ct_ratio": identity.ct_ratio,
    }
    content |= {figure.key: figure.text if figure.nano is not None else figure.value for figure in figures}
    return Message(topics.state, msgspec.json.encode(content))


def discovery(topics: Topics, config: MqttConfig, identity: MeterIdentity, figures: Sequence[Figure]) -> list[Message]:
    """Give a message for each figure; none where discovery is off."""
    if topics.discovery is None:
        return []
    made = identity.provenance
    device = {
        "identifiers": [f"ae0764_{topics.id}"],
        "name": identity.title,
        "model": f"{identity.model}, form {identity.form}",
        "serial_number": identity.serial,
        "manufacturer": "AE-0764 rig",
        "sw_version": f"{made.version} {made.commit}".strip(),
    }
    return [_sensor(topics, config, device, figure) for figure in figures]


def withdrawal(topics: Topics, keys: Iterable[str]) -> list[Message]:
    """Give an empty message for each figure that there is not, or no more: what was retained of it is deleted."""
    return [] if topics.discovery is None else [Message(_config_topic(topics, key), b"") for key in sorted(keys)]


def _sensor(topics: Topics, config: MqttConfig, device: dict[str, Any], figure: Figure) -> Message:
    measure = figure.measure
    content: dict[str, Any] = {
        "name": figure.name,
        "unique_id": f"ae0764_{topics.id}_{figure.key}",
        "state_topic": topics.state,
        "value_template": f"{{{{ value_json.{figure.key} }}}}",
        "availability_topic": topics.availability,
        "expire_after": LATE_INTERVALS * config.every_s,
        "state_class": _STATE_CLASS[measure.kind],
        "device": device,
    }
    if measure.unit is not None:
        content["unit_of_measurement"] = measure.unit
    if measure.device_class is not None:
        content["device_class"] = measure.device_class
    if measure.kilo:
        content["suggested_display_precision"] = 3
    if figure.key.startswith(_DIAGNOSTIC):
        content["entity_category"] = "diagnostic"
    return Message(_config_topic(topics, figure.key), msgspec.json.encode(content))


def _config_topic(topics: Topics, key: str) -> str:
    return f"{topics.discovery}/sensor/{topics.id}/{key}/config"
