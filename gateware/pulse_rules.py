"""Rules of a pulse: by which a change of the contacts counts, or is illegal."""

from __future__ import annotations

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.registers import PULSE_PINS, Counter

KYZ = (Counter.KYZ1, Counter.KYZ2, Counter.KYZ3, Counter.KYZ4)
_RISING = ((Counter.LED, 0), (Counter.SPARE1, 9), (Counter.SPARE2, 10))


class PulseRules(wiring.Component):
    """Judges one change after another against the steady levels before it.

    LED and spare inputs: a rising edge is a pulse. KYZ: every change between "Y alone closed" and "Z alone closed", in
    either direction, as a three-wire KYZ output is counted. Which side was closed alone last is remembered (neither
    after reset), and at each change of the contacts:

    ==========  =========================  =========  ===================================================
    last alone  the contacts change to     counts as  then last alone is
    ==========  =========================  =========  ===================================================
    any         both open                  nothing    as before: break before make
    any         both closed                illegal    as before
    neither     Y alone, or Z alone        nothing    Y, or Z
    Y           Z alone                    pulse      Z
    Z           Y alone                    pulse      Y
    Y           Y alone, from both open    illegal    Y: a bounce, or a transition was missed
    Z           Z alone, from both open    illegal    Z: likewise
    Y, or Z     the same, from both closed nothing    the same: that was told of when both closed
    ==========  =========================  =========  ===================================================

    Of the `levels` those in `mask` changed and lasted; the others stay as they were. `pulse` and `illegal` have a bit a
    counter and hold while the change is in hand; `take` makes its levels the steady ones.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "levels": In(PULSE_PINS),
                "mask": In(PULSE_PINS),
                "take": In(1),
                "pulse": Out(len(Counter)),
                "illegal": Out(1 + len(KYZ)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        steady, after = Signal(PULSE_PINS), Signal(PULSE_PINS)
        m.d.comb += after.eq((self.mask & self.levels) | (~self.mask & steady))
        with m.If(self.take):
            m.d.sync += steady.eq(after)
        for counter, pin in _RISING:
            m.d.comb += self.pulse[counter].eq(after[pin] & ~steady[pin])
        for counter in KYZ:
            pin = 2 * counter - 1
            y, z = after[pin], after[pin + 1]
            were_open, were_both = ~steady[pin : pin + 2].any(), steady[pin : pin + 2].all()
            last_y, last_z = Signal(name=f"last_y_{counter}"), Signal(name=f"last_z_{counter}")
            m.d.comb += [
                self.pulse[counter].eq((y & ~z & last_z) | (z & ~y & last_y)),
                self.illegal[counter].eq((y & z & ~were_both) | (were_open & ((y & last_y) | (z & last_z)))),
            ]
            with m.If(self.take & (y ^ z)):
                m.d.sync += [last_y.eq(y), last_z.eq(z)]
        return m
