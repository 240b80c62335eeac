"""What all tests share: the recordings that exist only where the project is developed, and hypothesis's profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("rig", deadline=None)  # the machine is shared: time is measured in `make bench`
settings.load_profile("rig")

_WAVEFORMS = Path(__file__).parents[2] / "shared" / "waveforms"


@pytest.fixture(scope="session")
def waveforms() -> Path:
    """The folder of real recordings with reference values."""
    if not _WAVEFORMS.is_dir():
        pytest.skip("the recordings (../shared/waveforms) exist only where the project is developed")
    return _WAVEFORMS
