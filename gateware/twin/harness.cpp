// Drives a compiled netlist through its pins by whole arrays: one call for any number of clocks.
// NETLIST is a file that defines `struct Netlist` with the pins as members and clock() as one rising edge.
#include NETLIST
#include <cstddef>
#include <cstdint>

namespace {
struct Bench {
    Netlist net;
    bool mclk_before = false;

    Bench() {
        net.rst = 1;  // an edge with reset high, so that reset itself is exercised
        net.cs_n = 1;
        net.sck = net.copi = net.lines = net.pulses = 0;
        net.clock();
        net.clock();
        net.rst = 0;
    }
};
}  // namespace

extern "C" {

void* bench_new() { return new Bench; }
void bench_free(void* bench) { delete static_cast<Bench*>(bench); }

// Runs `clocks` clocks. bits[n] holds the six modulator bits of tick n (v1 v2 v3 i1 i2 i3 from bit 0); the
// modulators move on at each rising edge of the modulator clock. pins[k], if given, holds cs_n, sck and copi
// (bits 0, 1, 2) before clock k; cipo[k] receives CIPO at the same instant. `pulses` are the pulse pins, for all of
// it. Returns the ticks begun.
size_t bench_run(void* handle, const uint8_t* bits, size_t ticks, size_t clocks, const uint8_t* pins, uint8_t* cipo,
                 unsigned pulses) {
    Bench& bench = *static_cast<Bench*>(handle);
    Netlist& net = bench.net;
    net.pulses = pulses;
    size_t tick = 0;
    unsigned now = 0;
    for (size_t k = 0; k < clocks; k++) {
        const bool mclk = net.mclk;
        if (mclk && !bench.mclk_before) {
            if (tick == ticks) break;
            now = bits[tick++];
        }
        bench.mclk_before = mclk;
        net.lines = PAIRED ? (mclk != SWAPPED ? now & 7u : now >> 3) : now;
        if (pins) {
            net.cs_n = pins[k] & 1;
            net.sck = pins[k] >> 1 & 1;
            net.copi = pins[k] >> 2 & 1;
            cipo[k] = net.cipo;
        }
        net.clock();
    }
    return tick;
}
}
