"""The netlist compiler by itself: small designs against Amaranth's simulator, on random input."""

import ctypes
import operator
import random
import subprocess
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from amaranth import Array, Cat, ClockDomain, Module, Mux, Shape, Signal, signed, unsigned
from amaranth.back import rtlil
from amaranth.hdl import EnableInserter, ResetInserter, Value
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Component, In, Out
from gateware_bench import simulate

from gateware.compiler import generate
from gateware.compiler.branches import ClockEdge
from gateware.compiler.design import Design
from gateware.compiler.passes import flatten
from gateware.compiler.rtlil import parse
from gateware.compiler.tools import cxx

CLOCKS = 1500


def flat(design: Component, folder: Path) -> str:
    """The design as flat RTLIL, by the passes that prepare the gateware's."""
    ports = None
    if (domain := getattr(design, "domain", None)) is not None:
        ports = [*(getattr(design, name) for name in design.signature.members), domain.clk, domain.rst]
    return flatten(str(rtlil.convert(design, name="top", ports=ports, emit_src=False)), folder)


def members(design: Component, flow: object) -> dict[str, Shape]:
    return {name: Shape.cast(m.shape) for name, m in design.signature.members.items() if m.flow is flow}


def activities(text: str) -> list[dict[str, float] | None]:
    """No gating, and profiles that make everything idle, and one half or the other: speed is all they may change."""
    design = Design(parse(text))
    names = [var.name for var in design.registers.values()] + [block.name for block in ClockEdge(design).blocks]
    half = {name: float(k % 2) for k, name in enumerate(names)}
    return [None, dict.fromkeys(names, 0.0), half, {name: 1 - share for name, share in half.items()}]


def native(
    design: Component, inputs: np.ndarray, folder: Path, text: str, activity: dict[str, float] | None, name: str
) -> np.ndarray:
    """Outputs after each clock, compiled by our generator."""
    pins, outs = members(design, In), members(design, Out)
    (folder / "native.h").write_text(generate.cpp(text, activity))
    sets = "".join(f"net.{name} = *in++;" for name in pins)
    gets = "".join(f"*out++ = net.{name};" for name in outs)
    (folder / "bench.cpp").write_text(
        '#include "native.h"\n#include <cstddef>\n'
        'extern "C" void run(const uint64_t* in, uint64_t* out, size_t clocks) {\n'
        f"Netlist net; while (clocks--) {{ {sets} net.clock(); {gets} }} }}\n"
    )
    library = folder / f"{name}.so"
    command = [cxx(), "-std=c++17", "-O1", "-fPIC", "-shared", "-o", library, folder / "bench.cpp"]
    subprocess.run(command, check=True)
    masks = np.array([(1 << shape.width) - 1 for shape in pins.values()], np.uint64)
    given = np.ascontiguousarray(inputs.astype(np.uint64) & masks)
    outputs = np.empty((len(inputs), len(outs)), np.uint64)
    ctypes.CDLL(str(library)).run(
        ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(outputs.ctypes.data), ctypes.c_size_t(len(inputs))
    )
    return outputs


def amaranth(design: Component, inputs: np.ndarray) -> np.ndarray:
    """The same in Amaranth's simulator."""
    pins, outs = members(design, In), members(design, Out)
    outputs = np.empty((len(inputs), len(outs)), np.uint64)

    async def bench(ctx):
        for clock, row in enumerate(inputs.tolist()):
            for (name, shape), value in zip(pins.items(), row, strict=True):
                value &= (1 << shape.width) - 1
                if shape.signed and value >> shape.width - 1:
                    value -= 1 << shape.width
                ctx.set(getattr(design, name), value)
            await ctx.tick()
            for number, (name, shape) in enumerate(outs.items()):
                outputs[clock, number] = ctx.get(getattr(design, name)) & (1 << shape.width) - 1

    simulate(design, bench)
    return outputs


def agree(design: Component, folder: Path, clocks: int = CLOCKS, seed: int = 0) -> np.ndarray:
    """Random input, now and then all ones, zeros or small, to both; returns what came out."""
    generator = np.random.default_rng(seed)
    count = len(members(design, In))
    inputs = generator.integers(0, 1 << 64, (clocks, count), np.uint64)
    special = generator.choice(np.array([0, 1, 2, (1 << 64) - 1], np.uint64), inputs.shape)
    inputs = np.where(generator.random(inputs.shape) < 0.3, special, inputs)
    expected = amaranth(design, inputs)
    text = flat(design, folder)
    for k, activity in enumerate(activities(text)):
        outputs = native(design, inputs, folder, text, activity, f"bench_{k}")
        for number, name in enumerate(members(design, Out)):
            np.testing.assert_array_equal(outputs[:, number], expected[:, number], err_msg=name)
    return expected


