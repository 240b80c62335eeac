"""Draws what stands on the display in each sequence, from a run of the simulated rig: part of `make pictures`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from drivers.sim.playing import lively_load
from gateware.chain import Chain
from rig.face.face import Face
from rig.face.strip import strip
from rig.face.svg import svg
from rig.hardware.config import Config
from rig.hardware.simulation import simulated_hardware
from rig.meter.billing.commands import Action, Command
from rig.meter.billing.source import Source
from rig.meter.display.annunciators import lit
from rig.meter.display.items import DisplayItem
from rig.meter.display.lcd import Lcd
from rig.meter.display.readout import Readout
from rig.program.build import load_program
from rig.program.displayed_nameplate import displayed_nameplate
from rig.service.service import Service

SECONDS = 66
TEST_SECONDS = 6
BEGIN_UTC_NS = 1_783_348_140 * 10**9
"""2026-07-06, a Monday, at 14:29 UTC: a run is the same whenever it is made."""
SECOND_NS = 10**9
SIMULATED = "SIMULATED"

PROGRAM = """
[meter]
model = "RXRS4e"
form = "9S"
current_class = 20
serial = "40 123 456"

[demand]
interval_minutes = 1
allow_short_interval = true
quantities = ["kW delivered", "kvar lagging"]

[tou]
seasons = [{ name = "all year", begins = "01-01", weekday = ["00:00 B"], saturday = ["00:00 C"] }]

[display]
scroll_seconds = 6
energy_digits = 6
energy_decimals = 4
demand_digits = 6
demand_decimals = 3
"""
"""Short intervals and many decimals, so that a minute is enough to see something."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "meter.toml")
        path.write_text(PROGRAM, encoding="utf-8")
        program = load_program(path)
    config = Config()
    hardware, _, _ = simulated_hardware(
        config, program.metering.current_class, lively_load(Chain().tick_hz), paced=False, begin_utc_ns=BEGIN_UTC_NS
    )
    service = Service(hardware, config, program)
    readout = Readout(displayed_nameplate(program))
    settings = program.display

    def shown(items: Sequence[DisplayItem], *, alternate: bool = False) -> list[tuple[str, Lcd]]:
        reading, instant = service.meter.reading(), service.meter.instant
        test = reading.test is not None
        annunciators = lit(reading, instant, readout.plate, alternate=alternate, test=test, since_end_ns=None)
        return [(item.name, readout.show(item, reading, instant, annunciators)) for item in items]

    def run(seconds: int) -> None:
        for _ in service.run(hardware.clock.now_ns() + seconds * SECOND_NS):
            pass

    try:
        service.begin()
        run(SECONDS)
        normal = shown(settings.normal)
        draw("normal", "Normal sequence", normal)
        draw("alternate", "Alternate sequence", shown(settings.alternate, alternate=True))
        draw("gyrbox", "Gyrbox sequence", shown(settings.gyrbox))
        face = Face(dict(normal)["kWh delivered"], plate=program.nameplate.rows(), marks=SIMULATED)
        Path(__file__).with_name("face.svg").write_text(svg(face, program.markings), encoding="utf-8")
        service.meter.execute(Command(hardware.clock.utc_ns(), Action.TEST_BEGIN, Source.COMMAND_LINE))
        run(TEST_SECONDS)
        draw("test", "Test sequence", shown(settings.test))
        service.finish()
    finally:
        hardware.close()


def draw(name: str, title: str, items: Sequence[tuple[str, Lcd]]) -> None:
    Path(__file__).with_name(f"{name}.svg").write_text(strip(title, items, said=SIMULATED), encoding="utf-8")


if __name__ == "__main__":
    main()
