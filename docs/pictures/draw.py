"""Draws the pictures of the documentation from a real run of the simulated rig: `make pictures`."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, RenderableType

from rig.daemon.protocol import Reading
from rig.hardware.config import Config
from rig.hardware.provenance import provenance_of
from rig.hardware.selection import open_hardware
from rig.scope.capture import NOMINAL_HZ, capture
from rig.terminal import face_view as face
from rig.terminal.run_view import panel, report
from rig.terminal.scope_view import scope_view
from rig.terminal.show import Audience
from rig.terminal.start import start_and_show

SECONDS = 15.0
CYCLES = 2
WIDTH = 84
FORMAT = re.sub(r"@font-face {{.*?}}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""Without rich's web fonts: the pictures need nothing from the network."""


def draw(picture: RenderableType, name: str, title: str, width: int = WIDTH) -> None:
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(picture)
    console.save_svg(str(Path(__file__).with_name(name)), title=title, unique_id="rig", code_format=FORMAT)


def main() -> None:
    readings: list[Reading] = []
    summary = start_and_show(Config(), SECONDS, paced=False, audience=Audience(readings.append)).summary
    draw(panel(readings[-1], keys=True), "run.svg", "make run", face.WIDTH)
    draw(report(summary), "report.svg", "after Ctrl-C")
    hardware = open_hardware(Config(), 20, paced=False)
    try:
        shot = capture(
            hardware, "v1:rising:0V", CYCLES / NOMINAL_HZ, wait_s=1.0, provenance=provenance_of(hardware, Config(), "")
        )
    finally:
        hardware.close()
    assert shot is not None
    draw(scope_view(shot, WIDTH), "scope.svg", f"rig scope --cycles {CYCLES}")


if __name__ == "__main__":
    main()
