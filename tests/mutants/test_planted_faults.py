"""The list of planted faults applies to the sources as they are, and what plants them finds what a test finds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests import rooms
from tests.mutants.__main__ import SHARE, TIME_LIMIT, summary
from tests.mutants.planted import LISTS, ROOT, Fault, FaultListError, faults
from tests.mutants.private_copy import PACKAGES, PrivateCopy, made_into_loops, tree_files
from tests.mutants.results import Result, Results

LISTED = faults()
WITHOUT: set[str] = set()
"""Rooms of rig/ that no fault is listed for yet."""

SUM = '''"""Adds."""


def total(one: int, other: int) -> int:
    return one + other


def difference(one: int, other: int) -> int:
    return one - other
'''
FAULT = Fault("a room", "a name", "rig/sum.py", "", "one + other", "one * other", ("tests/test_sum.py",), "", "")


def test_each_fault_is_still_one_of_its_file() -> None:
    told = []
    for fault in LISTED:
        try:
            compile(fault.planted(), fault.file, "exec")
        except (FaultListError, SyntaxError) as error:
            told.append(f"{fault.name}: {error}")
    assert told == []


def test_there_are_faults_in_every_room() -> None:
    """150 or more (issue 13, item 9), some in every package and in every folder of rig/ that has code of its own."""
    assert len(LISTED) >= 150
    there = {Path(fault.file).parent.as_posix() for fault in LISTED}
    assert {folder.split("/")[0] for folder in there} == set(PACKAGES)
    code = {path.parent.relative_to(ROOT) for path in rooms.modules("rig").values() if path.name != "__init__.py"}
    top = {folder.parts[1] for folder in code if len(folder.parts) > 1}
    assert top - {folder.split("/")[1] for folder in there if folder.startswith("rig/")} == WITHOUT


def test_the_results_are_of_the_list_and_enough_are_found() -> None:
    results = Results()
    assert set(results.by_name) == {fault.name for fault in LISTED}
    assert all(result.held for result in results.by_name.values())
    text, enough = summary(LISTED, results)
    assert enough, text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"old": "one / other"}, "has no 'one / other' any more"),
        ({"within": "def quotient"}, "has no 'def quotient' any more"),
        ({"old": "one"}, "has 'one' more than once; say where, by in"),
        ({"file": "rig/none.py"}, "rig/none.py cannot be read (No such file or directory)"),
    ],
)
def test_a_fault_that_no_longer_applies_is_an_error_that_says_so(tmp_path: Path, change: dict, says: str) -> None:
    (tmp_path / "rig").mkdir()
    (tmp_path / "rig" / "sum.py").write_text(SUM)
    assert "one * other" in FAULT.planted(tmp_path)
    with pytest.raises(FaultListError) as error:
        replace(FAULT, **change).planted(tmp_path)
    assert says in str(error.value)
    assert "a name" in str(error.value)


def test_a_fault_stands_behind_the_line_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "rig").mkdir()
    (tmp_path / "rig" / "sum.py").write_text(SUM)
    fault = replace(FAULT, within="def difference", old="one", new="other")
    assert fault.planted(tmp_path) == SUM.replace("def difference(one:", "def difference(other:")


GOOD = """tests = ["tests/rooms.py"]

[[fault]]
name = "a"
file = "rig/errors.py"
old = "x"
new = "y"
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tests = [", "list.toml: "),
        ("test = []", "'test' is no key of a list"),
        (GOOD + 'nwe = "z"\n', "list: a: 'nwe' is no key of a fault"),
        (GOOD.replace('old = "x"\n', ""), "list: a: 'old' is missing"),
        (GOOD.replace('"y"', "1"), "list: a: new is no text"),
        (GOOD.replace('["tests/rooms.py"]', "[]"), "list: a: no tests are named"),
        (GOOD.replace("rooms.py", "room.py"), "tests/room.py is not there"),
        (GOOD.replace('"y"', '"x"'), "old and new are the same"),
        (GOOD + GOOD.split("\n\n")[1], "two faults are called 'a'"),
    ],
)
def test_a_list_is_read_strictly(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "list.toml").write_text(GOOD)
    assert len(faults(tmp_path)) == 1
    (tmp_path / "list.toml").write_text(text)
    with pytest.raises(FaultListError) as error:
        faults(tmp_path)
    assert says in str(error.value)


