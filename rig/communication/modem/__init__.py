"""A Hayes modem at a port of the meter: answering, calling, and what is left of each call (X-3). Pure.

settings.py  set-up strings, windows, numbers, schedule, lock-out
results.py   what a modem says, line by line, whatever else comes
schedule.py  when a call is due, and when it is given up
modem.py     the state machine of a call
"""
