"""The choreographies of tests/hil, performed by a person: the same files, and the code that runs on hardware."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

HERE = Path(__file__).parent
HIL = HERE.parents[1] / "hil"

CONFTEST = f"""
import random
import sys
from contextlib import ExitStack

import pytest

sys.path.insert(0, {str(HERE)!r})
from someone import Someone, open_bench

from rig.pytest_plugin.plugin import begins_ns, program_of
from rig.hardware.config import Config

@pytest.fixture
def rig_bench(request, tmp_path):
    draw = random.Random(request.node.nodeid)
    late = (draw.uniform(0.15, 0.45) for _ in iter(int, 1))
    with ExitStack() as closing:
        program = program_of(request, Config())
        yield open_bench(Someone(delays_s=late), tmp_path, closing, program=program, begin_utc_ns=begins_ns(request))
"""


@pytest.mark.slow
@pytest.mark.parametrize("rows", sorted(path.name for path in HIL.glob("test_[dp][0-9]_*.py")))
def test_the_same_by_a_person(loaded, pytester, rows) -> None:
    pytester.makeconftest(CONFTEST)
    (pytester.path / rows).write_text((HIL / rows).read_text(encoding="utf-8"), encoding="utf-8")
    result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    assert result.parseoutcomes().keys() - {"warnings"} == {"passed"}  # the simulated rig has all that they ask for
