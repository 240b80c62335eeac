"""What can keep a command from running: errors that a person can mend, each one sentence (exit status 2)."""

from __future__ import annotations

import sys


def could_not_run() -> tuple[type[Exception], ...]:
    """The errors whose sentence says all. Those of the simulation only where it is installed."""
    from calibration.constants import CalibrationError
    from drivers.capture import CaptureError
    from drivers.lcd import LcdError
    from drivers.pins import GpioError
    from drivers.spi_link import LinkError
    from gateware.bitstream.tools import BitstreamError
    from gateware.boards import BoardError
    from rig.meter.elements import FormError
    from rig.meter.pulses import PulseConstantError
    from rig.profile.reading import ProfileError
    from rig.scope.capture import ScopeError
    from rig.store.errors import StoreError
    from rig.strict_toml import ConfigError

    found: list[type[Exception]] = [
        BitstreamError, BoardError, CalibrationError, CaptureError, ConfigError, FormError, GpioError, LcdError,
        LinkError, ProfileError, PulseConstantError, ScopeError, StoreError,
    ]  # fmt: skip
    try:
        from drivers.sim.recording import RecordingError
        from gateware.twin.build import TwinError
        from rig.replay import ReplayError
    except ModuleNotFoundError:
        return tuple(found)
    return (*found, RecordingError, ReplayError, TwinError)


def unexpected(error: Exception) -> str:
    """The sentence for what should not happen."""
    kind = type(error).__name__
    return f"this should not happen ({kind}: {error}); set RIG_TRACEBACK=1 to see where, and report it"


def refuse(sentence: str) -> int:
    """Say what kept a command from running; its exit status."""
    print(f"rig: {sentence}", file=sys.stderr)
    return 2
