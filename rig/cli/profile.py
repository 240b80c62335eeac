"""`rig profile`: the load profile of a meter's store, as a table, as a curve, as a file."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from rig.cli.json_output import print_json
from rig.files.whole import check_free, write_files
from rig.meter.billing.profile import Profile
from rig.profile.reading import ProfileError, channel_place, column_names, csv_bytes, parquet_bytes, value_of
from rig.profile.stored import stored_profile
from rig.store.saved_meter import BOARD
from rig.terminal.profile_view import plot, table

app = typer.Typer(no_args_is_help=True, help="The load profile in a meter's store: show, plot, export.")

FolderArgument = Annotated[Path, typer.Argument(help="The folder of the store, as rig.toml has it.")]
RecordingOption = Annotated[
    int | None, typer.Option("--recording", help="Its number; a new one begins with each program. Else the newest.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON (docs/json.md) instead.")]


@app.command("show", epilog="Example: [bold]rig profile show meter-store --last 96[/bold]")
def show_command(
    folder: FolderArgument,
    last: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many intervals, the newest.")] = 48,
    channel: Annotated[list[str] | None, typer.Option(help="Only this channel, by name or number; repeat it.")] = None,
    recording: RecordingOption = None,
    json: JsonOption = False,
) -> None:
    """Show the newest intervals, with outages, clock sets and faults between them."""
    profile, said = _read(folder, recording)
    places = [channel_place(profile, name) for name in channel or ()]
    if json:
        print_json(_described(profile, said, last))
    else:
        console = Console()
        console.print(table(profile, last, places, said, console.width))


@app.command("plot", epilog="Example: [bold]rig profile plot meter-store --channel 'kWh delivered'[/bold]")
def plot_command(
    folder: FolderArgument,
    channel: Annotated[str, typer.Option(help="A channel, by name or number.")] = "1",
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Which day; else the last.")] = None,
    recording: RecordingOption = None,
) -> None:
    """Draw a day's curve of one channel."""
    profile, said = _read(folder, recording)
    console = Console()
    place = channel_place(profile, channel)
    console.print(plot(profile, place, console.width, None if day is None else day.date(), said))


@app.command("export", epilog="Example: [bold]rig profile export meter-store load.csv[/bold]")
def export_command(
    folder: FolderArgument,
    file: Annotated[Path, typer.Argument(help=r"What to write: .csv, or .parquet, which needs the extra \[parquet].")],
    recording: RecordingOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write all intervals, each channel in kWh, kvarh, kVAh, V²h or A²h with all its digits."""
    writers = {".csv": csv_bytes, ".parquet": parquet_bytes}
    writer = writers.get(file.suffix.lower())
    if writer is None:
        raise ProfileError(
            f"{file} ends in {file.suffix or 'nothing'}: give a name that ends in {' or '.join(writers)}"
        )
    check_free([file], force)
    profile, said = _read(folder, recording)
    write_files({file: writer(profile, said)})
    print(f"{file}: {len(profile.intervals)} intervals{f', {said}' if said else ''}", file=sys.stderr)


def _read(folder: Path, recording: int | None) -> tuple[Profile, str]:
    """A profile, and what every result must say of it."""
    fidelity, profile = stored_profile(folder, recording)
    return profile, "" if fidelity == BOARD else f"SIMULATED ({fidelity})"


def _described(profile: Profile, said: str, last: int) -> dict[str, Any]:
    channels = profile.settings.channels
    return {
        "simulated": bool(said),
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
