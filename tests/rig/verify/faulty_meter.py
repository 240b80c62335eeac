"""A metering process with a fault at the contacts of KYZ1: `python -m tests.rig.verify.faulty_meter DESCRIPTOR`.

Pulse number FAULT_AT is not what it should be, by FAULT: `broken` opens both contacts instead of closing the next one,
as a broken wire does; `bounced` closes the next one, the last one again for 5 ms and the next one again.
"""

from __future__ import annotations

import os

from drivers.gpio import FormCRelay, Position
from rig.daemon import metering

FAULT_AT = 8
BOUNCE_NS = 5_000_000


def main() -> None:
    fault, right = os.environ["FAULT"], FormCRelay.transition

    def transition(self: FormCRelay) -> None:
        if self.transitions + 1 != FAULT_AT:
            right(self)
        elif fault == "broken":
            self._move(Position.OPEN, 1)
            self.last = Position.KY if FAULT_AT % 2 else Position.KZ  # what it believes to have closed
        else:
            right(self)
            for position in (self.last.opposite, self.last):
                self.edges.add(0, lambda now_ns, position=position: self._move(position), BOUNCE_NS)

    FormCRelay.transition = transition  # type: ignore[method-assign]
    metering.main()


if __name__ == "__main__":
    main()
