"""A commented program to begin with, for a model, a form and a current class."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from rig.files.numbers import plain
from rig.files.whole import check_free, write_files
from rig.meter.communication_modules import modules_of
from rig.meter.models import ModelCapability
from rig.program import schema
from rig.program.metering import Metering, metering


def new_program(model: str, form: str, current_class: int) -> str:
    """The text of a file with every table that the model has. Raises ConfigError.

    "#" before a key or a table, without a space: take it away and that is programmed too.
    """
    meter = metering(schema.MeterTable(model=model, form=form, current_class=cast(Any, current_class)))
    parts = [_meter(meter), _clock()]
    if meter.has(ModelCapability.DEMAND):
        parts.append(_demand(meter))
    parts.append(_test_mode(meter))
    if meter.has(ModelCapability.TIME_OF_USE):
        parts.append(_TIME_OF_USE)
    if meter.has(ModelCapability.RECORDER):
        parts.append(_recorder(meter))
    parts += [_self_read(meter), _display(meter), _contacts(meter), _SECURITY]
    return re.sub(r"^(#?\w+ = .*?) +# ", lambda found: f"{found[1]:<30} # ", "\n".join(parts), flags=re.MULTILINE)


def write_new(path: Path, text: str, force: bool) -> None:
    """Write it; an existing file only if forced. Raises FileError."""
    check_free([path], force)
    write_files({path: text.encode()})


def _meter(meter: Metering) -> str:
    plate = meter.nameplate
    services = " or ".join(f'"{service}"' for service in meter.form.services)
    autotransformer = ""
    if meter.has(ModelCapability.AUTOTRANSFORMER):
        autotransformer = '#autotransformer = "600/480"  # for 347-600 V, with module TS2 or TS2 MU\n'
    modules = modules_of(meter.model)
    firmware = '#firmware = "7.18"  # version of the notice that is emulated; left out, all that any has\n'
    if meter.model.family == "S4":
        firmware = firmware.replace("7.18", "4.22")
    return f"""\
# The program of a meter. A line that begins with # and a key, without a space, shows what else can be said.
# "rig program check" says what it comes to, "rig program schema" lists every key.

[meter]
model = "{meter.model.name}"
form = "{meter.form.name}"
current_class = {meter.current_class}
service = "auto"  # detected; or {services}
serial = "00 000 000"
vt_ratio = "1"  # transformer ratios; readings are at the meter, multiply them by both
ct_ratio = "1"
{autotransformer}\
{firmware}\
#module = "{"TS2" if "TS2" in modules else modules[0]}"  # the communication module; see docs/program.md
#ks_wh = "{plain(plate.ks.wh)}"  # Wh a flash of the test LED; left out, this value: Ks of form and class
relay_board = true  # false: neither outputs nor inputs
net_var = "lagging - leading"  # what "kvarh net" is; or "delivered - received"
apparent = "td"  # what "kVAh" and "kVA" are: td, the root of P² + Q², or rms, the sum of Vrms · Irms
"""


def _clock() -> str:
    return """\
[clock]
zone = "UTC"  # an IANA name, such as "America/Toronto"
# In place of a zone: standard_offset = "-05:00", and where clocks are set, by standard and by daylight time,
# dst_begin = "second Sunday of March 02:00" and dst_end = "first Sunday of November 02:00"
"""


def _demand(meter: Metering) -> str:
    quantities = '"kW delivered", "kVA", "kvar lagging"' if meter.has(ModelCapability.REACTIVE) else '"kW delivered"'
    return f"""\
[demand]
method = "block"  # or "sliding", "thermal"
interval_minutes = 15  # less than 15 only with allow_short_interval = true
# Of a sliding window also subinterval_minutes = 5
quantities = [{quantities}]  # the first is the billing metric, its five highest peaks are kept
reset_lockout_seconds = 60  # between demand resets at the switch
season_change_resets = true
"""


def _test_mode(meter: Metering) -> str:
    if not meter.has(ModelCapability.DEMAND):
        return "[test_mode]\nminutes = 30  # then it ends by itself; 1 to 255\n"
    lines = """\
[test_mode]
minutes = 30  # then it ends by itself; 1 to 255
interval_minutes = 5  # demand in test mode may be shorter than in [demand]; its method may be another
#method = "block"
"""
    if meter.has(ModelCapability.REACTIVE):
        lines += """\
