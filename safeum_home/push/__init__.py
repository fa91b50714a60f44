"""Waking devices that sleep: which device by which provider, and when."""
