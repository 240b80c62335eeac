"""A meter that runs: the process that meters, and whoever shows it."""
