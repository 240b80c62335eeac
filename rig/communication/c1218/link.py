"""The data link of C12.18: whole messages over a line that loses, damages and repeats (X-1). Pure: time is passed in.

What comes, after packets to others and the link's own that a head gives back (own_echo.py), which are never answered:

    packet                                                   then
    damaged                                                  NAK
    not the one before, single or last of its message        ACK, the message is received
    not the one before, first or next of its message         ACK
    not the one before, and no packet of any message         ACK; the last of them: a message that is none
    the one before again, its answer acknowledged            ACK
    the one before again, answer acknowledged, an identify   ACK, the message is received
    the one before again, its answer not acknowledged        ACK, the packet of the answer again, as by NAK
    the one before again, no answer yet                      ACK

What is sent, packet by packet:

    state     event                          then                    becomes
    idle      send                           first packet            awaiting
    awaiting  ACK, more packets              next packet             awaiting
    awaiting  ACK, no more                   acknowledged            idle
    awaiting  NAK, tries left                packet again            awaiting
    awaiting  response time-out, tries left  packet again            awaiting
    awaiting  either, none left              failed                  idle
    awaiting  a packet that is new           acknowledged            idle
    awaiting  ACK or NAK, packet not gone    nothing                 awaiting
    idle      ACK or NAK                     nothing                 idle

A new packet acknowledges what was sent before: some clients lose the ACK of their last packet, by a flush of their own
output, and never send it again.

Whoever `expects` a packet from the only peer it can hear asks for it again, where the settings have a `quick_ns`; the
peer would else wait for its own response time-out, of seconds, and the packet may be a long one:

    what came last                                  then
    damaged                                         NAK, and again after the wait for a reaction (patience.py)
    noise, no packet, ACK or NAK                    NAK after the inter-character time-out, and again after that wait
    a packet of a message, more of it to follow     ACK, and again after that wait
    any other packet                                ACK

That is safe: a peer that is only slow awaits no ACK or NAK, and leaves it out. Should it take the second ACK for that
of its next packet, and that one be lost, the count of packets that follow shows it.
"""

from __future__ import annotations

from collections import deque

from rig.communication.c1218.own_echo import OwnEcho
from rig.communication.c1218.packets import (
    ACK,
    NAK,
    OVERHEAD,
    Acknowledgement,
    Damaged,
    Packet,
    PacketReader,
)
from rig.communication.c1218.patience import Patience
from rig.communication.c1218.settings import MS, LinkSettings, Timing

IDENTIFY = 0x20

MOST_MESSAGE = 1 << 16
"""Bytes of a message of several packets; more is received, and is none."""

MOST_RECEIVED = 16
"""Messages that wait to be looked at: a peer that sends another without awaiting its answer gives up the oldest."""

BITS = 10
"""Bits of a byte on the line: start, eight, stop."""

PAUSE_NS = 50 * MS
"""Silence within a packet after which its repetition may come: longer than a UART of 16 bytes keeps them back at 9600
baud, and shorter than any response time-out."""


