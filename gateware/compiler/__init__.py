"""The netlist compiler: RTLIL text of one flat module in, C++ source that does one clock of it out.

It knows nothing of meters: docs/netlist-compiler.md has its passes.
"""
