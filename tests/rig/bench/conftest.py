"""What has to be there before pytest runs inside pytest."""

from __future__ import annotations

import pytest
from someone import Someone, bench_with


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """All that a rig imports until it runs: pytest inside pytest unloads what it has loaded, and numba cannot be loaded
    twice."""
    with bench_with(Someone(), tmp_path_factory.mktemp("loaded")) as bench:
        bench.rig.run(0.1)
