"""Asking a person at a terminal: who he is, and what he consents to."""
