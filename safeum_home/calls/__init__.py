"""Calls between two accounts: their signalling, in memory only (docs/calls.md)."""
