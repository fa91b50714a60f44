"""The tables of money: the ledger, wallets and statements, calls that go on, rates, records of calls."""

from sqlalchemy import Column, LargeBinary

from safeum_home.storage.columns import blind, number, sealed, table

# The journal of the ledger: what is sealed, under the node's key, names no account of a person. `key` is what
# it was entered for, so that nothing is entered twice; `month` counts from year 0.
ledger = table(
    "ledger",
    number("number", primary_key=True, autoincrement=False),
    blind("key", unique=True),
    number("month", index=True),
    sealed(),
)

# Each account of the ledger with its total, under the node's key.
ledger_totals = table("ledger_totals", blind("name", primary_key=True), sealed())

# What an account has, under its own key.
wallets = table("wallets", blind("account", primary_key=True), sealed())

# What became of that, under the same.
statements = table(
    "statements",
    blind("account", primary_key=True),
    number("number", primary_key=True, autoincrement=False),
    number("month", index=True),
    sealed(),
)

# Calls that go on, with what is held for them, under the account's key.
holds = table("holds", blind("hold", primary_key=True), blind("account", index=True), sealed())

# Rate tables, the one in force being the last, and their rates in parts; under the node's key.
rate_tables = table("rate_tables", number("version", primary_key=True, autoincrement=False), sealed())
rates = table(
    "rates",
    number("version", primary_key=True, autoincrement=False),
    number("part", primary_key=True, autoincrement=False),
    sealed(),
)

# Records of calls, under the key of their month. `safenum` finds those of one; nothing tells whose it is.
cdrs = table(
    "cdrs",
    number("month", primary_key=True, autoincrement=False),
    number("number", primary_key=True, autoincrement=False),
    blind("safenum", index=True),
    sealed(),
)

# Calls as the edge towards a carrier has seen them, by blind indexes, under the key of the month too.
edge_records = table(
    "edge_records",
    number("month", primary_key=True, autoincrement=False),
    blind("record", primary_key=True),
    sealed(),
)

# Vouchers by keyed hashes of their codes; what they are worth, and which blinded token was made for each,
# under the node's key. Nothing tells who has redeemed one, nor when.
vouchers = table("vouchers", blind("voucher", primary_key=True), sealed())

# References under which accounts pay in, under the accounts' own keys. `payment` is what the provider calls
# the payment that was made; `ends` is when the row is dropped, in milliseconds.
payments = table(
    "payments",
    blind("reference", primary_key=True),
    blind("account", index=True),
    Column("payment", LargeBinary(16), nullable=True, index=True),
    number("ends", index=True),
    sealed(),
)

# What the operator is to look at: payments that fit nothing, and those that were paid back; under the node's
# key.
payment_notes = table("payment_notes", number("number", primary_key=True, autoincrement=False), sealed())
