"""Refusals of the meter's door in words: one sentence each, with what would be right (S-1, S-2)."""

from __future__ import annotations

from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Asker, Refusal
from rig.meter.access.modules import MODULE_GRANTS
from rig.meter.access.readable import Readable
from rig.meter.billing.source import Source

COLD_START_FAILED = "Cold Start failed"
"""The notice's own words, by which the seal setting is verified."""

HOW_TO_BREAK = (
    "with the cover off hold SCROLL, bring the magnet to twelve o'clock and take it away three times, release SCROLL, "
    "all within 10 s"
)
"""The sequence of rig/meter/front/override.py."""


def sentence(why: Refusal, action: MeterAction, asker: Asker, level: int) -> str:
    """The sentence of a refusal; `level` is the asker's."""
    source = asker.source
    match why:
        case Refusal.SOURCE if action is MeterAction.BREAK_SEAL:
            return f"the seal is broken at the front only: {HOW_TO_BREAK}"
        case Refusal.SOURCE:
            allowed = [known.value for known in Source if known in action.sources]
            return f"{action.label} is not taken from {source.value}: ask from {_or(allowed)}"
        case Refusal.NOT_FITTED:
            return not_fitted(asker.name)
        case Refusal.MODULE:
            return _module_sentence(action, asker.name)
        case Refusal.SEALED if action is MeterAction.COLD_START:
            return COLD_START_FAILED
        case Refusal.SEALED:
            return f"{action.label} is refused while the meter is sealed: break the seal first, {HOW_TO_BREAK}"
        case Refusal.LEVEL:
            return (
                f"{action.label} needs level {action.least_level(source)} and {source.value} has level {level}: "
                "log on with a key of that level"
            )
        case Refusal.NO_DEMAND:
            return "this meter has no demand to reset: choose a model and a program with demand"
        case Refusal.NO_TEST_BY_COMMUNICATION:
            return "only an S4e enters test mode by communication: open the Test switch with the cover off"
        case Refusal.IN_TEST if action is MeterAction.ENTER_TEST:
            return "the meter is in test mode already: leave it first to begin a new test"
        case Refusal.IN_TEST:
            return (
                f"{action.label} is refused in test mode, which leaves billing data as they are: leave test mode first"
            )
        case Refusal.NOT_IN_TEST:
            return "the meter is not in test mode: there is nothing to leave"
        case Refusal.COVER_ON:
            return f"{action.label} at the front needs the cover off: take it off first"
        case Refusal.NO_OVERRIDE:
            return f"the seal is broken by a sequence of switches: {HOW_TO_BREAK}"
        case Refusal.NO_SEAL:
            return "the meter is not sealed: there is no seal to break"
        case Refusal.PENDING:
            return "a program waits already: clear it first, or have it activated"
        case Refusal.NO_PENDING:
            return "no program waits: write one that is to"
        case Refusal.PAST:
            return "the time at which the program is to be activated is past by the meter's clock: give one to come"
        case Refusal.OTHER_KEYS:
            return "the meter's keys have changed since the program that waits was written: write it again"


def reading_sentence(why: Refusal, readable: Readable, name: str) -> str:
    """The sentence of a reading refused to a module."""
    grant = MODULE_GRANTS.get(name)
    if why is Refusal.NOT_FITTED or grant is None:
        return not_fitted(name)
    granted = [known.label for known in Readable if known in grant.reads]
    return f"module {name} is not granted {readable.label}: it may read {', '.join(granted)}"


def not_fitted(name: str) -> str:
    """The sentence for a module that the meter has not."""
    if name not in MODULE_GRANTS:
        return _module_unknown(name)
    return f"module {name} is not fitted to this meter: meter.module of its program names the one that is"


def _module_unknown(name: str) -> str:
    return f"no module {name!r} is approved: known are {', '.join(MODULE_GRANTS)}"


def _module_sentence(action: MeterAction, name: str) -> str:
    grant = MODULE_GRANTS.get(name)
    if grant is None:
        return _module_unknown(name)
    granted = [known.label for known in MeterAction if known in grant.actions]
    return f"module {name} is not granted {action.label}: it may ask {', '.join(granted) or 'nothing'}"


def _or(names: list[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
