"""Accuracy of a meter at the test points of a standard, each against the true energy of the waveform applied to it."""