def test_what_compiled_loops_are_made_of() -> None:
    """numba's cache looks at one file: a loop is compiled anew for a fault in any file that it has something of."""
    made = made_into_loops()
    assert {"gateware/model/decimation.py", "gateware/registers.py", "drivers/sim/modulator.py"} <= made
    assert not {"rig/meter/billing/demand.py", "drivers/gpio.py", "gateware/spi.py"} & made


def test_a_copy_is_of_the_tree_alone(tmp_path: Path) -> None:
    files = tree_files()
    assert "rig/errors.py" in files
    assert not [name for name in files if name.startswith(("build/", ".venv/", ".git/"))]


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PrivateCopy:
    """A copy of a tree of three files, of which one tests the other, one never ends and one leaves a process behind."""
    monkeypatch.setattr(
        "tests.mutants.private_copy.tree_files", lambda: ["tests/mutants/failures.py", "tests/mutants/planted.py"]
    )
    made = PrivateCopy(tmp_path / "copy", set())
    for name, text in {
        "rig/sum.py": SUM,
        "tests/test_sum.py": "from rig.sum import total\n\ndef test_total():\n    assert total(2, 3) == 5\n",
        "tests/test_long.py": "import time\n\ndef test_long():\n    time.sleep(60)\n",
        "tests/test_leaves.py": (
            "import os, subprocess, sys\n\ndef test_leaves():\n"
            "    left = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE,\n"
            "                            start_new_session=True)\n"
            f"    open({str(tmp_path / 'left')!r}, 'w').write(str(left.pid))\n"
            "    os._exit(0)\n"
        ),
        "pyproject.toml": '[tool.pytest.ini_options]\nmarkers = ["slow: slow"]\n',
    }.items():
        path = made.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return made


def test_a_fault_is_found_in_the_copy_and_is_gone_afterwards(copy: PrivateCopy) -> None:
    with copy.planted(FAULT):
        found = copy.pytest(FAULT.tests, 60, FAULT)
    assert (found.status, found.failed) == (1, ("tests/test_sum.py::test_total",))
    assert found.cpu_s > 0
    assert (copy.tree / FAULT.file).read_text() == SUM
    without = copy.pytest(found.failed, 60)
    assert (without.status, without.failed) == (0, ())


def test_a_fault_that_does_not_compile_is_found_as_the_file_is_collected(copy: PrivateCopy) -> None:
    with copy.planted(replace(FAULT, new="one +")):
        found = copy.pytest(FAULT.tests, 60)
    assert found.failed == ("tests/test_sum.py",)


def test_tests_that_do_not_end_are_ended(copy: PrivateCopy) -> None:
    assert copy.pytest(("tests/test_long.py",), 3).status is None


def test_what_a_test_leaves_running_is_killed(copy: PrivateCopy, tmp_path: Path) -> None:
    copy.pytest(("tests/test_leaves.py",), 60)
    left = int((tmp_path / "left").read_text())
    state = Path(f"/proc/{left}/stat")
    assert not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_results_are_kept_and_an_unsound_one_is_dropped(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.json")
    results.add("found", Result("t1", 1.0, "0"))
    results.add("by a test that always fails", Result("t2", 1.0, "0"))
    results.add("not found", Result("", 1.0, "0"))
    assert results.hold({"t2"}) == ["by a test that always fails"]
    again = Results(tmp_path / "results.json")
    assert again.by_name == {"found": Result("t1", 1.0, "0", True), "not found": Result("", 1.0, "0", True)}
    again.only({"found"})
    assert list(json.loads((tmp_path / "results.json").read_text())) == ["found"]


def test_what_is_enough(tmp_path: Path) -> None:
    """19 of 20 found is 95 %, and the one must be explained."""
    listed = tuple(replace(FAULT, name=str(k)) for k in range(20))
    results = Results(tmp_path / "results.json")
    for k in range(20):
        results.add(str(k), Result(TIME_LIMIT if k else "", 1.0, "0", True))
    assert SHARE == 0.95
    assert not summary(listed, results)[1]
    explained = (replace(listed[0], unfound="nobody can"), *listed[1:])
    assert summary(explained, results)[1]
    results.add("1", Result("", 1.0, "0", True))
    assert not summary((*explained[:1], replace(listed[1], unfound="nor this"), *listed[2:]), results)[1]
    results.by_name.pop("2")
    assert not summary(explained, results)[1]


def test_the_lists_are_where_they_are_looked_for() -> None:
    assert {path.stem for path in LISTS.glob("*.toml")} == {fault.room for fault in LISTED}
