"""The metering process: the service on its hardware, and nothing else (C-3).

`rig run` starts it and shows what it says (rig/terminal/show.py). It takes orders and says what is to be shown over a
socket, and never waits for whoever looks on; if that is gone, or SIGTERM comes, it ends as if told to stop.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from drivers.spi_link import LinkError
from rig.daemon.channel import ChannelClosed, MessageChannel
from rig.daemon.edge_feed import EdgeFeed
from rig.daemon.interrupts import Interrupts
from rig.daemon.messages import Begun, Ended, Moment, Operate, Order, Refused, Shown, Start, Stop
from rig.failures import MENDABLE, unexpected
from rig.files.strict_toml import ConfigError
from rig.hardware.config import INPUTS
from rig.hardware.hands_file import Recorded, read_hands
from rig.hardware.hardware import Hardware
from rig.hardware.realtime import favour_this_process, keep_what_is_loaded
from rig.hardware.selection import open_hardware, program_of
from rig.program.build import Program
from rig.service.input_contacts import name_of
from rig.service.run_accumulator import RunAccumulator
from rig.service.service import Service
from rig.store.store import Store

REFRESH_NS = 1_000_000_000

OVERRUN = "the recording ends before the run: whoever showed it took no edges for too long"

Tell = Callable[[msgspec.Struct], bool]


class Stopped:
    """Whether the run is to end: told so, by an order or a signal, or nobody is there any more."""

    def __init__(
        self, channel: MessageChannel[Order], operate: Callable[[Operate], None], interrupts: Interrupts
    ) -> None:
        self._channel, self._operate, self._interrupts = channel, operate, interrupts
        self._ended = False

    def __call__(self) -> bool:
        """Take the orders that wait."""
        self._ended = self._ended or self._interrupts.seen
        while not self._ended:
            try:
                order = self._channel.poll()
            except ChannelClosed:
                order = Stop()
            match order:
                case None:
                    break
                case Operate():
                    self._operate(order)
                case Stop():
                    self._ended = True
        return self._ended


def meter(start: Start, channel: MessageChannel[Order], interrupts: Interrupts) -> Ended:
    """Meter as ordered. Ends cleanly when told to, or interrupted, and when the link fails: no window is left half
    registered, pulses due are let out, the outputs go to rest."""
    config = start.config
    program = program_of(config)
    hands = None if start.hands is None else _hands(Path(start.hands), program)
    hardware = open_hardware(config, program.metering.current_class, paced=start.paced)
    # At full speed every moment is waited for; in real time none is.
    tell: Tell = _or_nobody(channel.offer if start.paced else channel.send)
    feed = EdgeFeed(tell) if start.record else None
    failure = None
    with ExitStack() as held:
        held.callback(hardware.close)
        store = Store.open(Path(config.meter.store)) if config.meter.store else None
        _find(hardware, hands)
        service = Service(hardware, config, program, store, on_edge=None if feed is None else feed.hear)
        held.callback(service.close)  # whatever happens, no contact stays closed: the kernel may leave pins as they are
        accumulator = RunAccumulator(service)
        service.begin()
        keep_what_is_loaded()
        now = hardware.clock.now_ns()
        _replay(hardware, hands, now)
        if feed is not None:
            feed.begin(now)
            tell(Begun(hardware.fidelity, program.digest, sorted(service.contacts_closed)))
        end = None if start.seconds is None else now + round(start.seconds * 1e9)
        stopped = Stopped(channel, lambda order: service.operate(order.switch, order.operated), interrupts)
        shown = None
        try:
            while not stopped() and (end is None or now < end):
                now = now + REFRESH_NS if end is None else min(now + REFRESH_NS, end)
                for result in service.run(now):
                    accumulator.add(result)
                    if stopped():
                        break
                    service.make_room()
                    if (face := service.face) != shown:
                        tell(Shown(face))
                        shown = face
                    if feed is not None:
                        feed.poll(service.polled_ns)
                else:
                    service.make_room()
                    tell(Moment(accumulator.summary(), accumulator.recent(), service.face))
        except LinkError as error:
            failure = str(error)
        service.finish()
        if feed is not None:
            feed.finish(_or_nobody(channel.send))
            failure = OVERRUN if feed.overrun and failure is None else failure
        return Ended(accumulator.summary(), failure)


def _hands(path: Path, program: Program) -> Recorded:
    """What was recorded, refused where it moves an input that nobody would hear of."""
    hands = read_hands(path)
    used = {name_of(each.place) for each in program.inputs}
    moved = hands.found | {edge.switch for edge in hands.edges}
    if unused := sorted((moved & set(INPUTS)) - used):
        raise ConfigError(f"{path} moves {unused[0]}, which the program does not use: take the one it was made with")
    return hands


def _find(hardware: Hardware, hands: Recorded | None) -> None:
    """The contacts of a simulated rig as they were found."""
    if hands is not None:
        assert hardware.hands is not None
        for contact in sorted(hands.found):
            hardware.hands.level(contact, 0, True)
        hardware.clock.now_ns()


def _replay(hardware: Hardware, hands: Recorded | None, begin_ns: int) -> None:
    """The edges again, from `begin_ns` on."""
    if hands is not None:
        assert hardware.hands is not None
        for edge in hands.edges:
            hardware.hands.level(edge.switch, begin_ns + edge.at_ns, edge.operated)


def _or_nobody(say: Callable[[msgspec.Struct], bool]) -> Tell:
    """What nobody is there to hear is as good as said."""

    def tell(message: msgspec.Struct) -> bool:
        try:
            return say(message)
        except ChannelClosed:  # the next look at the orders ends the run
            return True

    return tell


def main() -> None:
    """`python -m rig.daemon.metering DESCRIPTOR`: the socket that orders come from, the first of them a Start."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever shows the run: Stop comes from there
    interrupts = Interrupts()
    signal.signal(signal.SIGTERM, interrupts.note)  # systemd sends it to all processes of a service
    channel: MessageChannel[Order] = MessageChannel(socket.socket(fileno=int(sys.argv[1])), Order)
    try:
        channel.send(_last_word(channel, interrupts))
    except ChannelClosed:  # nobody is there any more
        sys.exit(1)
    finally:
        channel.leave()


def _last_word(channel: MessageChannel[Order], interrupts: Interrupts) -> Ended | Refused:
    try:
        start = channel.receive()
        assert isinstance(start, Start)
        if start.paced:
            favour_this_process()
        return meter(start, channel, interrupts)
    except MENDABLE as error:
        return Refused(str(error))
    except ChannelClosed:
        raise
    except Exception as error:
        if "RIG_TRACEBACK" in os.environ:
            raise
        return Refused(unexpected(error), status=1)


if __name__ == "__main__":
    main()
