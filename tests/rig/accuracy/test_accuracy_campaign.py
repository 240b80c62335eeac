"""Whole accuracy tests: what is kept and taken again, what dies on the way, and the command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from rig.accuracy.campaign import judged_points, measured
from rig.accuracy.errors import AccuracyError
from rig.accuracy.figures import verdict
from rig.accuracy.kept import Kept
from rig.accuracy.plan import planned, signal_s
from rig.accuracy.run import Measured, Segment
from rig.accuracy.workers import check_address
from tests.rig.accuracy.runs import chosen, plain_meter

RIG = [sys.executable, "-c", "from rig.cli.app import main; main()"]


def command(tmp_path: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    words = ("accuracy", *words, "--kept", str(tmp_path / "kept"))
    return subprocess.run([*RIG, *words], capture_output=True, text=True, env={**os.environ, **more}, timeout=120)


class Counting(Kept):
    """Kept results that count what was measured anew."""

    added = 0

    def add(self, run, found) -> None:
        self.added += 1
        super().add(run, found)


def test_what_was_measured_is_taken_again_and_what_is_damaged_is_not(tmp_path):
    table, meter = chosen("0.2S PF1 Imax", "0.2S voltage +10% 1 Imax"), plain_meter()
    first = Counting(tmp_path)
    points = judged_points(table, meter, first, 2)
    assert first.added == 2  # the influence is compared with the other point's run
    again = Counting(tmp_path)
    assert judged_points(table, meter, again, 2) == points
    assert again.added == 0
    for damage in (b"", b"\x00" * 50, None):
        file = sorted(tmp_path.glob("*.json"))[0]
        whole = file.read_bytes()
        file.write_bytes(whole.replace(b'"nwh":', b'"nwh":1', 1) if damage is None else damage)
        mended = Counting(tmp_path)
        assert judged_points(table, meter, mended, 1) == points
        assert mended.added == 1


def test_other_code_has_other_keys(tmp_path, monkeypatch):
    table, meter = chosen("0.2S PF1 Imax"), plain_meter()
    judged_points(table, meter, Kept(tmp_path), 1)
    monkeypatch.setattr("rig.accuracy.kept.code_digest", lambda: "another build")
    assert Kept(tmp_path).get(planned(table, meter)[0].runs[0]) is None


def test_a_folder_that_cannot_be_written_costs_only_the_keeping(tmp_path, monkeypatch):
    def full(contents):
        from rig.files.whole import FileError

        raise FileError("it cannot be written (No space left on device): choose a writable folder with room")

    monkeypatch.setattr("rig.accuracy.kept.write_files", full)
    kept = Kept(tmp_path)
    points = judged_points(chosen("0.2S PF1 Imax"), plain_meter(), kept, 1)
    assert points[0].passed
    assert "No space left" in kept.trouble


def test_two_tests_at_once_that_keep_the_same_do_not_trouble_each_other(tmp_path, monkeypatch):
    """The other has taken the file's temporary name away, and it holds what this one has found."""
    from rig.files.whole import FileError, write_files

    run, found = planned(chosen("0.2S PF1 Imax"), plain_meter())[0].runs[0], Measured([], None, [])

    def taken(contents):
        write_files(contents)
        raise FileError("it cannot be written (No such file or directory): choose a writable folder with room")

    monkeypatch.setattr("rig.accuracy.kept.write_files", taken)
    kept = Kept(tmp_path)
    kept.add(run, found)
    assert kept.trouble == ""
    assert kept.get(run) == found


def test_a_worker_that_is_killed_costs_one_run(tmp_path, monkeypatch):
    """A worker of the first pool is killed as soon as there is one; the runs are measured all the same."""
    from concurrent.futures import ProcessPoolExecutor

    killed = []

    class Fragile(ProcessPoolExecutor):
        def submit(self, *words):
            future = super().submit(*words)
            if not killed:
                worker = next(iter(self._processes.values()))
                os.kill(worker.pid, signal.SIGKILL)
                killed.append(worker.pid)
            return future

    monkeypatch.setattr("rig.accuracy.workers.ProcessPoolExecutor", Fragile)
    found = measured(planned(chosen("0.2S PF1 Imax", "0.2S PF1 100"), plain_meter()), Kept(tmp_path), 1, None, print)
    assert killed
    assert len(found) == 2


def dying(run):
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_that_die_again_and_again_end_it(tmp_path, monkeypatch):
    monkeypatch.setattr("rig.accuracy.workers.measure", dying)
    monkeypatch.setattr("rig.accuracy.workers.ATTEMPTS", 2)
    with pytest.raises(AccuracyError, match="--jobs 1"):
        judged_points(chosen("0.2S PF1 Imax"), plain_meter(), Kept(tmp_path), 1)


@pytest.mark.parametrize(
    ("error", "uncertainty", "limit", "passed", "says"),
    [
        (0.1, 0.05, 0.2, True, "within"),
        (-0.1, 0.05, 0.2, True, "within"),
        (0.19, 0.02, 0.2, False, "may be beyond"),
        (-0.19, 0.02, 0.2, False, "may be beyond"),
        (0.3, 0.0, 0.2, False, "is beyond"),
        (0.0, 0.0, None, False, "not in the table"),
    ],
)
def test_verdicts(error, uncertainty, limit, passed, says):
    found, text = verdict(error, uncertainty, limit)
    assert found is passed
    assert says in text


