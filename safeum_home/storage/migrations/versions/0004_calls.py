"""The log of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("account", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("call", sa.LargeBinary(16), primary_key=True, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
