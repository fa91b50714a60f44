"""Devices that can be woken."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "pushes",
        sa.Column("device", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("account", sa.LargeBinary(16), nullable=False),
        sa.Column("address", sa.LargeBinary(16), nullable=False),
        sa.Column("call_address", sa.LargeBinary(16), nullable=True),
        sa.Column("told", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    for name in ("account", "address", "call_address"):
        op.create_index(f"ix_pushes_{name}", "pushes", [name])
