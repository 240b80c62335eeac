"""Hearing of four witnesses of one load at a meter that runs: pulses, registers, recorder and display (P-6).

Outputs are counted by the FPGA, registers and recorder are read each second, and the display is seen whenever it
changes and each second. What they are compared with is the energy of each window, as the meter publishes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from rig.daemon.client import MeterClient
from rig.daemon.protocol import Ended, EnergyFlowed, FrontChanged, PulsesCounted, State, Topic
from rig.meter.billing.quantity import NANO, NANO_PER_KILO, Quantity
from rig.meter.contacts.outputs import OutputId
from rig.meter.display.items import DisplayItem, DisplaySettings, EnergyItem
from rig.meter.display.lcd import Annunciator, Lcd
from rig.meter.reading.meter_reading import MeterReading
from rig.results.exact_decoding import reading_of
from rig.verify.count_uncertainty import ROUNDED_TICKS
from rig.verify.errors import CountLost, VerifyError
from rig.verify.flow import Flow
from rig.verify.listening import REGISTERS_PART, heard
from rig.verify.run import NO_LOAD_S
from rig.verify.witness import LATE_PACED_S, LATE_S, SEEN_S, SHOWN_S, Statement, Witness, WitnessKind


@dataclass(frozen=True)
class Span:
    """Length of what is witnessed: so many seconds of the meter's time, or until so much energy has flowed, in nWh."""

    seconds: float | None = None
    nwh: Fraction | None = None


@dataclass
class _Counted:
    """An output's count: the pulses of its last edge within the run, None before one."""

    witness: Witness
    constant_nwh: Fraction
    first: PulsesCounted
    pulses: int | None = None
    edge_tick: int | None = None


