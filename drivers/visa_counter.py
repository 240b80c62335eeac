"""A counter on a bus, read while it counts, through PyVISA (P-6).

Resources are VISA's: "TCPIP::10.0.0.7::5025::SOCKET", "ASRL/dev/ttyUSB0::INSTR", "USB0::…::INSTR". The instrument is
known by its *IDN?; for one that is not, what sets it up and what reads it are given. A reply that is no count ends the
count: what comes later could be the answer to an earlier question.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from typing import Any

from drivers.errors import DriverError

TIMEOUT_MS = 2000
"""An instrument that is read while it counts answers at once."""

MOST_REPLY = 200
"""Characters of a reply that are shown: it may be anything."""

NOT_A_NUMBER = 9.9e37
"""SCPI-1999 7.2.1.5: 9.91E37 is not a number, 9.9E37 infinity."""


class VisaCounterError(DriverError):
    """A counter that cannot be had, or whose count has broken off: one sentence with its resource."""


@dataclass(frozen=True)
class Model:
    """Model of a totaliser: how it is begun, and read while it counts."""

    name: str
    begin: tuple[str, ...]
    count: str


MODELS = {
    model: Model(model, ("*CLS", "CONF:TOT:CONT (@1)", "INIT"), "SENS:TOT:DATA?")
    for model in ("53210A", "53220A", "53230A")
}
"""Keysight's 53200 series: SENSe:TOTalize:DATA? reads a continuous totalize without ending it."""

ENDS_TO_READ = ("53131A", "53132A", "53181A")
"""They give a count only when it is ended (INITiate, ABORt, FETCh?): READ? in between answers 9.91E37."""


class VisaCounter:
    """A totaliser that counts from when it is opened. Raises VisaCounterError.

    `query` is what an instrument that is not among MODELS is asked for its count; it is taken to be counting already.
    """

    def __init__(self, resource: str, query: str | None = None, timeout_ms: int = TIMEOUT_MS) -> None:
        self.resource, self._query = resource, query or ""
        self._timeout_ms = timeout_ms
        self._instrument = self._opened()
        try:
            self._begin(query)
        except BaseException:
            self.close()
            raise

    def _opened(self) -> Any:
        try:
            import pyvisa
        except ImportError:
            raise VisaCounterError(
                f"{self.resource} needs PyVISA, which is not installed: .venv/bin/pip install -e '.[verify]'"
            ) from None
        try:
            manager = pyvisa.ResourceManager("@py")
            return manager.open_resource(
                self.resource,
                timeout=self._timeout_ms,
                open_timeout=self._timeout_ms,
                read_termination="\n",
                write_termination="\n",
            )
        except (pyvisa.Error, OSError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
            raise VisaCounterError(
                f"{self.resource} cannot be opened ({_short(error)}): give a VISA resource that is there, such as "
                "TCPIP::10.0.0.7::5025::SOCKET or ASRL/dev/ttyUSB0::INSTR"
            ) from None

    def _begin(self, query: str | None) -> None:
        if query is not None:
            return
        identity = self._ask("*IDN?")
        words = [word.strip() for word in identity.split(",")]
        name = words[1] if len(words) > 1 else ""
        if name in ENDS_TO_READ:
            raise VisaCounterError(
                f"{self.resource} is a {name}, which gives its count only when that has ended: use a 53220A, or the "
                "FPGA's counters"
            )
        if name not in MODELS:
            raise VisaCounterError(
                f"{self.resource} calls itself {identity[:MOST_REPLY]!r}, which is none of {', '.join(MODELS)}: give "
                "what it is asked for its count with --counter-query"
            )
        model = MODELS[name]
        self._query = model.count
        for command in model.begin:
            self._act(lambda command=command: self._instrument.write(command), command)

    def read(self) -> int:
        """Read what it has counted. Raises VisaCounterError for no reply, or one that is no count."""
        reply = self._ask(self._query)
        try:
            value = float(reply)
        except ValueError:
            value = float("nan")
        if not isfinite(value) or value < 0 or value >= NOT_A_NUMBER or value != int(value):
            raise VisaCounterError(
                f"{self.resource} answered {self._query} with {reply[:MOST_REPLY]!r}, which is no count: see that it "
                "totalizes, and begin again"
            )
        return int(value)

    def close(self) -> None:
        """Let it go; it counts on."""
        import pyvisa

        with suppress(pyvisa.Error, OSError):  # it may be unplugged
            self._instrument.close()

    def _ask(self, question: str) -> str:
        reply = self._act(lambda: self._instrument.query(question), question)
        return str(reply).strip()

    def _act(self, act: Any, command: str) -> Any:
        import pyvisa

        try:
            return act()
        except pyvisa.VisaIOError as error:
            timed_out = error.error_code == pyvisa.constants.StatusCode.error_timeout
            why = f"in {self._timeout_ms / 1000:g} s" if timed_out else f"({_short(error)})"
        except (pyvisa.Error, OSError, UnicodeDecodeError, ValueError) as error:
            why = f"({_short(error)})"
        raise VisaCounterError(
            f"{self.resource} did not answer {command} {why}: see that it is on, connected and in remote control"
        )


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:MOST_REPLY] or type(error).__name__
