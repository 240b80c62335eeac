"""Self-test of the outputs: each is made to pulse, and the FPGA's counters give what came back on which input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress

from gpiozero import OutputDevice
from gpiozero.pins import Factory

from drivers.clock import Clock
from drivers.counters import PulseCounters, Pulses
from drivers.errors import DriverError
from drivers.pin_pair import open_pair
from drivers.pins import claimed
from drivers.spi_link import SpiLink
from gateware.registers import Capability, Counter
from rig.hardware.config import HardwareConfig
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId
from rig.selftest.part import Part

PULSES = 6
HOLD_NS = 40_000_000
"""Of a contact: a relay takes 5 ms to close, an opto-FET one; bounce is over in this time."""

FILTER_TICKS = 6_600
"""2 ms: shorter than any dwell, longer than an opto-FET's bounce."""

STAMP_S = 0.02
"""The stamps of the first and the last pulse are so far from what was made at most: a host that was busy."""

COUNTERS = {
    OutputId.TEST_LED: Counter.LED,
    OutputId.KYZ1: Counter.KYZ1,
    OutputId.KYZ2: Counter.KYZ2,
    OutputId.KYZ3: Counter.KYZ3,
    OutputId.KYZ4: Counter.KYZ4,
}


def outputs(link: SpiLink, pins: Factory, clock: Clock, wired: HardwareConfig) -> list[Part]:
    """Test each output; the contacts are open before, between and after."""
    if Capability.PULSE_COUNTERS not in link.identity.capabilities:
        why = "not tested: this build has no pulse counters, so nothing that the output does is seen"
        return [Part(output.label, None, why) for output in COUNTERS]
    counters = PulseCounters(link)
    try:
        return [_output(output, counters, pins, clock, wired) for output in COUNTERS]
    finally:
        with suppress(DriverError):  # each output has failed already, if the board is gone
            counters.set_filter(0)
            counters.clear()


def _output(output: OutputId, counters: PulseCounters, pins: Factory, clock: Clock, wired: HardwareConfig) -> Part:
    try:
        with ExitStack() as closing:
            wire = _led if output is OutputId.TEST_LED else _contacts
            seen, length_s = _pulsed(output, wire(output, pins, wired, closing), counters, clock)
    except DriverError as error:
        return Part(output.label, False, str(error))
    return judged(output, seen, length_s)


def _pulsed(
    output: OutputId, move: Callable[[bool], None], counters: PulseCounters, clock: Clock
) -> tuple[dict[Counter, Pulses], float]:
    """Make PULSES pulses; gives what all counters have of them, and the seconds from the first to the last."""
    counters.set_filter(FILTER_TICKS)
    move(False)
    _wait(clock)
    counters.clear()
    counters.open()
    begin_ns = clock.now_ns()
    for _ in range(PULSES):
        move(True)
        _wait(clock)
        if output is OutputId.TEST_LED:
            move(False)
            _wait(clock)
    length_s = (clock.now_ns() - begin_ns) / 1e9 * (PULSES - 1) / PULSES
    counters.close()
    return {each.counter: each for each in counters.read()}, length_s


def judged(output: OutputId, seen: Mapping[Counter, Pulses], length_s: float) -> Part:
    """Give the verdict on what the counters have of PULSES pulses, the last `length_s` after the first."""
    own = seen[COUNTERS[output]]
    name, made = output.label, f"{PULSES} pulses were made"
    others = [each for each in seen.values() if each is not own and (each.pulses or each.illegal)]
    if others:
        found = ", ".join(f"{each.pulses + each.illegal} at {each.counter.name}" for each in others)
        return Part(name, False, f"{made}, {own.pulses} came to its own counter, {found}: inputs are swapped, or touch")
    if own.illegal:
        return Part(name, False, f"{made}, {own.pulses} were counted and {own.illegal} out of order: {_loose(output)}")
    if not own.pulses:
        return Part(name, False, f"{made} and none was counted: {_dead(output)}")
    if own.pulses != PULSES:
        return Part(name, False, f"{made} and {own.pulses} were counted: {_loose(output)}")
    assert own.first_tick is not None
    assert own.last_tick is not None
    found_s = float(((own.last_tick - own.first_tick) % (1 << 48)) / own.tick_hz)
    if abs(found_s - length_s) > STAMP_S:
        return Part(name, False, f"its pulses are stamped over {found_s:.3f} s and were made over {length_s:.3f} s")
    return Part(name, True, f"{PULSES} pulses were made and counted, the last {found_s:.3f} s after the first")


def _dead(output: OutputId) -> str:
    if output is OutputId.TEST_LED:
        return "the LED does not light or does not go out, or its loop-back is not connected"
    return "neither contact closes, or the loop-back of its contacts is not connected"


def _loose(output: OutputId) -> str:
    if output is OutputId.TEST_LED:
        return "its wire is loose, or picks up noise"
    return "one contact does not close or does not open, a wire is loose, or picks up noise"


def _led(output: OutputId, pins: Factory, wired: HardwareConfig, closing: ExitStack) -> Callable[[bool], None]:
    lamp = claimed("test LED", wired.led_pin, lambda: OutputDevice(wired.led_pin, pin_factory=pins))
    closing.callback(lamp.close)
    return lambda lit: lamp.on() if lit else lamp.off()


def _contacts(output: OutputId, pins: Factory, wired: HardwareConfig, closing: ExitStack) -> Callable[[bool], None]:
    """Close K–Z for False; True changes over."""
    names = f"{output.label}, contact K-Y,", f"{output.label}, contact K-Z,"
    pair = open_pair(names, wired.contacts(output), pins)
    closing.callback(pair.close)
    on_y = False

    def move(over: bool) -> None:
        nonlocal on_y
        on_y = over and not on_y
        pair.write(on_y, not on_y)

    return move


def _wait(clock: Clock) -> None:
    clock.wait_until(clock.now_ns() + HOLD_NS)


assert set(COUNTERS) == {OutputId.TEST_LED, *KYZ_OUTPUTS}
