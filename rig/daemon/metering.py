"""The metering process: the service on its hardware, and the door to it; nobody's child that matters (C-3).

It ends when its seconds are over, when SIGTERM or SIGINT comes, when a client that may asks for it, when the link
fails, or with the process that it was started for, if it was. Then pulses that are due are let out, the meter is saved,
contacts go to rest, and clients hear what it came to.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec

from drivers.spi_link import LinkError
from rig.daemon.address import Address, claim_pins
from rig.daemon.beside import Thread
from rig.daemon.channel import ChannelClosed, MessageChannel
from rig.daemon.desk import Desk
from rig.daemon.edge_feed import EdgeFeed
from rig.daemon.internal import Ask, Serve
from rig.daemon.interrupts import Interrupts
from rig.daemon.protocol import (
    Begun,
    Done,
    EdgesSeen,
    Ended,
    FrontChanged,
    Reading,
    RequestRefused,
    State,
    Topic,
)
from rig.daemon.publications import logged
from rig.daemon.pulse_feed import PulseFeed
from rig.daemon.requests import Requests
from rig.daemon.server_process import ServerProcess
from rig.daemon.startup import Begin, CouldNotRun, FromStarter, Ready, Start
from rig.daemon.systemd import Notifier
from rig.errors import RigError
from rig.failures import MENDABLE, unexpected
from rig.hardware.hands_file import Recorded, read_hands
from rig.hardware.hardware import Hardware
from rig.hardware.memory import fram_slots
from rig.hardware.own_process import end_with, leave_no_empty_log
from rig.hardware.realtime import favour_this_process, keep_what_is_loaded
from rig.hardware.selection import opened_for, program_of
from rig.meter.billing.billing import MeterEvent
from rig.meter.billing.inputs import InputId
from rig.plain_text import print_traceback
from rig.program.build import Program
from rig.service.persistence import configured_copy, program_in_force
from rig.service.port_keys import PortKeys
from rig.service.run_accumulator import RunAccumulator
from rig.service.running import running_at
from rig.service.service import Service
from rig.store.store import Store

READING_NS = 1_000_000_000
"""How often, in the rig's time, there is a reading."""

FRONT_NS = 50_000_000
"""In real time the front is published at most so often: nobody sees more, and each goes to every client."""

STARTER_S = 5.0
"""Whoever starts a daemon has so long to subscribe; then it meters for nobody."""


class HandsError(RigError):
    """Recorded movements that this meter cannot have: one sentence with the file and what would be right."""