class Link:
    """The link of one port. `size`, `packets`, `baud` and `timing` are those in force; who negotiates sets them.

    `received` has the messages that came, None for one that is none; `acknowledged` and `failed` say what became of the
    last one sent: whoever looks at them takes them back. Of what is to go out there is one acknowledgement and one
    packet at most, so that a peer that never listens fills nothing.
    """

    def __init__(self, settings: LinkSettings) -> None:
        self._settings = settings
        self._reader = PacketReader(settings.most_size)
        self._patience = Patience()
        self._echo = OwnEcho()
        self.expects = False
        """Whether a packet is to come from the one peer that can be heard."""
        self.received: deque[bytes | None] = deque(maxlen=MOST_RECEIVED)
        self.acknowledged = self.failed = False
        self.heard_ns = 0
        """When the last whole packet came for us, or the last byte of one from us has gone."""
        self._acknowledgement = self._packet = b""
        self._byte_ns = 0
        self.restore()

    def restore(self) -> None:
        """Go back to what is in force before anything is negotiated, and forget what came and went."""
        settings = self._settings
        self.size, self.packets, self.baud = settings.size, settings.packets, settings.baud
        self.timing: Timing = settings.timing
        self._unfollowed = b""
        """The acknowledgement that a packet must follow."""
        self._prompts = 0
        self._prompt_ns = 0
        self._toggle = False
        """Of the next new packet."""
        self._before: tuple[bool, int] | None = None
        self._answered = False
        self._parts: bytearray | None = None
        self._follow = 0
        self._unsent: deque[Packet] = deque()
        self._sent: bytes | None = None
        self._tries, self._timed_out = 0, False
        self._again_ns = 0
        self._gone_ns = 0
        """When the last byte of the packet has gone."""
        self._acknowledged_ns: int | None = None
        """When the acknowledgement has gone, until anything comes."""
        self._echo.forget()

    @property
    def _byte_time_ns(self) -> int:
        return BITS * 10**9 // self.baud

    @property
    def awaiting(self) -> bool:
        """True while a packet that was sent is not acknowledged."""
        return self._sent is not None

    @property
    def receiving(self) -> bool:
        """True within a packet that comes: its next byte is awaited."""
        return self._reader.receiving

    @property
    def speaks(self) -> bool:
        """True while something is to go out."""
        return bool(self._acknowledgement or self._packet)

    def drop_output(self) -> None:
        """Drop what is to go out."""
        self._acknowledgement = self._packet = b""

    @property
    def most(self) -> int:
        """Bytes of the longest message that can be sent."""
        return self.packets * (self.size - OVERHEAD)

    @property
    def next_ns(self) -> int | None:
        """Instant at which `tick` is next needed, or `output` has something; None: not before bytes come."""
        instants = []
        if self.speaks:
            instants.append(self._byte_ns + self.timing.turn_around_ns)
        if self._reader.receiving:
            instants.append(self._byte_ns + self.timing.inter_character_ns)
        elif self.awaiting:
            instants.append(self._again_ns)
        elif self._prompting:
            instants.append(self._prompt_ns)
        return min(instants, default=None)

    def send(self, message: bytes, now_ns: int) -> None:
        """Send a message of up to `most` bytes; its packets go one by one."""
        assert 0 < len(message) <= self.most, f"{len(message)} bytes for {self.packets} packets of {self.size}"
        room = self.size - OVERHEAD
        parts = [message[at : at + room] for at in range(0, len(message), room)]
        self._unsent.clear()
        for number, part in enumerate(parts):
            follow, multi = len(parts) - 1 - number, len(parts) > 1
            self._unsent.append(
                Packet(part, self._settings.address, self._toggle, follow, multi, multi and number == 0)
            )
            self._toggle = not self._toggle
        self._answered = False
        self._unfollowed = b""
        self._send_next(now_ns)

    def output(self, now_ns: int) -> bytes:
        """Take what is to go out now: none before the pause that turning the line around needs."""
        if now_ns < self._byte_ns + self.timing.turn_around_ns:
            return b""
        data = self._acknowledgement + self._packet
        self._echo.sent(data, self._packet)
        self._acknowledgement = self._packet = b""
        return data

    def feed(self, data: bytes, now_ns: int) -> None:
        """Take bytes that came."""
        self.tick(now_ns)
        came, data = data, self._echo.without(data)
        if came and not data:
            return
        if data and self._acknowledged_ns is not None:
            if self._unfollowed:
                self._patience.reacted(now_ns - self._acknowledged_ns, repeated=bool(self._prompts))
            self._acknowledged_ns = None
        if now_ns - self._byte_ns >= PAUSE_NS:
            self._reader.pause()
        self._byte_ns = now_ns
        noise = self._reader.noise
        for heard in self._reader.feed(data):
            match heard:
                case Packet():
                    self._take(heard, now_ns)
                case Damaged(identity):
                    self._complain(identity, now_ns)
                case Acknowledgement() if not self.awaiting or self._packet:
                    pass  # of nothing: what is to be acknowledged has not gone out yet
                case Acknowledgement.ACK:
                    if self._timed_out or not self._tries:  # one that was NAKed has been reacted to
                        self._patience.reacted(now_ns - self._gone_ns, repeated=self._timed_out)
                    self._send_next(now_ns)
                case Acknowledgement.NAK:
                    self._send_again(now_ns)
        if self._reader.noise > noise and self.expects and not self.awaiting:
            self._follow_up(NAK, now_ns + self.timing.inter_character_ns)

    def tick(self, now_ns: int) -> None:
        """Let time-outs happen that are due."""
        if self._reader.receiving:
            if now_ns >= self._byte_ns + self.timing.inter_character_ns:
                damaged = self._reader.give_up()
                if damaged is not None:
                    self._complain(damaged.identity, now_ns)
        elif self.awaiting and now_ns >= self._again_ns:
            self._timed_out = True
            self._send_again(now_ns)
        elif self._prompting and now_ns >= self._prompt_ns:
            self._prompts += 1
            self._acknowledgement = self._unfollowed
            self._acknowledged_ns = now_ns + self._byte_time_ns
            self._prompt_ns = self._acknowledged_ns + self._patience.wait_ns(self.timing, self._prompts)

    # --- what comes -------------------------------------------------------------------------------------------

    @property
    def _prompting(self) -> bool:
        """True while what must follow an acknowledgement is to be asked for again."""
        return (
            self.expects and bool(self._unfollowed) and not self.awaiting and not self._reader.receiving
            and self.timing.quick_ns is not None and self._prompts < self.timing.retries
        )  # fmt: skip

    def _follow_up(self, acknowledgement: int, at_ns: int) -> None:
        self._unfollowed, self._prompts, self._prompt_ns = bytes((acknowledgement,)), 0, at_ns

    def _complain(self, identity: int, now_ns: int) -> None:
        """Answer a damaged packet by NAK: where several devices share the line, one that was to this device, as far as
        that can be believed; else any, as the identity may be what is damaged, and who hears nothing waits for seconds.
        """
        if self._settings.answers(identity) or not self._settings.shared_line or self.expects:
            self._acknowledge(NAK, now_ns)
            self._again_ns = max(self._again_ns, self._prompt_ns)  # what is sent again now needs no request

    def _acknowledge(self, acknowledgement: int, now_ns: int) -> None:
        self._acknowledgement, self._packet = bytes((acknowledgement,)), b""
        self._acknowledged_ns = now_ns + self._byte_time_ns
        self._follow_up(acknowledgement, self._acknowledged_ns + self._patience.wait_ns(self.timing))

    def _take(self, packet: Packet, now_ns: int) -> None:
        if not self._settings.answers(packet.identity) or packet.format:
            return
        if self._echo.is_own(packet):
            return
        self._acknowledge(ACK, now_ns)
        if not packet.follow:
            self._unfollowed = b""
        self.heard_ns = now_ns
        here = packet.toggle, packet.crc
        if here == self._before:
            if self.awaiting:
                self._send_again(now_ns)
            elif self._answered and packet.data == bytes((IDENTIFY,)):
                self.received.append(packet.data)
            return
        self._before = here
        if self.awaiting:
            self._finish()
        self._join(packet)

    def _join(self, packet: Packet) -> None:
        """Join the packets of a message."""
        if not packet.multi:
            self._parts = None
            self.received.append(packet.data if not packet.follow else None)
            return
        if packet.first:
            self._parts = bytearray()
        elif self._parts is not None and packet.follow != self._follow - 1:
            self._parts = None
        if self._parts is not None:
            self._parts += packet.data
            self._follow = packet.follow
            if len(self._parts) > MOST_MESSAGE:
                self._parts = None
        if not packet.follow:
            self.received.append(None if self._parts is None else bytes(self._parts))
            self._parts = None

    # --- what goes --------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        self._unsent.clear()
        self._sent = None
        self._answered = self.acknowledged = True

    def _send_next(self, now_ns: int) -> None:
        if not self._unsent:
            self._finish()
            return
        self._sent = self._unsent.popleft().encoded()
        self._tries, self._timed_out = 0, False
        self._put(now_ns)

    def _send_again(self, now_ns: int) -> None:
        if self._tries >= self.timing.retries:
            self._unsent.clear()
            self._sent = None
            self.failed = True
            return
        self._tries += 1
        self._put(now_ns)

    def _put(self, now_ns: int) -> None:
        assert self._sent is not None
        self._packet = self._sent
        gone_ns = now_ns + (1 + len(self._sent)) * self._byte_time_ns
        self.heard_ns = max(self.heard_ns, gone_ns)
        self._gone_ns = gone_ns
        self._again_ns = gone_ns + self._patience.wait_ns(self.timing, self._tries)
