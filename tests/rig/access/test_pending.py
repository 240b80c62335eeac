"""A program that waits: its table, whose right it acts by, and every order of what can happen to it (X-1, S-1, S-2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from cheap_security import cheap_security
from docstring_table import rows
from hypothesis import given
from hypothesis import strategies as st

from rig.meter.access import pending as pending_module
from rig.meter.access.access import Access
from rig.meter.access.actions import MeterAction
from rig.meter.access.decision import Allowed, Asker, Conditions, Granted, Refused
from rig.meter.access.pending import PendingDoor
from rig.meter.access.security import NO_KEYS, Security
from rig.meter.access.state import AccessState, PendingProgram
from rig.meter.billing.source import Source

S = 10**9
T0 = 1_800_000_000 * S
HOUR = 3600 * S
KEYS = (b"\x01\x01\x01", b"\x02\x02\x02", b"\x03\x03\x03", b"\x04\x04\x04")
OTHER_KEYS = (b"\x01\x01\x01", b"\x02\x02\x02", b"\x03\x03\x33", b"\x04\x04\x04")
PLAIN = Conditions(cover_off=False, test_mode=False, demand=True, test_by_communication=True)
TARIFF = (MeterAction.WRITE_PROGRAM,)
METROLOGY = (MeterAction.WRITE_PROGRAM, MeterAction.CHANGE_METROLOGY)


class Bench:
    """A door with keys of all levels; the port has proven one. The meter's time is `now_ns`."""

    def __init__(self, level: int = 4, *, seal: bool = False, keys: tuple[bytes, ...] = KEYS) -> None:
        self.access = Access.begin(cheap_security(seal, keys), T0)
        self.access.take_events()
        self.door = PendingDoor(self.access)
        self.now_ns = T0
        self.level = level

    @property
    def asker(self) -> Asker:
        return Asker(Source.OPTICAL, "uid 7", Granted(Source.OPTICAL, self.level, self.access.state.term))

    def program(self, at_ns: int | None) -> PendingProgram:
        keys = self.access.security.keys
        return PendingProgram(
            "93a59a1cd7f0", at_ns, self.now_ns, Source.OPTICAL, "uid 7", self.level, True, "{}", keys, keys
        )

    def write(self, after_ns: int | None = HOUR) -> bool:
        """As a request does: first whether the port may write a program at all."""
        decision = self.access.decide_all(TARIFF, self.asker, PLAIN, self.now_ns)
        if isinstance(decision, Allowed):
            at_ns = None if after_ns is None else self.now_ns + after_ns
            decision = self.door.write(self.program(at_ns), self.asker, self.now_ns)
        return isinstance(decision, Allowed)

    def come(self, ns: int = HOUR, *, test_mode: bool = False, actions: tuple[MeterAction, ...] = TARIFF) -> None:
        """Time passes; what is due is activated or refused."""
        self.now_ns += ns
        if self.door.due(self.now_ns, test_mode=test_mode) is None:
            return
        decision = self.door.decide_due(actions, PLAIN, self.now_ns)
        if isinstance(decision, Refused):
            self.door.refused(decision.sentence, self.now_ns)
        else:
            self.door.activated(self.now_ns)

    def ask(self, *, activates: bool) -> None:
        """Activation, or clearing, is asked for."""
        if isinstance(self.access.decide_all(TARIFF, self.asker, PLAIN, self.now_ns), Refused):
            return
        if isinstance(self.door.one_waits(self.asker), Refused):
            return
        if activates:
            self.door.activated(self.now_ns, Source.OPTICAL)
        else:
            self.door.clear(Source.OPTICAL, self.now_ns)

    def below(self, what: Callable[[], object]) -> None:
        """Do it at a level that is too low."""
        self.level, level = 2, self.level
        what()
        self.level = level

    def labels(self) -> list[str]:
        return [event.label for event in self.access.take_events()]


EVENTS: dict[str, list[Callable[[Bench], object]]] = {
    "written, allowed": [Bench.write, lambda b: b.write(None)],
    "written, refused, or for a past time": [
        lambda b: b.below(b.write), lambda b: b.write(0), lambda b: b.write(-1),
    ],
    "activation or clearing asked for": [lambda b: b.ask(activates=True), lambda b: b.ask(activates=False)],
    "written": [Bench.write, lambda b: b.write(None), lambda b: b.write(-1)],
    "its time comes in test mode": [lambda b: b.come(test_mode=True)],
    "its time comes, allowed": [Bench.come],
    "its time comes, refused, or it does not fit": [
        lambda b: b.come(actions=(MeterAction.BREAK_SEAL,)),
        lambda b: (b.access.reprogram(cheap_security(False, OTHER_KEYS), b.now_ns), b.come()),
        lambda b: (b.come(HOUR, test_mode=True), b.door.refused("GPIO 5 is in use", b.now_ns)),
    ],
    "activation asked for, allowed": [lambda b: b.ask(activates=True)],
    "activation asked for, refused": [lambda b: b.below(lambda: b.ask(activates=True))],
    "clearing asked for, allowed; a cold start": [
        lambda b: b.ask(activates=False), lambda b: b.door.clear(Source.COMMAND_LINE, b.now_ns),
    ],
}  # fmt: skip


