"""Reports of what was read from a meter: billing, demand, rates, load profile, events (X-2, the role of DG-1150W).

meter_data.py   what a report is of, whatever it was read from; exact
sources.py      the kind of a file found out, and read: from_store.py, from_reading.py, from_profile_file.py
daylight.py     where a reading's load profile has daylight saving come and go
read_times.py   when by the meter's clock something was read
words.py        English and French: words, numbers, dates
french_log.py   the meter's log in French
load_curves.py  days, months and durations of a load profile, computed
charts.py       their plots, on the canvas of rig/report/chart.py
content.py      the report, block by block
records.py      the same figures as rows, for CSV and Parquet
files.py        the file that a name asks for
"""
