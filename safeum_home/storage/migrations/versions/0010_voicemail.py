"""Voicemail: rules and greetings, messages by the day on which they were left, and days that have a key."""

import sqlalchemy as sa
from alembic import op

from safeum_home.storage.migrations.tables import blind, number, sealed, table

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    table(
        "mailboxes",
        blind("account", primary_key=True),
        sealed(),
        sa.Column("greeting", sa.LargeBinary, nullable=True),
    )
    table(
        "voicemails",
        blind("chat", primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        number("day"),
    )
    table(
        "voicemail_days",
        sa.Column("day", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
    )
    op.create_index("ix_voicemails_day", "voicemails", ["day"])
