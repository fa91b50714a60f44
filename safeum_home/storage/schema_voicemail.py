"""The tables of voicemail."""

from sqlalchemy import Column, LargeBinary

from safeum_home.storage.columns import blind, number, sealed, table

# What accounts have set, under their own keys; their greetings beside it, for those who have one.
mailboxes = table(
    "mailboxes", blind("account", primary_key=True), sealed(), Column("greeting", LargeBinary, nullable=True)
)

# Messages of voicemail chats, and the day (since 1970) on which each was left: what they hold is under the
# key of that day as well.
voicemails = table(
    "voicemails",
    blind("chat", primary_key=True),
    number("position", primary_key=True, autoincrement=False),
    number("day", index=True),
)

# Days of which there is a key, in table `fleeting_keys`.
voicemail_days = table("voicemail_days", number("day", primary_key=True, autoincrement=False))
