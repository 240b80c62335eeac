"""The simulated rig's hardware. Modules with compiled loops import gateware.model first, which tells numba where to
keep them; those that the metering process has, when the board runs in another, load nothing of it.
"""
