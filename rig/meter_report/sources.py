"""Sources of a report, each found out and read: a store, a reading, a load profile's file."""

from __future__ import annotations

from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from rig.files.bounded import TooLongError, read_bounded
from rig.meter_report.errors import MeterReportError
from rig.meter_report.from_profile_file import looks_like_profile, meter_of_profile_file
from rig.meter_report.from_reading import meter_of_reading
from rig.meter_report.from_store import meter_of_store
from rig.meter_report.meter_data import MeterData
from rig.reader.reading_file import MOST_FILE_BYTES

RIGHT = "give a file of rig read or rig profile export, or a store's folder"

BEGINNING = 4096


def zone_named(name: str | None) -> tuple[tzinfo, str]:
    """Give a zone by its IANA name, and what a report calls it; None: UTC. Raises MeterReportError."""
    if name is None:
        return UTC, "UTC"
    try:
        return ZoneInfo(name), name
    except (OSError, ValueError, LookupError):
        raise MeterReportError(f"--zone is {name}, which is no zone: give one such as America/Toronto") from None


def read_meter(path: Path, zone: str | None = None, recording: int | None = None) -> MeterData:
    """Read what a path holds, once, so that a pipe will do. Raises MeterReportError, StoreError or ReadingFileError."""
    try:
        folder = path.is_dir()
        data = b"" if folder else read_bounded(path, MOST_FILE_BYTES)
    except TooLongError as error:
        raise MeterReportError(f"{path} is neither a reading nor a load profile: it {error}") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file can have that name"
        raise MeterReportError(f"{path} cannot be read ({why}): {RIGHT}") from None
    if folder:
        return meter_of_store(path, *zone_named(zone), recording)
    for option, given in (("--zone", zone), ("--recording", recording)):
        if given is not None:
            raise MeterReportError(f"{option} is of a store, and {path} is a file: leave it out")
    beginning = data[:BEGINNING]
    if looks_like_profile(beginning):
        return meter_of_profile_file(data, path)
    if beginning.lstrip().startswith(b"{"):
        if b'"format"' not in beginning:
            raise MeterReportError(
                f"{path} is JSON but no reading: {RIGHT}; rig report render is for results of rig verify"
            )
        return meter_of_reading(data, path)
    raise MeterReportError(f"{path} is neither a reading nor a load profile: {RIGHT}")
