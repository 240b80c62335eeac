"""How long a whole table takes, one meter on two cores, nothing measured before; and what the second core is worth."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from calibration.point_tables import point_table
from rig.accuracy.campaign import judged_points
from rig.accuracy.kept import Kept
from tests.rig.accuracy.runs import plain_meter


def table_s(jobs: int, standard: str = "iec62053-22", accuracy_class: str = "0.2S") -> float:
    """Seconds for all points of a class."""
    table, meter = point_table(standard).of_class(accuracy_class), plain_meter()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        judged_points(table, meter, Kept(Path(folder)), jobs)
        return time.perf_counter() - begin


def accuracy() -> dict[str, float]:
    """Seconds on two cores, and the ratio of one core's to that."""
    table_s(2)  # loops are compiled, the processes' server is there
    two, one = table_s(2), table_s(1)
    return {"table_s": two, "two_workers": one / two}