# --- designs the generator takes ------------------------------------------------------------------------


OPERANDS = {"u": unsigned(9), "v": unsigned(5), "s": signed(9), "t": signed(5)}


def operations(given: dict[str, Value]) -> dict[str, Value]:
    """Every operation on operands of all signs and of unequal width."""
    values: dict[str, Value] = {}
    for operation in (
        operator.add, operator.sub, operator.mul, operator.and_, operator.or_, operator.xor,
        operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge,
    ):  # fmt: skip
        for a, b in permutations(given, 2):
            values[f"{operation.__name__.strip('_')}_{a}_{b}"] = operation(given[a], given[b])
    for name, value in given.items():
        values |= {
            f"not_{name}": ~value,
            f"neg_{name}": -value,
            f"any_{name}": value.any(),
            f"all_{name}": value.all(),
            f"xor_{name}": value.xor(),
            f"zero_{name}": ~value.bool(),
            f"abs_{name}": abs(value),
            f"part_{name}": value[1:4],
            f"rotated_{name}": value.rotate_left(2),
            f"joined_{name}": Cat(value, value, 1, value[0]),
            f"logic_{name}": value.any() & given["u"].bool() | given["t"].all(),
        }
    return values


class Operations(Component):
    """A register for each operation."""

    def __init__(self) -> None:
        shapes = {name: v.shape() for name, v in operations({n: Signal(s) for n, s in OPERANDS.items()}).items()}
        super().__init__({n: In(s) for n, s in OPERANDS.items()} | {f"out_{n}": Out(s) for n, s in shapes.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, value in operations({n: getattr(self, n) for n in OPERANDS}).items():
            m.d.sync += getattr(self, f"out_{name}").eq(value)
        return m


class Wide(Component):
    """Values of 64 bits, the widest there are."""

    a: In(signed(64))
    b: In(signed(64))
    c: In(unsigned(64))
    sum: Out(signed(64))
    product: Out(64)
    less: Out(1)
    unsigned_less: Out(1)
    folded: Out(64)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += [
            self.sum.eq(self.sum + self.a[:40].as_signed()),
            self.product.eq(self.a[:32].as_signed() * self.b[:32].as_signed()),
            self.less.eq(self.a < self.b),
            self.unsigned_less.eq(self.c < self.b.as_unsigned()),
            self.folded.eq((self.folded << 1)[:64] ^ Mux(self.folded[63] ^ self.c[0], 0x42F0_E1EB_A9EA_3693, self.c)),
        ]
        return m


class Exchanges(Component):
    """Registers that read one another in circles: swaps, drums and counters under enables of their own."""

    swap: In(1)
    turn: In(1)
    load: In(1)
    step: In(2)
    value: In(8)

    a: Out(8, init=1)
    b: Out(8, init=2)
    drum: Out(40)
    low: Out(8)
    high: Out(8)
    chosen: Out(8)
    parts: Out(8)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        drum = [Signal(8, init=3 + n, name=f"drum_{n}") for n in range(5)]
        m.d.comb += self.drum.eq(Cat(drum))
        with m.If(self.swap):
            m.d.sync += [self.a.eq(self.b), self.b.eq(self.a + self.load)]
        with m.If(self.load):
            m.d.sync += [d.eq(self.value ^ n) for n, d in enumerate(drum)]
        with m.Elif(self.turn):
            turned = [*drum[1:], drum[0] - self.a]
            m.d.sync += [d.eq(v) for d, v in zip(drum, turned, strict=True)]
        with m.Switch(self.step):
            with m.Case(0):
                m.d.sync += self.low.eq(self.low + self.high)
            with m.Case(1):
                m.d.sync += self.high.eq(self.high ^ self.low)
            with m.Case(2):
                m.d.sync += [self.low.eq(self.high), self.high.eq(self.low + 1)]
        m.d.sync += self.chosen.eq(Array([*drum, self.a, self.b, self.low])[self.value[:3]])
        m.d.sync += self.parts[:3].eq(self.a)
        with m.If(self.turn & ~self.swap):
            m.d.sync += self.parts[3:6].eq(self.parts)
        return m


class Memories(Component):
    """A memory with a beginning, two readers and a writer at any addresses, and one that feeds itself."""

    write_at: In(4)
    write: In(1)
    data: In(signed(12))
    read_at: In(4)
    read: In(1)
    go: In(1)

    first: Out(signed(12))
    second: Out(signed(12))
    count: Out(5)
    turned: Out(33)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = store = Memory(shape=signed(12), depth=13, init=range(-6, 7))
        write, read, other = store.write_port(), store.read_port(), store.read_port()
        m.d.comb += [
            write.addr.eq(Mux(self.write_at > 12, 12, self.write_at)),
            write.data.eq(self.data),
            write.en.eq(self.write),
            read.addr.eq(Mux(self.read_at > 12, 3, self.read_at)),
            read.en.eq(self.read),
            other.addr.eq(Mux(self.write_at > 12, 12, self.write_at)),  # read and written in one clock: the old word
            other.en.eq(1),
        ]
        m.d.comb += [self.first.eq(read.data), self.second.eq(other.data)]

        m.submodules.loop = loop = Memory(shape=33, depth=32, init=[1 << 32, 5])
        back, forth = loop.write_port(), loop.read_port()
        waiting = Signal()
        m.d.sync += waiting.eq(self.go)
        with m.If(waiting):
            m.d.sync += self.count.eq(self.count + 1)
        m.d.comb += [
            forth.addr.eq(self.count),
            forth.en.eq(self.go & ~waiting),
            back.addr.eq(self.count + 1),
            back.data.eq(forth.data + self.data.as_unsigned()),
            back.en.eq(waiting),
            self.turned.eq(forth.data),
        ]
        return m


class Random(Component):
    """Random registers assigned random expressions in random nests of conditions."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._dice = random.Random(seed)
        shapes = [unsigned, signed]
        self._inputs = {f"in_{n}": self._dice.choice(shapes)(self._dice.randint(1, 14)) for n in range(4)}
        self._outputs = {f"out_{n}": self._dice.choice(shapes)(self._dice.randint(1, 14)) for n in range(12)}
        starts = {name: self._dice.randint(0, (1 << shape.width - 1) - 1) for name, shape in self._outputs.items()}
        super().__init__(
            {name: In(shape) for name, shape in self._inputs.items()}
            | {name: Out(shape, init=starts[name]) for name, shape in self._outputs.items()}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._dice = random.Random(self._seed)  # the same again: each simulator elaborates for itself
        for _ in range(8):
            self._statements(m, 3)
        return m

    def _statements(self, m: Module, depth: int) -> None:
        kind = self._dice.choice(["assign", "assign", "if", "switch"]) if depth else "assign"
        if kind == "assign":
            target = getattr(self, self._dice.choice(list(self._outputs)))
            if self._dice.random() < 0.2 and len(target) > 3:
                target = target[1 : len(target) - 1]
            m.d.sync += target.eq(self._value(3))
        elif kind == "if":
            with m.If(self._value(2).bool()):
                self._statements(m, depth - 1)
            with m.Elif(self._value(1).bool()):
                self._statements(m, depth - 1)
            if self._dice.random() < 0.5:
                with m.Else():
                    self._statements(m, depth - 1)
        else:
            selector = Cat(self._value(1))[:3]
            with m.Switch(selector):
                patterns = self._dice.sample(
                    ["---"[: len(selector) - 1] + "1", "0" * len(selector), "1" * len(selector)], 2
                )
                for pattern in patterns:
                    with m.Case(pattern):
                        self._statements(m, depth - 1)
                if self._dice.random() < 0.5:
                    with m.Default():
                        self._statements(m, depth - 1)

    def _value(self, depth: int) -> Value:
        if depth == 0:
            return getattr(self, self._dice.choice([*self._inputs, *self._outputs]))
        a, b = self._value(depth - 1), self._value(depth - 1)
        return self._dice.choice([
            lambda: a + b, lambda: a - b, lambda: a & b, lambda: a | b, lambda: a ^ b, lambda: ~a, lambda: -a,
            lambda: a < b, lambda: a >= b, lambda: a == b, lambda: Mux(a, b, a), lambda: a[: max(1, len(a) // 2)],
            lambda: Cat(a[0], b[:5]), lambda: a[:9] * b[:9], lambda: a[-3:].as_signed(), lambda: Array([a, b])[a[0]],
            lambda: a, lambda: a + self._dice.randint(-9, 9),
        ])()  # fmt: skip


@pytest.mark.parametrize("design", [Operations, Wide, Exchanges, Memories])
def test_designs(design, tmp_path):
    outputs = agree(design(), tmp_path, clocks=300 if design is Operations else CLOCKS)
    assert all(len(np.unique(column)) > 1 for column in outputs.T), "every output moved"


@pytest.mark.parametrize("seed", [*range(1, 6), 105])  # 105: a case that never holds
def test_random_designs(seed, tmp_path):
    agree(Random(seed), tmp_path, clocks=800, seed=seed)


class Constant(Component):
    """A register that reads nothing and leaves its initial value at the first clock, beside one that moves."""

    step: In(1)
    fixed: Out(4)
    count: Out(4)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.fixed.eq(9)
        with m.If(self.step):
            m.d.sync += self.count.eq(self.count + 1)
        return m


def test_a_statement_that_reads_nothing_runs(tmp_path):
    """No dirty bit would ever start it."""
    outputs = agree(Constant(), tmp_path, clocks=50)
    assert set(outputs[:, 0]) == {9}


class Nested(Component):
    """Exchanges under an enable and a reset of their own."""

    def __init__(self) -> None:
        inner = {"swap": In(1), "turn": In(1), "load": In(1), "step": In(2), "value": In(8)}
        super().__init__(inner | {"enable": In(1), "clear": In(1), "a": Out(8), "low": Out(8), "chosen": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inner = Exchanges()
        m.submodules.inner = ResetInserter(self.clear)(EnableInserter(self.enable)(inner))
        for name in ("swap", "turn", "load", "step", "value"):
            m.d.comb += getattr(inner, name).eq(getattr(self, name))
        for name in ("a", "low", "chosen"):
            m.d.comb += getattr(self, name).eq(getattr(inner, name))
        return m


def test_enables_around_enables_and_resets(tmp_path):
    agree(Nested(), tmp_path)


# --- designs it refuses ---------------------------------------------------------------------------------


class Refused(Component):
    """One small thing outside the subset."""

    a: In(8)
    b: In(8)
    y: Out(8)

    def __init__(self, what: str) -> None:
        self._what = what
        if what == "falling_edge":
            self.domain = ClockDomain("sync", clk_edge="neg")
        elif what == "asynchronous_reset":
            self.domain = ClockDomain("sync", async_reset=True)
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        getattr(self, f"_{self._what}")(m)
        return m

    def _too_wide(self, m: Module) -> None:
        wide = Signal(65)
        m.d.sync += [wide.eq(wide + self.a), self.y.eq(wide[60:])]

    def _variable_shift(self, m: Module) -> None:
        m.d.sync += self.y.eq(self.a << self.b[:3])

    def _division(self, m: Module) -> None:
        m.d.sync += self.y.eq(self.a // self.b)

    def _output_not_a_register(self, m: Module) -> None:
        kept = Signal(8)
        m.d.sync += kept.eq(self.a)
        m.d.comb += self.y.eq(kept ^ self.b)

    def _second_clock(self, m: Module) -> None:
        m.domains.other = ClockDomain()
        m.d.other += self.y.eq(self.a)

    def _falling_edge(self, m: Module) -> None:
        m.domains.sync = self.domain
        m.d.sync += self.y.eq(self.a)

    def _asynchronous_reset(self, m: Module) -> None:
        m.domains.sync = self.domain
        m.d.sync += self.y.eq(self.a)

    def _memory(self, m: Module) -> Memory:
        m.submodules.memory = memory = Memory(shape=8, depth=4, init=[])
        return memory

    def _transparent_read(self, m: Module) -> None:
        memory = self._memory(m)
        write = memory.write_port()
        read = memory.read_port(transparent_for=(write,))
        m.d.comb += [write.addr.eq(self.a), write.data.eq(self.b), write.en.eq(self.b[0])]
        m.d.comb += [read.addr.eq(self.a), read.en.eq(1), self.y.eq(read.data)]

    def _asynchronous_read(self, m: Module) -> None:
        memory = self._memory(m)
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [write.addr.eq(self.a), write.data.eq(self.b), write.en.eq(self.b[0]), read.addr.eq(self.a[2:])]
        m.d.sync += self.y.eq(read.data)

    def _writes_of_parts(self, m: Module) -> None:
        memory = self._memory(m)
        write, read = memory.write_port(granularity=4), memory.read_port()
        m.d.comb += [write.addr.eq(self.a), write.data.eq(self.b), write.en.eq(self.a[4:])]
        m.d.comb += [read.addr.eq(self.b), read.en.eq(1), self.y.eq(read.data)]


@pytest.mark.parametrize(
    ("what", "because"),
    [
        ("too_wide", "65 bits; the generator takes 64"),
        ("variable_shift", r"cells of type \$shl are not supported"),
        ("division", r"cells of type \$(div|divfloor) are not supported"),
        ("output_not_a_register", "output y is not a register"),
        ("second_clock", "not on the rising edge of the one clock"),
        ("falling_edge", "not on the rising edge of the one clock"),
        ("asynchronous_reset", r"\$adff"),
        ("transparent_read", "transparent"),
        ("asynchronous_read", "not on the rising edge of the one clock"),
        ("writes_of_parts", "enables of single bits are not supported"),
    ],
)
def test_what_it_cannot_do_it_refuses(what, because, tmp_path):
    text = flat(Refused(what), tmp_path)
    with pytest.raises(ValueError, match=because):
        generate.cpp(text)


def test_a_netlist_that_was_not_prepared_is_refused():
    text = str(rtlil.convert(Exchanges(), name="top", emit_src=False))
    with pytest.raises(ValueError, match="not flat RTLIL"):
        generate.cpp(text)
