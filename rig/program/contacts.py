"""[[outputs]] and [[inputs]]: what each contact of the meter does (P-2 to P-5, T-2, D-5).

Each function is a class of rig/meter/contacts and a table of rig/program/schema.py; what makes the one of the other is
registered here.
"""

from __future__ import annotations

from functools import singledispatch

from rig.files.numbers import LEAST, MOST, number, plain, rounded_up
from rig.files.strict_toml import ConfigError, hint, shown
from rig.meter.billing.inputs import InputId
from rig.meter.billing.quantity import NANO_PER_KILO, Quantity
from rig.meter.billing.tariff import Rate
from rig.meter.contacts.alerts import DemandAlert, DiagnosticAlert, PowerFactorAlert, VoltageAlert
from rig.meter.contacts.functions import Input, Output, PulsesOutput, RateInput, RecordedInput
from rig.meter.contacts.level_functions import EndOfIntervalOutput, LoadControlOutput
from rig.meter.contacts.outputs import OutputId
from rig.meter.contacts.pulses import KP_DIVISOR, kp_is_allowed
from rig.meter.installation.diagnostics import Diagnostic
from rig.meter.measuring.starting import starting_amperes
from rig.meter.models import ModelCapability
from rig.program import schema
from rig.program.metering import MOST_PULSES_A_SECOND, Metering
from rig.program.offer import Offer

MOST_THRESHOLD_V = 1000
"""A voltage threshold above it is a mistake in writing."""


# --- outputs --------------------------------------------------------------------------------------------------


def outputs(tables: tuple[schema.OutputTable, ...], offer: Offer) -> tuple[Output, ...]:
    """The outputs of a program, KYZ1 first. Raises ConfigError."""
    _each_once("outputs", tables)
    found = [output_of(table, f"outputs[{k}]", offer) for k, table in enumerate(tables)]
    return tuple(sorted(found, key=lambda output: output.id.label))


@singledispatch
def output_of(table: schema.OutputTable, place: str, offer: Offer) -> Output:
    """Make a function of what stands in the table at `place`, by the table's type. Raises ConfigError."""
    raise TypeError(f"there is no function of {type(table).__name__}: register one that makes it")


@output_of.register
def _pulses(table: schema.PulsesTable, place: str, offer: Offer) -> PulsesOutput:
    meter = offer.meter
    quantity = meter.energy(f"{place}.quantity", table.quantity)
    least = meter.nameplate.k_wh
    if table.kp_wh is None:
        kp = least
    else:
        kp = number(f"{place}.kp_wh", table.kp_wh, schema.NUMBER, 0, MOST)
    said = f"{place}.kp_wh is {shown(table.kp_wh)}" if table.kp_wh is not None else f"{place}.kp_wh is Ks/{KP_DIVISOR}"
    if not kp_is_allowed(kp, meter.ks_wh):
        raise ConfigError(f'{said}, it must be at least Ks/{KP_DIVISOR} = {plain(least)}, or "0" to disable the output')
    if kp and (rate := meter.max_w / kp / 3600) > MOST_PULSES_A_SECOND:
        enough = rounded_up(meter.max_w / 3600 / MOST_PULSES_A_SECOND)
        raise ConfigError(
            f"{said}: at MAX, {plain(meter.nameplate.max_kw)} kW, it would pulse {float(rate):.0f} times a second; "
            f"{table.name} can {MOST_PULSES_A_SECOND}, so give at least {plain(enough)}"
        )
    return PulsesOutput(OutputId[table.name], quantity, kp)


@output_of.register
def _end_of_interval(table: schema.EndOfIntervalTable, place: str, offer: Offer) -> EndOfIntervalOutput:
    offer.meter.require(ModelCapability.DEMAND, f'{place}.function = "eoi"')
    return EndOfIntervalOutput(OutputId[table.name], table.closed_seconds)


@output_of.register
def _load_control(table: schema.LoadControlTable, place: str, offer: Offer) -> LoadControlOutput:
    _require_rates(f'{place}.function = "load control"', offer.meter, bool(offer.rates))
    for k, name in enumerate(table.rates):
        offer.check_rate(f"{place}.rates[{k}]", Rate[name])
    return LoadControlOutput(OutputId[table.name], tuple(sorted({Rate[name] for name in table.rates})))


