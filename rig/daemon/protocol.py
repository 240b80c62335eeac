"""Protocol between clients and the daemon: the public interface of a running meter (docs/interface.md, C-3).

A client says Hello, is answered Welcome, and then sends Request and Subscribe. Every Request has an answer, Done or
Refused, with its number. Publications come for the topics subscribed to, in order; of what a client is too slow for,
Dropped tells how many went. Ended is the last message of a daemon that ends in good order.

The version is raised when a message changes in a way that an older client would misread; what is unknown to the reader
is passed over, so fields may be added.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from drivers.switches import RawEdge
from rig.face.face import Face
from rig.meter.contacts.outputs import OutputId
from rig.meter.front.switches import Switch
from rig.results.exact import ExactReading, Rational
from rig.results.provenance import Provenance
from rig.results.summary import Phase, Summary

VERSION = 1


class Topic(Enum):
    """Topic that can be subscribed to."""

    READINGS = "readings"
    FRONT = "front"
    EDGES = "edges"
    EVENTS = "events"
    STATE = "state"
    ENERGY = "energy"
    LED_PULSES = "pulses of LED"
    KYZ1_PULSES = "pulses of KYZ1"
    KYZ2_PULSES = "pulses of KYZ2"
    KYZ3_PULSES = "pulses of KYZ3"
    KYZ4_PULSES = "pulses of KYZ4"

    @classmethod
    def pulses_of(cls, output: OutputId) -> Topic:
        """Return the topic of the FPGA's counter of an output."""
        return cls(f"pulses of {output.label}")


# --- from a client --------------------------------------------------------------------------------------------


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first message: the version spoken, on whose behalf requests come, and a name for the log."""

    version: int
    source: str
    name: str = ""


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    """Publications of these topics from now on, and of no others.

    `lossless` makes a simulated rig at full speed wait for this client; a meter in real time waits for none.
    """

    topics: list[Topic]
    lossless: bool = False


class LogOn(msgspec.Struct, frozen=True, tag="log on"):
    """Prove a level with its key, up to six hexadecimal digits (S-1)."""

    key: str


class DrawTicket(msgspec.Struct, frozen=True, tag="draw ticket"):
    """A ticket by which a client of this port can prove that it has the port's key (C12.21). Answered with {"ticket":
    sixteen hexadecimal digits}; it takes the place of one drawn before, and is good for one token."""


class LogOnByToken(msgspec.Struct, frozen=True, tag="log on by token"):
    """Prove the level of a port's key by the token that is DES of the ticket, in hexadecimal digits. Answered with
    {"level", "token"}: what proves that the meter has the key, too."""

    token: str


class LogOff(msgspec.Struct, frozen=True, tag="log off"):
    """Give the level up."""


class ReadLevel(msgspec.Struct, frozen=True, tag="read level"):
    """The level that this client has now, which is over once a program is written or the seal is broken; answered with
    {"level"}."""


class ReadState(msgspec.Struct, frozen=True, tag="read state"):
    """The exact reading of all that is registered; answered with State."""


class ReadParts(msgspec.Struct, frozen=True, tag="read parts"):
    """Parts of the readings, such as "kWh delivered" (rig/meter/access/readable.py), each decided on by itself: what a
    communication module may read (X-4). Answered with a map by part, all of them or none."""

    parts: list[str]


class AskPermission(msgspec.Struct, frozen=True, tag="ask permission"):
    """Permission to read all of some parts of the readings, and to do an action such as "write program"; answered with
    nothing, or refused and logged as if it had been asked for itself. `action` None: none."""

    parts: list[str]
    action: str | None = None


class ReadPulses(msgspec.Struct, frozen=True, tag="read pulses"):
    """Pulses that the contacts of an output, such as "KYZ1", have given since the meter was made; answered with its
    `output`, `quantity`, `constant_wh` and `pulses` (X-4)."""

    output: str


class ReadProgram(msgspec.Struct, frozen=True, tag="read program"):
    """The program in force, as its file's tables and without keys, and how the seal stands; answered with
    ProgramInForce."""


class ReadIdentity(msgspec.Struct, frozen=True, tag="read identity"):
    """The program in force, for a port that tells whoever has proven nothing what the meter is: its model, its serial
    number and the list of its tables; answered with ProgramInForce."""


class ReadLog(msgspec.Struct, frozen=True, tag="read log"):
    """The newest lines of the event log that the store has, so many at most; answered with LogPage.

    `before`: only lines of a smaller number, to go back page by page; `codes`: only events of these codes, at most 256.
    """

    most: int = 256
    before: int | None = None
    codes: list[int] | None = None


class ReadSnapshots(msgspec.Struct, frozen=True, tag="read snapshots"):
    """The newest registers that the store has of these causes, such as "self read", so many at most, since the program
    was written or data were cleared; answered with SnapshotsPage."""

    causes: list[str]
    most: int = 12


class ReadProfile(msgspec.Struct, frozen=True, tag="read profile"):
    """Words of the load profile that the store has, from this one on since the recording began, as many as a message
    takes; answered with ProfilePage. `recording` None: the newest."""

    recording: int | None = None
    first: int = 0


class ReadContacts(msgspec.Struct, frozen=True, tag="read contacts"):
    """Request for the switches that are pressed and the inputs that are closed; answered with Contacts."""


class ResetDemand(msgspec.Struct, frozen=True, tag="demand reset"):
    """Demand reset by communication (Q-5)."""


class ReadSelf(msgspec.Struct, frozen=True, tag="self-read"):
    """A self-read now (T-3)."""


class SetClock(msgspec.Struct, frozen=True, tag="set clock"):
    """The meter's clock shows this time, UTC in ns, from now on; None: the host's time."""

    utc_ns: int | None = None


class EnterTest(msgspec.Struct, frozen=True, tag="enter test mode"):
    """Test mode (D-5)."""


class LeaveTest(msgspec.Struct, frozen=True, tag="leave test mode"):
    """Its end."""


class ChangeSeason(msgspec.Struct, frozen=True, tag="season change"):
    """Close the season now (T-3); `season` counts from 0, None is the calendar's next."""

    season: int | None = None


