"""Calls for programs: two devices agree on keys through their nodes, and media goes between them alone."""
