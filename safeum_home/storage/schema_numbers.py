"""The tables of SafeNUMs: what the operator has loaded, and the numbers that were ever given to somebody."""

from sqlalchemy import Column, LargeBinary

from safeum_home.storage.columns import blind, number, sealed, small, table

# Ranges of numbers, under the node's key. `state` is one of `safenum.numbers.stock.State`.
stock = table(
    "stock",
    number("stock", primary_key=True, autoincrement=False),
    small("state"),
    sealed(),
)

# Numbers that were given to somebody, under the node's key. One that nobody has is `free` from that hour on
# (since 1970); 0: `account` has it.
numbers = table(
    "numbers",
    blind("number", primary_key=True),
    Column("account", LargeBinary(16), nullable=True, unique=True),
    number("stock", index=True),
    number("free", index=True),
    sealed(),
)
