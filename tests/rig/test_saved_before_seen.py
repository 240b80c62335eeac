"""The state is in the ring before its pulses are given to the outputs (S-3, "durable before it is seen")."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest

from rig.bench.bench import simulated_bench


def noted(monkeypatch: pytest.MonkeyPatch, of: Any, name: str, order: list[str]) -> None:
    """Let a method go on as it is, and note that it is called."""
    call = getattr(of, name)

    def noting(*words: Any, **more: Any) -> Any:
        order.append(name)
        return call(*words, **more)

    monkeypatch.setattr(of, name, noting)


def test_each_batch_of_pulses_comes_after_a_save_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    with simulated_bench() as bench:
        service = bench.rig.service
        noted(monkeypatch, service, "_take", order)
        noted(monkeypatch, service, "_save_running", order)
        noted(monkeypatch, service.outputs, "pulse", order)
        bench.source.apply(amps=40)
        bench.rig.run(3)
    assert order.count("pulse") > 20
    runs = [name for name, _ in groupby(order)]
    before = {runs[place - 1] for place, name in enumerate(runs) if name == "pulse"}
    assert before == {"_save_running"}
