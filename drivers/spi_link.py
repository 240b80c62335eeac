"""The SPI link to the FPGA: frames with sequence and CRC, retries, error counts (C-3).

Works on anything with spidev's `xfer2(list[int]) -> list[int]`: /dev/spidev on a Pi, the simulated board elsewhere.
The protocol is `gateware.frames`. Every operation is safe to repeat, so a damaged frame costs a retry, never a
record: a record is dropped by naming its sequence, and only after all its words came with a good CRC.

What goes wrong has one of three classes: NoReply, which another try may cure; ForeignBoard, which it will not; and for
the rest LinkError itself, after which the board must be recognised anew (`read_identity`, `ticks`), as it may have been
reset. Errors of the system's SPI driver (OSError) count as frames without a reply.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from drivers.errors import DriverError
from gateware.frames import (
    CRC_BYTES,
    FRAME_BYTES,
    HEAD_BYTES,
    ITEM_BYTES,
    MAX_COUNT,
    Op,
    ReplyStatus,
    crc32,
    reply_offset,
    request,
)
from gateware.record_words import RECORD_WORDS, Record, words_present
from gateware.registers import BLOCK_BY_NAME, BY_NAME, CAPTURE_PAGE_WORDS, MAGIC, REGISTERS, VERSION, Capability

_HEAD_WORDS = 3
"""Of a record: sequence, windows and flags; where it starts; where it ends. No other record has the same."""


class SpiBus(Protocol):
    """Part of spidev that the link needs. `xfer2` releases the GIL and may overwrite the list it is given; it may raise
    OSError."""

    def xfer2(self, data: list[int]) -> list[int]: ...

    def close(self) -> None: ...


class LinkError(DriverError):
    """The FPGA cannot be reached or does not behave; the message says what to check."""


class NoReply(LinkError):
    """No whole reply came in so many attempts: it may come later."""


class ForeignBoard(LinkError):
    """Something answers with good CRCs that is not the board spoken to before, or none of ours."""


@dataclass(frozen=True)
class Identity:
    """Identity of the FPGA by its ID registers. `clock_hz` is exact; `tick_hz` is the modulator clock."""

    version: int
    build: int
    capabilities: Capability
    clock_hz: Fraction
    clocks_per_tick: int
    ticks_per_sample: int
    ring: int
    """Records that wait in the FPGA before windows are merged."""
    quarter: int | None
    """Samples by which the voltages of the td products are delayed; None when the build has none."""

    @property
    def tick_hz(self) -> Fraction:
        return self.clock_hz / self.clocks_per_tick


@dataclass
class LinkCounts:
    """Frames sent, replies with a bad CRC or foreign sequence, requests the FPGA received damaged, retries, and frames
    that the system's SPI driver refused."""

    frames: int = 0
    crc_errors: int = 0
    request_errors: int = 0
    retries: int = 0
    bus_errors: int = 0


