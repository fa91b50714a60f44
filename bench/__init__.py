"""The project's load generator: `python -m bench [CASE ...]` prints one JSON line for each measurement."""
