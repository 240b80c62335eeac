"""Ports and protocols: what other machines read a running meter by, and ask of it. All of them are its clients."""