class SpiLink:
    """One FPGA behind one SPI bus. `attempts` is how often a frame is sent before giving up.

    `record_vanished`: a record that was there was gone before it was dropped, so the board was reset; whoever looks
    into it sets it back. Raises NoReply or ForeignBoard where no board of ours answers.
    """

    def __init__(self, bus: SpiBus, attempts: int = 8) -> None:
        self._bus = bus
        self._attempts = attempts
        self._sequence = 0
        self._first_reply = False  # the last reply was to the first frame that asked for it
        self._page: int | None = None
        self._held: Record | None = None  # read whole, but nobody knows whether the FPGA has dropped it
        self._refusal: OSError | None = None
        self.record_vanished = False
        self.counts = LinkCounts()
        self.identity = self.read_identity()
        self._spans = [
            (start, min(MAX_COUNT[Op.RECORD], words.stop - start))
            for words in words_present(self.identity.capabilities)
            for start in range(words.start, words.stop, MAX_COUNT[Op.RECORD])
        ]

    def close(self) -> None:
        self._bus.close()

    # --- registers ---

    def read(self, name: str, count: int = 1) -> list[int]:
        """`count` registers from `name` on."""
        _, payload = self._exchange(Op.READ, BY_NAME[name].address, count)
        return _items(payload, ITEM_BYTES[Op.READ])

    def write(self, name: str, value: int) -> None:
        """Write a register and read it back. LinkError when it does not hold the value."""
        register = BY_NAME[name]
        if not 0 <= value < 1 << register.width:
            raise ValueError(f"{name} takes 0 to {(1 << register.width) - 1}, not {value}")
        self._exchange(Op.WRITE, register.address, 1, value)
        (kept,) = self.read(name)
        if kept != value:
            raise LinkError(
                f"register {name} was written {value:#x} and reads {kept:#x}: the FPGA's build does not match"
            )

    def command(self, name: str, value: int) -> None:
        """Write a register that acts when it is written; it is not read back."""
        self._exchange(Op.WRITE, BY_NAME[name].address, 1, value)

    def read_block(self, name: str, index: int, count: int) -> list[int]:
        """`count` registers of a block from `index` on."""
        first, values = BLOCK_BY_NAME[name].address + index, []
        for at in range(0, count, MAX_COUNT[Op.READ]):
            _, payload = self._exchange(Op.READ, first + at, min(MAX_COUNT[Op.READ], count - at))
            values += _items(payload, ITEM_BYTES[Op.READ])
        return values

    def write_block(self, name: str, index: int, value: int) -> None:
        """Write a register of a block; it is not read back."""
        self._exchange(Op.WRITE, BLOCK_BY_NAME[name].address + index, 1, value)

    def capture_words(self, page: int, address: int, count: int) -> list[int]:
        """`count` 64-bit words of the waveform capture from word 256·page + address on, within the page."""
        if address + count > CAPTURE_PAGE_WORDS:
            raise ValueError(f"{count} words from {address} on go beyond a page of {CAPTURE_PAGE_WORDS}")
        if page != self._page:
            self.write("CAPTURE_PAGE", page)
            self._page = page
        words = []
        for at in range(0, count, MAX_COUNT[Op.CAPTURE]):
            _, payload = self._exchange(Op.CAPTURE, address + at, min(MAX_COUNT[Op.CAPTURE], count - at))
            words += _items(payload, ITEM_BYTES[Op.CAPTURE])
        return words

    def configuration(self) -> dict[str, int]:
        """The configuration registers that the build has, as they are now."""
        has = self.identity.capabilities
        return {r.name: self.read(r.name)[0] for r in REGISTERS if r.config and r.needs in has}

    def ticks(self) -> int:
        """Modulator ticks since the FPGA's reset, modulo 2**48."""
        low, high = self.read("TICK_LO", 2)
        return high << 32 | low

    def close_window_at(self, tick: int) -> None:
        """Let the window in progress close at the first sample later than `tick`."""
        self._exchange(Op.WRITE, BY_NAME["CLOSE_AT_LO"].address, 1, tick & 0xFFFF_FFFF)
        self._exchange(Op.WRITE, BY_NAME["CLOSE_AT_HI"].address, 1, tick >> 32 & 0xFFFF)

    # --- records ---

    def records(self, before_frame: Callable[[], None] = lambda: None) -> Iterator[Record]:
        """The records waiting now, oldest first. Each is dropped from the FPGA when the next is asked for, or the one
        after the last: so whoever takes one makes sure of it first. `before_frame` is called before each of the frames
        that a record is read by, 0.17 ms on the bus at 3 MHz, so that what is due in between is not a record late.

        After a LinkError, or in another call, it goes on: no record is lost or given twice, though the board be reset
        before one could be dropped.
        """
        waiting, again = 1, self._held is not None  # given before, and perhaps dropped
        while waiting:
            if self._held is None:
                self._held = self._oldest(before_frame)
                if self._held is None:
                    return
                yield self._held
            record = self._held
            (status, waiting), _ = self._exchange(Op.POP, record.sequence & 0xFF, 0)
            self.record_vanished |= status is ReplyStatus.NOT_THERE and self._first_reply and not again
            self._held, again = None, False

    def dropped_records(self) -> Iterator[Record]:
        """Drop the records waiting now, oldest first; give each without its sums, which are not read: so a ring that is
        full takes a sixth of the time."""
        if self._held is not None:
            self._exchange(Op.POP, self._held.sequence & 0xFF, 0)
            self._held = None
        while True:
            (status, _), payload = self._exchange(Op.RECORD, 0, _HEAD_WORDS)
            if status is ReplyStatus.NOT_THERE:
                return
            head = _items(payload, ITEM_BYTES[Op.RECORD])
            record = Record.from_words([*head, *[0] * (RECORD_WORDS - _HEAD_WORDS)])
            self._exchange(Op.POP, record.sequence & 0xFF, 0)
            yield record

    def drop_known(self, sequence: int, tick_end: int) -> bool:
        """Drop the oldest record if it is this one, which a process that has died had taken; whether it was there."""
        record = self._oldest()
        if record is None or (record.sequence, record.tick_end) != (sequence, tick_end):
            return False
        self._exchange(Op.POP, sequence & 0xFF, 0)
        return True

    def drop(self, sequence: int) -> bool:
        """Drop the oldest record, given already, whose own sequence the FPGA does not know it by; whether it was there
        by this one. Its memory is damaged then: it counts sequences elsewhere."""
        (status, _), _ = self._exchange(Op.POP, sequence & 0xFF, 0)
        self._held = None
        return status is ReplyStatus.OK

    def begin_anew(self, identity: Identity) -> None:
        """Go on with a board that was reset or changed, whose `identity` was read: nothing is to be dropped there."""
        self._held, self._page = None, None
        self.identity, self.record_vanished = identity, False

    def _oldest(self, before_frame: Callable[[], None] = lambda: None) -> Record | None:
        """Read the oldest record, and its beginning again: after a reset in between there is another one."""
        words = [0] * RECORD_WORDS
        for start, count in self._spans:
            before_frame()
            (status, _), payload = self._exchange(Op.RECORD, start, count)
            if status is ReplyStatus.NOT_THERE:
                return None
            words[start : start + count] = _items(payload, ITEM_BYTES[Op.RECORD])
        (status, _), payload = self._exchange(Op.RECORD, 0, _HEAD_WORDS)
        if status is ReplyStatus.NOT_THERE or _items(payload, ITEM_BYTES[Op.RECORD]) != words[:_HEAD_WORDS]:
            self.record_vanished = True
            return None
        return Record.from_words(words)

    # --- frames ---

    def _exchange(
        self, op: Op, address: int, count: int, data: int | None = None
    ) -> tuple[tuple[ReplyStatus, int], bytes]:
        """Send a request until a whole reply comes back: ((status, records waiting), payload)."""
        self._refusal = None
        for attempt in range(self._attempts):
            self.counts.retries += attempt > 0
            reply = self._transfer(op, address, count, data)[reply_offset(op) :]
            body, crc = reply[:-CRC_BYTES], reply[-CRC_BYTES:]
            good = len(body) >= HEAD_BYTES and crc32(body) == int.from_bytes(crc, "big")
            if not good or body[1] != self._sequence or body[0] >> 4 not in set(ReplyStatus):
                self.counts.crc_errors += bool(reply)
                continue
            status = ReplyStatus(body[0] >> 4)
            if status is ReplyStatus.BAD_CRC:
                self.counts.request_errors += 1
                continue
            if status is ReplyStatus.BAD_REQUEST:
                raise LinkError(
                    f"the FPGA refused {op.name} at address {address:#x}: its build does not match this software"
                )
            self._first_reply = attempt == 0
            return (status, body[0] & 0xF), body[HEAD_BYTES:]
        raise NoReply(
            self._refused()
            or f"no good reply to {op.name} in {self._attempts} attempts: lower the SPI speed, shorten the wires, "
            "check the ground"
        )

    def _transfer(self, op: Op, address: int, count: int, data: int | None = None) -> bytes:
        """Send one frame; what came meanwhile, b"" where the system's SPI driver refused it."""
        self._sequence = (self._sequence + 1) & 0xFF
        frame = request(op, self._sequence, address, count, data)
        assert len(frame) <= FRAME_BYTES
        self.counts.frames += 1
        try:
            return bytes(self._bus.xfer2(list(frame)))
        except OSError as error:
            self._refusal = error
            self.counts.bus_errors += 1
            return b""

    def _refused(self) -> str | None:
        """One sentence on the last frame, where the system's SPI driver did not send it."""
        if self._refusal is None:
            return None
        why = self._refusal.strerror or str(self._refusal) or type(self._refusal).__name__
        return f"the system's SPI driver fails ({why}): check dmesg, the SPI settings (rig doctor) and the supply"

    def read_identity(self) -> Identity:
        """Read the ID registers, telling apart the ways in which an SPI connection is usually wrong.

        `identity` stays as it is: what a board says later is for whoever asks to compare.
        """
        op, count = Op.READ, 7
        self._refusal = None
        said = b""
        for _ in range(self._attempts):
            said = self._transfer(op, 0, count)
            reply = said[reply_offset(op) :]
            if crc32(reply[:-CRC_BYTES]) == int.from_bytes(reply[-CRC_BYTES:], "big") and len(reply) > CRC_BYTES:
                if reply[0] >> 4 == ReplyStatus.OK and reply[1] == self._sequence:
                    break
                self.counts.request_errors += 1
                continue
            self.counts.crc_errors += bool(said)
        else:
            raise NoReply(self._refused() or _diagnosis(said))
        magic, version, build, capabilities, num, den, chain = _items(reply[HEAD_BYTES:-CRC_BYTES], ITEM_BYTES[op])
        if magic != MAGIC:
            raise ForeignBoard(
                f"an FPGA answers, but MAGIC reads {magic:#010x} instead of {MAGIC:#010x}: it holds another design"
            )
        if version >> 16 != VERSION >> 16:
            raise ForeignBoard(
                f"the FPGA's register map is version {version >> 16}, this software speaks {VERSION >> 16}: "
                "load its own bitstream"
            )
        if not (num and den and chain >> 24):
            raise ForeignBoard(
                f"the FPGA's clock reads {num}/{den} Hz with {chain >> 24} clocks a tick: its build is damaged, "
                "load the bitstream again"
            )
        return Identity(
            version=version,
            build=build,
            capabilities=Capability(capabilities),
            clock_hz=Fraction(num, den),
            clocks_per_tick=chain >> 24,
            ticks_per_sample=(chain >> 8 & 0xFFFF) * (chain >> 4 & 0xF),
            ring=self._ring(),
            quarter=self._quarter() if Capability.DELAYED_PRODUCTS in Capability(capabilities) else None,
        )

    def _quarter(self) -> int:
        return self.read("QUARTER")[0]

    def _ring(self) -> int:
        return self.read("RECORDS")[0] & 0xFFFF


