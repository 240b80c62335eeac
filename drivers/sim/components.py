"""Components of a front end with their tolerances, as data: what a meter of a lot is made of before calibration.

A channel is a divider, a shunt or a transformer, and a modulator with its reference:

    part             differs from the design by                                     keys
    divider, shunt   its ratio, and with temperature                                ratio_percent, ppm_per_k
    transformer      its ratio and phase, each by a curve against the current       ratio_percent, lag_deg, curve
    modulator        gain, offset, noise from 0 to 3.2 kHz                          modulator_percent, offset_percent,
                                                                                    noise_db
    reference        drift with time, noise below 5 Hz                              drift_ppm_per_hour, unsteady_percent
    connections      polarity, another phase's transformer, none at all             reversed, terminal, dead

and the board has a crystal, whose error moves all ticks, its jitter, and a temperature. Phases are degrees at 60 Hz,
and delays in truth: twice as many at 120 Hz. Lots are even distributions between the tolerances below. Nothing of the
simulation is loaded here: drivers/sim/built.py makes sensors of it.
"""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Annotated, Literal

import msgspec

PHASES_HZ = 60.0
"""The frequency that degrees are of."""

REFERENCE_C = 23.0
"""The temperature at which a part is as its ratio says, °C (IEC 62053-22, 8.5)."""

DIVIDER_PERCENT = 3.0
SHUNT_PERCENT = 1.0
TRANSFORMER_PERCENT = 0.5
TRANSFORMER_DEG = 0.3
MODULATOR_PERCENT = 0.3
OFFSET_PERCENT = 0.05
CRYSTAL_PPM = 30.0
"""Tolerances of a lot, to either side: of parts as they are bought."""

_COEFFICIENTS_PPM = {"divider": 25.0, "shunt": 20.0, "transformer": 5.0}
_NOISE_DB = (-100.0, -95.0)
_DRIFT_PPM_PER_HOUR = 0.5
_JITTER_S = 50e-12
_CURVE = (0.0005, 0.01, 0.05, 0.25, 1.0)
"""Shares of the class current at which a transformer's errors are given."""

Channel = Literal["v1", "v2", "v3", "i1", "i2", "i3"]
CHANNELS: tuple[Channel, ...] = ("v1", "v2", "v3", "i1", "i2", "i3")

Currents = Literal["transformers", "shunts"]
Fault = Literal["none", "dead channel", "swapped transformers", "wrong ratio", "reversed polarity", "noisy reference"]
FAULTS: tuple[Fault, ...] = (
    "none", "dead channel", "swapped transformers", "wrong ratio", "reversed polarity", "noisy reference",
)  # fmt: skip
"""What may be wrong with a unit on purpose."""


def _within(least: float, most: float) -> object:
    return msgspec.Meta(ge=least, le=most)


_Percent = Annotated[float, _within(-99.0, 1000.0)]
_Degrees = Annotated[float, _within(-30.0, 30.0)]


class CurrentError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transformer's errors at a current, in addition to those it has always."""

    amperes: Annotated[float, msgspec.Meta(gt=0, le=1e5)]
    ratio_percent: _Percent = 0.0
    lag_deg: _Degrees = 0.0


class ChannelParts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parts of one channel; all at 0 they are as designed, with a noise of −100 dB below a full-scale sine."""

    ratio_percent: _Percent = 0.0
    lag_deg: _Degrees = 0.0
    curve: tuple[CurrentError, ...] = ()
    ppm_per_k: Annotated[float, _within(-1e4, 1e4)] = 0.0
    modulator_percent: _Percent = 0.0
    offset_percent: Annotated[float, _within(-50.0, 50.0)] = 0.0
    noise_db: Annotated[float, _within(-200.0, 0.0)] = -100.0
    drift_ppm_per_hour: Annotated[float, _within(-1e5, 1e5)] = 0.0
    unsteady_percent: Annotated[float, _within(0.0, 50.0)] = 0.0
    reversed: bool = False
    terminal: Channel | None = None
    dead: bool = False


class Components(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Components of one meter's front end and board; `identity` names it, as its calibration must."""

    identity: Annotated[str, msgspec.Meta(min_length=1, max_length=80)] = "as designed"
    v1: ChannelParts = ChannelParts()
    v2: ChannelParts = ChannelParts()
    v3: ChannelParts = ChannelParts()
    i1: ChannelParts = ChannelParts()
    i2: ChannelParts = ChannelParts()
    i3: ChannelParts = ChannelParts()
    crystal_ppm: Annotated[float, _within(-1e4, 1e4)] = 0.0
    jitter_ps: Annotated[float, _within(0.0, 1e5)] = 0.0
    temperature_c: Annotated[float, _within(-60.0, 150.0)] = REFERENCE_C

    @property
    def channels(self) -> tuple[ChannelParts, ...]:
        """By channel."""
        return self.v1, self.v2, self.v3, self.i1, self.i2, self.i3

    @property
    def jitter_s(self) -> float:
        """Jitter of the modulators' clock, seconds r.m.s."""
        return self.jitter_ps * 1e-12

    def true_hz(self, nominal_hz: Fraction) -> Fraction:
        """The rate at which a clock of this crystal goes in truth, to 0.01 ppm: recordings are played in exact time,
        whose fractions must stay short (drivers/sim/interpolate.py)."""
        return nominal_hz * (1 + round(Fraction(self.crystal_ppm), 2) / 1_000_000)


