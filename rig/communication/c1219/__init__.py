"""ANSI C12.19: a meter's tables as data, described field by field once, and what is written to them."""
