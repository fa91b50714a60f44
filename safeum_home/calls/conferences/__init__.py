"""Calls in groups: who is in them, who rings, and what their devices say to each other (docs/calls.md)."""
