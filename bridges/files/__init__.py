"""Stores of files that are not a folder."""
