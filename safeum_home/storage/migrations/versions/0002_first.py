"""The first tables that are kept: a database of before them (0001) is refused."""

import sqlalchemy as sa
from alembic import op

from safeum_home.storage.migrations.first_files import files
from safeum_home.storage.migrations.tables import blind as _blind
from safeum_home.storage.migrations.tables import number as _number
from safeum_home.storage.migrations.tables import sealed as _sealed
from safeum_home.storage.migrations.tables import table as _table

revision = "0002"
down_revision = None


def upgrade() -> None:
    _table("node", sa.Column("name", sa.String(32), primary_key=True), _number("value"))
    op.execute("INSERT INTO node (name, value) VALUES ('committed', 0), ('groups', 0)")
    for name in ("keys", "fleeting_keys"):
        _table(name, _blind("owner", primary_key=True), _number("epoch"), _sealed("wrapped"))
    _table("accounts", _blind("account", primary_key=True), _sealed())
    _table("aliases", _blind("alias", primary_key=True), _blind("account"))
    op.create_index("ix_aliases_account", "aliases", ["account"])
    _table(
        "devices",
        _blind("device", primary_key=True),
        _blind("account"),
        _number("ordinal"),
        sa.Column("verifier", sa.LargeBinary(32), nullable=False),
        _sealed(),
        _number("held"),
    )
    op.create_index("ix_devices_account", "devices", ["account"])
    _table("claims", _blind("alias", primary_key=True), _blind("account"), _sealed())
    _table("profiles", _blind("account", primary_key=True), _number("position"), _sealed())
    _table("avatars", _blind("account", primary_key=True), _sealed())
    _table(
        "contacts",
        _blind("owner", primary_key=True),
        _blind("peer", primary_key=True),
        _blind("chat"),
        sa.Column("state", sa.SmallInteger, nullable=False),
        _number("position"),
        _sealed(),
    )
    op.create_index("ix_contacts_chat", "contacts", ["chat"])
    op.create_index("ix_contacts_owner_position", "contacts", ["owner", "position"])
    _table(
        "chats",
        _blind("chat", primary_key=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        _sealed(),
        _number("changed"),
    )
    _table(
        "members",
        _blind("chat", primary_key=True),
        _blind("account", primary_key=True),
        _number("delivered"),
        _number("read"),
        _number("position"),
        _number("visible"),
    )
    op.create_index("ix_members_account", "members", ["account"])
    _table(
        "roster",
        _blind("chat", primary_key=True),
        _blind("account", primary_key=True),
        _number("position"),
        sa.Column("state", sa.SmallInteger, nullable=False),
        _sealed(),
    )
    op.create_index("ix_roster_account", "roster", ["account"])
    op.create_index("ix_roster_chat_position", "roster", ["chat", "position"])
    _table("group_links", _blind("link", primary_key=True), _blind("chat"))
    op.create_index("ix_group_links_chat", "group_links", ["chat"])
    _table(
        "group_nodes",
        _blind("chat", primary_key=True),
        _blind("node", primary_key=True),
        _blind("life"),
        _number("visible"),
        _sealed(),
    )
    _table("agreements", _blind("chat", primary_key=True), _blind("account", primary_key=True))
    op.create_index("ix_agreements_account", "agreements", ["account"])
    _table(
        "endings",
        _blind("account", primary_key=True),
        _blind("ending", primary_key=True),
        _number("position"),
        _sealed(),
    )
    op.create_index("ix_endings_account_position", "endings", ["account", "position"])
    _table(
        "events",
        _blind("chat", primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _sealed(),
    )
    _table(
        "dedupe",
        _blind("sent", primary_key=True),
        _number("position"),
        sa.Column("gone", sa.BigInteger, nullable=True),
        sa.Column("mark", sa.LargeBinary(16), nullable=True),
    )
    gone = sa.text("gone IS NOT NULL")
    op.create_index("ix_dedupe_gone", "dedupe", ["gone"], sqlite_where=gone, postgresql_where=gone)
    _table(
        "spool",
        _blind("chat", primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _blind("account"),
        _blind("device"),
        _number("hour"),
    )
    op.create_index("ix_spool_hour", "spool", ["hour"])
    _table("invites", _blind("invite", primary_key=True), _number("left"), _number("ends"), _sealed())
    _table("support", _blind("chat", primary_key=True), _number("position"), _number("waiting"))
    op.create_index("ix_support_position", "support", ["position"])
    op.create_index("ix_dedupe_position", "dedupe", ["position"])
    _table("tombstones", _blind("alias", primary_key=True))
    _table("erasing", _blind("owner", primary_key=True), _number("upto"))
    files()
    _message_changes()
    _federation()
    _posts()
    _keys()


def _message_changes() -> None:
    """What becomes of messages after they were sent, and what accounts set for chats."""
    _table(
        "changes",
        _blind("chat", primary_key=True),
        sa.Column("target", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _number("position"),
    )
    op.create_index("ix_changes_chat_position", "changes", ["chat", "position"])
    _table(
        "reactions",
        _blind("chat", primary_key=True),
        sa.Column("target", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _blind("account", primary_key=True),
        _number("position"),
        _sealed(),
    )
    _table(
        "settings",
        _blind("account", primary_key=True),
        _blind("chat", primary_key=True),
        _number("position"),
        _sealed(),
        sa.Column("draft", sa.LargeBinary),
    )
    op.create_index("ix_settings_chat", "settings", ["chat"])
    op.create_index("ix_settings_account_position", "settings", ["account", "position"])


def _posts() -> None:
    """What goes to the nodes of groups, and what those pass on."""
    _table(
        "posts",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _blind("chat"),
        _blind("account"),
        _number("told"),
        _number("hour"),
        sa.Column("state", sa.SmallInteger, nullable=False),
        _sealed(),
    )
    op.create_index("ix_posts_chat", "posts", ["chat"])
    op.create_index("ix_posts_account_told", "posts", ["account", "told"])
    _table(
        "passed_on",
        _blind("chat", primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _blind("account", primary_key=True),
        _sealed(),
    )


def _federation() -> None:
    """What is kept for other nodes."""
    _table(
        "signing_keys",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _number("began"),
        sa.Column("ended", sa.BigInteger, nullable=True),
    )
    _table(
        "peers",
        _blind("peer", primary_key=True),
        _sealed(),
        _blind("stream"),
        _number("sent"),
        _number("waiting"),
        _number("failing"),
        _number("seen"),
        sa.Column("in_stream", sa.LargeBinary(16), nullable=True),
        _number("in_last"),
        _number("in_done"),
        sa.Column("in_digest", sa.LargeBinary(32), nullable=True),
        sa.Column("in_refused", sa.LargeBinary, nullable=True),
    )
    _table(
        "outbox",
        _blind("destination", primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("pointer", sa.LargeBinary(128), nullable=False),
        _number("hour"),
        _number("batch"),
    )
    is_free, is_fixed, is_held = sa.text("batch = 0"), sa.text("batch > 0"), sa.text("batch < 0")
    op.create_index(
        "ix_outbox_free",
        "outbox",
        ["destination", "type", "pointer"],
        unique=True,
        sqlite_where=is_free,
        postgresql_where=is_free,
    )
    for name, columns, where in (
        ("ix_outbox_fixed", ["destination", "position"], is_fixed),
        ("ix_outbox_held", ["destination", "type", "pointer", "batch"], is_held),
    ):
        op.create_index(
            name, "outbox", columns, unique="batch" in columns, sqlite_where=where, postgresql_where=where
        )
    in_line = sa.text("batch = -2")
    op.create_index(
        "ix_outbox_lines",
        "outbox",
        ["destination", sa.text("substr(pointer, 1, 16)"), "position"],
        sqlite_where=in_line,
        postgresql_where=in_line,
    )
    _table(
        "set_aside",
        _blind("peer", primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _number("at"),
        _sealed(),
    )
    _table("owed", _blind("chat", primary_key=True))
    _table(
        "passed",
        _blind("chat", primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _sealed(),
    )


def _keys() -> None:
    """Hashes of public keys."""
    _table(
        "key_log",
        _blind("account", primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        _number("position"),
        _sealed(),
    )
    op.create_index("ix_key_log_position", "key_log", ["position"])
