"""The light of an optical port, which is the test LED's (P-1).

the port                            the light
has nothing to say                  the test LED's
is to send, the light not its own   asked for; once a flash that is lit is over, sent
communicates                        its own, asked for anew each RENEW_NS
is done                             given back
dies                                the test LED's after LENT_S
"""

from __future__ import annotations

from rig.communication.port.meter_side import MeterSide
from rig.daemon.protocol import ShareLight

RENEW_NS = 1_000_000_000
LENT_S = 3.0


class SharedLight:
    """The light of one port; `shared`: it is the optical one's. Methods raise MeterAway."""

    def __init__(self, meter: MeterSide, *, shared: bool) -> None:
        self._meter, self._shared = meter, shared
        self.renew_ns: int | None = None
        """When it is to be asked for again; None: it is the test LED's."""
        self.dark_ns = 0
        """From when on the LED is dark."""

    def take(self, now_ns: int) -> bool:
        """Have it for something that is to be sent; whether that can go now."""
        if self._shared and self.renew_ns is None:
            self._lend(now_ns)
        return now_ns >= self.dark_ns

    def attend(self, now_ns: int, *, communicates: bool) -> None:
        """Keep it while the port communicates, then give it back."""
        if self.renew_ns is None:
            return
        if not communicates:
            self.renew_ns = None
            self._meter.tell(ShareLight(0.0))
        elif now_ns >= self.renew_ns:
            self._lend(now_ns)

    def forget(self) -> None:
        """Forget that it was lent: the meter is not there."""
        self.renew_ns = None

    def _lend(self, now_ns: int) -> None:
        outcome = self._meter.ask(ShareLight(LENT_S))
        self.renew_ns = now_ns + RENEW_NS
        if outcome.refused is None:
            self.dark_ns = now_ns + int(outcome.result["dark_ns"])
