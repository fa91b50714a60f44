"""What is written into a group of another node, until that has it."""
