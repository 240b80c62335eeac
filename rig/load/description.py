"""The simulated load as it is described: [simulation.load] of rig.toml, the words of --load, the bench's source.

What it comes to at a meter's terminals depends on the meter's form and class: rig/load/connected.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from rig.files.strict_toml import ConfigError, shown

Service = Literal[
    "4-wire wye", "4-wire delta", "3-wire network", "1-phase 3-wire", "3-wire delta", "1-phase 2-wire"
]  # fmt: skip
"""The names of rig/meter/measuring/elements.py, which a test compares."""

MOST_VOLTS, MOST_AMPS = 100_000, 100_000
"""Whatever the meter: its own range is checked where the load is connected."""

LEAST_HZ, MOST_HZ = 40, 70
"""A window of the gateware is then one cycle, of 420 samples at most (WINDOW_MAX, docs/registers.md)."""

USUAL_HZ = 60.0

BAND_HZ = 3000
"""The gateware's band, flat to 0.0002 dB (docs/gateware.md): power beyond it would be registered in part."""

MOST_ORDER = 50
PROFILE_FILE = ".csv"
"""Ends the name of a file, which tells it from the name of a shape."""

MOST_PHASES = 3


def _number(least: float, most: float, rule: str) -> msgspec.Meta:
    return msgspec.Meta(ge=least, le=most, extra={"rule": rule})


_Volts = Annotated[float, _number(0, MOST_VOLTS, f"volts r.m.s. from 0 to {MOST_VOLTS}")]
_Amps = Annotated[float, _number(0, MOST_AMPS, f"amperes r.m.s. from 0 to {MOST_AMPS}")]
_Volt3 = Annotated[list[_Volts], msgspec.Meta(min_length=1, max_length=MOST_PHASES)]
_Amp3 = Annotated[list[_Amps], msgspec.Meta(min_length=1, max_length=MOST_PHASES)]


_PROFILE = msgspec.Meta(
    min_length=1, max_length=4000, extra={"rule": 'a shape such as "house", or a file that ends in .csv'}
)


class Harmonic(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A harmonic of a wave: per cent of its fundamental, and the angle at which the fundamental's is 0."""

    order: Annotated[int, msgspec.Meta(ge=2, le=MOST_ORDER)]
    percent: Annotated[float, _number(0, 200, "per cent of the fundamental, 0 to 200")]
    angle_deg: Annotated[float, _number(-360, 360, "degrees, -360 to 360")] = 0.0


class LoadDescription(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A load: a scenario that changes by itself, or volts, amperes, power factor and what else it has.

    `service` left out is the meter's, `volts` the least that the service comes in, `amps` the test current of its
    class. One value is of each phase (of volts: that of A, the others' as the service has them), or there is one for
    each phase that the form measures. Harmonics are of each phase's wave.
    """

    scenario: Literal["lively", "solar", "alarms"] | None = None
    service: Service | None = None
    rotation: Literal["ABC", "CBA"] | None = None
    volts: _Volts | _Volt3 | None = None
    amps: _Amps | _Amp3 | None = None
    pf: Annotated[float, _number(0, 1, "a power factor from 0 to 1, its sense is of its own")] | None = None
    sense: Literal["lag", "lead"] | None = None
    received: bool = False
    hz: Annotated[float, _number(LEAST_HZ, MOST_HZ, f"a line frequency in Hz from {LEAST_HZ} to {MOST_HZ}")] | None = (
        None
    )
    volts_harmonics: list[Harmonic] = []
    amps_harmonics: list[Harmonic] = []
    profile: Annotated[str, _PROFILE] | None = None
    day_seconds: Annotated[float, _number(24, 86_400, "seconds that a day takes, 24 to 86400")] | None = None

    @property
    def steady(self) -> bool:
        """True if it stays as it is described; else it is a scenario, by default one by the meter."""
        return self.scenario is None and any(name not in OF_ANY for name in self.given)

    @property
    def given(self) -> list[str]:
        """Keys that say something; 0 says something."""
        values = msgspec.structs.asdict(self)
        return [name for name, value in values.items() if value is not None and value is not False and value != []]


OF_ANY = ("scenario", "service", "rotation", "hz")
"""Keys that describe no load by themselves."""

OF_A_SCENARIO = (*OF_ANY, "volts")
"""Keys that may stand beside a scenario; of volts then one value."""


def check(load: LoadDescription, place: str) -> None:
    """Refuse what contradicts itself. `place` stands before its keys in sentences. Raises ConfigError."""
    if load.scenario is not None:
        given = [name for name in load.given if name not in OF_A_SCENARIO]
        if given:
            raise ConfigError(
                f"{place}scenario is {shown(load.scenario)} and {given[0]} is given too: a scenario has its "
                "own currents; leave one of them out"
            )
        if isinstance(load.volts, list):
            raise ConfigError(f"{place}volts is a list, it must be one value beside a scenario, that of phase A")
    if load.sense is not None and load.pf is None:
        raise ConfigError(f"{place}sense is {shown(load.sense)} without pf: give both, as pf 0.8 and lag")
    if load.pf is not None and load.pf < 1 and load.sense is None:
        raise ConfigError(f"{place}pf is {load.pf:g} without its sense: give lag or lead")
    if load.day_seconds is not None and load.profile is None:
        raise ConfigError(f"{place}day_seconds is given without profile: of which day? give both")
    for key, harmonics in (("volts_harmonics", load.volts_harmonics), ("amps_harmonics", load.amps_harmonics)):
        orders = [harmonic.order for harmonic in harmonics]
        for order in orders:
            if orders.count(order) > 1:
                raise ConfigError(f"{place}{key} has order {order} twice: give each order once")
            if order * (hz := USUAL_HZ if load.hz is None else load.hz) > BAND_HZ:
                raise ConfigError(
                    f"{place}{key} has order {order}, which at {hz:g} Hz is beyond the {BAND_HZ} Hz that are measured: "
                    f"give orders up to {int(BAND_HZ / hz)}"
                )


def beside_file(load: LoadDescription, folder: Path) -> LoadDescription:
    """Give the load of a file in that folder: a profile's path is from there."""
    if load.profile is None or not load.profile.lower().endswith(PROFILE_FILE):
        return load
    return msgspec.structs.replace(load, profile=str(folder / load.profile))
