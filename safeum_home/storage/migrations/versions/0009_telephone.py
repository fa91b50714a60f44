"""Calls with the telephone network: signs of life, and calls that were missed."""

import sqlalchemy as sa
from alembic import op

from safeum_home.storage.migrations.tables import blind, number, sealed, table

revision = "0009"
down_revision = "0007"


def upgrade() -> None:
    table("beats", blind("run", primary_key=True), sealed())
    table(
        "missed_calls",
        blind("account", primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        number("month"),
        sealed(),
    )
    op.create_index("ix_missed_calls_month", "missed_calls", ["month"])
