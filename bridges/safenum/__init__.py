"""Bridges to telephone carriers."""
