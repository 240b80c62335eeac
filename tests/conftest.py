"""What all tests share: the recordings that exist only where the project is developed, and hypothesis's profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time, so that a suite that passed passes again. Time is measured in `make bench`.
settings.register_profile("rig", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None)
settings.load_profile("rig")


_WAVEFORMS = Path(__file__).parents[2] / "shared" / "waveforms"


@pytest.fixture(scope="session")
def waveforms() -> Path:
    """The folder of real recordings with reference values."""
    if not _WAVEFORMS.is_dir():
        pytest.skip("the recordings (../shared/waveforms) exist only where the project is developed")
    return _WAVEFORMS
