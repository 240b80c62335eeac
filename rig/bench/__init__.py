"""Tests that speak the bench's language: one file for the simulated rig and for hardware (docs/choreography.md).

plugin.py     what pytest is given: options, marker, fixtures
rig.py        the rig under test: runs the service and remembers what was seen, and when
front.py      what hands do: cover, magnet, SCROLL, reset, Test switch
contact_drivers.py  how they are done: simulated contacts or an actuator
person.py     how they are done by a person who is asked to
observed.py   display and contacts, and what is expected of them
counting.py   the FPGA's counters
billed.py     the meter's registers
source.py     the source
"""
