"""The terminal client on a screen."""
