"""The register file in Amaranth's simulator: every register of the table, one after another."""

from __future__ import annotations

from gateware_bench import simulate

from gateware.register_file import RegisterFile
from gateware.registers import BY_ADDRESS, REGISTERS, configuration_digest

WRITABLE = [r for r in REGISTERS if r.writable]
FIXED = [r for r in REGISTERS if not r.writable]


async def write(ctx, dut: RegisterFile, address: int, data: int) -> None:
    """One write strobe; returns in the clock after it."""
    ctx.set(dut.address, address)
    ctx.set(dut.data, data)
    ctx.set(dut.write, 1)
    await ctx.tick()
    ctx.set(dut.write, 0)


def read(ctx, dut: RegisterFile, address: int) -> int:
    ctx.set(dut.address, address)
    return ctx.get(dut.read)


def test_reset_values_and_addresses():
    dut = RegisterFile()

    async def bench(ctx):
        for number, register in enumerate(FIXED):
            ctx.set(getattr(dut, register.name), 0x1234_5678 + number)
        for address in range(256):
            register = BY_ADDRESS.get(address)
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
    dut = RegisterFile()
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
    dut = RegisterFile()

    async def bench(ctx):
        for address in sorted(set(range(256)) - {r.address for r in WRITABLE}):
            await write(ctx, dut, address, 0xFFFF_FFFF)
        for register in WRITABLE:
            assert read(ctx, dut, register.address) == register.reset
        for register in FIXED:
            assert read(ctx, dut, register.address) == 0

    simulate(dut, bench)


def test_commands_strobe_once_in_the_clock_after_their_write():
    dut = RegisterFile()
    commands = [r for r in WRITABLE if not r.config]

    async def bench(ctx):
        for written in WRITABLE:
            await write(ctx, dut, written.address, 1)
            for command in commands:
                assert ctx.get(getattr(dut, f"{command.name}_written")) == (command is written)
            await ctx.tick()
            for command in commands:
                assert ctx.get(getattr(dut, f"{command.name}_written")) == 0

    assert {r.name for r in commands} == {"CLOSE_AT_LO", "CLOSE_AT_HI"}
    simulate(dut, bench)
