"""The far ends of communication modules: what each has of the meter, and what it tries (X-4).

far_end.py   what a module reads, and the actions that it asks
external.py  meters that TS2 MU hears by RF, simulated
"""
