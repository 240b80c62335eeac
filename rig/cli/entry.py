"""Entry point of the command `rig`: Ctrl-C ends it without a word while its modules load, and at its end."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Entry point of the command `rig`."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is signal.default_int_handler:  # else whoever started it wants it otherwise
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from rig.cli.app import main as command

    signal.signal(signal.SIGINT, usual)
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
