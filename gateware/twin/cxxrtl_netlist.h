// The netlist as CXXRTL compiles it, behind the members the harness drives.
#include "cxxrtl.cpp"
#include <cstdint>

struct Netlist {
    cxxrtl_design::p_metrology top;
    unsigned rst, lines, pulses, cs_n, sck, copi, cipo = 0, mclk = 1;

    void clock() {
        top.p_rst.set<uint32_t>(rst);
        top.p_lines.set<uint32_t>(lines);
        top.p_pulses.set<uint32_t>(pulses);
        top.p_cs__n.set<uint32_t>(cs_n);
        top.p_sck.set<uint32_t>(sck);
        top.p_copi.set<uint32_t>(copi);
        // The rising edge, then a second evaluation so that the outputs are those after it. The falling edge
        // does nothing in this design and is left out.
        top.prev_p_clk.set<uint32_t>(0);
        top.p_clk.set<uint32_t>(1);
        top.step();
        top.step();
        cipo = top.p_cipo.get<uint32_t>();
        mclk = top.p_mclk.get<uint32_t>();
    }
};
