"""The tables of calls with the telephone network, besides those of money."""

from safeum_home.storage.columns import blind, number, sealed, table

# Of each process of the node that has calls: until when they have all gone on. Under the node's key.
beats = table("beats", blind("run", primary_key=True), sealed())

# Calls that came in and were not taken, under the account's key; `month` counts from year 0.
missed_calls = table(
    "missed_calls",
    blind("account", primary_key=True),
    number("number", primary_key=True, autoincrement=False),
    number("month", index=True),
    sealed(),
)
