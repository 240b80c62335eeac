"""Draws the picture of a verification's report from a real count on the simulated rig: `make pictures`.

The first sheet of the PDF that `rig verify` writes, by pdftoppm (Debian's poppler-utils), in few colours.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

RIG = Path(sys.executable).with_name("rig")
COUNT = (
    "--output", "kyz1", "--load", "5 A, pf 0.8 lag", "--reference", "source", "--pulses", "95",
    "--environment", "temperature=22.8 °C", "--environment", "humidity=41 %",
)  # fmt: skip
DOTS_AN_INCH = 96
COLOURS = 48


def main() -> None:
    if shutil.which("pdftoppm") is None:
        sys.exit("the picture of a report needs pdftoppm: sudo apt install poppler-utils")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([RIG, "verify", *COUNT, "--report", "kyz1.pdf"], cwd=folder, check=True)
        sheet = ["-r", str(DOTS_AN_INCH), "-f", "1", "-l", "1", "-singlefile", "-png"]
        subprocess.run(["pdftoppm", *sheet, "kyz1.pdf", "sheet"], cwd=folder, check=True)
        with Image.open(Path(folder, "sheet.png")) as image:
            few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(Path(__file__).with_suffix(".png"), optimize=True)


if __name__ == "__main__":
    main()
