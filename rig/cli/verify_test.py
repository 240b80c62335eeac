"""Test of a series of `rig verify` beside its points: creep, starting load and others (docs/verification.md)."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rig.cli.verified_meter import verified_meter
from rig.failures import interrupted

if TYPE_CHECKING:
    from rig.hardware.config import Config
    from rig.verify.series_test import SeriesTest, SeriesTestResult


def made(test: SeriesTest, digest: str, chosen: Config, config: Path | None, socket: Path | None) -> SeriesTestResult:
    """Observe, on the meter that runs or one of our own, and judge. Raises typer.Exit where Ctrl-C ended it."""
    from rig.terminal.verify_view import share_shown
    from rig.verify.observing import Observing
    from rig.verify.series_test import judged

    own = "a load" if test.load is not None and chosen.hardware.kind != "pi" else None
    try:
        with ExitStack() as stack:
            client, begin = stack.enter_context(verified_meter(config, chosen, socket, own=own, paced=False))
            show = stack.enter_context(share_shown(test.name))
            observing = Observing(
                client,
                lambda seen: seen.length_s >= test.length_s,
                progress=lambda seconds: show(seconds / test.length_s),
                begin=begin,
            )
            seen = observing.observe()
            return judged(test, digest, seen, client.welcome.provenance)
    except KeyboardInterrupt:
        raise typer.Exit(interrupted(f"without a verdict on {test.name}")) from None
