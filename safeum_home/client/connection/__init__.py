"""The connection to a node, and what is asked on it."""
