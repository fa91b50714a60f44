"""`make demo`: two nodes, and two people who talk across."""
