"""[meter]: model, form, equation, nameplate, and what the plain names of quantities mean (M-1 to M-5, Q-2, Q-3)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rig.files.numbers import LEAST, MOST, number, plain, rounded_up
from rig.files.strict_toml import ConfigError, hint, shown
from rig.meter.billing.quantity import Quantity
from rig.meter.communication_modules import ModuleError, check_module
from rig.meter.firmware import Firmware, FirmwareError, firmware_of
from rig.meter.measuring.elements import ElementEquation, Form, FormError, form_named
from rig.meter.models import MeterModel, ModelCapability, ModelError, model_named
from rig.meter.nameplate import Nameplate, NameplateError, Ratios, nameplate
from rig.program import schema
from rig.program.names import Names

AUTO = "auto"
MOST_RATIO = 10_000

MOST_PULSES_A_SECOND = 60
"""Of one contact at MAX. The nameplates come to 53 with Ks/12. A state of a contact stands for 8 ms, so it follows 125
a second: at 120 % of MAX, where 72 come, none waits."""

MOST_FLASHES_A_SECOND = 50
"""Of the test LED at MAX. A flash and the dark after it take 15 ms, so it follows 66: at 120 % of MAX 60 come."""


@dataclass(frozen=True)
class Metering:
    """Metering part of a program, for the checks of its other tables. `service` is None where the meter finds it
    itself (M-4), `firmware` where no version is emulated, `module` where none is fitted.
    """

    model: MeterModel
    form: Form
    service: str | None
    equation: ElementEquation
    current_class: int
    nameplate: Nameplate
    names: Names
    firmware: Firmware | None
    module: str | None

    @property
    def ks_wh(self) -> Fraction:
        """Test constant, Wh a flash."""
        return self.nameplate.ks.wh

    @property
    def max_w(self) -> Fraction:
        """MAX at the meter, in W, var or VA."""
        return self.nameplate.max_kw * 1000

    def has(self, capability: ModelCapability) -> bool:
        """Return whether the model has a capability."""
        return not self.model.lacks(capability)

    def require(self, capability: ModelCapability, place: str) -> None:
        """Raises ConfigError where the model lacks what stands at a place of the file."""
        try:
            self.model.require(capability, place)
        except ModelError as error:
            raise ConfigError(str(error)) from None

    def energy(self, key: str, name: str) -> Quantity:
        """A quantity by the name of its energy. Raises ConfigError for one that this model does not have."""
        return self._quantity(key, name, self.names.energies, may_be_net=True)

    def demand(self, key: str, name: str) -> Quantity:
        """A quantity by the name of its demand, such as "kW delivered". Raises ConfigError."""
        return self._quantity(key, name, self.names.demands, may_be_net=False)

    def _quantity(self, key: str, name: str, known: dict[str, Quantity], may_be_net: bool) -> Quantity:
        if name not in known:
            offered = [other for other, quantity in known.items() if may_be_net or not quantity.net]
            raise ConfigError(f"{key} is {shown(name)}, which is not a quantity here; {hint(name, offered)}")
        if known[name].reactive:
            self.require(ModelCapability.REACTIVE, f"{key} = {shown(name)}")
        return known[name]


def metering(meter: schema.MeterTable) -> Metering:
    """The meter of a program. Raises ConfigError."""
    try:
        model = model_named(meter.model)
    except ModelError as error:
        raise ConfigError(f"meter.model: {error}") from None
    try:
        form = form_named(meter.form)
    except FormError as error:
        raise ConfigError(f"meter.form: {error}") from None
    service = None if meter.service == AUTO else meter.service
    try:
        equation = form.equation(service)
    except FormError as error:
        raise ConfigError(f"meter.service: {error}, or {AUTO}") from None
    vt, ct = (
        number(f"meter.{key}", getattr(meter, key), schema.RATIO, LEAST, MOST_RATIO) for key in ("vt_ratio", "ct_ratio")
    )
    autotransformer = number("meter.autotransformer", meter.autotransformer, schema.STEP_DOWN, 1, MOST_RATIO)
    ks = None
    if meter.ks_wh is not None:
        ks = number("meter.ks_wh", meter.ks_wh, 'watt-hours above 0 in quotes, such as "1.8" or "3/20"', LEAST, MOST)
    try:
        plate = nameplate(
            model,
            form,
            meter.current_class,
            ratios=Ratios(vt, ct, autotransformer),
            serial=meter.serial,
            ks_wh=ks,
            service=service,
        )
    except FormError as error:
        raise ConfigError(f"meter.current_class: {error}") from None
    except NameplateError as error:
        raise ConfigError(f"meter.autotransformer: {error}") from None
    most = plate.max_kw * 1000 / 3600 / MOST_FLASHES_A_SECOND
    if plate.ks.wh < most:
        raise ConfigError(
            f"meter.ks_wh is {shown(meter.ks_wh)}: at MAX, {plain(plate.max_kw)} kW, the test LED would flash more "
            f"than {MOST_FLASHES_A_SECOND} times a second; give at least {plain(rounded_up(most))}"
        )
    names = Names(
        apparent=Quantity.KVAH_RMS if meter.apparent == "rms" else Quantity.KVAH_TD,
        net_by_direction=meter.net_var == "delivered - received",
    )
    firmware, module = _firmware(model, meter), _module(model, meter)
    return Metering(model, form, service, equation, meter.current_class, plate, names, firmware, module)


def _firmware(model: MeterModel, meter: schema.MeterTable) -> Firmware | None:
    try:
        return None if meter.firmware is None else firmware_of(model, meter.firmware)
    except FirmwareError as error:
        raise ConfigError(f"meter.firmware: {error}") from None


def _module(model: MeterModel, meter: schema.MeterTable) -> str | None:
    try:
        if meter.module is not None:
            check_module(model, meter.module)
    except ModuleError as error:
        raise ConfigError(f"meter.module: {error}") from None
    return meter.module
