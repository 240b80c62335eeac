"""Metrics of Prometheus, made of a meter's newest reading when they are asked for (X-4, decision 099).

Names are by Prometheus's rules: the prefix of all, the unit without a prefix, `_total` of counters. Each figure has the
label `simulated`. While no meter is there, there are no figures of it, and `ae0764_meter_up` is 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from rig.publishing.figures import MEASURES, Figure, Kind
from rig.publishing.identity import MeterIdentity

PREFIX = "ae0764_"

UP = f"{PREFIX}meter_up"
INFO = f"{PREFIX}meter_info"


class Metrics(Collector):
    """The metrics of one meter; `identity` and `figures` are replaced as they come, None while no meter is there."""

    def __init__(self) -> None:
        self.shown: tuple[MeterIdentity, list[Figure]] | None = None

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name nothing beforehand: the registry need not ask for a reading."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Give all metrics."""
        shown = self.shown
        yield GaugeMetricFamily(UP, "1 while a meter is there and gives readings.", 0.0 if shown is None else 1.0)
        if shown is None:
            return
        identity, figures = shown
        made = identity.provenance
        simulated = "true" if made.simulated else "false"
        about = {
            "serial": identity.serial, "model": identity.model, "form": identity.form, "simulated": simulated,
            "mark": made.mark, "fidelity": made.fidelity, "version": made.version, "program": made.program,
            "calibration": made.calibration, "build": made.build, "vt_ratio": identity.vt_ratio,
            "ct_ratio": identity.ct_ratio,
        }  # fmt: skip
        info = GaugeMetricFamily(INFO, "What the meter is, and where its figures come from.", labels=list(about))
        info.add_metric(list(about.values()), 1)
        yield info
        for measure in MEASURES:
            having = [f for f in figures if f.measure is measure and f.number is not None]
            if not having:
                continue
            family_of = CounterMetricFamily if measure.kind is Kind.COUNTER else GaugeMetricFamily
            family = family_of(PREFIX + measure.metric, measure.help, labels=[*having[0].labels, "simulated"])
            for figure in having:
                number = figure.number
                assert number is not None
                family.add_metric([*figure.labels.values(), simulated], number)
            yield family
