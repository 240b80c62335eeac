"""The character display: luma.lcd drives a simulated controller, whose memory is what was to be shown."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.lcd import ADDRESSES, ROM_A00, SIZES, CharacterLcd, LcdError, open_bus
from drivers.sim.hd44780 import Hd44780, Pcf8574, SimulatedI2cBus

ADDRESS = 0x27


@dataclass
class Bench:
    """A display on a simulated bus, and what is on its glass."""

    columns: int
    rows: int

    def __post_init__(self) -> None:
        self.controller = Hd44780(self.columns, self.rows)
        self.chip = Pcf8574(self.controller)
        self.bus = SimulatedI2cBus({ADDRESS: self.chip})

    def lcd(self) -> CharacterLcd:
        return CharacterLcd(self.rows, self.columns, ADDRESS, self.bus)

    def shown(self) -> list[str]:
        signs = {code: character for character, code in ROM_A00.items()}
        return ["".join(signs[code] for code in row) for row in self.controller.codes()]

    def lines(self, *texts: str) -> list[str]:
        return [text.ljust(self.columns) for text in (*texts, *[""] * (self.rows - len(texts)))]


@dataclass
class Running(Bench):
    """One that is set up, whatever it shows."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.display = self.lcd()


@pytest.fixture(scope="module", params=SIZES, ids=["20x4", "16x2"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    running = Running(*request.param)
    yield running
    running.display.close()


def test_a_new_display_is_on_lit_blank_and_of_two_lines(running: Running) -> None:
    running.display.show(running.lines())
    assert running.shown() == running.lines()
    assert running.controller.on
    assert running.controller.two_lines
    assert running.chip.light


texts = st.text(alphabet=sorted(ROM_A00), max_size=20)


@given(st.lists(st.lists(texts, min_size=4, max_size=4), min_size=1, max_size=4))
def test_whatever_comes_after_whatever_the_glass_has_it(running: Running, faces: list[list[str]]) -> None:
    for face in faces:
        lines = [text[: running.columns].ljust(running.columns) for text in face[: running.rows]]
        running.display.show(lines)
        assert running.shown() == lines


def test_only_what_changed_is_written(running: Running) -> None:
    before = running.lines("03 00123.4", "kWh")
    running.display.show(before)
    assert running.display.show(before) == 0
    writes = running.bus.writes
    assert running.display.show(running.lines("03 00123.5", "kWh")) == 1
    assert running.bus.writes - writes == 2 * 2 * 3  # address and character, of two halves of three bytes each
    assert running.display.show(running.lines("13 00123.5", "kVh")) == 2


def test_every_character_of_the_rom_reaches_the_glass(running: Running) -> None:
    characters = sorted(ROM_A00)
    for k in range(0, len(characters), running.columns):
        lines = running.lines("".join(characters[k : k + running.columns]))
        running.display.show(lines)
        assert running.controller.codes()[0][: len(characters[k : k + running.columns])] == tuple(
            ROM_A00[c] for c in characters[k : k + running.columns]
        )


@pytest.mark.parametrize("halves", range(4))
def test_a_display_left_in_the_middle_of_a_byte_is_found_again(halves: int) -> None:
    """As a crash leaves it: taking halves, one of them there."""
    bench = Bench(20, 4)
    for half in (0x3, 0x3, 0x3, 0x2, *(0x2, 0x8, 0x8)[:halves]):
        bench.controller.take(half, data=False)
    bench.lcd().show(bench.lines("→ 12.3 °█"))
    assert bench.shown() == bench.lines("→ 12.3 °█")


def test_a_display_unplugged_and_back_shows_everything(running: Running) -> None:
    running.display.show(running.lines("before"))
    chips, running.bus.chips = running.bus.chips, {}
    message = r"no display answers at address 0x27: check its wires and power, .* `i2cdetect -y 1` shows"
    with pytest.raises(LcdError, match=message):
        running.display.show(running.lines("meanwhile"))
    with pytest.raises(LcdError, match=message):
        running.display.show(running.lines("meanwhile"))
    running.controller.power_on()
    running.bus.chips = chips
    running.display.show(running.lines("after"))
    assert running.shown() == running.lines("after")
    assert running.controller.on


def test_closing_leaves_it_dark() -> None:
    bench = Bench(16, 2)
    lcd = bench.lcd()
    lcd.show(bench.lines("something"))
    lcd.close()
    lcd.close()
    assert not bench.controller.on
    assert not bench.chip.light
    bench.bus.chips = {}
    lcd.close()


def test_closing_one_that_is_gone_is_quiet() -> None:
    bench = Bench(16, 2)
    lcd = bench.lcd()
    bench.bus.chips = {}
    lcd.close()


# --- what is refused ------------------------------------------------------------------------------------


def test_lines_that_do_not_fit_are_refused(running: Running) -> None:
    with pytest.raises(ValueError, match="lines of"):
        running.display.show(["too short"] * running.rows)
    with pytest.raises(ValueError, match="which the display's ROM has not"):
        running.display.show(running.lines("Ω"))
    with pytest.raises(ValueError, match="a character display of 40×2"):
        CharacterLcd(2, 40, ADDRESS, running.bus)


def test_nothing_at_the_address() -> None:
    bench = Bench(20, 4)
    with pytest.raises(LcdError, match="no display answers at address 0x3f"):
        CharacterLcd(4, 20, 0x3F, bench.bus)
    assert 0x3F in ADDRESSES


def test_no_such_bus() -> None:
    with pytest.raises(LcdError, match=r"/dev/i2c-77 does not exist: enable I2C .*do_i2c 0.* and reboot"):
        open_bus("/dev/i2c-77")


def test_a_file_that_is_no_bus() -> None:
    with pytest.raises(LcdError, match=r"/dev/null is no I2C bus \(.*\): give one such as /dev/i2c-1"):
        open_bus("/dev/null")


def test_a_bus_without_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr("smbus2.SMBus", refuse)
    with pytest.raises(LcdError, match="no permission for /dev/i2c-1: add the user to the group i2c"):
        open_bus()


@pytest.mark.parametrize("missing", ["smbus2", "luma.core.interface.serial", "luma.lcd.device"])
def test_a_missing_library_has_a_remedy(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(LcdError, match=r'luma.lcd is not installed: run `\.venv/bin/pip install -e "\.\[lcd\]"`'):
        open_bus() if missing == "smbus2" else Bench(16, 2).lcd()


# --- the simulated controller, by its data sheet -----------------------------------------------------------


def ready(columns: int = 16, rows: int = 2) -> Hd44780:
    """Taking halves, two lines, on."""
    controller = Hd44780(columns, rows)
    controller.take(0x2, data=False)
    for byte in (0x28, 0x0C, 0x06):
        send(controller, byte)
    return controller


def send(controller: Hd44780, byte: int, *, data: bool = False) -> None:
    controller.take(byte >> 4, data=data)
    controller.take(byte & 0xF, data=data)


def write(controller: Hd44780, text: str) -> None:
    for character in text:
        send(controller, ord(character), data=True)


def test_power_on_is_blank_off_and_takes_bytes() -> None:
    controller = Hd44780(16, 2)
    assert (controller.on, controller.two_lines) == (False, False)
    assert set(controller.memory.values()) == {0x20}
    controller.take(0x0, data=False)  # 0x0F, DB0…DB3 being pulled up: on
    assert controller.on


def test_the_first_line_ends_where_the_second_begins() -> None:
    controller = ready()
    send(controller, 0x80 | 0x27)
    write(controller, "ab")
    assert (controller.memory[0x27], controller.memory[0x40]) == (ord("a"), ord("b"))
    send(controller, 0x80 | 0x67)
    write(controller, "cd")
    assert (controller.memory[0x67], controller.memory[0x00]) == (ord("c"), ord("d"))


def test_clear_home_and_the_cursors_ways() -> None:
    controller = ready()
    write(controller, "abc")
    send(controller, 0x02)
    send(controller, 0x14)
    write(controller, "X")
    send(controller, 0x10)
    send(controller, 0x10)
    write(controller, "Y")
    assert bytes(controller.codes()[0][:3]) == b"YXc"
    send(controller, 0x04)
    send(controller, 0x80 | 0x02)
    write(controller, "12")
    assert bytes(controller.codes()[0][:3]) == b"Y21"
    send(controller, 0x01)
    write(controller, "pq")  # clear sets the cursor forward again
    assert bytes(controller.codes()[0][:3]) == b"pq "


def test_a_shifted_glass_shows_the_rest_of_the_line() -> None:
    controller = ready()
    write(controller, "0123456789abcdefGHI")
    send(controller, 0x18)
    assert bytes(controller.codes()[0]) == b"123456789abcdefG"
    send(controller, 0x1C)
    send(controller, 0x1C)
    assert bytes(controller.codes()[0]) == b" 0123456789abcde"
    send(controller, 0x02)
    assert bytes(controller.codes()[0]) == b"0123456789abcdef"


def test_own_glyphs_leave_the_text_alone() -> None:
    controller = ready()
    send(controller, 0x40)
    write(controller, "abcdefgh")
    send(controller, 0x80)
    write(controller, "z")
    assert bytes(controller.codes()[0][:3]) == b"z  "


def test_an_address_without_memory_is_noticed() -> None:
    with pytest.raises(ValueError, match="no memory at 0x30"):
        send(ready(), 0x80 | 0x30)


def test_entry_with_shift_moves_the_glass() -> None:
    controller = ready()
    send(controller, 0x07)
    write(controller, "ab")
    assert bytes(controller.codes()[0][-2:]) == b"  "
    assert bytes(controller.memory[k] for k in range(2)) == b"ab"
    send(controller, 0x02)
    assert bytes(controller.codes()[0][:2]) == b"ab"


def test_reads_hand_nothing_over() -> None:
    controller = ready()
    chip = Pcf8574(controller)
    for value in (0x37, 0x33):  # RS, RW, E; then E falls
        chip.write(value)
    assert set(controller.memory.values()) == {0x20}
