"""A series that is killed at any moment goes on: whole points stay as they are, none is measured twice or invented."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.rig.verify.series_process import SERIES, begin, check_series, end, kill_after, nobody_is_left, whole_lines


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_series_killed_anywhere_again_and_again_comes_to_its_end(tmp_path: Path, seed: int) -> None:
    (tmp_path / "s.series.toml").write_text(SERIES, encoding="utf-8")
    chance, kills, before = random.Random(seed), 0, list[bytes]()
    for _ in range(4):
        process = begin(tmp_path)
        kills += kill_after(process, tmp_path, "", chance.uniform(0, 4))
        after = whole_lines(tmp_path)
        assert after[: len(before)] == before
        assert len(after) <= 3
        before = after
    assert kills
    assert nobody_is_left(tmp_path)
    check_series(tmp_path, end(tmp_path))
