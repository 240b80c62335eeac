"""The simulated rig under test: virtual time, a load that can be changed, contacts moved to the ns."""

from __future__ import annotations

from drivers.sim.live_load import LiveLoad
from gateware.chain import Chain
from rig.bench.applied import Applied
from rig.bench.errors import NotFitted
from rig.hardware.components_file import components_of
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware, SwitchDriver
from rig.hardware.simulation import simulated_hardware, true_tick_hz


def simulated(
    config: Config, current_class: int, applied: Applied, begin_utc_ns: int
) -> tuple[Hardware, LiveSource, SwitchDriver]:
    """A rig, its source, which gives `applied` from the first tick on, and what moves its switches. Its wall clock
    begins at an instant."""
    load = LiveLoad(true_tick_hz(components_of(config, current_class), Chain()), applied.state)
    hardware, _, _ = simulated_hardware(config, current_class, load, begin_utc_ns=begin_utc_ns)
    if hardware.hands is None:
        raise NotFitted("nothing moves the switches of this simulated rig")
    return hardware, LiveSource(load), hardware.hands


class LiveSource:
    """Source whose load is at the meter's terminals within 0.05 s, as the modulators' bits are made some ahead, and
    within 0.15 s where a sensor has a curve (drivers/sim/sensed.py)."""

    def __init__(self, load: LiveLoad) -> None:
        self._load = load

    def __call__(self, applied: Applied) -> None:
        self._load.apply(applied.state)