# What the test LED follows while "pulse kWh" and "pulse kM3H" are displayed: any energy.
#pulse_kwh = "kvarh lagging"
#pulse_km3h = "kVAh rms"
"""
    return lines


_TIME_OF_USE = """\
# Time of use. A kind of day that is left out is as the one above it: weekday, saturday, sunday, holiday.
#[tou]
#holidays = [
#    { name = "New Year's Day", date = "01-01", observed = "next Monday" },
#    { name = "Good Friday", date = "Good Friday" },
#    { name = "Labour Day", date = "first Monday of September" },
#]

#[[tou.seasons]]
#name = "summer"
#begins = "05-01"
#weekday = ["00:00 C", "07:00 B", "11:00 A", "17:00 B", "19:00 C"]
#saturday = ["00:00 C"]

#[[tou.seasons]]
#name = "winter"
#begins = "11-01"
#weekday = ["00:00 C", "07:00 A", "11:00 B", "17:00 A", "19:00 C"]
#saturday = ["00:00 C"]
"""


def _recorder(meter: Metering) -> str:
    pulse = plain(meter.ks_wh)
    channels = ["kWh delivered", "kWh received"]
    if meter.has(ModelCapability.REACTIVE):
        channels += ["kvarh lagging", "kvarh leading"]
    lines = "\n".join(f'    {{ metric = "{metric}", pulse = "{pulse}" }},' for metric in channels)
    return f"""\
[recorder]
interval_minutes = 15  # 1, 5, 15, 30 or 60
memory_kb = 128  # or 32
channels = [  # up to 15; a pulse is so many Wh, varh, VAh, V²h or A²h
{lines}
    #{{ metric = "V2h A", pulse = "10" }},
]
"""


def _self_read(meter: Metering) -> str:
    resets = "resets_demand = false  # true: each is a demand reset too\n" if meter.has(ModelCapability.DEMAND) else ""
    return f"""\
[self_read]
schedule = "monthly"  # or "never", "daily", "hours" with hours = 6
day = 1  # at the midnight that begins it
{resets}"""


def _display(meter: Metering) -> str:
    demand = meter.has(ModelCapability.DEMAND)
    shown = ["all segments", "kWh delivered", "kWh received"]
    shown += ["kW delivered max", "kW delivered max date", "reset count"] if demand else []
    items = ", ".join(f'"{item}"' for item in shown)
    digits = "demand_digits = 5\ndemand_decimals = 2\n" if demand else ""
    return f"""\
[display]
scroll_seconds = 6  # or more; 0 or left out: an item stands until SCROLL is pressed
energy_digits = 5  # those after the point among them
energy_decimals = 0
{digits}\
# Up to 64 items in each sequence; left out, those that are usual for what is programmed.
#normal = [{items}]
#alternate = ["date", "time", "service", {{ item = "kWh delivered", digits = 7, decimals = 2 }}, "V A", "I A", "Hz"]
#test = ["kWh delivered", "pulse kWh", "test left"]
"""


def _contacts(meter: Metering) -> str:
    kp = plain(meter.nameplate.k_wh)
    end_of_interval = ""
    if meter.has(ModelCapability.DEMAND):
        end_of_interval = '\n#[[outputs]]\n#name = "KYZ2"\n#function = "eoi"\n#closed_seconds = 5\n'
    return f"""\
# Up to four form-C outputs, KYZ1 to KYZ4.
[[outputs]]
name = "KYZ1"
function = "pulses"
quantity = "kWh delivered"
kp_wh = "{kp}"  # Wh a transition: Ks/12 at least, "0" disables
{end_of_interval}
#[[outputs]]
#name = "KYZ3"
#function = "voltage threshold"
#below_v = "108"

# Up to two inputs, IN1 and IN2.
#[[inputs]]
#name = "IN1"
#function = "record"  # or, with [tou], "force rate" with rate = "D"
#weight = "1"
"""


_SECURITY = """\
[security]
seal = false  # true: what is metrological can be programmed only after the seal is broken
# Keys, up to six hexadecimal digits each. Under seal a level without one is closed. 1 reads over RS-232, RS-485 and
# modem; 2 resets demand, reads, sets the clock; 3 has test mode and programs; 4 metrology, service type, relays,
# security, master reset, cold start.
#level_1 = "00A5F1"
#level_2 = "11B6E2"
#level_3 = "22C7D3"
#level_4 = "33D8C4"
"""
