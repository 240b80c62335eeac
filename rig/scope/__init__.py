"""Waveforms around a trigger: captured, shown, written to files."""