def _items(payload: bytes, size: int) -> list[int]:
    return [int.from_bytes(payload[i : i + size], "big") for i in range(0, len(payload), size)]


def _diagnosis(said: bytes) -> str:
    """One sentence on why the ID registers did not come: wiring, clock mode or board."""
    magic = f"{MAGIC:032b}"
    seen = "".join(f"{b:08b}" for b in said)
    expected = 8 * (reply_offset(Op.READ) + HEAD_BYTES)
    if not any(said):
        why = "CIPO stays low: check that the board has power and its bitstream, and the wires of CS, SCK and CIPO"
    elif set(said) == {0xFF}:
        why = "CIPO stays high: it is not connected, or another chip holds it"
    elif magic in seen and seen.index(magic) != expected:
        shift = seen.index(magic) - expected
        how = "late" if shift > 0 else "early"
        why = f"the reply comes {abs(shift)} bits {how}: the clock mode must be 0 (CPOL 0, CPHA 0)"
    elif magic in seen:
        why = "the board answers but bits are damaged: lower the SPI speed, shorten the wires, check the ground"
    else:
        why = "this is not a valid reply: check the wiring, clock mode 0, and that the board holds this design"
    return f"SPI gives {said[:16].hex(' ')} … instead of the ID registers; {why}"


_DEVICE = re.compile(r"/dev/spidev(\d+)\.(\d+)")


