"""Which channel of a recording is va, ia, vb and so on: as the user says, or by its obvious name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from drivers.sim.recording import RecordedChannel, Recording, RecordingError

SLOTS = ("va", "vb", "vc", "ia", "ib", "ic")
"""What channels are assigned to, in the order of gateware.registers.Channel."""

_SHOWN = 16  # names an error lists
_UNIT = {"v": "V", "i": "A"}
_PHASES = {
    **dict.fromkeys(("a", "r", "l1", "1"), "a"),
    **dict.fromkeys(("b", "s", "l2", "2"), "b"),
    **dict.fromkeys(("c", "t", "l3", "3"), "c"),
}
_LETTERED = {name: phase for name, phase in _PHASES.items() if not name.isdigit()}
_NAME = re.compile(r"([vui])_?([abcrst]|l?[123])n?", re.IGNORECASE)
_NUMBERED_NAME = re.compile(r"([vui])_?([abcrst])n?\d+", re.IGNORECASE)
_ASCII_WORD = re.compile(r"[a-z0-9]+", re.IGNORECASE)
_NO_WORD = re.compile(r"\W+")


def parse_spec(text: str) -> dict[str, str]:
    """Read 'va=VA_G1,ia=IA_G1,…' into slot → channel name; RecordingError when it is not that."""
    spec: dict[str, str] = {}
    for part in text.split(","):
        slot, equals, name = (piece.strip() for piece in part.partition("="))
        slot = slot.lower()
        if not equals or not name or slot not in SLOTS:
            raise RecordingError(
                f"--channels: '{part.strip()}' is not one of {'=NAME, '.join(SLOTS)}=NAME, joined by commas"
            )
        if slot in spec:
            raise RecordingError(f"--channels: {slot} is given twice")
        spec[slot] = name
    return spec


def assign(recording: Recording, spec: Mapping[str, str] | None = None) -> dict[str, int]:
    """Slot → column of the recording, for the slots it has, in the order of SLOTS.

    `spec` names a channel for each slot; without it obvious names are found (va, V_A, Uan, u1, IL1, VA_G1,
    '5-Ua', phases A B C, R S T or 1 2 3; else COMTRADE's phase and unit). RecordingError for a name that is
    unknown or ambiguous, a wrong unit, no voltage with its current, or samples that are not numbers.
    """
    columns = _given(recording, spec) if spec is not None else _found(recording)
    for slot, column in columns.items():
        channel = recording.channels[column]
        unit = _UNIT[slot[0]]
        if channel.unit not in ("", unit):
            raise RecordingError(
                f"{recording.path}: {slot} needs a channel in {unit}, {channel.name} is in {channel.unit}"
            )
        recording.column(column)
    if not any({"v" + phase, "i" + phase} <= columns.keys() for phase in "abc"):
        raise RecordingError(
            f"{recording.path}: no voltage with its current among the channels "
            f"({', '.join(columns) or 'none'} found), name them as in --channels va=NAME,ia=NAME; "
            f"it has {_listed(recording.names)}"
        )
    return columns


def _given(recording: Recording, spec: Mapping[str, str]) -> dict[str, int]:
    return {slot: _by_name(recording, slot, spec[slot]) for slot in SLOTS if slot in spec}


def _by_name(recording: Recording, slot: str, name: str) -> int:
    """The one column of that name; upper and lower case count only when they must."""
    for fold in (str, str.casefold):
        columns = [k for k, known in enumerate(recording.names) if fold(known) == fold(name)]
        if len(columns) == 1:
            return columns[0]
        if columns:
            raise RecordingError(
                f"{recording.path}: {slot}={name} is ambiguous, {len(columns)} channels have that name"
            )
    close = get_close_matches(name, recording.names, n=3, cutoff=0.7)
    meant = f" (did you mean {' or '.join(close)}?)" if close else ""
    raise RecordingError(f"{recording.path}: no channel {name}{meant}; it has {_listed(recording.names)}")


def _found(recording: Recording) -> dict[str, int]:
    """Columns by how plainly they say what they are: the whole name, a word of it, then phase and unit."""
    columns: dict[str, int] = {}
    for slot in SLOTS:
        for says in (_whole_name, _a_word, _phase_and_unit):
            candidates = [k for k, channel in enumerate(recording.channels) if slot in says(channel)]
            if len(candidates) > 1:
                names = [recording.names[k] for k in candidates]
                raise RecordingError(
                    f"{recording.path}: {slot} may be {_listed(names, ' or ')}; "
                    f"say which, as in --channels {_example(recording, slot, names[0])}"
                )
            if candidates:
                columns[slot] = candidates[0]
                break
    return columns


def _whole_name(channel: RecordedChannel) -> set[str]:
    return _slots_of(channel, [_NAME.fullmatch(channel.name.strip())])


def _a_word(channel: RecordedChannel) -> set[str]:
    words = {*_ASCII_WORD.findall(channel.name), *_NO_WORD.split(channel.name)}
    return _slots_of(
        channel, [pattern.fullmatch(word) for word in words for pattern in (_NAME, _NUMBERED_NAME)]
    )


def _slots_of(channel: RecordedChannel, names: Iterable[re.Match[str] | None]) -> set[str]:
    """The slots that names mean, of the quantity that the channel's unit (when it has one) allows."""
    quantities = ((name[1].lower().replace("u", "v"), name[2].lower()) for name in names if name)
    return {q + _PHASES[phase] for q, phase in quantities if channel.unit in ("", _UNIT[q])}


def _phase_and_unit(channel: RecordedChannel) -> set[str]:
    phase = _LETTERED.get(channel.phase.strip().lower())
    return {slot for slot in SLOTS if slot[1] == phase and channel.unit == _UNIT[slot[0]]}


def _example(recording: Recording, slot: str, name: str) -> str:
    """A --channels with the ambiguous slot and its partner."""
    partner = {"v": "i", "i": "v"}[slot[0]] + slot[1]
    other = next((c.name for c in recording.channels if partner in _a_word(c) | _phase_and_unit(c)), "NAME")
    return ",".join(sorted((f"{slot}={name}", f"{partner}={other}"), reverse=True))


def _listed(names: Iterable[str], last: str = ", ") -> str:
    """Names in a row, the first few of many."""
    names = list(names)
    if len(names) > _SHOWN:
        return ", ".join(names[:_SHOWN]) + f" and {len(names) - _SHOWN} more"
    return last.join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else ", ".join(names)
