"""The constants that turn sample codes into volts and amperes (Q-1, M-2). Their file: calibration/constants_file.py."""

from __future__ import annotations

import datetime
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from calibration.errors import CalibrationError

CHANNELS = ("v1", "v2", "v3", "i1", "i2", "i3")
"""The order of the sample vector, as in the gateware."""

FULL_SCALE_CODES = 1 << 19
"""Nominal full scale of a 20-bit signed sample."""

DELAY_LIMIT_TICKS = 255
"""The gateware's bit delay line holds a channel back by at most this many modulator ticks."""

FULL_SCALE_LIMIT = 100_000
"""Volts or amperes at full scale. More is a full scale entered where volts or amperes per code belong."""

TURN_LIMIT = Fraction(1, 20)
"""Of a turn, tan(α/2): 5.7°. A sensor that is later than this, beyond the bit delay, is not one to be corrected."""

RATIO_LIMIT = Fraction(1, 10)
"""A transformer's curve moves its gain by at most this share."""

PPM_LIMIT = 10_000

MOST_CURVE_POINTS = 32

VERSION = 2
"""Of the file. Version 1, written by hand, had no CRC, no turns, no curves and no validity."""


REFERENCE_C = 23
"""The temperature of calibrations that state none, °C (IEC 62053-22, 8.5)."""

DECIMALS = 24

_GAIN_RULE = (
    f'a positive number in quotes, decimal or fraction, such as "0.00137", for a full scale '
    f"({FULL_SCALE_CODES} codes) of at most {FULL_SCALE_LIMIT} V or A"
)
RULES = {
    "identity": "one line of text naming the board and its serial number",
    "date": 'a date in quotes such as "2026-03-14", or "" when calibrated is false',
    "calibrated": "true or false",
    "source": "one line of text saying where the constants come from",
    "version": f"{VERSION}",
    "crc32": "what the program that wrote the file made of it: eight hexadecimal digits in quotes",
    "board": 'the front end that the constants are of, as one line of text, or ""',
    "valid_until": 'a date in quotes such as "2027-03-14", not before that of the calibration, or ""',
    "temperature_c": 'degrees Celsius in quotes, such as "23", from −60 to 150',
    "current_class": "a whole number of amperes from 0 (any) to 1000",
    "turn": f'a number in quotes within ±{float(TURN_LIMIT)}, tan(α/2) of the residual lag α, such as "0.0000125"',
    "ppm_per_k": f'a number in quotes within ±{PPM_LIMIT}, such as "-12.5"',
    "curve": f"up to {MOST_CURVE_POINTS} tables of amperes, ratio and turn, by rising amperes",
    "amperes": "a positive number in quotes, more than at the point before",
    "ratio": f'a number in quotes within {float(RATIO_LIMIT)} of 1, such as "0.9987"',
    "channels": f"six tables: {', '.join(CHANNELS)}",
    "volts_per_code": _GAIN_RULE,
    "amperes_per_code": _GAIN_RULE,
    "delay_ticks": f"a whole number of modulator ticks from 0 to {DELAY_LIMIT_TICKS}",
    "offset_codes": f'a number in quotes within ±{FULL_SCALE_CODES}, such as "-12.5"',
    **dict.fromkeys(CHANNELS, "a table of gain, delay_ticks and offset_codes"),
}


def gain_key(channel: str) -> str:
    """The key of a channel's gain."""
    return "volts_per_code" if channel.startswith("v") else "amperes_per_code"


def wrong(key: str, value: object) -> CalibrationError:
    """The error of a value that a key cannot have."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    rule = next(RULES[part] for part in reversed(key.split(".")) if part in RULES)
    return CalibrationError(f"{key} is {shown}, it must be {rule}")


@dataclass(frozen=True)
class CurveConstants:
    """A transformer at one current: its gain is the channel's times `ratio`, and it lags by `turn` more."""

    amperes: Fraction
    ratio: Fraction = Fraction(1)
    turn: Fraction = Fraction(0)


