"""What becomes of messages: edits, deletions, reactions, pins."""
