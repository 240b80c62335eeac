"""A meter published to a real Mosquitto broker and a real Prometheus server (X-4)."""

from __future__ import annotations

import json
import re
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from rig.daemon.protocol import LogOn, ReadState, WriteProgram
from rig.hardware.publishing_config import PrometheusConfig
from rig.publishing.launch import launch_publishers
from tests.rig.publishing.publishing_bench import (
    REGISTERS,
    Meter,
    Mosquitto,
    Prometheus,
    Subscriber,
    Watch,
    free_port,
    kilo_digits,
    listens,
    unit_float,
    wait_for,
)

PROGRAM = '[meter]\nserial = "77 1"\n[demand]\nquantities = ["kW delivered", "kVA"]\n'
STATE, THERE = "ae0764/meter-77-1/state", "ae0764/meter-77-1/availability"


class Bench:
    """All of it, running: what `rig watch` prints goes into `readings`, by the instant of the reading."""

    def __init__(self, folder: Path) -> None:
        self.metrics = free_port()
        self.broker = Mosquitto(folder / "broker")
        self.meter = Meter(
            folder / "meter",
            f"[mqtt]\nenabled = true\nport = {self.broker.port}\nevery_s = 1\n"
            f"[prometheus]\nenabled = true\nport = {self.metrics}\n",
            PROGRAM,
        )
        self.watch = Watch(self.meter)
        self.publishers = launch_publishers(self.meter.config, self.meter.socket)
        self.subscriber: Subscriber = self.broker.subscriber("ae0764/#", "homeassistant/#")
        wait_for(lambda: listens(self.metrics))

    @property
    def readings(self) -> dict[int, dict]:
        return self.watch.readings

    @property
    def availability(self) -> str:
        """What the broker has said last of the meter; "" before it has said anything."""
        return ["", *self.subscriber.of(THERE)][-1]

    @property
    def registered(self) -> int:
        return self.meter.client.ask(ReadState())["registers"]["energy"]["q1"]["nwh"]

    def close(self) -> None:
        try:
            self.meter.stop()
        finally:
            for process in self.publishers:
                process.kill()
                process.wait()
            self.watch.close()
            self.subscriber.close()
            self.broker.close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("publishing"))
    try:
        yield bench
    finally:
        bench.close()


