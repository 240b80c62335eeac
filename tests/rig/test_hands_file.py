"""Hands recorded: the file round and strict, a session that comes back the same, and judged by another debounce."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim import clock as sim_clock
from drivers.sim.hands import Hands
from drivers.sim.pins import VirtualClock, VirtualClockMockFactory
from drivers.switches import RawEdge, Switches
from rig.daemon.address import runtime_folder
from rig.daemon.client import MeterClient
from rig.daemon.interrupts import Interrupts
from rig.daemon.metering import Daemon
from rig.daemon.protocol import Begun, EdgesSeen, Ended, FrontChanged, Reading, Topic
from rig.daemon.startup import Start
from rig.daemon.systemd import Notifier
from rig.face.face import Face
from rig.files.strict_toml import ConfigError
from rig.hardware.config import SWITCHES, Config, MeterFiles
from rig.hardware.hands_file import COLUMNS, CONTACTS, HandsWriter, Recorded, read_hands
from rig.meter.front.switches import Switch
from rig.program import schema
from rig.store.reading import HistoryReader

MS = 1_000_000
NOON_NS = 1_783_339_200 * 10**9
"""2026-07-06, 12:00 UTC."""
PROGRAM = Path(schema.__file__).parent / "examples" / "industrial-9s.toml"

EDGES = st.lists(
    st.builds(RawEdge, st.integers(0, 10**18 - 1), st.sampled_from(CONTACTS), st.booleans(), st.booleans())
).map(lambda edges: sorted(edges, key=lambda edge: edge.at_ns))


def write(path: Path, found: Sequence[str], *batches: Sequence[RawEdge], force: bool = False) -> Path:
    with HandsWriter(path, force=force) as writer:
        writer.begin({"fidelity": "SIMULATED (exact)"}, found)
        for batch in batches:
            writer.write(batch)
    return path


# --- the file ---------------------------------------------------------------------------------------------------


@given(st.sets(st.sampled_from(CONTACTS)), EDGES, st.integers(0, 50))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, found, edges, cut) -> None:
    path = tmp_path_factory.mktemp("hands") / "session.csv"
    write(path, sorted(found), edges[:cut], edges[cut:])
    assert read_hands(path) == Recorded(frozenset(found), tuple(edges))
    assert [p.name for p in path.parent.iterdir()] == ["session.csv"]


def test_until_it_ends_the_file_has_another_name_and_is_readable(tmp_path: Path) -> None:
    path, part = tmp_path / "s.csv", tmp_path / "s.csv.part"
    writer = HandsWriter(path)
    writer.begin({}, ["test"])
    writer.write([RawEdge(5, "cover", True, True)])
    assert not path.exists()
    assert read_hands(part) == Recorded(frozenset({"test"}), (RawEdge(5, "cover", True, True),))
    writer.write([RawEdge(5, "cover", False, False)])
    assert len(read_hands(part).edges) == 2
    writer.close()
    assert len(read_hands(path).edges) == 2
    assert not part.exists()


def test_a_recording_that_fails_leaves_what_there_was_and_nothing_where_nothing_was(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    writer = HandsWriter(path)
    with suppress(RuntimeError), writer:
        writer.begin({}, [])
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["s.csv.part"]
    with pytest.raises(ConfigError, match=r"s\.csv\.part exists, left by an interrupted recording"):
        HandsWriter(path)
    write(path, [], force=True)
    with pytest.raises(ConfigError, match=r"s\.csv exists: choose another name, or overwrite it with --force"):
        HandsWriter(path)
    before = path.read_bytes()
    with suppress(RuntimeError), HandsWriter(path, force=True):
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["s.csv"]
    assert path.read_bytes() == before
    with pytest.raises(ConfigError, match=r"none/s\.csv cannot be written \(No such file or directory\): give a file"):
        HandsWriter(tmp_path / "none" / "s.csv")


def test_no_room_is_said() -> None:
    writer = HandsWriter(Path("/dev/shm/rig-hands-test"), force=True)
    try:
        with Path("/dev/full").open("wb", buffering=0) as full:
            writer._file.close()
            writer._file = full
            with pytest.raises(ConfigError, match=r"rig-hands-test\.part cannot be extended \(No space left"):
                writer.begin({}, [])
    finally:
        Path("/dev/shm/rig-hands-test.part").unlink()


HEAD = f"# rig hands 1\n{COLUMNS}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"line 1 is '', it must be '# rig hands 1'"),
        ("va,ia\n1,2\n", r"line 1 is 'va,ia', it must be '# rig hands 1'"),
        ("# rig hands one\n", r"line 1 is '# rig hands one', it must be '# rig hands 1'"),
        ("# rig hands 2\n", r"line 1 says version 2, it must be 1: use the rig's version that wrote it"),
        ("# rig hands 1\n# note\n", r"the line that names the columns is missing: ns,contact,closed"),
        ("# rig hands 1\n# note\nns,contact\n", r"line 3 is 'ns,contact', it must name the columns: ns,contact,cl"),
        (HEAD + "5,scroll,1\n", r"line 3 is '5,scroll,1', it must have 4 cells"),
        (HEAD + "\n", r"line 3 is '', it must have 4 cells"),
        (HEAD + "5.0,scroll,1,bounce\n", r"line 3: ns is '5\.0', it must be a whole number of ns from the run's begin"),
        (HEAD + "-5,scroll,1,bounce\n", r"line 3: ns is '-5', it must be a whole number"),
        (HEAD + "1" * 5000 + ",scroll,1,bounce\n", r"line 3: ns is '1+\.\.\.', it must be a whole number"),
        (HEAD + "5,scrol,1,bounce\n", r"line 3: contact is 'scrol', it must be one of scroll, magnet, reset"),
        (HEAD + "5,scroll,2,bounce\n", r"line 3: closed is '2', it must be 1, or 0 for open"),
        (HEAD + "5,scroll,1,maybe\n", r"line 3: verdict is 'maybe', it must be one of found, accepted, bounce"),
        (HEAD + "5,test,1,bounce\n# note\n4,test,0,bounce\n", r"line 5 is at 4 ns, before the line above it: put"),
        (HEAD + "5,test,1,bounce\n0,cover,1,found\n", r"line 4 is '0,cover,1,found', it must stand once, before all"),
        (HEAD + "0,cover,1,found\n0,cover,1,found\n", r"line 4 is '0,cover,1,found', it must stand once"),
        (HEAD + "0,cover,0,found\n", r"line 3 .* at 0 ns and closed: 0,cover,1,found"),
        (HEAD + "5,test,1,bounce\n9,test,0,acc", r"line 4 is '9,test,0,acc' and is incomplete: remove it, or"),
        ("# rig hands 1", r"line 1 .*cut off|the line that names the columns is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        read_hands(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.csv does not exist: give a file that `rig record` wrote"):
        read_hands(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        read_hands(tmp_path)
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"x is not in UTF-8: its line"):
        read_hands(tmp_path / "x")


@given(st.text(max_size=200), st.integers(0, 60))
def test_nothing_but_a_sentence_comes_of_any_text(tmp_path_factory: pytest.TempPathFactory, text, keep) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text((HEAD + "0,cover,1,found\n5,test,1,bounce\n")[:keep] + text, encoding="utf-8")
    said = ""
    try:
        read_hands(path)
    except ConfigError as error:
        said = str(error)
    assert "\n" not in said


# --- a session --------------------------------------------------------------------------------------------------


@dataclass
class Session:
    """What a run said, in order, and what its store then has."""

    begun: Begun | None = None
    faces: list[Face] = field(default_factory=list)
    edges: list[RawEdge] = field(default_factory=list)
    test_modes: list[bool] = field(default_factory=list)
    events: list[tuple[int, str, str]] = field(default_factory=list)
    ended: Ended | None = None


class Handed(Daemon):
    """A daemon at whose switches somebody is, by the rig's own clock."""

    def attend_to(self, orders: Sequence[tuple[float, Switch, bool]]) -> None:
        self._orders, self._from_ns = list(orders), self.hardware.clock.now_ns()

    def _attend(self) -> None:
        while self._orders and self.hardware.clock.now_ns() >= self._from_ns + self._orders[0][0] * 1e9:
            _, switch, pressed = self._orders.pop(0)
            self.service.operate(switch, pressed)
        super()._attend()


