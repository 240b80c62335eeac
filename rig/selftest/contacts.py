"""Self-test of switches and pulse inputs: each is found open; where something can close it, it is seen to close."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from gpiozero import OutputDevice
from gpiozero.pins import Factory

from drivers.clock import Clock
from drivers.errors import DriverError
from drivers.pins import claimed
from drivers.switches import SwitchInput
from rig.hardware.config import Config
from rig.hardware.hardware import SwitchDriver
from rig.selftest.part import Part

SETTLED_NS = 100_000_000
"""After a contact was moved: bounce is over within 20 ms, an actuator within 50."""

Move = Callable[[bool], None]


def contacts(config: Config, pins: Factory, clock: Clock, hands: SwitchDriver | None) -> list[Part]:
    """Test the front's switches and the pulse inputs, by simulated hands, by actuators, or by looking alone."""
    wired = config.hardware.switches | {each.value: pin for each, pin in config.hardware.inputs.items()}
    with ExitStack() as closing:
        opened: dict[str, SwitchInput | DriverError] = {}
        for name, pin in wired.items():
            try:
                opened[name] = SwitchInput(name, pin, pins=pins)
            except DriverError as error:
                opened[name] = error
        for contact in opened.values():
            if isinstance(contact, SwitchInput):
                closing.callback(contact.close)
        parts = []
        for name, contact in opened.items():
            if isinstance(contact, DriverError):
                parts.append(Part(name, False, str(contact)))
                continue
            try:
                move = _mover(name, config, pins, clock, hands, closing)
            except DriverError as error:
                parts.append(Part(name, False, str(error)))
                continue
            others = {each: other for each, other in opened.items() if each != name and isinstance(other, SwitchInput)}
            parts.append(_contact(name, contact, others, move, clock))
    return parts


def _mover(
    name: str, config: Config, pins: Factory, clock: Clock, hands: SwitchDriver | None, closing: ExitStack
) -> Move | None:
    if hands is not None:
        return lambda closed: (hands.operate if closed else hands.let_go)(name, clock.now_ns())
    pin = config.bench.actuators.get(name)
    if pin is None:
        return None
    what = f"actuator of {name}"
    actuator = claimed(what, pin, lambda: OutputDevice(pin, pin_factory=pins))
    closing.callback(actuator.close)
    return lambda closed: actuator.on() if closed else actuator.off()


def _contact(name: str, contact: SwitchInput, others: dict[str, SwitchInput], move: Move | None, clock: Clock) -> Part:
    if contact.is_active:
        return Part(name, False, "found closed: release it, or see whether its wire touches ground")
    if move is None:
        return Part(name, None, "found open; not closed, as it has no actuator: rig run shows it when you press it")
    found = {other for other, each in others.items() if each.is_active}
    move(True)
    _wait(clock)
    closed = contact.is_active
    strangers = sorted({other for other, each in others.items() if each.is_active} - found)
    move(False)
    _wait(clock)
    if strangers:
        return Part(name, False, f"{', '.join(strangers)} closed with it: pins are swapped, or wires touch")
    if not closed:
        return Part(name, False, "was closed, and its pin did not see it: see to its wire and its pin in rig.toml")
    if contact.is_active:
        return Part(name, False, "was opened again, and its pin is still closed: it sticks")
    return Part(name, True, "seen open, closed, and open again")


def _wait(clock: Clock) -> None:
    clock.wait_until(clock.now_ns() + SETTLED_NS)
