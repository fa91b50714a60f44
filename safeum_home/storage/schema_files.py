"""The tables of files; `schema` has all of them."""

from sqlalchemy import Column, LargeBinary

from safeum_home.storage.columns import blind, number, sealed, table

# What lies in the store of files, under the same random names; `size` is in octets of the file.
blobs = table("blobs", blind("blob", primary_key=True), blind("account", index=True), number("size"))

# Blobs without a row above, that are still to be deleted from the store.
dropped = table("dropped", blind("blob", primary_key=True))

# Blobs that are in the store and that no row above knows, and when that was first seen (seconds since 1970).
strays = table("strays", blind("blob", primary_key=True), number("seen"))

# Uploads that no message refers to yet. `tail` are the octets behind the last whole chunk, sealed.
uploads = table(
    "uploads",
    blind("file", primary_key=True),
    blind("chat", index=True),
    blind("blob", index=True),
    number("received"),
    number("ends", index=True),
    sealed(),
    sealed("tail"),
)

# Files of messages, and who has sent them. One that was forwarded has a row for each message, and one blob.
files = table(
    "files",
    blind("chat", primary_key=True),
    number("position", primary_key=True, autoincrement=False),
    blind("account", index=True),
    blind("file", index=True),
    blind("blob", index=True),
    # When it is dropped, in milliseconds; 0: when its message is.
    number("ends", index=True),
    sealed(),
)

# Blobs of `files` that another node has the octets of. Of the copy that is kept here `stored` is the name in
# the store (empty: there is none), `received` how many octets are there, `account` for whom it was fetched,
# `used` in which hour (since 1970) it was last asked for, and `ends` when it is dropped, if it is not whole
# by then (milliseconds).
fetched = table(
    "fetched",
    blind("blob", primary_key=True),
    blind("account", index=True),
    Column("stored", LargeBinary(16), nullable=False, index=True),
    number("received"),
    number("used"),
    number("ends", index=True),
)