def session(
    store: Path, seconds: float, orders: Sequence[tuple[float, Switch, bool]], hands: Path | None = None
) -> Session:
    """A run of the industrial meter, at whose switches the orders are carried out; what a client heard of it."""
    config = Config(meter=MeterFiles(program=str(PROGRAM), store=str(store)))
    socket = runtime_folder() / "session.sock"
    start = Start(config, str(socket), seconds, paced=False, hands=None if hands is None else str(hands))
    result = Session()
    daemon = Handed(start, Interrupts(), Notifier({}))
    daemon.attend_to(orders)

    def look_on() -> None:
        with MeterClient.connect(socket) as client:
            client.subscribe(Topic.READINGS, Topic.FRONT, Topic.EDGES, lossless=True)
            for message in client.messages():
                match message:
                    case Reading(face=face) | FrontChanged(face=face):
                        result.faces.append(face)
                    case EdgesSeen(edges):
                        result.edges += edges
                    case Begun() as begun:
                        result.begun = begun
                    case Ended() as ended:
                        result.ended = ended

    looker = threading.Thread(target=look_on)
    looker.start()
    daemon.await_starter()
    daemon.run()
    looker.join(60)
    with HistoryReader(store) as history:
        result.events = [(event.utc_ns, event.name, event.details) for event in history.events()]
    return result


