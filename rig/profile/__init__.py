"""The load profile of a meter: read, shown, exported."""
