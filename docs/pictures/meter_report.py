"""Draws the picture of a meter's report from three billed months of hours on the simulated rig: `make pictures`.

The sheet of plots of the PDF that `rig report` writes, by pdftoppm (Debian's poppler-utils), in few colours.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

RIG = Path(sys.executable).with_name("rig")
PROGRAM = """
[clock]
zone = "America/Toronto"
[demand]
quantities = ["kW delivered"]
[recorder]
interval_minutes = 60
channels = [{ metric = "kWh delivered", pulse = "5/4" }]
"""
BEGIN, DAYS = datetime(2026, 2, 1, 5, tzinfo=UTC), 88
SHEET = 3
DOTS_AN_INCH = 96
COLOURS = 48


def load(hour: int) -> float:
    """Return kWh of an hour: a morning, an evening, less towards summer."""
    clock = hour % 24
    day = 0.4 + 0.9 * math.exp(-(((clock - 8) / 2) ** 2)) + 1.4 * math.exp(-(((clock - 18) / 2.5) ** 2))
    return day * (1.3 - 0.6 * hour / (24 * DAYS)) * (1.15 if hour // 24 % 7 in (0, 6) else 1.0)


def main() -> None:
    if shutil.which("pdftoppm") is None:
        sys.exit("the picture of a report needs pdftoppm: sudo apt install poppler-utils")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "meter.toml").write_text(PROGRAM)
        rows = [f"{BEGIN + timedelta(hours=hour + 1):%Y-%m-%dT%H:%M:00Z},{load(hour):.3f}" for hour in range(24 * DAYS)]
        Path(folder, "load.csv").write_text("\n".join(["time,kwh_delivered", *rows]) + "\n")
        bill = ["bill", "load.csv", "--program", "meter.toml", "--store", "store"]
        subprocess.run([RIG, *bill], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        report = ["report", "store", "--zone", "America/Toronto", "--out", "meter.pdf"]
        subprocess.run([RIG, *report], cwd=folder, check=True)
        sheet = ["-r", str(DOTS_AN_INCH), "-f", str(SHEET), "-l", str(SHEET), "-singlefile", "-png"]
        subprocess.run(["pdftoppm", *sheet, "meter.pdf", "sheet"], cwd=folder, check=True)
        with Image.open(Path(folder, "sheet.png")) as image:
            few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(Path(__file__).with_suffix(".png"), optimize=True)


if __name__ == "__main__":
    main()
