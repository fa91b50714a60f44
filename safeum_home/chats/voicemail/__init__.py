"""The chats in which accounts find what callers have left: stored, told, and destroyed after some days."""
