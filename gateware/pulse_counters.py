"""Pulse counters: the meter's test LED and KYZ contacts, looped back, counted and stamped in modulator ticks."""

from __future__ import annotations

from amaranth import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.contact_changes import ContactChanges
from gateware.counter_engine import STAMP_BITS, CounterEngine
from gateware.counter_memory import CounterMemory
from gateware.registers import PULSE_PINS, TICK_BITS


class PulseCounterBank(wiring.Component):
    """Counts the pulses of seven counters while its gate is open (P-6). What is a pulse: PulseRules.

    **Stamps.** The pins pass two flip-flops and are taken at each `tick`, a change seen then is stamped with
    `ticks` as it reads after that strobe, so a pulse at stamp s lies within the sample set whose stamp is the first
    not below s. With a filter a new level counts if it then lasts `filter_ticks` ticks at least, judged for each
    input by itself to the tick; the stamp is still that of the change.

    **Gate.** Pulses with stamps in (GATE_OPEN, GATE_CLOSE] count, which are exactly the ticks of the records
    between windows commanded to close at these two. Arming takes a tick that has passed as now; the closing can be
    armed once the opening is, and is ignored on a gate neither open nor to open. GATE_PULSES > 0 is decremented by
    each pulse of `gate_counter`, and the one that makes it 0 is the last: the gate closes at its stamp, with
    pulses of other counters in the same tick still counted. `clear` closes and disarms the gate, then zeroes both
    blocks in some 70 clocks; changes meanwhile wait in the queue, and move the KYZ memory but no counter. Intervals
    reach across a gate that was closed and opened again without it.

    **How.** A change of any input is written, with its tick, to a queue of 127 (ContactChanges) in the same memory as
    the results (CounterMemory). One engine (CounterEngine) takes the changes in order of time, however many contacts
    move together, in at most 110 clocks each, plus 4 for each later one in the queue. A full queue sets the overflow
    flag, and the levels are taken again, with a later stamp, when there is room. While nothing changes and no gate is
    armed, nothing moves but one comparison a tick; while one is armed, the engine looks at it every 256 ticks, so
    `state` tells of a gate that moved by its tick up to 300 ticks late, plus the filter.

    `pulses` are the test LED, Y and Z of KYZ1 to KYZ4, then the two spare inputs. The host's port is that of a
    block: index 8·counter + word for COUNTERS, 56 + word for GATE.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "pulses": In(PULSE_PINS),  # pins, asynchronous; 1: lit or closed
                "tick": In(1),
                "ticks": In(TICK_BITS),
                "filter_ticks": In(16),
                "clear": In(1),
                "gate_counter": In(3),
                "state": Out(5),  # as registers.CounterState
                "host_index": In(6),
                "host_read": In(1),
                "host_data": Out(32),
                "host_write": In(1),
                "host_value": In(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.changes = changes = ContactChanges()
        m.submodules.memory = memory = CounterMemory()
        m.submodules.engine = engine = CounterEngine()
        m.d.comb += [
            changes.pulses.eq(self.pulses),
            changes.tick.eq(self.tick),
            changes.read_at.eq(engine.queue_begin),
            changes.written.eq(memory.change_written),
            changes.clear.eq(engine.clears),
            memory.change.eq(changes.pending),
            memory.change_at.eq(changes.write_at),
            memory.change_value.eq(Cat(self.ticks[:STAMP_BITS], changes.levels)),
            memory.host_index.eq(self.host_index),
            memory.host_read.eq(self.host_read),
            memory.host_write.eq(self.host_write),
            memory.host_value.eq(self.host_value),
            memory.engine_read.eq(engine.read),
            memory.engine_read_at.eq(engine.read_at),
            memory.engine.eq(engine.uses),
            memory.engine_write.eq(engine.write),
            memory.engine_write_at.eq(engine.write_at),
            memory.engine_value.eq(engine.value),
            engine.tick.eq(self.tick),
            engine.ticks.eq(self.ticks),
            engine.filter_ticks.eq(self.filter_ticks),
            engine.gate_counter.eq(self.gate_counter),
            engine.clear.eq(self.clear),
            engine.host_index.eq(self.host_index),
            engine.host_read.eq(self.host_read),
            engine.host_write.eq(self.host_write),
            engine.pending.eq(changes.pending),
            engine.queue_end.eq(changes.write_at),
            engine.word.eq(memory.data),
            self.host_data.eq(memory.data),
            self.state.eq(
                Cat(
                    engine.is_open,
                    engine.opening,
                    engine.closing,
                    engine.active | changes.pending,
                    changes.overflow,
                )
            ),
        ]
        return m
