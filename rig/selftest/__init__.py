"""Self-test of the rig: each part of the hardware that is configured, passed or failed with a sentence."""
