"""The far ends of communication modules: what each has of the meter, and what it tries (X-4).

far_end.py      what a module reads, and the actions that it asks
shown.py        the same for a person
tables.py       tables of C12.19, as a module has them
table_parts.py  what each table holds of the parts that are granted
external.py     meters that TS2 MU hears by RF, simulated
"""
