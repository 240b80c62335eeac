"""Ten thousand random histories of the door against a model of its own: no action is ever allowed outside it.

Log-ons, requests, clock sets, power cycles, broken seals and written programs in any order. The model keeps true time
beside the meter's clock, so that it never hears of a clock that is set; its lock-outs are read off all wrong keys there
were; what may be done is tests/rig/access/access_oracle.py's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import msgspec
import pytest
from access_oracle import BY_MODULE, BY_SOURCE, PROGRAMS, Cell, refusal
from cheap_security import cheap_security
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.meter.access.access import Access
from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Allowed, Asker, Conditions, Decision, Granted, LockedOut, WrongKey
from rig.meter.access.events import AccessEvent
from rig.meter.access.security import KeyProof, Security
from rig.meter.access.state import AccessState
from rig.meter.billing.source import Source

S = 10**9
ACTIONS = list(MeterAction)
SOURCES = list(Source)
MODULES = list(BY_MODULE)
KEYED = [source for source in SOURCES if source.value == "module" or BY_SOURCE[source.value].get("read") is not None]
PAUSES_S = (0, 0, 1, 1, 2, 5, 60, 600, 1800, 3599, 3600, 9000, 100_000)
JUMPS_S = (-(10**9), -86_400, -3600, -61, 61, 3600, 86_400, 10**9)

PROGRAMMED = [
    (seal, keys, firmware)
    for seal in (False, True)
    for keys in ((0, 0, 0, 0), (1, 2, 3, 4), (1, 2, 0, 0), (0, 2, 3, 0x99), (7, 7, 7, 7))
    for firmware in (None, "6.28", "7.16")
]
KEYS = (0, 1, 2, 3, 4, 7, 0x99, 0xABCDEF)


@dataclass
class Model:
    """The door in plain words. Times are true seconds."""

    seal: bool
    keys: tuple[int, ...]
    firmware: str | None
    broken: bool = False
    term: int = 0
    wrong: dict[str, list[int]] = field(default_factory=dict)
    free_again: dict[str, int] = field(default_factory=dict)

    @property
    def sealed(self) -> bool:
        return self.seal and self.firmware in (None, "6.28", "7.17", "7.18") and not self.broken

    def counting(self, source: str, now: int) -> int:
        """Wrong keys that count: each whole hour between two, and since the last, takes one away."""
        times, count = self.wrong.get(source, []), 0
        for before, after in pairwise([*times, now]):
            count = max(0, min(count + 1, 15) - (after - before) // 3600)
        return count

    def log_on(self, source: str, key: int, now: int) -> tuple[str, int]:
        left = self.free_again.get(source, 0) - now
        if left > 0:
            return "locked out", left
        levels = [k for k in range(1, 5) if self.keys[k - 1] == key and (key or not self.sealed)]
        if levels:
            if max(levels) == 4:
                self.wrong.pop(source, None)
            return "granted", max(levels)
        others = sum(self.counting(other, now) for other in self.wrong if other != source)
        count = min(self.counting(source, now) + 1, 15)
        self.wrong.setdefault(source, []).append(now)
        beyond = count - max(2 - others, 0)
        wait = 0 if beyond < 1 else (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600)[min(beyond, 13) - 1]
        self.free_again[source] = now + wait
        return "wrong", wait


class History:
    """A door and its model, taken through random bytes, a step each few of them."""

    def __init__(self, data: bytes) -> None:
        self.bytes = iter(data)
        self.now, self.offset_ns = 1_000_000_000, 0
        seal, keys, firmware = self.pick(PROGRAMMED)
        self.model = Model(seal, keys, firmware)
        self.security = made(seal, keys, firmware)
        self.access = Access.begin(self.security, self.now_ns)
        self.proofs: list[Granted] = []
        self.favourite = self.pick(KEYED)
        self.events: list[AccessEvent] = []

    @property
    def now_ns(self) -> int:
        return self.now * S + self.offset_ns

    def pick(self, choices):  # type: ignore[no-untyped-def]
        return choices[next(self.bytes) % len(choices)]

    def run(self) -> None:
        steps = [self.log_on] * 4 + [self.ask] * 6 + [self.wait] * 2 + [self.guess]
        steps += [self.set_clock, self.power_cycle, self.break_seal, self.write_program]
        try:
            while True:
                self.pick(steps)()
                self.check()
        except StopIteration:
            return

    def check(self) -> None:
        assert self.access.sealed is self.model.sealed
        assert self.access.state.term == self.model.term
        state = self.access.state
        assert msgspec.json.decode(msgspec.json.encode(state), type=AccessState) == state
        self.events += self.access.take_events()

    def wait(self) -> None:
        self.now += self.pick(PAUSES_S)

    def set_clock(self) -> None:
        by_ns = self.pick(JUMPS_S) * S + self.pick([0, 1, -1])
        self.offset_ns += by_ns
        self.access.move_clock(by_ns)

    def power_cycle(self) -> None:
        self.now += self.pick(PAUSES_S)
        saved = msgspec.json.encode(self.access.state)
        self.access = Access(self.security, msgspec.json.decode(saved, type=AccessState))

    def log_on(self) -> None:
        self.try_key(self.pick([*KEYED, *[self.favourite] * 8]), self.pick(KEYS))

    def guess(self) -> None:
        """One wrong key after another, each as soon as it is looked at."""
        for _ in range(next(self.bytes) % 16):
            self.try_key(self.favourite, 0xABCDEF)
            self.now = max(self.now, self.model.free_again.get(self.favourite.value, 0))

    def try_key(self, source: Source, key: int) -> None:
        kind, number = self.model.log_on(source.value, key, self.now)
        answer = self.access.log_on_by(proof(self.security, key), source, self.now_ns)
        if kind == "granted":
            assert answer == Granted(source, number, self.model.term)
            self.proofs.append(answer)
        else:
            assert answer == (WrongKey(number) if kind == "wrong" else LockedOut(number))

    def asker(self) -> Asker:
        """From anywhere, with a proof of any time and place, or none; often from where a level was just proven."""
        source = self.pick([*SOURCES, *[proof.source for proof in self.proofs[-1:]] * 20])
        name = self.pick(MODULES) if source is Source.MODULE else ""
        ours = [proof for proof in self.proofs if proof.source is source]
        proof = self.pick([None, *self.proofs[-3:], *ours[-1:] * 8])
        return Asker(source, name, proof)

    def conditions(self, module: str) -> Conditions:
        flags = next(self.bytes)
        return Conditions(*(bool(flags >> k & 1) for k in range(5)), module=module or None)

    def expected(self, action: str, asker: Asker, conditions: Conditions) -> str | None:
        proof = asker.proven
        level = proof.level if proof and proof.source is asker.source and proof.term == self.model.term else 0
        cell = Cell(
            action, asker.source.value, asker.name, level, self.model.sealed,
            conditions.cover_off, conditions.test_mode, conditions.override_done,
            conditions.demand, conditions.test_by_communication,
        )  # fmt: skip
        return refusal(cell)

    def same(self, decision: Decision, expected: str | None) -> bool:
        if isinstance(decision, Allowed):
            assert expected is None
            return True
        assert decision.why.value == expected
        return False

    def ask(self) -> None:
        action, asker = self.pick(ACTIONS), self.asker()
        conditions = self.conditions(asker.name)
        decision = self.access.decide(action, asker, conditions, self.now_ns)
        self.same(decision, self.expected(action.value, asker, conditions))

    def break_seal(self) -> None:
        asker = self.asker()
        conditions = self.conditions(asker.name)
        if next(self.bytes) % 2:
            asker = Asker(Source.FRONT)
        decision = self.access.break_seal(asker, conditions, self.now_ns)
        if self.same(decision, self.expected("break the seal", asker, conditions)):
            self.model.broken = True
            self.model.term += 1

    def write_program(self) -> None:
        asker = self.asker()
        conditions = self.conditions(asker.name)
        changes = sorted(PROGRAMS | {"change security"})
        wanted = [MeterAction(what) for what in changes if what == "write program" or next(self.bytes) % 4 == 0]
        reasons = [self.expected(action.value, asker, conditions) for action in wanted]
        decision = self.access.decide_all(wanted, asker, conditions, self.now_ns)
        if self.same(decision, next((reason for reason in reasons if reason), None)):
            self.model.seal, self.model.keys, self.model.firmware = self.pick(PROGRAMMED)
            self.model.broken = False
            self.model.term += 1
            self.security = made(self.model.seal, self.model.keys, self.model.firmware)
            self.access.reprogram(self.security, self.now_ns)


@cache
def proof(security: Security, key: int) -> KeyProof:
    return security.proof(key.to_bytes(3, "big"))


@cache
def made(seal: bool, keys: tuple[int, ...], firmware: str | None) -> Security:
    one, two, three, four = (key.to_bytes(3, "big") for key in keys)
    return cheap_security(seal, (one, two, three, four), firmware)


@settings(max_examples=2_000)
@given(st.binary(min_size=40, max_size=200))
def test_random_histories(data: bytes) -> None:
    History(data).run()


@pytest.mark.slow
@settings(max_examples=10_000)
@given(st.binary(min_size=40, max_size=200))
def test_ten_thousand_random_histories(data: bytes) -> None:
    History(data).run()