@dataclass(frozen=True)
class ChannelConstants:
    """One channel: `gain` in volts or amperes per sample code, the delay for the gateware's DELAY register in
    modulator ticks, and the channel's DC in sample codes (used for windows that are not whole cycles).

    `turn` is tan(α/2) of the angle α by which the channel lags all the same, at line frequency, so that its cosine
    and sine are rationals. A transformer's ratio and turn go by `curve`, between its points evenly with the logarithm
    of the current. The gain is of the calibration's temperature, and grows by `ppm_per_k` millionths a kelvin.
    """

    gain: Fraction
    delay_ticks: int = 0
    offset_codes: Fraction = Fraction(0)
    turn: Fraction = Fraction(0)
    ppm_per_k: Fraction = Fraction(0)
    curve: tuple[CurveConstants, ...] = ()

    def check(self, name: str) -> None:
        """Raise CalibrationError for a constant of the channel of a name that is out of range."""
        gain = self.gain * FULL_SCALE_CODES
        for key, value, right in (
            (gain_key(name), self.gain, 0 < gain <= FULL_SCALE_LIMIT),
            ("offset_codes", self.offset_codes, abs(self.offset_codes) <= FULL_SCALE_CODES),
            ("turn", self.turn, abs(self.turn) <= TURN_LIMIT),
            ("ppm_per_k", self.ppm_per_k, abs(self.ppm_per_k) <= PPM_LIMIT),
            *((f"curve.{n}.ratio", p.ratio, abs(p.ratio - 1) <= RATIO_LIMIT) for n, p in enumerate(self.curve)),
            *((f"curve.{n}.turn", p.turn, abs(p.turn) <= TURN_LIMIT) for n, p in enumerate(self.curve)),
        ):
            if not right:
                raise wrong(f"channels.{name}.{key}", text_of(value))
        if not 0 <= self.delay_ticks <= DELAY_LIMIT_TICKS:
            raise wrong(f"channels.{name}.delay_ticks", self.delay_ticks)
        if len(self.curve) > MOST_CURVE_POINTS:
            raise wrong(f"channels.{name}.curve", f"{len(self.curve)} points")
        levels = [Fraction(0), *(point.amperes for point in self.curve)]
        for n, (low, high) in enumerate(pairwise(levels)):
            if not low < high:
                raise wrong(f"channels.{name}.curve.{n}.amperes", text_of(high))


