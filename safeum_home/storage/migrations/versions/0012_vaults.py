"""Vaults: what clients keep for themselves, in parts."""

import sqlalchemy as sa

from safeum_home.storage.migrations.tables import blind, number, sealed, table

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    table(
        "vaults",
        blind("account", primary_key=True),
        sa.Column("part", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        number("version"),
        number("parts"),
        sealed(),
    )
