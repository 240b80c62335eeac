"""Loads that change every few seconds, for whatever service and current class: what a simulated rig runs with.

    lively    phase A carries a lagging motor, B heaters, C power supplies; for three seconds of every 24 a generator on
              phase A sends energy back. No diagnostic comes on
    solar     a house with panels on its roof: most of the time more comes back than it takes
    alarms    after eight healthy seconds, in which the service is found: A's current is distorted by 79 %, the last
              phase's lags by 68°, and its voltage is 25 % low

Amperes are of class 20, and in proportion of others.
"""

from __future__ import annotations

from drivers.sim.waves import Course, Line, LoadState, Step, Wave

SUPPLY = {3: (0.004, 20.0), 5: (0.018, 160.0), 7: (0.009, 40.0), 11: (0.004, 0.0)}
"""The distortion of a public supply's voltage: 2.1 %."""

MOTOR = {5: (0.03, 30.0), 7: (0.015, -60.0)}
ELECTRONIC = {3: (0.2, 175.0), 5: (0.12, -15.0), 7: (0.06, 150.0), 11: (0.03, 90.0)}
"""Supplies beside other loads: 24 %, less than the 30 % at which a diagnostic comes on."""

RECTIFIER = {3: (0.66, 175.0), 5: (0.38, -15.0), 7: (0.2, 150.0), 9: (0.05, 0.0), 11: (0.05, 90.0)}
"""Supplies alone: 79 %."""

VOLTS = ((1.0025, 0.0), (0.995, -0.2), (1.0092, -0.3))
"""Shares of the nominal voltage and degrees by which they are turned: a supply is never quite balanced."""

Current = tuple[float, float]
"""Amperes of class 20, and degrees by which they lag."""


class Scenario:
    """The states of one line and current class at a line frequency of `hz` on average."""

    def __init__(self, line: Line, current_class: int, hz: float) -> None:
        self._line, self._scale, self._hz = line, current_class / 20, hz

    def state(self, a: Current, b: Current, c: Current, hz: float = 1.0) -> LoadState:
        """Give a motor on A, heaters on B, supplies on C; `hz` is the share of the line frequency."""
        waves = (self._wave(a, MOTOR), self._wave(b), self._wave(c, ELECTRONIC, 0.02))
        return self._line.state(waves, VOLTS, SUPPLY, self._hz * hz)

    def _wave(self, current: Current, harmonics: dict[int, tuple[float, float]] | None = None, dc: float = 0.0) -> Wave:
        amperes, lag_deg = current
        return Wave(amperes * self._scale, -lag_deg, harmonics or {}, dc * self._scale)

    def lively(self) -> Course:
        """Give calm, a motor's start, busy, and energy that is sent back."""
        calm = self.state((9.4, 31.0), (6.5, 2.0), (5.1, 9.0))
        busy = self.state((17.5, 26.0), (12.7, 1.0), (7.4, 12.0), 59.98 / 60)
        start = self.state((41.0, 58.0), (12.7, 1.0), (7.4, 12.0), 59.95 / 60)
        export = self.state((18.5, 177.0), (6.5, 2.0), (5.1, 9.0), 60.03 / 60)
        steps = (
            Step(0.0, calm),
            Step(5.0, start),
            Step(6.0, busy, ramp_s=1.5),
            Step(13.0, export),
            Step(16.0, calm),
            Step(20.0, busy, ramp_s=2.0),
        )
        return Course(steps, repeat_s=24.0)

    def solar(self) -> Course:
        """Give a house at dawn, sun, a cloud, sun again, and dusk."""
        house = self.state((3.4, 20.0), (2.2, 4.0), (1.8, 9.0))
        sun = self.state((9.6, 182.0), (8.9, 178.0), (8.3, 184.0), 60.02 / 60)
        cloud = self.state((1.9, 196.0), (2.3, 184.0), (1.6, 190.0))
        steps = (
            Step(0.0, house),
            Step(4.0, sun, ramp_s=3.0),
            Step(12.0, cloud, ramp_s=1.0),
            Step(15.0, sun, ramp_s=1.0),
            Step(21.0, house, ramp_s=3.0),
        )
        return Course(steps, repeat_s=24.0)

    def alarms(self) -> Course:
        """Give what diagnostics are for; the last phase is the last whose voltage is sensed."""
        healthy = self.state((9.4, 31.0), (6.5, 2.0), (5.1, 9.0))
        last = max(k for k, phasor in enumerate(self._line.voltages) if phasor is not None)
        volts = tuple((0.75 * s if k == last and k else s, d) for k, (s, d) in enumerate(VOLTS))
        waves = [self._wave((9.4, 31.0), RECTIFIER), self._wave((6.5, 2.0)), self._wave((5.1, 9.0), ELECTRONIC)]
        waves[last] = self._wave((9.4, 68.0), RECTIFIER if last == 0 else {})
        return Course((Step(0.0, healthy), Step(8.0, self._line.state(tuple(waves), volts, SUPPLY, self._hz))))