def test_points_that_a_meter_does_not_have_are_not_tested():
    table = chosen("0.2S self-heating", "0.2S temperature coefficient PF1 Imax", "0.2S single-phase load C 0.5L Imax")
    meter = plain_meter()
    why = {plan.point.name: plan.why_not for plan in planned(table, meter)}
    assert "hardware" in why["0.2S self-heating"]
    assert "components" in why["0.2S temperature coefficient PF1 Imax"]
    assert why["0.2S single-phase load C 0.5L Imax"] == ""


def test_windows_are_as_long_as_the_wanted_uncertainty_needs():
    """A quarter of the current has four times the noise, so sixteen times the time."""
    meter, lengths = plain_meter(), {}
    for name in ("0.2S PF1 1%In", "0.2S PF1 5"):
        (plan,) = planned(chosen(name), meter)
        lengths[name] = signal_s(plan.runs[0])
    assert max(lengths.values()) < 3
    (strict,) = planned(chosen("0.2S repeatability 5"), meter)[:1]
    assert strict.runs[0].cycles > 1


def test_the_command_prints_exactly_the_json_that_is_documented(tmp_path):
    words = ("--standard", "iec62053-22", "--class", "0.2S", "--points", "0.2S PF1 Imax")
    done = command(
        tmp_path, *words, "--json", "--report", str(tmp_path / "a.json"), "--report", str(tmp_path / "a.html")
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found) == ["standard", "class", "passed", "points", "provenance"]
    assert list(found["points"][0]) == [
        "name", "error_percent", "limit_percent", "uncertainty_percent", "passed", "verified_source",
    ]  # fmt: skip
    assert found["passed"] is True
    assert found["provenance"]["fidelity"] == "exact"
    render = [*RIG, "report", "render", str(tmp_path / "a.json"), str(tmp_path / "b.html")]
    subprocess.run(render, check=True, capture_output=True, timeout=60)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert b"SIMULATED (exact)" in (tmp_path / "a.html").read_bytes()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--standard is missing"),
        (("--standard", "iec99", "--class", "1"), "iec62053-22"),
        (("--standard", "iec62053-22"), "--class is missing"),
        (("--standard", "iec62053-22", "--class", "9"), "0.1S, 0.2S, 0.5S"),
        (("--standard", "iec62053-22", "--class", "0.2S", "--points", "nothing*"), "matches none"),
        (("--points", "absent.toml"), "absent.toml cannot be read"),
        (("--standard", "iec62053-22", "--class", "0.2S", "--points", "own.toml"), "leave out --standard"),
        (("--standard", "iec62053-22", "--class", "0.2S", "--report", "x.doc"), ".html or .pdf"),
        (("--standard", "iec62053-22", "--class", "0.2S", "--meter", "absent.toml"), "absent.toml"),
        (("--standard", "ansi-c12.1", "--class", "in-service", "--scheduler", "tcp://127.0.0.1:1"), "--scheduler"),
        (("--standard", "ansi-c12.1", "--class", "in-service", "--scheduler", "nonsense"), "--scheduler"),
    ],
)
def test_the_command_refuses_in_a_sentence(tmp_path, words, says, monkeypatch):
    monkeypatch.setattr("rig.accuracy.workers.CONNECT_S", 1)
    from typer.testing import CliRunner

    from rig.cli.app import app
    from rig.failures import MENDABLE

    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["accuracy", *words, "--kept", str(tmp_path / "kept")])  # nothing was measured yet
    assert isinstance(done.exception, MENDABLE), done.output
    sentence = str(done.exception)
    assert says in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "address", ["nonsense", "", "tcp://", "tcp://10.0.0.2", "tcp://10.0.0.2:", "10.0.0.2:8786", "tcp://10.0.0.2:0",
                "tcp://10.0.0.2:65536", "http://10.0.0.2:8786", "tcp://a b:1", "tcp://10.0.0.2:٣", "tcp://x:1\n"]
)  # fmt: skip
def test_what_cannot_be_a_schedulers_address_is_refused(address):
    with pytest.raises(AccuracyError, match=r"--scheduler is .* with its port, such as tcp://"):
        check_address(address)


@pytest.mark.parametrize("address", ["tcp://10.0.0.2:8786", "tls://host-1.example:1", "tcp://[fe80::1]:65535"])
def test_addresses_of_schedulers_are_taken(address):
    check_address(address)


def test_an_address_is_judged_before_anything_is_looked_up(tmp_path):
    """Everything is kept already: the cluster would not be asked, and yet nonsense is not passed over."""
    words = ("--standard", "iec62053-22", "--class", "0.2S", "--points", "0.2S PF1 Imax")
    assert command(tmp_path, *words).returncode == 0
    done = command(tmp_path, *words, "--scheduler", "nonsense")
    assert done.returncode == 2
    assert "--scheduler is 'nonsense'" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_a_test_that_is_killed_goes_on_where_it_was(tmp_path, ending):
    """kill -9, or Ctrl-C, once a run is kept: the next test measures the rest alone, and no worker lives on."""
    asked = ("--standard", "iec62053-22", "--class", "0.2S", "--points", "0.2S *0.8C*", "--jobs", "1")
    words = [*RIG, "accuracy", *asked, "--kept", str(tmp_path)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*.json")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(ending)
    process.wait()
    kept = len(list(tmp_path.glob("*.json")))
    assert 0 < kept < 8
    while _alive(process.pid):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.05)
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.json"))) == 8


def _alive(session: int) -> bool:
    """Whether a process of a session lives."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            return True
    return False


def test_segments_are_plain_data():
    found = Measured([Segment(1.0, 5, -3, 0.1, 0.2, 0.3)], None, [])
    assert msgspec.json.decode(msgspec.json.encode(found), type=Measured) == found
