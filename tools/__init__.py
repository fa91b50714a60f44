"""What the project uses on itself; not installed."""
