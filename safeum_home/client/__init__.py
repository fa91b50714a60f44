"""The Python SDK, the terminal client and `safeum pipe`."""
