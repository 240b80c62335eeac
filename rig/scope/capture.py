"""`rig scope`: a waveform from the rig's capture memory, in volts and amperes."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import msgspec

from calibration.constants import Calibration
from drivers.capture import EventBegins, Level, Trigger, Waveform, WaveformCapture
from gateware.registers import TICK_BITS, Channel, EventKind
from rig.errors import RigError
from rig.hardware.hardware import Hardware
from rig.results.provenance import Provenance

NOMINAL_HZ = 60
"""What `--cycles` counts: cycles of this frequency."""

BEFORE_SHARE = Fraction(1, 4)
"""Of what is captured around a trigger, the part before it."""

SETTLING_S = 0.01
"""After a change of the bit delays the filters hold only new bits: they span 5 ms."""

ZERO_SHARE = 0.05
"""Of its peak, how far a voltage must have been below zero for its next crossing to count."""

_KINDS = {kind.name.lower().replace("_", "-"): kind for kind in EventKind}
_LEVELS = {EventKind.SAG: "SAG_LEVEL", EventKind.SWELL: "SWELL_LEVEL", EventKind.LOSS: "LOSS_LEVEL"}
_CHANNEL_TRIGGER = re.compile(r"([vi][123]):(rising|falling):(-?\d+(?:\.\d+)?)([VA])")
_EVENT_TRIGGER = re.compile(r"event:([a-z-]+)(?::(\d+(?:\.\d+)?)V)?")
_TRIGGERS = "now, v1:rising:0V, i2:falling:-3.5A, event:sag:96V or event:overload"


class ScopeError(RigError):
    """A waveform that cannot be had as asked: one sentence with what would be right."""


@dataclass(frozen=True)
class CaptureRequest:
    """Request for a capture: a channel's crossing of `level` volts or amperes, or an event, its level being volts rms
    of a sine; nothing of these: now."""

    channel: Channel | None = None
    falling: bool = False
    event: EventKind | None = None
    level: Fraction | None = None


class Trace(msgspec.Struct, frozen=True):
    """One channel: figures and samples in `unit`."""

    unit: str
    rms: float
    peak: float
    mean: float
    frequency_hz: float | None
    samples: list[float]


class Scope(msgspec.Struct, frozen=True):
    """A captured waveform. Sample k was taken at the pins (k − trigger_index) / sample_hz after the trigger."""

    simulated: bool
    calibrated: bool
    fidelity: str
    trigger: str
    trigger_index: int
    trigger_tick: int
    age_s: float
    sample_hz: float
    frequency_hz: float | None
    channels: dict[str, Trace]
    calibration: str
    build: str
    provenance: Provenance


def parse_trigger(text: str) -> CaptureRequest:
    """Parse what `--trigger` says; ScopeError when it is none of the forms."""
    if text == "now":
        return CaptureRequest()
    if match := _CHANNEL_TRIGGER.fullmatch(text):
        name, slope, level, unit = match.groups()
        if (unit == "V") == (name[0] == "v"):
            return CaptureRequest(Channel[name.upper()], slope == "falling", level=Fraction(level))
    if (match := _EVENT_TRIGGER.fullmatch(text)) and match[1] in _KINDS:
        kind = _KINDS[match[1]]
        if kind in _LEVELS and match[2] is None:
            raise ScopeError(f"--trigger {text} needs the level in volts rms, such as event:{match[1]}:96V")
        if (kind in _LEVELS) == (match[2] is not None):
            return CaptureRequest(event=kind, level=None if match[2] is None else Fraction(match[2]))
    raise ScopeError(f'--trigger is "{text}", it must be such as {_TRIGGERS}')


def capture(
    hardware: Hardware,
    trigger: str,
    seconds: float,
    wait_s: float,
    vt_ratio: Fraction = Fraction(1),
    ct_ratio: Fraction = Fraction(1),
    *,
    provenance: Provenance,
) -> Scope | None:
    """Capture `seconds` around the trigger; None if it does not come within `wait_s` of the rig's time.

    The configuration registers it sets are put back. Ratios multiply volts and amperes, levels of the trigger
    included, to the primary side. Raises ScopeError, drivers.capture.CaptureError and LinkError.
    """
    wanted = parse_trigger(trigger)
    link, calibration = hardware.link, hardware.calibration

    def pass_time(duration_s: float) -> None:
        hardware.clock.wait_until(hardware.clock.now_ns() + math.ceil(duration_s * 1e9))

    memory = WaveformCapture(link, pass_time)
    count = max(1, round(seconds * link.identity.tick_hz / link.identity.ticks_per_sample))
    ratios = [vt_ratio if c < Channel.I1 else ct_ratio for c in Channel]
    settings = {
        f"DELAY_{c.name}": constants.delay_ticks for c, constants in zip(Channel, calibration.channels, strict=True)
    }
    source = _source(wanted, calibration, ratios)
    if wanted.event in _LEVELS:
        settings[_LEVELS[wanted.event]] = _event_level(wanted, calibration, vt_ratio)
    before = link.configuration()
    try:
        for name, value in settings.items():
            if before[name] != value:
                link.write(name, value)
        pass_time(SETTLING_S)
        if source is None:
            waveform: Waveform | None = memory.now(count)
        else:
            ahead = int(count * BEFORE_SHARE)
            memory.arm(source, ahead, max(1, count - 1 - ahead))
            waveform = memory.wait(wait_s)
    finally:
        for name in settings:
            if link.read(name)[0] != before[name]:
                link.write(name, before[name])
    return None if waveform is None else _result(waveform, trigger, hardware, ratios, provenance)


def _source(wanted: CaptureRequest, calibration: Calibration, ratios: Sequence[Fraction]) -> Trigger | None:
    if wanted.event is not None:
        return EventBegins((wanted.event,))
    if wanted.channel is None or wanted.level is None:
        return None
    constants = calibration.channels[wanted.channel]
    code = wanted.level / ratios[wanted.channel] / constants.gain + constants.offset_codes
    return Level(wanted.channel, round(code), wanted.falling)


def _event_level(wanted: CaptureRequest, calibration: Calibration, vt_ratio: Fraction) -> int:
    """Sample codes of a sine's crest. One register serves three voltages, whose gains differ by tenths of a percent."""
    assert wanted.level is not None
    code = round(math.sqrt(2) * float(wanted.level / vt_ratio / calibration.channels[Channel.V1].gain))
    if not 0 < code < 1 << 19:
        raise ScopeError(f"an event's level of {float(wanted.level):g} V rms is not within the range of the voltages")
    return code


