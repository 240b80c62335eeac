"""A verification for people: how far it is, while it counts, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from rig.report.compared import Basis, Compared, Comparison, Side
from rig.report.phrases import unit_of
from rig.terminal.console import message_console
from rig.verify.result import Limits, Verification
from rig.verify.run import Progress
from rig.verify.series import SeriesResult

MOST_ERRORS = 20
"""Of closures out of order so many are printed; JSON has all."""


@contextmanager
def count_shown(label: str) -> Iterator[Callable[[Progress], None]]:
    """Show on standard error how far a count is, if that is a terminal; yields what to call with its progress."""
    console = message_console()
    text = TextColumn("{task.description}", markup=False)
    with Bar(text, BarColumn(), console=console, disable=not console.redraws, transient=True) as bar:
        task = bar.add_task(f"{label}: waiting for the first pulse", total=1.0)

        def show(progress: Progress) -> None:
            share = progress.pulses / progress.wanted if progress.wanted else 0.0
            bar.update(task, description=progress_text(label, progress), completed=min(1.0, share))

        yield show


@contextmanager
def share_shown(label: str) -> Iterator[Callable[[float], None]]:
    """Show on standard error what share of a length is over, if that is a terminal."""
    console = message_console()
    text = TextColumn("{task.description}", markup=False)
    with Bar(text, BarColumn(), console=console, disable=not console.redraws, transient=True) as bar:
        task = bar.add_task(label, total=1.0)
        yield lambda share: bar.update(task, completed=min(1.0, share))


def progress_text(label: str, progress: Progress) -> str:
    """Describe how far it is, in words."""
    if progress.wanted is None or progress.error_percent is None:
        return f"{label}: waiting for the first pulses"
    parts = [f"{label}: {progress.pulses} of {progress.wanted} pulses"]
    if progress.repeat > 1:
        parts.append(f"repeat {progress.repeat}")
    if progress.seconds_left:
        parts.append(f"{progress.wanted - progress.pulses} more in {progress.seconds_left:.0f} s")
    parts.append(f"{progress.error_percent:+.4f} % ± {progress.uncertainty_percent:.4f} %")
    return ", ".join(parts)


def verification_lines(found: Verification) -> list[str]:
    """Describe the result, line by line."""
    unit = unit_of(found.quantity)
    lines = [found.provenance.mark] if found.provenance.mark else []
    lines += [
        f"{'output':<14}{found.output}, {found.quantity}, {found.constant_wh:g} {unit} a pulse",
        f"{'counter':<14}{found.counter}, against {found.reference}",
        f"{'counted':<14}{found.pulses} pulses in {found.seconds:.3f} s, {found.energy_wh:.6f} {unit}",
        f"{'reference':<14}{found.reference_wh:.6f} {unit}",
        f"{'error':<14}{found.error_percent:+.5f} % ± {found.uncertainty_percent:.5f} % (k = 2)",
        f"{'registration':<14}{found.registration_percent:.5f} %",
    ]
    for k, part in enumerate(found.budget):
        name = "uncertainty" if not k else ""
        lines.append(f"{name:<14}{part.standard_percent:.6f} %  {part.source} ({part.distribution})")
    errors = found.kyz_order_errors
    order = f"{len(errors) or 'no'} errors" if found.edges else "not seen: a frequency knows no closures"
    lines.append(f"{'order':<14}{order}")
    lines += [f"{'':<14}{error.text}" for error in errors[:MOST_ERRORS]]
    if len(errors) > MOST_ERRORS:
        lines.append(f"{'':<14}and {len(errors) - MOST_ERRORS} more: --json has all")
    limit = f"limit ±{found.limits.error_percent:g} %"
    lines.append(f"{'PASSED' if found.passed else 'FAILED':<14}{limit}")
    lines += [f"{'':<14}{reason}" for reason in found.reasons]
    return lines


def series_lines(found: SeriesResult) -> list[str]:
    """Describe the result of a series: a line for each point and each average."""
    provenances = [each.verification.provenance for each in found.points] + [each.provenance for each in found.tests]
    marks = {each.mark for each in provenances} - {""}
    lines = [*sorted(marks), found.title]
    for each in found.points:
        one = each.verification
        lines.append(_series_line(each.name, one.error_percent, one.uncertainty_percent, one.limits, one.passed))
        lines += [f"{'':<26}{reason}" for reason in one.reasons]
    for test in found.tests:
        verdict = "passed" if test.passed else "FAILED"
        lines.append(f"{test.name:<24}  {test.value:+.5g} {test.unit}, limit {test.limit:g} {test.unit}  {verdict}")
        lines.append(f"{'':<26}{test.text}")
    for mean in found.averages:
        lines.append(_series_line(mean.name, mean.error_percent, mean.uncertainty_percent, mean.limits, mean.passed))
    return [*lines, "PASSED" if found.passed else "FAILED"]


def _series_line(name: str, error: float, uncertainty: float, limits: Limits, passed: bool) -> str:
    verdict = "passed" if passed else "FAILED"
    return f"{name:<24}  {error:+.5f} % ± {uncertainty:.5f} %, limit ±{limits.error_percent:g} %  {verdict}"


def comparison_lines(found: Comparison) -> list[str]:
    """Describe the comparison of two results, line by line."""
    marks = {found.provenance_a.mark, found.provenance_b.mark} - {""}
    lines = [*sorted(marks), *(f"note: {note}" for note in found.notes)]
    for each in found.compared:
        figures = f"A {_side(each.a, each.unit)}, B {_side(each.b, each.unit)}{_difference(each)}"
        lines.append(f"{each.name:<24}  {figures}  {'agree' if each.agree else 'PART'}")
    return [*lines, found.sentence]


def _side(side: Side, unit: str) -> str:
    verdict = {True: "passed", False: "FAILED", None: "not tested"}[side.passed]
    return verdict if side.value is None else f"{side.value:+.5f} {unit}"


def _difference(each: Compared) -> str:
    if each.difference is None or each.uncertainty is None:
        return ""
    normalized = "∞" if each.normalized is None else f"{each.normalized:.2f}"
    named = "En" if each.basis is Basis.UNCERTAINTY else "share of the tolerances"
    return f", B − A {each.difference:+.5f} {each.unit} ± {each.uncertainty:.5f} {each.unit}, {named} {normalized}"
