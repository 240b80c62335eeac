"""Tests of a series of `rig verify` beside its points: creep, starting load and others (docs/verification.md)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rig.cli.verified_meter import verified_meter
from rig.failures import interrupted
from rig.plain_text import print_error

if TYPE_CHECKING:
    from rig.hardware.config import Config
    from rig.verify.series import Measured, Series
    from rig.verify.series_test import SeriesTest, SeriesTestResult


def tested(
    series: Series,
    measured: Measured,
    configuration: Callable[[SeriesTest], Config],
    config: Path | None,
    socket: Path | None,
) -> list[SeriesTestResult]:
    """Make the tests of a series that are not made yet, in the order of the file; each is kept as it is made.

    `configuration` gives the configuration of a test, its load included.
    """
    from rig.hardware.provenance import rig_toml_digest
    from rig.verify.series import digest_of

    found = []
    for k, test in enumerate(series.tests, 1):
        chosen = configuration(test)
        if test.load is not None and chosen.hardware.kind == "pi":
            print_error(f"note: {test.name} is for the load {test.load}: the source must give it")
        digest = digest_of(test, rig_toml_digest(chosen))
        result = measured.test_result(digest)
        before = ", made before" if result is not None else f", {test.length_s:.0f} s of the meter's time"
        print_error(f"test {k} of {len(series.tests)}: {test.name}{before}")
        if result is None:
            result = _made(test, digest, chosen, config, socket)
            measured.add(result)
        found.append(result)
    return found


def _made(test: SeriesTest, digest: str, chosen: Config, config: Path | None, socket: Path | None) -> SeriesTestResult:
    """Observe, on the meter that runs or one of our own, and judge."""
    from rig.terminal.verify_view import share_shown
    from rig.verify.observing import Observing
    from rig.verify.series_test import judged

    own = "a load" if test.load is not None and chosen.hardware.kind != "pi" else None
    with ExitStack() as stack:
        client, begin = stack.enter_context(verified_meter(config, chosen, socket, own=own, paced=False))
        show = stack.enter_context(share_shown(test.name))
        observing = Observing(
            client,
            lambda seen: seen.length_s >= test.length_s,
            progress=lambda seconds: show(seconds / test.length_s),
            begin=begin,
        )
        try:
            seen = observing.observe()
        except KeyboardInterrupt:
            raise typer.Exit(interrupted(f"without a verdict on {test.name}")) from None
        return judged(test, digest, seen, client.welcome.provenance)
