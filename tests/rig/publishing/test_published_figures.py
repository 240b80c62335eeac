"""What is published of a meter, by figures of its reading's JSON and by the rules of those who read it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from rig.daemon.protocol import Reading
from rig.face.face import Face
from rig.hardware.publishing_config import MqttConfig
from rig.meter.models import model_named
from rig.publishing.figures import ACTIVE, Figure, Kind, figures_of, possible_keys
from rig.publishing.identity import MeterIdentity
from rig.publishing.messages import Topics, discovery, state, withdrawal
from rig.publishing.metrics import Metrics
from rig.results.provenance import Provenance
from rig.results.summary import Summary
from tests.rig.publishing.home_assistant import faults
from tests.rig.publishing.publishing_bench import REGISTERS, kilo_digits, program, unit_float

DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana-dashboard.json"

MADE = Provenance(
    simulated=True, fidelity="exact", calibrated=False, version="0.1.0", commit="0123456789ab", build="c17abafc",
    program="093ee84e2ec8", configuration="d5aa20711dcf", calibration="0bc326bf7442", seed=1,
    begun_utc="2026-11-29T23:53:46+00:00",
)  # fmt: skip
METER = MeterIdentity('12 "345"\\\n', "RXRS4e", "9S", "60", "1/3", MADE)


FULL = model_named("RXRS4e")


@pytest.fixture(scope="module")
def raw() -> dict:
    """A reading as JSON, as a run printed it, with energy both ways and registers beyond 2^63 nWh."""
    return json.loads((Path(__file__).parent / "reading.json").read_text())


@pytest.fixture(scope="module")
def reading(raw: dict) -> Reading:
    summary = msgspec.convert(raw, Summary, strict=False)
    return Reading(summary, summary.phases, msgspec.convert(raw["face"], Face))


def test_energy_is_that_of_the_quadrants_digit_for_digit(raw: dict, reading: Reading) -> None:
    figures = {figure.key: figure for figure in figures_of(reading, FULL)}
    quadrants = {q: {k: int(v) for k, v in its.items()} for q, its in raw["exact"]["registers"]["energy"].items()}
    for key, nano in REGISTERS.items():
        assert figures[key].text == kilo_digits(nano(quadrants))
        assert figures[key].number == unit_float(nano(quadrants))
    assert figures["kwh_net"].text == kilo_digits(
        REGISTERS["kwh_delivered"](quadrants) - REGISTERS["kwh_received"](quadrants)
    )
    assert figures["kwh_net"].text.startswith("-")


@given(st.integers(-(10**40), 10**40))
def test_every_register_is_written_with_all_its_digits(nano: int) -> None:
    figure = Figure(ACTIVE, "k", "k", nano)
    assert figure.text == kilo_digits(nano)
    assert figure.number == unit_float(nano)


def test_keys_and_series_are_each_there_once(reading: Reading) -> None:
    figures = figures_of(reading, FULL)
    assert len({figure.key for figure in figures}) == len(figures)
    assert len({(figure.measure, *figure.labels.items()) for figure in figures}) == len(figures)
    assert all(re.fullmatch("[a-z0-9_]+", figure.key) for figure in figures)
    for measure in {figure.measure for figure in figures}:
        assert len({tuple(f.labels) for f in figures if f.measure is measure}) == 1


GRANTS = {
    # AE-0764: "AXLS4 is Wh only; AXS4 + demand + TOU; AXRS4 + load profile; RXS4 W + var, 4 quadrants; e: the S4e"
    "AXLS4": "", "AXLS4e": "", "AXS4": "demand tou", "AXS4e": "demand tou", "AXRS4": "demand tou",
    "AXRS4e": "demand tou", "RXS4": "demand tou reactive", "RXS4e": "demand tou reactive",
    "RXRS4": "demand tou reactive", "RXRS4e": "demand tou reactive",
}  # fmt: skip
NEEDS = (
    (r"kvarh_.*|kvah_.*|kva[rh]?_.*|vars_[abc]|voltamperes_[abc]", "reactive"),
    (r".*_rate_[abcd]|rate_[abcd]_in_force", "tou"),
    (r"kw_.*|kva_.*|kvar_.*|demand_resets", "demand"),
)
"""Keys by what a model needs for them, typed from the notice."""


def as_programmed(reading: Reading, granted: str) -> Reading:
    """The reading with such demand as a program of that model can have."""
    exact = reading.summary.exact
    demand = [each for each in exact.registers.demand if "reactive" in granted or each.quantity.startswith("kW ")]
    registers = msgspec.structs.replace(exact.registers, demand=demand if "demand" in granted else [])
    if "demand" not in granted:
        registers = msgspec.structs.replace(registers, peaks=[])
        exact = msgspec.structs.replace(exact, averaging=None)
    summary = msgspec.structs.replace(reading.summary, exact=msgspec.structs.replace(exact, registers=registers))
    return msgspec.structs.replace(reading, summary=summary)


@pytest.mark.parametrize("model", GRANTS)
def test_a_meter_has_the_figures_that_its_model_is_granted_and_no_other(model: str, reading: Reading) -> None:
    """In MQTT, in discovery and in Prometheus; what it lacks is withdrawn where it was retained."""
    complete = {figure.key for figure in figures_of(reading, FULL)}
    reading = as_programmed(reading, GRANTS[model])
    figures = figures_of(reading, model_named(model))
    keys = {figure.key for figure in figures}
    lacking = {
        key for key in complete for pattern, need in NEEDS if re.fullmatch(pattern, key) and need not in GRANTS[model]
    }
    assert keys == complete - lacking
    assert {"kwh_delivered", "kwh_received", "kwh_net", "volts_a", "power_factor_c"} <= keys
    assert ("kvarh_lagging" in keys) == ("reactive" in GRANTS[model])
    topics = Topics.of(MqttConfig(), "m")
    content = json.loads(state(topics, METER, reading, figures).payload)
    assert lacking & content.keys() == set()
    assert (content["rate"] is None) == ("tou" not in GRANTS[model])
    gone = withdrawal(topics, possible_keys() - keys)
    told = discovery(topics, MqttConfig(), METER, figures)
    assert {message.topic for message in gone} & {message.topic for message in told} == set()
    assert lacking <= {message.topic.split("/")[-2] for message in gone}
    assert {message.payload for message in gone} == {b""}
    metrics, registry = Metrics(), CollectorRegistry()
    registry.register(metrics)
    metrics.shown = METER, figures
    text = generate_latest(registry).decode()
    for name, need in (
        ("ae0764_reactive_energy_varhours", "reactive"), ("ae0764_apparent_energy_vahours", "reactive"),
        ("ae0764_net_reactive_energy", "reactive"), ("ae0764_reactive_power_vars", "reactive"),
        ("ae0764_apparent_power_voltamperes", "reactive"), ("ae0764_rate_", "tou"), ("ae0764_demand_resets", "demand"),
    ):  # fmt: skip
        assert (name in text) == (need in GRANTS[model]), name


def test_every_figure_that_a_program_can_take_away_is_known(reading: Reading) -> None:
    always = r"hertz|amperes_neutral|pulses_.*|diagnostic_.*|trouble_.*|utc_seconds"
    complete = {figure.key for figure in figures_of(reading, FULL)}
    assert {key for key in complete if not re.fullmatch(always, key)} <= possible_keys()


def test_home_assistant_takes_what_it_is_told(reading: Reading) -> None:
    config = MqttConfig(every_s=7)
    topics = Topics.of(config, METER.id(None))
    assert re.fullmatch("[A-Za-z0-9_-]+", topics.id)
    figures = figures_of(reading, FULL)
    told = discovery(topics, config, METER, figures)
    assert len({message.topic for message in told}) == len(figures)
    content = json.loads(state(topics, METER, reading, figures).payload)
    assert content["mark"] == "SIMULATED (exact)  UNCALIBRATED"
    unique = set()
    for message, figure in zip(told, figures, strict=True):
        assert re.fullmatch(r"homeassistant/sensor/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/config", message.topic)
        said = json.loads(message.payload)
        unique.add(said["unique_id"])
        (key,) = re.fullmatch(r"\{\{ value_json\.([a-z0-9_]+) \}\}", said["value_template"]).groups()
        assert content[key] == (figure.text or figure.value)
        assert said["expire_after"] == 21
        assert "SIMULATED" in said["device"]["name"]
        assert list(faults(message.topic, said)) == [], message.topic
        counts = figure.measure.kind is Kind.COUNTER
        assert (said["state_class"] == "total_increasing") is counts
    assert len(unique) == len(told)
    assert discovery(Topics.of(MqttConfig(discovery="none"), "m"), config, METER, figures) == []


WELL = {
    "name": "kWh", "unique_id": "a", "state_topic": "a/b", "device": {"identifiers": ["a"]}, "device_class": "energy",
    "state_class": "total", "unit_of_measurement": "kWh",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unit": "kWh"}, "sensor has no unit"),
        ({"expire_after": "6"}, "sensor expire_after is str, it must be int"),
        ({"device": {"name": "meter"}}, "a device has identifiers or connections"),
        ({"device": {"identifiers": ["a"], "serial": "1"}}, "device has no serial"),
        ({"state_topic": "a/#"}, "state_topic is no topic"),
        ({"state_class": "measurement"}, "energy is no measurement"),
        ({"unit_of_measurement": "kvarh"}, "energy is not in kvarh"),
        ({"device_class": "apparent_energy"}, "apparent_energy is no device class"),
        ({"entity_category": "config"}, "can only be diagnostic"),
        ({"value_template": "value_json.kwh"}, "value_template is a template"),
    ],
)
def test_the_rules_of_home_assistant_find_what_is_wrong(change: dict[str, object], said: str) -> None:
    topic = "homeassistant/sensor/meter/kwh/config"
    assert list(faults(topic, WELL)) == []
    assert any(said in fault for fault in faults(topic, WELL | change))
    assert list(faults("homeassistant/sensor/me ter/kwh/config", WELL))


def metrics_text(reading: Reading) -> bytes:
    metrics, registry = Metrics(), CollectorRegistry()
    registry.register(metrics)
    metrics.shown = METER, figures_of(reading, FULL)
    return generate_latest(registry)


def test_prometheus_finds_nothing_wrong_with_the_metrics(reading: Reading) -> None:
    """Its own linter, of names, units and help."""
    found = subprocess.run(
        [program("promtool"), "check", "metrics"], input=metrics_text(reading), capture_output=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")


def test_a_metric_says_that_it_is_simulated_and_what_it_is_of(reading: Reading) -> None:
    samples = [s for family in text_string_to_metric_families(metrics_text(reading).decode()) for s in family.samples]
    assert {s.labels["simulated"] for s in samples if s.name != "ae0764_meter_up"} == {"true"}
    (info,) = [s for s in samples if s.name == "ae0764_meter_info"]
    assert info.labels["serial"] == METER.serial
    assert info.labels["mark"] == "SIMULATED (exact)  UNCALIBRATED"


def test_without_a_meter_there_is_no_figure() -> None:
    registry = CollectorRegistry()
    registry.register(Metrics())
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    assert lines == ["ae0764_meter_up 0.0"]


def expressions(panel: object) -> list[str]:
    match panel:
        case dict():
            here = [panel["expr"]] if "expr" in panel else []
            return here + [e for value in panel.values() for e in expressions(value)]
        case list():
            return [e for value in panel for e in expressions(value)]
    return []


def test_the_dashboard_asks_for_metrics_that_there_are(reading: Reading) -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    samples = [s for family in text_string_to_metric_families(metrics_text(reading).decode()) for s in family.samples]
    labels = {s.name: set(s.labels) for s in samples}
    asked = expressions(dashboard)
    assert len(asked) >= 10
    names = set()
    for expression in asked:
        for name, selected in re.findall(r"\b(ae0764_\w+)(?:\{([^}]*)\})?", expression):
            assert name in labels, f"{expression}: there is no {name}"
            assert set(re.findall(r"(\w+)\s*=", selected)) <= labels[name] | {"instance", "job"}
            names.add(name)
        by = re.findall(r"by \(([^)]*)\)", expression)
        assert {word.strip() for words in by for word in words.split(",")} <= {"instance"} | set.union(*labels.values())
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]
    legends = [(re.findall(r"ae0764_\w+", target["expr"]), target["legendFormat"]) for target in targets]
    for metrics, legend in legends:
        assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= set.union(*(labels[name] for name in metrics)), legend
    assert [metrics for metrics, legend in legends if "{{mark}}" in legend] == [["ae0764_meter_info"]]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_each_panel_of_the_dashboard_is_one_that_grafana_draws() -> None:
    """By Grafana's documented JSON model (grafana.com/docs, "View dashboard JSON"): a grid of 24 columns in which
    nothing overlaps, panels of its own, queries with a letter each, variables that are defined.
    """
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard.get("id") is None, "an import gives it one"
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", dashboard["uid"])
    variables = {each["name"] for each in dashboard["templating"]["list"]} | {
        "__rate_interval",
        "__interval",
        "__range",
    }
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        assert panel["type"] in {"stat", "timeseries", "barchart", "state-timeline", "gauge", "table", "text"}
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
        letters = [target["refId"] for target in panel["targets"]]
        assert letters, panel["title"]
        assert len(set(letters)) == len(letters)
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert re.search(r"\bae0764_\w+", target["expr"]), f"{panel['title']} asks for no metric"
    text = DASHBOARD.read_text()
    assert set(re.findall(r"\$\{?(\w+)", text)) <= variables


def test_prometheus_understands_every_query_of_the_dashboard(tmp_path: Path) -> None:
    """Its own parser, of each as a rule with Grafana's variables filled in."""
    asked = expressions(json.loads(DASHBOARD.read_text()))
    filled = [re.sub(r"\$__\w+", "5m", each).replace("$instance", "127.0.0.1:9764") for each in asked]
    rules = [{"record": f"query:{k}", "expr": each} for k, each in enumerate(filled)]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    found = subprocess.run([program("promtool"), "check", "rules", file], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert f"{len(rules)} rules found" in found.stdout
