"""The meter on its hardware: what turns records and edges into registers, pulses and a display."""