class Clear(msgspec.Struct, frozen=True, tag="clear"):
    """Clear what is registered."""


class OperateRelay(msgspec.Struct, frozen=True, tag="operate relay"):
    """Close an output to K–Y or K–Z for a test of its wiring, for so many seconds."""

    output: str
    closed: bool
    seconds: float


class WriteProgram(msgspec.Struct, frozen=True, tag="write program"):
    """A whole program, as the text of its file (docs/program.md)."""

    toml: str


class WritePending(msgspec.Struct, frozen=True, tag="write pending"):
    """A whole program, as the text of its file, that is to wait: until a time, UTC in ns by the meter's clock, or for
    so many seconds; with neither until its activation is asked for."""

    toml: str
    at_utc_ns: int | None = None
    after_s: int | None = None


class ActivatePending(msgspec.Struct, frozen=True, tag="activate pending"):
    """Activate the program that waits, now."""


class ClearPending(msgspec.Struct, frozen=True, tag="clear pending"):
    """Take away the program that waits."""


class ReadPending(msgspec.Struct, frozen=True, tag="read pending"):
    """The program that waits, without its keys; answered with PendingAnswer."""


class WriteConstants(msgspec.Struct, frozen=True, tag="write constants"):
    """Write other constants, a calibration file's text (docs/calibration.md); answered with their digest. The meter
    meters with them from its next start on."""

    toml: str


class MasterReset(msgspec.Struct, frozen=True, tag="master reset"):
    """Master reset (S-1)."""


class ColdStart(msgspec.Struct, frozen=True, tag="cold start"):
    """Cold start (S-1, S-2)."""


class BreakSeal(msgspec.Struct, frozen=True, tag="break seal"):
    """Break the seal: only hands can, at the front (S-2)."""


class MoveSwitch(msgspec.Struct, frozen=True, tag="move switch"):
    """Press or release a switch of a simulated rig, now."""

    switch: Switch
    pressed: bool


