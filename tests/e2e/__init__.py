"""Tests of the whole node: a process of its own, driven over the network by a client of the tests' own.

The client shares no code with the SDK, so that a mistake on both sides of the wire cannot hide itself.
"""
