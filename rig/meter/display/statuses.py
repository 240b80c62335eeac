"""Everything on the display that is no register and no value of the moment (D-2, D-4, D-7, M-4, Q-5, P-3).

What is wrong stands at places of its own, "-" where all is well: 1 to 6 are the diagnostics D1 to D6, A to C the phases
that have lost their voltage; beside them US where the service is unknown, ME where records had faults.

    1-----A--     US ME

    1  cross phase, polarity or energy flow      4  current angle          A  phase A out     US  unknown service
    2  voltage deviation                         5  current distortion     B  phase B out     ME  measurement error
    3  inactive current                          6  voltage distortion     C  phase C out
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.meter.billing.calendar import Calendar
from rig.meter.display.fitting import UNKNOWN, count, duration, fitted, places, words
from rig.meter.display.items import DisplayStatus
from rig.meter.display.lcd import TEXT_PLACES
from rig.meter.display.registers import date_of, time_of
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.installation.service_detection import FoundService, UnknownService
from rig.meter.reading.meter_reading import MeterReading

CODES = {
    Diagnostic.CROSS_PHASE: "1",
    Diagnostic.VOLTAGE_DEVIATION: "2",
    Diagnostic.INACTIVE_CURRENT: "3",
    Diagnostic.CURRENT_ANGLE: "4",
    Diagnostic.CURRENT_DISTORTION: "5",
    Diagnostic.VOLTAGE_DISTORTION: "6",
    Diagnostic.PHASE_A_OUT: "A",
    Diagnostic.PHASE_B_OUT: "B",
    Diagnostic.PHASE_C_OUT: "C",
}
UNKNOWN_SERVICE = "US"
MEASUREMENT_ERROR = "ME"
NO_ERRORS = "NONE"

_WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


@dataclass(frozen=True)
class DisplayedNameplate:
    """Nameplate data for the display: constant, and in no reading.

    `firmware` is the version emulated, or where none is the rig's own, which is `software`; the program's digest,
    serial number, Ks in Wh and the multiplier of all readings; the calendar that makes times local and names seasons;
    whether the meter measures vars, and whether "kVA" is arithmetic.
    """

    firmware: str
    program: str
    serial: str
    ks: str
    multiplier: str
    calendar: Calendar
    reactive: bool = True
    apparent_rms: bool = False
    software: str = ""


def status(of: DisplayStatus, plate: DisplayedNameplate, reading: MeterReading) -> tuple[str, str]:
    """Text and unit."""
    calendar, now_ns = plate.calendar, reading.utc_ns
    match of:
        case DisplayStatus.DATE:
            return date_of(now_ns, calendar), "date"
        case DisplayStatus.TIME:
            return time_of(now_ns, calendar), "time"
        case DisplayStatus.WEEKDAY:
            return _WEEKDAYS[calendar.local(now_ns).weekday()], "day"
        case DisplayStatus.RATE:
            return reading.rate.name + (" FORCED" if reading.rate_forced else ""), "rate"
        case DisplayStatus.SEASON:
            return words(calendar.tariff.seasons[reading.season].name), "season"
        case DisplayStatus.SERVICE:
            return _service(reading.installation.service), ""
        case DisplayStatus.ROTATION:
            return _rotation(reading.installation.service), ""
        case DisplayStatus.FIRMWARE:
            return words(plate.firmware), "firmw"
        case DisplayStatus.SOFTWARE:
            return words(plate.software), "rig"
        case DisplayStatus.PROGRAM:
            return words(plate.program), "prog"
        case DisplayStatus.SERIAL:
            return _end(plate.serial.replace(" ", "")), "serial"
        case DisplayStatus.KS:
            return fitted(plate.ks), "Ks Wh"
        case DisplayStatus.MULTIPLIER:
            return fitted(plate.multiplier), "mult"
        case DisplayStatus.RESET_COUNT:
            return count(reading.resets), "resets"
        case DisplayStatus.RESET_DATE:
            return date_of(reading.last_reset_ns, calendar), "reset"
        case DisplayStatus.RESET_TIME:
            return time_of(reading.last_reset_ns, calendar), "reset"
        case DisplayStatus.INTERVAL_LEFT:
            return _left(reading.active.interval_ends_ns, now_ns), "left"
        case DisplayStatus.TEST_LEFT:
            return _left(None if reading.test is None else reading.test.ends_ns, now_ns), "left"
        case DisplayStatus.INPUT_1:
            return count(reading.inputs[0]), "pulses"
        case DisplayStatus.INPUT_2:
            return count(reading.inputs[1]), "pulses"
        case DisplayStatus.ERRORS:
            return _errors(reading)
        case DisplayStatus.ALL_SEGMENTS:
            raise ValueError("all segments are no text and unit: show ALL_SEGMENTS")


def _service(service: FoundService | UnknownService | None) -> str:
    """Without its rotation, which is an item of its own."""
    match service:
        case None:
            return UNKNOWN
        case FoundService():
            return fitted(f"{service.label} {service.volts}")
        case UnknownService():
            return words(service.text)


def _rotation(service: FoundService | UnknownService | None) -> str:
    if not isinstance(service, FoundService):
        return UNKNOWN
    return service.rotation.name if service.rotation else "NONE"


def _errors(reading: MeterReading) -> tuple[str, str]:
    active = reading.installation.active
    if not active and not reading.faults:
        return NO_ERRORS, ""
    beside = [UNKNOWN_SERVICE] * (Diagnostic.UNKNOWN_SERVICE in active) + [MEASUREMENT_ERROR] * bool(reading.faults)
    return "".join(code if diagnostic in active else "-" for diagnostic, code in CODES.items()), " ".join(beside)


def _left(ends_ns: int | None, now_ns: int) -> str:
    return UNKNOWN if ends_ns is None else duration(ends_ns - now_ns)


def _end(text: str) -> str:
    """As much of the end as fits."""
    start = next((k for k in range(len(text)) if places(text[k:]) <= TEXT_PLACES), len(text))
    return text[start:]
