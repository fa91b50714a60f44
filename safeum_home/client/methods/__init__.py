"""What a client can ask a node, as typed methods."""
