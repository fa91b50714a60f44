"""The table of calls."""

from safeum_home.storage.columns import blind, sealed, table

# When an account has spoken in which call, and for how long: sealed under its own key, and in no order.
calls = table("calls", blind("account", primary_key=True), blind("call", primary_key=True), sealed())
