"""Lines of a load record with the time of another line: of each time the first counts, told, where they are few.

lines again                                         taken as
few, or with the same numbers                       told; the first counts
a quarter of all or more, with other numbers        refused: of several meters or channels, or a part of the time
                                                    is in another column
a quarter or more, and no hour but 1 to 12          refused: a clock of 12 hours that lost its AM and PM
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from rig.replay.intervals.encoding import IntervalFileError
from rig.replay.intervals.load_rows import LoadRow
from rig.replay.intervals.record import counted

_MOST = 4
"""One line in so many may be again: half of them are, where two meters are in one file."""


def repeat_note(path: Path, twice: Sequence[LoadRow], differing: int, times: Iterable[datetime], count: int) -> str:
    """Give a note on lines that come again, `differing` of them with other numbers, of `count` lines with `times`.

    Raises IntervalFileError.
    """
    first = twice[0].line
    if len(twice) > 3 and _MOST * len(twice) >= count and all(1 <= time.hour <= 12 for time in times):
        raise IntervalFileError(
            f"{path}, line {first}: {len(twice)} of {count} lines have the time of another, and no hour is 0 or above "
            "12: on a clock of 12 hours each time must have AM or PM"
        )
    if _MOST * differing >= count:
        raise IntervalFileError(
            f"{path}, line {first}: {differing} of {count} lines have the time of another with other numbers: if a "
            "column more has a part of the time, name it with --columns time=DATE+TIME; if one tells meters or "
            "channels apart, with --columns meter=NAME, and one of them with --meter"
        )
    differ = f", {differing} of them with other numbers" if differing else ""
    return f"{counted(len(twice), 'interval')} again, the first in line {first}{differ}: of each the first line counts"
