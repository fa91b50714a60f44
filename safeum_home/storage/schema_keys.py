"""The tables of hashes of accounts' public keys, of vaults, and of what other nodes publish of their own.

Accounts' keys themselves are in no table.
"""

from sqlalchemy import Index

from safeum_home.storage.columns import blind, number, sealed, table

# Which hashes the public keys of an account had, counted from 0. `position` is where a change was told; 0: it
# was not, as the first one is not. Sealed under the account's own key or, of other nodes' accounts, under the
# node's key for what is kept of others.
key_log = table(
    "key_log",
    blind("account", primary_key=True),
    number("number", primary_key=True, autoincrement=False),
    number("position"),
    sealed(),
    Index("ix_key_log_position", "position"),
)

# What accounts' clients have encrypted for themselves, in parts that are counted from 0: each is sealed under
# the account's own key once more. All parts are of one version.
vaults = table(
    "vaults",
    blind("account", primary_key=True),
    number("part", primary_key=True, autoincrement=False),
    number("version"),
    number("parts"),
    sealed(),
)

# The document of keys that another node has published, and when it was fetched: sealed like its name. Nodes
# that have no row in `peers` have none here.
node_keys = table("node_keys", blind("peer", primary_key=True), sealed())
