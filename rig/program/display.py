"""[display] as sequences of items: those of the program, or the usual ones of the model (D-2, D-3, D-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rig.files.numbers import plain
from rig.files.strict_toml import ConfigError, hint, shown
from rig.meter.display.items import (
    GYRBOX,
    LEAST_SCROLL_S,
    DemandItem,
    DisplayItem,
    DisplaySettings,
    EnergyItem,
    PeakItem,
    What,
    When,
)
from rig.meter.display.lcd import TEXT_PLACES
from rig.meter.models import ModelCapability
from rig.program import schema
from rig.program.display_items import items
from rig.program.offer import Offer

TEST_DECIMALS = 3
"""Energy in the test sequence is shown to the Wh, whatever the normal one shows: a test lasts minutes (D-5)."""

SEQUENCES = ("normal", "alternate", "test")


@dataclass(frozen=True)
class _Digits:
    """Digits that a register shows, those after the point among them."""

    digits: int
    decimals: int

    def check(self, place: str, max_k: Fraction | None) -> None:
        """At least one digit comes before the point, and of demand (in kW, kvar, kVA) as many as MAX needs."""
        if self.decimals >= self.digits:
            raise ConfigError(f"{place}decimals is {self.decimals}, it must be less than {place}digits, {self.digits}")
        if max_k is not None and max_k >= (most := 10 ** (self.digits - self.decimals)):
            raise ConfigError(
                f"{place}digits is {self.digits} and {place}decimals is {self.decimals}: MAX is {plain(max_k)} kW, "
                f"and they show less than {most}"
            )

    def finer(self, decimals: int) -> _Digits:
        """With at least so many decimals, and as many places in front as there is room for beside a sign."""
        more = max(decimals - self.decimals, 0)
        return _Digits(min(self.digits + more, TEXT_PLACES - 1), self.decimals + more) if more else self


def display(table: schema.DisplayTable, offer: Offer) -> DisplaySettings:
    """The display of a program. Raises ConfigError."""
    max_k = offer.meter.nameplate.max_kw
    energy = _Digits(table.energy_digits, table.energy_decimals)
    demand = _Digits(table.demand_digits, table.demand_decimals)
    energy.check("display.energy_", None)
    in_test = energy.finer(TEST_DECIMALS)
    demand.check("display.demand_", max_k if offer.demands else None)
    known = items(offer.meter.names, offer.pulses)

    def item(sequence: str, k: int, entry: str | schema.ItemTable) -> DisplayItem:
        place = f"display.{sequence}[{k}]"
        own = schema.ItemTable(entry) if isinstance(entry, str) else entry
        key = place if isinstance(entry, str) else f"{place}.item"
        if own.item not in known:
            raise ConfigError(
                f"{key} is {shown(own.item)}, which is not an item; "
                f"{hint(own.item, known, 'docs/program.md has them all')}"
            )
        what = known[own.item]
        offer.check(f"{key} = {shown(own.item)}", what, test=sequence == "test")
        ident = position(k) if own.id is None else own.id
        usual = _usual(what, in_test if sequence == "test" else energy, demand)
        if usual is None:
            for name in ("digits", "decimals"):
                if (given := getattr(own, name)) is not None:
                    raise ConfigError(f"{place}.{name} is {given}, but {own.item} is not a register: leave it out")
            return DisplayItem(own.item, what, ident=ident)
        digits = _Digits(
            usual.digits if own.digits is None else own.digits,
            usual.decimals if own.decimals is None else own.decimals,
        )
        digits.check(f"{place}.", max_k if usual is demand else None)
        if isinstance(what, EnergyItem) and what.quantity.net and digits.digits >= TEXT_PLACES:
            where = "display.energy_digits" if own.digits is None else f"{place}.digits"
            raise ConfigError(
                f"{where} is {digits.digits}, but {own.item} can be negative and its sign takes a place: "
                f"give it at most {TEXT_PLACES - 1} digits"
            )
        return DisplayItem(own.item, what, digits.digits, digits.decimals, ident)

    if 0 < table.scroll_seconds < LEAST_SCROLL_S:
        raise ConfigError(
            f"display.scroll_seconds is {table.scroll_seconds}, it must be {LEAST_SCROLL_S} or more, or 0: each item "
            "stands until SCROLL"
        )
    sequences = {}
    for name in SEQUENCES:
        entries: Sequence[str | schema.ItemTable] | None = getattr(table, name)
        if entries is None:
            entries = usual_items(name, offer, scrolls=bool(table.scroll_seconds))
        sequences[name] = tuple(item(name, k, entry) for k, entry in enumerate(entries))
    gyrbox = tuple(DisplayItem(name, known[name], ident=position(k)) for k, name in enumerate(GYRBOX))
    return DisplaySettings(table.scroll_seconds, gyrbox=gyrbox, **sequences)


def position(k: int) -> str:
    """Return what stands beside the k-th item, from 0, where the program does not say: 01 for the first."""
    return f"{k + 1:02}"


def _usual(what: What, energy: _Digits, demand: _Digits) -> _Digits | None:
    match what:
        case EnergyItem():
            return energy
        case DemandItem(when=When.VALUE) | PeakItem(when=When.VALUE):
            return demand
        case _:
            return None


def usual_items(sequence: str, offer: Offer, *, scrolls: bool) -> list[str]:
    """List a sequence's items where the program does not say: all that is billed, the most wanted in the normal one.

    The check of all segments comes first in it where the display scrolls; one that stands begins with energy.
    """
    energies = ["kWh delivered", "kWh received"]
    if offer.meter.has(ModelCapability.REACTIVE):
        energies += ["kvarh lagging", "kvarh leading"]
    demands = [quantity.demand_name for quantity in offer.demands]
    rates = [rate.name for rate in offer.rates]
    match sequence:
        case "normal":
            found = ["kWh delivered", *(f"kWh delivered {rate}" for rate in rates)]
            found += [f"{d} max" for d in demands]
            found += [f"{demands[0]} max {rate}" for rate in rates] if demands else []
            found += [*(["reset count"] if demands else []), "service"]
            return ["all segments", *found] if scrolls else [*found, "all segments"]
        case "alternate":
            found = ["date", "time", "service", *(["season", "rate"] if rates else []), *energies]
            for d in demands:
                found += [f"{d} {of}" for of in ("max date", "max time", "previous", "cumulative")]
            return [*found, "firmware", *(["software"] if offer.meter.firmware else [])]
        case _:
            found = ["test left", *energies, *(f"{d} {of}" for d in demands for of in ("present", "max"))]
            found += ["pulse kWh"] + (["pulse kM3H"] if offer.pulses.km3h else [])
            return found
