"""The composition of a node: what is made of the parts, in which order it starts, and how it ends."""
