"""The tables. What is not a blind index (16 octets), a number or a wrapped key is sealed.

`migrations/` brings a database to this state; a test holds the two against each other. On SQLite every
table is clustered on its primary key (WITHOUT ROWID): one B-tree for each, and a chat's events lie
together in their order.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, text

from safeum_home.storage.columns import blind as _blind
from safeum_home.storage.columns import metadata as metadata
from safeum_home.storage.columns import number as _number
from safeum_home.storage.columns import sealed as _sealed
from safeum_home.storage.columns import small as _small
from safeum_home.storage.columns import table as _table
from safeum_home.storage.schema_calls import calls as calls
from safeum_home.storage.schema_files import blobs as blobs
from safeum_home.storage.schema_files import dropped as dropped
from safeum_home.storage.schema_files import fetched as fetched
from safeum_home.storage.schema_files import files as files
from safeum_home.storage.schema_files import strays as strays
from safeum_home.storage.schema_files import uploads as uploads
from safeum_home.storage.schema_groups import agreements as agreements
from safeum_home.storage.schema_groups import group_nodes as group_nodes
from safeum_home.storage.schema_groups import passed_on as passed_on
from safeum_home.storage.schema_groups import posts as posts
from safeum_home.storage.schema_keys import key_log as key_log
from safeum_home.storage.schema_keys import node_keys as node_keys
from safeum_home.storage.schema_keys import vaults as vaults
from safeum_home.storage.schema_money import cdrs as cdrs
from safeum_home.storage.schema_money import edge_records as edge_records
from safeum_home.storage.schema_money import holds as holds
from safeum_home.storage.schema_money import ledger as ledger
from safeum_home.storage.schema_money import ledger_totals as ledger_totals
from safeum_home.storage.schema_money import payment_notes as payment_notes
from safeum_home.storage.schema_money import payments as payments
from safeum_home.storage.schema_money import rate_tables as rate_tables
from safeum_home.storage.schema_money import rates as rates
from safeum_home.storage.schema_money import statements as statements
from safeum_home.storage.schema_money import vouchers as vouchers
from safeum_home.storage.schema_money import wallets as wallets
from safeum_home.storage.schema_numbers import numbers as numbers
from safeum_home.storage.schema_numbers import stock as stock
from safeum_home.storage.schema_push import pushes as pushes
from safeum_home.storage.schema_telephone import beats as beats
from safeum_home.storage.schema_telephone import missed_calls as missed_calls
from safeum_home.storage.schema_voicemail import mailboxes as mailboxes
from safeum_home.storage.schema_voicemail import voicemail_days as voicemail_days
from safeum_home.storage.schema_voicemail import voicemails as voicemails

_IS_GONE = text("gone IS NOT NULL")
_IS_FREE, _IS_FIXED, _IS_HELD = text("batch = 0"), text("batch > 0"), text("batch < 0")
_IS_IN_LINE = text("batch = -2")

node = _table("node", Column("name", String(32), primary_key=True), _number("value"))

# All wrapped keys of a keyring in one place, so that turning its epoch re-wraps one table.
keys = _table("keys", _blind("owner", primary_key=True), _number("epoch"), _sealed("wrapped"))
fleeting_keys = _table(
    "fleeting_keys", _blind("owner", primary_key=True), _number("epoch"), _sealed("wrapped")
)

accounts = _table("accounts", _blind("account", primary_key=True), _sealed())

aliases = _table("aliases", _blind("alias", primary_key=True), _blind("account", index=True))

devices = _table(
    "devices",
    _blind("device", primary_key=True),
    _blind("account", index=True),
    _number("ordinal"),
    Column("verifier", LargeBinary(32), nullable=False),
    _sealed(),
    # Up to which position of the node's order it has said to hold all; noted where somebody waits for that.
    _number("held"),
)

# Numbers that somebody else has proved to hold; what is sealed is under the key of the account that has it.
claims = _table("claims", _blind("alias", primary_key=True), _blind("account"), _sealed())

profiles = _table("profiles", _blind("account", primary_key=True), _number("position"), _sealed())

avatars = _table("avatars", _blind("account", primary_key=True), _sealed())

contacts = _table(
    "contacts",
    _blind("owner", primary_key=True),
    _blind("peer", primary_key=True),
    _blind("chat", index=True),
    _small("state"),
    _number("position"),
    _sealed(),
    Index("ix_contacts_owner_position", "owner", "position"),
)

# `changed` is where a chat's record last changed in a way that its members are told of; 0: it never did.
chats = _table("chats", _blind("chat", primary_key=True), _small("kind"), _sealed(), _number("changed"))

# Who is in a chat now. Events up to `visible` are not for that member.
members = _table(
    "members",
    _blind("chat", primary_key=True),
    _blind("account", primary_key=True, index=True),
    _number("delivered"),
    _number("read"),
    _number("position"),
    _number("visible"),
)

# Of groups: who was invited, is a member, or was one. `state` is one of `chats.groups.roster.RosterState`.
roster = _table(
    "roster",
    _blind("chat", primary_key=True),
    _blind("account", primary_key=True, index=True),
    _number("position"),
    _small("state"),
    _sealed(),
    Index("ix_roster_chat_position", "chat", "position"),
)

# By which link a group is joined.
group_links = _table("group_links", _blind("link", primary_key=True), _blind("chat", index=True))

# Groups and invitations that are over for an account; `ending` is of the two, and leads to no chat.
endings = _table(
    "endings",
    _blind("account", primary_key=True),
    _blind("ending", primary_key=True),
    _number("position"),
    _sealed(),
    Index("ix_endings_account_position", "account", "position"),
)

events = _table(
    "events",
    _blind("chat", primary_key=True),
    _number("position", primary_key=True, autoincrement=False),
    _sealed(),
)

dedupe = _table(
    "dedupe",
    _blind("sent", primary_key=True),
    # What is erased with a chat is found by its positions; they only grow, so the index does at its end.
    _number("position", index=True),
    # The hour (since 1970) in which its message was erased or dropped: it is recognised still.
    Column("gone", BigInteger, nullable=True),
    # `ports.Blinder.gone` of one that all devices held: others may still be told that it was read.
    Column("mark", LargeBinary(16), nullable=True),
)
Index("ix_dedupe_gone", dedupe.c.gone, sqlite_where=_IS_GONE, postgresql_where=_IS_GONE)

# Messages of chats without history, until all devices hold them: who sent each from which device, and the
# hour (since 1970) of that.
spool = _table(
    "spool",
    _blind("chat", primary_key=True),
    _number("position", primary_key=True, autoincrement=False),
    _blind("account"),
    _blind("device"),
    _number("hour", index=True),
)

# Conversations with support that the staff has not closed: where the newest message is, and the oldest that
# waits for an answer (0: none does).
support = _table(
    "support",
    _blind("chat", primary_key=True),
    _number("position", index=True),
    _number("waiting"),
)

# What messages of chats without history are called at the node that they came from.
passed = _table(
    "passed",
    _blind("chat", primary_key=True),
    _number("position", primary_key=True, autoincrement=False),
    _sealed(),
)

# The names of accounts that were closed: they are taken for ever.
tombstones = _table("tombstones", _blind("alias", primary_key=True))

# Accounts and chats that were closed, and chats whose past was erased up to a position: not all of their rows
# are deleted yet.
erasing = _table("erasing", _blind("owner", primary_key=True), _number("upto"))
invites = _table("invites", _blind("invite", primary_key=True), _number("left"), _number("ends"), _sealed())

# Messages that became something else after they were sent, and where that happened last.
changes = _table(
    "changes",
    _blind("chat", primary_key=True),
    _number("target", primary_key=True, autoincrement=False),
    _number("position"),
    Index("ix_changes_chat_position", "chat", "position"),
)

# Who reacted to which message. What is sealed is under the chat's key.
reactions = _table(
    "reactions",
    _blind("chat", primary_key=True),
    _number("target", primary_key=True, autoincrement=False),
    _blind("account", primary_key=True),
    _number("position"),
    _sealed(),
)

# What accounts have set for their chats, under the accounts' own keys; drafts under the chats' keys as well.
settings = _table(
    "settings",
    _blind("account", primary_key=True),
    _blind("chat", primary_key=True, index=True),
    _number("position"),
    _sealed(),
    Column("draft", LargeBinary),
    Index("ix_settings_account_position", "account", "position"),
)

# With which key, by its number, the node signs towards others. The keys are derived, and stored nowhere.
signing_keys = _table(
    "signing_keys",
    _number("number", primary_key=True, autoincrement=False),
    _number("began"),
    Column("ended", BigInteger, nullable=True),
)

# Other nodes, by blind indexes of their names; the names are sealed. What goes there: the `stream` with the
# number that was `sent` last, how many rows wait, since when it fails (milliseconds; 0: it does not). What
# comes from there: of `in_stream` all up to `in_last`, and `in_done` events of the one after it; `in_digest`
# is that of the newer of the two, `in_refused` which of its events were refused, and why.
peers = _table(
    "peers",
    _blind("peer", primary_key=True),
    _sealed(),
    _blind("stream"),
    _number("sent"),
    _number("waiting"),
    _number("failing"),
    _number("seen"),
    Column("in_stream", LargeBinary(16), nullable=True),
    _number("in_last"),
    _number("in_done"),
    Column("in_digest", LargeBinary(32), nullable=True),
    Column("in_refused", LargeBinary, nullable=True),
)

# Of which objects nodes are still to be told: pointers, of blind indexes and numbers. `batch` is the number
# of the transaction that a row is part of; 0: of none yet; -2: it stands in line; else it is held back until
# that time (in seconds since 1970, less than 0). Urgent rows have the lower positions.
outbox = _table(
    "outbox",
    _blind("destination", primary_key=True),
    _number("position", primary_key=True, autoincrement=False),
    Column("type", String(64), nullable=False),
    Column("pointer", LargeBinary(128), nullable=False),
    _number("hour"),
    _number("batch"),
    Index(
        "ix_outbox_free",
        "destination",
        "type",
        "pointer",
        unique=True,
        sqlite_where=_IS_FREE,
        postgresql_where=_IS_FREE,
    ),
    Index("ix_outbox_fixed", "destination", "position", sqlite_where=_IS_FIXED, postgresql_where=_IS_FIXED),
    Index(
        "ix_outbox_held",
        "destination",
        "type",
        "pointer",
        "batch",
        unique=True,
        sqlite_where=_IS_HELD,
        postgresql_where=_IS_HELD,
    ),
    Index(
        "ix_outbox_lines",
        "destination",
        text("substr(pointer, 1, 16)"),
        "position",
        sqlite_where=_IS_IN_LINE,
        postgresql_where=_IS_IN_LINE,
    ),
)

# What was refused between nodes; sealed is what kind of object it was, and the code.
set_aside = _table(
    "set_aside",
    _blind("peer", primary_key=True),
    _number("number", primary_key=True, autoincrement=False),
    _number("at"),
    _sealed(),
)

# Chats that were erased, of which other nodes are to have a receipt when the keyring has turned.
owed = _table("owed", _blind("chat", primary_key=True))
