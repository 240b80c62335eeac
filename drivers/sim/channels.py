"""Assignment of a recording's channels to va, ia, vb and so on: as the user says, or by their obvious names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches

import numpy as np

from drivers.sim.recording import RecordedChannel, Recording, RecordingError, shown
from drivers.sim.text_encoding import folded, same_name
from drivers.sim.units import heading

SLOTS = ("va", "vb", "vc", "ia", "ib", "ic")
"""What channels are assigned to, in the order of gateware.registers.Channel."""

GROUP = "group"
"""Under what a spec has the group of channels among which obvious names are found."""

_SHOWN = 16  # names an error lists
_UNIT = {"v": "V", "i": "A"}
_WORD = {"V": "volts", "A": "amperes"}
_MADE = re.compile(r"(?P<minus>-?)(?P<name>.+?)(?:\*(?P<factor>-?\d{1,12}(?:\.\d{1,12})?(?:[eE][+-]?\d{1,2})?))?")
_PHASES = {
    **dict.fromkeys(("a", "r", "l1", "1"), "a"),
    **dict.fromkeys(("b", "s", "l2", "2"), "b"),
    **dict.fromkeys(("c", "t", "l3", "3"), "c"),
}
_LETTERED = {name: phase for name, phase in _PHASES.items() if not name.isdigit()}
_NAME = re.compile(r"([vui])_?([abcrst]|l?[123])n?", re.IGNORECASE)
_NUMBERED_NAME = re.compile(r"([vui])_?([abcrst])n?\d+", re.IGNORECASE)
_BETWEEN_LINES = re.compile(
    r"[vu][_ -]?(ab|bc|ca|ba|cb|ac|rs|st|tr|ry|yb|br|12|23|31|l1[_ -]?l2|l2[_ -]?l3|l3[_ -]?l1)", re.IGNORECASE
)
_RYB = re.compile(r"(?<![a-z])([vui][_-]?)([rywb])(?=n?(?![a-z]))", re.IGNORECASE)
_RYB_PHASES = {"r": "a", "y": "b", "w": "b", "b": "c"}
"""Red, yellow (white) and blue, where all three are there: B alone is the second of A B C."""

_ASCII_WORD = re.compile(r"[a-z0-9]+", re.IGNORECASE)
_NO_WORD = re.compile(r"\W+")


def parse_spec(text: str) -> dict[str, str]:
    """Read 'va=VA_G1,ia=IA_G1,…' into slot → channel name; RecordingError when it is not that.

    A part without '=' is a group, such as G1 of VA_G1, and stands under GROUP: slots not named are found in it.
    """
    spec: dict[str, str] = {}
    for part in text.split(","):
        slot, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals and slot.lower() not in ("", *SLOTS):
            slot, name = GROUP, slot
        slot = slot.lower()
        if not name or slot not in (*SLOTS, GROUP):
            raise RecordingError(
                f"--channels: '{part.strip()}' is not one of {'=NAME, '.join(SLOTS)}=NAME, joined by commas, or a "
                f"group such as G1 of VA_G1"
            )
        if slot in spec:
            raise RecordingError(f"--channels: {slot} is given twice")
        spec[slot] = name
    return spec


def with_made_channels(recording: Recording, spec: Mapping[str, str]) -> tuple[Recording, dict[str, str]]:
    """Add the channels that `spec` makes of others, and name them in it: '-Vbc' is Vbc reversed, 'CH2*10' ten times.

    A factor also turns volts into amperes, as of a current clamp, and the other way round. RecordingError for a
    factor that is none.
    """
    names: dict[str, str] = {}
    channels, columns, notes = list(recording.channels), [recording.values], list(recording.notes)
    for slot, text in spec.items():
        found = None if slot == GROUP or _columns_named(recording, text) else _MADE.fullmatch(text)
        names[slot] = text
        if found is None or not (found["minus"] or found["factor"]):
            continue
        column = _by_name(recording, slot, found["name"].strip())
        factor = float(found["factor"] or 1) * (-1 if found["minus"] else 1)
        if not (np.isfinite(factor) and factor):
            raise RecordingError(f"--channels: {slot}={text}: {found['factor']} is no factor")
        source = channels[column]
        unit = _UNIT[slot[0]] if found["factor"] else source.unit
        if unit != source.unit:
            notes.append(f"{slot}: {source.name} in {source.unit or 'no unit'} times {factor:g} is taken in {unit}")
        side = source.side if found["factor"] is None else ""
        channels.append(replace(source, name=text, unit=unit, unit_known=True, side=side))
        columns.append(recording.values[:, [column]] * factor)
    if len(columns) == 1:
        return recording, names
    values = np.concatenate(columns, axis=1)
    return replace(recording, channels=tuple(channels), values=values, notes=tuple(notes)), names


def assign(recording: Recording, spec: Mapping[str, str] | None = None) -> dict[str, int]:
    """Slot → column of the recording, for the slots it has, in the order of SLOTS.

    `spec` names a channel for each slot, or a group among whose channels obvious names are found; without it they are
    found among all (va, V_A, Uan, u1, IL1, VA_G1, '5-Ua', phases A B C, R S T or 1 2 3; else COMTRADE's phase and
    unit). RecordingError for a name that is unknown or ambiguous, a wrong unit, no voltage with its current, or
    samples that are not numbers.
    """
    if spec is None:
        columns = _found(recording, SLOTS)
    elif GROUP in spec:
        columns = _grouped(recording, spec)
    else:
        columns = _given(recording, spec)
    for slot, column in columns.items():
        channel = recording.channels[column]
        unit = _UNIT[slot[0]]
        if channel.unit not in ("", unit) and channel.unit_known:
            raise RecordingError(
                f"{recording.path}: {slot} needs a channel in {unit}, {channel.name} is in {channel.unit}"
            )
        if not channel.unit_known and (spec is None or slot not in spec):
            raise RecordingError(
                f"{recording.path}: {slot}: the unit {shown(channel.unit)} of {channel.name} is not known; if its "
                f"numbers are {_WORD[unit]}, say so with --channels {slot}={channel.name}"
            )
        recording.column(column)
    _check_sides(recording, columns)
    if not any({"v" + phase, "i" + phase} <= columns.keys() for phase in "abc"):
        between = next((name for name in recording.names if is_between_lines(name)), None)
        lines = "" if between is None else f" ({between} is between lines: see --form 5S)"
        raise RecordingError(
            f"{recording.path}: no voltage with its current among the channels "
            f"({', '.join(columns) or 'none'} found), name them as in --channels va=NAME,ia=NAME{lines}; "
            f"it has {_listed(recording.names)}"
        )
    return columns


def channel_notes(recording: Recording, columns: Mapping[str, int]) -> list[str]:
    """Say of which channels the unit was taken on trust, as a person named them and it is not known, and what is in
    doubt of them."""
    doubts = [
        f"{slot}: {channel.name}: {channel.doubt}"
        for slot, column in columns.items()
        if (channel := recording.channels[column]).doubt is not None
    ]
    if _is_ryb(recording):
        doubts.append("phases R, Y (or W) and B are taken as A, B and C, but for what --channels names")
    return doubts + [
        f"{slot}: the unit {shown(channel.unit)} of {channel.name} is not known, its numbers are taken as "
        f"{_WORD[_UNIT[slot[0]]]}"
        for slot, column in columns.items()
        if not (channel := recording.channels[column]).unit_known
    ]


def _check_sides(recording: Recording, columns: Mapping[str, int]) -> None:
    """Refuse primary values beside secondary ones: their products would be on neither side of the transformers."""
    by_side: dict[str, tuple[str, RecordedChannel]] = {}
    for slot, column in columns.items():
        channel = recording.channels[column]
        if channel.primary != channel.secondary and channel.primary > 0 and channel.secondary > 0:
            by_side.setdefault(channel.side, (slot, channel))
    if not {"P", "S"} <= by_side.keys():
        return
    (on, primary), (slot, other) = by_side["P"], by_side["S"]
    ratio = other.primary / other.secondary
    raise RecordingError(
        f"{recording.path}: {on}, {primary.name}, is in primary values, {slot}, {other.name}, in secondary ones: make "
        f"all primary, as in --channels {slot}={other.name}*{ratio:.12g}"
    )


def _given(recording: Recording, spec: Mapping[str, str]) -> dict[str, int]:
    return {slot: _by_name(recording, slot, spec[slot]) for slot in SLOTS if slot in spec}


def _grouped(recording: Recording, spec: Mapping[str, str]) -> dict[str, int]:
    """Assign what is named, then the obvious names of the group, then those outside any doubt among all the others."""
    group = spec[GROUP]
    inside = [k for k, channel in enumerate(recording.channels) if _rest(channel, group) is not None]
    if not inside:
        raise RecordingError(
            f"{recording.path}: no channel of a group {group}, which begins or ends a name; it has "
            f"{_listed(recording.names)}"
        )
    stripped = list(recording.channels)
    for k in inside:
        rest = _rest(stripped[k], group) or ""
        stripped[k] = replace(stripped[k], name=rest or stripped[k].name)
    named = _given(recording, spec)
    open_slots = [slot for slot in SLOTS if slot not in named]
    found = _found(replace(recording, channels=tuple(stripped)), open_slots, inside)
    outside = [slot for slot in open_slots if slot not in found]
    if any("v" + slot[1] in outside for slot in found if slot[0] == "i"):  # feeders share a bus's voltages
        found |= _found(recording, [slot for slot in outside if slot[0] == "v"])
    return {slot: (named | found)[slot] for slot in SLOTS if slot in named or slot in found}


def _rest(channel: RecordedChannel, group: str) -> str | None:
    """Return what is left of a channel's name without its group; None if it is of another. F1 is no part of F10."""
    name, text = folded(channel.name), folded(group)
    if folded(channel.component) == text:
        return channel.name
    for begins, rest, edge in (
        (name.startswith(text), name[len(text) :], (text[-1:], name[len(text) : len(text) + 1])),
        (name.endswith(text), name[: -len(text)], (name[-len(text) - 1 : -len(text)], text[:1])),
    ):
        if begins and not (edge[0].isdigit() and edge[1].isdigit()):
            return rest.strip(" _-.:/")
    return None


