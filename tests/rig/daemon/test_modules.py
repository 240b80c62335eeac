"""Every module at a meter that runs, one after the other: what it reads and asks, what it is refused, what the log has.

The meter is an AXS4e, the one model that takes all of them. Expected is what tests/rig/access/module_grants.py has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.communication.modules.external import EPOCH_NS, ExternalMeter
from rig.communication.modules.far_end import FarEndError, read_as_module, request_of
from rig.daemon.client import ClientError, MeterClient, RequestRefusedError
from rig.daemon.protocol import (
    Asked,
    LogOn,
    ReadContacts,
    ReadLog,
    ReadParts,
    ReadProfile,
    ReadProgram,
    ReadPulses,
    ReadSelf,
    ReadSnapshots,
    ReadState,
    Stop,
    Topic,
    WriteProgram,
)
from tests.rig.access.module_grants import ANYTHING, MAY_DO, MAY_READ
from tests.rig.conftest import Ending
from tests.rig.daemon.test_requests import Running

PROGRAM = """
[meter]
model = "AXS4e"
module = "{module}"
[clock]
zone = "UTC"
[demand]
interval_minutes = 15
quantities = ["kW delivered"]
[[outputs]]
name = "KYZ1"
function = "pulses"
kp_wh = "0.15"
[[outputs]]
name = "KYZ2"
function = "eoi"
"""
REFUSED = ("refused", "reading refused")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path, PROGRAM.format(module="TS1"))
    yield made
    if made.launched.process.poll() is None:
        made.kill()


def fit(running: Running, module: str) -> None:
    running.client.ask(LogOn("000000"))
    running.client.ask(WriteProgram(PROGRAM.format(module=module)))


def granted(client: MeterClient, asked: Asked) -> bool:
    try:
        client.ask(asked)
    except RequestRefusedError as error:
        return error.why is None
    return True


REQUESTS: dict[str, Asked] = {
    "event log": ReadLog(),
    "load profile": ReadProfile(),
    "closed periods": ReadSnapshots(["self read"]),
    "meter information": ReadProgram(),
}


def each_module_has_what_the_notice_grants_and_nothing_else(running: Running) -> None:
    for module, may_read in MAY_READ.items():
        fit(running, module)
        with MeterClient.connect(running.socket, "module", module) as client:
            values = [part for part in ANYTHING if part != "event log"]
            assert {part for part in values if granted(client, ReadParts([part]))} == may_read & set(values)
            assert {part for part, asked in REQUESTS.items() if granted(client, asked)} == may_read & REQUESTS.keys()
            assert granted(client, ReadState()) is (may_read == ANYTHING)
            assert granted(client, ReadPulses("KYZ1")) is ("kWh pulses" in may_read)
            assert not granted(client, ReadPulses("KYZ2")), "it gives no kWh"
            assert granted(client, ReadSelf()) is ("self-read" in MAY_DO.get(module, set()))
    lines = running.client.ask(ReadLog(512))["events"]
    assert {line["details"]["name"] for line in lines if line["name"] in REFUSED} == set(MAY_READ)


def the_log_names_the_part(running: Running) -> None:
    fit(running, "UtiliNet")
    with MeterClient.connect(running.socket, "module", "UtiliNet") as client:
        with pytest.raises(RequestRefusedError, match="module UtiliNet is not granted demand: it may read kWh del"):
            client.ask(ReadParts(["kWh delivered", "demand"]))
        found = read_as_module(client, "UtiliNet")
    assert list(found.parts) == ["kWh delivered", "kWh received", "kWh net"]
    delivered, received, net = (values["nwh"] for values in found.parts.values())
    assert net == delivered - received, "all of one instant"
    lines = [line for line in running.client.ask(ReadLog(512))["events"] if line["name"] == "reading refused"]
    found_lines = [line["details"] for line in lines if line["details"]["name"] == "UtiliNet"]
    assert [line["part"] for line in found_lines] == ["demand"]


def values_are_those_of_the_exact_reading(running: Running) -> None:
    fit(running, "TS2")
    with MeterClient.connect(running.socket, "module", "TS2") as client:
        before: dict[str, Any] = client.ask(ReadState())
        parts = client.ask(ReadParts(["kWh delivered", "demand", "service information"]))
        after: dict[str, Any] = client.ask(ReadState())
    delivered = [sum(state["registers"]["energy"][q]["nwh"] for q in ("q1", "q4")) for state in (before, after)]
    assert delivered[0] <= parts["kWh delivered"]["nwh"] <= delivered[1]
    assert [each["quantity"] for each in parts["demand"]["demand"]] == ["kW delivered"]
    assert parts["service information"]["service"] in (before["service"], after["service"])


def ssmm_counts_pulses_of_a_wire(running: Running) -> None:
    fit(running, "SSMM")
    with MeterClient.connect(running.socket, "module", "SSMM") as client:
        first = read_as_module(client, "SSMM")
        assert first.pulses is not None
        assert first.parts == {}
        assert (first.pulses["output"], first.pulses["quantity"]) == ("KYZ1", "kWh delivered")
        with pytest.raises(
            RequestRefusedError, match="module SSMM is not granted other pulses: it may read kWh pulses"
        ):
            client.ask(ReadPulses("KYZ2"))
        with pytest.raises(RequestRefusedError, match="is no output with contacts: give KYZ1, KYZ2"):
            client.ask(ReadPulses("LED"))


def cmt_sx_resets_demand_without_a_key_and_ts2_does_not_with_one(running: Running) -> None:
    fit(running, "TWACS CMT-SX")
    resets = running.client.ask(ReadState())["resets"]
    with MeterClient.connect(running.socket, "module", "TWACS CMT-SX") as client:
        found = read_as_module(client, "TWACS CMT-SX", asked=[("demand reset", request_of("demand reset", ""))])
    assert found.done == ["demand reset"]
    assert running.client.ask(ReadState())["resets"] == resets + 1
    (line,) = [line["details"] for line in running.client.ask(ReadLog(512))["events"] if line["name"] == "demand reset"]
    assert line == {"cause": "communication", "resets": resets + 1, "source": "module", "name": "TWACS CMT-SX"}
    fit(running, "TS2")
    with (
        MeterClient.connect(running.socket, "module", "TS2") as client,
        pytest.raises(RequestRefusedError, match="module TS2 is not granted demand reset: it may ask read"),
    ):
        read_as_module(client, "TS2", asked=[("demand reset", request_of("demand reset", ""))], key="000000")


def metrum_writes_a_program_in_its_own_name_though_that_fits_another(running: Running) -> None:
    fit(running, "METRUM")
    with MeterClient.connect(running.socket, "module", "METRUM") as client:
        client.ask(LogOn("000000"))
        client.ask(WriteProgram(PROGRAM.format(module="TS2")))
    last = [line["details"] for line in running.client.ask(ReadLog(512))["events"] if line["name"] == "programmed"][-1]
    assert (last["source"], last["name"]) == ("module", "METRUM")


def ts2_mu_passes_on_what_it_hears_beside_the_meter(running: Running) -> None:
    fit(running, "TS2 MU")
    with MeterClient.connect(running.socket, "module", "TS2 MU") as client:
        at_ns = EPOCH_NS + 3600 * 10**9 + 100 * 10**9
        found = read_as_module(client, "TS2 MU", external=[ExternalMeter("water", 36)], utc_ns=at_ns)
    assert [(each.name, each.count, each.simulated) for each in found.external] == [("water", 37, True)]
    fit(running, "TS2")
    with (
        MeterClient.connect(running.socket, "module", "TS2") as client,
        pytest.raises(FarEndError, match="module TS2 hears no meters beside its own"),
    ):
        read_as_module(client, "TS2", external=[ExternalMeter("water", 36)])


def a_module_has_nothing_of_the_rig_and_no_publications(running: Running) -> None:
    fit(running, "STAR MTU")
    with MeterClient.connect(running.socket, "module", "STAR MTU") as client:
        for asked in (ReadContacts(), Stop()):
            with pytest.raises(RequestRefusedError, match="has nothing of the rig"):
                client.ask(asked)
        client.subscribe(Topic.STATE)
        with pytest.raises(ClientError, match="a module is given what it asks for, and no publications"):
            client.ask(ReadParts(["kWh net"]))


def a_module_that_was_taken_out_is_refused_at_once(running: Running) -> None:
    fit(running, "iModule")
    with MeterClient.connect(running.socket, "module", "iModule") as client:
        client.ask(ReadParts(["demand"]))
        fit(running, "TS1")
        with pytest.raises(RequestRefusedError, match="module iModule is not fitted to this meter"):
            client.ask(ReadParts(["demand"]))


def parts_that_there_are_not(running: Running) -> None:
    for parts in (["kWh"], [""], ["demand", "x" * 5000]):
        with pytest.raises(RequestRefusedError, match="is no part of the readings: give kWh delivered, kWh received"):
            running.client.ask(ReadParts(parts))
    with pytest.raises(RequestRefusedError, match="event log has no value: ask for its pages"):
        running.client.ask(ReadParts(["event log"]))


def test_one_module_after_the_other(running: Running, command_line: Callable[..., Ending]) -> None:
    """One meter for all: each of these fits the module that it is about."""
    for check in (
        the_log_names_the_part,
        values_are_those_of_the_exact_reading,
        ssmm_counts_pulses_of_a_wire,
        cmt_sx_resets_demand_without_a_key_and_ts2_does_not_with_one,
        metrum_writes_a_program_in_its_own_name_though_that_fits_another,
        ts2_mu_passes_on_what_it_hears_beside_the_meter,
        a_module_has_nothing_of_the_rig_and_no_publications,
        a_module_that_was_taken_out_is_refused_at_once,
        parts_that_there_are_not,
        each_module_has_what_the_notice_grants_and_nothing_else,
    ):
        check(running)
    the_far_end_as_a_command(running, command_line)


def the_far_end_as_a_command(running: Running, command_line: Callable[..., Ending]) -> None:
    """Exit 0 with a reading, 1 with the meter's reason, 2 for what is no module, part or action."""

    fit(running, "TS1")

    def rig(*words: str) -> Ending:
        return command_line("module", *words, "--socket", running.socket)

    done = rig("TS1", "--read", "kWh delivered", "--json")
    assert done.status == 0, done
    found = json.loads(done.out)
    assert (found["module"], found["provenance"]["simulated"], list(found["parts"])) == ("TS1", True, ["kWh delivered"])
    shown = rig("TS1")
    assert (shown.status, "SIMULATED (exact)  module TS1, by registers" in shown.out) == (0, True)
    line = next(line for line in rig("TS1", "--read", "kWh delivered").out.splitlines() if line.startswith("kWh del"))
    assert re.fullmatch(r"kWh delivered +0\.0\d+ kWh", line), line
    assert "{" not in shown.out
    tables = json.loads(rig("TS1", "--table", "23,28", "--json").out)["tables"]
    assert [(each["title"], len(each["data"]) > 20, each["refused"]) for each in tables] == [
        ("ST23", True, None), ("ST28", True, None),
    ]  # fmt: skip
    some = rig("TS1", "--table", "ST1,ST23")
    assert some.status == 1
    assert "rig: ST1: module TS1 is not granted meter information" in some.err
    assert [line.split()[0] for line in some.out.splitlines()[1:]] == ["ST1", "ST23"]
    assert "not given: module TS1 is not granted meter information" in some.out
    for words, status, said in (
        (("TS1", "--table", "ST"), 2, "--table: 'ST' is no table: give such as ST1,23,60-64,MT2"),
        (("TS1", "--read", "event log"), 1, "module TS1 is not granted event log: it may read kWh delivered"),
        (("TS1", "--ask", "demand reset"), 1, "module TS1 is not granted demand reset: it may ask read"),
        (("TS2",), 1, "module TS2 is not fitted to this meter"),
        (("TS1", "--pulse-output", "KYZ1"), 1, "module TS1 is not granted kWh pulses"),
        (("ts1",), 2, "'ts1' is no module of the notice: give TWACS CMT-SE"),
        (("TS1", "--ask", "calibrate"), 2, "'calibrate' is nothing that can be asked: give demand reset"),
        (("TS1", "--ask", "write program"), 2, "write program needs a program: give it by --program-file"),
        (("TS1", "--external", "water=36"), 2, "module TS1 hears no meters beside its own"),
        (("TS1", "--read", "kWh"), 2, "'kWh' is no part of the readings: give kWh delivered, kWh received"),
        (("TS1", "--pulse-output", "LED"), 2, "'LED' is no output with contacts: give KYZ1, KYZ2, KYZ3, KYZ4"),
        (("TS2 MU", "--external", "water"), 2, "'water' is no external meter"),
        (("TS2 MU", "--external", "a=1", "--external", "a=2"), 2, "external meter 'a' is given twice"),
    ):
        ended = rig(*words)
        assert (ended.status, said in ended.err) == (status, True), (words, ended)
        assert ended.out == ""
