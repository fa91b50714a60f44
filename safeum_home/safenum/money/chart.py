"""The chart of accounts: the ledger's own accounts, by name.

What a customer has is a debt of the node: `CUSTOMERS` and `HELD` are the control accounts of all wallets
together. Debits are above zero, and credits below.
"""

CUSTOMERS = "customers"
"""What all balances are together."""
HELD = "held"
"""What is held for calls that go on."""
REVENUE = "revenue"
"""Net of tax."""
FORFEITED = "forfeited"
"""What accounts had that were closed."""
CARRIER_COST = "carrier cost"
CARRIER_DUE = "carrier due"
"""What carriers will ask for."""
UNCOLLECTED = "uncollected"
"""What providers have paid back to customers who had spent it: the node's loss."""
GOODWILL = "goodwill"
"""What the operator gave away."""


def clearing(source: str) -> str:
    """Where money comes in: what a payment provider, a bank or sold vouchers owe the node."""
    return f"clearing:{source}"


def vat(country: str) -> str:
    """What is due to a country's tax office."""
    return f"vat:{country}"
