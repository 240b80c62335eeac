"""A small verification without pytest: the instruments of the bench as a library (docs/choreography.md).

python docs/examples/bench_script.py
"""

from rig.bench.bench import simulated_bench


def main() -> None:
    """Compare the pulses of KYZ1 with the energy measured, at three loads."""
    with simulated_bench() as bench:
        print(f"SIMULATED ({bench.rig.hardware.fidelity})" if bench.rig.hardware.simulated else "on the board")
        counter = bench.counter("KYZ1")
        for amps in (10, 20, 40):
            bench.source.apply(volts=120, amps=amps, pf=0.8)
            bench.rig.run(0.5)
            counter.zero()
            bench.rig.run(2)
            count = counter.read(of="kWh delivered")
            due_wh = (count.due.least_nwh + count.due.most_nwh) / 2e9
            print(
                f"{bench.source.watts():8.1f} W: {count.pulses} pulses are {float(count.counted_wh):.3f} Wh, "
                f"due {due_wh:.3f} Wh: {'agrees' if count.agrees else 'DOES NOT AGREE'}"
            )
        bench.magnet.hold(3.1)
        shown = bench.display.await_shown("ALT", within_s=0.1)
        print("ALT is lit after the magnet was held for 3.1 s" if shown.met else shown.text)


if __name__ == "__main__":
    main()
