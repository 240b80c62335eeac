"""The words of the bench's language that fail a test, each on the instrument that answers with data."""

from __future__ import annotations

from rig.bench.counter import CounterInstrument, CountResult
from rig.bench.display import DisplayInstrument
from rig.bench.expectation import ExpectationResult, S
from rig.bench.relay import RelayInstrument
from rig.meter.billing.quantity import NANO
from rig.pytest_plugin.failures import BenchFailure


class DisplayWords(DisplayInstrument):
    """The meter's display, in a test."""

    def expect(self, *lit: str, within: float | None = None, **expected: str) -> float:
        """Expect it within so many seconds of the last action, or now; returns after how many it came.

        `lit`: annunciators, such as "ALT". Also `text`, `unit`, `item`, `mode`; `dark`, an annunciator that is not lit.
        In `text` * stands for anything, ? for one character; "all segments" is their check.
        """
        __tracebackhide__ = True
        return _came(self.await_shown(*lit, within_s=within, **expected))

    def keeps(self, *lit: str, seconds: float, **expected: str) -> None:
        """Run the rig for so long, and expect it all the time."""
        __tracebackhide__ = True
        _held(self.watch_shown(*lit, for_s=seconds, **expected))


class RelayWords(RelayInstrument):
    """The contacts of an output, in a test."""

    def expect(self, closed: str, within: float | None = None) -> float:
        """Expect "K-Y", "K-Z" or "open" within seconds of the last action, or now; returns after how many it came."""
        __tracebackhide__ = True
        return _came(self.await_closed(closed, within))

    def keeps(self, closed: str, seconds: float) -> None:
        """Run the rig for so long, and expect it all the time."""
        __tracebackhide__ = True
        _held(self.watch_closed(closed, seconds))


class CounterWords(CounterInstrument):
    """A counter, in a test."""

    def rate(self) -> float:
        """Pulses a second, from the first to the last; fails where there are not two."""
        __tracebackhide__ = True
        found = self.read()
        if found.rate_hz is None:
            raise BenchFailure(f"{self.name} has no rate: {found.pulses} pulses so far, two are needed")
        return float(found.rate_hz)

    def expect(self, pulses: int | None = None, *, of: str | None = None) -> None:
        """Expect so many pulses; or, times the constant, what was measured `of` a quantity, such as "kWh delivered", to
        one pulse. And in either case not one of them out of order."""
        __tracebackhide__ = True
        found = self.read(of)
        if found.illegal:
            raise self._failure("contacts in order", f"{found.illegal} times they were not", found)
        if pulses is not None and found.pulses != pulses:
            raise self._failure(f"{pulses} pulses", f"{found.pulses} came", found)
        if found.due and found.clipped:
            raise self._failure(
                "all of the energy to be measured",
                f"the meter was overloaded: {' '.join(found.clipped)} clipped, so more flowed than it measured",
                found,
            )
        if found.agrees is False and found.due and found.constant_wh and found.counted_wh is not None:
            quantity = found.due.quantity
            unit = quantity.unit.removeprefix("k")
            raise self._failure(
                f"the pulses of {found.due.least_nwh / NANO:.3f} {unit}, {quantity.value}, to one",
                f"{found.pulses} pulses of {float(found.constant_wh):g} stand for {float(found.counted_wh):.3f}",
                found,
            )

    def _failure(self, expected: str, found: str, count: CountResult) -> BenchFailure:
        rate = "" if count.rate_hz is None else f", {float(count.rate_hz):.3f} a second"
        return BenchFailure(
            self._rig.explained(
                f"{self.name}, at {count.at_s:.3f} s: expected {expected}", f"  {found}; counted {count.pulses}{rate}"
            )
        )


def _came(result: ExpectationResult[S]) -> float:
    __tracebackhide__ = True
    if result.after_s is None:
        raise BenchFailure(result.text)
    return result.after_s


def _held(result: ExpectationResult[S]) -> None:
    __tracebackhide__ = True
    if not result.met:
        raise BenchFailure(result.text)
