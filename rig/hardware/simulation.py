"""The simulated rig: source, sensors, modulators, board, pins and time, put together as the configuration says."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from calibration.constants import FULL_SCALE_CODES, Calibration, ChannelConstants
from drivers.sim.board import SimulatedBoard
from drivers.sim.built import sensors_built_of
from drivers.sim.clock import BoardClock
from drivers.sim.components import Components
from drivers.sim.frontend import FrontEnd
from drivers.sim.hands import Hands
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from drivers.sim.playing import played
from drivers.sim.sensors import Sensor, ideal_sensors, typical_sensors
from drivers.sim.source import SignalSource
from drivers.spi_link import SpiLink
from gateware.chain import Chain
from rig.hardware.components_file import components_of
from rig.hardware.config import Config
from rig.hardware.hardware import Hardware, calibration_of
from rig.load.connected import MeteringPoint, connected
from rig.meter.contacts.outputs import KYZ_OUTPUTS

GAIN_DIGITS = 12
"""Significant digits of the known constants: their rounding is far below any figure shown."""

DEFINED_ON = "2026-11-22"
"""When the simulated sensors got their constants: the date of their calibration."""


def sensors_of(config: Config, current_class: int, chain: Chain) -> tuple[Sensor, ...]:
    """The six sensors that the configuration asks for."""
    if components := components_of(config, current_class):
        return sensors_built_of(components, current_class)
    if config.simulation.sensors == "ideal":
        return ideal_sensors(current_class)
    return typical_sensors(current_class, chain.tick_hz)


def true_tick_hz(components: Components | None, chain: Chain) -> Fraction:
    """The modulators' clock in truth, which a meter takes for chain.tick_hz; a source's grid is of this one."""
    return chain.tick_hz if components is None else components.true_hz(chain.tick_hz)


def known_constants(sensors: Sequence[Sensor], tick_hz: Fraction) -> Calibration:
    """The constants that undo these sensors: what a perfect calibration would find.

    Channels wait, in whole modulator ticks, for the one whose sensor is latest.
    """
    late = [round(s.delay_s * tick_hz) for s in sensors]
    channels = tuple(
        ChannelConstants(
            gain=Fraction(f"{1 / (s.gain * FULL_SCALE_CODES):.{GAIN_DIGITS - 1}e}"),
            delay_ticks=max(late) - ticks,
            offset_codes=Fraction(f"{s.offset * s.gain * FULL_SCALE_CODES:.{GAIN_DIGITS - 1}e}"),
        )
        for s, ticks in zip(sensors, late, strict=True)
    )
    return Calibration(
        channels,
        identity="simulated front end",
        date=DEFINED_ON,
        calibrated=True,
        source="known by construction",
    )


def simulated_hardware(
    config: Config,
    current_class: int,
    source: SignalSource,
    *,
    begin_utc_ns: int | None = None,
    chain: Chain | None = None,
) -> tuple[Hardware, SimulatedBoard, FrontEnd]:
    """A simulated rig fed by `source`, whose wall clock begins at `begin_utc_ns`; None: now. `chain` is of another
    build of its gateware."""
    chain = chain or Chain()
    sensors, components = sensors_of(config, current_class, chain), components_of(config, current_class)
    jitter_s = 0.0 if components is None else components.jitter_s
    front_end = FrontEnd(source, sensors, true_tick_hz(components, chain), config.simulation.seed, jitter_s)
    board = SimulatedBoard(chain, front_end, config.simulation.fidelity)
    pins_time = VirtualClock()
    clock = BoardClock(board, pins_time, begin_utc_ns)
    if config.meter.calibration or components is not None:  # what components make of it, nobody knows
        calibration = calibration_of(config, current_class, begin_utc_ns)
    else:
        calibration = known_constants(sensors, chain.tick_hz)
    pins = VirtualClockMockFactory(pins_time)
    wired = [config.hardware.led_pin, *(pin for output in KYZ_OUTPUTS for pin in config.hardware.contacts(output))]
    looped = [pins.pin(number) for number in wired]
    board.contacts = lambda: sum(bool(pin.state) << bit for bit, pin in enumerate(looped))  # to the pulse counters
    inputs = {each.value: pin for each, pin in config.hardware.inputs.items()}
    clock.hands = hands = Hands(config.hardware.switches | inputs, pins, config.simulation.seed)
    given = begin_utc_ns is not None
    hardware = Hardware(SpiLink(board), pins, clock, calibration, config.simulation.fidelity, hands, time_given=given)
    return hardware, board, front_end


def loaded_board(config: Config, point: MeteringPoint) -> tuple[Hardware, SimulatedBoard]:
    """The simulated rig with the load that the configuration describes, and its board. Raises ConfigError."""
    course = connected(config.simulation.load, point).course
    source = played(true_tick_hz(components_of(config, point.current_class), Chain()), course)
    hardware, board, _ = simulated_hardware(config, point.current_class, source)
    return hardware, board


def loaded(config: Config, point: MeteringPoint) -> Hardware:
    """The simulated rig with the load that the configuration describes, in this process and as fast as it can. Raises
    ConfigError."""
    return loaded_board(config, point)[0]
