"""Tests that speak the bench's language: one file for the simulated rig and for hardware (docs/choreography.md).

The instruments are those of rig/bench, which answer with data; what fails a test is here.

plugin.py    what pytest is given: options, marker, fixtures
words.py     the words that fail a test: expect, keeps, rate
failures.py  how a test fails
"""
