"""What is told to people, in words: safe to show, whoever wrote it."""
