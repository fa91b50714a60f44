"""Calls as the edge towards a carrier has seen them."""

import sqlalchemy as sa

from safeum_home.storage.migrations.tables import blind, sealed, table

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    table(
        "edge_records",
        sa.Column("month", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
        blind("record", primary_key=True),
        sealed(),
    )
