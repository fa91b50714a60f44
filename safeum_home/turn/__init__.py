"""The relay of calls (TURN, RFC 8656): credentials for it, and running coturn. docs/turn.md narrates it."""