def _result(
    waveform: Waveform, trigger: str, hardware: Hardware, ratios: Sequence[Fraction], provenance: Provenance
) -> Scope:
    calibration, rate = hardware.calibration, float(waveform.sample_hz)
    columns = []
    for c, constants in zip(Channel, calibration.channels, strict=True):
        scale, offset = float(constants.gain * ratios[c]), float(constants.offset_codes)
        columns.append([(codes[c] - offset) * scale for codes in waveform.codes])
    reference = next((cycles for column in columns[:3] if (cycles := whole_cycles(column)) is not None), None)
    index = waveform.trigger or 0
    return Scope(
        simulated=hardware.simulated,
        calibrated=calibration.calibrated,
        fidelity=hardware.fidelity,
        trigger=trigger,
        trigger_index=index,
        trigger_tick=waveform.ticks[index],
        age_s=(hardware.link.ticks() - waveform.ticks[index]) % (1 << TICK_BITS) / float(waveform.tick_hz),
        sample_hz=rate,
        frequency_hz=None if reference is None else reference.frequency * rate,
        channels={c.name.lower(): _trace("V" if c < Channel.I1 else "A", columns[c], rate, reference) for c in Channel},
        calibration=calibration.digest,
        build=f"{hardware.link.identity.build:08x}",
        provenance=provenance,
    )


@dataclass(frozen=True)
class Cycles:
    """So many whole cycles, from one positive zero crossing to another, in samples and fractions of them."""

    begin: float
    end: float
    number: int

    @property
    def frequency(self) -> float:
        """Cycles a sample."""
        return self.number / (self.end - self.begin)


def whole_cycles(samples: Sequence[float]) -> Cycles | None:
    """The most there are; None without two crossings."""
    enough = -ZERO_SHARE * max(map(abs, samples))
    crossings = []
    was_below = False
    for k in range(1, len(samples)):
        before, after = samples[k - 1], samples[k]
        was_below = was_below or before < enough
        if was_below and before < 0 <= after:
            crossings.append(k - 1 + before / (before - after))
            was_below = False
    return Cycles(crossings[0], crossings[-1], len(crossings) - 1) if len(crossings) > 1 else None


def _trace(unit: str, samples: list[float], rate: float, reference: Cycles | None) -> Trace:
    """Figures over the reference's whole cycles, the samples at their ends by the part within; else over all."""
    begin, end = (reference.begin, reference.end) if reference else (-0.5, len(samples) - 0.5)
    own = whole_cycles(samples)
    weights = [max(0.0, min(k + 0.5, end) - max(k - 0.5, begin)) for k in range(len(samples))]
    total = sum(weights)
    mean = sum(w * x for w, x in zip(weights, samples, strict=True)) / total
    square = sum(w * (x - mean) ** 2 for w, x in zip(weights, samples, strict=True)) / total
    frequency = None if own is None else own.frequency * rate
    return Trace(unit, math.sqrt(square), max(map(abs, samples)), mean, frequency, samples)
