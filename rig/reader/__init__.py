"""The meter's reader and programmer: a client of serial ports that needs nothing of a meter but its tables (X-2)."""