class ShareLight(msgspec.Struct, frozen=True, tag="share light"):
    """The optical port communicates: for so many seconds from now the test LED, whose light it is, shows no pulses
    (P-1); 0: no longer. Of the optical port only; answered with `dark_ns`, when a flash that is lit will be over."""

    seconds: float


class NoteAccess(msgspec.Struct, frozen=True, tag="note access"):
    """A session at a port is over: what it did, and whether it ended as it should, for the log (S-1)."""

    read: bool
    written: bool
    procedures: bool
    ended: bool


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End the daemon in good order. Its owner alone may ask for it."""


Asked = (
    LogOn | DrawTicket | LogOnByToken | LogOff | ReadLevel | ReadState | ReadParts | ReadPulses | ReadProgram
    | ReadIdentity | ReadPending | ReadLog | ReadSnapshots | ReadProfile | ReadContacts | ResetDemand | ReadSelf
    | SetClock | EnterTest | LeaveTest | ChangeSeason | Clear | OperateRelay | WriteProgram | WritePending
    | ActivatePending | ClearPending | WriteConstants | MasterReset | ColdStart | BreakSeal | MoveSwitch | ShareLight
    | NoteAccess | AskPermission | Stop
)  # fmt: skip
"""What a Request can ask for."""


class Request(msgspec.Struct, frozen=True, tag="request"):
    """Something asked of the meter; `number` comes back with the answer. One at a time: the next waits for it."""

    number: int
    asked: Asked


FromClient = Hello | Subscribe | Request

# --- from the daemon --------------------------------------------------------------------------------------------


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The answer to Hello: which daemon this is, and where all its figures come from."""

    version: int
    process: int
    client: int
    paced: bool
    provenance: Provenance


class Done(msgspec.Struct, frozen=True, tag="done"):
    """A request was carried out; `result` as the request has it."""

    number: int
    result: Any = None


class RequestRefused(msgspec.Struct, frozen=True, tag="refused"):
    """A request was not carried out, and nothing was changed: the sentence why, and whether a key could help.

    `why` is the reason of the meter's door by its name in the log, such as "sealed"; None for any other.
    """

    number: int
    sentence: str
    needs_key: bool = False
    why: str | None = None


class Reading(msgspec.Struct, frozen=True, tag="reading"):
    """Each second of the rig's time: the run so far, the phases over the last second, and the meter's face.

    `lcd_trouble` is added by a client that writes a character display: why it cannot.
    """

    summary: Summary
    recent: dict[str, Phase]
    face: Face
    lcd_trouble: str | None = None


class FrontChanged(msgspec.Struct, frozen=True, tag="front"):
    """The meter's face has changed. `tick`: all that was registered until then, on the meter's timeline, had been; null
    before the first window."""

    face: Face
    tick: int | None = None


class Begun(msgspec.Struct, frozen=True, tag="begun"):
    """Metering has begun: which contacts were found closed. On the topic of edges."""

    found: list[str]


class EdgesSeen(msgspec.Struct, frozen=True, tag="edges"):
    """Raw edges of the contacts in order of time, in ns from the begin."""

    edges: list[RawEdge]


class LoggedEvent(msgspec.Struct, frozen=True):
    """A line of the event log: UTC in ns, C12.19's code, its name, and what belongs to it."""

    utc_ns: int
    code: int
    name: str
    details: dict[str, Any]


class EventsLogged(msgspec.Struct, frozen=True, tag="events"):
    """New lines of the event log."""

    events: list[LoggedEvent]


class State(msgspec.Struct, frozen=True, tag="state"):
    """The exact reading (docs/json.md). `tick`: what had flowed by then, on the meter's timeline, is in it; null before
    the first window."""

    reading: ExactReading
    tick: int | None = None


class ProgramInForce(msgspec.Struct, frozen=True):
    """The result of ReadProgram and ReadIdentity: the program's digest, its tables as docs/program.md has them but for
    the keys of [security], whether the seal is on, and whether it was broken."""

    digest: str
    file: dict[str, Any]
    sealed: bool
    seal_broken: bool


