// The netlist as Verilator compiles it, behind the members the harness drives.
#include "Vmetrology.h"
#include <verilated.h>

struct Netlist {
    VerilatedContext context;
    Vmetrology top{&context};
    unsigned rst, lines, pulses, cs_n, sck, copi, cipo = 0, mclk = 1;

    void clock() {
        top.rst = rst;
        top.lines = lines;
        top.pulses = pulses;
        top.cs_n = cs_n;
        top.sck = sck;
        top.copi = copi;
        // Every edge of this clock counts (build.py), so that one evaluation is a whole clock. It settles the
        // outputs after the edge.
        top.clk = !top.clk;
        top.eval();
        cipo = top.cipo;
        mclk = top.mclk;
    }
};
