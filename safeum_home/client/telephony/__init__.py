"""Calls with the telephone network. They are open: bridge and carrier hear them."""