def open_spidev(path: str, hz: int) -> SpiBus:
    """Open /dev/spidevX.Y, or a link to it, in mode 0. LinkError with the remedy when it cannot be opened.

    Calls what every py-spidev has, 3.5 of Debian bookworm and 3.6 of trixie included: `open(bus, device)`. Only 3.8
    (September 2025) and later have `open_path`, so a link is followed here.
    """
    try:
        import spidev
    except ModuleNotFoundError:
        raise LinkError(
            "the Python module spidev is missing: sudo apt install python3-spidev, and make the virtual environment "
            "with --system-site-packages (docs/hardware.md)"
        ) from None
    target = os.path.realpath(path)
    device = _DEVICE.fullmatch(target)
    named = f"{path} (a link to {target})" if os.path.islink(path) else path or "an empty path"
    if device is None and os.path.exists(target):
        raise LinkError(f"{named} is no SPI device: it must be /dev/spidevX.Y, or a link to one")
    if device is None:
        raise LinkError(f"{named} does not exist: give /dev/spidev0.0, or make the link with a udev rule")
    if not hasattr(spidev, "SpiDev"):
        raise LinkError(f"the module spidev is not py-spidev, but {spidev}: sudo apt install python3-spidev")
    bus = spidev.SpiDev()
    try:
        bus.open(int(device[1]), int(device[2]))
        bus.max_speed_hz = hz
        bus.mode = 0
    except OSError as error:
        bus.close()
        if isinstance(error, FileNotFoundError):
            why = f"{named} does not exist: enable SPI (sudo raspi-config nonint do_spi 0) and reboot"
        elif isinstance(error, PermissionError):
            why = f"no permission for {named}: sudo adduser $USER spi, then log in again"
        else:
            why = f"{named} cannot be used: {error.strerror}"
        raise LinkError(why) from None
    opened: SpiBus = bus
    return opened
