"""What a client shows, in memory, and how it is filled from the node."""