def meter_of_lot(
    seed: int, number: int, current_class: int, currents: Currents = "transformers", fault: Fault = "none"
) -> Components:
    """Meter `number` of the lot of a seed, for a current class, with something wrong with it on purpose or nothing.

    The same on every machine; a faulty one is otherwise as the good one of its number.
    """
    dice = random.Random(f"{seed}/{number}/{currents}")
    volts = [_parts(dice, "divider", DIVIDER_PERCENT) for _ in range(3)]
    if currents == "shunts":
        loads = [_parts(dice, "shunt", SHUNT_PERCENT) for _ in range(3)]
    else:
        loads = [_transformer(dice, current_class) for _ in range(3)]
    channels = dict(zip(CHANNELS, volts + loads, strict=True))
    crystal = _even(dice, CRYSTAL_PPM)
    identity = f"lot {seed}, meter {number}, {currents}"
    if fault != "none":
        channels |= _faulty(fault, channels, dice)
        identity += f", {fault}"
    return Components(identity, **channels, crystal_ppm=crystal, jitter_ps=_JITTER_S * 1e12)  # type: ignore[arg-type]


def _even(dice: random.Random, most: float) -> float:
    return round(dice.uniform(-most, most), 6)


def _parts(dice: random.Random, kind: str, percent: float) -> ChannelParts:
    return ChannelParts(
        ratio_percent=_even(dice, percent),
        ppm_per_k=_even(dice, _COEFFICIENTS_PPM[kind]),
        modulator_percent=_even(dice, MODULATOR_PERCENT),
        offset_percent=_even(dice, OFFSET_PERCENT),
        noise_db=round(dice.uniform(*_NOISE_DB), 3),
        drift_ppm_per_hour=_even(dice, _DRIFT_PPM_PER_HOUR),
    )


def _transformer(dice: random.Random, amperes: int) -> ChannelParts:
    """A transformer leads by up to TRANSFORMER_DEG; the less the current the less its core magnetises, and the more it
    leads and the less it gives: the shape of IEC 61869-2's limits, at a size of its own."""
    parts = _parts(dice, "transformer", TRANSFORMER_PERCENT)
    lead, more_lead, less = dice.uniform(0.1, 0.8), dice.uniform(0.05, 0.2), dice.uniform(0.05, 0.3)
    shares = [(-math.log10(share) / -math.log10(_CURVE[0])) ** 1.5 for share in _CURVE]
    curve = tuple(
        CurrentError(round(amperes * share, 9), round(-less * small, 6), round(-TRANSFORMER_DEG * more_lead * small, 6))
        for share, small in zip(_CURVE, shares, strict=True)
    )
    return msgspec.structs.replace(parts, lag_deg=round(-TRANSFORMER_DEG * lead, 6), curve=curve)


def _faulty(fault: Fault, parts: dict[Channel, ChannelParts], dice: random.Random) -> dict[Channel, ChannelParts]:
    """Channels that replace a good unit's."""
    name = dice.choice(CHANNELS if fault in ("dead channel", "noisy reference") else CHANNELS[3:])
    changed = msgspec.structs.replace
    match fault:
        case "dead channel":
            return {name: changed(parts[name], dead=True)}
        case "swapped transformers":
            other = dice.choice([each for each in CHANNELS[3:] if each != name])
            return {name: changed(parts[name], terminal=other), other: changed(parts[other], terminal=name)}
        case "wrong ratio":
            percent = dice.choice((-50.0, 100.0))  # a transformer of half or twice the turns
            return {name: changed(parts[name], ratio_percent=percent)}
        case "reversed polarity":
            return {name: changed(parts[name], reversed=True)}
        case _:
            return {name: changed(parts[name], unsteady_percent=0.5)}