def _columns_named(recording: Recording, name: str) -> list[int]:
    """The columns of a name: as it is, then in any case, then with its unit taken off, then in any encoding."""
    tests = (
        lambda known: known == name,
        lambda known: folded(known) == folded(name),
        lambda known: folded(known) == folded(heading(name).name),
        lambda known: same_name(name, known, recording.encoding),
    )
    for is_meant in tests:
        columns = [k for k, known in enumerate(recording.names) if is_meant(known)]
        if columns:
            return columns
    return []


def _by_name(recording: Recording, slot: str, name: str) -> int:
    """The one column of that name; upper and lower case count only when they must."""
    columns = _columns_named(recording, name)
    if len(columns) == 1:
        return columns[0]
    if columns:
        raise RecordingError(f"{recording.path}: {slot}={name} is ambiguous, {len(columns)} channels have that name")
    close = get_close_matches(name, recording.names, n=3, cutoff=0.7)
    meant = f" (did you mean {' or '.join(close)}?)" if close else ""
    raise RecordingError(f"{recording.path}: no channel {name}{meant}; it has {_listed(recording.names)}")


def _found(recording: Recording, slots: Iterable[str], among: Iterable[int] | None = None) -> dict[str, int]:
    """Columns by how plainly they say what they are: the whole name, a word of it, then phase and unit."""
    columns: dict[str, int] = {}
    channels = recording.channels if not _is_ryb(recording) else tuple(map(_as_abc, recording.channels))
    among = range(len(recording.channels)) if among is None else among
    for slot in slots:
        for says in (_whole_name, _a_word, _phase_and_unit):
            candidates = [k for k in among if slot in says(channels[k])]
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


