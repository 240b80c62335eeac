"""Result of a self-test, part by part (docs/json.md)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rig.results.provenance import Provenance


class Part(msgspec.Struct, frozen=True):
    """One part of the rig. `passed` is null where it could not be tested; the sentence says what was found, or why."""

    part: str
    passed: bool | None
    sentence: str


class SelfTest(msgspec.Struct, frozen=True):
    """The whole: it has passed where no part has failed, and at least one was tested."""

    passed: bool
    parts: list[Part]
    provenance: Provenance


def self_test(parts: Sequence[Part], provenance: Provenance) -> SelfTest:
    """Put the parts together."""
    verdicts = [part.passed for part in parts]
    return SelfTest(False not in verdicts and True in verdicts, list(parts), provenance)
