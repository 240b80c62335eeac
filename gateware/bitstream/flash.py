"""Writes a bitstream into a board's flash memory, from which the FPGA then starts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from gateware.bitstream.tools import BitstreamError
from gateware.boards import Board

LOADER = "openFPGALoader"


def flash(board: Board, bitstream: Path, port: str | None = None) -> None:
    """Write and verify it with openFPGALoader, whose own progress goes to the terminal.

    `port` is the serial number of the board's USB chip, where several boards are connected. BitstreamError when the
    loader is not installed or fails.
    """
    loader = shutil.which(LOADER)
    if loader is None:
        raise BitstreamError(f"{LOADER} is not installed: apt install openfpgaloader")
    command = [loader, "--board", board.loader, "--write-flash", "--verify"]
    if port is not None:
        command += ["--ftdi-serial", port]
    status = subprocess.run([*command, str(bitstream)], check=False).returncode
    if status:
        raise BitstreamError(
            f"{LOADER} could not load {board.name} (status {status}, its message is above): check the USB cable, and "
            "that no other program has the board open"
        )
