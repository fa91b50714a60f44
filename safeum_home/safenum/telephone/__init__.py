"""Calls between accounts of this node and the telephone network."""