def scraped(port: int) -> dict[tuple[str, ...], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {
        (s.name, *sorted(s.labels.values())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def both(bench: Bench) -> tuple[dict, dict] | None:
    """A state at the broker and what `rig watch` printed of the same instant, with all that a meter knows in time."""
    for payload in reversed(bench.subscriber.of(STATE)):
        state = json.loads(payload)
        if state["utc_ns"] in bench.readings and state["kwh_delivered"] > "0.000000000000" and state["volts_a"]:
            return state, bench.readings[state["utc_ns"]]
    return None


def test_a_state_at_the_broker_is_what_watch_prints_digit_for_digit(bench: Bench) -> None:
    state, watch = wait_for(lambda: both(bench))
    quadrants = watch["exact"]["registers"]["energy"]
    for key, nano in REGISTERS.items():
        assert state[key] == kilo_digits(nano(quadrants))
        assert float(state[key]) == watch["registers"][key]
    for phase, its in watch["phases"].items():
        assert state[f"volts_{phase}"] == its["v_rms"]
        assert state[f"watts_{phase}"] == its["p_w"]
        assert state[f"power_factor_{phase}"] == its["pf"]
    assert state["hertz"] == watch["frequency_hz"]
    for demand, exact in zip(watch["demand"], watch["exact"]["registers"]["demand"], strict=True):
        key = demand["quantity"].lower().replace(" ", "_")
        assert state[f"{key}_present"] == kilo_digits(exact["total"]["present_nw"])
        assert float(state[f"{key}_present"]) == demand["present"]
    assert state["mark"] == "SIMULATED (exact)"
    wait_for(lambda: bench.availability == "online")


def test_metrics_are_what_watch_prints(bench: Bench) -> None:
    def found() -> tuple[dict, dict] | None:
        samples = scraped(bench.metrics)
        for utc_ns, raw in bench.readings.items():
            if samples.get(("ae0764_reading_timestamp_seconds", "true")) == utc_ns / 10**9:
                return samples, raw
        return None

    samples, watch = wait_for(found)
    energy = {key: unit_float(nano(watch["exact"]["registers"]["energy"])) for key, nano in REGISTERS.items()}
    assert samples["ae0764_active_energy_watthours_total", "delivered", "true"] == energy["kwh_delivered"]
    assert samples["ae0764_active_energy_watthours_total", "received", "true"] == energy["kwh_received"]
    assert samples["ae0764_reactive_energy_varhours_total", "lagging", "true"] == energy["kvarh_lagging"]
    assert samples["ae0764_apparent_energy_vahours_total", "td", "true"] == energy["kvah_td"]
    for phase, its in watch["phases"].items():
        assert samples["ae0764_voltage_volts", phase, "true"] == its["v_rms"]
    for output in watch["exact"]["outputs"]:
        label = {"test_led": "LED"}.get(output["name"], output["name"].upper())
        assert samples["ae0764_output_pulses_total", label, "true"] == output["pulses"]


@pytest.mark.slow
def test_prometheus_has_what_the_meter_had(bench: Bench, tmp_path: Path) -> None:
    """A register at the server, scraped at its own times, is one that `rig watch` printed."""
    server = Prometheus(tmp_path / "prometheus", bench.metrics)
    try:
        asked = 'ae0764_active_energy_watthours_total{direction="delivered"}[1m]'
        wait_for(lambda: [found for found in server.query(asked) if len(found["values"]) >= 3])
        (found,) = server.query(asked)
        values = [float(value) for _, value in found["values"]]
        wait_for(lambda: max(bench.readings) and unit_float(delivered(bench, max(bench.readings))) >= values[-1])
        printed = {unit_float(delivered(bench, utc_ns)) for utc_ns in bench.readings}
        assert values == sorted(values)
        assert set(values) <= printed
        assert found["metric"]["simulated"] == "true"
    finally:
        server.close()


def delivered(bench: Bench, utc_ns: int) -> int:
    return REGISTERS["kwh_delivered"](bench.readings[utc_ns]["exact"]["registers"]["energy"])


def test_metering_goes_on_while_publishers_hang_and_a_killed_one_is_offline(bench: Bench) -> None:
    mqtt, prometheus = bench.publishers
    wait_for(lambda: bench.availability == "online")
    for process in (mqtt, prometheus):
        process.send_signal(signal.SIGSTOP)
    before = bench.registered
    wait_for(lambda: bench.registered > before)
    for process in (mqtt, prometheus):
        process.send_signal(signal.SIGCONT)
    mqtt.kill()
    mqtt.wait()
    wait_for(lambda: bench.availability == "offline")
    config = msgspec.structs.replace(bench.meter.config, prometheus=PrometheusConfig())
    bench.publishers = [*launch_publishers(config, bench.meter.socket), prometheus]
    wait_for(lambda: bench.availability == "online")


def test_another_publisher_of_the_same_meter_is_refused(bench: Bench, command_line) -> None:
    refused = command_line("publish", "mqtt", "--config", bench.meter.file)
    assert refused.status == 2
    assert f"process {bench.publishers[0].pid}" in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.slow
def test_a_broker_that_goes_and_comes_back_is_told_all_again(bench: Bench, tmp_path: Path) -> None:
    port = bench.broker.port
    bench.subscriber.close()
    bench.broker.close()
    before = bench.registered
    wait_for(lambda: bench.registered > before)
    bench.broker = Mosquitto(tmp_path / "again", port=port)
    bench.subscriber = bench.broker.subscriber("ae0764/#", "homeassistant/#")
    wait_for(lambda: both(bench))
    wait_for(lambda: bench.availability == "online")
    kept = bench.broker.subscriber("homeassistant/#")
    wait_for(lambda: [topic for topic, _, retained in kept.messages if "kwh_delivered/config" in topic and retained])
    kept.close()


@pytest.mark.slow
def test_registers_only_grow_over_a_restart_and_publishers_end_with_their_meter(bench: Bench) -> None:
    key = ("ae0764_active_energy_watthours_total", "delivered", "true")
    before = wait_for(lambda: scraped(bench.metrics).get(key))
    bench.meter.stop()
    wait_for(lambda: all(process.poll() is not None for process in bench.publishers))
    assert [process.returncode for process in bench.publishers] == [0, 0]
    wait_for(lambda: bench.availability == "offline")
    bench.meter.start()
    bench.publishers = launch_publishers(bench.meter.config, bench.meter.socket)

    def after() -> float | None:
        try:
            return scraped(bench.metrics).get(key)
        except OSError:
            return None

    assert wait_for(after) >= before


@pytest.mark.slow
def test_a_program_for_another_model_takes_away_what_that_model_lacks(bench: Bench) -> None:
    """At the broker also what was retained of it, and the meter is named anew."""
    sensor = "homeassistant/sensor/meter-77-1/{}/config"
    wait_for(lambda: bench.subscriber.of(sensor.format("kvarh_lagging")))
    bench.meter.client.ask(LogOn("000000"))
    bench.meter.client.ask(WriteProgram('[meter]\nserial = "77 1"\nmodel = "AXLS4e"\n'))
    wait_for(lambda: bench.subscriber.of(sensor.format("kvarh_lagging"))[-1] == "")
    wait_for(lambda: bench.subscriber.of(sensor.format("kwh_net"))[-1].find('"AXLS4e, form 9S"') > 0)
    retained = bench.broker.subscriber("homeassistant/#", "ae0764/#")
    wait_for(lambda: any(topic == STATE for topic, _, _ in retained.messages))
    topics = {topic for topic, _, kept in retained.messages if kept}
    retained.close()
    assert sensor.format("kwh_delivered") in topics
    assert not {topic for topic in topics if re.search("kvarh|kva|kw_|/vars|rate_|demand_resets", topic)}
    last = json.loads(bench.subscriber.of(STATE)[-1])
    assert "kvarh_lagging" not in last
    assert last["rate"] is None
    samples = wait_for(lambda: {key for key in scraped(bench.metrics) if "AXLS4e" in key} and scraped(bench.metrics))
    names = {name for name, *_ in samples}
    assert "ae0764_active_energy_watthours_total" in names
    assert not {name for name in names if re.search("reactive|apparent|demand|rate_", name)}
