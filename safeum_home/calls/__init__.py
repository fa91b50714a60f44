"""Calls: signalling between two accounts and in groups, in memory only (docs/calls.md)."""
