"""The rig's configuration file, rig.toml: which hardware, which meter. Strict: an unknown key is an error.

A file with everything at its default:

    [hardware]
    kind = "sim"                    # "sim", or "pi" for a Raspberry Pi with the FPGA board
    spi_path = "/dev/spidev0.0"
    spi_hz = 3000000
    led_pin = 17                    # GPIO numbers
    kyz1_y_pin = 22
    kyz1_z_pin = 23
    kyz2_y_pin = 24
    kyz2_z_pin = 25
    kyz3_y_pin = 27
    kyz3_z_pin = 4
    kyz4_y_pin = 12
    kyz4_z_pin = 16
    scroll_pin = 5
    magnet_pin = 6
    reset_pin = 13
    test_pin = 19
    cover_pin = 26
    input1_pin = 20
    input2_pin = 21
    gpio_chip = "/dev/gpiochip0"
    fram = "none"                   # "none", or "MB85RS2MT": it has each save, beside the card (docs/store.md)
    fram_path = "/dev/spidev0.1"
    fram_hz = 10000000
    # power_fail_pin = 18           # low: power is about to fail, and the meter saves; left out: nobody tells
    # front_end = "front end 17"    # its name: constants of another are refused (docs/calibration.md)
    # temperature_c = 35.0          # of the front end: gains of this temperature apply

    [display]                       # a character display on I²C, beside the terminal's
    lcd = "none"                    # "none", "20x4" or "16x2"
    lcd_address = 0x27
    lcd_bus = "/dev/i2c-1"

    [simulation]                    # kind = "sim" only
    fidelity = "exact"              # "exact", or "rtl" for the compiled netlist
    sensors = "typical"             # "typical", or "ideal"
    # components = "parts.toml"     # or a front end of components with their errors (docs/calibration.md)
    # lot = { seed = 7, meter = 12, currents = "transformers", fault = "none" }   # or a meter of a virtual lot
    seed = 1
    # fram_file = "fram.bin"        # what the simulated FRAM holds between runs; left out: nothing outlives one
    board = "board.sock"            # where rig simulate has the board, which lives on; left out: one with each run
    # wires = { 14 = "kyz1_y" }      # GPIO at which a counter sees a contact of that board
    load = {}                       # [simulation.load], what it is connected to (docs/load.md); empty: by its form

    [meter]                         # paths are from this file's folder
    program = "meter.toml"          # see docs/program.md; left out: a plain RXRS4e of form 9S, class 20
    calibration = "constants.toml"  # left out: nominal on a Pi (UNCALIBRATED), exact if simulated
    store = "meter-store"           # a folder; left out: nothing outlives a simulated run, a Pi has "meter-store"
    ring = "/dev/shm/meter.ring"    # a file in memory, see docs/store.md; left out: a path made from the store's

    [daemon]                        # the metering process, see docs/interface.md
    socket = "meter.sock"           # where its clients find it; left out: a path made from this file's
    group = "meter"                 # a group whose members may connect; left out: this user alone

    [[ports]]                       # a serial port of the meter, as many as there are (docs/communication.md)
    name = "optical"
    kind = "optical"                # "optical", "rs-232", "rs-485" or "modem" (docs/modem.md)
    device = "pty"                  # a pseudo-terminal of this computer, or a serial port such as "/dev/ttyUSB0"
    link = "optical.pty"            # of a pty: a link to it in the file system; left out: beside the meter's socket
    address = 0                     # its own identity, 1 to 255; on RS-485 it answers to that alone
    direction = "adapter"           # rs-485: who switches its driver: "adapter", "kernel" or "rts" (docs/line.md)
    most_baud = 115200              # the fastest that it agrees to; it begins with 9600
    trace = "optical.trace"         # a file of what goes over the line, passwords too; left out: none
    # modem = { numbers = ["5551234"] }   # of kind "modem": how it is set up, answers and calls (docs/modem.md)
    # authentication = { key_file = "line.key", level = 1 }   # of the others than optical: a DES key of C12.21

    [mqtt]                          # a broker that figures are published to (docs/publishing.md)
    enabled = false
    broker = "localhost"
    port = 1883                     # left out: 1883, or 8883 with TLS
    id = "meter-1"                  # the meter's name in topics; left out: by its serial number
    topic = "ae0764"
    discovery = "homeassistant"     # where Home Assistant looks for what there is; "none": nothing is said to it
    every_s = 10
    user = "meter"                  # left out: the broker asks for none
    password_file = "mqtt.password" # with mode 0600
    tls = false
    # ca_file = "ca.pem"            # who vouches for the broker; left out: whom the system trusts
    # certificate_file = "meter.pem"
    # key_file = "meter.key"

    [prometheus]                    # an address at which figures are read (docs/publishing.md)
    enabled = false
    address = "127.0.0.1"
    port = 9764

    [bench]                         # tests with --rig pi only: GPIO that move the switches; left out: a person does
    scroll_actuator_pin = 0
    magnet_actuator_pin = 1
    reset_actuator_pin = 18
    # test_actuator_pin = 14        # 14 and 15 are the header's UART: left to it here
    # cover_actuator_pin = 15
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from drivers.lcd import ADDRESSES
from drivers.sim.components import Currents, Fault
from rig.files.strict_toml import ConfigError, read
from rig.hardware.publishing_config import MqttConfig, PrometheusConfig, check_mqtt, mqtt_beside
from rig.load.description import LoadDescription, beside_file, check
from rig.meter.billing.inputs import InputId
from rig.meter.contacts.outputs import KYZ_OUTPUTS, OutputId

SWITCHES = ("scroll", "magnet", "reset", "test", "cover")

PI_STORE = "meter-store"
"""Where a meter on hardware keeps its registers, if nothing else is said."""

_Gpio = Annotated[int, msgspec.Meta(ge=0, le=27)]
_Chip = Annotated[
    str, msgspec.Meta(pattern=r"^/dev/gpiochip\d{1,3}$", extra={"rule": '"/dev/gpiochip0", or another number'})
]

_Spi = Annotated[
    str,
    msgspec.Meta(pattern=r"^/dev/[\w./-]+$", extra={"rule": '"/dev/spidev0.1", or another device, or a link to one'}),
]
_Path = Annotated[
    str,
    msgspec.Meta(pattern=r"^[^\x00]{1,4000}$(?!\n)", extra={"rule": "a path as text in quotes, not empty"}),
]
"""A file or a folder, from that of rig.toml. Empty it would be the folder itself, and no path has a NUL."""

PTY = "pty"
"""As the device of a port: a pseudo-terminal."""

_PortName = Annotated[
    str, msgspec.Meta(pattern=r"^[\w-]{1,20}$(?!\n)", extra={"rule": "up to 20 letters, digits, _ or -"})
]
_Device = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(pty|/dev/[\w./-]+|socket://[\w.-]+:\d{1,5})$(?!\n)",
        extra={"rule": '"/dev/ttyUSB0", or another serial port, or "pty"; of a modem "socket://localhost:4000", too'},
    ),
]

_Name = Annotated[
    str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,80}$(?!\n)", extra={"rule": "one line of up to 80 characters"})
]
_TIME = r"([01]\d|2[0-3]):[0-5]\d"
_Time = Annotated[str, msgspec.Meta(pattern=rf"^{_TIME}$(?!\n)", extra={"rule": 'a time of the day, such as "02:30"'})]
_Window = Annotated[
    str,
    msgspec.Meta(pattern=rf"^{_TIME}-{_TIME}$(?!\n)", extra={"rule": 'two times of the day, such as "08:00-18:00"'}),
]
_Command = Annotated[
    str, msgspec.Meta(pattern=r"^AT[!-~ ]{0,60}$(?!\n)", extra={"rule": 'a command of a Hayes modem, such as "AT&F"'})
]
_Number = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9*#,W+-]{1,32}$(?!\n)", extra={"rule": 'a telephone number, such as "5551234"'})
]

_UP_TO_99 = msgspec.Meta(max_length=99, extra={"rule": "a list of up to 99"})

PUBLISHERS = frozenset({"mqtt", "prometheus"})
"""Names that files beside a meter's socket have of its publishers, as they have a port's."""

_ADDRESS_RULE = "an address that a PCF8574 can have, 0x20 to 0x27 or 0x38 to 0x3f"

_BUSES = {2: "I²C", 3: "I²C", 7: "SPI", 8: "SPI", 9: "SPI", 10: "SPI", 11: "SPI"}
"""Pins that the FPGA's and the display's buses have."""


class HardwareConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    kind: Literal["sim", "pi"] = "sim"
    spi_path: _Path = "/dev/spidev0.0"
    spi_hz: Annotated[int, msgspec.Meta(ge=100_000, le=3_300_000)] = 3_000_000
    led_pin: _Gpio = 17
    kyz1_y_pin: _Gpio = 22
    kyz1_z_pin: _Gpio = 23
    kyz2_y_pin: _Gpio = 24
    kyz2_z_pin: _Gpio = 25
    kyz3_y_pin: _Gpio = 27
    kyz3_z_pin: _Gpio = 4
    kyz4_y_pin: _Gpio = 12
    kyz4_z_pin: _Gpio = 16
    scroll_pin: _Gpio = 5
    magnet_pin: _Gpio = 6
    reset_pin: _Gpio = 13
    test_pin: _Gpio = 19
    cover_pin: _Gpio = 26
    input1_pin: _Gpio = 20
    input2_pin: _Gpio = 21
    gpio_chip: _Chip = "/dev/gpiochip0"
    fram: Literal["none", "MB85RS2MT"] = "none"
    fram_path: _Spi = "/dev/spidev0.1"
    fram_hz: Annotated[int, msgspec.Meta(ge=100_000, le=25_000_000)] = 10_000_000
    power_fail_pin: _Gpio | None = None
    front_end: _Name | None = None
    temperature_c: Annotated[float, msgspec.Meta(ge=-60, le=150)] | None = None

    def contacts(self, output: OutputId) -> tuple[int, int]:
        """The pins of K–Y and K–Z of a form-C output."""
        return getattr(self, f"{output.value}_y_pin"), getattr(self, f"{output.value}_z_pin")

    @property
    def switches(self) -> dict[str, int]:
        """The pins of the front's switches, by name."""
        return {name: getattr(self, f"{name}_pin") for name in SWITCHES}

    @property
    def inputs(self) -> dict[InputId, int]:
        """The pins of the pulse inputs."""
        return {each: getattr(self, f"{each.value}_pin") for each in InputId}


class LcdConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    lcd: Literal["none", "20x4", "16x2"] = "none"
    lcd_address: Annotated[int, msgspec.Meta(ge=ADDRESSES[0], le=ADDRESSES[-1], extra={"rule": _ADDRESS_RULE})] = 0x27
    lcd_bus: Annotated[
        str, msgspec.Meta(pattern=r"^/dev/i2c-\d{1,3}$", extra={"rule": '"/dev/i2c-1", or another number'})
    ] = "/dev/i2c-1"

    @property
    def size(self) -> tuple[int, int] | None:
        """Columns and rows of the character display; None: there is none."""
        if self.lcd == "none":
            return None
        columns, rows = self.lcd.split("x")
        return int(columns), int(rows)


class LotConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A meter of a virtual lot (drivers/sim/components.py)."""

    seed: Annotated[int, msgspec.Meta(ge=0, le=2**32)] = 1
    meter: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 1
    currents: Currents = "transformers"
    fault: Fault = "none"


CONTACTS = ("led", *(f"{output.value}_{side}" for output in KYZ_OUTPUTS for side in "yz"))
"""What a counter's pin can be wired to, as `[hardware]` names their pins."""

_WirePin = Annotated[
    str, msgspec.Meta(pattern=r"^(\d|1\d|2[0-7])$(?!\n)", extra={"rule": "a GPIO, 0 to 27, such as 14"})
]
_Contact = Annotated[
    str, msgspec.Meta(pattern=rf"^({'|'.join(CONTACTS)})$(?!\n)", extra={"rule": f"one of {', '.join(CONTACTS)}"})
]


class SimulationConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    fidelity: Literal["exact", "rtl"] = "exact"
    sensors: Literal["typical", "ideal"] = "typical"
    components: _Path | None = None
    lot: LotConfig | None = None
    seed: Annotated[int, msgspec.Meta(ge=0)] = 1
    fram_file: _Path | None = None
    board: _Path | None = None
    wires: dict[_WirePin, _Contact] = {}
    load: LoadDescription = LoadDescription()

    @property
    def front_end(self) -> str:
        """Words for what its bits come from."""
        if self.components is not None:
            return f"components of {self.components}"
        if self.lot is not None:
            fault = "" if self.lot.fault == "none" else f", {self.lot.fault}"
            return f"meter {self.lot.meter} of lot {self.lot.seed}, {self.lot.currents}{fault}"
        return f"{self.sensors} sensors"


class MeterFiles(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    program: _Path | None = None
    calibration: _Path | None = None
    store: _Path | None = None
    ring: _Path | None = None


class BenchConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Actuators of the switches of a rig under test: a GPIO for each; None: a person moves it."""

    scroll_actuator_pin: _Gpio | None = None
    magnet_actuator_pin: _Gpio | None = None
    reset_actuator_pin: _Gpio | None = None
    test_actuator_pin: _Gpio | None = None
    cover_actuator_pin: _Gpio | None = None

    @property
    def actuators(self) -> dict[str, int]:
        """Those that are fitted, by the name of what they move."""
        pins = {name: getattr(self, f"{name}_actuator_pin") for name in SWITCHES}
        return {name: pin for name, pin in pins.items() if pin is not None}


class DaemonConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Socket of a running meter (docs/interface.md), and the group whose members may connect besides its user."""

    socket: _Path | None = None
    group: str | None = None


class ModemConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A port's modem (docs/modem.md); times are of the local day in `zone`."""

    setup: Annotated[tuple[_Command, ...], _UP_TO_99] = ("AT&F", "ATE0V1Q0", "ATS0=0&C1&D2")
    prefix: _Command = "ATDT"
    numbers: Annotated[tuple[_Number, ...], _UP_TO_99] = ()
    rings: Annotated[int, msgspec.Meta(ge=1, le=30)] = 1
    rings_outside: Annotated[int, msgspec.Meta(ge=0, le=30)] = 0
    answer_windows: Annotated[tuple[_Window, ...], _UP_TO_99] = ()
    originate_windows: Annotated[tuple[_Window, ...], _UP_TO_99] = ()
    schedule: Annotated[tuple[_Time, ...], _UP_TO_99] = ()
    events: Annotated[tuple[Literal["power up", "seal broken", "demand reset", "diagnostic on"], ...], _UP_TO_99] = ()
    tries: Annotated[int, msgspec.Meta(ge=1, le=50)] = 3
    retry_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 5
    call_back: bool = False
    lockout_calls: Annotated[int, msgspec.Meta(ge=0, le=100)] = 3
    lockout_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 30
    idle_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 60
    longest_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 60
    zone: str = "UTC"


class AuthenticationConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Authentication of C12.21 at a port: the file with its DES key, and the level that it proves."""

    key_file: _Path
    level: Annotated[int, msgspec.Meta(ge=1, le=4)] = 1


class PortConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A serial port of the meter (docs/communication.md)."""

    name: _PortName = "optical"
    kind: Literal["optical", "rs-232", "rs-485", "modem"] = "optical"
    device: _Device = PTY
    link: _Path | None = None
    address: Annotated[int, msgspec.Meta(ge=0, le=255)] = 0
    direction: Literal["adapter", "kernel", "rts"] = "adapter"
    most_baud: Annotated[int, msgspec.Meta(ge=9600, le=115_200)] = 115_200
    trace: _Path | None = None
    modem: ModemConfig | None = None
    authentication: AuthenticationConfig | None = None


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A whole rig.toml; every key may be left out."""

    hardware: HardwareConfig = HardwareConfig()
    display: LcdConfig = LcdConfig()
    simulation: SimulationConfig = SimulationConfig()
    meter: MeterFiles = MeterFiles()
    bench: BenchConfig = BenchConfig()
    daemon: DaemonConfig = DaemonConfig()
    ports: tuple[PortConfig, ...] = ()
    mqtt: MqttConfig = MqttConfig()
    prometheus: PrometheusConfig = PrometheusConfig()

    @property
    def gpio(self) -> dict[str, int]:
        """Every GPIO that is named, by its key, such as "hardware.led_pin"."""
        tables: dict[str, msgspec.Struct] = {"hardware": self.hardware, "bench": self.bench}
        named = {f"{t}.{key}": pin for t, table in tables.items() for key, pin in msgspec.structs.asdict(table).items()}
        return {key: pin for key, pin in named.items() if key.endswith("_pin") and pin is not None}


def load(path: Path | None) -> Config:
    """Read rig.toml; None is the default configuration. Raises ConfigError."""
    if path is None:
        return Config()
    config = read(path, Config, "or none for the simulated rig")
    try:
        _check_pins(config)
        if config.hardware.fram != "none" and os.path.realpath(config.hardware.fram_path) == os.path.realpath(
            config.hardware.spi_path
        ):
            raise ConfigError(
                f"hardware.spi_path and hardware.fram_path are both {os.path.realpath(config.hardware.fram_path)}: "
                "give the FRAM its own chip select"
            )
        _check_ports(config.ports)
        check_mqtt(config.mqtt)
        check(config.simulation.load, "simulation.load.")
        if config.simulation.components is not None and config.simulation.lot is not None:
            raise ConfigError("simulation.components and simulation.lot are both given: give one of them")
        if (address := config.display.lcd_address) not in ADDRESSES:
            raise ConfigError(f"display.lcd_address is {address}, it must be {_ADDRESS_RULE}")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    files = msgspec.structs.asdict(config.meter)
    if config.hardware.kind == "pi" and config.meter.store is None:
        files["store"] = PI_STORE
    beside = {name: str(path.parent / file) for name, file in files.items() if file is not None}
    daemon = config.daemon
    if daemon.socket is not None:
        daemon = msgspec.structs.replace(daemon, socket=str(path.parent / daemon.socket))
    simulation = config.simulation
    if simulation.fram_file is not None:
        simulation = msgspec.structs.replace(simulation, fram_file=str(path.parent / simulation.fram_file))
    if simulation.components is not None:
        simulation = msgspec.structs.replace(simulation, components=str(path.parent / simulation.components))
    if simulation.board is not None:
        simulation = msgspec.structs.replace(simulation, board=str(path.parent / simulation.board))
    simulation = msgspec.structs.replace(simulation, load=beside_file(simulation.load, path.parent))
    ports = tuple(_port_beside(port, path.parent) for port in config.ports)
    meter = MeterFiles(**beside)
    mqtt = mqtt_beside(config.mqtt, path.parent)
    return msgspec.structs.replace(config, meter=meter, daemon=daemon, simulation=simulation, ports=ports, mqtt=mqtt)


def _port_beside(port: PortConfig, folder: Path) -> PortConfig:
    """Give a port's files from the folder of rig.toml."""
    paths = {key: str(folder / path) for key in ("link", "trace") if (path := getattr(port, key)) is not None}
    authentication = port.authentication
    if authentication is not None:
        key_file = str(folder / authentication.key_file)
        authentication = msgspec.structs.replace(authentication, key_file=key_file)
    return msgspec.structs.replace(port, **paths, authentication=authentication)


def _check_ports(ports: tuple[PortConfig, ...]) -> None:
    """Each port has a name and a line of its own. Raises ConfigError, without the file's name."""
    names: set[str] = set()
    devices: dict[str, str] = {}
    files: dict[str, str] = {}
    for port in ports:
        if port.name in names:
            raise ConfigError(f"ports.name is {port.name!r} twice: give each port its own")
        if port.name in PUBLISHERS:
            raise ConfigError(f"ports.name is {port.name!r}, as a publisher of figures is called: give another name")
        names.add(port.name)
        for key in ("link", "trace"):
            path, of = getattr(port, key), f"ports.{key} of {port.name}"
            if path is not None and (other := files.setdefault(os.path.normpath(path), of)) != of:
                raise ConfigError(f"{other} and {of} are both {path}: give each its own")
        if port.device != PTY and port.link is not None:
            raise ConfigError(f"ports.link is of a pty, and port {port.name} has device {port.device}: leave it out")
        if port.device != PTY and (other := devices.setdefault(os.path.realpath(port.device), port.name)) != port.name:
            raise ConfigError(f"ports {other} and {port.name} both have {port.device}: give each its own")
        if (port.modem is not None or port.device.startswith("socket:")) and port.kind != "modem":
            raise ConfigError(f'ports.modem and a socket are of kind "modem": leave them out for port {port.name}')
        if port.modem is not None:
            _check_modem(port.modem)
        if port.authentication is not None and port.kind == "optical":
            raise ConfigError(
                f"ports.authentication is of C12.21: leave it out for port {port.name}, which is the optical one"
            )
        if port.direction != "adapter" and (port.kind != "rs-485" or port.device == PTY):
            raise ConfigError(
                f'ports.direction is of a serial port of kind "rs-485": leave it out for port {port.name}'
            )
        if port.kind == "rs-485" and not port.address:
            raise ConfigError(
                f"ports.address of {port.name} must be 1 to 255: up to 32 meters share an RS-485 line, each its own"
            )
    if sum(port.kind == "optical" for port in ports) > 1:
        raise ConfigError('two ports have kind "optical": a meter has one optical port')


def _check_modem(modem: ModemConfig) -> None:
    """A modem that calls has a number, and its zone is one. Raises ConfigError, without the file's name."""
    if not modem.numbers and (modem.schedule or modem.events or modem.call_back):
        raise ConfigError("ports.modem.numbers is missing: what calls by schedule, event or call-back needs a number")
    try:
        ZoneInfo(modem.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f'ports.modem.zone is {modem.zone[:40]!r}, it must be a zone such as "America/Toronto"'
        ) from None


def _check_pins(config: Config) -> None:
    """Each function has its own pin. Raises ConfigError, without the file's name."""
    keys: dict[int, str] = {}
    for key, pin in config.gpio.items():
        if pin in _BUSES:
            raise ConfigError(f"{key} is {pin}, which the {_BUSES[pin]} bus has: take another GPIO")
        if pin in keys:
            raise ConfigError(f"{keys[pin]} and {key} are both {pin}: give each its own GPIO")
        keys[pin] = key
    for text in config.simulation.wires:
        key, pin = f"simulation.wires.{text}", int(text)
        if pin in _BUSES:
            raise ConfigError(f"{key} is a pin that the {_BUSES[pin]} bus has: take another GPIO")
        if pin in keys:
            raise ConfigError(f"{keys[pin]} and {key} are both {pin}: give each its own GPIO")
