"""Payments: references under which accounts pay in, and what the operator is to look at."""

import sqlalchemy as sa
from alembic import op

from safeum_home.storage.migrations.tables import blind, number, sealed, table

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    table(
        "payments",
        blind("reference", primary_key=True),
        blind("account"),
        sa.Column("payment", sa.LargeBinary(16), nullable=True),
        number("ends"),
        sealed(),
    )
    for column in ("account", "payment", "ends"):
        op.create_index(f"ix_payments_{column}", "payments", [column])
    table(
        "payment_notes",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, nullable=False),
        sealed(),
    )
