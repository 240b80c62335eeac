"""A check of two pulse constants by hand: a known load, the FPGA's counters, arithmetic (docs/worked-example.md).

python3 docs/examples/pulse_check.py meter.toml
"""

import sys
from pathlib import Path

from rig.bench.bench import simulated_bench
from rig.program.build import load_program

VOLTS, AMPERES, POWER_FACTOR = 120, 20, 0.8
SECONDS = 18


def main() -> None:
    """Apply the load to a meter with the program named, count its pulses, and print what a pulse stands for."""
    with simulated_bench(program=load_program(Path(sys.argv[1]))) as bench:
        bench.source.apply(volts=VOLTS, amps=AMPERES, pf=POWER_FACTOR)
        bench.rig.run(5)  # until the load is steady and every output has pulsed
        counters = {name: bench.counter(name) for name in ("KYZ1", "LED")}
        counters["KYZ1"].zero()  # all of them
        bench.rig.run(SECONDS)
        watts = bench.source.watts()
        print(f"{'SIMULATED, ' if bench.rig.hardware.simulated else ''}load {watts:.1f} W")
        print("       pulses  out of order  first to last  Wh a pulse  programmed    error")
        for name, counter in counters.items():
            count = counter.read()
            if count.rate_hz is None or count.constant_wh is None:
                print(f"{name}: {count.pulses} pulses, two are needed")
                continue
            seconds = float((count.pulses - 1) / count.rate_hz)
            wh = watts * seconds / 3600 / (count.pulses - 1)
            constant = float(count.constant_wh)
            print(
                f"{name:5}{count.pulses:8}{count.illegal:14}{seconds:13.4f} s"
                f"{wh:12.5f}{constant:12.5f}{100 * (constant / wh - 1):+8.3f} %"
            )


if __name__ == "__main__":
    main()
