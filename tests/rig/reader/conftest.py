"""The reader's tests stand on those of the ports: the same clients, devices and benches."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "communication"))
