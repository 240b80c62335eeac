"""`rig profile`: the load profile of a meter's store, as a table, as a curve, as a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rig.cli.json_output import print_json
from rig.cli.options import CHANNEL, ForceOption, JsonOption, RecordingOption, StoreArgument
from rig.plain_text import print_error

if TYPE_CHECKING:
    from rig.meter.billing.profile import Profile
    from rig.results.provenance import Provenance

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The load profile in a meter's store: show, plot, export."
)


@app.command("show", epilog="Example: rig profile show meter-store --last 96")
def show_command(
    folder: StoreArgument,
    last: Annotated[int, typer.Option("--last", min=1, max=1_000_000, help="How many intervals, the newest.")] = 48,
    channel: Annotated[list[str] | None, CHANNEL] = None,
    recording: RecordingOption = None,
    json: JsonOption = False,
) -> None:
    """Show the newest intervals, and what fell between them.

    Those are outages, settings of the clock, and faults.
    """
    from rig.profile.reading import channel_place
    from rig.terminal.console import output_console
    from rig.terminal.profile_view import table

    profile, made = _read(folder, recording)
    places = [channel_place(profile, name) for name in channel or ()]
    if json:
        print_json(_described(profile, made, last))
    else:
        console = output_console()
        console.print(table(profile, last, places, made.mark, console.width))


@app.command("plot", epilog="Example: rig profile plot meter-store --channel 'kWh delivered'")
def plot_command(
    folder: StoreArgument,
    channel: Annotated[str, CHANNEL] = "1",
    day: Annotated[
        datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="Which day; else the last.")
    ] = None,
    recording: RecordingOption = None,
) -> None:
    """Draw a day's curve of one channel."""
    from rig.profile.reading import channel_place
    from rig.terminal.console import output_console
    from rig.terminal.profile_view import plot

    profile, made = _read(folder, recording)
    console = output_console()
    place = channel_place(profile, channel)
    console.print(plot(profile, place, console.width, None if day is None else day.date(), made.mark))


@app.command("export", epilog="Example: rig profile export meter-store load.csv")
def export_command(
    folder: StoreArgument,
    file: Annotated[Path, typer.Argument(help="What to write: .csv, or .parquet, which needs the extra [parquet].")],
    recording: RecordingOption = None,
    force: ForceOption = False,
) -> None:
    """Write all intervals to a file.

    Each channel is in kWh, kvarh, kVAh, V²h or A²h, with all its digits.
    """
    from rig.files.whole import check_free, write_files
    from rig.profile.reading import ProfileError, csv_bytes, parquet_bytes

    writers = {".csv": csv_bytes, ".parquet": parquet_bytes}
    writer = writers.get(file.suffix.lower())
    if writer is None:
        raise ProfileError(
            f"{file} ends in {file.suffix or 'nothing'}: give a name that ends in {' or '.join(writers)}"
        )
    check_free([file], force)
    profile, made = _read(folder, recording)
    write_files({file: writer(profile, made)})
    print_error(f"{file}: {len(profile.intervals)} intervals{f', {made.mark}' if made.mark else ''}")


def _read(folder: Path, recording: int | None) -> tuple[Profile, Provenance]:
    """Read a profile, and where it comes from."""
    from rig.profile.stored import stored_profile

    made, profile = stored_profile(folder, recording)
    return profile, made


def _described(profile: Profile, made: Provenance, last: int) -> dict[str, Any]:
    from rig.profile.reading import column_names, value_of

    channels = profile.settings.channels
    return {
        "simulated": made.simulated,
        "provenance": made,
        "interval_minutes": profile.settings.interval_min,
        "channels": [
            {"name": name, "unit": c.metric.unit, "pulse": str(c.unit_value)}
            for name, c in zip(column_names(profile), channels, strict=True)
        ],
        "intervals": [
            {
                "end": i.end.isoformat(),
                "seconds": i.seconds,
                "flags": list(i.flags.words),
                "counts": list(i.counts),
                "values": [
                    None if n is None else float(value_of(c, n)) for c, n in zip(channels, i.counts, strict=True)
                ],
            }
            for i in profile.intervals[-last:]
        ],
        "marks": [{"kind": m.kind.value, "at": m.at.isoformat(), "until": m.until.isoformat()} for m in profile.marks],
        "faults": [f.text for f in profile.faults],
        "skipped": profile.skipped,
    }
