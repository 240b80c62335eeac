"""The shape of a day: what share of its full current a load has over 24 hours.

A file is a CSV with the header `hour,share`: hours from 0 to 24 in order, the first 0; shares from -2 to 2, where 1 is
the load's full current, and less than 0 is received. Between them the share goes in a straight line; at the end of the
day it is back at the first. So the true energy of a day is that of the full current times a sum of trapezoids.
"""

from __future__ import annotations

import csv
from itertools import pairwise
from math import isfinite
from pathlib import Path

from rig.files.bounded import TooLongError, read_bounded
from rig.files.strict_toml import ConfigError, hint, shown
from rig.files.text import NotUtf8Error, utf8_text
from rig.load.description import PROFILE_FILE

DAY_HOURS = 24.0
MOST_SHARE = 2.0
MOST_BYTES = 64 * 1024
HEADER = ["hour", "share"]

Shape = tuple[tuple[float, float], ...]
"""Hour and share, from hour 0 on; the last is at hour 24."""

SHAPES: dict[str, Shape] = {
    "house": ((0, 0.2), (6, 0.2), (7.5, 0.7), (9, 0.35), (16, 0.35), (18.5, 1.0), (21, 0.8), (23, 0.3), (24, 0.2)),
    "shop": ((0, 0.15), (7, 0.15), (8.5, 0.9), (12, 1.0), (17, 0.95), (18.5, 0.2), (24, 0.15)),
    "solar": ((0, 0.2), (6, 0.25), (8, 0.0), (12.5, -1.0), (17, -0.1), (19, 0.5), (22, 0.4), (24, 0.2)),
}
"""A house, a shop by day, a house with panels on its roof: made up, in round figures."""


def shape_of(profile: str, key: str) -> Shape:
    """Give the shape of that name, or that of a file, whose name ends in .csv. Raises ConfigError."""
    if profile in SHAPES:
        return SHAPES[profile]
    if not profile.lower().endswith(PROFILE_FILE):
        raise ConfigError(
            f"{key} is {shown(profile)}, it must be {', '.join(SHAPES)}, or a file of hours and shares that ends in "
            f".csv; {hint(profile, SHAPES)}"
        )
    return read_shape(Path(profile))


def read_shape(path: Path) -> Shape:
    """Read a day's shape from a file. Raises ConfigError, naming file and line."""
    try:
        text = utf8_text(read_bounded(path, MOST_BYTES))
        lines = list(csv.reader(text.splitlines(), strict=True))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: give a file of hours and shares, or {', '.join(SHAPES)}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (TooLongError, NotUtf8Error) as error:
        raise ConfigError(f"{path} {error}") from None
    except csv.Error as error:
        raise ConfigError(f"{path} is no CSV: {error}") from None
    except ValueError as error:  # a NUL in the path
        raise ConfigError(f"{shown(str(path))} is no path of a file: {error}") from None
    numbered = [
        (number, [cell.strip() for cell in cells]) for number, cells in enumerate(lines, 1) if "".join(cells).strip()
    ]
    if not numbered or [cell.lower() for cell in numbered[0][1]] != HEADER:
        raise ConfigError(f"{path}: its first line must be {','.join(HEADER)}")
    points = [_point(path, number, cells) for number, cells in numbered[1:]]
    if not points or points[0][0] != 0:
        raise ConfigError(f"{path}: the first hour must be 0, at which a day begins")
    for (number, _), (a, b) in zip(numbered[2:], pairwise(points), strict=True):
        if b[0] <= a[0]:
            raise ConfigError(f"{path}: line {number} is at hour {b[0]:g}, it must be later than hour {a[0]:g} above")
    if points[-1][0] < DAY_HOURS:
        points.append((DAY_HOURS, points[0][1]))
    return tuple(points)


def _point(path: Path, number: int, cells: list[str]) -> tuple[float, float]:
    if len(cells) != len(HEADER):
        raise ConfigError(f"{path}: line {number} has {len(cells)} cells, it must have an hour and a share")
    try:
        hour, share = (float(cell) for cell in cells)
    except ValueError:
        raise ConfigError(f"{path}: line {number} is {shown(','.join(cells))}, it must be two numbers") from None
    if not (isfinite(hour) and 0 <= hour <= DAY_HOURS):
        raise ConfigError(f"{path}: line {number} is at hour {hour:g}, it must be 0 to 24")
    if not (isfinite(share) and abs(share) <= MOST_SHARE):
        raise ConfigError(f"{path}: line {number} has the share {share:g}, it must be -2 to 2")
    return hour, share
