"""Work beside metering: one thread, below metering, for what takes tens of milliseconds, such as to compare keys."""

from __future__ import annotations

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


class Thread:
    """A thread that works in the order of submission. As a context manager; what waits at its end is left undone."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "beside metering", initializer=yield_to_metering)

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Have it wait for its turn."""
        return self._executor.submit(work)

    def __enter__(self) -> Thread:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
