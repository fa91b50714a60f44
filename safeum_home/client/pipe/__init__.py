"""`safeum pipe`: JSON lines in, responses and events out."""
