"""Push providers, and what is in front of them."""
