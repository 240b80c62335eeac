"""Mutated COMTRADE and CSV files against their reader: `python recording_mutations.py COUNT SEED` (issue 13, item 3).

Each file is a good one with a few things done to it, at places that do not carry its scale: unit, multiplier, offset
and rate stay, for nobody could tell a multiplier with a digit changed from a true one. What the reader gives must then
be a refusal in one printable sentence, a fault of a channel, or the load at its true scale: by the quantiles of its
samples, which single spoiled samples do not move. Prints its findings as JSON; status 1 for any.

Runs with 1 GiB of address space and 10 s of the processor a file. A seed gives the same files on every machine.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import numpy as np  # noqa: E402
from recordings_made import AMPERES, IA, RATE, VA, VOLTS, Comtrade, Line, csv_text  # noqa: E402

from drivers.sim.channels import assign, channel_notes  # noqa: E402
from drivers.sim.reading import read_recording  # noqa: E402
from drivers.sim.recording import Recording, RecordingError  # noqa: E402

MEMORY = 1 << 30
SECONDS = 10
QUANTILES = (0.3, 0.5, 0.7, 0.9)
NEAR = 0.2
"""Of the crest: what a quantile may move by single spoiled samples, as the 32 samples a cycle repeat few values. A
scale wrong by 2 moves the highest by half."""

TRUTH = (np.array(VOLTS) * 0.01, np.array(AMPERES) * 0.001)


@dataclass(frozen=True)
class Base:
    """A good file: its parts by suffix, and the texts in each that carry the scale."""

    name: str
    parts: dict[str, bytes]
    protected: dict[str, tuple[bytes, ...]]


def _comtrade(name: str, made: Comtrade) -> Base:
    scale = tuple(f",{line.unit},{line.a},{line.b},".encode() for line in made.lines)
    return Base(
        name, {".cfg": made.cfg(), ".dat": made.dat()}, {".cfg": (*scale, b"1920,", b"ASCII\r\n1\r\n"), ".dat": ()}
    )


def _single(name: str, made: Comtrade, folder: Path) -> Base:
    path = made.write_single(folder, name)
    scale = tuple(f",{line.unit},{line.a},{line.b},".encode() for line in made.lines)
    return Base(name, {".cff": path.read_bytes()}, {".cff": (*scale, b"1920,")})


def _csv(name: str, text: str, *protected: str, encoding: str = "utf-8") -> Base:
    return Base(name, {".csv": text.encode(encoding)}, {".csv": tuple(p.encode(encoding) for p in protected)})


def _rigol() -> str:
    head = f"X,CH1,CH2,Start,Increment,\nSequence,Volt,Ampere,-5e-02,{1 / RATE:.9e}\n"
    return head + "".join(
        f"{k},{v / 100:.2f},{a / 1000:.3f},\n" for k, (v, a) in enumerate(zip(VOLTS, AMPERES, strict=True))
    )


def bases(folder: Path) -> list[Base]:
    """The good files."""
    wide = (VA, IA, Line("VB", "B"), Line("IB", "B", "", "A", "0.001"))
    latin = (Line("Tensão"), Line("Saída", "A", "", "A", "0.001"))
    four = (VOLTS, AMPERES, VOLTS, AMPERES)
    status = ("TRIP,,,0", "CLOSE,,,1")
    plain, units = ("time_s", "va", "ia"), ("time (ms)", "va (kV)", "ia (mA)")
    return [
        *(
            _comtrade(f"{revision} {form}", Comtrade(revision, form, status=status))
            for revision in ("1991", "1999", "2013")
            for form in ("ASCII", "BINARY", "BINARY32", "FLOAT32")
        ),
        _comtrade("four channels", Comtrade("1999", "BINARY", wide, four)),
        _comtrade("blocks", Comtrade("1999", "ASCII", rates=("2", "1920,192", "1920,192"))),
        _comtrade("time stamps", Comtrade("1999", "ASCII", rates=("0", "0,192"))),
        _comtrade("latin", Comtrade("1999", lines=latin, encoding="cp1252")),
        _single("cff-ascii", Comtrade("2013", "ASCII"), folder),
        _single("cff-binary", Comtrade("2013", "BINARY"), folder),
        _csv("plain", csv_text(plain), "time_s,va,ia"),
        _csv("units", csv_text(units, {units[0]: 1e-3, units[1]: 1e3, units[2]: 1e-3}), ",".join(units)),
        _csv("european", csv_text(plain, separator=";", decimal=","), "time_s;va;ia"),
        _csv("utf-16", csv_text(plain), "time_s,va,ia", encoding="utf-16-le"),
        _csv("tabs", "Recorder,5\n# x\n" + csv_text(plain, separator="\t"), "time_s\tva\tia"),
        _csv("rigol", _rigol(), "X,CH1,CH2,Start,Increment", f"Sequence,Volt,Ampere,-5e-02,{1 / RATE:.9e}"),
        _csv("keysight", csv_text(("x-axis", "1", "2")).replace("\n", "\nsecond,Volt,Ampere\n", 1),
             "x-axis,1,2\nsecond,Volt,Ampere"),
    ]  # fmt: skip


# --- mutations --------------------------------------------------------------------------------------------------------

UGLY = (
    b"", b"N/A", b"nan", b"-1", b"inf", b"99999", b"999999", b"1e999", b"1e-400", b"0x10", b"9" * 400, b"\xe9\xff",
    b"\0", b"-", b"1_0", b"\x1b[31m", b'"', b"1/0", b"1,5", b"1.5.5", b"+", b"32768", b"-32768", b"400000000D",
    b"A" * 5000, "٣".encode(), b"{0}", b"%s", b"24:00:00", b"09/44/2025", b"\xff\xfe", b"\x1a",
    b"1e5", b"0.0", b" ", b"\t",
)  # fmt: skip


def _spans(data: bytes, protected: tuple[bytes, ...]) -> list[tuple[int, int]]:
    spans = []
    for text in protected:
        at = data.find(text)
        while at >= 0:
            spans.append((at, at + len(text)))
            at = data.find(text, at + 1)
    return spans


class Mutator:
    """Does things to bytes, away from what is protected."""

    def __init__(self, rng: random.Random, protected: tuple[bytes, ...]) -> None:
        self._rng = rng
        self._protected = protected

    def free(self, data: bytes, first: int, end: int) -> bool:
        """Whether a stretch, and its neighbours, carry no scale."""
        return not any(first <= stop and end >= start for start, stop in _spans(data, self._protected))

    def _place(self, data: bytes, length: int) -> tuple[int, int] | None:
        for _ in range(20):
            at = self._rng.randrange(len(data) + 1)
            if self.free(data, at, min(len(data), at + length)):
                return at, min(len(data), at + length)
        return None

    def flip(self, data: bytes) -> bytes:
        if (place := self._place(data, 1)) is None:
            return data
        return data[: place[0]] + bytes([self._rng.randrange(256)]) + data[place[1] :]

    def delete(self, data: bytes) -> bytes:
        if (place := self._place(data, self._rng.randint(1, 9))) is None:
            return data
        return data[: place[0]] + data[place[1] :]

    def insert(self, data: bytes) -> bytes:
        if (place := self._place(data, 0)) is None:
            return data
        new = self._rng.choice(
            [self._rng.randbytes(self._rng.randint(1, 9)), self._rng.choice(UGLY), b",", b"\n", b";"]
        )
        return data[: place[0]] + new + data[place[0] :]

    def truncate(self, data: bytes) -> bytes:
        return data[: self._rng.randrange(len(data) + 1)]

    def field(self, data: bytes) -> bytes:
        """Put an ugly text in place of a field."""
        if (place := self._place(data, 0)) is None:
            return data
        first = max(data.rfind(mark, 0, place[0]) for mark in (b",", b"\n", b";", b"\t")) + 1
        ends = [e for mark in (b",", b"\n", b"\r", b";", b"\t") if (e := data.find(mark, place[0])) >= 0]
        end = min(ends, default=len(data))
        if not self.free(data, first, end):
            return data
        return data[:first] + self._rng.choice(UGLY) + data[end:]

    def line(self, data: bytes) -> bytes:
        """Delete, double or swap whole lines, or put an ugly one between."""
        lines = data.split(b"\n")
        free = [k for k, text in enumerate(lines) if not any(p in text or text in p for p in self._protected if text)]
        if not free:
            return data
        k, other = self._rng.choice(free), self._rng.choice(free)
        what = self._rng.randrange(4)
        if what == 0:
            del lines[k]
        elif what == 1:
            lines.insert(k, lines[k])
        elif what == 2:
            lines[k], lines[other] = lines[other], lines[k]
        else:
            lines.insert(k, b",".join(self._rng.choices(UGLY, k=self._rng.randint(1, 5))))
        return b"\n".join(lines)

    def ends(self, data: bytes) -> bytes:
        return data.replace(b"\r\n", b"\n").replace(
            b"\n", self._rng.choice([b"\r\n", b"\r", b"\n", b"\r\r\n", b"\n\n"])
        )

    def recode(self, data: bytes) -> bytes:
        text = data.decode("latin-1")
        return text.encode(self._rng.choice(["utf-16", "utf-8-sig", "utf-16-be", "utf-32", "utf-8"]))

    def garbage(self, data: bytes) -> bytes:
        return self._rng.randbytes(self._rng.randint(0, 4000))

    def some(self, data: bytes, binary: bool) -> tuple[bytes, str]:
        """One to three things, and their names."""
        bytewise = (self.flip, self.delete, self.insert)
        textual = (*bytewise, self.field, self.field, self.line, self.line)
        rare: tuple[Callable[[bytes], bytes], ...] = (self.truncate, self.garbage)
        if not binary:
            rare = (*rare, self.ends, self.recode)
        names = []
        for _ in range(self._rng.choice((1, 1, 1, 2, 3))):
            chosen = self._rng.choice(rare if self._rng.random() < 0.1 else bytewise if binary else textual)
            names.append(chosen.__name__)
            data = chosen(data)
            if chosen.__name__ in ("recode", "garbage"):
                break  # what is protected is no longer found
        return data, "+".join(names)


# --- the witness ------------------------------------------------------------------------------------------------------


def wrong_scale(recording: Recording) -> str | None:
    """What a recording has at another scale than the load, unless it says that samples are amiss."""
    if any("not numbered one by one" in note for note in recording.notes):
        return None
    if abs(float(recording.rate_hz) / RATE - 1) > 1e-3:
        return f"a rate of {float(recording.rate_hz):g} Hz"
    for k, channel in enumerate(recording.channels):
        if channel.fault is not None or k >= len(TRUTH) * 2:
            continue
        truth = TRUTH[k % 2][: len(recording.values)]
        seen = np.quantile(np.abs(recording.values[: len(truth), k]), QUANTILES)
        true = np.quantile(np.abs(truth), QUANTILES)
        crest = float(np.abs(TRUTH[k % 2]).max())
        if len(truth) > 20 and float(np.abs(seen - true).max()) > NEAR * crest:
            return f"{channel.name}: quantiles {seen.round(4).tolist()} for {true.round(4).tolist()}"
    return None


def outcome(path: Path) -> tuple[str, str | None]:
    """What became of a file: a word for counting, and what is wrong with that."""
    try:
        recording = read_recording(path)
    except RecordingError as error:
        return "refused", _no_sentence(str(error))
    if (problem := wrong_scale(recording)) is not None:
        return "read", problem
    try:
        columns = assign(recording)
    except RecordingError as error:
        return "a channel refused", _no_sentence(str(error))
    sentences = (*recording.notes, *channel_notes(recording, columns))
    return "read", next((problem for text in sentences if (problem := _no_sentence(text))), None)


def _no_sentence(text: str) -> str | None:
    return None if text.isprintable() and len(text) < 1000 else f"a sentence that is none: {text!r}"


class TookTooLong(Exception):
    """A file took longer than SECONDS."""


def _ring(*_: object) -> None:
    raise TookTooLong


def run(count: int, seed: int) -> dict[str, object]:
    """Mutate and read `count` files; findings, how many were read or refused, the longest time."""
    signal.signal(signal.SIGPROF, _ring)
    counted: Counter[str] = Counter()
    findings: list[str] = []
    longest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        good = bases(Path(folder))
        for number in range(count):
            rng = random.Random(f"{seed} {number}")
            base = good[number % len(good)]
            spoiled = rng.choice(list(base.parts))
            binary = spoiled == ".dat" and "ASCII" not in base.name and base.name not in ("blocks", "time stamps")
            for suffix, content in base.parts.items():
                data, names = content, ""
                if suffix == spoiled:
                    data, names = Mutator(rng, base.protected[suffix]).some(content, binary)
                    told = f"file {number} of seed {seed} ({base.name}{suffix}, {names})"
                Path(folder, f"file{suffix}").write_bytes(data)
            path = Path(folder, f"file{next(iter(base.parts))}")
            begun = time.process_time()
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                word, problem = outcome(path)
            except (Exception, TookTooLong) as error:
                word, problem = (
                    "broke",
                    f"{type(error).__name__}: {error} at {traceback.format_tb(error.__traceback__)[-1]}",
                )
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            longest = max(longest, time.process_time() - begun)
            counted[word] += 1
            if problem is not None:
                findings.append(f"{told}: {problem}")
    return {"counted": dict(counted), "longest_s": round(longest, 3), "findings": findings}


def main() -> int:
    """Run as asked on the command line."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    result = run(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(result, indent=1, ensure_ascii=False))
    return 1 if result["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
