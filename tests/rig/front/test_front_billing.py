"""The front and billing, each told by the other: what hands on the switches come to (D-5, Q-5)."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

from hands import S

from rig.files.strict_toml import convert
from rig.meter.billing.billing import Billing
from rig.meter.billing.commands import Command
from rig.meter.billing.energy_interval import EnergyInterval
from rig.meter.billing.events import Cause, EndOfInterval, ResetRefused
from rig.meter.billing.quantity import NANO_PER_KILO, Quantity
from rig.meter.billing.source import Source
from rig.meter.front.front import Front, Overlay
from rig.meter.front.modes import Mode
from rig.meter.front.switches import Change, Switch
from rig.program import schema
from rig.program.build import build

PROGRAM = build(convert(tomllib.loads("[test_mode]\nminutes = 1\n[demand]\n"), schema.ProgramFile))
T0 = int(datetime(2026, 7, 6, 12, tzinfo=UTC).timestamp()) * S


class Bench:
    """One kWh flows each second; the front's time 0 is billing's T0."""

    def __init__(self) -> None:
        self.billing, _ = Billing.begin(PROGRAM.billing, T0)
        self.front = Front(PROGRAM.display, (), 0)
        self.causes: list[Cause] = []

    def until(self, seconds: int) -> Bench:
        while (now_ns := self.billing.now_ns) < T0 + seconds * S:
            self.take(self.billing.advance(EnergyInterval(now_ns, now_ns + S, 0, NANO_PER_KILO)))
            self.front.advance(self.billing.now_ns - T0, self.billing.test is not None)
        return self

    def take(self, events) -> None:
        for happening in events:
            match happening:
                case EndOfInterval(cause=cause):
                    self.causes.append(cause)
                    if cause is Cause.SWITCH:
                        self.front.reset_accepted(happening.utc_ns - T0)
                case ResetRefused():
                    self.front.reset_refused(happening.utc_ns - T0, happening.wait_s)

    def move(self, switch: Switch, operated: bool) -> Bench:
        """Now."""
        for action in self.front.change(Change(self.billing.now_ns - T0, switch, operated)):
            self.take(self.billing.command(Command(self.billing.now_ns, action, Source.FRONT)))
        self.front.advance(self.billing.now_ns - T0, self.billing.test is not None)
        return self

    def kwh(self) -> int:
        self.billing.settle()
        return self.billing.registers.energy(Quantity.KWH_DELIVERED) // NANO_PER_KILO


def test_resets_and_their_lockout():
    bench = Bench().until(10).move(Switch.RESET, True)
    assert (bench.billing.resets, bench.front.overlay) == (1, Overlay())
    bench.until(20).move(Switch.RESET, False).until(30).move(Switch.RESET, True)
    assert (bench.billing.resets, bench.front.overlay) == (1, Overlay(40))
    bench.move(Switch.RESET, False).until(70).move(Switch.RESET, True).until(500)
    assert bench.billing.resets == 2
    assert bench.kwh() == 500


def test_test_mode_by_the_switch_its_timer_and_the_switch_again():
    bench = Bench().until(10).move(Switch.COVER, True).move(Switch.TEST, True)
    assert bench.front.mode is Mode.TEST
    bench.until(71)
    assert (bench.front.mode, bench.billing.test) == (Mode.NORMAL, None), "a minute is over"
    bench.until(80).move(Switch.TEST, False).move(Switch.TEST, True).until(90)
    assert bench.front.mode is Mode.TEST
    bench.move(Switch.COVER, False)
    assert (bench.front.mode, bench.billing.test) == (Mode.NORMAL, None)
    assert bench.kwh() == 10 + 10
    assert bench.causes == [
        Cause.TEST_MODE_BEGIN, Cause.TEST_MODE_END, Cause.TEST_MODE_BEGIN, Cause.TEST_MODE_END,
    ]  # fmt: skip


def test_a_reset_in_test_mode_is_shown_and_bills_nothing():
    bench = Bench().until(10).move(Switch.COVER, True).move(Switch.TEST, True).until(15).move(Switch.RESET, True)
    assert (bench.front.overlay, bench.front.mode) == (Overlay(), Mode.TEST)
    assert bench.billing.resets == 0


def test_hands_on_the_display_bill_nothing():
    """The ways into every sequence, and energy by the second as if nobody had been there."""
    bench = Bench().until(5).move(Switch.COVER, True).move(Switch.SCROLL, True).until(12).move(Switch.TEST, True)
    assert bench.front.mode is Mode.GYRBOX
    bench.until(20).move(Switch.SCROLL, False).move(Switch.TEST, False).until(25).move(Switch.MAGNET, True).until(28)
    assert bench.front.mode is Mode.ALTERNATE
    bench.until(31).move(Switch.COVER, False)
    assert bench.front.mode is Mode.GYRBOX
    bench.move(Switch.MAGNET, False).until(40)
    untouched = Bench().until(40)
    bench.billing.settle()
    untouched.billing.settle()
    assert bench.billing.state == untouched.billing.state
