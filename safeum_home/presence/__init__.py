"""Presence: who is online and when somebody was seen last, in memory only (docs/presence.md)."""