@output_of.register
def _demand_alert(table: schema.DemandThresholdTable, place: str, offer: Offer) -> DemandAlert:
    offer.meter.require(ModelCapability.DEMAND, f'{place}.function = "demand threshold"')
    quantity = offer.demands[0]
    if table.quantity is not None:
        quantity = offer.demand(f"{place}.quantity", table.quantity)
    rule = 'kW, kvar or kVA above 0 in quotes, such as "50"'
    above = number(f"{place}.above", table.above, rule, LEAST, MOST)
    return DemandAlert(OutputId[table.name], quantity, round(above * NANO_PER_KILO))


@output_of.register
def _power_factor_alert(table: schema.PowerFactorThresholdTable, place: str, offer: Offer) -> PowerFactorAlert:
    meter = offer.meter
    rule = 'a power factor above 0 and at most 1 in quotes, such as "0.9"'
    below = number(f"{place}.below", table.below, rule, LEAST, 1)
    least_a = starting_amperes(meter.current_class)
    apparent = meter.names.apparent if meter.has(ModelCapability.REACTIVE) else Quantity.KVAH_RMS
    return PowerFactorAlert(OutputId[table.name], below, apparent, least_a)


@output_of.register
def _voltage_alert(table: schema.VoltageThresholdTable, place: str, offer: Offer) -> VoltageAlert:
    rule = f'volts above 0 and at most {MOST_THRESHOLD_V} in quotes, such as "108"'
    below, above = (
        None if text is None else number(f"{place}.{key}", text, rule, LEAST, MOST_THRESHOLD_V)
        for key, text in (("below_v", table.below_v), ("above_v", table.above_v))
    )
    if below is None and above is None:
        raise ConfigError(f"{place}.below_v and {place}.above_v are missing: give one of them, or both")
    if below is not None and above is not None and below >= above:
        raise ConfigError(
            f"{place}.below_v is {shown(table.below_v)}, it must be less than above_v, {shown(table.above_v)}"
        )
    return VoltageAlert(OutputId[table.name], below, above)


@output_of.register
def _diagnostic_alert(table: schema.DiagnosticTable, place: str, offer: Offer) -> DiagnosticAlert:
    if table.diagnostics is None:
        return DiagnosticAlert(OutputId[table.name], tuple(Diagnostic))
    known = {d.label: d for d in Diagnostic}
    for k, name in enumerate(table.diagnostics):
        if name not in known:
            raise ConfigError(
                f"{place}.diagnostics[{k}] is {shown(name)}, which is not a diagnostic; {hint(name, known)}"
            )
    return DiagnosticAlert(OutputId[table.name], tuple(d for name, d in known.items() if name in table.diagnostics))


# --- inputs ---------------------------------------------------------------------------------------------------


def inputs(tables: tuple[schema.InputTable, ...], meter: Metering, time_of_use: bool) -> tuple[Input, ...]:
    """The inputs of a program, IN1 first. Raises ConfigError."""
    _each_once("inputs", tables)
    found: list[Input] = []
    for k, table in enumerate(tables):
        id = InputId[table.name]
        volts = number(f"inputs[{k}].volts", table.volts, schema.CONTACT_VOLTS, LEAST, MOST_THRESHOLD_V)
        match table:
            case schema.RecordInputTable():
                rule = 'a number above 0 in quotes, such as "1" or "0.1"'
                found.append(RecordedInput(id, number(f"inputs[{k}].weight", table.weight, rule, LEAST, MOST), volts))
            case schema.ForceRateTable():
                _require_rates(f'inputs[{k}].function = "force rate"', meter, time_of_use)
                found.append(RateInput(id, Rate[table.rate], volts))
    return tuple(sorted(found, key=lambda found: found.id.place))


def check_relay_board(file: schema.ProgramFile) -> None:
    """Raises ConfigError for contacts in a program of a meter without the board that has them (M-6)."""
    for key in ("outputs", "inputs"):
        if getattr(file, key) and not file.meter.relay_board:
            raise ConfigError(
                f"[[{key}]] are contacts of the relay board, and meter.relay_board is false: leave them out, or let it "
                "be true"
            )


def _require_rates(what: str, meter: Metering, time_of_use: bool) -> None:
    meter.require(ModelCapability.TIME_OF_USE, what)
    if not time_of_use:
        raise ConfigError(f"{what} needs rates, and there is no [tou]: give its seasons, or another function")


def _each_once(place: str, tables: tuple[schema.OutputTable, ...] | tuple[schema.InputTable, ...]) -> None:
    for k, table in enumerate(tables):
        if table.name in (other.name for other in tables[:k]):
            raise ConfigError(f"{place}[{k}].name is {shown(table.name)} again: one contact has one function")
