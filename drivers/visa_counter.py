"""Counters on a bus: totalisers that are read while they count, and frequency counters (P-6).

An instrument is known by its *IDN?; for a totaliser that is not, what reads it is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.visa_instrument import TIMEOUT_MS, VisaInstrument, VisaInstrumentError

GATE_S = 1.0
"""A gate of a frequency counter: it opens and closes with an edge, so that it is a little longer."""

SLOWEST_HZ = 0.1
"""The 53131A measures no lower frequency (53131-90044)."""


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

FREQUENCY = {
    **dict.fromkeys(MODELS, ("*RST", "*CLS", "CONF:FREQ (@1)", f"SENS:FREQ:GATE:TIME {GATE_S:g}")),
    **dict.fromkeys(
        ENDS_TO_READ,
        (
            "*RST",
            "*CLS",
            "FUNC 'FREQ 1'",
            "FREQ:ARM:STAR:SOUR IMM",
            "FREQ:ARM:STOP:SOUR TIM",
            f"FREQ:ARM:STOP:TIM {GATE_S:g}",
        ),
    ),
}
"""How each model is set to measure frequency on channel 1, in gates of GATE_S."""

READ_FREQUENCY = "READ?"


class VisaCounter:
    """A totaliser that counts from when it is opened. Raises VisaInstrumentError.

    `query` is what an instrument that is not among MODELS is asked for its count; it is taken to be counting already.
    """

    def __init__(self, resource: str, query: str | None = None, timeout_ms: int = TIMEOUT_MS) -> None:
        self._query = query or ""
        self._instrument = VisaInstrument(resource, timeout_ms)
        try:
            self._begin(query)
        except BaseException:
            self.close()
            raise

    def _begin(self, query: str | None) -> None:
        if query is not None:
            return
        instrument = self._instrument
        name, identity = instrument.model()
        if name in ENDS_TO_READ:
            raise VisaInstrumentError(
                f"{instrument.resource} is a {name}, which gives its count only when that has ended: measure its "
                f"frequency with --counter frequency:{instrument.resource}, or use a 53220A or the FPGA's counters"
            )
        if name not in MODELS:
            raise VisaInstrumentError(
                f"{instrument.resource} calls itself {identity!r}, which is none of {', '.join(MODELS)}: give what it "
                "is asked for its count with --counter-query"
            )
        self._query = MODELS[name].count
        for command in MODELS[name].begin:
            instrument.write(command)

    def read(self) -> int:
        """Read what it has counted. Raises VisaInstrumentError for no reply, or one that is no count."""
        remedy = "see that it totalizes, and begin again"
        value = self._instrument.number(self._query, "count", remedy)
        if value < 0 or value != int(value):
            raise self._instrument.refusal(self._query, f"{value:g}", "count", remedy)
        return int(value)

    def close(self) -> None:
        """Let it go; it counts on."""
        self._instrument.close()


class VisaFrequencyCounter:
    """A counter that measures frequency, gate after gate. Raises VisaInstrumentError.

    `query` is what an instrument that is not among FREQUENCY is asked for a frequency in Hz; it is taken to be set up.
    A reading takes a gate and up to a period more: `timeout_ms` is beyond both of the slowest.
    """

    def __init__(self, resource: str, query: str | None = None, timeout_ms: int = 15_000) -> None:
        self._query = query or READ_FREQUENCY
        self._instrument = VisaInstrument(resource, timeout_ms)
        try:
            if query is None:
                self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        name, identity = self._instrument.model()
        if name not in FREQUENCY:
            raise VisaInstrumentError(
                f"{self._instrument.resource} calls itself {identity!r}, which is none of {', '.join(FREQUENCY)}: give "
                "what it is asked for a frequency with --counter-query"
            )
        for command in FREQUENCY[name]:
            self._instrument.write(command)

    def read_hz(self) -> float:
        """Measure for a gate. Raises VisaInstrumentError for no reply, or one that is no frequency."""
        remedy = f"see that pulses come to channel 1, {SLOWEST_HZ:g} or more a second, and begin again"
        value = self._instrument.number(self._query, "frequency", remedy)
        if value <= 0:
            raise self._instrument.refusal(self._query, f"{value:g}", "frequency", remedy)
        return value

    def close(self) -> None:
        """Let it go."""
        self._instrument.close()
