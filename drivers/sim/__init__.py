"""The simulated rig's hardware. Its compiled loops are kept where gateware.model keeps its own."""

import gateware.model  # noqa: F401  (tells numba where)
