"""Bridges to those who deliver text messages."""
