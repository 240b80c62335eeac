"""Store of a meter over power failure, crash and restart: billing state, event log, snapshots, load profile (S-3)."""
