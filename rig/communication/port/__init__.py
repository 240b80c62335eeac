"""The meter's serial ports: one process each, a client of the meter, which joins a line, a session and the tables.

keys.py         passwords to the meter's keys
application.py  what a session asks, of the tables, and through them of the meter
port.py         session, application and the shared light together: bytes and time in, bytes out
meter_link.py   the connection to the meter
line.py         serial lines and pseudo-terminals
serving.py      the loop of a port's process
process.py      that process
launch.py       starting it
trace.py        what went over a line, in words
"""
