"""[demand], [test_mode], [recorder] and [self_read] as the settings of billing (Q-4, Q-5, T-3, T-4, D-5)."""

from __future__ import annotations

from fractions import Fraction

from rig.files.numbers import LEAST, MOST, number, plain, rounded_up
from rig.files.strict_toml import ConfigError, hint, shown
from rig.meter.billing.calendar import Calendar
from rig.meter.billing.demand import DemandKind, DemandSettings
from rig.meter.billing.metric import Metric, RecorderChannel, RecorderError, RecorderSettings
from rig.meter.billing.profile_words import MOST_PULSES
from rig.meter.billing.quantity import Quantity
from rig.meter.billing.settings import BillingSettings, SelfReadKind, SelfReads, TestModeSettings
from rig.meter.billing.time_units import MINUTE_S
from rig.meter.models import ModelCapability
from rig.meter.nameplate import MOST_VOLTS
from rig.program import schema
from rig.program.metering import Metering
from rig.program.names import PulseQuantities

LEAST_INTERVAL_MIN = 15
"""Of demand that bills (S-E-06, 5.15.3)."""

THIRD_METRIC = 2
"""kM3 is the third of the demand quantities."""

KIB = 1024


def billing(file: schema.ProgramFile, meter: Metering, calendar: Calendar) -> BillingSettings:
    """The settings of billing. Raises ConfigError."""
    demand, table = None, schema.DemandTable() if file.demand is None else file.demand
    if file.demand is not None or meter.has(ModelCapability.DEMAND):
        demand = _demand(table, meter)
    return BillingSettings(
        calendar=calendar,
        demand=demand,
        recorder=None if file.recorder is None else _recorder(file.recorder, file.inputs, meter),
        test_mode=TestModeSettings(file.test_mode.minutes, _test_demand(file.test_mode, table, demand, meter)),
        self_reads=_self_reads(file.self_read, meter),
        lockout_s=table.reset_lockout_seconds,
        season_change_resets_demand=table.season_change_resets,
    )


# --- demand ---------------------------------------------------------------------------------------------------


def _demand(table: schema.DemandTable, meter: Metering) -> DemandSettings:
    meter.require(ModelCapability.DEMAND, "[demand]")
    if table.interval_minutes < LEAST_INTERVAL_MIN and not table.allow_short_interval:
        raise ConfigError(
            f"demand.interval_minutes is {table.interval_minutes}, it must be {LEAST_INTERVAL_MIN} or more "
            "(S-E-06, 5.15.3), or allow_short_interval = true"
        )
    quantities = []
    for k, name in enumerate(table.quantities):
        quantity = meter.demand(f"demand.quantities[{k}]", name)
        if quantity.net:
            raise ConfigError(
                f"demand.quantities[{k}] is {shown(name)}, which can fall and has no demand: give one direction"
            )
        if quantity in quantities:
            raise ConfigError(f"demand.quantities[{k}] is {shown(name)} again: give each quantity once")
        quantities.append(quantity)
    return _averaging("demand", table.method, table.interval_minutes, table.subinterval_minutes, tuple(quantities))


def _test_demand(
    test: schema.TestModeTable, table: schema.DemandTable, demand: DemandSettings | None, meter: Metering
) -> DemandSettings | None:
    """Return test mode's demand: what it leaves out is as in [demand]; a sub-interval only where it slides."""
    own = {key: getattr(test, key) for key in ("method", "interval_minutes", "subinterval_minutes")}
    if demand is None:
        for key, value in own.items():
            if value is not None:
                meter.require(ModelCapability.DEMAND, f"test_mode.{key}")
        return None
    method = own["method"] or table.method
    subinterval = own["subinterval_minutes"]
    if subinterval is None and method == "sliding":
        subinterval = table.subinterval_minutes
    interval = own["interval_minutes"] or table.interval_minutes
    return _averaging("test_mode", method, interval, subinterval, demand.quantities)


def pulse_quantities(test: schema.TestModeTable, demand: DemandSettings | None, meter: Metering) -> PulseQuantities:
    """Return the quantities of the pulse items: as programmed, else kWh either way and kM3. Raises ConfigError."""
    km3 = demand.quantities[THIRD_METRIC] if demand and len(demand.quantities) > THIRD_METRIC else None
    return PulseQuantities(
        PulseQuantities.kwh if test.pulse_kwh is None else meter.energy("test_mode.pulse_kwh", test.pulse_kwh),
        km3 if test.pulse_km3h is None else meter.energy("test_mode.pulse_km3h", test.pulse_km3h),
    )