def years_later(day: datetime.date, years: int) -> datetime.date:
    """Give the day of so many years later, such as that until which constants are valid; 28 for a 29 February that is
    not there."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


@dataclass(frozen=True)
class Calibration:
    """The constants of the six channels in the order of CHANNELS, and where they come from.

    `date` is ISO text, empty for constants that nobody measured; with `calibrated` false every result says
    UNCALIBRATED. They hold for the front end named `board`, until the end of `valid_until`, for `current_class`
    amperes; "" and 0 leave that open. Gains are of `temperature_c`. Raises CalibrationError for constants out of range.
    """

    channels: tuple[ChannelConstants, ...]
    identity: str
    date: str
    calibrated: bool
    source: str
    board: str = ""
    valid_until: str = ""
    current_class: int = 0
    temperature_c: Fraction = Fraction(REFERENCE_C)

    def __post_init__(self) -> None:
        for key, value in (("identity", self.identity), ("source", self.source)):
            if not value or not value.isprintable():
                raise wrong(key, value)
        if (self.date or self.calibrated) and not _is_date(self.date):
            raise wrong("date", self.date)
        if not self.board.isprintable():
            raise wrong("board", self.board)
        if self.valid_until and not (_is_date(self.valid_until) and self.date <= self.valid_until):
            raise wrong("valid_until", self.valid_until)
        if not 0 <= self.current_class <= 1000:
            raise wrong("current_class", self.current_class)
        if not -60 <= self.temperature_c <= 150:
            raise wrong("temperature_c", text_of(self.temperature_c))
        if len(self.channels) != len(CHANNELS):
            raise CalibrationError(f"a calibration has {len(CHANNELS)} channels, got {len(self.channels)}")
        for name, channel in zip(CHANNELS, self.channels, strict=True):
            channel.check(name)

    @property
    def digest(self) -> str:
        """The first 12 hexadecimal digits of SHA-256 over the constants as text: what result records carry."""
        return hashlib.sha256(self._body().encode()).hexdigest()[:12]

    @property
    def crc32(self) -> str:
        """CRC-32 over the constants as text, eight hexadecimal digits: whether a file is as it was written."""
        return f"{zlib.crc32(self._body().encode()):08x}"

    def at(self, temperature_c: Fraction) -> Calibration:
        """The constants at another temperature: with the gains that they have there."""
        warmer = (temperature_c - self.temperature_c) / 1_000_000
        channels = tuple(replace(c, gain=c.gain * (1 + c.ppm_per_k * warmer)) for c in self.channels)
        return replace(self, channels=channels, temperature_c=temperature_c)

    def check_use(self, board: str, current_class: int) -> None:
        """Raise CalibrationError for constants of another front end than the one named, or another current class."""
        if self.board and board and self.board != board:
            raise CalibrationError(
                f"board is {json.dumps(self.board, ensure_ascii=False)}, and the front end here is "
                f"{json.dumps(board, ensure_ascii=False)}: calibrate this one, or give its own file"
            )
        if self.current_class and self.current_class != current_class:
            raise CalibrationError(
                f"current_class is {self.current_class}, and the meter's is {current_class}: calibrate it for that one"
            )

    def in_force(self, date: str) -> Calibration:
        """The constants as they count at a date, ISO text, of UTC: past `valid_until`, and more than a day before they
        were made (it may be tomorrow where they were), they are used all the same, UNCALIBRATED."""
        tomorrow = (datetime.date.fromisoformat(date) + datetime.timedelta(days=1)).isoformat()
        if (self.valid_until and date > self.valid_until) or tomorrow < self.date:
            return replace(self, calibrated=False)
        return self

    def to_toml(self) -> str:
        """The file's text. Equal calibrations have equal texts."""
        return f'version = {VERSION}\ncrc32 = "{self.crc32}"\n{self._body()}'

    def _body(self) -> str:
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        # A JSON string of printable characters is also a TOML basic string. What is at its default has no line, so
        # that constants of version 1 keep their digest.
        yield f"identity = {json.dumps(self.identity, ensure_ascii=False)}"
        yield f'date = "{self.date}"'
        yield f"calibrated = {json.dumps(self.calibrated)}"
        yield f"source = {json.dumps(self.source, ensure_ascii=False)}"
        if self.board:
            yield f"board = {json.dumps(self.board, ensure_ascii=False)}"
        if self.valid_until:
            yield f'valid_until = "{self.valid_until}"'
        if self.current_class:
            yield f"current_class = {self.current_class}"
        if self.temperature_c != REFERENCE_C:
            yield f'temperature_c = "{text_of(self.temperature_c)}"'
        for name, channel in zip(CHANNELS, self.channels, strict=True):
            yield ""
            yield f"[channels.{name}]"
            yield f'{gain_key(name)} = "{text_of(channel.gain)}"'
            yield f"delay_ticks = {channel.delay_ticks}"
            yield f'offset_codes = "{text_of(channel.offset_codes)}"'
            if channel.turn:
                yield f'turn = "{text_of(channel.turn)}"'
            if channel.ppm_per_k:
                yield f'ppm_per_k = "{text_of(channel.ppm_per_k)}"'
            if channel.curve:
                yield "curve = ["
                for point in channel.curve:
                    amperes, ratio, turn = map(text_of, (point.amperes, point.ratio, point.turn))
                    yield f'    {{ amperes = "{amperes}", ratio = "{ratio}", turn = "{turn}" }},'
                yield "]"


def nominal(volts: Fraction, amperes: Fraction, identity: str = "nominal") -> Calibration:
    """Uncalibrated constants from the nominal full scales, the peak volts and amperes at code 2**19."""
    v = ChannelConstants(Fraction(volts) / FULL_SCALE_CODES)
    i = ChannelConstants(Fraction(amperes) / FULL_SCALE_CODES)
    source = f"nominal full scales of {text_of(Fraction(volts))} V and {text_of(Fraction(amperes))} A peak"
    return Calibration((v, v, v, i, i, i), identity=identity, date="", calibrated=False, source=source)


def text_of(number: Fraction) -> str:
    """Exact text of a rational: a decimal if one of at most 24 places will do, else a fraction."""
    for places in range(DECIMALS + 1):
        if 10**places % number.denominator == 0:
            digits = str(abs(number.numerator) * 10**places // number.denominator).zfill(places + 1)
            cut = len(digits) - places
            return ("-" if number < 0 else "") + digits[:cut] + ("." + digits[cut:] if places else "")
    return f"{number.numerator}/{number.denominator}"


def _is_date(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
