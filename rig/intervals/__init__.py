"""Months of a load's record through the meter's billing, in seconds."""
