"""Who may end a running meter: its own user and root, as the kernel names the client (C-3)."""

from __future__ import annotations

import os

from rig.bench.bench import simulated_bench
from rig.daemon.internal import Ask
from rig.daemon.protocol import Done, RequestRefused, Stop
from rig.daemon.requests import Requests
from rig.meter.billing.source import Source
from rig.program.build import default_program


def test_only_its_own_user_and_root() -> None:
    own, other = os.getuid(), os.getuid() + 1
    with simulated_bench() as bench:
        requests = Requests(bench.rig.service, default_program())

        def ask(uid: int, number: int) -> object:
            return requests.execute(Ask(1, uid, Source.PANEL.value, "someone", number, Stop()))

        refused = ask(other, 1)
        assert isinstance(refused, RequestRefused)
        assert refused.sentence == f"user {other} may not end the meter: only its own user, or root"
        assert not requests.stop
        for uid in {0, own}:
            requests.stop = False
            assert isinstance(ask(uid, 2), Done)
            assert requests.stop
