"""`rig replay`: a recording of waveforms through the whole chain."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from rig.cli.json_output import print_json
from rig.cli.options import (
    FORM,
    ConfigOption,
    CtRatioOption,
    FidelityOption,
    JsonOption,
    LengthOption,
    VtRatioOption,
    configuration,
    option_number,
)
from rig.failures import interrupted

SHORT = Fraction(999, 1000)
"""Of the seconds asked for: a replay of less is noted."""


def replay(
    recording: Annotated[
        Path,
        typer.Argument(help="A COMTRADE .cfg or .cff, or a CSV with columns va ia vb ib vc ic.", show_default=False),
    ],
    channels: Annotated[
        str | None,
        typer.Option(
            "--channels",
            help="va=NAME,ia=NAME,… when names are not obvious; -NAME reverses one, NAME*10 multiplies it; "
            "or a group, such as G1 of VA_G1.",
        ),
    ] = None,
    form: Annotated[str | None, FORM] = None,
    vt_ratio: VtRatioOption = "1",
    ct_ratio: CtRatioOption = "1",
    rate: Annotated[
        str | None,
        typer.Option("--rate", help="Samples a second, where the file does not say: 7680, 1e6/32.497, 30.72kHz."),
    ] = None,
    block: Annotated[
        int | None, typer.Option("--block", min=1, help="Which of a COMTRADE file's several sampling rates, from 1.")
    ] = None,
    start: Annotated[str, typer.Option("--start", help="Seconds of the recording to leave out.")] = "0",
    seconds: LengthOption = None,
    loop: Annotated[bool, typer.Option("--loop", help="Repeat it, for --seconds.")] = False,
    fidelity: FidelityOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Play a recording through the whole chain, from its waveform to registers and pulses.

    Energies by interval instead of a waveform are for rig bill.
    """
    import msgspec

    from drivers.errors import DriverError
    from drivers.sim.channels import assign, channel_notes, parse_spec, with_made_channels
    from drivers.sim.rates import parse_rate
    from drivers.sim.reading import read_recording
    from rig.files.strict_toml import ConfigError
    from rig.replay.intervals.kind import is_load_record
    from rig.replay.recordings.replay import Playback, line_notes
    from rig.replay.recordings.replay import replay as play
    from rig.terminal import run_view as view
    from rig.terminal.console import message_console, note, output_console
    from rig.terminal.progress import progress_bar

    chosen = configuration(config)
    if fidelity is not None:
        simulation = msgspec.structs.replace(chosen.simulation, fidelity=fidelity.value)
        chosen = msgspec.structs.replace(chosen, simulation=simulation)
    messages = message_console()
    try:
        spec = None if channels is None else parse_spec(channels)
        try:
            read = read_recording(recording, None if rate is None else parse_rate(rate), block)
            if spec is not None:
                read, spec = with_made_channels(read, spec)
            assignment = assign(read, spec)
        except DriverError:
            if is_load_record(recording):
                raise ConfigError(
                    f"{recording} is a load record, of energies by interval, which is for rig bill: give a recording "
                    "of waveforms, or run rig bill with it"
                ) from None
            raise
        playback = Playback(
            read,
            assignment,
            form=form,
            vt_ratio=option_number("--vt-ratio", vt_ratio, positive=True),
            ct_ratio=option_number("--ct-ratio", ct_ratio, positive=True),
            start_s=option_number("--start", start),
            seconds=None if seconds is None else option_number("--seconds", seconds, positive=True),
            loop=loop,
        )
        for sentence in (*read.notes, *channel_notes(read, assignment), *line_notes(playback, chosen)):
            note(messages, sentence)
        with progress_bar(messages, recording.name) as show:
            summary = play(playback, chosen, show)
    except KeyboardInterrupt:
        raise typer.Exit(interrupted("before the recording's end: no result")) from None
    if playback.seconds is not None and summary.seconds < playback.seconds * SHORT:
        note(messages, f"the recording ends after {summary.seconds:g} s")
    if json:
        print_json(summary)
    else:
        output_console().print(view.report(summary))
