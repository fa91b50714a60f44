"""Bridges to the outside world, found through entry points."""
