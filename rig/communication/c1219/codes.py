"""Codes with which a meter answers: C12.18's for a service that is refused, C12.19's for a procedure (X-1)."""

from __future__ import annotations

from enum import IntEnum


class ResponseCode(IntEnum):
    """Reason for which a table is not read or written, by C12.18's response code."""

    ERROR = 1
    NOT_SUPPORTED = 2
    INSUFFICIENT_SECURITY = 3
    NOT_POSSIBLE = 4
    INAPPROPRIATE = 5
    BUSY = 6
    NOT_READY = 7
    LOCKED = 8


class ProcedureResult(IntEnum):
    """Result of a procedure, in ST8."""

    DONE = 0
    NOT_COMPLETED = 1
    INVALID_PARAMETER = 2
    CONFLICTS_WITH_SETUP = 3
    TIMING_CONSTRAINT = 4
    NO_AUTHORIZATION = 5
    UNRECOGNIZED = 6