class Daemon:
    """One meter, from its order on. `run` meters until it is to end."""

    def __init__(self, start: Start, interrupts: Interrupts, notifier: Notifier) -> None:
        """Open everything: hardware, store, contacts, socket. What cannot be had raises an error that says so."""
        self._start, self._interrupts, self._notifier = start, interrupts, notifier
        self._held = ExitStack()
        try:
            self._open(start)
        except BaseException:
            self._held.close()
            raise

    def _open(self, start: Start) -> None:
        config = start.config
        self._address = address = Address(Path(start.socket), config.daemon.group)
        self._held.callback(address.close)
        if (claim := claim_pins(config)) is not None:
            self._held.callback(claim.close)
        folder = Path(config.meter.store) if config.meter.store else None
        configured = program_of(config)
        running = None if folder is None else running_at(config.meter.ring, folder)
        program, written = program_in_force(configured, folder, running)
        configured = configured_copy(configured, program, written)
        self._hands = None if start.hands is None else _hands(Path(start.hands), program)
        self.hardware = hardware = opened_for(config, program, paced=start.paced)
        self._held.callback(hardware.close)
        store = None if folder is None else Store.open(folder, fast=fram_slots(config))
        _find(hardware, self._hands)
        self._feed = EdgeFeed()
        self.service = Service(hardware, config, program, store, on_edge=self._feed.hear, written=written)
        self._held.callback(self.service.close)  # the kernel may leave pins as they are: no contact stays closed
        self.provenance = self.service.provenance
        serve = Serve(
            os.getpid(),
            start.paced,
            msgspec.msgpack.encode(self.provenance),
            address.group,
            None if folder is None else str(folder.absolute()),
        )
        self._desk = Desk(ServerProcess(address.listener, serve), lossless=not start.paced)
        beside = self._held.enter_context(Thread()) if start.paced else None
        self._requests = Requests(self.service, configured, beside, PortKeys(config.ports))
        self._pulses = PulseFeed(self.service, self._desk.wanted, self._desk.publish)
        self._stopped = False

    def await_starter(self) -> None:
        """Let whoever started it subscribe before there is anything to miss."""
        self._desk.await_interest(STARTER_S)

    def run(self) -> Ended:
        """Meter until it is to end; what it came to, which clients have heard too."""
        ended = Ended(None, None, 1)
        try:
            ended = self._meter()
        except MENDABLE as error:
            ended = Ended(None, str(error), getattr(error, "status", 2))
        except Exception as error:
            ended = Ended(None, unexpected(error), 1)
            if "RIG_TRACEBACK" in os.environ:
                raise
        finally:
            self._notifier.stopping()
            self.service.close()
            self._desk.close(ended)
            self._held.close()
        return ended

    def _meter(self) -> Ended:
        service, hardware, start = self.service, self.hardware, self._start
        accumulator = RunAccumulator(service)
        failure = None
        service.begin()
        keep_what_is_loaded()
        now = hardware.clock.now_ns()
        _replay(hardware, self._hands, now)
        self._feed.begin(now)
        self._requests.begun_ns = now
        self._desk.attend(self._execute, self._requests.forget)
        self._desk.publish(Topic.EDGES, Begun(sorted(service.contacts.closed)))
        service.watch = self._attend
        service.on_events = self._log
        self._notifier.ready()
        end = None if start.seconds is None else now + round(start.seconds * 1e9)
        shown, next_front_ns = None, 0
        try:
            while not self._ends and (end is None or now < end):
                now = now + READING_NS if end is None else min(now + READING_NS, end)
                for result in service.run(now):
                    accumulator.add(result)
                    self._pulses.add(result.window)
                    if self._ends:
                        break
                    if self._desk.wanted(Topic.FRONT) and service.polled_ns >= next_front_ns:
                        service.make_room()
                        if (face := service.face) != shown:
                            self._desk.publish(Topic.FRONT, FrontChanged(face, self._pulses.tick))
                            shown = face
                            next_front_ns = service.polled_ns + (FRONT_NS if start.paced else 0)
                else:
                    self._read(accumulator)
        except LinkError as error:
            failure = str(error)
        service.finish()
        self._feed.finish(self._offer_edges)
        return Ended(accumulator.summary(), failure, 1 if failure else 0)

    @property
    def _ends(self) -> bool:
        """At full speed a meter is a computation for who looks on: it ends with the last of them. In real time nobody
        who looks on matters to it."""
        return self._interrupts.seen or self._requests.stop or (not self._start.paced and self._desk.deserted)

    def _attend(self) -> None:
        """At each poll: requests, a program that waits, answers that waited for the disk, edges, systemd's watchdog."""
        self._desk.attend(self._execute, self._requests.forget)
        self._requests.activate_due()
        self._welcome()
        for ask, reply in self._requests.settled():
            self._desk.answer(ask, reply)
        self._feed.poll(self.service.polled_ns, self._offer_edges if self._desk.wanted(Topic.EDGES) else None)
        self._pulses.poll()
        self._notifier.alive()

    def _execute(self, ask: Ask) -> Done | RequestRefused | None:
        reply = self._requests.execute(ask)
        self._welcome()  # whoever asked for another program, and comes again, is welcomed with it
        return reply

    def _welcome(self) -> None:
        """Welcome clients with the provenance of now: a program that was written is in it."""
        if self.provenance is not self.service.provenance:
            self.provenance = self.service.provenance
            self._desk.welcome_with(self.provenance)

    def _offer_edges(self, edges: EdgesSeen) -> bool:
        return self._desk.offer(Topic.EDGES, edges)

    def _read(self, accumulator: RunAccumulator) -> None:
        """Each second: what is published of the meter."""
        service, desk = self.service, self._desk
        if self._address.renew():
            desk.serve_anew()
        service.make_room()
        self._pulses.flush()
        recent = accumulator.recent()
        if desk.wanted(Topic.READINGS):
            desk.publish(Topic.READINGS, Reading(accumulator.summary(), recent, service.face))
        if desk.wanted(Topic.STATE):
            service.make_room()
            desk.publish(Topic.STATE, State(self.service.reading(), self._pulses.tick))

    def _log(self, events: Sequence[MeterEvent]) -> None:
        if self._desk.wanted(Topic.EVENTS) and (message := logged(events)) is not None:
            self._desk.publish(Topic.EVENTS, message)


