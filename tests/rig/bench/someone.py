"""A person at a simulated rig: does what is asked, late and never exactly. Shared by the tests of rig/bench."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from rig.bench.applied import Applied
from rig.bench.bench import BEGIN_UTC_NS, Bench, bench_on
from rig.bench.person import Prompt
from rig.bench.simulated import simulated
from rig.hardware.config import BenchConfig, Config
from rig.hardware.hardware import Hardware
from rig.program.build import Program, default_program


class Someone:
    """Moves what is asked for `late_s` after it, or after so long for each asking in `delays_s`; None: not at all.

    `sooner_s`: lets go so long after operating, whatever is asked later.
    """

    def __init__(self, late_s: float = 0.8, delays_s: Iterable[float | None] = ()) -> None:
        self.hardware: Hardware | None = None
        self.prompts: list[Prompt] = []
        self.sooner_s: float | None = None
        self._late_s = late_s
        self._delays_s = iter(delays_s)

    def __call__(self, prompt: Prompt) -> None:
        assert self.hardware is not None
        self.prompts.append(prompt)
        delay_s = None if prompt.closed is None else next(self._delays_s, self._late_s)
        if delay_s is None:
            return
        at_ns = self.hardware.clock.now_ns() + round(delay_s * 1e9)
        hands = self.hardware.hands
        assert hands is not None
        (hands.operate if prompt.closed else hands.let_go)(prompt.switch, at_ns)
        if prompt.closed and self.sooner_s is not None:
            hands.let_go(prompt.switch, at_ns + round(self.sooner_s * 1e9))

    @property
    def texts(self) -> list[str]:
        return [prompt.text for prompt in self.prompts]


@contextmanager
def bench_with(someone: Someone, folder: Path, bench: BenchConfig | None = None) -> Iterator[Bench]:
    """A rig as on hardware, with a person before it; its pins, and what they move, are simulated."""
    with ExitStack() as closing:
        yield open_bench(someone, folder, closing, bench)


def open_bench(
    someone: Someone,
    folder: Path,
    closing: ExitStack,
    bench: BenchConfig | None = None,
    program: Program | None = None,
    begin_utc_ns: int = BEGIN_UTC_NS,
) -> Bench:
    config = msgspec.structs.replace(Config(), bench=bench or BenchConfig())
    hardware, _, _ = simulated(config, 20, Applied(), begin_utc_ns)
    closing.callback(hardware.close)
    someone.hardware = hardware
    store = folder / "store"
    return closing.enter_context(bench_on(hardware, config, program or default_program(), store, someone))
