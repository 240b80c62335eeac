"""The switches of the meter's front, and what comes from them (D-3 to D-6, Q-5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Switch(Enum):
    """A switch, by its name in configuration, recordings and prompts. Each is operated or not:

    switch   operated means
    SCROLL   the button is pressed
    MAGNET   a magnet is at twelve o'clock
    RESET    the demand-reset button is pressed
    TEST     the Test switch is open, in the words of the notice: in its test position
    COVER    the cover is off
    """

    SCROLL = "scroll"
    MAGNET = "magnet"
    RESET = "reset"
    TEST = "test"
    COVER = "cover"


@dataclass(frozen=True, slots=True)
class Change:
    """A switch, free of bounce, was operated or let go at an instant: ns of a clock that does not go back."""

    at_ns: int
    switch: Switch
    operated: bool