def _hands(path: Path, program: Program) -> Recorded:
    """Read what was recorded; refuse what moves an input that nobody would hear of."""
    hands = read_hands(path)
    used = {each.id.value for each in program.inputs}
    moved = hands.found | {edge.switch for edge in hands.edges}
    if unused := sorted((moved & {each.value for each in InputId}) - used):
        raise HandsError(f"{path} moves {unused[0]}, which the program does not use: take the one it was made with")
    return hands


def _find(hardware: Hardware, hands: Recorded | None) -> None:
    """Put the contacts of a simulated rig as they were found."""
    if hands is not None:
        assert hardware.hands is not None
        for contact in sorted(hands.found):
            hardware.hands.level(contact, 0, True)
        hardware.clock.now_ns()


def _replay(hardware: Hardware, hands: Recorded | None, begin_ns: int) -> None:
    """Give the edges again, from `begin_ns` on."""
    if hands is not None:
        assert hardware.hands is not None
        for edge in hands.edges:
            hardware.hands.level(edge.switch, begin_ns + edge.at_ns, edge.operated)


def serve(start: Start, ready: Callable[[], None] | None = None) -> Ended:
    """Meter as ordered, in this process, until it is to end. `ready` is called once the socket is there.

    Raises what keeps it from running; what ends it later is in the result.
    """
    interrupts = Interrupts()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupts.note)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the end of a terminal is nothing to a meter
    if start.starter is not None:
        end_with(start.starter)
    notifier = Notifier()
    daemon = Daemon(start, interrupts, notifier)
    if start.paced:
        favour_this_process()
    if ready is not None:
        ready()
        daemon.await_starter()
    return daemon.run()


def main() -> None:
    """`python -m rig.daemon.metering DESCRIPTOR`: the channel to whoever starts it, who says Start, and then Begin."""
    sys.excepthook = print_traceback
    leave_no_empty_log()
    channel: MessageChannel[FromStarter] = MessageChannel(socket.socket(fileno=int(sys.argv[1])), FromStarter)

    def ready() -> None:
        channel.send(Ready())
        try:
            if not isinstance(channel.receive(), Begin):
                raise ChannelClosed
        finally:
            channel.close()

    status = 1
    try:
        start = channel.receive()
        assert isinstance(start, Start)
        status = serve(start, ready).status
    except ChannelClosed:  # whoever wanted a meter is gone before it began
        pass
    except MENDABLE as error:
        _last_word(channel, CouldNotRun(str(error), getattr(error, "status", 2)))
    except Exception as error:
        if "RIG_TRACEBACK" in os.environ:
            raise
        _last_word(channel, CouldNotRun(unexpected(error), status=1))
    sys.exit(status)


def _last_word(channel: MessageChannel[FromStarter], word: CouldNotRun) -> None:
    with suppress(ChannelClosed, OSError):
        channel.send(word)


if __name__ == "__main__":
    main()