class Witnessing:
    """Witnesses of the load of a meter that runs. `display` is that of the meter's program, None where it is not
    known. `begin` is called when all is ready, `progress` now and then with the share that is done.

    After `listen`, `witnesses` has those with two statements at least, and `absent` why others have none.
    """

    def __init__(
        self,
        client: MeterClient,
        span: Span,
        display: DisplaySettings | None,
        *,
        progress: Callable[[float], None] = lambda share: None,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._span, self._display = client, span, display
        self._progress, self._begin = progress, begin
        self._flows: dict[str, Flow] = {}
        self._counts: dict[str, _Counted] = {}
        self._others: dict[tuple[WitnessKind, str], Witness] = {}
        self._item: DisplayItem | None = None
        self._lcd: Lcd | None = None
        self._tick_hz = Fraction(0)
        self._latency = 0
        self._begin_tick = self._end_tick = 0
        self._recorder = True
        self.witnesses: list[Witness] = []
        self.absent: list[str] = []

    @property
    def tick_hz(self) -> Fraction:
        """Ticks a second of the timeline."""
        return self._tick_hz

    @property
    def begin_tick(self) -> int:
        """The beginning of the timeline."""
        return self._begin_tick

    @property
    def seconds(self) -> float:
        """Time for which the load was witnessed."""
        return float((self._end_tick - self._begin_tick) / self._tick_hz) if self._tick_hz else 0.0

    @property
    def quantities(self) -> list[str]:
        """Quantities that are compared: those that an output pulses for."""
        return list(self._flows)

    def energy_nwh(self, quantity: str) -> int:
        """Energy of a quantity that flowed in this time."""
        return self._flows[quantity].total_nwh

    def listen(self) -> None:
        """Hear them until the span is over. Raises CountLost where the meter ends or is not heard, VerifyError for one
        that cannot be witnessed."""
        client = self._client
        topics = [Topic.EVENTS, Topic.ENERGY, Topic.STATE, Topic.FRONT, *map(Topic.pulses_of, OutputId)]
        client.subscribe(*topics, lossless=not client.welcome.paced)
        self._begin()
        for message in heard(client, lambda: self._over, "the witnesses", broken_by=REGISTERS_PART):
            self._take(message)
        self._conclude()

    # --- what comes -------------------------------------------------------------------------------------------

    def _take(self, message: object) -> None:
        match message:
            case EnergyFlowed():
                self._energy(message)
            case PulsesCounted():
                self._pulses(message)
            case State(reading=exact, tick=int(tick)):
                self._state(reading_of(exact), tick)
            case FrontChanged(face=face, tick=int(tick)):
                self._lcd = face.lcd
                self._shown(tick)
            case Ended():
                raise CountLost("the meter has ended among its witnesses: start it, and begin again")

    def _energy(self, message: EnergyFlowed) -> None:
        for window in message.windows:
            if not self._tick_hz:
                self._tick_hz = Fraction(message.tick_hz)
                self._latency = int(message.latency_ns * self._tick_hz / NANO)
                self._begin_tick = window.begin_tick
                self._flows = {name: Flow() for name in window.nano}
            if window.nano.keys() != self._flows.keys():
                raise CountLost("another program was written to the meter: begin again")
            for name, nwh in window.nano.items():
                self._flows[name].add(window.begin_tick, window.end_tick, nwh)
            self._end_tick = window.end_tick
        for witness in self._all:
            witness.settle(self._flows[witness.quantity])
        self._progress(self._share)
        if self.seconds > NO_LOAD_S and not any(flow.total_nwh for flow in self._flows.values()):
            raise CountLost(f"no energy has flowed in {NO_LOAD_S:g} s: put a load on that an output pulses for")

    def _pulses(self, message: PulsesCounted) -> None:
        if message.constant_wh is None or message.quantity is None or not Fraction(message.constant_wh):
            return
        label = message.output
        if message.fault is not None:
            raise CountLost(f"{label} cannot be counted: {message.fault}")
        constant_nwh = Fraction(message.constant_wh) * NANO
        found = self._counts.get(label)
        if found is None:
            witness = Witness(label, WitnessKind.PULSES, message.quantity, constant_nwh)
            self._counts[label] = _Counted(witness, constant_nwh, message)
            return
        first = found.first
        if message.run != first.run:
            raise CountLost("the FPGA's counters began anew, as after a reset of the board: begin again")
        if (message.quantity, message.constant_wh) != (first.quantity, first.constant_wh):
            raise CountLost(
                f"{label} pulsed for {first.quantity} with {first.constant_wh} Wh, and now does for {message.quantity} "
                f"with {message.constant_wh} Wh: leave program, test mode and display alone meanwhile"
            )
        if not self._tick_hz:
            found.first = message
            return
        tick = message.last_tick
        if tick is None or message.pulses == (found.first.pulses if found.pulses is None else found.pulses):
            return
        found.pulses, found.edge_tick = message.pulses, tick
        late = int((LATE_PACED_S if self._client.welcome.paced else LATE_S) * self._tick_hz)
        instant, flowed = tick - self._latency, message.pulses * constant_nwh
        found.witness.add(Statement(instant - late, instant + ROUNDED_TICKS, flowed, flowed))

    def _state(self, reading: MeterReading, tick: int) -> None:
        if reading.test is not None:
            raise VerifyError("the meter is in test mode, which has registers of its own: end it first, or let it end")
        for name in self._flows:
            registered = Fraction(reading.registers.energy_nwh(Quantity(name)))
            self._other(WitnessKind.REGISTERS, name, Fraction(1)).add(Statement(tick, tick, registered, registered))
        self._recorded(reading, tick)
        self._shown(tick)
        for found in self._counts.values():
            if found.pulses is None:
                continue
            instant = tick - self._latency
            assert found.edge_tick is not None
            if (seen := instant - int(SEEN_S * self._tick_hz)) > found.edge_tick - self._latency:
                flowed = found.pulses * found.constant_nwh
                found.witness.add(Statement(seen, instant, flowed, flowed + found.constant_nwh))

    def _recorded(self, reading: MeterReading, tick: int) -> None:
        recorder = reading.recorder
        self._recorder = recorder is not None
        if recorder is None:
            return
        for k, channel in enumerate(recorder.settings.channels):
            quantity = channel.metric.quantity
            if quantity is None or quantity.value not in self._flows:
                continue
            pulses = recorder.counted[k] + int(recorder.carried_pulses(k))
            pulse = channel.nano_pulse
            self._other(WitnessKind.RECORDER, quantity.value, pulse).add(
                Statement(tick, tick, pulses * pulse, (pulses + 1) * pulse)
            )

    def _shown(self, tick: int) -> None:
        if self._lcd is None or (item := self._item_of(self._lcd)) is None:
            return
        assert isinstance(item.what, EnergyItem)
        unit = Fraction(NANO_PER_KILO, 10**item.decimals)
        digits = self._lcd.text.replace(".", "")
        if not digits.isdecimal():
            return
        name = f"{WitnessKind.DISPLAY.value} {item.ident}".strip()
        key = WitnessKind.DISPLAY, f"{name} {item.name}"
        witness = self._others.get(key)
        if witness is None:
            witness = Witness(name, key[0], item.what.quantity.value, unit, 10**item.digits * unit)
            self._others[key] = witness
        shown = int(digits) * unit
        witness.add(Statement(tick - int(SHOWN_S * self._tick_hz), tick, shown, shown + unit))

    def _item_of(self, lcd: Lcd) -> DisplayItem | None:
        """Give the energy register on display, of those that are compared; None: something else is."""
        if self._display is None or Annunciator.TEST in lcd.lit:
            return None
        sequence = self._display.alternate if Annunciator.ALT in lcd.lit else self._display.normal
        fits = [
            item
            for item in sequence
            if item.ident == lcd.ident
            and isinstance(item.what, EnergyItem)
            and item.what.rate is None
            and not item.what.previous_season
            and item.what.quantity.unit == lcd.unit
            and item.what.quantity.value in self._flows
        ]
        same_place = [item for item in sequence if item.ident == lcd.ident]
        return fits[0] if fits and len(same_place) == 1 else None

    def _other(self, kind: WitnessKind, quantity: str, unit_nwh: Fraction) -> Witness:
        key = kind, quantity
        if key not in self._others:
            self._others[key] = Witness(kind.value, kind, quantity, unit_nwh)
        return self._others[key]

    # --- within -----------------------------------------------------------------------------------------------

    @property
    def _all(self) -> list[Witness]:
        return [*(found.witness for found in self._counts.values()), *self._others.values()]

    @property
    def _share(self) -> float:
        """Part of the span that is over."""
        if not self._tick_hz:
            return 0.0
        if self._span.nwh is not None:
            most = max((flow.total_nwh for flow in self._flows.values()), default=0)
            return float(most / self._span.nwh)
        assert self._span.seconds is not None
        return self.seconds / self._span.seconds

    @property
    def _over(self) -> bool:
        return self._share >= 1.0

    def _conclude(self) -> None:
        """Keep those that said something, and say why others did not."""
        moved = {name for name, flow in self._flows.items() if flow.total_nwh}
        for witness in self._all:
            if witness.compared and witness.quantity in moved:
                self.witnesses.append(witness)
        kinds = {witness.kind for witness in self.witnesses}
        flowed = f"in {self.seconds:.0f} s"
        if WitnessKind.PULSES not in kinds:
            self.absent.append(f"pulses: no output pulsed twice {flowed}, give it longer or a larger load")
        if WitnessKind.RECORDER not in kinds:
            lacking = "no channel of what flowed" if self._recorder else "no load profile"
            self.absent.append(f"recorder: the meter's program has {lacking}")
        if WitnessKind.DISPLAY not in kinds:
            why = (
                "the meter has another program than the configuration names"
                if self._display is None
                else f"no register of what flowed was shown {flowed}, give it longer"
            )
            self.absent.append(f"display: {why}")
        if not self.witnesses:
            raise CountLost(f"nothing was witnessed {flowed}: {'; '.join(self.absent)}")
