"""The tables of groups whose members are at several nodes."""

from sqlalchemy import Index

from safeum_home.storage.columns import blind, number, sealed, small, table

# Other nodes that members of a group of this node are on. Messages up to `visible` are not for that node;
# `life` is random, and another one after nobody there was in the group. The node's name is sealed under the
# group's key.
group_nodes = table(
    "group_nodes",
    blind("chat", primary_key=True),
    blind("node", primary_key=True),
    blind("life"),
    number("visible"),
    sealed(),
)

# Who has agreed to be in a group of another node, which has not told yet that it is.
agreements = table(
    "agreements", blind("chat", primary_key=True), blind("account", primary_key=True, index=True)
)

# What accounts have written, or done, in groups that another node orders, until that node has it: under the
# group's key. `told` is where that was told last, `hour` (since 1970) of when it is, or was refused.
posts = table(
    "posts",
    number("position", primary_key=True, autoincrement=False),
    blind("chat", index=True),
    blind("account"),
    number("told"),
    number("hour"),
    small("state"),
    sealed(),
    Index("ix_posts_account_told", "account", "told"),
)

# Events of other nodes that a group's own node passes on as they are: what a message became last, and with
# what an account has reacted to it (`account` is 16 zero octets where it is the message itself).
passed_on = table(
    "passed_on",
    blind("chat", primary_key=True),
    number("position", primary_key=True, autoincrement=False),
    blind("account", primary_key=True),
    sealed(),
)
