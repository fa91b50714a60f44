"""The table of devices that can be woken."""

from sqlalchemy import Column, LargeBinary

from safeum_home.storage.columns import blind, number, sealed, table

# Where a push provider reaches a device, sealed under its account's key; two addresses recognise that place.
# Up to position `told` the device holds all, or was woken for it.
pushes = table(
    "pushes",
    blind("device", primary_key=True),
    blind("account", index=True),
    blind("address", index=True),
    Column("call_address", LargeBinary(16), nullable=True, index=True),
    number("told"),
    sealed(),
)
