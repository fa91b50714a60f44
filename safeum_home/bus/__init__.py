"""Carries events to the sessions of an account."""
