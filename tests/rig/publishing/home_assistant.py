"""Rules by which Home Assistant takes an MQTT sensor's discovery message, written down from what it publishes.

Sources, read as facts: home-assistant.io/integrations/mqtt (discovery topic and payload, device, origin, availability),
home-assistant.io/integrations/sensor.mqtt (options of a sensor), developers.home-assistant.io/docs/core/entity/sensor
(device classes, units, state classes). Nothing of it is code of theirs, and nothing is of the product.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

TEXT, NUMBER, FLAG, MAP, LIST = str, int, bool, dict, list
SENSOR: Mapping[str, type] = {
    "availability": LIST, "availability_mode": TEXT, "availability_template": TEXT, "availability_topic": TEXT,
    "device": MAP, "device_class": TEXT, "default_entity_id": TEXT, "enabled_by_default": FLAG, "encoding": TEXT,
    "entity_category": TEXT, "entity_picture": TEXT, "expire_after": NUMBER, "force_update": FLAG, "icon": TEXT,
    "json_attributes_template": TEXT, "json_attributes_topic": TEXT, "last_reset_value_template": TEXT, "name": TEXT,
    "object_id": TEXT, "options": LIST, "origin": MAP, "payload_available": TEXT, "payload_not_available": TEXT,
    "platform": TEXT, "qos": NUMBER, "state_class": TEXT, "state_topic": TEXT, "suggested_display_precision": NUMBER,
    "unique_id": TEXT, "unit_of_measurement": TEXT, "value_template": TEXT,
}  # fmt: skip
DEVICE: Mapping[str, type] = {
    "configuration_url": TEXT, "connections": LIST, "hw_version": TEXT, "identifiers": LIST, "manufacturer": TEXT,
    "model": TEXT, "model_id": TEXT, "name": TEXT, "serial_number": TEXT, "suggested_area": TEXT, "sw_version": TEXT,
    "via_device": TEXT,
}  # fmt: skip
"""A device with any other key is refused whole."""

STATE_CLASSES = {"measurement", "measurement_angle", "total", "total_increasing"}
CLASSES: Mapping[str, tuple[set[str | None], set[str]]] = {
    "apparent_power": ({"mVA", "VA", "kVA"}, {"measurement"}),
    "current": ({"A", "mA"}, {"measurement"}),
    "energy": ({"J", "kJ", "MJ", "GJ", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "cal", "kcal", "Mcal", "Gcal"},
               {"total", "total_increasing"}),
    "frequency": ({"Hz", "kHz", "MHz", "GHz"}, {"measurement"}),
    "power": ({"mW", "W", "kW", "MW", "GW", "TW"}, {"measurement"}),
    "power_factor": ({None, "%"}, {"measurement"}),
    "reactive_energy": ({"varh", "kvarh"}, {"total", "total_increasing"}),
    "reactive_power": ({"mvar", "var", "kvar"}, {"measurement"}),
    "voltage": ({"V", "mV", "µV", "kV", "MV"}, {"measurement"}),
}  # fmt: skip
TOPIC = re.compile(r"[^#+\0]{1,65535}")
DISCOVERY_TOPIC = re.compile(r"[^#+\0]+/sensor/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")


def faults(topic: str, payload: Mapping[str, Any]) -> Iterator[str]:
    """What Home Assistant would refuse, or drop, of one message."""
    if DISCOVERY_TOPIC.fullmatch(topic) is None:
        yield f"{topic} is no discovery topic of a sensor"
    yield from _of_kind(payload, SENSOR, "sensor")
    yield from _of_kind(payload.get("device", {}), DEVICE, "device")
    if not (payload.get("device", {}).get("identifiers") or payload.get("device", {}).get("connections")):
        yield "a device has identifiers or connections"
    if any(not isinstance(each, str) for each in payload.get("device", {}).get("identifiers", [])):
        yield "identifiers are text"
    for key in ("state_topic", "availability_topic"):
        if key in payload and TOPIC.fullmatch(str(payload[key])) is None:
            yield f"{key} is no topic"
    if "state_topic" not in payload:
        yield "a sensor has a state_topic"
    if "device" in payload and "unique_id" not in payload:
        yield "a sensor with a device has a unique_id"
    if "availability" in payload and "availability_topic" in payload:
        yield "availability is a topic or a list"
    if payload.get("entity_category") not in (None, "diagnostic"):
        yield "a sensor's entity_category can only be diagnostic"
    if payload.get("expire_after", 0) < 0 or payload.get("suggested_display_precision", 0) < 0:
        yield "expire_after and suggested_display_precision are not negative"
    if payload.get("state_class", "measurement") not in STATE_CLASSES:
        yield f"{payload['state_class']} is no state class"
    if re.fullmatch(r"\{\{.*\}\}", payload.get("value_template", "{{ value }}")) is None:
        yield "value_template is a template"
    yield from _of_class(payload)


def _of_kind(found: Mapping[str, Any], known: Mapping[str, type], what: str) -> Iterator[str]:
    for key, value in found.items():
        if key not in known:
            yield f"{what} has no {key}"
        elif type(value) is not known[key]:
            yield f"{what} {key} is {type(value).__name__}, it must be {known[key].__name__}"


def _of_class(payload: Mapping[str, Any]) -> Iterator[str]:
    device_class, unit = payload.get("device_class"), payload.get("unit_of_measurement")
    if device_class is None:
        return
    if device_class not in CLASSES:
        yield f"{device_class} is no device class of a meter's figures"
        return
    units, states = CLASSES[device_class]
    if unit not in units:
        yield f"{device_class} is not in {unit}"
    if payload.get("state_class") not in states | {None}:
        yield f"{device_class} is no {payload['state_class']}"
