"""Records of the bit-exact model of the gateware, read as they come: no bus, no service, nothing in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drivers.sim.frontend import FrontEnd
from gateware.chain import Chain
from gateware.model.model import GatewareModel
from gateware.record_words import Record
from gateware.registers import BY_NAME, REGISTERS, configuration_digest

PIECE_TICKS = 1 << 17
"""Of the gateware in one call: 39 ms, two windows, for which its ring of records always has room."""


class ModelRecords:
    """The model on a front end, set to `settings` before its first tick; `configuration` is the digest of them all."""

    def __init__(self, chain: Chain, front_end: FrontEnd, settings: Mapping[str, int]) -> None:
        self._model, self._front_end = GatewareModel(chain), front_end
        for name, value in settings.items():
            self._model.write(BY_NAME[name].address, value, 0)
        values = {r.name: self._model.read(r.address, 0) for r in REGISTERS if self._model.has(r.address)}
        self.configuration = configuration_digest(values)

    def records(self) -> Iterator[Record]:
        """Give records without end."""
        model = self._model
        while True:
            model.run(self._front_end.bits(PIECE_TICKS))
            now = model.ticks * model.chain.clocks_per_tick
            while model.level(now):
                record = Record.from_words([int(word) for word in model.oldest()])
                model.pop(now)
                yield record
