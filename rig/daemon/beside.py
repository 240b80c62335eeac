"""Work beside metering: one thread, below metering, for what takes tens of milliseconds, such as to compare keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from rig.hardware.realtime import yield_to_metering

T = TypeVar("T")

LATER = object()
"""In place of a result that is not there yet."""


class Beside(Protocol):
    """A place for work that touches nothing of the meter."""

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Begin it, or have it wait for its turn."""


class AtOnce:
    """Work done by whoever hands it over: what is submitted is done."""

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Do it now."""
        future: Future[T] = Future()
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        return future


MOST_REST_S = 0.2


class Thread:
    """A thread that works in the order of submission, and after each work rests as long as that took: it has half of a
    processor at most, as the system puts off a processor whose real-time work never pauses, metering with it.

    As a context manager; what waits at its end is left undone.
    """

    def __init__(self, rest: Callable[[float], None] = time.sleep) -> None:
        self._executor = ThreadPoolExecutor(1, "beside metering", initializer=yield_to_metering)
        self._rest = rest
        self._took_s = 0.0

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have it wait for its turn."""
        future = self._executor.submit(self._timed, work)
        self._executor.submit(lambda: self._rest(min(self._took_s, MOST_REST_S)))
        return future

    def _timed(self, work: Callable[[], T]) -> T:
        begun_s = time.monotonic()
        try:
            return work()
        finally:
            self._took_s = time.monotonic() - begun_s

    def __enter__(self) -> Thread:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
