"""The display on a simulated HD44780: written by whoever shows a run, lost and found again, refused at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.lcd import LcdError
from drivers.sim.hd44780 import Hd44780, Pcf8574, SimulatedI2cBus
from rig.daemon.protocol import Reading
from rig.face.characters import character_lines
from rig.files.strict_toml import ConfigError
from rig.hardware.config import Config, LcdConfig, load
from rig.meter.display.lcd import ALL_SEGMENTS, Annunciator, Lcd
from rig.terminal.character_lcd import AGAIN_NS, EACH_NS, CharacterLcdClient
from rig.terminal.show import Audience
from rig.terminal.start import start_and_show

DISPLAY = LcdConfig(lcd="20x4")
FIRST = Lcd("03", "00123.4", "kWh", frozenset({Annunciator.RATE_A}))
SECOND = Lcd("04", "00000.0", "kWh", frozenset({Annunciator.ALT}))


class Bench:
    """A bus with one display at 0x27, which may be pulled out."""

    def __init__(self, columns: int = 20, rows: int = 4) -> None:
        self.chip = Pcf8574(Hd44780(columns, rows))
        self.bus = SimulatedI2cBus({0x27: self.chip})
        self.opened: list[str] = []

    def open(self, path: str) -> SimulatedI2cBus:
        self.opened.append(path)
        return self.bus

    @property
    def dark(self) -> bool:
        return not self.chip.light and not self.chip.controller.on

    @property
    def text(self) -> tuple[str, ...]:
        signs = {0x7E: "→", 0x7F: "←", 0xFF: "█"}
        return tuple("".join(signs.get(c, chr(c)) for c in row) for row in self.chip.controller.codes())


def test_the_glass_shows_what_it_is_told_but_not_too_often() -> None:
    bench = Bench()
    glass = CharacterLcdClient(DISPLAY, bench.open)
    assert bench.opened == ["/dev/i2c-1"]
    assert glass.next_due_ns is None
    glass.show(FIRST)
    assert not glass.advance(5 * AGAIN_NS)
    assert bench.text == character_lines(FIRST, 20, 4)
    glass.show(SECOND)
    assert glass.next_due_ns == 5 * AGAIN_NS + EACH_NS
    glass.advance(5 * AGAIN_NS + EACH_NS - 1)
    assert bench.text == character_lines(FIRST, 20, 4)
    glass.advance(5 * AGAIN_NS + EACH_NS)
    assert bench.text == character_lines(SECOND, 20, 4)
    writes = bench.bus.writes
    assert glass.next_due_ns is None
    glass.show(SECOND)
    glass.advance(9 * AGAIN_NS)
    assert bench.bus.writes == writes
    glass.close()
    assert bench.dark


def test_a_display_that_is_pulled_out_is_trouble_until_it_is_back() -> None:
    bench = Bench()
    glass = CharacterLcdClient(DISPLAY, bench.open)
    glass.show(FIRST)
    glass.advance(0)
    chips, bench.bus.chips = bench.bus.chips, {}
    glass.show(SECOND)
    assert glass.advance(EACH_NS)
    assert glass.trouble is not None
    assert "no display answers at address 0x27" in glass.trouble
    assert glass.next_due_ns == EACH_NS + AGAIN_NS
    assert not glass.advance(EACH_NS + AGAIN_NS - 1)
    assert not glass.advance(EACH_NS + AGAIN_NS), "the same trouble"
    bench.chip.controller.power_on()
    bench.bus.chips = chips
    assert glass.advance(EACH_NS + 2 * AGAIN_NS)
    assert glass.trouble is None
    assert bench.text == character_lines(SECOND, 20, 4)


def test_trouble_ends_also_when_what_is_wanted_stood_there_before() -> None:
    bench = Bench()
    glass = CharacterLcdClient(DISPLAY, bench.open)
    glass.show(FIRST)
    glass.advance(0)
    chips, bench.bus.chips = bench.bus.chips, {}
    glass.show(SECOND)
    glass.advance(AGAIN_NS)
    glass.show(FIRST)
    bench.bus.chips = chips
    assert glass.advance(2 * AGAIN_NS)
    assert glass.trouble is None
    assert bench.text == character_lines(FIRST, 20, 4)


def test_a_display_that_is_not_there_is_refused_at_the_start() -> None:
    with pytest.raises(LcdError, match="no display answers at address 0x3f"):
        CharacterLcdClient(LcdConfig(lcd="16x2", lcd_address=0x3F), Bench(16, 2).open)
    lcd = LcdConfig(lcd="16x2", lcd_address=0x20)
    audience = Audience(lambda reading: None, lcd=lcd, open_bus=Bench(16, 2).open)
    with pytest.raises(LcdError, match="no display answers at address 0x20"):
        start_and_show(Config(), 1, paced=False, audience=audience)


@pytest.mark.slow
def test_a_run_writes_it_and_goes_on_when_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole split: the process that meters, and this one, which draws."""
    bench = Bench()
    monkeypatch.setattr("rig.terminal.character_lcd.AGAIN_NS", 100_000_000)
    monkeypatch.setattr("rig.terminal.character_lcd.EACH_NS", 0)
    seen: list[tuple[tuple[str, ...], str | None]] = []
    faces: list[str | None] = []

    def reading(shown: Reading) -> None:
        """Written before the next is heard. Gone after the third, back when its loss has been shown."""
        seen.append((bench.text, shown.lcd_trouble))
        if len(seen) == 4:
            bench.bus.chips = {}
        elif shown.lcd_trouble is not None:
            bench.bus.chips = {0x27: bench.chip}

    audience = Audience(reading, front=lambda shown: faces.append(shown.lcd_trouble), lcd=DISPLAY, open_bus=bench.open)
    ended = start_and_show(Config(), 30, paced=False, audience=audience)
    assert ended.failure is None
    assert len(seen) == 30
    assert seen[2][0] == character_lines(ALL_SEGMENTS, 20, 4)
    troubles = [trouble for _, trouble in seen]
    assert any(trouble is not None and "0x27" in trouble for trouble in troubles)
    assert troubles[-1] is None
    assert any(trouble is not None for trouble in faces)
    assert "kWh" in "".join("".join(text) for text, _ in seen)
    assert bench.dark


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lcd = '20x2'", r"display\.lcd is '20x2', it must be '(16x2|20x4|none)' or"),
        ("lcd_address = 0x28", r"display\.lcd_address is 40, it must be an address that a PCF8574 can have, 0x20"),
        ("lcd_address = 64", r"display\.lcd_address is 64, it must be an address that a PCF8574 can have, 0x20"),
        ("lcd_bus = '/dev/spidev0.0'", r"""display\.lcd_bus is '/dev/spidev0\.0', it must be "/dev/i2c-1", or ano"""),
        ("lcd_adress = 0x27", r"unknown key lcd_adress in \[display\]; did you mean lcd_address\?"),
    ],
)  # fmt: skip
def test_the_configuration_is_strict(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(f"[display]\n{text}\n")
    with pytest.raises(ConfigError, match=said):
        load(path)