@pytest.mark.parametrize("row", rows(pending_module, "state ")[1:], ids=lambda row: f"{row[0]}: {row[1]}")
def test_the_table(row: list[str]) -> None:
    state, event, *logged, becomes = row
    assert len(logged) < 2
    for happens in EVENTS[event]:
        bench = Bench()
        if state == "waiting":
            assert bench.write()
            bench.labels()
        happens(bench)
        assert ("waiting" if bench.door.waiting else "none") == becomes
        said = [label for label in bench.labels() if label != "refused" or logged == ["refused"]]
        assert said == (logged[0].split(", ") if logged else [])


def test_the_table_has_every_event() -> None:
    assert {row[1] for row in rows(pending_module, "state ")[1:]} == EVENTS.keys()


@pytest.mark.parametrize(
    ("level", "seal", "actions", "becomes"),
    [
        (3, False, TARIFF, "pending activated"),
        (3, True, TARIFF, "pending activated"),
        (3, False, METROLOGY, "pending refused"),
        (4, False, METROLOGY, "pending activated"),
        (4, True, METROLOGY, "pending refused"),
        (4, True, (*TARIFF, MeterAction.CHANGE_SECURITY), "pending activated"),
        (3, True, (*TARIFF, MeterAction.CHANGE_SECURITY), "pending refused"),
    ],
)
def test_at_its_time_it_is_judged_as_if_its_writer_wrote_it_now(
    level: int, seal: bool, actions: tuple[MeterAction, ...], becomes: str
) -> None:
    """Level 4 changes metrology, and under the seal nobody does, whatever was proven before."""
    bench = Bench(level)
    assert bench.write()
    bench.access.reprogram(cheap_security(seal, KEYS), bench.now_ns)
    bench.labels()
    bench.come(actions=actions)
    assert next(label for label in bench.labels() if label.startswith("pending")) == becomes


def test_a_factory_key_opens_nothing_once_the_meter_is_sealed() -> None:
    none = Security(False, NO_KEYS, cost=2)
    for seal, becomes in ((False, "pending activated"), (True, "pending refused")):
        access = Access(none, AccessState())
        door, asker = PendingDoor(access), Asker(Source.OPTICAL, "", Granted(Source.OPTICAL, 4, 0))
        program = PendingProgram("0", T0 + S, T0, Source.OPTICAL, "", 4, True, "{}", NO_KEYS, NO_KEYS)
        assert isinstance(door.write(program, asker, T0), Allowed)
        access.reprogram(replace(none, seal=seal), T0)
        decision = door.decide_due(TARIFF, PLAIN, T0 + S)
        assert isinstance(decision, Allowed) is (becomes == "pending activated")


def test_what_waits_comes_back_with_the_state_and_shows_no_key() -> None:
    bench = Bench()
    bench.write()
    state = bench.access.state
    again = msgspec.convert(msgspec.json.decode(msgspec.json.encode(state)), AccessState, str_keys=True)
    assert again == state
    assert again.pending == bench.program(T0 + HOUR)
    hashes = [key.digest.hex() for key in bench.access.security.keys if key is not None]
    assert not [digest for digest in hashes if digest in repr(state)]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from([None, -1, 0, 1, HOUR, 2 * HOUR]), st.sampled_from([2, 3, 4])),
        st.tuples(st.just("come"), st.sampled_from([1, HOUR // 2, HOUR, 10 * HOUR]), st.booleans()),
        st.tuples(st.just("keys"), st.sampled_from([KEYS, OTHER_KEYS]), st.just(0)),
        st.tuples(st.sampled_from(["activate", "clear"]), st.just(0), st.sampled_from([2, 3])),
    ),
    max_size=25,
)


@given(STEPS)
def test_any_order(steps: list[tuple[str, object, object]]) -> None:
    """Plain variables beside it: until when one waits, by which keys; each is activated, refused or cleared, once."""
    bench = Bench(3)
    waits, until, keys, under = False, None, KEYS, KEYS
    ends = {"pending activated": 0, "pending cleared": 0, "pending refused": 0}
    written = 0
    for what, value, how in steps:
        match what:
            case "write":
                bench.level = int(str(how))
                after = value if value is None else int(str(value))
                taken = bench.level >= 3 and not waits and (after is None or after > 0)
                assert bench.write(after) is taken
                if taken:
                    waits, until, under = True, None if after is None else bench.now_ns + after, keys
                    written += 1
            case "come":
                bench.come(int(str(value)), test_mode=bool(how))
                if waits and until is not None and bench.now_ns >= until and not how:
                    ends["pending activated" if keys == under else "pending refused"] += 1
                    ends["pending cleared"] += keys != under
                    waits = False
            case "keys":
                keys = value  # type: ignore[assignment]
                bench.access.reprogram(cheap_security(False, keys), bench.now_ns)
            case _:
                bench.level = int(str(how))
                bench.ask(activates=what == "activate")
                if waits and bench.level >= 3:
                    ends[f"pending {'activated' if what == 'activate' else 'cleared'}"] += 1
                    waits = False
        assert (bench.door.waiting is not None) is waits
    labels = bench.labels()
    assert {label: labels.count(label) for label in ends} == ends
    assert labels.count("pending written") == written
    assert written == ends["pending activated"] + ends["pending cleared"] + waits