S, ON, OFF = Switch, True, False
ORDERS = [
    (4, S.SCROLL, ON),
    (5, S.SCROLL, OFF),
    (5, S.COVER, ON),
    (6, S.TEST, ON),
    (8, S.SCROLL, ON),
    (8, S.SCROLL, OFF),
    (9, S.SCROLL, ON),
    (10, S.SCROLL, OFF),
    (10, S.TEST, OFF),
    (12, S.RESET, ON),
    (13, S.RESET, OFF),
    (13, S.COVER, OFF),
    (15, S.MAGNET, ON),
    (15, S.RESET, ON),
    (16, S.RESET, OFF),
    (19, S.MAGNET, OFF),
]
"""With the cover on SCROLL is void; two at one instant are a tap within one burst; the second reset is too soon."""
SECONDS = 20.5


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Path]:
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        at_noon(patch)
        first = session(folder / "store", SECONDS, ORDERS)
    assert first.begun is not None
    return first, write(folder / "session.csv", first.begun.found, first.edges)


def at_noon(patch: pytest.MonkeyPatch) -> None:
    """A simulated rig's clock begins with the computer's: give each run the same."""
    patch.setattr(sim_clock, "time", SimpleNamespace(time_ns=lambda: NOON_NS))


def undated(ended: Ended | None) -> object:
    """What a run came to, whenever that was, and wherever its store is."""
    assert ended is not None
    assert ended.summary is not None
    provenance = msgspec.structs.replace(ended.summary.provenance, begun_utc="", configuration="")
    return msgspec.structs.replace(ended.summary, provenance=provenance), ended.failure, ended.status


@pytest.mark.slow
def test_a_session_of_hands_comes_back_the_same(recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, file = recorded
    at_noon(monkeypatch)
    again = session(tmp_path / "store", SECONDS, [], file)
    assert again.edges == first.edges
    assert again.begun == first.begun
    assert again.faces == first.faces
    assert again.events == first.events
    assert undated(again.ended) == undated(first.ended)
    # And it was a session worth the name.
    assert {"demand reset", "test mode begin", "test mode end"} <= {name for _, name, _ in first.events}
    assert any("WAIT" in face.lcd.text + face.lcd.unit + face.lcd.ident for face in first.faces)
    lit = [{a.value for a in face.lcd.lit} for face in first.faces if face.lcd.ident != "███"]
    assert any("TEST" in words for words in lit)
    assert any("ALT" in words for words in lit)
    bounced = [edge for edge in first.edges if not edge.accepted]
    assert len(bounced) > len(first.edges) / 2 > 10


def test_contacts_found_closed_and_inputs_come_back_too(tmp_path: Path) -> None:
    """Written by hand: the cover was off and the magnet there before the meter started; inputs close and bounce."""
    edges = [
        RawEdge(400 * MS, "input1", True, True),
        RawEdge(400 * MS + 300_000, "input1", False, False),
        RawEdge(401 * MS, "input1", True, False),
        RawEdge(450 * MS, "input1", False, True),
        RawEdge(700 * MS, "magnet", False, True),
        RawEdge(800 * MS, "input2", True, True),
        RawEdge(800 * MS, "reset", True, False),
        RawEdge(805 * MS, "reset", False, False),
        RawEdge(900 * MS, "input1", True, True),
    ]
    file = write(tmp_path / "s.csv", ["cover", "magnet"], edges)
    again = session(tmp_path / "store", 2, [], file)
    assert again.begun is not None
    assert again.begun.found == ["cover", "magnet"]
    assert again.edges == edges
    assert again.ended is not None
    assert again.ended.summary.rate == "D"
    assert Switch.COVER in again.faces[0].operated


def test_a_burst_that_the_end_cuts_off_is_told_and_has_not_counted(tmp_path: Path) -> None:
    edges = [RawEdge(990 * MS, "scroll", True, False), RawEdge(991 * MS, "scroll", False, False)]
    file = write(tmp_path / "s.csv", [], edges)
    assert session(tmp_path / "store", 1, [], file).edges == edges


# --- what if ----------------------------------------------------------------------------------------------------


def judged(recorded: Recorded, steady_ns: int) -> list[RawEdge]:
    """The recorded switches on simulated pins, with another debounce."""
    pins = VirtualClockMockFactory(VirtualClock())
    wired = {name: number for number, name in enumerate(SWITCHES, 4)}
    told: list[RawEdge] = []
    switches = Switches(wired, pins, 0, steady_ns=steady_ns, on_edge=told.append)
    hands = Hands(wired, pins)
    for edge in recorded.edges:
        hands.level(edge.switch, edge.at_ns, edge.operated)
    for now_ns in range(0, recorded.edges[-1].at_ns + 200 * MS, 20 * MS):
        hands.run_due(now_ns)
        pins.clock.advance_to(max(now_ns, pins.clock.now_ns))
        switches.poll(now_ns)
    switches.close()
    pins.close()
    return sorted(told, key=lambda edge: edge.at_ns)


def test_another_debounce_judges_the_same_edges_otherwise(recorded) -> None:
    _, file = recorded
    hands = read_hands(file)
    as_it_was = judged(hands, 20 * MS)
    assert as_it_was == list(hands.edges)
    hasty = judged(hands, 1 * MS)
    assert [(e.at_ns, e.switch, e.operated) for e in hasty] == [(e.at_ns, e.switch, e.operated) for e in hands.edges]
    assert sum(e.accepted for e in hasty) > sum(e.accepted for e in as_it_was)
