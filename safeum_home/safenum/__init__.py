"""International numbers, and the telephone network."""