class WaitingProgram(msgspec.Struct, frozen=True):
    """A program that waits: its digest and tables, as ProgramInForce has them; when it is to be activated, null: when
    that is asked for; when, from where and at which level it was written."""

    digest: str
    file: dict[str, Any]
    at_utc_ns: int | None
    written_utc_ns: int
    source: str
    level: int


class PendingAnswer(msgspec.Struct, frozen=True):
    """The result of ReadPending: the program that waits, null: none; and when one was activated last, null: never."""

    waiting: WaitingProgram | None
    activated_utc_ns: int | None


class NumberedEvent(msgspec.Struct, frozen=True):
    """A line of the event log as the store has it; `number` is its place among all that it was ever given."""

    number: int
    utc_ns: int
    code: int
    name: str
    details: dict[str, Any]


class LogPage(msgspec.Struct, frozen=True):
    """The result of ReadLog: lines in order, the newest last."""

    events: list[NumberedEvent]


class NumberedSnapshot(msgspec.Struct, frozen=True):
    """Registers as the store has them; `registers` is JSON text of a Snapshot (rig/meter/billing/snapshot.py)."""

    number: int
    utc_ns: int
    cause: str
    registers: str


class SnapshotsPage(msgspec.Struct, frozen=True):
    """The result of ReadSnapshots: in order, the newest last."""

    snapshots: list[NumberedSnapshot]


class WordRun(msgspec.Struct, frozen=True):
    """Words of 16 bits without a gap, least significant byte first; the first has number `first`."""

    first: int
    words: bytes


class ProfilePage(msgspec.Struct, frozen=True):
    """The result of ReadProfile: the recording, when it began, its settings as JSON text, and words; `next` is where
    the next page begins, null after the last. `ended_utc_ns`: when another recording began, null if it goes on."""

    recording: int
    began_utc_ns: int
    ended_utc_ns: int | None
    settings: str
    runs: list[WordRun]
    next: int | None


class FlowedWindow(msgspec.Struct, frozen=True):
    """Energy between two ticks of the meter's timeline, spread evenly, in nWh (nvarh, nVAh): by the name of each
    quantity that an output pulses for, the recorder records or a register on display shows, net ones left out."""

    begin_tick: int
    end_tick: int
    nano: dict[str, int]


class EnergyFlowed(msgspec.Struct, frozen=True, tag="energy"):
    """Windows as they are registered, each once and in order, a few at a time; `tick_hz` of the FPGA.

    A pulse leaves the meter `latency_ns` after the instant by which its energy had flowed.
    """

    tick_hz: Rational
    latency_ns: int
    windows: list[FlowedWindow]


class PulsesCounted(msgspec.Struct, frozen=True, tag="pulses"):
    """Count of the FPGA's counter of an output, at each change that is found, and once a second.

    Pulses are counted since the counters began; `run` changes when they begin anew. `last_tick` is that of the last
    pulse, on the meter's timeline, null before there is one. Once a second there is `read_tick`, that of the present:
    it was read between `read_from_ns` and `read_to_ns` of the computer's monotonic clock. `illegal` counts both
    contacts closed, and one closed twice running. `quantity` and `constant_wh` are the output's, null where it does not
    pulse. `fault` is why nothing is counted.
    """

    output: str
    run: int
    pulses: int
    illegal: int
    last_tick: int | None
    read_tick: int | None
    read_from_ns: int
    read_to_ns: int
    quantity: str | None
    constant_wh: Rational | None
    fault: str | None = None


class Dropped(msgspec.Struct, frozen=True, tag="dropped"):
    """So many publications of a topic did not reach this client, which did not read in time."""

    topic: Topic
    count: int


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The last message: what the run came to, the sentence of the failure that ended it, and the exit status."""

    summary: Summary | None
    failure: str | None = None
    status: int = 0


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """The last message on a connection that the daemon closes: why."""

    sentence: str


FromDaemon = (
    Welcome | Done | RequestRefused | Reading | FrontChanged | Begun | EdgesSeen | EventsLogged | State | EnergyFlowed
    | PulsesCounted | Dropped | Ended | Closed
)  # fmt: skip
