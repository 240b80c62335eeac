"""Choice of what counts among the channels of a load record, by what they say or by `--columns`.

What does not count is told, with how to name it; what could be one column twice is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rig.files.strict_toml import shown
from rig.replay.intervals.channel_columns import Value, meaning_words
from rig.replay.intervals.columns import COLUMNS, UNITS, Source, WrongColumns, unit_of
from rig.replay.intervals.net import NET, beside_half, redundant

MOST_TOLD = 6


class Channel(NamedTuple):
    """Numbers of one value under the same cells of channel and unit; `cells` are these, as written, without empty
    ones."""

    value: Value
    channel: tuple[str, ...]
    unit: str

    @property
    def name(self) -> str:
        """For people: its cells, or the columns of its days, or its column."""
        cells = " ".join(cell for cell in (*self.channel, self.unit) if cell)
        if cells and not self.channel and UNITS.keys() & set(self.value.name.lower().replace("_", " ").split()):
            cells = f"{self.value.name} {cells}"
        if cells:
            return shown(cells)
        return shown(self.value.name) if self.value.series is None else self.value.series.name


def chosen_channels(
    channels: Sequence[Channel], given: Mapping[str, str], names: Sequence[str], notes: list[str]
) -> dict[str, tuple[Channel, Source]]:
    """Give by column the channel and what its numbers are; `notes` are added to. Raises WrongColumns."""
    differ = len({channel.channel for channel in channels}) > 1
    found: dict[str, list[tuple[Channel, Source]]] = {}
    chosen: dict[str, tuple[Channel, Source]] = {}
    for key, name in given.items():
        if key not in ("time", "meter"):
            column, channel, source = _given(channels, key, name, names)
            if column in chosen:
                raise WrongColumns(f"gets {column} from two channels by --columns: give it one")
            chosen[column] = channel, source
    taken = [channel for channel, _ in chosen.values()]
    left = []
    for channel in channels:
        if channel in taken:
            continue
        means = _meaning(channel, differ)
        if means is None or means[0] in chosen:
            left.append(channel)
        else:
            found.setdefault(means[0], []).append((channel, _source(channel, *means[1:])))
    for column, ones in found.items():
        energies = [one for one in ones if not one[1].power] or ones
        if len(energies) > 1:
            raise WrongColumns(
                f"channels {_listed([channel.name for channel, _ in energies])} could all be {column}: say which with "
                f"--columns {column}=NAME, and what the others are"
            )
        chosen[column] = energies[0]
        left += [channel for channel, _ in ones if channel is not energies[0][0]]
        notes.append(_read_as(column, *energies[0]))
    if (wrong := beside_half({column: channel.name.strip("'") for column, (channel, _) in chosen.items()})) is not None:
        raise WrongColumns(wrong)
    if not {"kwh_delivered", "kwh_net"} & chosen.keys():
        raise WrongColumns(_none_delivered(left, channels))
    for column, (channel, _) in chosen.items():
        if column not in given:
            _check_one_scale(column, channel, left)
    if left:
        several = len(left) > 1
        notes.append(
            f"{'channels' if several else 'channel'} {_listed([channel.name for channel in left])} "
            f"{'do' if several else 'does'} not count: --columns kvarh_lagging=NAME, and so on, says what one is"
        )
    return {
        column: chosen[column] for column in (*COLUMNS, *NET) if column in chosen and column not in redundant(chosen)
    }


def _meaning(channel: Channel, differ: bool) -> tuple[str, str, bool] | None:
    """Column, word of the unit, and whether only its cells have it; None where it is not sure."""
    of_name = UNITS.keys() & set(meaning_words([channel.value.name]).split())
    of_cell = UNITS.keys() & set(meaning_words([channel.unit]).split())
    other_kind = bool(of_name) and {"var" in word for word in of_name} != {"var" in word for word in of_cell}
    # A unit beside columns in kWh and kvarh is that of the one or the other; a name's own says more.
    unit = () if other_kind else (channel.unit,)
    found = _means(channel, [channel.value.name, *channel.channel, *unit])
    # The one channel of a file may have any name; what a name says counts all the same.
    return found if found is not None or differ else _means(channel, [channel.value.name, *unit])


def _means(channel: Channel, parts: Sequence[str]) -> tuple[str, str, bool] | None:
    words = meaning_words(parts)
    by_cells = not UNITS.keys() & set(words.split()) and bool(channel.value.unit)
    if by_cells:
        words = f"{words} {channel.value.unit.lower()}"
    means = unit_of(words)
    return None if means is None else (means[0], next(w for w in words.split() if w in UNITS), by_cells)


def _check_one_scale(column: str, chosen: Channel, left: Sequence[Channel]) -> None:
    """Refuse numbers of which some lines are in a unit and others in another power of ten of it: half of an energy."""
    for channel in left:
        if (channel.value, channel.channel) != (chosen.value, chosen.channel):
            continue
        units = [UNITS.keys() & set(meaning_words([each.unit]).split()) for each in (chosen, channel)]
        kinds = [{("var" in unit, unit.endswith("h")) for unit in each} for each in units]
        if units[0] != units[1] and kinds[0] and kinds[0] == kinds[1]:
            raise WrongColumns(
                f"has {shown(chosen.value.name)} in {shown(chosen.unit)} on some lines and in {shown(channel.unit)} on "
                f"others: give all lines one unit, or say with --columns {column}={chosen.unit} that those alone count"
            )


def _source(channel: Channel, unit: str, by_cells: bool) -> Source:
    return Source(channel.value.place, UNITS[unit], not unit.endswith("h"), by_cells)


def _given(channels: Sequence[Channel], key: str, name: str, names: Sequence[str]) -> tuple[str, Channel, Source]:
    """The one channel of a name for a key of --columns."""
    wanted = name.strip().lower()
    matching = [channel for channel in channels if wanted in _names_of(channel, names)]
    if len(matching) != 1:
        raise WrongColumns(
            f"has {'no' if not matching else 'more than one'} channel {shown(name)} for --columns {key}: it has "
            f"{_listed([channel.name for channel in channels])}"
        )
    (channel,) = matching
    asked = unit_of(key)
    assert asked is not None, "parse_columns takes no other key"
    column, factor, power = asked
    own = [word for word in meaning_words([channel.value.name, channel.unit]).split() if word in UNITS]
    if not own and channel.value.unit:
        own, by_cells = [channel.value.unit.lower()], True
    else:
        by_cells = False
    if len(set(own)) > 1 or (own and ("var" in own[0]) != column.startswith("kvarh")):
        raise WrongColumns(f"channel {channel.name} is in {' and '.join(own)}, it cannot be {column}")
    if own:
        return column, channel, _source(channel, own[0], by_cells)
    return column, channel, Source(channel.value.place, factor, power)


def _names_of(channel: Channel, names: Sequence[str]) -> set[str]:
    """Names by which a person may call it."""
    cells = [*channel.channel, channel.unit]
    joined = " ".join(cell for cell in cells if cell)
    found = {*cells, joined, f"{channel.value.name} {joined}", " ".join(channel.channel), channel.value.name}
    if channel.value.series is not None:
        found |= {names[column.place].strip() for column in channel.value.series.columns}
        found.add(f"{channel.value.series.first}..{channel.value.series.last}")
    return {each.lower() for each in found if each}


def _read_as(column: str, channel: Channel, source: Source) -> str:
    kind = ", a mean power times the interval's length" if source.power else ""
    scale = {-3: "", 0: "k", 3: "M"}[source.exponent]
    base = "var" if column.startswith("kvarh") else "W"
    unit = "the units of its cells" if source.by_cells else f"{scale}{base}{'' if source.power else 'h'}"
    what = "columns" if channel.name == (channel.value.series.name if channel.value.series else None) else "channel"
    return f"{what} {channel.name} {'are' if what == 'columns' else 'is'} read as {column}, in {unit}{kind}"


def _none_delivered(left: Sequence[Channel], channels: Sequence[Channel]) -> str:
    unitless = [
        channel for channel in left if channel.value.series is not None and channel.name == channel.value.series.name
    ]
    if unitless and len(left) == 1:
        first = unitless[0].value.series
        assert first is not None
        return (
            f"nothing says in which unit its columns {first.name} are: say --columns 'kwh_delivered={first.first}', or "
            "kw_delivered or wh_delivered"
        )
    return (
        f"no channel is kwh_delivered: it has {_listed([channel.name for channel in channels])}: say with --columns "
        "kwh_delivered=NAME which it is"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_TOLD]) + (", …" if len(names) > MOST_TOLD else "")
