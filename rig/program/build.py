"""A program: the file as it is, and everything a meter takes from it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import msgspec

from rig.files.strict_toml import ConfigError, read
from rig.meter.access.security import NO_KEYS, Keys, Security
from rig.meter.billing.settings import BillingSettings
from rig.meter.contacts.functions import ContactRatings, Input, Output, RateInput, RecordedInput
from rig.meter.display.items import LEAST_SCROLL_S, DisplaySettings
from rig.meter.markings import Markings, front_markings, relay_board_marking
from rig.meter.measuring.elements import ElementEquation, Ks
from rig.meter.models import ModelCapability
from rig.meter.nameplate import MOST_VOLTS, Nameplate
from rig.program import schema
from rig.program.billing import billing, pulse_quantities
from rig.program.contacts import check_relay_board, inputs, outputs
from rig.program.display import display
from rig.program.metering import Metering, metering
from rig.program.offer import Offer
from rig.program.security import check_seal, hashed, typed_keys, without_keys
from rig.program.time_of_use import calendar

DIGEST_DIGITS = 12


@dataclass(frozen=True)
class Program:
    """One meter, programmed. `file` is what was written, with the defaults of what was not.

    Where the program is the meter's own copy, `file` has no key, and `kept_keys` has their hashes.
    """

    file: schema.ProgramFile
    metering: Metering
    billing: BillingSettings
    display: DisplaySettings
    outputs: tuple[Output, ...]
    inputs: tuple[Input, ...]
    kept_keys: Keys | None = field(default=None, repr=False)

    @cached_property
    def security(self) -> Security:
        """Seal and hashed keys; the hashes are made when it is first asked for, in some 20 ms."""
        firmware = self.metering.firmware
        keys = hashed(self.file.security) if self.kept_keys is None else self.kept_keys
        return Security(self.file.security.seal, keys, None if firmware is None else firmware.version)

    def with_hashed_keys(self, keys: Keys | None = None) -> Program:
        """Give the meter's own copy, which has no key as it was typed, only hashes: these, or new ones."""
        if keys is None and self.kept_keys is not None:
            return self
        keys = self.security.keys if keys is None else keys
        if keys == NO_KEYS == self.security.keys:
            return self
        file = msgspec.structs.replace(self.file, security=without_keys(self.file.security))
        return replace(self, file=file, kept_keys=keys)

    def has_keys_of(self, other: Program) -> bool:
        """Say whether the keys that were typed in this one are those of the other, a meter's own. Takes some 20 ms."""
        return other.security.has_keys(typed_keys(self.file.security))

    def is_same_as(self, other: Program) -> bool:
        """Say whether two of a meter's own copies are one program, keys too."""
        return (self.digest, self.security.keys) == (other.digest, other.security.keys)

    @property
    def nameplate(self) -> Nameplate:
        """Nameplate of the meter."""
        return self.metering.nameplate

    @property
    def equation(self) -> ElementEquation:
        """Of the service that is programmed; until another is detected, of the form's usual one."""
        return self.metering.equation

    @property
    def ks(self) -> Ks:
        """Test constant."""
        return self.nameplate.ks

    @cached_property
    def ratings(self) -> ContactRatings:
        """Ratings that the functions of its contacts describe themselves by."""
        metering, seasons = self.metering, self.billing.calendar.tariff.seasons
        scheduled = {switch.rate for season in seasons for switches in season.days.values() for switch in switches}
        forced = {found.rate for found in self.inputs if isinstance(found, RateInput)}
        equations = [metering.equation] if metering.service else metering.form.equations
        nominal = {volts for equation in equations for volts in equation.nominal_volts}
        return ContactRatings(metering.max_w, frozenset(scheduled | forced), frozenset(nominal), MOST_VOLTS)

    @cached_property
    def markings(self) -> Markings:
        """Markings on the meter beside the nameplate."""
        metering = self.metering
        return Markings(
            front_markings(metering.form, metering.equation, detected=metering.service is None),
            relay_board_marking(self.outputs, self.inputs) if self.file.meter.relay_board else None,
            metering.firmware.version if metering.firmware else None,
        )

    @cached_property
    def digest(self) -> str:
        """Digest of what the file says, defaults included, but for its keys; comments, order and spacing do not count.

        12 hexadecimal digits. It is on the display: with the keys in it, a key of three bytes could be found from it.
        """
        return _hash(msgspec.structs.replace(self.file, security=without_keys(self.file.security)))

    @property
    def older_fingerprint(self) -> str:
        """Digest with the typed keys in it, by which stores of before keys were hashed name a program."""
        return _hash(self.file)


LATER_KEYS: Mapping[str, Mapping[str, object]] = {
    "meter": {"firmware": None, "module": None, "relay_board": True},
    "test_mode": {"pulse_kwh": None, "pulse_km3h": None},
    "inputs": {"volts": "3.3"},
}
"""Keys by table that came once meters had digests, and what they are where left out: then they are no part of it, so
that a meter finds its own program in a file that is older than the key."""


def _hash(file: schema.ProgramFile) -> str:
    said = msgspec.json.decode(msgspec.json.encode(file, order="deterministic"))
    for name, later in LATER_KEYS.items():
        tables = said.get(name) or []
        for table in tables if isinstance(tables, list) else [tables]:
            for key, default in later.items():
                if table.get(key, default) == default:
                    table.pop(key, None)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:DIGEST_DIGITS]


def load_program(path: Path) -> Program:
    """A program from its file. Raises ConfigError: one sentence with file, key, value and what would be right."""
    file = read(path, schema.ProgramFile, "or make one with rig program new")
    try:
        return build(file)
    except ConfigError as error:
        sentence = " ".join(str(error).split())  # the value in it may have several lines
        raise ConfigError(f"{path}: {sentence}") from None


def default_program(form: str = "9S", current_class: int = 20) -> Program:
    """The program of a meter without a file: RXRS4e, UTC, block demand of 15 min, KYZ1 follows kWh delivered, a display
    that scrolls and shows energy to the Wh, which is seen to move.

    Raises ConfigError for a form or class that does not exist.
    """
    return build(
        schema.ProgramFile(
            meter=schema.MeterTable(form=form, current_class=cast(Any, current_class)),
            display=schema.DisplayTable(scroll_seconds=LEAST_SCROLL_S, energy_digits=6, energy_decimals=3),
        )
    )


def build(file: schema.ProgramFile) -> Program:
    """Build the program of a file. Raises ConfigError, without the file's name."""
    meter = metering(file.meter)
    check_relay_board(file)
    check_seal(file.security, meter.firmware)
    if file.tou is not None:
        meter.require(ModelCapability.TIME_OF_USE, "[tou]")
    when = calendar(file.clock, file.tou)
    settings = billing(file, meter, when)
    seasons = () if file.tou is None else when.tariff.seasons
    contacts_in = inputs(file.inputs, meter, time_of_use=bool(seasons))
    scheduled = {switch.rate for season in seasons for switches in season.days.values() for switch in switches}
    offer = Offer(
        meter,
        demands=settings.demand.quantities if settings.demand else (),
        rates=tuple(sorted(scheduled | {i.rate for i in contacts_in if isinstance(i, RateInput)})),
        seasons=len(seasons),
        inputs=tuple(i.id for i in contacts_in if isinstance(i, RecordedInput)),
        pulses=pulse_quantities(file.test_mode, settings.demand, meter),
    )
    return Program(
        file=file,
        metering=meter,
        billing=settings,
        display=display(file.display, offer),
        outputs=outputs(file.output_tables, offer),
        inputs=contacts_in,
    )
