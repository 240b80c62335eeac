"""An instrument on a bus, asked and answered through PyVISA.

Resources are VISA's: "TCPIP::10.0.0.7::5025::SOCKET", "ASRL/dev/ttyUSB0::INSTR", "USB0::…::INSTR". A reply that
does not come, or is no number, ends what it was for: what comes later could be the answer to an earlier question.
"""

from __future__ import annotations

import re
from contextlib import suppress
from math import isfinite
from typing import Any

from drivers.errors import DriverError

TIMEOUT_MS = 2000
"""An instrument that is read while it measures answers at once."""

MOST_REPLY = 200
"""Characters of a reply that are shown: it may be anything."""

NOT_A_NUMBER = 9.9e37
"""SCPI-1999 7.2.1.5: 9.91E37 is not a number, 9.9E37 infinity."""


NUMBER = re.compile(r"[+-]?([0-9]{1,400}\.?[0-9]{0,400}|\.[0-9]{1,400})([eE][+-]?[0-9]{1,9})?")
"""IEEE 488.2 8.7.2 to 8.7.4, NR1 to NR3, with the liberties of 7.7.2.4; no unit, no decimal comma, no "1_000"."""


class VisaInstrumentError(DriverError):
    """An instrument that cannot be had, or does not answer as it should: one sentence with its resource."""


class VisaInstrument:
    """The connection to one. Raises VisaInstrumentError for a resource that cannot be opened."""

    def __init__(self, resource: str, timeout_ms: int = TIMEOUT_MS) -> None:
        self.resource, self._timeout_ms = resource, timeout_ms
        self._instrument = self._opened()

    def _opened(self) -> Any:
        try:
            import pyvisa
        except ImportError:
            raise VisaInstrumentError(
                f"{self.resource} needs PyVISA, which is not installed: .venv/bin/pip install -e '.[verify]'"
            ) from None
        try:
            manager = pyvisa.ResourceManager("@py")
            pyvisa.rname.ResourceName.from_string(self.resource)  # else what PyVISA says of it is not about the name
            return manager.open_resource(
                self.resource,
                timeout=self._timeout_ms,
                open_timeout=self._timeout_ms,
                read_termination="\n",
                write_termination="\n",
            )
        except (pyvisa.Error, OSError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
            raise VisaInstrumentError(
                f"{self.resource} cannot be opened ({_short(error)}): give a VISA resource that is there, such as "
                "TCPIP::10.0.0.7::5025::SOCKET or ASRL/dev/ttyUSB0::INSTR"
            ) from None

    def model(self) -> tuple[str, str]:
        """Ask for its identity: the model's name, which may be empty, and the whole of it."""
        identity = self.ask("*IDN?")
        words = [word.strip() for word in identity.split(",")]
        return words[1] if len(words) > 1 else "", identity[:MOST_REPLY]

    def write(self, command: str) -> None:
        """Give a command."""
        self._act(lambda: self._instrument.write(command), command)

    def ask(self, question: str) -> str:
        """Ask, and give the reply without spaces around it."""
        reply = self._act(lambda: self._instrument.query(question), question)
        return str(reply).strip()

    def number(self, question: str, what: str, remedy: str) -> float:
        """Ask for a number, which is `what`; the sentence for a reply that is none ends with `remedy`."""
        reply = self.ask(question)
        value = float(reply) if NUMBER.fullmatch(reply) else float("nan")
        if not isfinite(value) or abs(value) >= NOT_A_NUMBER:
            raise self.refusal(question, reply, what, remedy)
        return value

    def refusal(self, question: str, reply: object, what: str, remedy: str) -> VisaInstrumentError:
        """Give the error of a reply that cannot be."""
        return VisaInstrumentError(
            f"{self.resource} answered {question} with {str(reply)[:MOST_REPLY]!r}, which is no {what}: {remedy}"
        )

    def close(self) -> None:
        """Let it go; what it measures goes on."""
        import pyvisa

        with suppress(pyvisa.Error, OSError):  # it may be unplugged
            self._instrument.close()

    def _act(self, act: Any, command: str) -> Any:
        import pyvisa

        try:
            return act()
        except pyvisa.VisaIOError as error:
            timed_out = error.error_code == pyvisa.constants.StatusCode.error_timeout
            why = f"in {self._timeout_ms / 1000:g} s" if timed_out else f"({_short(error)})"
        except (pyvisa.Error, OSError, UnicodeDecodeError, ValueError) as error:
            why = f"({_short(error)})"
        raise VisaInstrumentError(
            f"{self.resource} did not answer {command} {why}: see that it is on, connected and in remote control"
        )


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:MOST_REPLY] or type(error).__name__
