"""SafeNUMs: what numbers the operator has, and which account has which."""
