"""What a meter keeps over a power cut, a crash, a restart: billing state, event log, snapshots, load profile (S-3)."""
