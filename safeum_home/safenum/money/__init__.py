"""Money: the ledger, prices, taxes, and what calls cost."""
