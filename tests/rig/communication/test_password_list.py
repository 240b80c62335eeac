"""A list of 777 passwords, as long as termineter's, at its pace, against the meter's door, in virtual time (S-1)."""

from __future__ import annotations

import random

from cheap_security import cheap_security

from rig.communication.keys import key_of
from rig.meter.access.access import Access
from rig.meter.access.decision import Granted, LockedOut, WrongKey
from rig.meter.access.events import LogOnFailed, LogOnLockedOut
from rig.meter.billing.source import Source

SECOND = 10**9
PACE_NS = 7 * SECOND // 10
"""termineter's session with the 0.2 s between two, as measured over a pty."""

WORDS = 777
RIGHT = b"C0FFEE"


def words() -> list[bytes]:
    """Of the kinds that its list has: one byte twenty times, words, digits; none of them is the key."""
    chance = random.Random(1)
    return [
        chance.choice((bytes((k & 0xFF,)) * 20, b"MASTER_%03d" % k, b"%06d" % (k + 1), chance.randbytes(20)))
        for k in range(WORDS)
    ]


def key_bytes(password: bytes) -> bytes:
    """What the door compares: three bytes, or nothing that could be a key (rig/service/door.py)."""
    text = key_of(password)
    return bytes.fromhex(text) if len(text) == 6 and all(c in "0123456789abcdefABCDEF" for c in text) else b""


def meter() -> Access:
    keys = tuple(bytes.fromhex(text) for text in ("111111", "222222", "333333", RIGHT.decode()))
    return Access.begin(cheap_security(True, keys), 0)


def test_a_list_at_its_pace_is_hardly_looked_at_and_the_right_key_works_when_the_lock_is_over() -> None:
    access, now_ns, looked_at = meter(), 0, 0
    for word in words():
        now_ns += PACE_NS
        found = access.log_on(Source.OPTICAL, key_bytes(word), now_ns)
        assert not isinstance(found, Granted)
        looked_at += isinstance(found, WrongKey)
    assert looked_at <= 12, "of 777, in nine minutes"
    locked = access.log_on(Source.OPTICAL, key_bytes(RIGHT), now_ns)
    assert isinstance(locked, LockedOut)
    assert locked.wait_s <= 3600
    assert isinstance(access.log_on(Source.OPTICAL, key_bytes(RIGHT), now_ns + locked.wait_s * SECOND), Granted)
    events = access.take_events()
    assert sum(isinstance(event, LogOnFailed) for event in events) == looked_at
    assert any(isinstance(event, LogOnLockedOut) for event in events)


def test_to_have_the_whole_list_looked_at_takes_weeks() -> None:
    access, now_ns = meter(), 0
    for word in words():
        found = access.log_on(Source.OPTICAL, key_bytes(word), now_ns)
        assert isinstance(found, WrongKey)
        now_ns += found.wait_s * SECOND
    assert now_ns > 24 * 86_400 * SECOND
    assert isinstance(access.log_on(Source.OPTICAL, key_bytes(RIGHT), now_ns), Granted), "never locked for good"
