"""Public keys of accounts: the keys in memory alone, hashes of them in a log. docs/keys.md narrates it."""
