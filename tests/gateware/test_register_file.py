"""The register file in Amaranth's simulator: every register of the table, one after another."""

from __future__ import annotations

from functools import reduce
from operator import or_

from gateware_bench import simulate

from gateware.register_file import RegisterFile
from gateware.registers import BLOCKS, REGISTERS, Capability, configuration_digest

SUMS = Capability.PRODUCTS | Capability.DELAYED_PRODUCTS | Capability.PHASORS | Capability.MEANS
BUILT = {r.address: r for r in REGISTERS if r.needs in SUMS}
WRITABLE = [r for r in BUILT.values() if r.writable]
FIXED = [r for r in BUILT.values() if not r.writable]


async def write(ctx, dut: RegisterFile, address: int, data: int) -> None:
    """One write strobe; returns in the clock after it."""
    ctx.set(dut.address, address)
    ctx.set(dut.data, data)
    ctx.set(dut.write, 1)
    await ctx.tick()
    ctx.set(dut.write, 0)


def read(ctx, dut: RegisterFile, address: int) -> int:
    ctx.set(dut.address, address)
    return ctx.get(dut.value)


def test_reset_values_and_addresses():
    dut = RegisterFile(SUMS)

    async def bench(ctx):
        for number, register in enumerate(FIXED):
            ctx.set(getattr(dut, register.name), 0x1234_5678 + number)
        for address in range(256):
            register = BUILT.get(address)
            value = read(ctx, dut, address)
            assert ctx.get(dut.known) == (register is not None)
            assert ctx.get(dut.writable) == (register is not None and register.writable)
            if register is None:
                assert value == 0
            elif register.writable:
                assert value == register.reset
            else:
                assert value == 0x1234_5678 + FIXED.index(register) & (1 << register.width) - 1
        assert ctx.get(dut.config_digest) == configuration_digest({})

    simulate(dut, bench)


def test_every_writable_register_reads_back_cut_to_its_width_and_changes_no_other():
    dut = RegisterFile(SUMS)
    values = {r.name: r.reset or 0 for r in WRITABLE}

    async def bench(ctx):
        for data in (0xFFFF_FFFF, 0xA5C3_96F1, 0):
            for written in WRITABLE:
                await write(ctx, dut, written.address, data)
                values[written.name] = data & (1 << written.width) - 1
                for register in WRITABLE:
                    assert read(ctx, dut, register.address) == values[register.name]
                    assert ctx.get(getattr(dut, register.name)) == values[register.name]
                assert ctx.get(dut.config_digest) == configuration_digest(values)

    simulate(dut, bench)


def test_writing_elsewhere_does_nothing():
    dut = RegisterFile(SUMS)

    async def bench(ctx):
        for address in sorted(set(range(256)) - {r.address for r in WRITABLE}):
            await write(ctx, dut, address, 0xFFFF_FFFF)
        for register in WRITABLE:
            assert read(ctx, dut, register.address) == register.reset
        for register in FIXED:
            assert read(ctx, dut, register.address) == 0

    simulate(dut, bench)


def test_commands_strobe_once_in_the_clock_after_their_write():
    dut = RegisterFile(SUMS)
    commands = [r for r in WRITABLE if not r.config]

    async def bench(ctx):
        for written in WRITABLE:
            await write(ctx, dut, written.address, 1)
            for command in commands:
                assert ctx.get(getattr(dut, f"{command.name}_written")) == (command is written)
            await ctx.tick()
            for command in commands:
                assert ctx.get(getattr(dut, f"{command.name}_written")) == 0

    assert {r.name for r in commands} == {"CLOSE_AT_LO", "CLOSE_AT_HI", "OSCILLATOR_STEP"}
    simulate(dut, bench)


def test_blocks_are_passed_to_their_memories():
    """Each address of a block reaches its memory with its index, in the clock of the strobe, and no other does."""
    dut = RegisterFile(reduce(or_, Capability))
    inside = {address: block for block in BLOCKS for address in block.addresses}

    async def bench(ctx):
        ctx.set(dut.read, 1)
        ctx.set(dut.write, 1)
        for number, block in enumerate(BLOCKS):
            ctx.set(getattr(dut, f"{block.name}_data"), 0x1000 + number)
        for address in sorted(inside):
            value, block = read(ctx, dut, address), inside[address]
            assert ctx.get(dut.known)
            assert ctx.get(dut.writable) == block.writable
            assert value == 0x1000 + BLOCKS.index(block)
            assert ctx.get(getattr(dut, f"{block.name}_index")) == address - block.address
        for address in range(256):
            ctx.set(dut.address, address)
            for block in BLOCKS:
                mine = inside.get(address) is block
                assert ctx.get(getattr(dut, f"{block.name}_read")) == mine
                assert not block.writable or ctx.get(getattr(dut, f"{block.name}_write")) == mine

    simulate(dut, bench)


def test_the_map_has_no_two_at_one_address():
    addresses = [r.address for r in REGISTERS] + [a for b in BLOCKS for a in b.addresses]
    assert len(addresses) == len(set(addresses))
    assert all(b.count <= 64 for b in BLOCKS)
