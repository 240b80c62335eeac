"""Answers that wait for the disk come, whenever it is that the disk has them (C-3)."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from rig.daemon.internal import Ask
from rig.daemon.protocol import Done, ReadSelf, RequestRefused
from tests.rig.communication.served_tables import ServedTables


def test_a_save_between_two_looks_loses_no_answer(tmp_path: Path) -> None:
    """The writer's thread goes on at any time: here the save is there at these looks, and at all later ones."""
    served = ServedTables("[demand]\nquantities = ['kW delivered']\n", tmp_path / "store")
    served.run(0.2)
    served.log_on("000000")
    for number, looks in enumerate(product((False, True), repeat=3), 1):
        seen = iter(looks)
        answers: list[Done | RequestRefused] = []
        assert served.requests.execute(Ask(1, 0, "optical port", "", number, ReadSelf())) is None
        served.service.saved = lambda ticket, seen=seen: next(seen, True)  # type: ignore[method-assign, misc]
        for _ in range(5):
            answers += [reply for _, reply in served.requests.settled()]
        assert [reply.number for reply in answers] == [number], looks
    served.service.finish()
    served.hardware.close()
