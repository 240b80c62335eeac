"""The instruments of a test bench, as a library: what is done to a meter under test, and what is seen of it.

Answers are data (ExpectationResult, CountResult); what a person can correct is a BenchError. Nothing here knows pytest:
rig/pytest_plugin makes failures of the answers (docs/choreography.md).

bench.py            a whole bench, simulated or on hardware
rig.py              the rig under test: its meter, its clock, and what was seen of it
in_process.py       the meter's service, in this process
clock.py            time of the rig
source.py           the source of voltages and currents
front.py            cover, magnet, SCROLL, reset, Test switch, contacts at the inputs
contact_drivers.py  what moves them: the simulation or an actuator
person.py           or a person who is asked to
display.py          reader of the display
relay.py            reader of an output's contacts
counter.py          the FPGA's counters
billed_meter.py     reader of the registers
expectation.py      whether something was seen in time
history.py          what was seen, and when
energy_ledger.py    what was measured
action_log.py       what was done
"""