def _averaging(
    place: str, method: schema.Method, interval: int, subinterval: int | None, quantities: tuple[Quantity, ...]
) -> DemandSettings:
    key = f"{place}.subinterval_minutes"
    if method != "sliding":
        if subinterval is not None:
            raise ConfigError(f'{key} is {subinterval}, but {place}.method is "{method}": it goes with "sliding" only')
        return DemandSettings(DemandKind(method), interval * MINUTE_S, 1, quantities)
    fitting = [str(m) for m in range(1, interval) if interval % m == 0 and 60 % m == 0]
    if not fitting:
        raise ConfigError(f'{place}.interval_minutes is {interval}, method "sliding" needs at least 2')
    if str(subinterval) not in fitting:
        said = "missing" if subinterval is None else f"{subinterval}"
        raise ConfigError(
            f"{key} is {said}, {place}.interval_minutes is {interval} and slides by {' or '.join(fitting)} minutes"
        )
    assert subinterval is not None, "it is one of those that fit"
    return DemandSettings(DemandKind.SLIDING, subinterval * MINUTE_S, interval // subinterval, quantities)


# --- recorder -------------------------------------------------------------------------------------------------


def _recorder(table: schema.RecorderTable, inputs: tuple[schema.InputTable, ...], meter: Metering) -> RecorderSettings:
    meter.require(ModelCapability.RECORDER, "[recorder]")
    channels = tuple(
        _channel(f"recorder.channels[{k}]", channel, table.interval_minutes, inputs, meter)
        for k, channel in enumerate(table.channels)
    )
    try:
        return RecorderSettings(table.interval_minutes, channels, table.memory_kb * KIB)
    except RecorderError as error:
        raise ConfigError(f"recorder.memory_kb is {table.memory_kb}: {error}") from None


def _channel(
    place: str, table: schema.ChannelTable, interval_min: int, inputs: tuple[schema.InputTable, ...], meter: Metering
) -> RecorderChannel:
    known = {metric.value: metric for metric in Metric}
    if table.metric not in known:
        raise ConfigError(
            f"{place}.metric is {shown(table.metric)}, which is not a metric; {hint(table.metric, known)}"
        )
    metric = known[table.metric]
    if metric.quantity is not None and metric.quantity.reactive:
        meter.require(ModelCapability.REACTIVE, f"{place}.metric = {shown(table.metric)}")
    if metric.input is not None:
        name = f"IN{metric.input + 1}"
        if not any(isinstance(i, schema.RecordInputTable) and i.name == name for i in inputs):
            raise ConfigError(
                f"{place}.metric is {shown(table.metric)}, but nothing is connected there: "
                f'give [[inputs]] with name = "{name}" and function = "record"'
            )
    pulse = number(f"{place}.pulse", table.pulse, 'a number above 0 in quotes, such as "1.8" or "3/20"', LEAST, MOST)
    most = _at_max(metric, meter) * interval_min / 60
    if most > MOST_PULSES * pulse:
        raise ConfigError(
            f"{place}.pulse is {shown(table.pulse)}: at MAX an interval of {interval_min} min has "
            f"{plain(most // pulse)} counts of {metric.value}, a word holds {MOST_PULSES}; "
            f"give at least {plain(rounded_up(most / MOST_PULSES, 3))}"
        )
    return RecorderChannel(metric, pulse)


def _at_max(metric: Metric, meter: Metering) -> Fraction:
    """In an hour at MAX: Wh, varh or VAh, V²h or A²h. What comes at an input nobody knows."""
    if metric.quantity is not None:
        return meter.max_w
    if metric.square is None:
        return Fraction(0)
    return Fraction(MOST_VOLTS if metric.unit == "V²h" else meter.current_class) ** 2


# --- self-reads -----------------------------------------------------------------------------------------------


def _self_reads(table: schema.SelfReadTable, meter: Metering) -> SelfReads:
    for key, schedule in (("day", "monthly"), ("hours", "hours")):
        value = getattr(table, key)
        if value is not None and table.schedule != schedule:
            raise ConfigError(
                f'self_read.{key} is {value}, but self_read.schedule is "{table.schedule}": it goes with "{schedule}"'
            )
    if table.resets_demand:
        if table.schedule == "never":
            raise ConfigError(
                'self_read.resets_demand is true, but self_read.schedule is "never": give another schedule'
            )
        meter.require(ModelCapability.DEMAND, "self_read.resets_demand = true")
    kind = SelfReadKind(table.schedule)
    return SelfReads(kind, table.day or SelfReads.day, table.hours or SelfReads.hours, table.resets_demand)
