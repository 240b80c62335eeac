"""Content of the report of a self-test."""

from __future__ import annotations

from rig.report.page import Block, Heading, Page, Signatures, Table
from rig.report.phrases import foot, provenance_rows, verdict
from rig.selftest.part import SelfTest

_VERDICTS = {True: "passed", False: "FAILED", None: "not tested"}


def selftest_page(found: SelfTest) -> Page:
    """Give the report: verdict, each part with its sentence, where it comes from."""
    title = "Self-test of the rig"
    verdicts = [part.passed for part in found.parts]
    failed, untested = verdicts.count(False), verdicts.count(None)
    why = f"{failed} of {len(verdicts) - untested} parts have failed" if failed else f"{verdicts.count(True)} parts"
    also = f", {untested} could not be tested" if untested else ""
    blocks: list[Block] = [
        Heading(title, 1),
        verdict(found.passed, why + also),
        Heading("Parts"),
        Table(
            [(part.part, _VERDICTS[part.passed], part.sentence) for part in found.parts],
            ("part", "", "what was found"),
            shares=(1.2, 0.8, 4),
        ),
        Heading("Provenance"),
        Table(provenance_rows(found.provenance), shares=(1, 2.6)),
        Heading("Signatures"),
        Signatures(("tested by", "checked by")),
    ]
    return Page(title, found.provenance.mark, foot(title, found), found.provenance.begun_utc, blocks)