def _is_ryb(recording: Recording) -> bool:
    """Return whether phases are R, Y (or W) and B, and none has another letter."""
    letters = {channel.phase.strip().lower() for channel in recording.channels}
    words = (word for channel in recording.channels for word in _ASCII_WORD.findall(channel.name))
    letters |= {match[2].lower() for word in words if (match := re.fullmatch(r"([vui])([abcrstyw])n?", word, re.I))}
    return {"r", "b"} <= letters and bool({"y", "w"} & letters) and not {"a", "c", "s", "t"} & letters


def _as_abc(channel: RecordedChannel) -> RecordedChannel:
    """A channel whose phase is R, Y or B, with A, B or C instead."""
    phase = channel.phase.strip().lower()
    name = _RYB.sub(lambda match: match[1] + _RYB_PHASES[match[2].lower()], channel.name)
    return replace(channel, name=name, phase=_RYB_PHASES.get(phase, channel.phase))


def is_between_lines(name: str) -> bool:
    """Return whether a name is that of a voltage between two lines, as VAB, U12 or Vbc."""
    name = name.strip().lstrip("-")
    return any(_BETWEEN_LINES.fullmatch(word) for word in (name, *re.split(r"[\s/:.()]+", name)))


def _whole_name(channel: RecordedChannel) -> set[str]:
    return _slots_of(channel, [_NAME.fullmatch(channel.name.strip())])


def _a_word(channel: RecordedChannel) -> set[str]:
    words = {*_ASCII_WORD.findall(channel.name), *_NO_WORD.split(channel.name)}
    return _slots_of(channel, [pattern.fullmatch(word) for word in words for pattern in (_NAME, _NUMBERED_NAME)])


def _slots_of(channel: RecordedChannel, names: Iterable[re.Match[str] | None]) -> set[str]:
    """The slots that names mean, of the quantity that the channel's unit (when it has one) allows."""
    quantities = ((name[1].lower().replace("u", "v"), name[2].lower()) for name in names if name)
    return {q + _PHASES[phase] for q, phase in quantities if _may_be_in(channel, _UNIT[q])}


def _may_be_in(channel: RecordedChannel, unit: str) -> bool:
    return channel.unit in ("", unit) or not channel.unit_known


def _phase_and_unit(channel: RecordedChannel) -> set[str]:
    if _NAME.fullmatch(channel.name.strip()):
        return set()  # its name says which it is, and no other: VA in amperes is a mistake of someone's
    if channel.unit != "A" and is_between_lines(channel.name):
        return set()  # its phase is the first of two
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
